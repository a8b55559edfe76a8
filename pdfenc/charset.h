/*
 * charset: bytes of a declared (or wrongly declared) charset -> clean UTF-8.
 *
 * What a mail says about its charset is a hint. What is valid UTF-8 with non-ASCII bytes is taken
 * as UTF-8 whatever was said about a single-byte set; what cannot be decoded becomes U+FFFD, never
 * an error. Control characters vanish, line ends become LF. Pure but for iconv.
 */
#ifndef SG_PDFENC_CHARSET_H
#define SG_PDFENC_CHARSET_H

#include <glib.h>
#include <stddef.h>

/* declared may be NULL. The caller frees. */
GString *charset_to_utf8(const char *declared, const void *data, size_t size);

/* text (any bytes, NULL allowed) as clean UTF-8 on one line; NULL for NULL. The caller g_frees. */
char *charset_line(const char *text);

/* The charset named in a <meta> of an HTML document's beginning, or NULL. The caller g_frees. */
char *charset_of_html(const void *data, size_t size);

/* Opens the converters that mail needs, before the sandbox closes. */
void charset_warm_up(void);

#endif
