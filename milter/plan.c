#include "milter/plan.h"

#include <stdio.h>
#include <string.h>

#include "config/rules.h"
#include "gateway/base/str.h"

bool plan_is_inside(const struct conf_tenant *tenant, const char *recipient)
{
	return str_list_has_case(&tenant->domains, rules_domain(recipient));
}

bool plan_needs_vault(const struct conf_tenant *tenant, const char *recipient)
{
	return tenant->inside != CONF_INSIDE_CLEAR || !plan_is_inside(tenant, recipient);
}

/* Is the password by this word of tenant.passwords at hand? */
static bool has_password(const char *source, bool own, enum vault_password_kind brought,
    enum plan_password *password_out)
{
	if (strcmp(source, CONF_PASSWORD_RECIPIENT) == 0) {
		*password_out = PLAN_PASSWORD_OWN;
		return own;
	}
	/* the sender wishes it, and it is made here */
	*password_out = PLAN_PASSWORD_GENERATED;
	if (brought == VAULT_SMS)
		return true;
	if (strcmp(source, CONF_PASSWORD_SENDER) == 0) {
		*password_out = PLAN_PASSWORD_CHOSEN;
		return brought == VAULT_CHOSEN;
	}
	return brought == (strcmp(source, CONF_PASSWORD_HOOK) == 0 ? VAULT_HOOKED :
	    VAULT_GENERATED);
}

void plan_passwords(const struct conf_tenant *tenant, enum vault_password_kind brought,
    const char *untold, struct plan_possible *possible)
{
	bool own = (possible->vault.ways & WAY_PDF) != 0;
	const struct str_list *sources = &tenant->passwords;

	possible->password = PLAN_PASSWORD_OWN;
	if (sources->count == 0 && (own || brought != VAULT_SMS))
		return;
	possible->vault.ways |= WAY_PDF;
	for (size_t i = 0; i < sources->count; i++)
		if (has_password(sources->items[i], own, brought, &possible->password))
			return;
	possible->password = PLAN_PASSWORD_GENERATED;
	if (brought == VAULT_SMS)
		return;
	possible->password = PLAN_PASSWORD_OWN;
	possible->vault.ways &= ~(unsigned int)WAY_PDF;
	(void)snprintf(possible->vault.no_pdf, sizeof(possible->vault.no_pdf), "%s%s%s",
	    own ? "the recipient's password is not wanted" : "no password",
	    untold[0] != 0 ? ", and none is generated: " : "", untold);
}

/* The way at place in the order of preference: the tenant's first, then what else is asked for. */
static unsigned int way_at(const struct conf_tenant *tenant, unsigned int asked, size_t place)
{
	unsigned int order[2 * WAY_COUNT];
	unsigned int seen = 0;
	size_t count = 0;

	for (size_t i = 0; i < WAY_COUNT; i++) {
		unsigned int way = tenant->protections[i];

		if (way != 0 && (asked == 0 || (asked & way) != 0) && (seen & way) == 0)
			order[count++] = way;
		seen |= way;
	}
	for (unsigned int way = 1; way < 1u << WAY_COUNT; way <<= 1)
		if ((asked & way) != 0 && (seen & way) == 0)
			order[count++] = way;
	return place < count ? order[place] : 0;
}

static const char *why_not(unsigned int way, const struct plan_possible *possible)
{
	if (way == WAY_ENVELOPE)
		return possible->vault.no_envelope;
	if (way == WAY_PDF)
		return possible->vault.no_pdf;
	return possible->tls_how;
}

static void add_why(struct plan *plan, unsigned int way, const struct plan_possible *possible)
{
	size_t used = strlen(plan->why);

	plan->tried |= way;
	(void)snprintf(plan->why + used, sizeof(plan->why) - used, "%s%s: %s",
	    used > 0 ? "; " : "", conf_way_name(way), why_not(way, possible));
	str_cut_utf8(plan->why, sizeof(plan->why));
}

/* What TLS makes of the plan; false: the next way's turn. */
static bool try_tls(const struct plan_possible *possible, struct plan *plan)
{
	switch (possible->tls) {
	case PLAN_TLS_PROVEN:
		plan->kind = PLAN_ROUTED;
		plan->way = WAY_TLS;
		plan->why[0] = '\0';
		break;
	case PLAN_TLS_UNKNOWN:
		plan->kind = PLAN_UNKNOWN;
		break;
	case PLAN_TLS_LATER:
		plan->kind = PLAN_LATER;
		break;
	case PLAN_TLS_NOT:
	default:
		return false;
	}
	(void)snprintf(plan->why, sizeof(plan->why), "%s", possible->tls_how);
	return true;
}

/* The first way of those in ways that is possible. */
static void choose(const struct conf_tenant *tenant, unsigned int asked, unsigned int ways,
    const struct plan_possible *possible, struct plan *plan)
{
	unsigned int way;

	for (size_t place = 0; (way = way_at(tenant, asked, place)) != 0; place++) {
		if ((way & ways) == 0)
			continue;
		if (way == WAY_TLS && try_tls(possible, plan))
			return;
		if (way != WAY_TLS && (possible->vault.ways & way) != 0) {
			plan->kind = PLAN_SEAL;
			plan->way = way;
			plan->password = possible->password;
			return;
		}
		add_why(plan, way, possible);
	}
	plan->kind = PLAN_IMPOSSIBLE;
}

bool plan_needs_proof(const struct conf_tenant *tenant, const char *recipient,
    unsigned int asked, const struct vault_possible *vault)
{
	unsigned int way;

	if (plan_is_inside(tenant, recipient))
		return false;
	for (size_t place = 0; (way = way_at(tenant, asked, place)) != 0; place++) {
		if (way == WAY_TLS)
			return true;
		if ((vault->ways & way) != 0)
			return false;
	}
	return false;
}

void plan_make(const struct conf_tenant *tenant, const char *recipient, unsigned int asked,
    const struct plan_possible *possible, struct plan *plan_out)
{
	memset(plan_out, 0, sizeof(*plan_out));
	if (!plan_needs_vault(tenant, recipient)) {
		plan_out->kind = PLAN_INSIDE;
	} else if (possible->alias) {
		plan_out->kind = PLAN_LATER;
		(void)snprintf(plan_out->why, sizeof(plan_out->why), "an alias");
	} else {
		choose(tenant, asked, ~0u, possible, plan_out);
	}
}

void plan_make_sealed(const struct conf_tenant *tenant, unsigned int asked,
    const struct vault_possible *vault, struct plan *plan_out)
{
	const unsigned int sealed = WAY_ENVELOPE | WAY_PDF;
	struct plan_possible possible;
	unsigned int order = 0;

	memset(plan_out, 0, sizeof(*plan_out));
	memset(&possible, 0, sizeof(possible));
	possible.vault = *vault;
	for (size_t i = 0; i < WAY_COUNT; i++)
		order |= tenant->protections[i];
	asked &= sealed;
	if (asked == 0 && (order & sealed) == 0)
		asked = sealed;
	choose(tenant, asked, sealed, &possible, plan_out);
}
