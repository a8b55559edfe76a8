/* links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/vault/crypt.h"
#include "gateway/vault/server.h"

static enum fail_code check(const char *password)
{
	const char *address = "robert@example.org";
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = password_check((const unsigned char *)password, strlen(password), &address, 1, &f);
	/* the reason must not repeat what was tried */
	if (code != SG_OK)
		assert_null(strstr(f.what, password[0] == '\0' ? "\n" : password));
	return code;
}

static void takes_good_passwords(void **state)
{
	(void)state;
	assert_int_equal(check("k7mp-2Hxa-9TfE-wq3N"), SG_OK);
	assert_int_equal(check("correct horse battery"), SG_OK);
	assert_int_equal(check("83401957264019385716"), SG_OK);
	assert_int_equal(check("a!b\"c~d e#f$"), SG_OK);
	assert_int_equal(check("x@y z.w 1 2"), SG_OK);
}

static void refuses_weak_ones(void **state)
{
	(void)state;
	assert_int_equal(check(""), SG_EFORMAT);
	assert_int_equal(check("short1!aB"), SG_EFORMAT);
	assert_int_equal(check("aaaaaaaaaaaa"), SG_EFORMAT);
	assert_int_equal(check("abababababab"), SG_EFORMAT);
	assert_int_equal(check("1029384756"), SG_EFORMAT);
	assert_int_equal(check("1234509876123450987"), SG_EFORMAT);
	assert_int_equal(check("abcdefghijkl"), SG_EFORMAT);
	assert_int_equal(check("lkjihgfedcba"), SG_EFORMAT);
}

/* What zxcvbn finds at once: words, keyboards, dates, what is known of the recipient. */
static void refuses_what_is_tried_first(void **state)
{
	(void)state;
	assert_int_equal(check("Password123!"), SG_EFORMAT);
	assert_int_equal(check("qwertyuiop"), SG_EFORMAT);
	assert_int_equal(check("Sommer2026"), SG_EFORMAT);
	assert_int_equal(check("example2026"), SG_EFORMAT);
	assert_int_equal(check("iloveyou1987"), SG_EFORMAT);
}

static void refuses_addresses(void **state)
{
	(void)state;
	assert_int_equal(check("robert@example.org"), SG_EFORMAT);
	assert_int_equal(check("someone@else.example"), SG_EFORMAT);
	assert_int_equal(check("Robert-2026!"), SG_EFORMAT);
}

static void refuses_what_readers_disagree_about(void **state)
{
	(void)state;
	assert_int_equal(check("passw\xc3\xb6rt-lang"), SG_EFORMAT);
	assert_int_equal(check("tab\tinside-it"), SG_EFORMAT);
	assert_int_equal(check(" leading-space"), SG_EFORMAT);
	assert_int_equal(check("trailing-space "), SG_EFORMAT);
	assert_int_equal(check("k7mp-2Hxa-9TfE-wq3N-k7mp-2Hxa-9Tf"), SG_EFORMAT);
}

static void opens_only_where_it_was_sealed_for(void **state)
{
	static const unsigned char id[CRYPT_ID_SIZE] = {1};
	static const unsigned char other_id[CRYPT_ID_SIZE] = {2};
	const struct crypt_place place = {"acme", "password", id, "sealed"};
	struct crypt_place other;
	struct secret master;
	struct secret wrong;
	struct secret back;
	struct buf sealed;
	struct fail f;
	size_t i;

	(void)state;
	secret_init(&master);
	secret_init(&wrong);
	secret_init(&back);
	buf_init(&sealed, 1024);
	assert_int_equal(secret_random(&master, CRYPT_KEY_SIZE), SG_OK);
	assert_int_equal(secret_random(&wrong, CRYPT_KEY_SIZE), SG_OK);
	assert_int_equal(crypt_seal(&master, &place, "hello secret", 12, &sealed, &f), SG_OK);
	assert_int_equal(sealed.size, 12 + CRYPT_OVERHEAD);
	assert_int_equal(crypt_open(&master, &place, sealed.data, sealed.size, &back, &f), SG_OK);
	assert_true(secret_equal(&back, "hello secret", 12));
	assert_int_equal(crypt_open(&wrong, &place, sealed.data, sealed.size, &back, &f),
	    SG_ECRYPTO);
	assert_null(back.data);
	other = place;
	other.tenant = "other";
	assert_int_equal(crypt_open(&master, &other, sealed.data, sealed.size, &back, &f),
	    SG_ECRYPTO);
	other = place;
	other.table = "vault_key";
	assert_int_equal(crypt_open(&master, &other, sealed.data, sealed.size, &back, &f),
	    SG_ECRYPTO);
	other = place;
	other.id = other_id;
	assert_int_equal(crypt_open(&master, &other, sealed.data, sealed.size, &back, &f),
	    SG_ECRYPTO);
	for (i = 0; i < sealed.size; i++) {
		sealed.data[i] ^= 1;
		assert_int_equal(crypt_open(&master, &place, sealed.data, sealed.size, &back, &f),
		    SG_ECRYPTO);
		assert_int_equal(crypt_open(&master, &place, sealed.data, i, &back, &f),
		    SG_ECRYPTO);
		sealed.data[i] ^= 1;
	}
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	buf_free(&sealed);
	secret_free(&master);
	secret_free(&wrong);
	secret_free(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_good_passwords),
		cmocka_unit_test(refuses_weak_ones),
		cmocka_unit_test(refuses_what_is_tried_first),
		cmocka_unit_test(refuses_addresses),
		cmocka_unit_test(refuses_what_readers_disagree_about),
		cmocka_unit_test(opens_only_where_it_was_sealed_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
