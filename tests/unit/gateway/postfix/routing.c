/* links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/str.h"
#include "gateway/postfix/maps.h"
#include "gateway/postfix/routing.h"
#include "gateway/postfix/tables.h"

/* A service as postconf -F prints it. */
#define FIELDS(name, command) \
	name "/unix/service = " name "\n" name "/unix/type = unix\n" name \
	     "/unix/chroot = n\n" name "/unix/command = " command "\n"

static const char services[] = FIELDS("smtp", "smtp") FIELDS("relay", "smtp") FIELDS("lmtp", "lmtp")
    FIELDS("local", "local") FIELDS("sealed", "smtp") FIELDS("sealed-tls-relay", "smtp")
        FIELDS("seal", "smtp") FIELDS("cleanup", "cleanup") FIELDS("rewrite", "trivial-rewrite");

static const char defaults[] = "default_transport = smtp\nrelay_transport = relay\n"
                               "local_transport = local:gate\nvirtual_transport = virtual\n";

static struct routing read_all(const char *main, const char *options)
{
	struct postconf conf;
	struct routing routing;
	struct fail f;

	memset(&conf, 0, sizeof(conf));
	assert_int_equal(postconf_parse_pairs(main, &conf.set, &f), SG_OK);
	assert_int_equal(postconf_parse_pairs(defaults, &conf.all, &f), SG_OK);
	assert_int_equal(postconf_parse_services(services, options, &conf, &f), SG_OK);
	assert_int_equal(routing_read(&conf, "/etc/postfix", &routing, &f), SG_OK);
	postconf_free(&conf);
	return routing;
}

/* The items of a list, each with "|" behind it. */
static void list_is(const struct str_list *list, const char *expected)
{
	char text[1024] = "";
	size_t size = 0;

	for (size_t i = 0; i < list->count; i++) {
		size_t item = strlen(list->items[i]);

		assert_true(size + item + 2 < sizeof(text));
		memcpy(text + size, list->items[i], item);
		text[size + item] = '|';
		size += item + 1;
	}
	assert_string_equal(text, expected);
}

static void smtp_clients_have_routes_and_ours_have_not(void **state)
{
	struct routing routing = read_all("", "");

	(void)state;
	list_is(&routing.transports, "relay|smtp|");
	list_is(&routing.pairs, "");
	list_is(&routing.unlisted, "");
	assert_false(routing.late);
	routing_free(&routing);
}

static void a_relayhost_goes_by_every_default_transport(void **state)
{
	struct routing routing = read_all("relayhost = [r.example]:587\n", "");

	(void)state;
	list_is(&routing.pairs, "relay [r.example]:587|smtp [r.example]:587|");
	routing_free(&routing);
	routing = read_all("default_transport = smtp:[d.example]\n", "");
	list_is(&routing.pairs, "smtp [d.example]|");
	routing_free(&routing);
}

static void results_of_maps_are_listed(void **state)
{
	struct routing routing = read_all(
	    "transport_maps = static:smtp:[s.example], "
	    "static::[bare.example]\n"
	    "sender_dependent_relayhost_maps = static:[sdr.example]\n"
	    "sender_dependent_default_transport_maps = static:relay:\n",
	    "");

	(void)state;
	list_is(&routing.pairs,
	    "relay [bare.example]|relay [sdr.example]|smtp [bare.example]|smtp [s.example]|"
	    "smtp [sdr.example]|");
	routing_free(&routing);
}

static void deliveries_inside_have_no_route(void **state)
{
	struct routing routing = read_all(
	    "transport_maps = static:lmtp:unix:x, static:{error:5.1.1 no}, "
	    "static:local, static:smtp:\n",
	    "");

	(void)state;
	list_is(&routing.pairs, "");
	list_is(&routing.unlisted, "");
	routing_free(&routing);
}

static void what_cannot_be_listed_is_told(void **state)
{
	struct routing routing = read_all("transport_maps = ldap:/etc/x, proxy:mysql:/y\n"
	                                  "relayhost = [a.example], [b.example]\n",
	    "");

	(void)state;
	assert_int_equal(routing.unlisted.count, 3);
	assert_non_null(strstr(routing.unlisted.items[0], "[a.example], [b.example]"));
	assert_non_null(
	    strstr(routing.unlisted.items[1], "transport_maps: ldap:/etc/x: type ldap"));
	assert_non_null(strstr(routing.unlisted.items[2], "proxy:mysql:/y: type mysql"));
	routing_free(&routing);
}

