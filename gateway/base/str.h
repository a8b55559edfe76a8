/*
 * str: strings and numbers from outside, with every bound checked.
 *
 * ASCII only where case is folded; locale never matters. Pure.
 */
#ifndef SG_BASE_STR_H
#define SG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

/* A list of strings that owns them. Zero-initialise to start. */
struct str_list {
	char **items;
	size_t count;
};

/* A copy of text (NULL gives NULL), or NULL when out of memory. The caller frees. */
char *str_dup(const char *text);
/* A copy of size bytes with a NUL behind. NULL when out of memory. */
char *str_dup_n(const char *text, size_t size);
/* Replaces *slot by a copy of text, freeing what was there; on SG_ENOMEM *slot is unchanged. */
MUST_USE enum fail_code str_set(char **slot, const char *text);
/* A fresh formatted string, or NULL when out of memory. */
char *str_printf(const char *format, ...) SG_PRINTF(1, 2);

/* ASCII case is ignored; NULL equals nothing. */
bool str_equal_case(const char *a, const char *b);
bool str_equal_case_n(const char *a, const char *b, size_t size);
bool str_starts_case(const char *text, const char *prefix);
/* Lower-cases A-Z in place. */
void str_lower(char *text);
char str_lower_char(char c);
bool str_is_space(char c);	/* space, tab, CR, LF */
/* Length of text without trailing white space. */
size_t str_trim_end(const char *text, size_t size);

/* A whole decimal number in [min, max]; nothing before or behind it. */
MUST_USE enum fail_code str_parse_u64(const char *text, uint64_t min, uint64_t max,
    uint64_t *value_out);
/* Bytes: a number with K, M or G (powers of 1024) or nothing behind it. */
MUST_USE enum fail_code str_parse_size(const char *text, uint64_t *value_out);
/* Milliseconds from "500ms", "30s", "15m", "2h", "5d". A unit is needed. */
MUST_USE enum fail_code str_parse_duration(const char *text, int64_t *value_ms_out);

/* Sums and products of outside numbers; false when they would not fit. */
bool str_add_size(size_t a, size_t b, size_t *sum_out);
bool str_mul_size(size_t a, size_t b, size_t *product_out);

/* Lower-case hexadecimal; out has room for 2 * size + 1. */
void str_hex(const unsigned char *data, size_t size, char *out);
/* SG_EFORMAT unless text is exactly size bytes in hexadecimal. */
MUST_USE enum fail_code str_unhex(const char *text, unsigned char *data, size_t size);

/* Appends text as a JSON string with quotes; bytes that are no UTF-8 become U+FFFD. */
MUST_USE enum fail_code str_json(struct buf *out, const char *text);
/* Bytes of the valid UTF-8 character at text (of size bytes left), or 0. */
size_t str_utf8_char(const char *text, size_t size);

/*
 * A text that filled its room of room bytes was cut: takes off what is left of a UTF-8 character at
 * its end.
 */
void str_cut_utf8(char *text, size_t room);

/* Appends a copy of text. */
MUST_USE enum fail_code str_list_add(struct str_list *list, const char *text);
/* Is text among them, ASCII case ignored? */
bool str_list_has_case(const struct str_list *list, const char *text);
/* Frees all strings; the list is empty again. */
void str_list_free(struct str_list *list);

#endif
