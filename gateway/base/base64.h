/*
 * base64: RFC 4648 section 4, with CRLF after 76 characters for mail (RFC 2045). Pure.
 */
#ifndef SG_BASE_BASE64_H
#define SG_BASE_BASE64_H

#include "gateway/base/buf.h"

/* Appends the encoding of data without line breaks. */
MUST_USE enum fail_code base64_encode(struct buf *out, const void *data, size_t size);

/*
 * Appends the bytes that text encodes. White space is skipped; padding may be missing (as in many
 * real RFC 2047 words). SG_EFORMAT on any other character.
 */
MUST_USE enum fail_code base64_decode(struct buf *out, const char *text, size_t size);

/* Lines of 76 characters, fed piece by piece. Zero-initialise. */
struct base64_lines {
	unsigned char rest[57];	/* not yet a whole line */
	size_t rest_size;
};

/* Writes encoded lines with CRLF into out; room needed: (size + 57) / 57 * 78. Returns bytes. */
size_t base64_lines_put(struct base64_lines *lines, const unsigned char *data, size_t size,
    unsigned char *out);
/* Writes what is left, with CRLF; room needed: 78. Returns bytes, 0 if nothing was left. */
size_t base64_lines_end(struct base64_lines *lines, unsigned char *out);

#endif
