/*
 * part: text and picture parts of mail that we write (RFC 2045), with CRLF. Pure.
 *
 * Text is UTF-8 with LF. It goes as it is where it is ASCII in lines of at most 78 characters, else
 * as quoted-printable; no line that is written is longer.
 */
#ifndef SG_MILTER_PART_H
#define SG_MILTER_PART_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define PART_WIDTH 72u	/* characters of a line of plain text, as part_wrap breaks it */

/*
 * Appends text with its long lines broken at spaces; what follows stands below the first word of a
 * line "  1. words". A word longer than the line stays whole. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code part_wrap(const char *text, struct buf *out);

/* Appends text with & < > and both quotes as HTML has them. */
MUST_USE enum fail_code part_escape(const char *text, size_t size, struct buf *out);

/* Header fields, empty line and text. type: "text/plain"; language: "de". */
MUST_USE enum fail_code part_text(const char *type, const char *language, const struct buf *text,
    struct buf *out);

/* The same for a picture that HTML names as cid:id. */
struct part_picture {
	const char *type;	/* "image/png" */
	const char *file;	/* its name */
	const char *id;		/* Content-ID without brackets */
	const unsigned char *data;
	size_t size;
};
MUST_USE enum fail_code part_picture(const struct part_picture *picture, struct buf *out);

#endif
