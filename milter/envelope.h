/*
 * envelope: an entity sealed as S/MIME CMS EnvelopedData (RFC 8551, RFC 5652), by OpenSSL.
 *
 * AES-256-CBC; RSA recipients by PKCS#1 v1.5, EC recipients by ECDH with SHA-256 derivation (RFC
 * 5753). The content is streamed: the output is BER with indefinite lengths, in base64 lines.
 * Whether a certificate may be used is the vault's question; here it is taken as it is. Any
 * thread.
 */
#ifndef SG_MILTER_ENVELOPE_H
#define SG_MILTER_ENVELOPE_H

#include <stddef.h>

#include "gateway/base/fail.h"
#include "milter/spool.h"

#define ENVELOPE_CERTIFICATES_MAX 64	/* recipients of one envelope, on the command line */

struct envelope_certificate {
	const unsigned char *der;
	size_t size;
};

/*
 * Certificates as OpenSSL keeps them, so that one that comes again is not parsed again: reading one
 * and its key is 0.2 of 0.28 ms of an envelope of 10 KB. Found by the whole DER; a fixed number of
 * places. Any thread.
 */
struct envelope_cache;

/* NULL when out of memory. */
struct envelope_cache *envelope_cache_new(void);
void envelope_cache_free(struct envelope_cache *cache);	/* NULL is allowed */

/* The inner entity: its header fields with the empty line behind them, then the body. */
struct envelope_entity {
	const void *header;
	size_t header_size;
	const void *body;
	size_t body_size;
};

/*
 * Writes the base64 text of the envelope to out (not finished here). cache may be NULL.
 * SG_EFORMAT: a certificate cannot be read or its key cannot be used; SG_ECRYPTO: OpenSSL failed.
 */
MUST_USE enum fail_code envelope_seal(struct envelope_cache *cache,
    const struct envelope_certificate *certificates, size_t count,
    const struct envelope_entity *entity, struct spool *out, struct fail *f);

/* SHA-256 of a certificate in hexadecimal, for records. */
void envelope_fingerprint(const struct envelope_certificate *certificate, char out[65]);

#endif
