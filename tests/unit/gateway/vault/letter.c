/*
 * Letters as they lie in the outbox, also those that earlier versions left.
 * links: sealgate-vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/vault/letter.h"
#include "gateway/vault/vault.h"

static const unsigned char word[] = "abcd";
static const unsigned char notes[] = {VAULT_AS_ENVELOPE};

/* What the first version stored, then what the second put behind it, then the rest. */
static void put(struct buf *bytes, unsigned int version, uint8_t kind)
{
	bool tells = kind == VAULT_LETTER || kind == VAULT_HOOK;
	struct packet_writer w = packet_write(bytes);

	packet_put_str(&w, "ann@acme.example");
	packet_put_u8(&w, 1);
	packet_put_u8(&w, 0);
	packet_put_str(&w, "Offer");
	packet_put_i64(&w, 5);
	packet_put_bytes(&w, word, tells ? 4 : 0);
	packet_put_u32(&w, 7);
	packet_put_u32(&w, 1);
	packet_put_str(&w, "bob@x.example");
	if (version >= 2) {
		packet_put_u8(&w, kind);
		packet_put_str(&w, "");
		packet_put_str(&w, tells ? "" : "why");
	}
	if (version >= 3) {
		packet_put_bytes(&w, notes, tells ? 0 : 1);
		packet_put_str(&w, "<1@acme.example>");
	}
	assert_int_equal(w.code, SG_OK);
}

static enum fail_code read_one(const struct buf *bytes, size_t size, struct letter *letter)
{
	struct secret secret;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	secret_init(&secret);
	assert_int_equal(secret_set(&secret, bytes->data, size), SG_OK);
	code = letter_read(&secret, letter, &f);
	letter->password = NULL;	/* borrowed */
	secret_free(&secret);
	return code;
}

static void each_version_is_read(void **state)
{
	(void)state;
	for (unsigned int version = 1; version <= 3; version++) {
		uint8_t kind = version == 1 ? VAULT_LETTER : version == 2 ? VAULT_UNHANDED :
		    VAULT_SEALED;
		struct letter letter;
		struct buf bytes;

		buf_init(&bytes, LETTER_MAX);
		put(&bytes, version, kind);
		assert_int_equal(read_one(&bytes, bytes.size, &letter), SG_OK);
		assert_int_equal(letter.kind, kind);
		assert_int_equal(letter.count, 7);
		assert_string_equal(letter.recipients.items[0], "bob@x.example");
		assert_string_equal(letter.reason, version == 1 ? "" : "why");
		assert_string_equal(letter.message_id, version == 3 ? "<1@acme.example>" : "");
		assert_int_equal(letter.notes != NULL, version == 3);
		letter_free(&letter);
		buf_free(&bytes);
	}
}

static void what_was_cut_anywhere_else_is_refused(void **state)
{
	struct buf whole;
	struct buf first;

	(void)state;
	buf_init(&whole, LETTER_MAX);
	buf_init(&first, LETTER_MAX);
	put(&first, 1, VAULT_HOOK);
	put(&whole, 3, VAULT_HOOK);
	for (size_t size = 1; size < whole.size; size++) {
		struct letter letter;
		enum fail_code code = read_one(&whole, size, &letter);

		/* the first version ends there; the second nine bytes behind it */
		assert_int_equal(code == SG_OK, size == first.size || size == first.size + 9);
		letter_free(&letter);
	}
	buf_free(&first);
	buf_free(&whole);
}

static void a_kind_without_its_password_is_refused(void **state)
{
	struct letter letter;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, LETTER_MAX);
	put(&bytes, 3, VAULT_SEALED + 1);
	assert_int_equal(read_one(&bytes, bytes.size, &letter), SG_EFORMAT);
	letter_free(&letter);
	buf_free(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_is_read),
		cmocka_unit_test(what_was_cut_anywhere_else_is_refused),
		cmocka_unit_test(a_kind_without_its_password_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
