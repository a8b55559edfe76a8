/* Plans: the first way that is possible; what is not known is never passed over.
 * links: sealgate-milter */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "milter/plan.h"

/* A tenant with these ways in its order, and no domain. */
static struct conf_tenant tenant_of(unsigned char first, unsigned char second,
    unsigned char third)
{
	struct conf_tenant tenant;

	memset(&tenant, 0, sizeof(tenant));
	tenant.protections[0] = first;
	tenant.protections[1] = second;
	tenant.protections[2] = third;
	return tenant;
}

static struct plan_possible possible_of(unsigned int ways, enum plan_tls tls)
{
	struct plan_possible possible = { { 0, "no certificate", "no password" }, PLAN_TLS_NOT,
	    "no proof", false, PLAN_PASSWORD_OWN };

	possible.vault.ways = ways;
	possible.tls = tls;
	return possible;
}

static void the_first_possible_way_of_the_order_is_taken(void **state)
{
	struct plan_possible possible = possible_of(WAY_ENVELOPE | WAY_PDF, PLAN_TLS_NOT);
	struct conf_tenant tenant = tenant_of(WAY_ENVELOPE, WAY_PDF, 0);
	struct plan plan;

	(void)state;
	plan_make(&tenant, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.way, WAY_ENVELOPE);
	plan_make(&tenant, "b@x", WAY_PDF, &possible, &plan);
	assert_int_equal(plan.way, WAY_PDF);
	possible.vault.ways = WAY_PDF;
	plan_make(&tenant, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_SEAL);
	assert_int_equal(plan.way, WAY_PDF);
	assert_int_equal(plan.tried, WAY_ENVELOPE);
	assert_non_null(strstr(plan.why, "no certificate"));
}

static void nothing_possible_is_never_clear(void **state)
{
	struct plan_possible possible = possible_of(0, PLAN_TLS_NOT);
	struct conf_tenant tenant = tenant_of(WAY_ENVELOPE, WAY_PDF, 0);
	struct plan plan;

	(void)state;
	for (unsigned int asked = 0; asked < 1u << WAY_COUNT; asked++) {
		plan_make(&tenant, "b@x", asked, &possible, &plan);
		assert_int_equal(plan.kind, PLAN_IMPOSSIBLE);
		assert_int_equal(plan.way, 0);
	}
	possible.vault.ways = WAY_TLS;	/* the vault has no say in it */
	plan_make(&tenant, "b@x", WAY_TLS, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_IMPOSSIBLE);
	assert_non_null(strstr(plan.why, "no proof"));
	possible.vault.ways = WAY_ENVELOPE;
	plan_make(&tenant, "b@x", WAY_PDF, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_IMPOSSIBLE);
}

static void proven_tls_is_taken_at_its_place(void **state)
{
	struct plan_possible possible = possible_of(WAY_ENVELOPE, PLAN_TLS_PROVEN);
	struct conf_tenant first = tenant_of(WAY_TLS, WAY_ENVELOPE, 0);
	struct conf_tenant last = tenant_of(WAY_PDF, WAY_ENVELOPE, WAY_TLS);
	struct plan plan;

	(void)state;
	plan_make(&first, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_ROUTED);
	assert_int_equal(plan.way, WAY_TLS);
	plan_make(&last, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.way, WAY_ENVELOPE);
	plan_make(&last, "b@x", WAY_TLS, &possible, &plan);
	assert_int_equal(plan.way, WAY_TLS);
	possible.vault.ways = 0;
	plan_make(&last, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.way, WAY_TLS);
}

static void unknown_tls_is_never_passed_over(void **state)
{
	struct plan_possible possible = possible_of(WAY_ENVELOPE | WAY_PDF, PLAN_TLS_UNKNOWN);
	struct conf_tenant tenant = tenant_of(WAY_TLS, WAY_PDF, WAY_ENVELOPE);
	struct plan plan;

	(void)state;
	plan_make(&tenant, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_UNKNOWN);
	plan_make(&tenant, "b@x", WAY_PDF, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_SEAL);
	possible.tls = PLAN_TLS_LATER;
	plan_make(&tenant, "b@x", 0, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_LATER);
}

