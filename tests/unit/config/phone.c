/* Numbers as senders write them. links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/phone.h"

static void all_spellings_of_a_number_are_one(void **state)
{
	static const char *const spellings[] = { "+4915112345678", "+49 151 12345678",
		"+49 (151) 123-456-78", "+49.151.12345678", " +49\t151 12345678 ",
		"(+49) 151 12345678",
		"\xe2\x80\xaa+49\xc2\xa0" "151\xe2\x80\x91" "12345678\xe2\x80\xac",
		"+49\xa0" "15112345678" };
	char phone[PHONE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		assert_int_equal(phone_parse(spellings[i], phone, NULL), SG_OK);
		assert_string_equal(phone, "+4915112345678");
	}
	assert_int_equal(phone_parse("+123456789012345", phone, NULL), SG_OK);
	assert_int_equal(phone_parse("+12345678", phone, NULL), SG_OK);
}

static void others_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} wrong[] = {
		{ "", "none behind" }, { " - ", "none behind" },
		{ "0151 12345678", "does not begin with +" },
		{ "004915112345678", "does not begin with +" },
		{ "+49 (0)151 12345678", "(0)" },
		{ "+0151 12345678", "begins with 0" },
		{ "+49 151 12345678 ext 9", "other signs" },
		{ "+49 151 12345678, +49 151 12345679", "other signs" },
		{ "++4915112345678", "other signs" },
		{ "+4915112345678\xd9\xa3", "other signs" },
		{ "+1234567", "7 digits" }, { "+1234567890123456", "16 digits" },
		{ "+", "0 digits" },
	};
	char phone[PHONE_MAX];
	struct fail f;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		fail_clear(&f);
		assert_int_equal(phone_parse(wrong[i].text, phone, &f), SG_EFORMAT);
		assert_string_equal(phone, "");
		if (strstr(f.what, wrong[i].reason) == NULL)
			fail_msg("\"%s\" for %s", f.what, wrong[i].text);
		assert_null(strstr(f.what, "12345678"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_spellings_of_a_number_are_one),
		cmocka_unit_test(others_are_refused_with_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
