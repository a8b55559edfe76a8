/* MX and TLSA records in wire form: hostile bytes, and which records can be used.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/tls/dane.h"

static bool usable(unsigned char usage, unsigned char selector, unsigned char matching, size_t size,
    unsigned char first)
{
	unsigned char data[3 + 300] = { usage, selector, matching, first };
	struct source_record record = { data, 3 + size };

	return dane_usable(&record);
}

/* RFC 7672, 3.1 */
static void dane_ta_and_dane_ee_are_usable(void **state)
{
	(void)state;
	for (unsigned char usage = 2; usage <= 3; usage++)
		for (unsigned char selector = 0; selector <= 1; selector++) {
			assert_true(usable(usage, selector, 1, 32, 0));
			assert_true(usable(usage, selector, 2, 64, 0));
			assert_true(usable(usage, selector, 0, 300, 0x30));
		}
}

/* RFC 7672, 3.1.3 */
static void pkix_usages_and_unknown_parameters_are_not(void **state)
{
	(void)state;
	assert_false(usable(0, 1, 1, 32, 0));
	assert_false(usable(1, 1, 1, 32, 0));
	assert_false(usable(4, 1, 1, 32, 0));
	assert_false(usable(255, 1, 1, 32, 0));
	assert_false(usable(3, 2, 1, 32, 0));
	assert_false(usable(3, 1, 3, 32, 0));
}

static void digests_of_a_wrong_size_are_not(void **state)
{
	(void)state;
	assert_false(usable(3, 1, 1, 31, 0));
	assert_false(usable(3, 1, 1, 33, 0));
	assert_false(usable(3, 1, 1, 64, 0));
	assert_false(usable(3, 1, 2, 32, 0));
	assert_false(usable(3, 1, 0, 0, 0));
	assert_false(usable(3, 1, 0, 300, 0x31));
	for (size_t size = 0; size < 4; size++) {
		struct source_record record = { (const unsigned char *)"\3\1\1\1", size };

		assert_false(dane_usable(&record));
	}
}

static void names_are_read_within_their_bounds(void **state)
{
	static const unsigned char good[] = "\2MX\7partner\7example";
	char name[DANE_NAME_MAX];
	size_t used;

	(void)state;
	assert_true(dane_name(good, sizeof good, name, &used));
	assert_string_equal(name, "mx.partner.example");
	assert_int_equal(used, sizeof good);
	for (size_t size = 0; size < sizeof good; size++)
		assert_false(dane_name(good, size, name, NULL));
	assert_true(dane_name((const unsigned char *)"", 1, name, NULL));
	assert_string_equal(name, "");
	assert_false(dane_name((const unsigned char *)"\300\14", 3, name, NULL));
	assert_false(dane_name((const unsigned char *)"\3a.b", 5, name, NULL));
	assert_false(dane_name((const unsigned char *)"\3a\nb", 5, name, NULL));
	assert_false(dane_name((const unsigned char *)"\3a b", 5, name, NULL));
}

static void a_name_that_is_too_long_is_refused(void **state)
{
	unsigned char data[400];
	char name[DANE_NAME_MAX];

	(void)state;
	memset(data, 'a', sizeof data);
	for (size_t i = 0; i < 384; i += 64)
		data[i] = 63;
	data[384] = 0;
	assert_false(dane_name(data, sizeof data, name, NULL));
}

static void exchanges_come_best_first_and_are_bounded(void **state)
{
	unsigned char rdata[100][6];
	struct source_record records[100];
	struct source_dns answer = { .records = records, .count = 100 };
	struct dane_mx mxs[DANE_MX_MAX];
	bool null_mx;

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		memcpy(rdata[i], "\0\0\2ab", 6);
		rdata[i][1] = (unsigned char)(200 - i);
		rdata[i][4] = (unsigned char)('a' + i % 26);
		records[i] = (struct source_record){ rdata[i], 6 };
	}
	records[0].size = 2;	/* malformed ones are left out */
	assert_int_equal(dane_mxs(&answer, mxs, &null_mx), DANE_MX_MAX);
	assert_false(null_mx);
	assert_int_equal(mxs[0].preference, 101);
	assert_int_equal(mxs[DANE_MX_MAX - 1].preference, 101 + DANE_MX_MAX - 1);
}

static void a_null_mx_stands_alone(void **state)
{
	struct source_record records[] = { { (const unsigned char *)"\0\0\0", 3 },
		{ (const unsigned char *)"\0\12\1a", 5 } };
	struct source_dns answer = { .records = records, .count = 1 };
	struct dane_mx mxs[DANE_MX_MAX];
	bool null_mx;

	(void)state;
	assert_int_equal(dane_mxs(&answer, mxs, &null_mx), 0);
	assert_true(null_mx);
	answer.count = 2;
	assert_int_equal(dane_mxs(&answer, mxs, &null_mx), 1);
	assert_false(null_mx);
	assert_string_equal(mxs[0].name, "a");
}

static void records_are_shown_as_in_a_zone(void **state)
{
	struct source_record record = { (const unsigned char *)"\3\1\1\xab\xcd", 5 };
	struct buf text;

	(void)state;
	buf_init(&text, 1000);
	assert_int_equal(dane_text(&record, &text), SG_OK);
	assert_string_equal(buf_str(&text), "3 1 1 abcd");
	buf_reset(&text);
	record.size = 2;
	assert_int_equal(dane_text(&record, &text), SG_OK);
	assert_string_equal(buf_str(&text), "0301");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dane_ta_and_dane_ee_are_usable),
		cmocka_unit_test(pkix_usages_and_unknown_parameters_are_not),
		cmocka_unit_test(digests_of_a_wrong_size_are_not),
		cmocka_unit_test(names_are_read_within_their_bounds),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(exchanges_come_best_first_and_are_bounded),
		cmocka_unit_test(a_null_mx_stands_alone),
		cmocka_unit_test(records_are_shown_as_in_a_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
