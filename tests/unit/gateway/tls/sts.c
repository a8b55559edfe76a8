/* MTA-STS: the record and the file, by the letter of RFC 8461.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/str.h"
#include "gateway/tls/sts.h"

#define RECORDS_MAX 4

/* Each text is one string of one record. */
static enum fail_code txt(const char *const *texts, size_t count, char id[STS_ID_MAX])
{
	static unsigned char data[RECORDS_MAX][256];
	struct source_record records[RECORDS_MAX];
	struct source_dns answer = { .records = records, .count = count };

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(texts[i]);

		data[i][0] = (unsigned char)size;
		memcpy(data[i] + 1, texts[i], size);
		records[i] = (struct source_record){ data[i], size + 1 };
	}
	return sts_txt(&answer, id, NULL);
}

static enum fail_code txt_one(const char *text, char id[STS_ID_MAX])
{
	return txt(&text, 1, id);
}

static void records_of_right_syntax_are_read(void **state)
{
	static const char *const good[] = { "v=STSv1; id=20160831085700Z;",
		"v=STSv1;id=20160831085700Z",
		"v=STSv1 ; id=20160831085700Z", "v=STSv1;\tid=20160831085700Z ; x_y.z-1=a:b/c",
		"v=STSv1; ext=1; id=20160831085700Z;", "v=STSv1; id=20160831085700Z; id=2" };
	char id[STS_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_int_equal(txt_one(good[i], id), SG_OK);
		assert_string_equal(id, "20160831085700Z");
	}
}

/* 3.1 */
static void records_of_wrong_syntax_are_no_policy(void **state)
{
	static const char *const bad[] = { "v=STSv1;", "v=STSv1; id=", "v=STSv1; id=a-b",
		"v=STSv1; id=123456789012345678901234567890123", "v=STSv1; id=1; =x",
		"v=STSv1; id=1; x",
		"v=STSv1; id=1; x=a=b", "v=STSv1; id=1;; x=1", "v=STSv1; ID=1",
		"v=STSv1; id=1; x=a b" };
	char id[STS_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		assert_int_equal(txt_one(bad[i], id), SG_EFORMAT);
		assert_string_equal(id, "");
	}
}

/* 3.1 */
static void other_records_are_discarded(void **state)
{
	static const char *const other[] = { "v=STSv2; id=1", "v=spf1 -all", "V=STSv1; id=1",
		" v=STSv1; id=1", "v=STSv1", "v=STSv1x; id=1", "" };
	static const char *const one_good[] = { "v=spf1 -all", "v=STSv1; id=7" };
	char id[STS_ID_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof other / sizeof other[0]; i++)
		assert_int_equal(txt_one(other[i], id), SG_ENOTFOUND);
	assert_int_equal(txt(one_good, 2, id), SG_OK);
	assert_string_equal(id, "7");
}

/* 3.1 */
static void more_than_one_record_is_none(void **state)
{
	static const char *const two[] = { "v=STSv1; id=1", "v=STSv1; id=1" };
	char id[STS_ID_MAX];

	(void)state;
	assert_int_equal(txt(two, 2, id), SG_EFORMAT);
}

static void strings_of_a_record_are_joined(void **state)
{
	struct source_record record = { (const unsigned char *)"\6v=STSv\5\x31; id\3=42", 17 };
	struct source_dns answer = { .records = &record, .count = 1 };
	char id[STS_ID_MAX];

	(void)state;
	assert_int_equal(sts_txt(&answer, id, NULL), SG_OK);
	assert_string_equal(id, "42");
	record.size = 15;	/* cut within a string */
	assert_int_equal(sts_txt(&answer, id, NULL), SG_ENOTFOUND);
}

/* 3.2 */
static void only_text_plain_is_taken(void **state)
{
	(void)state;
	assert_true(sts_is_plain("text/plain"));
	assert_true(sts_is_plain("Text/Plain; charset=utf-8"));
	assert_true(sts_is_plain("text/plain ;charset=utf-8"));
	assert_false(sts_is_plain("text/plainx"));
	assert_false(sts_is_plain("text/html"));
	assert_false(sts_is_plain(""));
	assert_false(sts_is_plain(NULL));
}

static enum fail_code parse(const char *body, struct sts_policy *policy)
{
	return sts_parse(body, strlen(body), policy, NULL);
}

static void a_file_is_read(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_int_equal(parse("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n"
	    "mx: *.Example.NET \r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n", &policy),
	    SG_OK);
	assert_int_equal(policy.mode, STS_MODE_ENFORCE);
	assert_int_equal(policy.max_age_s, 604800);
	assert_string_equal(policy.mxs, "mail.example.com\n*.example.net\nbackupmx.example.com");
	assert_string_equal(policy.lines, "version: STSv1\nmode: enforce\nmx: mail.example.com\n"
	    "mx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800");
	sts_policy_free(&policy);
}

/* 3.2: fields but mx count once, the first; unknown ones are ignored; any order. */
static void fields_come_in_any_order_and_the_first_counts(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_int_equal(parse("max_age:86400\nfuture: what ever: this is\nmx:a.example\n"
	    "mode:testing\nmode: enforce\nmax_age: 1\n\nversion:STSv1", &policy), SG_OK);
	assert_int_equal(policy.mode, STS_MODE_TESTING);
	assert_int_equal(policy.max_age_s, 86400);
	sts_policy_free(&policy);
}

