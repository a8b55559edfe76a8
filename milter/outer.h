/*
 * outer: the message that carries a sealed one: which header fields stay, what its body is.
 *
 * Kept: From, To, Cc, Reply-To, Sender, Date, Message-ID, In-Reply-To, References,
 * Auto-Submitted, List-*, Received, Delivered-To, Resent-*, Subject as configured. Every other
 * field goes, all stale DKIM and ARC signatures too. The new Content-Type tells no name of the
 * original. Shared by the filter and "sealgate seal". No libmilter, no network.
 */
#ifndef SG_MILTER_OUTER_H
#define SG_MILTER_OUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "milter/cover.h"
#include "milter/edits.h"
#include "milter/envelope.h"
#include "milter/message.h"

struct outer_source {
	const struct message *message;
	const unsigned char *body;	/* as received, CRLF */
	size_t body_size;
	const char *subject;		/* raw value without tags, or NULL: as it is */
	const char *placeholder;	/* outer Subject instead, UTF-8; NULL: subject is kept */
	struct envelope_cache *cache;	/* parsed certificates, or NULL */
	const char *spool_directory;	/* for the new body; NULL: memory */
	size_t memory_max;
	const struct cover *cover;	/* outer_pdf: what the mail around it says; else NULL */
};

/* The edits that make the message an envelope to these certificates. */
MUST_USE enum fail_code outer_envelope(const struct outer_source *source,
    const struct envelope_certificate *certificates, size_t count, struct edits *edits,
    struct fail *f);

/*
 * The edits that make the message one with an encrypted PDF (pdf_size bytes behind pdf):
 * multipart/mixed of the words of source->cover and the file.
 */
MUST_USE enum fail_code outer_pdf(const struct outer_source *source, int pdf, size_t pdf_size,
    struct edits *edits, struct fail *f);

/* Does this field stay on the outer message? */
bool outer_keeps(const char *name);

/*
 * Writes the changed message to out as a file: header fields with CRLF, empty line, the new body.
 */
MUST_USE enum fail_code outer_write(const struct outer_source *source, const struct edits *edits,
    struct spool *out, struct fail *f);

#endif
