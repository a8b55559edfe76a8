/*
 * plan: how each recipient of a flagged message gets it. Pure.
 */
#ifndef SG_MILTER_PLAN_H
#define SG_MILTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/vault/vault.h"

enum plan_kind {
	PLAN_INSIDE,		/* an own user: in clear, inside */
	PLAN_SEAL,		/* by way */
	PLAN_IMPOSSIBLE		/* why says so */
};

#define PLAN_WHY_MAX 400

struct plan {
	enum plan_kind kind;
	unsigned int way;		/* enum conf_way bit for PLAN_SEAL */
	char why[PLAN_WHY_MAX];		/* for the record: what was not possible */
};

/* Is this normalised address one of the tenant's own? */
bool plan_is_inside(const struct conf_tenant *tenant, const char *recipient);

/* Must the vault be asked for this recipient? (Not for own users who get clear mail.) */
bool plan_needs_vault(const struct conf_tenant *tenant, const char *recipient);

/*
 * The first way of the tenant's order that is asked for (asked = 0: any) and possible. Ways that
 * the sender asked for by tag count even where they are not in the tenant's order.
 */
void plan_make(const struct conf_tenant *tenant, const char *recipient, unsigned int asked,
    const struct vault_possible *possible, struct plan *plan_out);

#endif