static void tls_is_asked_for_only_where_the_plan_depends_on_it(void **state)
{
	const struct vault_possible nothing = { 0, "", "" };
	const struct vault_possible pdf = { WAY_PDF, "", "" };
	struct conf_tenant first = tenant_of(WAY_TLS, WAY_PDF, 0);
	struct conf_tenant last = tenant_of(WAY_PDF, WAY_TLS, 0);
	struct conf_tenant never = tenant_of(WAY_PDF, 0, 0);

	(void)state;
	assert_true(plan_needs_proof(&first, "b@x", 0, &pdf));
	assert_false(plan_needs_proof(&first, "b@x", WAY_PDF, &pdf));
	assert_false(plan_needs_proof(&last, "b@x", 0, &pdf));
	assert_true(plan_needs_proof(&last, "b@x", 0, &nothing));
	assert_false(plan_needs_proof(&never, "b@x", 0, &nothing));
	assert_true(plan_needs_proof(&never, "b@x", WAY_TLS, &nothing));
}

static void after_tls_failed_it_is_sealed_or_impossible(void **state)
{
	const struct vault_possible both = { WAY_ENVELOPE | WAY_PDF, "", "" };
	const struct vault_possible pdf = { WAY_PDF, "no certificate", "" };
	const struct vault_possible nothing = { 0, "no certificate", "no password" };
	struct conf_tenant order = tenant_of(WAY_TLS, WAY_PDF, 0);
	struct conf_tenant alone = tenant_of(WAY_TLS, 0, 0);
	struct plan plan;

	(void)state;
	plan_make_sealed(&order, 0, &both, &plan);
	assert_int_equal(plan.way, WAY_PDF);
	plan_make_sealed(&order, WAY_TLS, &both, &plan);
	assert_int_equal(plan.way, WAY_PDF);
	plan_make_sealed(&order, WAY_TLS | WAY_ENVELOPE, &both, &plan);
	assert_int_equal(plan.way, WAY_ENVELOPE);
	plan_make_sealed(&order, WAY_TLS | WAY_ENVELOPE, &pdf, &plan);
	assert_int_equal(plan.kind, PLAN_IMPOSSIBLE);
	plan_make_sealed(&alone, WAY_TLS, &both, &plan);
	assert_int_equal(plan.way, WAY_ENVELOPE);
	plan_make_sealed(&alone, 0, &pdf, &plan);
	assert_int_equal(plan.way, WAY_PDF);
	for (unsigned int asked = 0; asked < 1u << WAY_COUNT; asked++) {
		plan_make_sealed(&order, asked, &nothing, &plan);
		assert_int_equal(plan.kind, PLAN_IMPOSSIBLE);
	}
}

static void inside_is_the_domain_and_nothing_like_it(void **state)
{
	const struct vault_possible nothing = { 0, "", "" };
	struct plan_possible possible = possible_of(0, PLAN_TLS_PROVEN);
	struct conf_tenant tenant = tenant_of(WAY_TLS, 0, 0);
	struct plan plan;

	(void)state;
	assert_int_equal(str_list_add(&tenant.domains, "inside.example"), SG_OK);
	tenant.inside = CONF_INSIDE_CLEAR;
	assert_true(plan_is_inside(&tenant, "a@inside.example"));
	assert_false(plan_is_inside(&tenant, "a@sub.inside.example"));
	assert_false(plan_is_inside(&tenant, "a@notinside.example"));
	assert_false(plan_is_inside(&tenant, "inside.example@partner.example"));
	assert_false(plan_is_inside(&tenant, "a@inside.example@partner.example"));
	assert_false(plan_needs_vault(&tenant, "a@inside.example"));
	assert_false(plan_needs_proof(&tenant, "a@inside.example", WAY_TLS, &nothing));
	plan_make(&tenant, "a@inside.example", WAY_TLS, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_INSIDE);
	tenant.inside = CONF_INSIDE_SEAL;
	assert_true(plan_needs_vault(&tenant, "a@inside.example"));
	assert_false(plan_needs_proof(&tenant, "a@inside.example", WAY_TLS, &nothing));
	str_list_free(&tenant.domains);
}

