/*
 * Netstrings and requests of Postfix, whole and in pieces.
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

#include "gateway/tls/socketmap.h"

static enum socketmap_step take(const char *text, size_t *used, struct socketmap_request *request)
{
	struct socketmap reader = {0};

	return socketmap_take(&reader, text, strlen(text), used, request);
}

static void a_request_is_a_name_and_a_key(void **state)
{
	struct socketmap_request request;
	size_t used;

	(void)state;
	assert_int_equal(take("19:all partner.example,rest", &used, &request),
	    SOCKETMAP_REQUEST);
	assert_int_equal(used, 23);
	assert_int_equal(request.name_size, 3);
	assert_memory_equal(request.name, "all", 3);
	assert_int_equal(request.key_size, 15);
	assert_memory_equal(request.key, "partner.example", 15);
}

static void half_a_request_waits_for_the_rest(void **state)
{
	static const char whole[] = "19:all partner.example,";
	struct socketmap reader = {0};
	struct socketmap_request request;
	size_t used;
	size_t size;

	(void)state;
	for (size = 0; size < sizeof(whole) - 1; size++) {
		assert_int_equal(socketmap_take(&reader, whole, size, &used, &request),
		    SOCKETMAP_MORE);
		assert_int_equal(used, 0);
	}
}

static void what_is_no_netstring_ends_the_connection(void **state)
{
	static const char *const broken[] = {"x", ":", ",", "-1:", "01:a,", "4:abcd;", "100001:",
		"1000000", "GET / HTTP/1.1", "99999999999999999999999:", " 3:abc,"};
	struct socketmap_request request;
	size_t used;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		if (take(broken[i], &used, &request) != SOCKETMAP_BROKEN)
			fail_msg("%s is taken", broken[i]);
}

static void a_request_without_name_or_key_is_refused(void **state)
{
	static const char *const refused[] = {"0:,", "3:all,", "4:all ,", "4: key,"};
	struct socketmap_request request;
	size_t used;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(take(refused[i], &used, &request), SOCKETMAP_REFUSED);
		assert_int_equal(used, strlen(refused[i]));
	}
}

static void a_key_with_a_nul_is_refused(void **state)
{
	struct socketmap reader = {0};
	struct socketmap_request request;
	size_t used;

	(void)state;
	assert_int_equal(socketmap_take(&reader, "7:all a\0b,", 10, &used, &request),
	    SOCKETMAP_REFUSED);
}

static void a_long_request_is_refused_when_it_is_over(void **state)
{
	struct socketmap reader = {0};
	struct socketmap_request request;
	static char text[60000];
	size_t at = 0;
	size_t used;
	size_t steps = 0;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "50000:", 6);
	memcpy(text + 50006, ",5:all b,", 9);
	while (socketmap_take(&reader, text + at, 1000, &used, &request) == SOCKETMAP_MORE) {
		at += used;
		steps++;
		assert_true(used > 0);
	}
	assert_true(steps >= 49);
	at += used;
	assert_int_equal(at, 50007);
	assert_int_equal(socketmap_take(&reader, text + at, 1000, &used, &request),
	    SOCKETMAP_REQUEST);
}

static void names_are_ours_or_those_of_others_users(void **state)
{
	static const struct {
		const char *name;
		int map;
		bool tlsrpt;
	} names[] = {{"all", POLICY_ALL, false}, {"sealed", POLICY_SEALED, false},
		{"proven", POLICY_PROVEN, false}, {"QUERY", POLICY_ALL, false},
		{"QUERYwithTLSRPT", POLICY_ALL, true}, {"sealedwithTLSRPT", POLICY_SEALED, true},
		{"other", -1, false}, {"withTLSRPT", -1, false}, {"ALL", -1, false},
		{"allx", -1, false}};
	enum policy_map map;
	bool tlsrpt;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool known = socketmap_map(names[i].name, strlen(names[i].name), &map, &tlsrpt);

		assert_int_equal(known, names[i].map >= 0);
		if (!known)
			continue;
		assert_int_equal(map, names[i].map);
		assert_int_equal(tlsrpt, names[i].tlsrpt);
	}
}

static void answers_are_netstrings(void **state)
{
	struct policy_answer answer;
	struct buf out;

	(void)state;
	memset(&answer, 0, sizeof(answer));
	buf_init(&out, 4096);
	answer.kind = POLICY_FOUND;
	(void)snprintf(answer.text, sizeof(answer.text), "dane-only");
	(void)snprintf(answer.tlsrpt, sizeof(answer.tlsrpt), "policy_type=tlsa");
	assert_int_equal(socketmap_put_answer(&out, &answer, false), SG_OK);
	assert_string_equal(buf_str(&out), "12:OK dane-only,");
	buf_reset(&out);
	assert_int_equal(socketmap_put_answer(&out, &answer, true), SG_OK);
	assert_string_equal(buf_str(&out), "29:OK dane-only policy_type=tlsa,");
	buf_reset(&out);
	answer.kind = POLICY_NOT_FOUND;
	assert_int_equal(socketmap_put_answer(&out, &answer, true), SG_OK);
	assert_string_equal(buf_str(&out), "9:NOTFOUND ,");
	buf_reset(&out);
	answer.kind = POLICY_TEMPORARY;
	(void)snprintf(answer.reason, sizeof(answer.reason), "MX:\nbogus");
	assert_int_equal(socketmap_put_answer(&out, &answer, false), SG_OK);
	assert_string_equal(buf_str(&out), "14:TEMP MX:?bogus,");
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_a_name_and_a_key),
		cmocka_unit_test(half_a_request_waits_for_the_rest),
		cmocka_unit_test(what_is_no_netstring_ends_the_connection),
		cmocka_unit_test(a_request_without_name_or_key_is_refused),
		cmocka_unit_test(a_key_with_a_nul_is_refused),
		cmocka_unit_test(a_long_request_is_refused_when_it_is_over),
		cmocka_unit_test(names_are_ours_or_those_of_others_users),
		cmocka_unit_test(answers_are_netstrings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
