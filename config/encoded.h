/*
 * encoded: a header value as bytes that know where they came from (RFC 2047). For config/ alone.
 *
 * encoded_parse makes units of a raw value; the caller marks units as removed; encoded_print
 * writes the value without them. Pure.
 */
#ifndef SG_CONFIG_ENCODED_H
#define SG_CONFIG_ENCODED_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

/* One decoded byte. */
struct encoded_unit {
	const char *raw;	/* what it was written as; NULL in base64 */
	unsigned char raw_size;
	unsigned char byte;
	bool removed;
};

enum encoded_kind {
	ENCODED_TEXT,		/* verbatim */
	ENCODED_WORD_Q,
	ENCODED_WORD_B,
	ENCODED_GAP		/* white space between two encoded words: no units */
};

struct encoded_part {
	enum encoded_kind kind;
	const char *raw;	/* the whole of it, "=?" to "?=" */
	size_t raw_size;
	size_t head_size;	/* of a word: "=?charset?B?" */
	size_t first;		/* index of its first unit */
	size_t count;
};

struct encoded {
	struct encoded_unit *units;
	size_t unit_count;
	struct encoded_part *parts;
	size_t part_count;
};

/* value is borrowed and must outlive *encoded. SG_ENOMEM. Zero-initialise *encoded before. */
MUST_USE enum fail_code encoded_parse(const char *value, struct encoded *encoded);
/* Appends what is left, in its own charset and encoding. */
MUST_USE enum fail_code encoded_print(const struct encoded *encoded, struct buf *out);
void encoded_free(struct encoded *encoded);

#endif