static void an_alias_is_left_to_the_second_stage(void **state)
{
	struct plan_possible possible = possible_of(WAY_PDF, PLAN_TLS_NOT);
	struct conf_tenant tenant = tenant_of(WAY_PDF, 0, 0);
	struct plan plan;

	(void)state;
	possible.alias = true;
	plan_make(&tenant, "info@alias.example", 0, &possible, &plan);
	assert_int_equal(plan.kind, PLAN_LATER);
	assert_int_equal(plan.way, 0);
}

static void passwords_come_by_the_order_of_the_tenant(void **state)
{
	char words_of[3][16] = { "sender", "recipient", "generate" };
	char *words[] = { words_of[0], words_of[1], words_of[2] };
	struct plan_possible possible = possible_of(WAY_PDF, PLAN_TLS_NOT);
	struct conf_tenant tenant = tenant_of(WAY_PDF, 0, 0);

	(void)state;
	plan_passwords(&tenant, VAULT_CHOSEN, "", &possible);
	assert_int_equal(possible.password, PLAN_PASSWORD_OWN);
	tenant.passwords = (struct str_list){ words, 3 };
	plan_passwords(&tenant, VAULT_CHOSEN, "", &possible);
	assert_int_equal(possible.password, PLAN_PASSWORD_CHOSEN);
	plan_passwords(&tenant, VAULT_GENERATED, "", &possible);
	assert_int_equal(possible.password, PLAN_PASSWORD_OWN);
	possible.vault.ways = 0;
	plan_passwords(&tenant, VAULT_GENERATED, "", &possible);
	assert_int_equal(possible.password, PLAN_PASSWORD_GENERATED);
	assert_int_equal(possible.vault.ways, WAY_PDF);
	possible.vault.ways = WAY_ENVELOPE;
	plan_passwords(&tenant, VAULT_NO_PASSWORD, "not logged in", &possible);
	assert_int_equal(possible.vault.ways, WAY_ENVELOPE);
	assert_non_null(strstr(possible.vault.no_pdf, "not logged in"));
	/* a tenant that does not want the recipient's own */
	/* one for a number counts wherever one of the message may, and last in any case */
	plan_passwords(&tenant, VAULT_SMS, "", &possible);
	assert_int_equal(possible.password, PLAN_PASSWORD_GENERATED);
	possible.vault.ways = 0;
	plan_passwords(&tenant, VAULT_HOOKED, "", &possible);
	assert_int_equal(possible.vault.ways & WAY_PDF, 0);
	tenant.passwords.count = 1;
	possible.vault.ways = WAY_PDF;
	plan_passwords(&tenant, VAULT_NO_PASSWORD, "", &possible);
	assert_int_equal(possible.vault.ways, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_come_by_the_order_of_the_tenant),
		cmocka_unit_test(the_first_possible_way_of_the_order_is_taken),
		cmocka_unit_test(nothing_possible_is_never_clear),
		cmocka_unit_test(proven_tls_is_taken_at_its_place),
		cmocka_unit_test(unknown_tls_is_never_passed_over),
		cmocka_unit_test(tls_is_asked_for_only_where_the_plan_depends_on_it),
		cmocka_unit_test(after_tls_failed_it_is_sealed_or_impossible),
		cmocka_unit_test(inside_is_the_domain_and_nothing_like_it),
		cmocka_unit_test(an_alias_is_left_to_the_second_stage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
