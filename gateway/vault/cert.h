/*
 * cert: what a certificate says, and whether mail may be encrypted to it. Pure.
 *
 * It can never be used (unusable) when its key is neither RSA of at least 2048 bits nor EC on
 * P-256, P-384 or P-521, or when its purposes do not allow it: extendedKeyUsage, if there, must
 * name emailProtection or any; keyUsage, if there, keyEncipherment (RSA) or keyAgreement (EC). Its
 * time of validity is judged anew at each use. Chain and revocation are not looked at.
 */
#ifndef SG_GATEWAY_VAULT_CERT_H
#define SG_GATEWAY_VAULT_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/base/str.h"
#include "gateway/store/store.h"
#include "gateway/vault/vault.h"

#define CERT_RSA_BITS_MIN 2048
#define CERT_ADDRESSES_MAX 100	/* addresses taken from one certificate */

struct cert {
	char fingerprint[2 * VAULT_DIGEST_SIZE + 1];
	char *subject;			/* RFC 2253, UTF-8 */
	char *issuer;
	char *key;			/* "RSA 2048", "EC prime256v1" */
	int64_t not_before;		/* seconds since 1970 */
	int64_t not_after;
	char *unusable;			/* or NULL */
	struct str_list addresses;	/* as written: rfc822Name, emailAddress */
};

/* SG_EFORMAT: no certificate in DER, or bytes behind it. */
MUST_USE enum fail_code cert_parse(const void *der, size_t size, struct cert *cert_out,
    struct fail *f);
void cert_free(struct cert *cert);

/* Can it be used now? If not, why_out says so. */
bool cert_usable(int64_t not_before, int64_t not_after, const char *unusable, int64_t now,
    char why_out[VAULT_REASON_MAX]);

#endif
