/*
 * TLS reports against RFC 8460: the structure of its example (appendix B), the mail, the places.
 *
 * links: sealgate-tls
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <zlib.h>

#include "gateway/tls/report.h"

static char domain[] = "company-y.example";
static char mx1[] = "mx1.mail.company-y.example";
static char mx2[] = "mx2.mail.company-y.example";
static char no_name[] = "";
static char good[] = "";
static char expired[] = "certificate-expired";
static char no_starttls[] = "starttls-not-supported";
static char address[] = "203.0.113.56";
static char strings[] = "version: STSv1\nmode: testing\nmx: *.mail.company-y.example\n"
	"max_age: 86400";
static char patterns[] = "*.mail.company-y.example";

static const struct vault_session sessions[] = {
	{domain, mx1, no_name, good, 5000},
	{domain, mx2, no_name, good, 326},
	{domain, mx1, no_name, expired, 100},
	{domain, mx2, address, no_starttls, 203},
};

static struct report example(const struct policy_published *published)
{
	return (struct report){
		.organization = "Company-X",
		.contact = "sts-reporting@company-x.example",
		.id = "16892.5065427c@company-x.example",
		.domain = domain,
		.day = 16892,	/* 2016-04-01 */
		.published = published,
		.sessions = sessions,
		.session_count = sizeof(sessions) / sizeof(sessions[0]),
	};
}

static json_t *make(const struct report *report)
{
	struct buf text;
	json_t *root;

	buf_init(&text, REPORT_TEXT_MAX);
	assert_int_equal(report_json(report, &text), SG_OK);
	assert_null(strchr(buf_str(&text), '\n'));
	root = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	buf_free(&text);
	return root;
}

static void a_report_is_what_the_rfc_shows(void **state)
{
	const struct policy_published published = {POLICY_BY_STS, strings, patterns};
	struct report report = example(&published);
	json_t *root = make(&report);
	json_t *want = json_loads("{\"organization-name\": \"Company-X\","
	    "\"date-range\": {\"start-datetime\": \"2016-04-01T00:00:00Z\","
	    "\"end-datetime\": \"2016-04-01T23:59:59Z\"},"
	    "\"contact-info\": \"sts-reporting@company-x.example\","
	    "\"report-id\": \"16892.5065427c@company-x.example\","
	    "\"policies\": [{\"policy\": {\"policy-type\": \"sts\","
	    "\"policy-string\": [\"version: STSv1\", \"mode: testing\","
	    "\"mx: *.mail.company-y.example\", \"max_age: 86400\"],"
	    "\"policy-domain\": \"company-y.example\","
	    "\"mx-host\": [\"*.mail.company-y.example\"]},"
	    "\"summary\": {\"total-successful-session-count\": 5326,"
	    "\"total-failure-session-count\": 303},"
	    "\"failure-details\": [{\"result-type\": \"certificate-expired\","
	    "\"receiving-mx-hostname\": \"mx1.mail.company-y.example\","
	    "\"failed-session-count\": 100}, {\"result-type\": \"starttls-not-supported\","
	    "\"receiving-mx-hostname\": \"mx2.mail.company-y.example\","
	    "\"receiving-ip\": \"203.0.113.56\", \"failed-session-count\": 203}]}]}", 0, NULL);

	(void)state;
	assert_non_null(want);
	assert_true(json_equal(root, want));
	json_decref(root);
	json_decref(want);
}

static void a_domain_without_policy_is_told_as_one(void **state)
{
	struct report report = example(NULL);
	json_t *root = make(&report);
	json_t *policy = json_object_get(json_array_get(json_object_get(root, "policies"), 0),
	    "policy");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(policy, "policy-type")),
	    "no-policy-found");
	assert_null(json_object_get(policy, "policy-string"));
	assert_null(json_object_get(policy, "mx-host"));
	json_decref(root);
}

static void good_sessions_alone_have_no_details(void **state)
{
	struct report report = example(NULL);
	json_t *root;
	json_t *entry;

	(void)state;
	report.session_count = 2;
	root = make(&report);
	entry = json_array_get(json_object_get(root, "policies"), 0);
	assert_null(json_object_get(entry, "failure-details"));
	assert_int_equal(json_integer_value(json_object_get(json_object_get(entry, "summary"),
	    "total-failure-session-count")), 0);
	json_decref(root);
}

