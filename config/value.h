/*
 * value: one value of a key, as text, in memory and on the wire.
 *
 * base is the struct conf or the struct conf_tenant that the key's row belongs to; the value lives
 * at the row's offset. Pure.
 */
#ifndef SG_CONFIG_VALUE_H
#define SG_CONFIG_VALUE_H

#include <stddef.h>

#include "config/keys.h"
#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define VALUE_TEXT_MAX ((size_t)4096)	/* bytes of one text; the longest path of Linux */
#define VALUE_LIST_MAX ((size_t)100000)	/* members of a list; domains of a large provider */

/*
 * Checks texts and replaces what stood there. SG_EUSAGE: f's sentence says what was found, its hint
 * what is expected; the old value stays. A list takes any count of texts, all else exactly one.
 */
MUST_USE enum fail_code value_parse(const struct key *key, const char *const *texts, size_t count,
    void *base, struct fail *f);
/* The row's default. A key without one is left empty. */
MUST_USE enum fail_code value_preset(const struct key *key, void *base, struct fail *f);
/* What a value of this key may be: "a number from 1 to 256". */
MUST_USE enum fail_code value_expected(const struct key *key, struct buf *out);

/* Appends the value as written in the file: 100M, "text", {"a", "b"}. */
MUST_USE enum fail_code value_print(const struct key *key, const void *base, struct buf *out);
/* Appends the value as JSON: strings, numbers (bytes, milliseconds), arrays. */
MUST_USE enum fail_code value_json(const struct key *key, const void *base, struct buf *out);

/* Appends the value as value_get reads it. SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code value_put(const struct key *key, const void *base, struct buf *out);
/* SG_EFORMAT for a value outside the key's range. */
MUST_USE enum fail_code value_get(const struct key *key, void *base, struct buf_reader *reader);
void value_free(const struct key *key, void *base);

/* A value that is kept as a number, whatever its C type. */
uint64_t value_number(const struct key *key, const void *base);
void value_set_number(const struct key *key, void *base, uint64_t value);
/* A value that is kept as one text; never NULL. */
const char *value_text(const struct key *key, const void *base);

#endif
