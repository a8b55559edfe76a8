/*
 * lookalike: tags written with signs that only look like those of a tag. For config/ alone. Pure.
 *
 * "[secure]" with a Cyrillic letter, with full-width brackets or with an invisible sign in a word
 * is no tag, and who wrote it believes that it is one. In doubt the message does not go: rules.c
 * makes it flagged, by a word that nobody knows, which the filter refuses with that reason.
 *
 * Known: letters of Cyrillic, Greek and Armenian that have the shape of Latin ones, full-width and
 * mathematical letters, brackets of other scripts with the shape of [ and ], invisible signs, other
 * spaces. In UTF-8 and in encoded words (RFC 2047) of UTF-8 alone.
 */
#ifndef SG_CONFIG_LOOKALIKE_H
#define SG_CONFIG_LOOKALIKE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"

/* What stands for the word, as rules_flag.unknown. */
#define LOOKALIKE_WORD "a tag with letters or brackets that only look right"

/*
 * Is there, at the start or end of this raw Subject, what would be a tag in ASCII? value has none
 * itself. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code lookalike_match(const struct conf *conf, const char *value,
    bool *found_out, struct fail *f);

/* Replaces look-alikes in size bytes by what they look like; returns the new size, never larger. */
size_t lookalike_plain(char *text, size_t size);

#endif