static void a_file_of_wrong_syntax_is_no_policy(void **state)
{
	static const char *const bad[] = {
		"", "<html>", "version: STSv1",
		"mode: enforce\nmx: a.example\nmax_age: 1",
		"version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1",
		"version: STSv1\nmx: a.example\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a.example",
		"version: STSv1\nmode: enforce\nmax_age: 1",
		"version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1x",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 12345678901",
		"version: STSv1\nmode: enforce\nmx: a.*.example\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: *\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: *.\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: .example\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: [192.0.2.1]\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a.example servername=evil\nmax_age: 1",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n garbage",
		"version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\n: x",
	};
	struct sts_policy policy;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(parse(bad[i], &policy), SG_EFORMAT);
	assert_int_equal(sts_parse("version: STSv1\0", 15, &policy, NULL), SG_EFORMAT);
}

static void a_file_in_mode_none_needs_no_mx(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_int_equal(parse("version: STSv1\nmode: none\nmax_age: 86400", &policy), SG_OK);
	assert_int_equal(policy.mode, STS_MODE_NONE);
	sts_policy_free(&policy);
}

/* 3.2 */
static void max_age_is_at_most_a_year(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_int_equal(parse("version: STSv1\nmode: none\nmax_age: 9999999999", &policy), SG_OK);
	assert_int_equal(policy.max_age_s, STS_AGE_MAX_S);
	sts_policy_free(&policy);
}

static void a_file_is_bounded(void **state)
{
	char *body = calloc(1, STS_BODY_MAX + 2);
	struct sts_policy policy;
	size_t at;

	(void)state;
	assert_non_null(body);
	memset(body, '\n', STS_BODY_MAX + 1);
	assert_int_equal(sts_parse(body, STS_BODY_MAX + 1, &policy, NULL), SG_EFORMAT);
	at = (size_t)snprintf(body, STS_BODY_MAX, "version: STSv1\nmode: enforce\nmax_age: 1\n");
	for (size_t i = 0; i <= STS_MX_MAX; i++)
		at += (size_t)snprintf(body + at, STS_BODY_MAX - at, "mx: a%zu.example\n", i);
	assert_int_equal(sts_parse(body, at, &policy, NULL), SG_EFORMAT);
	free(body);
}

/* 4.1 */
static void a_wildcard_fits_one_label(void **state)
{
	struct sts_policy policy;

	(void)state;
	assert_int_equal(parse("version: STSv1\nmode: enforce\nmx: *.example.com\n"
	    "mx: mx.example.net\n"
	    "max_age: 1", &policy), SG_OK);
	assert_true(sts_match(&policy, "mail.example.com"));
	assert_false(sts_match(&policy, "example.com"));
	assert_false(sts_match(&policy, "foo.bar.example.com"));
	assert_false(sts_match(&policy, ".example.com"));
	assert_true(sts_match(&policy, "mx.example.net"));
	assert_false(sts_match(&policy, "a.mx.example.net"));
	assert_false(sts_match(&policy, "xmx.example.net"));
	sts_policy_free(&policy);
}

static void postfix_gets_patterns_in_its_spelling(void **state)
{
	struct sts_policy policy;
	char text[100];

	(void)state;
	assert_int_equal(parse("version: STSv1\nmode: enforce\nmx: *.example.com\n"
	    "mx: mx.example.net\n"
	    "mx: quite.a.long.name.for.a.host.in.such.a.short.text.example\nmax_age: 1", &policy),
	    SG_OK);
	sts_text(&policy, text, sizeof text);
	assert_string_equal(text, "secure match=.example.com:mx.example.net servername=hostname");
	sts_policy_free(&policy);
}

static void reports_are_whole_or_left_out(void **state)
{
	struct sts_policy policy;
	char text[300];

	(void)state;
	assert_int_equal(parse("version: STSv1\nmode: enforce\nmx: *.example.com\nmax_age: 86400\n"
	    "odd: {x}", &policy), SG_OK);
	sts_report(&policy, "example.com", text, sizeof text);
	assert_string_equal(text, "policy_type=sts policy_domain=example.com policy_ttl=86400 "
	    "mx_host_pattern=*.example.com { policy_string = version: STSv1 } "
	    "{ policy_string = mode: enforce } { policy_string = mx: *.example.com } "
	    "{ policy_string = max_age: 86400 }");
	sts_report(&policy, "example.com", text, 100);
	assert_string_equal(text, "");
	sts_policy_free(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_of_right_syntax_are_read),
		cmocka_unit_test(records_of_wrong_syntax_are_no_policy),
		cmocka_unit_test(other_records_are_discarded),
		cmocka_unit_test(more_than_one_record_is_none),
		cmocka_unit_test(strings_of_a_record_are_joined),
		cmocka_unit_test(only_text_plain_is_taken),
		cmocka_unit_test(a_file_is_read),
		cmocka_unit_test(fields_come_in_any_order_and_the_first_counts),
		cmocka_unit_test(a_file_of_wrong_syntax_is_no_policy),
		cmocka_unit_test(a_file_in_mode_none_needs_no_mx),
		cmocka_unit_test(max_age_is_at_most_a_year),
		cmocka_unit_test(a_file_is_bounded),
		cmocka_unit_test(a_wildcard_fits_one_label),
		cmocka_unit_test(postfix_gets_patterns_in_its_spelling),
		cmocka_unit_test(reports_are_whole_or_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
