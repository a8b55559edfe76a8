/* Next hops in all of Postfix's spellings.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/tls/hop.h"

struct expected {
	const char *text;
	const char *key;
	const char *name;
	uint16_t port;
	bool direct;
	bool literal;
};

static void check(const struct expected *rows, size_t count)
{
	struct hop hop;

	for (size_t i = 0; i < count; i++) {
		hop_parse(rows[i].text, &hop);
		assert_string_equal(hop.key, rows[i].key);
		assert_string_equal(hop.name, rows[i].name);
		assert_int_equal(hop.port, rows[i].port);
		assert_int_equal(hop.direct, rows[i].direct);
		assert_int_equal(hop.literal, rows[i].literal);
		assert_false(hop.parent);
	}
}

static void names_have_one_spelling(void **state)
{
	static const struct expected rows[] = {
		{ "partner.example", "partner.example", "partner.example", 25, false, false },
		{ "Partner.EXAMPLE", "partner.example", "partner.example", 25, false, false },
		{ "partner.example.", "partner.example", "partner.example", 25, false, false },
		{ "partner.example:25", "partner.example", "partner.example", 25, false, false },
		{ "partner.example:smtp", "partner.example", "partner.example", 25, false, false },
		{ "partner.example:587", "partner.example:587", "partner.example", 587, false,
		    false },
		{ "inet:partner.example:submission", "partner.example:587", "partner.example", 587,
		    false, false },
		{ "müller.example", "xn--mller-kva.example", "xn--mller-kva.example", 25, false,
		    false },
		{ "_x.partner.example", "_x.partner.example", "_x.partner.example", 25, false,
		    false },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void brackets_are_hosts(void **state)
{
	static const struct expected rows[] = {
		{ "[relay.example]", "[relay.example]", "relay.example", 25, true, false },
		{ "[Relay.example]:587", "[relay.example]:587", "relay.example", 587, true, false },
		{ "[relay.example]:25", "[relay.example]", "relay.example", 25, true, false },
		{ "[relay.example]:submissions", "[relay.example]:465", "relay.example", 465, true,
		    false },
		{ "[müller.example]", "[xn--mller-kva.example]", "xn--mller-kva.example", 25, true,
		    false },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void addresses_are_literals(void **state)
{
	static const struct expected rows[] = {
		{ "[192.0.2.1]", "[192.0.2.1]", "192.0.2.1", 25, true, true },
		{ "[127.0.0.1]:10226", "[127.0.0.1]:10226", "127.0.0.1", 10226, true, true },
		{ "127.0.0.1:10226", "[127.0.0.1]:10226", "127.0.0.1", 10226, false, true },
		{ "[IPv6:2001:db8::1]:25", "[ipv6:2001:db8::1]", "ipv6:2001:db8::1", 25, true,
		    true },
		{ "2001:db8::1", "[2001:db8::1]", "2001:db8::1", 25, false, true },
	};

	(void)state;
	check(rows, sizeof rows / sizeof rows[0]);
}

static void what_is_no_name_is_a_literal(void **state)
{
	static const char *const bad[] = { "", "unix:/run/x", "a..b", "[", "[]", "[a", "a]", "[a]x",
		"a:", "a:0", "a:65536", "a:ftp", "a b", "-\xff", "[a]:", "a:25:25" };
	char longest[3000];
	struct hop hop;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		hop_parse(bad[i], &hop);
		assert_true(hop.literal);
	}
	memset(longest, 'a', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	hop_parse(longest, &hop);
	assert_true(hop.literal);
	longest[1000] = '\0';
	hop_parse(longest, &hop);
	assert_true(hop.literal);
}

static void parents_are_told_apart(void **state)
{
	struct hop hop;

	(void)state;
	hop_parse(".example", &hop);
	assert_true(hop.parent);
	assert_string_equal(hop.text, ".example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_spelling),
		cmocka_unit_test(brackets_are_hosts),
		cmocka_unit_test(addresses_are_literals),
		cmocka_unit_test(what_is_no_name_is_a_literal),
		cmocka_unit_test(parents_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
