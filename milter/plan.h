/*
 * plan: how each recipient of a flagged message gets it. Pure.
 */
#ifndef SG_MILTER_PLAN_H
#define SG_MILTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/tls/tls.h"
#include "gateway/vault/vault.h"

/* Could one recipient's copy leave over proven TLS? */
enum plan_tls {
	PLAN_TLS_NOT = 0,
	PLAN_TLS_PROVEN,
	PLAN_TLS_UNKNOWN,	/* could not be found out now */
	PLAN_TLS_LATER		/* only the second stage will know how Postfix delivers */
};

/* Which password a PDF for one recipient gets. */
enum plan_password {
	PLAN_PASSWORD_OWN = 0,	/* the recipient's, which the vault has */
	PLAN_PASSWORD_CHOSEN,	/* that the sender wrote into the message */
	PLAN_PASSWORD_GENERATED	/* made here; the sender is told, or the hook */
};

/* All that is possible for one recipient. */
struct plan_possible {
	struct vault_possible vault;
	enum plan_tls tls;
	char tls_how[TLS_HOW_MAX];	/* the proof, or why there is none */
	bool alias;			/* Postfix makes other recipients of it */
	enum plan_password password;
};

enum plan_kind {
	PLAN_INSIDE,		/* an own user: in clear, inside */
	PLAN_SEAL,		/* by way */
	PLAN_ROUTED,		/* as it is, over proven TLS only; why has the proof */
	PLAN_LATER,		/* the second stage decides */
	PLAN_UNKNOWN,		/* must be asked again later: why says what failed */
	PLAN_IMPOSSIBLE		/* why says so */
};

#define PLAN_WHY_MAX 400

struct plan {
	enum plan_kind kind;
	unsigned int way;		/* enum conf_way bit for PLAN_SEAL and PLAN_ROUTED */
	enum plan_password password;	/* for PLAN_SEAL by WAY_PDF */
	unsigned int tried;		/* those that were not possible */
	char why[PLAN_WHY_MAX];		/* for the record: what was not possible */
};

/* Is this normalised address one of the tenant's own? */
bool plan_is_inside(const struct conf_tenant *tenant, const char *recipient);

/*
 * Chooses the password by the tenant's order: WAY_PDF is possible then, even where the vault has
 * none for the recipient; or not, where the tenant does not want the recipient's own. brought: what
 * the message has; untold: why its sender cannot be told a generated one. One for a number counts
 * where the sender's or a generated one would, and last where the order has neither.
 */
void plan_passwords(const struct conf_tenant *tenant, enum vault_password_kind brought,
    const char *untold, struct plan_possible *possible);

/* Must anybody be asked for this recipient? (Not for own users who get clear mail.) */
bool plan_needs_vault(const struct conf_tenant *tenant, const char *recipient);

/*
 * Does the plan depend on whether TLS is proven: asked for, or in the order, before what the vault
 * has? Never for own users.
 */
bool plan_needs_proof(const struct conf_tenant *tenant, const char *recipient,
    unsigned int asked, const struct vault_possible *vault);

/*
 * The first way of the tenant's order that is asked for (asked = 0: any) and possible. Ways that
 * the sender asked for by tag count even where they are not in the tenant's order. TLS that is not
 * known is never passed over for a later way.
 */
void plan_make(const struct conf_tenant *tenant, const char *recipient, unsigned int asked,
    const struct plan_possible *possible, struct plan *plan_out);

/*
 * The same without TLS, for what came back because it could not be had; sealed even for own users.
 * What was asked for besides; else the tenant's order; where that has only TLS: envelope, pdf.
 */
void plan_make_sealed(const struct conf_tenant *tenant, unsigned int asked,
    const struct vault_possible *vault, struct plan *plan_out);

#endif
