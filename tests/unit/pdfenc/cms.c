/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/cms.h"

#define OID(last) 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last

static const uint8_t definite[] = { 0x30, 40, OID(2), 0xa0, 27, 0x30, 25, 0x02, 1, 1, 0x31, 0, 0x30,
	18, OID(1), 0xa0, 5, 0x04, 3, 'a', 'b', 'c' };
static const uint8_t indefinite[] = { 0x30, 0x80, OID(2), 0xa0, 0x80, 0x30, 0x80, 0x02, 1, 1, 0x31,
	0, 0x30, 0x80, OID(1), 0xa0, 0x80, 0x24, 0x80, 0x04, 2, 'a', 'b', 0x04, 1, 'c', 0, 0, 0, 0,
	0, 0, 0, 0, 0, 0 };

static void check(const uint8_t *data, size_t size)
{
	GByteArray *content = cms_signed_content(data, size);

	assert_non_null(content);
	assert_int_equal(content->len, 3);
	assert_memory_equal(content->data, "abc", 3);
	g_byte_array_unref(content);
}

static void content_is_found_in_one_piece_and_in_many(void **state)
{
	(void)state;
	check(definite, sizeof(definite));
	check(indefinite, sizeof(indefinite));
}

static void what_is_not_signed_has_no_content(void **state)
{
	uint8_t enveloped[sizeof(definite)];

	(void)state;
	memcpy(enveloped, definite, sizeof(definite));
	enveloped[12] = 3;
	assert_null(cms_signed_content(enveloped, sizeof(enveloped)));
	assert_null(cms_signed_content("", 0));
}

/* Every end and every byte wrong: content or none, never more than is there. */
static void damage_is_survived(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(indefinite); i++)
		for (unsigned int wrong = 1; wrong < 256; wrong++) {
			uint8_t data[sizeof(indefinite)];
			GByteArray *content;

			memcpy(data, indefinite, sizeof(data));
			data[i] = (uint8_t)(data[i] ^ wrong);
			content = cms_signed_content(data, wrong == 1 ? i : sizeof(data));
			if (content == NULL)
				continue;
			assert_true(content->len <= sizeof(data));
			g_byte_array_unref(content);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(content_is_found_in_one_piece_and_in_many),
		cmocka_unit_test(what_is_not_signed_has_no_content),
		cmocka_unit_test(damage_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
