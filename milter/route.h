/*
 * route: by which transport of ours a recipient's mail leaves, as the value of X-Sealgate-Route.
 *
 * FILTER takes the place of what Postfix had chosen for a recipient, so that its choice is kept
 * here: the transport and next hop that it tells for each recipient ({rcpt_mailer}, {rcpt_host}).
 * Postfix' tables know fixed, literal values only; they are made in one way, here. Pure.
 */
#ifndef SG_MILTER_ROUTE_H
#define SG_MILTER_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/base/str.h"

#define ROUTE_MAILER_MAX 64	/* characters of a transport's name; real ones have below 20 */
#define ROUTE_HOP_MAX 255	/* characters of a next hop: a host name, brackets and a port */

/* What Postfix would do with one recipient. Both NULL: it did not say (sendmail(1)'s mail). */
struct delivery {
	char *mailer;	/* {rcpt_mailer}: "smtp", "local", "error" */
	char *hop;	/* {rcpt_host}: "partner.example", "[relay.example]:587" */
};

/* One for each recipient of a message, in their order. Zero-initialise to start. */
struct deliveries {
	struct delivery *items;
	size_t count;
	size_t room;
};

/* Appends copies; either may be NULL. SG_ENOMEM. */
MUST_USE enum fail_code deliveries_add(struct deliveries *deliveries, const char *mailer,
    const char *hop);
void deliveries_free(struct deliveries *deliveries);	/* empty again */

/*
 * A recipient that Postfix refuses itself: "error" with a bare status ("5.1.1") as its host. One
 * with words there ("User unknown in virtual alias table") is real: see delivery_is_alias.
 */
bool delivery_is_refused(const char *mailer, const char *hop);
/* An address of a virtual alias domain: Postfix makes other recipients of it behind the front. */
bool delivery_is_alias(const struct delivery *delivery);
/* Is the next hop the recipient's own domain, so that no relay stands between? */
bool delivery_is_own(const struct delivery *delivery, const char *recipient);

enum routes_by {
	ROUTES_NONE = 0,	/* Postfix has no routes of ours */
	ROUTES_FRONT,		/* the front may route */
	ROUTES_STAGE		/* recipients may change behind the front: the second stage alone */
};

/* What attach told by MARK_ROUTES_MACRO. */
struct routes {
	enum routes_by by;
	struct str_list mailers;	/* transports that have routes */
};

/* macro may be NULL; what is not understood counts as none. SG_ENOMEM. */
MUST_USE enum fail_code routes_parse(const char *macro, struct routes *routes_out);
void routes_free(struct routes *routes);

/* Has the transport of this delivery routes? false also when Postfix did not say which it is. */
bool routes_have(const struct routes *routes, const struct delivery *delivery);

/*
 * " KIND MAILER" or " KIND MAILER NEXTHOP" for kind (MARK_ROUTE_...); the caller frees. SG_EPEER
 * (temporary): Postfix did not say, or what it said has white space, control or other than ASCII
 * characters, or is too long: no table could know it.
 */
MUST_USE enum fail_code route_value(const char *kind, const struct delivery *delivery,
    const char *recipient, char **value_out, struct fail *f);

#endif
