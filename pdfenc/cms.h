/*
 * cms: what an opaque S/MIME signature (RFC 8551 3.5.2) signs. Pure; nothing is verified.
 */
#ifndef SG_PDFENC_CMS_H
#define SG_PDFENC_CMS_H

#include <glib.h>
#include <stddef.h>

/* The content of a SignedData in BER, or NULL: it is something else. The caller unrefs. */
GByteArray *cms_signed_content(const void *data, size_t size);

#endif
