/* links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/vault/cert.h"
#include "tests/unit/gateway/vault/certs.h"

#define YEAR (365L * 24 * 3600)

static const struct cert_wish good = {
	.key = "RSA:2",
	.subject = "Bob Example",
	.names = "email:bob@example.org",
	.usage = "critical,digitalSignature,keyEncipherment",
	.extended = "emailProtection,clientAuth",
	.from_s = -60,
	.until_s = YEAR,
};

static struct cert parse(const struct cert_wish *wish)
{
	unsigned char *der;
	struct cert cert;
	size_t size;
	struct fail f;

	der = cert_wish_make(wish, &size);
	assert_int_not_equal(size, 0);
	assert_int_equal(cert_parse(der, size, &cert, &f), SG_OK);
	OPENSSL_free(der);
	return cert;
}

static void assert_unusable(const struct cert_wish *wish, const char *word)
{
	char why[VAULT_REASON_MAX];
	struct cert cert = parse(wish);

	assert_non_null(cert.unusable);
	if (strstr(cert.unusable, word) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", cert.unusable, word);
	assert_false(cert_usable(cert.not_before, cert.not_after, cert.unusable, time(NULL), why));
	assert_string_equal(why, cert.unusable);
	cert_free(&cert);
}

static void assert_can_be_used(const struct cert_wish *wish, const char *key)
{
	char why[VAULT_REASON_MAX];
	struct cert cert = parse(wish);

	assert_null(cert.unusable);
	assert_string_equal(cert.key, key);
	assert_true(cert_usable(cert.not_before, cert.not_after, cert.unusable, time(NULL), why));
	cert_free(&cert);
}

static void tells_subject_addresses_and_fingerprint(void **state)
{
	struct cert_wish wish = good;
	struct cert cert;

	(void)state;
	wish.email = "old@example.org";
	wish.names = "email:bob@example.org,email:robert@example.net,DNS:example.org";
	cert = parse(&wish);
	assert_int_equal(cert.addresses.count, 3);
	assert_true(str_list_has_case(&cert.addresses, "bob@example.org"));
	assert_true(str_list_has_case(&cert.addresses, "robert@example.net"));
	assert_true(str_list_has_case(&cert.addresses, "old@example.org"));
	assert_non_null(strstr(cert.subject, "CN=Bob Example"));
	assert_int_equal(strlen(cert.fingerprint), 64);
	cert_free(&cert);
}

static void takes_rsa_and_the_three_curves(void **state)
{
	struct cert_wish wish = good;

	(void)state;
	assert_can_be_used(&wish, "RSA 2048");
	wish.key = "RSA:3";
	assert_can_be_used(&wish, "RSA 3072");
	wish.usage = "keyAgreement";
	wish.key = "EC:P-256";
	assert_can_be_used(&wish, "EC prime256v1");
	wish.key = "EC:P-384";
	assert_can_be_used(&wish, "EC secp384r1");
	wish.key = "EC:P-521";
	assert_can_be_used(&wish, "EC secp521r1");
}

static void takes_one_without_any_usage(void **state)
{
	struct cert_wish wish = good;

	(void)state;
	wish.usage = NULL;
	wish.extended = NULL;
	assert_can_be_used(&wish, "RSA 2048");
	wish.extended = "anyExtendedKeyUsage";
	assert_can_be_used(&wish, "RSA 2048");
}

static void says_why_a_key_is_unfit(void **state)
{
	struct cert_wish wish = good;

	(void)state;
	wish.key = "RSA:1";
	assert_unusable(&wish, "1024");
	wish.key = "EC:secp256k1";
	wish.usage = "keyAgreement";
	assert_unusable(&wish, "secp256k1");
	wish.key = "ED25519";
	assert_unusable(&wish, "neither RSA nor EC");
}

static void says_why_a_purpose_is_unfit(void **state)
{
	struct cert_wish wish = good;

	(void)state;
	wish.extended = "serverAuth,clientAuth";
	assert_unusable(&wish, "emailProtection");
	wish = good;
	wish.usage = "digitalSignature";
	assert_unusable(&wish, "keyEncipherment");
	wish.key = "EC:P-256";
	wish.usage = "digitalSignature,keyEncipherment";
	assert_unusable(&wish, "keyAgreement");
}

static void judges_validity_at_the_time_of_use(void **state)
{
	char why[VAULT_REASON_MAX];

	(void)state;
	assert_true(cert_usable(1000, 2000, NULL, 1000, why));
	assert_true(cert_usable(1000, 2000, NULL, 2000, why));
	assert_false(cert_usable(1000, 2000, NULL, 2001, why));
	assert_string_equal(why, "certificate expired 1970-01-01");
	assert_false(cert_usable(90000, 200000, NULL, 1, why));
	assert_string_equal(why, "certificate not valid before 1970-01-02");
}

static void refuses_what_is_no_certificate(void **state)
{
	unsigned char *der;
	struct cert cert;
	struct fail f;
	size_t size;
	size_t cut;

	(void)state;
	assert_int_equal(cert_parse("", 0, &cert, &f), SG_EFORMAT);
	assert_int_equal(cert_parse("hello", 5, &cert, &f), SG_EFORMAT);
	der = cert_wish_make(&good, &size);
	assert_int_not_equal(size, 0);
	for (cut = 0; cut < size; cut++)
		assert_int_equal(cert_parse(der, cut, &cert, &f), SG_EFORMAT);
	OPENSSL_free(der);
}

/* Whatever bytes are changed, the parser answers; its memory is for the sanitizers to judge. */
static void survives_changed_bytes(void **state)
{
	unsigned char *der;
	struct cert cert;
	struct fail f;
	size_t size;
	size_t i;

	(void)state;
	der = cert_wish_make(&good, &size);
	assert_int_not_equal(size, 0);
	for (i = 0; i < size; i++) {
		der[i] ^= 0xff;
		if (cert_parse(der, size, &cert, &f) == SG_OK)
			cert_free(&cert);
		der[i] ^= 0xff;
	}
	OPENSSL_free(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_subject_addresses_and_fingerprint),
		cmocka_unit_test(takes_rsa_and_the_three_curves),
		cmocka_unit_test(takes_one_without_any_usage),
		cmocka_unit_test(says_why_a_key_is_unfit),
		cmocka_unit_test(says_why_a_purpose_is_unfit),
		cmocka_unit_test(judges_validity_at_the_time_of_use),
		cmocka_unit_test(refuses_what_is_no_certificate),
		cmocka_unit_test(survives_changed_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
