/*
 * readable: a raw header value as text for people.
 */
#ifndef SG_CONFIG_READABLE_H
#define SG_CONFIG_READABLE_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

/*
 * Appends raw in UTF-8 on one line, cut with "..." behind max bytes: encoded words (RFC 2047) of
 * UTF-8, US-ASCII, ISO-8859-1, ISO-8859-15 and windows-1252 are decoded, others stay as they are.
 * Control characters become "?"; marks that turn the direction of text are left out: they could
 * make a name look like another one. SG_ENOMEM, SG_ELIMIT. Pure.
 */
MUST_USE enum fail_code readable_text(const char *raw, size_t max, struct buf *out);

#endif
