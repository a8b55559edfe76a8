#include "milter/plan.h"

#include <stdio.h>
#include <string.h>

#include "config/rules.h"

bool plan_is_inside(const struct conf_tenant *tenant, const char *recipient)
{
	return str_list_has_case(&tenant->domains, rules_domain(recipient));
}

bool plan_needs_vault(const struct conf_tenant *tenant, const char *recipient)
{
	return tenant->inside != CONF_INSIDE_CLEAR || !plan_is_inside(tenant, recipient);
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

static const char *why_not(unsigned int way, const struct vault_possible *possible)
{
	if (way == WAY_ENVELOPE)
		return possible->no_envelope;
	if (way == WAY_PDF)
		return possible->no_pdf;
	return "delivery by proven TLS alone is not available";
}

static void add_why(struct plan *plan, unsigned int way, const struct vault_possible *possible)
{
	size_t used = strlen(plan->why);

	(void)snprintf(plan->why + used, sizeof(plan->why) - used, "%s%s: %s",
	    used > 0 ? "; " : "", conf_way_name(way), why_not(way, possible));
}

void plan_make(const struct conf_tenant *tenant, const char *recipient, unsigned int asked,
    const struct vault_possible *possible, struct plan *plan_out)
{
	unsigned int way;

	memset(plan_out, 0, sizeof(*plan_out));
	if (!plan_needs_vault(tenant, recipient)) {
		plan_out->kind = PLAN_INSIDE;
		return;
	}
	for (size_t place = 0; (way = way_at(tenant, asked, place)) != 0; place++) {
		if ((possible->ways & way) != 0 && way != WAY_TLS) {
			plan_out->kind = PLAN_SEAL;
			plan_out->way = way;
			return;
		}
		add_why(plan_out, way, possible);
	}
	plan_out->kind = PLAN_IMPOSSIBLE;
}
