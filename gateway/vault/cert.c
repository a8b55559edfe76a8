#include "gateway/vault/cert.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/vault/crypt.h"
#include "gateway/vault/packets.h"

static enum fail_code cert_no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory for a certificate");
}

static enum fail_code cert_name(const X509_NAME *name, char **text_out, struct fail *f)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long size;

	*text_out = NULL;
	/* control characters stay escaped, other UTF-8 is left as it is */
	if (bio != NULL && X509_NAME_print_ex(bio, name, 0,
	    XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		size = BIO_get_mem_data(bio, &text);
		*text_out = str_dup_n(text, size < 0 ? 0 : (size_t)size);
	}
	BIO_free(bio);
	return *text_out == NULL ? cert_no_memory(f) : SG_OK;
}

static enum fail_code cert_time(const ASN1_TIME *when, int64_t *seconds_out, struct fail *f)
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (ASN1_TIME_to_tm(when, &tm) != 1)
		return fail_set(f, SG_EFORMAT, NULL, "a certificate with a malformed date");
	*seconds_out = (int64_t)timegm(&tm);
	return SG_OK;
}

static bool cert_curve_known(const char *curve)
{
	return strcmp(curve, "prime256v1") == 0 || strcmp(curve, "secp384r1") == 0 ||
	    strcmp(curve, "secp521r1") == 0;
}

/* Names the key; needed_out is the key usage it needs; the result why it cannot be used. */
static char *cert_key(const X509 *x509, uint32_t *needed_out, char **unusable_out)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	char curve[80] = "";
	size_t size = 0;
	int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

	*needed_out = 0;
	if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
		*needed_out = KU_KEY_ENCIPHERMENT;
		if (bits < CERT_RSA_BITS_MIN)
			*unusable_out = str_printf("RSA key of only %d bits", bits);
		return str_printf("RSA %d", bits);
	}
	if (key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
		*needed_out = KU_KEY_AGREEMENT;
		if (EVP_PKEY_get_group_name(key, curve, sizeof(curve), &size) != 1)
			(void)snprintf(curve, sizeof(curve), "with parameters of its own");
		if (!cert_curve_known(curve))
			*unusable_out = str_printf("EC key on an unsupported curve: %s", curve);
		return str_printf("EC %s", curve);
	}
	*unusable_out = str_dup("key is neither RSA nor EC");
	if (key == NULL || EVP_PKEY_get0_type_name(key) == NULL)
		return str_dup("unknown");
	return str_printf("%s %d", EVP_PKEY_get0_type_name(key), bits);
}

/* Why purposes forbid the use, or NULL. */
static const char *cert_purpose(X509 *x509, uint32_t needed)
{
	uint32_t flags = X509_get_extension_flags(x509);

	if ((flags & EXFLAG_INVALID) != 0)
		return "certificate has malformed or doubled extensions";
	if ((flags & EXFLAG_XKUSAGE) != 0 &&
	    (X509_get_extended_key_usage(x509) & (XKU_SMIME | XKU_ANYEKU)) == 0)
		return "certificate is not for mail (extendedKeyUsage without emailProtection)";
	if ((flags & EXFLAG_KUSAGE) != 0 && (X509_get_key_usage(x509) & needed) == 0)
		return needed == KU_KEY_AGREEMENT ?
		    "certificate is not for encryption (keyUsage without keyAgreement)" :
		    "certificate is not for encryption (keyUsage without keyEncipherment)";
	return NULL;
}

static enum fail_code cert_use(X509 *x509, struct cert *cert, struct fail *f)
{
	const char *why;
	uint32_t needed = 0;

	cert->key = cert_key(x509, &needed, &cert->unusable);
	if (cert->key == NULL)
		return cert_no_memory(f);
	if (needed == 0 && cert->unusable == NULL)
		return cert_no_memory(f);
	why = cert->unusable == NULL ? cert_purpose(x509, needed) : NULL;
	if (why == NULL)
		return SG_OK;
	cert->unusable = str_dup(why);
	return cert->unusable == NULL ? cert_no_memory(f) : SG_OK;
}

