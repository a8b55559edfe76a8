/* Who may flag, and the spelling in which addresses are compared.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/address.h"
#include "config/conf_part.h"
#include "config/rules.h"
#include "gateway/base/str.h"

static struct conf *conf;

static void add(struct str_list *list, const char *text)
{
	assert_int_equal(str_list_add(list, text), SG_OK);
}

static int start(void **state)
{
	struct conf_tenant *tenant;

	(void)state;
	assert_int_equal(conf_default(&conf, NULL), SG_OK);
	assert_int_equal(conf_add_titled(conf, KEY_OF_TENANT, "one", (void **)&tenant, NULL),
	    SG_OK);
	add(&tenant->domains, "one.example");
	add(&tenant->domains, "xn--nns-rna.example");
	add(&tenant->logins, "*@one.example");
	add(&tenant->logins, "svc-*");
	add(&tenant->networks, "192.0.2.0/24");
	add(&tenant->networks, "2001:db8:1::/48");
	assert_int_equal(conf_add_titled(conf, KEY_OF_TENANT, "two", (void **)&tenant, NULL),
	    SG_OK);
	add(&tenant->domains, "two.example");
	add(&tenant->networks, "192.0.2.77");
	add(&tenant->networks, "127.0.0.0/8");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	conf_free(conf);
	return 0;
}

struct sender_case {
	const char *login;
	const char *address;
	bool local;
	const char *mail_from;
	const char *from_domain;
	enum rules_origin origin;
	const char *tenant;
};

static const struct sender_case senders[] = {
	/* strangers */
	{ NULL, "198.51.100.1", false, "a@else.example", "else.example", RULES_OUTSIDE, NULL },
	{ NULL, "198.51.100.1", false, "", NULL, RULES_OUTSIDE, NULL },
	{ NULL, NULL, false, "a@else.example", NULL, RULES_OUTSIDE, NULL },
	{ "", "198.51.100.1", false, "a@else.example", NULL, RULES_OUTSIDE, NULL },
	{ NULL, "unknown", false, "a@else.example", NULL, RULES_OUTSIDE, NULL },
	{ NULL, "198.51.100.1", false, "a@sub.one.example", NULL, RULES_OUTSIDE, NULL },
	{ NULL, "198.51.100.1", false, "a@notone.example", NULL, RULES_OUTSIDE, NULL },
	/* claims without proof */
	{ NULL, "198.51.100.1", false, "a@one.example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "a@ONE.Example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "a@one.example.", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "a@else.example", "one.example", RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "", "two.example", RULES_UNPROVEN, "two" },
	{ NULL, "198.51.100.1", false, "<a@one.example>", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "bad address@one.example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "198.51.100.1", false, "a@önns.example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "::1", false, "a@one.example", NULL, RULES_UNPROVEN, "one" },
	{ "mallory", "198.51.100.1", false, "a@one.example", NULL, RULES_UNPROVEN, "one" },
	/* networks */
	{ NULL, "192.0.2.9", false, "a@one.example", NULL, RULES_OWN, "one" },
	{ NULL, "192.0.2.9", false, "", NULL, RULES_OWN, "one" },
	{ NULL, "::ffff:192.0.2.9", false, "a@one.example", NULL, RULES_OWN, "one" },
	{ NULL, "IPv6:2001:db8:1::5", false, "a@one.example", NULL, RULES_OWN, "one" },
	{ NULL, "2001:db8:2::5", false, "a@one.example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "192.0.3.9", false, "a@one.example", NULL, RULES_UNPROVEN, "one" },
	{ NULL, "127.0.0.1", false, "a@two.example", NULL, RULES_OWN, "two" },
	{ NULL, "127.0.0.1", false, "a@one.example", NULL, RULES_FOREIGN_FROM, "two" },
	{ NULL, "192.0.2.9", false, "a@else.example", NULL, RULES_FOREIGN_FROM, "one" },
	{ NULL, "192.0.2.9", false, "a@two.example", NULL, RULES_FOREIGN_FROM, "one" },
	{ NULL, "192.0.2.9", false, "root", NULL, RULES_FOREIGN_FROM, "one" },
	/* a relay that two share: MAIL FROM chooses */
	{ NULL, "192.0.2.77", false, "a@one.example", NULL, RULES_OWN, "one" },
	{ NULL, "192.0.2.77", false, "a@two.example", NULL, RULES_OWN, "two" },
	{ NULL, "192.0.2.77", false, "a@else.example", NULL, RULES_FOREIGN_FROM, "one" },
	/* logins come first */
	{ "bob@one.example", "198.51.100.1", false, "bob@one.example", NULL, RULES_OWN, "one" },
	{ "BOB@One.Example", "198.51.100.1", false, "bob@one.example", NULL, RULES_OWN, "one" },
	{ "bob@one.example", "127.0.0.1", false, "a@two.example", NULL, RULES_FOREIGN_FROM, "one" },
	{ "svc-1", "198.51.100.1", false, "a@one.example", NULL, RULES_OWN, "one" },
	{ "svc-1", "198.51.100.1", false, "", NULL, RULES_OWN, "one" },
	{ "xsvc-1", "198.51.100.1", false, "a@else.example", NULL, RULES_OUTSIDE, NULL },
	{ "bob@one.example.evil", "198.51.100.1", false, "a@x.example", NULL, RULES_OUTSIDE, NULL },
	{ "mallory", "192.0.2.9", false, "a@one.example", NULL, RULES_OWN, "one" },
	/* sendmail(1) */
	{ NULL, NULL, true, "a@one.example", NULL, RULES_OWN, "one" },
	{ NULL, NULL, true, "a@else.example", NULL, RULES_OUTSIDE, NULL },
	{ NULL, NULL, true, "", "one.example", RULES_UNPROVEN, "one" },
	{ NULL, NULL, true, "root", "one.example", RULES_UNPROVEN, "one" },
	{ NULL, "127.0.0.1", true, "a@else.example", NULL, RULES_OUTSIDE, NULL },
};

