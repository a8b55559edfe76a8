/*
 * write_crypt: the encryption of one PDF: AES-256 in CBC mode (ISO 32000-2 7.6.3.2, AESV3).
 *
 * The keys come from libqpdf (qpdf_make_keys); here streams and strings are encrypted as they are
 * written, so that libqpdf need not read what was just made. One thread.
 */
#ifndef SG_PDFENC_WRITE_CRYPT_H
#define SG_PDFENC_WRITE_CRYPT_H

#include <glib.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "pdfenc/qpdf.h"

#define WRITE_CRYPT_BLOCK 16u	/* bytes of a block, and of the random ones before each stream */

struct write_crypt;

/*
 * The caller write_crypt_frees. keys are copied. SG_ENOMEM, SG_ECRYPTO: libcrypto has no AES.
 */
MUST_USE enum fail_code write_crypt_new(const struct qpdf_keys *keys,
    struct write_crypt **crypt_out, struct fail *f);
/* Wipes and releases. */
void write_crypt_free(struct write_crypt *crypt);

/* What size bytes become, in bytes. */
size_t write_crypt_size(size_t size);
/*
 * One stream or string: begin, put as often as there are pieces, end; the cipher is appended to
 * out. False: libcrypto or the kernel's random numbers failed; nothing may be written then.
 */
MUST_USE gboolean write_crypt_begin(struct write_crypt *crypt, GByteArray *out);
MUST_USE gboolean write_crypt_put(struct write_crypt *crypt, const void *data, size_t size,
    GByteArray *out);
MUST_USE gboolean write_crypt_end(struct write_crypt *crypt, GByteArray *out);

/* The encryption dictionary (7.6.2), whose strings are never encrypted. */
void write_crypt_dictionary(const struct write_crypt *crypt, GString *out);

#endif
