/*
 * seal: pages, files and a password -> an encrypted PDF in a sealed memory file.
 *
 * AES-256, revision 6 (ISO 32000-2), PDF 2.0; all of it, metadata and attachments too. Nothing is
 * restricted: who knows the password may print and copy. The owner password is random and forgotten
 * unless given.
 */
#ifndef SG_PDFENC_SEAL_H
#define SG_PDFENC_SEAL_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "pdfenc/document.h"

#define SEAL_PASSWORD_MAX 127	/* bytes, ISO 32000-2 7.6.4.3.3 */

struct attachments;
struct display;
struct faces;

struct seal_request {
	const struct display *pages;
	struct faces *faces;			/* the writer's */
	const struct document *document;	/* its files are attached, its subject is title */
	const struct attachments *attachments;	/* whose pages stand among ours; NULL: none */
	const void *original;			/* attached as original.eml; NULL: not */
	size_t original_size;
	const char *language;			/* BCP 47, or NULL */
	const struct secret *password;		/* SG_EUSAGE when empty, SG_ELIMIT when too long */
	const struct secret *owner_password;	/* NULL or empty: random */
};

/* What a document is called: its subject; borrowed from it. */
const char *seal_title(const struct document *document);
/* *pdf_out: a memfd that can no longer be written; the caller closes. */
MUST_USE enum fail_code seal_pdf(const struct seal_request *request, int *pdf_out,
    struct fail *f);

#endif