static void recipients_that_change_later_are_seen(void **state)
{
	static const char *const settings[] = { "always_bcc = a@b\n",
		"virtual_alias_maps = hash:/v\n", "virtual_alias_domains = x\n",
		"canonical_maps = hash:/c\n", "recipient_canonical_maps = hash:/c\n",
		"sender_bcc_maps = hash:/c\n", "recipient_bcc_maps = hash:/c\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct routing routing = read_all(settings[i], "");

		assert_true(routing.late);
		routing_free(&routing);
		routing = read_all(settings[i],
		    "cleanup/unix/always_bcc =\ncleanup/unix/virtual_alias_maps =\n"
		    "cleanup/unix/virtual_alias_domains =\ncleanup/unix/canonical_maps =\n"
		    "cleanup/unix/recipient_canonical_maps =\ncleanup/unix/sender_bcc_maps =\n"
		    "cleanup/unix/recipient_bcc_maps =\n");
		assert_false(routing.late);
		routing_free(&routing);
	}
}

static void options_of_the_resolver_count(void **state)
{
	struct routing routing = read_all(
	    "relayhost = [a.example]\n", "rewrite/unix/relayhost = [b.example]\n");

	(void)state;
	list_is(&routing.pairs, "relay [b.example]|smtp [b.example]|");
	routing_free(&routing);
}

static enum fail_code collect(void *context, const char *result, struct fail *f)
{
	(void)f;
	return routing_put(context, result);
}

static void pattern_tables_are_read(void **state)
{
	struct str_list found = { NULL, 0 };
	struct fail f;

	(void)state;
	assert_int_equal(maps_list_text("# no\n\n/^a\\/b@/i  smtp:[a]\nif /x/\n!/y/  smtp:[b]\n"
	                                "endif\n10.0.0.0/8 smtp:[c]\n|p|\n  smtp:[d]\r\n/dead",
	                     collect, &found, &f),
	    SG_OK);
	list_is(&found, "smtp:[a]|smtp:[b]|smtp:[c]|smtp:[d]|");
	str_list_free(&found);
	assert_int_equal(maps_list_text("/^(.*)$/ smtp:[$1]\n", collect, &found, &f), SG_EUSAGE);
	str_list_free(&found);
}

static void a_sorted_list_stays_sorted(void **state)
{
	struct str_list list = { NULL, 0 };
	char text[16];

	(void)state;
	srandom(4);
	for (int i = 0; i < 2000; i++) {
		(void)snprintf(text, sizeof(text), "%ld", random() % 500);
		assert_int_equal(routing_put(&list, text), SG_OK);
	}
	for (size_t i = 1; i < list.count; i++)
		assert_true(strcmp(list.items[i - 1], list.items[i]) < 0);
	assert_in_range(list.count, 400, 500);
	str_list_free(&list);
}

static void a_next_hop_is_literal_in_a_table(void **state)
{
	struct routing routing = read_all("relayhost = [a.b+c]:1\n", "");
	const struct tables_wish wish = { 10225, &routing };
	char *text = tables_text("routes", &wish);

	(void)state;
	assert_non_null(strstr(text,
	    "/^X-Sealgate-Route: tls relay \\[a\\.b\\+c\\]:1$/"
	    "  FILTER sealed-tls-relay:[a.b+c]:1\n"));
	free(text);
	text = tables_text("strip-sealed-any-relay", &wish);
	assert_non_null(strstr(text, "/^X-Sealgate-Route: any relay( |$)/  IGNORE\n"));
	free(text);
	routing_free(&routing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smtp_clients_have_routes_and_ours_have_not),
		cmocka_unit_test(a_relayhost_goes_by_every_default_transport),
		cmocka_unit_test(results_of_maps_are_listed),
		cmocka_unit_test(deliveries_inside_have_no_route),
		cmocka_unit_test(what_cannot_be_listed_is_told),
		cmocka_unit_test(recipients_that_change_later_are_seen),
		cmocka_unit_test(options_of_the_resolver_count),
		cmocka_unit_test(pattern_tables_are_read),
		cmocka_unit_test(a_sorted_list_stays_sorted),
		cmocka_unit_test(a_next_hop_is_literal_in_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
