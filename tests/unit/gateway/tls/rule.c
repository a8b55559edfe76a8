/* Rules: which one is found, and what Postfix is told.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/tls/rule.h"

#define NAME(text) ((char[]){ text })

static struct conf_hop rows[] = {
	{ .name = NAME("partner.example"), .tls = CONF_LEVEL_SECURE },
	{ .name = NAME(".partner.example"), .tls = CONF_LEVEL_ENCRYPT },
	{ .name = NAME(".b.partner.example"), .tls = CONF_LEVEL_VERIFY },
	{ .name = NAME("[relay.example]:587"), .tls = CONF_LEVEL_FINGERPRINT },
	{ .name = NAME("ends.example"), .tls = CONF_LEVEL_NONE, .until_ms = 1000 },
	{ .name = NAME(".example"), .tls = CONF_LEVEL_MAY },
};

static const struct conf_hop *find(const char *text, int64_t wall_ms)
{
	static const struct conf conf = { .hops = rows,
		.hop_count = sizeof rows / sizeof rows[0] };
	struct rules_index index;
	const struct conf_hop *rule;
	struct hop hop;

	assert_int_equal(rule_index(&conf, &index), SG_OK);
	hop_parse(text, &hop);
	rule = rule_find(&index, &hop, wall_ms);
	rule_index_free(&index);
	return rule;
}

static void the_nearest_rule_is_found(void **state)
{
	(void)state;
	assert_string_equal(find("partner.example", 0)->name, "partner.example");
	assert_string_equal(find("Partner.example:25", 0)->name, "partner.example");
	assert_string_equal(find("a.partner.example", 0)->name, ".partner.example");
	assert_string_equal(find("a.b.partner.example", 0)->name, ".b.partner.example");
	assert_string_equal(find("b.partner.example", 0)->name, ".partner.example");
	assert_string_equal(find("other.example", 0)->name, ".example");
	assert_null(find("other.test", 0));
	assert_null(find("example", 0));
}

static void brackets_need_their_own_rule(void **state)
{
	(void)state;
	assert_string_equal(find("[relay.example]:587", 0)->name, "[relay.example]:587");
	assert_string_equal(find("[relay.example]:submission", 0)->name, "[relay.example]:587");
	assert_null(find("[relay.example]", 0));
	assert_null(find("[partner.example]", 0));
}

static void a_rule_that_is_over_does_not_count(void **state)
{
	(void)state;
	assert_string_equal(find("ends.example", 999)->name, "ends.example");
	assert_string_equal(find("ends.example", 1000)->name, ".example");
}

static void only_four_levels_prove(void **state)
{
	static const bool proves[] = { false, false, false, false, true, true, true, true };

	(void)state;
	for (unsigned int level = CONF_LEVEL_NONE; level <= CONF_LEVEL_SECURE; level++) {
		struct conf_hop rule = { .tls = level };

		assert_int_equal(rule_proves(&rule), proves[level]);
	}
}

static void texts_are_what_postfix_reads(void **state)
{
	char *names[] = { NAME("mx.example"), NAME("nexthop") };
	struct conf_hop rule = { .tls = CONF_LEVEL_VERIFY, .match = { names, 2 } };
	char out[200];

	(void)state;
	assert_true(rule_text(&rule, out, sizeof out));
	assert_string_equal(out, "verify match=mx.example:nexthop");
	rule.tls = CONF_LEVEL_ENCRYPT;
	assert_true(rule_text(&rule, out, sizeof out));
	assert_string_equal(out, "encrypt");
	rule = (struct conf_hop){ .tls = CONF_LEVEL_FINGERPRINT, .fingerprints = { names, 2 } };
	assert_true(rule_text(&rule, out, sizeof out));
	assert_string_equal(out, "fingerprint match=mx.example|nexthop");
	assert_false(rule_text(&rule, out, 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_nearest_rule_is_found),
		cmocka_unit_test(brackets_need_their_own_rule),
		cmocka_unit_test(a_rule_that_is_over_does_not_count),
		cmocka_unit_test(only_four_levels_prove),
		cmocka_unit_test(texts_are_what_postfix_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