static void only_proof_makes_a_sender_own(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof senders / sizeof senders[0]; i++) {
		const struct sender_case *c = &senders[i];
		const struct rules_client client = { c->login, c->address, c->local, c->mail_from,
			c->from_domain };
		const struct conf_tenant *tenant;
		enum rules_origin origin = RULES_OUTSIDE;

		if (rules_sender(conf, &client, &origin, &tenant, NULL) != SG_OK ||
		    origin != c->origin || (tenant == NULL) != (c->tenant == NULL) ||
		    (tenant != NULL && strcmp(tenant->name, c->tenant) != 0))
			fail_msg("case %zu (%s): origin %d tenant %s", i, c->mail_from, origin,
			    tenant == NULL ? "none" : tenant->name);
	}
}

struct pair {
	const char *in;
	const char *out;	/* NULL: refused */
};

static void addresses_have_one_spelling(void **state)
{
	static const struct pair pairs[] = {
		{ "a@b.example", "a@b.example" },
		{ "A@B.Example", "A@b.example" },
		{ "<a@b.example>", "a@b.example" },
		{ " <a@b.example> ", "a@b.example" },
		{ "a@b.example.", "a@b.example" },
		{ "a@Bücher.example", "a@xn--bcher-kva.example" },
		{ "a@BÜCHER.example", "a@xn--bcher-kva.example" },
		{ "a@XN--BCHER-KVA.example", "a@xn--bcher-kva.example" },
		{ "a@straße.example", "a@xn--strae-oqa.example" },
		{ "jörg@b.example", "jörg@b.example" },
		{ "a+b@b.example", "a+b@b.example" },
		{ "\"a b\"@b.example", "\"a b\"@b.example" },
		{ "\"a@b\"@c.example", "\"a@b\"@c.example" },
		{ "<@r.example,@s.example:a@b.example>", "a@b.example" },
		{ "a@[192.0.2.1]", "a@[192.0.2.1]" },
		{ "a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]" },
		{ "a@under_score.example", "a@under_score.example" },
		{ "root", "root" },
		{ "", NULL },
		{ "<>", NULL },
		{ "@b.example", NULL },
		{ "a@", NULL },
		{ "a b@b.example", NULL },
		{ "a@b@c.example", "a@b@c.example" },
		{ "a@b..example", NULL },
		{ "a@.example", NULL },
		{ "a@b example", NULL },
		{ "a@b.example\r\nX: y", NULL },
		{ "a\n@b.example", NULL },
		{ "a@b.example>", NULL },
		{ "a@\xff.example", NULL },
		{ "a@b＠c.example", NULL },
		{ "a@[192.0.2.1", NULL },
		{ "a@\"b\"", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char *normal = NULL;
		enum fail_code code = rules_address(pairs[i].in, &normal, NULL);

		if ((code == SG_OK) != (pairs[i].out != NULL) ||
		    (normal != NULL && strcmp(normal, pairs[i].out) != 0))
			fail_msg("\"%s\" -> \"%s\"", pairs[i].in, normal);
		free(normal);
	}
	assert_string_equal(rules_domain("a@b@c.example"), "c.example");
	assert_string_equal(rules_domain("root"), "");
}

static void the_domain_of_from_is_that_of_its_first_address(void **state)
{
	static const struct pair pairs[] = {
		{ "a@b.example", "b.example" },
		{ " A@B.Example", "b.example" },
		{ "Bob <a@b.example>", "b.example" },
		{ "\"x@evil.example\" <a@b.example>", "b.example" },
		{ "x@evil.example <a@b.example>", "b.example" },
		{ "\"a \\\" <x@evil.example>\" <a@b.example>", "b.example" },
		{ "(x@evil.example) a@b.example", "b.example" },
		{ "(a (nested) x@evil.example) a@b.example", "b.example" },
		{ "a@b.example (Bob)", "b.example" },
		{ "a@b.example, x@c.example", "b.example" },
		{ "Doe, John <a@b.example>", "b.example" },
		{ "Group: a@b.example, c@d.example;", "b.example" },
		{ "<@r.example:a@b.example>", "b.example" },
		{ "a @ b.example", "b.example" },
		{ "Bob\r\n <a@b.example>", "b.example" },
		{ "=?utf-8?Q?B=C3=B6b?= <a@Bücher.example>", "xn--bcher-kva.example" },
		{ "a@[IPv6:::1]", "[ipv6:::1]" },
		{ "\"a@x\"@b.example", "b.example" },
		{ "", NULL },
		{ "Bob", NULL },
		{ "<>", NULL },
		{ "(", NULL },
		{ "\"", NULL },
		{ "((((", NULL },
		{ "undisclosed:;", NULL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char *domain;

		if (rules_from_domain(pairs[i].in, &domain, NULL) != SG_OK ||
		    (domain == NULL) != (pairs[i].out == NULL) ||
		    (domain != NULL && strcmp(domain, pairs[i].out) != 0))
			fail_msg("\"%s\" -> \"%s\"", pairs[i].in, domain);
		free(domain);
	}
}

static void networks_are_strict(void **state)
{
	static const char *const good[] = { "192.0.2.0/24", "192.0.2.1", "::1", "2001:db8::/32",
		"0.0.0.0/0", "::/0", "10.0.0.0/8", "192.0.2.1/32", "::ffff:192.0.2.0/120" };
	static const char *const bad[] = { "", "/", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/-1",
		"192.0.2", "192.0.2.0/", "2001:db8::1/32", "::/129", "localhost", "192.0.2.0/24 ",
		"192.0.2.0/255.255.255.0", "1.2.3.4.5", "fe80::1%eth0" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(address_check_network(good[i], NULL), SG_OK);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_not_equal(address_check_network(bad[i], NULL), SG_OK);
	assert_true(address_in_network("192.0.2.255", "192.0.2.0/24"));
	assert_true(address_in_network("192.0.2.255", "::ffff:192.0.2.0/120"));
	assert_false(address_in_network("192.0.2.255", "::/0"));
	assert_false(address_in_network("::1", "0.0.0.0/0"));
	assert_true(address_in_network("203.0.113.5", "0.0.0.0/0"));
	assert_false(address_in_network("", "0.0.0.0/0"));
	assert_false(address_in_network("192.0.2.1", ""));
}

static void patterns_take_a_star_for_anything(void **state)
{
	(void)state;
	assert_true(address_like("bob@x", "*"));
	assert_true(address_like("", "*"));
	assert_true(address_like("bob@x", "*@x"));
	assert_true(address_like("bob", "b*b"));
	assert_true(address_like("aXbXc", "a*b*c"));
	assert_true(address_like("ABC", "a*C"));
	assert_false(address_like("bob@xy", "*@x"));
	assert_false(address_like("bob", ""));
	assert_false(address_like("", "a"));
	assert_false(address_like("ab", "a*b*c"));
	assert_false(address_like("bob", "b?b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_proof_makes_a_sender_own),
		cmocka_unit_test(addresses_have_one_spelling),
		cmocka_unit_test(the_domain_of_from_is_that_of_its_first_address),
		cmocka_unit_test(networks_are_strict),
		cmocka_unit_test(patterns_take_a_star_for_anything),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