static void gzip_comes_back(void **state)
{
	static const char text[] = "{\"organization-name\":\"Company-X\"}";
	unsigned char back[256];
	struct buf zipped;
	z_stream z;

	(void)state;
	memset(&z, 0, sizeof(z));
	buf_init(&zipped, REPORT_TEXT_MAX);
	assert_int_equal(report_gzip(text, sizeof(text), &zipped), SG_OK);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = zipped.data;
	z.avail_in = (uInt)zipped.size;
	z.next_out = back;
	z.avail_out = sizeof(back);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, sizeof(text));
	assert_memory_equal(back, text, sizeof(text));
	assert_int_equal(inflateEnd(&z), Z_OK);
	buf_free(&zipped);
}

static void the_mail_is_a_tlsrpt_report(void **state)
{
	static const char *const parts[] = {
		"From: <sts-reporting@company-x.example>\r\n",
		"To: <tls@company-y.example>\r\n",
		"Date: Sat, 02 Apr 2016 00:00:00 +0000\r\n",
		"Subject: Report Domain: company-y.example\r\n Submitter: company-x.example\r\n"
		" Report-ID: <16892.5065427c@company-x.example>\r\n",
		"Message-ID: <sealgate-tlsrpt.16892.5065427c@company-x.example>\r\n",
		"TLS-Report-Domain: company-y.example\r\n",
		"TLS-Report-Submitter: company-x.example\r\n",
		"TLS-Required: No\r\n",
		"Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n",
		"Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n",
		" filename=\"company-x.example!company-y.example!1459468800!1459555199!001."
		"json.gz\"",
		"\r\n\r\nYWJj\r\n",
	};
	struct report report = example(NULL);
	struct buf zipped;
	struct buf mail;
	const char *line;
	size_t i;

	(void)state;
	buf_init(&zipped, 100);
	buf_init(&mail, REPORT_TEXT_MAX);
	assert_int_equal(buf_append_str(&zipped, "abc"), SG_OK);
	assert_int_equal(report_mail(&report, "tls@company-y.example", 1459555200, &zipped, &mail),
	    SG_OK);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(buf_str(&mail), parts[i]) == NULL)
			fail_msg("no %s in %s", parts[i], buf_str(&mail));
	for (line = buf_str(&mail); (line = strchr(line, '\n')) != NULL; line++)
		assert_int_equal(line[-1], '\r');
	buf_free(&mail);
	buf_free(&zipped);
}

static void places_are_mail_and_https(void **state)
{
	struct str_list places = {NULL, 0};

	(void)state;
	assert_true(report_places("v=TLSRPTv1; rua=mailto:tls@a.example,https://r.example/v1;",
	    &places));
	assert_int_equal(places.count, 2);
	assert_string_equal(places.items[0], "mailto:tls@a.example");
	assert_string_equal(places.items[1], "https://r.example/v1");
	str_list_free(&places);
	assert_true(report_places("v=TLSRPTv1;rua=http://a.example/,mailto:x,ftp://b,mailto:a@b.c",
	    &places));
	assert_int_equal(places.count, 1);
	str_list_free(&places);
	assert_false(report_places("v=TLSRPTv2; rua=mailto:tls@a.example", &places));
	assert_false(report_places("v=spf1 -all", &places));
	assert_false(report_places("", &places));
	assert_int_equal(places.count, 0);
}

static void an_address_cannot_carry_more_than_an_address(void **state)
{
	static const char *const bad[] = {"mailto:a@b%0d%0aBcc:c@d", "mailto:a", "mailto:@b",
		"mailto:a@", "mailto:a@b@c", "mailto:a%20b@c", "mailto:<a@b>", "mailto:a%zz@b",
		"https://a@b", "mailto:a@b%"};
	char found[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (report_address(bad[i], found, sizeof(found)))
			fail_msg("%s is taken", bad[i]);
	assert_true(report_address("mailto:tls%2Breports@a.example?cc=x@y", found,
	    sizeof(found)));
	assert_string_equal(found, "tls+reports@a.example");
}

static void days_are_whole_dates(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-2-3", "2026-02-30", "2026-11-23x",
		"1969-12-31", "yesterday", "2026-11-23 "};
	uint32_t day;
	size_t i;

	(void)state;
	assert_int_equal(report_day("2016-04-01", &day), SG_OK);
	assert_int_equal(day, 16892);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (report_day(bad[i], &day) == SG_OK)
			fail_msg("%s is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_is_what_the_rfc_shows),
		cmocka_unit_test(a_domain_without_policy_is_told_as_one),
		cmocka_unit_test(good_sessions_alone_have_no_details),
		cmocka_unit_test(gzip_comes_back),
		cmocka_unit_test(the_mail_is_a_tlsrpt_report),
		cmocka_unit_test(places_are_mail_and_https),
		cmocka_unit_test(an_address_cannot_carry_more_than_an_address),
		cmocka_unit_test(days_are_whole_dates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
