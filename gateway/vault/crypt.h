/*
 * crypt: secrets at rest, AES-256-GCM under the master key.
 *
 * What is sealed for one place (tenant, table, row, column) opens at that place only: these are
 * associated data. A nonce is 96 random bits; with one master key some 2^32 secrets may be sealed,
 * far more than there are recipients. Pure but for random bytes.
 *
 * sealed = u8 version 1, nonce (12), tag (16), ciphertext
 */
#ifndef SG_GATEWAY_VAULT_CRYPT_H
#define SG_GATEWAY_VAULT_CRYPT_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/secret.h"

#define CRYPT_KEY_SIZE 32	/* bytes */
#define CRYPT_ID_SIZE 16
#define CRYPT_DIGEST_SIZE 32
#define CRYPT_OVERHEAD 29	/* bytes that sealing adds */

struct crypt_place {
	const char *tenant;
	const char *table;
	const unsigned char *id;	/* CRYPT_ID_SIZE bytes */
	const char *column;
};

/* Appends data, sealed. SG_ECRYPTO, SG_ENOMEM. */
MUST_USE enum fail_code crypt_seal(const struct secret *master, const struct crypt_place *place,
    const void *data, size_t size, struct buf *out, struct fail *f);
/* SG_ECRYPTO (temporary): another master key, another place, or altered. */
MUST_USE enum fail_code crypt_open(const struct secret *master, const struct crypt_place *place,
    const void *sealed, size_t size, struct secret *data_out, struct fail *f);

/* HMAC-SHA-256. */
MUST_USE enum fail_code crypt_mac(const struct secret *key, const void *data, size_t size,
    unsigned char mac_out[CRYPT_DIGEST_SIZE], struct fail *f);
/* SHA-256. */
MUST_USE enum fail_code crypt_digest(const void *data, size_t size,
    unsigned char digest_out[CRYPT_DIGEST_SIZE], struct fail *f);

#endif
