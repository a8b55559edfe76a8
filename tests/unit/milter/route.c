/* Routes: what attach told, what Postfix chose, and the one value that keeps it.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "milter/mark.h"
#include "milter/route.h"

static void route_is(const char *mailer, const char *hop, const char *recipient,
    const char *expected)
{
	struct delivery delivery = { str_dup(mailer), str_dup(hop) };
	struct fail f;
	char *value;

	fail_clear(&f);
	if (expected == NULL) {
		assert_int_equal(route_value(MARK_ROUTE_TLS, &delivery, recipient, &value, &f),
		    SG_EPEER);
		assert_int_equal(f.kind, FAIL_TEMPORARY);
		assert_null(value);
	} else {
		assert_int_equal(route_value(MARK_ROUTE_TLS, &delivery, recipient, &value, &f),
		    SG_OK);
		assert_string_equal(value, expected);
	}
	free(value);
	free(delivery.mailer);
	free(delivery.hop);
}

static void the_value_keeps_what_postfix_chose(void **state)
{
	(void)state;
	route_is("smtp", "partner.example", "b@partner.example", " tls smtp");
	route_is("smtp", "Partner.EXAMPLE", "b@partner.example", " tls smtp");
	route_is("relay", "[relay.example]:587", "b@partner.example",
	    " tls relay [relay.example]:587");
	route_is("smtp", "[192.0.2.1]", "b@[192.0.2.1]", " tls smtp");
	route_is("smtp", "mx.partner.example", "b@partner.example",
	    " tls smtp mx.partner.example");
	route_is("smtp", "partner.example", "\"a@b\"@partner.example", " tls smtp");
}

static void what_no_table_could_know_is_a_temporary_failure(void **state)
{
	char mailer[ROUTE_MAILER_MAX + 2];

	(void)state;
	route_is(NULL, NULL, "b@x", NULL);
	route_is("smtp", NULL, "b@x", NULL);
	route_is(NULL, "relay", "b@x", NULL);
	route_is("smtp", "", "b@x", NULL);
	route_is("", "x", "b@x", NULL);
	route_is("smtp", "[a], [b]", "b@x", NULL);
	route_is("smtp", "a\nX-Evil: 1", "b@x", NULL);
	route_is("sm tp", "x", "b@x", NULL);
	route_is("smtp\r", "x", "b@x", NULL);
	route_is("smtp", "b\xc3\xbc" "cher.example", "b@x", NULL);
	route_is("smtp", "a\x7f", "b@x", NULL);
	memset(mailer, 'm', sizeof(mailer));
	mailer[ROUTE_MAILER_MAX + 1] = '\0';
	route_is(mailer, "x", "b@x", NULL);
}

static void a_next_hop_has_a_limit(void **state)
{
	char hop[ROUTE_HOP_MAX + 2];
	char expected[ROUTE_HOP_MAX + 32];

	(void)state;
	memset(hop, 'h', sizeof(hop));
	hop[ROUTE_HOP_MAX + 1] = '\0';
	route_is("smtp", hop, "b@x", NULL);
	hop[ROUTE_HOP_MAX] = '\0';
	(void)snprintf(expected, sizeof(expected), " tls smtp %s", hop);
	route_is("smtp", hop, "b@x", expected);
}

static bool have(const char *macro, const char *mailer, enum routes_by by)
{
	struct routes routes;
	struct delivery delivery = { str_dup(mailer), str_dup("x") };
	bool result;

	assert_int_equal(routes_parse(macro, &routes), SG_OK);
	assert_int_equal(routes.by, by);
	result = routes_have(&routes, &delivery);
	routes_free(&routes);
	free(delivery.mailer);
	free(delivery.hop);
	return result;
}

static void the_macro_names_who_routes_and_which_transports(void **state)
{
	(void)state;
	assert_true(have("front smtp relay", "smtp", ROUTES_FRONT));
	assert_true(have("stage\tsmtp  relay ", "relay", ROUTES_STAGE));
	assert_false(have("front smtp relay", "lmtp", ROUTES_FRONT));
	assert_false(have("front smtp relay", NULL, ROUTES_FRONT));
	assert_false(have("front smtp relay", "front", ROUTES_FRONT));
	assert_false(have("front smtp-other", "smtp", ROUTES_FRONT));
	assert_false(have("front", "smtp", ROUTES_FRONT));
}

static void what_is_not_understood_routes_nothing(void **state)
{
	(void)state;
	assert_false(have(NULL, "smtp", ROUTES_NONE));
	assert_false(have("", "smtp", ROUTES_NONE));
	assert_false(have("smtp relay", "smtp", ROUTES_NONE));
	assert_false(have("frontier smtp", "smtp", ROUTES_NONE));
	assert_false(have("{sealgate_routes}", "smtp", ROUTES_NONE));
}

static void a_refused_recipient_is_none_and_an_alias_is_one(void **state)
{
	char error[] = "error";
	char words[] = "5.1.1 User unknown in virtual alias table";
	char smtp[] = "smtp";
	const struct delivery alias = { error, words };
	const struct delivery plain = { smtp, smtp };
	const struct delivery untold = { NULL, NULL };

	(void)state;
	assert_true(delivery_is_refused("error", "5.1.1"));
	assert_true(delivery_is_refused("error", "4.7.1"));
	assert_false(delivery_is_refused("error", words));
	assert_false(delivery_is_refused("error", NULL));
	assert_false(delivery_is_refused("error", ""));
	assert_false(delivery_is_refused("smtp", "5.1.1"));
	assert_false(delivery_is_refused(NULL, NULL));
	assert_true(delivery_is_alias(&alias));
	assert_false(delivery_is_alias(&plain));
	assert_false(delivery_is_alias(&untold));
}

static void deliveries_are_kept_in_their_order(void **state)
{
	struct deliveries deliveries = { NULL, 0, 0 };
	char hop[16];

	(void)state;
	for (unsigned int i = 0; i < 100; i++) {
		(void)snprintf(hop, sizeof(hop), "h%u", i);
		assert_int_equal(deliveries_add(&deliveries, i % 2 == 0 ? "smtp" : NULL, hop),
		    SG_OK);
	}
	assert_int_equal(deliveries.count, 100);
	assert_string_equal(deliveries.items[42].hop, "h42");
	assert_string_equal(deliveries.items[42].mailer, "smtp");
	assert_null(deliveries.items[43].mailer);
	deliveries_free(&deliveries);
	assert_int_equal(deliveries.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_value_keeps_what_postfix_chose),
		cmocka_unit_test(what_no_table_could_know_is_a_temporary_failure),
		cmocka_unit_test(a_next_hop_has_a_limit),
		cmocka_unit_test(the_macro_names_who_routes_and_which_transports),
		cmocka_unit_test(what_is_not_understood_routes_nothing),
		cmocka_unit_test(a_refused_recipient_is_none_and_an_alias_is_one),
		cmocka_unit_test(deliveries_are_kept_in_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