/* OpenSSL leaves out what is no IA5String or has a NUL inside. */
static enum fail_code cert_addresses(X509 *x509, struct str_list *list, struct fail *f)
{
	STACK_OF(OPENSSL_STRING) *found = X509_get1_email(x509);
	enum fail_code code = SG_OK;
	int i;

	for (i = 0; code == SG_OK && i < sk_OPENSSL_STRING_num(found); i++) {
		if (i >= CERT_ADDRESSES_MAX)
			code = fail_set(f, SG_ELIMIT, "give one with --address",
			    "a certificate with more than %d addresses", CERT_ADDRESSES_MAX);
		else if (str_list_add(list, sk_OPENSSL_STRING_value(found, i)) != SG_OK)
			code = cert_no_memory(f);
	}
	X509_email_free(found);
	return code;
}

static enum fail_code cert_fill(X509 *x509, struct cert *cert, struct fail *f)
{
	enum fail_code code = cert_name(X509_get_subject_name(x509), &cert->subject, f);

	if (code == SG_OK)
		code = cert_name(X509_get_issuer_name(x509), &cert->issuer, f);
	if (code == SG_OK)
		code = cert_time(X509_get0_notBefore(x509), &cert->not_before, f);
	if (code == SG_OK)
		code = cert_time(X509_get0_notAfter(x509), &cert->not_after, f);
	if (code == SG_OK)
		code = cert_use(x509, cert, f);
	if (code == SG_OK)
		code = cert_addresses(x509, &cert->addresses, f);
	return code;
}

enum fail_code cert_parse(const void *der, size_t size, struct cert *cert_out, struct fail *f)
{
	const unsigned char *at = der;
	unsigned char digest[VAULT_DIGEST_SIZE];
	X509 *x509 = NULL;
	enum fail_code code;

	memset(cert_out, 0, sizeof(*cert_out));
	if (size > 0 && size <= PACKET_DER_MAX)
		x509 = d2i_X509(NULL, &at, (long)size);
	if (x509 == NULL || at != (const unsigned char *)der + size) {
		X509_free(x509);
		ERR_clear_error();
		return fail_set(f, SG_EFORMAT, "a certificate in PEM or DER is expected",
		    "this is no X.509 certificate");
	}
	code = crypt_digest(der, size, digest, f);
	if (code == SG_OK) {
		str_hex(digest, sizeof(digest), cert_out->fingerprint);
		code = cert_fill(x509, cert_out, f);
	}
	X509_free(x509);
	ERR_clear_error();
	if (code != SG_OK)
		cert_free(cert_out);
	return code;
}

void cert_free(struct cert *cert)
{
	free(cert->subject);
	free(cert->issuer);
	free(cert->key);
	free(cert->unusable);
	str_list_free(&cert->addresses);
	memset(cert, 0, sizeof(*cert));
}

static void cert_day(int64_t seconds, char *out, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL || strftime(out, size, "%Y-%m-%d", &tm) == 0)
		(void)snprintf(out, size, "at an unknown time");
}

bool cert_usable(int64_t not_before, int64_t not_after, const char *unusable, int64_t now,
    char why_out[VAULT_REASON_MAX])
{
	char day[32];

	why_out[0] = '\0';
	if (unusable != NULL) {
		(void)snprintf(why_out, VAULT_REASON_MAX, "%s", unusable);
	} else if (now > not_after) {
		cert_day(not_after, day, sizeof(day));
		(void)snprintf(why_out, VAULT_REASON_MAX, "certificate expired %s", day);
	} else if (now < not_before) {
		cert_day(not_before, day, sizeof(day));
		(void)snprintf(why_out, VAULT_REASON_MAX, "certificate not valid before %s", day);
	} else {
		return true;
	}
	return false;
}
