/*
 * mime: the bytes of a message -> a document, as mail programs choose what to show.
 *
 * GMime takes the message apart; it bounds its own depth (1024 levels), we bound depth, parts and
 * header sizes below that. Damaged MIME never fails: what cannot be understood is shown as text or
 * embedded as a file, and the document never comes out without a body.
 */
#ifndef SG_PDFENC_MIME_H
#define SG_PDFENC_MIME_H

#include <stddef.h>

#include "gateway/base/fail.h"
#include "pdfenc/document.h"

#define MIME_DEPTH_MAX 64	/* levels of multiparts and nested messages that are taken apart */
#define MIME_PARTS_MAX 2000	/* parts looked at */

/* Once, before the first message and before the sandbox closes. */
void mime_start(void);

/*
 * The size bytes at data must outlive the call only. subject: the raw value to show instead of
 * the message's own, or NULL. SG_EFORMAT: no bytes; SG_ELIMIT: more than GMime can count.
 */
MUST_USE enum fail_code mime_parse(const void *data, size_t size, const char *subject,
    struct document **document_out, struct fail *f);

#endif
