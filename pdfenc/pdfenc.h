/*
 * pdfenc: the client of sealgate-pdf, the worker that turns a message into an encrypted PDF.
 *
 * The worker gets the whole message as a descriptor, what to print above it, and the password;
 * it answers with a descriptor that holds the finished PDF (AES-256, PDF 2.0 revision 6). It takes
 * one message at a time, parses it in its sandbox, and keeps nothing. Called from any thread.
 */
#ifndef SG_PDFENC_PDFENC_H
#define SG_PDFENC_PDFENC_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "gateway/base/wire.h"

enum pdfenc_message_type {
	PDFENC_SEAL = 1		/* descriptor, request -> three u32 (pdfenc_result); descriptor */
};

/* Bits of flags: what the mail around the PDF has to say. */
#define PDFENC_INVITATION UINT32_C(1)	/* one of the attached files is for a calendar */

#define PDFENC_PASSWORD_MAX 127	/* bytes, ISO 32000-2; ours are at most 32, see docs */
#define PDFENC_SIZE_MAX ((size_t)512 * 1024 * 1024)	/* bytes of a finished PDF */

struct pdfenc_request {
	int message;			/* descriptor: header fields, empty line, body; borrowed */
	size_t message_size;
	const char *subject;		/* raw value to print, tags removed; NULL: the message's */
	const char *protection;		/* line of the head: how protected; NULL: the usual */
	unsigned char language;		/* enum conf_language, of what stands around it */
	const char *tenant;		/* whose name, colour and logo stand there, or NULL */
	const struct secret *password;	/* never empty: SG_EUSAGE */
	const struct secret *owner_password;	/* NULL or empty: random, forgotten at once */
};

struct pdfenc_result {
	int pdf;			/* read-only descriptor; the caller closes */
	size_t pdf_size;
	uint32_t pages;
	uint32_t attachments;
	uint32_t flags;
};

/*
 * SG_EPEER: no worker, or it died twice on this message (temporary); SG_ELIMIT, SG_EFORMAT: the
 * message cannot be made a PDF (permanent). One that takes too much processor time or memory is
 * tried on another worker: if it does so there, too, that is permanent; where there is no time for
 * it, temporary. *result_out is empty (pdf = -1) after a failure.
 */
MUST_USE enum fail_code pdfenc_seal(const char *path, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f);
/* The same on a connected socket, without retry: too much is temporary then (SG_ELIMIT). */
MUST_USE enum fail_code pdfenc_seal_on(int socket, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f);

#endif
