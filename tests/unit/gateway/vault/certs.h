/*
 * certs: certificates for tests, made on the spot. Header only, since each test is one file.
 */
#ifndef SG_TESTS_UNIT_GATEWAY_VAULT_CERTS_H
#define SG_TESTS_UNIT_GATEWAY_VAULT_CERTS_H

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct cert_wish {
	const char *key;	/* "RSA:2" (times 1024 bits), "EC:P-256", "ED25519" */
	const char *subject;	/* common name */
	const char *email;	/* emailAddress in the subject, or NULL */
	const char *names;	/* subjectAltName, or NULL */
	const char *usage;	/* keyUsage, or NULL */
	const char *extended;	/* extendedKeyUsage, or NULL */
	long from_s;		/* from now */
	long until_s;
};

static inline EVP_PKEY *cert_wish_key(const char *key)
{
	if (strncmp(key, "RSA:", 4) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)(key[4] - '0') * 1024);
	if (strncmp(key, "EC:", 3) == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", key + 3);
	return EVP_PKEY_Q_keygen(NULL, NULL, key);
}

static inline int cert_wish_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *extension;
	int done;

	if (value == NULL)
		return 1;
	extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	done = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return done;
}

static inline int cert_wish_name(X509 *x509, const struct cert_wish *wish)
{
	X509_NAME *name = X509_get_subject_name(x509);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)wish->subject, -1, -1, 0) == 1 &&
	    (wish->email == NULL || X509_NAME_add_entry_by_txt(name, "emailAddress",
	    MBSTRING_ASC, (const unsigned char *)wish->email, -1, -1, 0) == 1) &&
	    X509_set_issuer_name(x509, name) == 1;
}

/* DER of the certificate, by OPENSSL_free; its size in *size_out; 0 when it cannot be made. */
static inline unsigned char *cert_wish_make(const struct cert_wish *wish, size_t *size_out)
{
	EVP_PKEY *key = cert_wish_key(wish->key);
	X509 *x509 = X509_new();
	unsigned char *der = NULL;
	int size = 0;

	if (key != NULL && x509 != NULL && X509_set_version(x509, 2) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x509), wish->from_s) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(x509), wish->until_s) != NULL &&
	    cert_wish_name(x509, wish) && X509_set_pubkey(x509, key) == 1 &&
	    cert_wish_extension(x509, NID_subject_alt_name, wish->names) &&
	    cert_wish_extension(x509, NID_key_usage, wish->usage) &&
	    cert_wish_extension(x509, NID_ext_key_usage, wish->extended) &&
	    X509_sign(x509, key, strcmp(wish->key, "ED25519") == 0 ? NULL : EVP_sha256()) > 0)
		size = i2d_X509(x509, &der);
	X509_free(x509);
	EVP_PKEY_free(key);
	*size_out = size > 0 ? (size_t)size : 0;
	return der;
}

#endif
