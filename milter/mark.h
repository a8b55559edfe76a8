/*
 * mark: the header fields by which a flagged message finds its way through Postfix's queue.
 *
 * The value of a mark is made and checked by the vault (id and MAC); here are the names, how they
 * are found in a message, and the digest that binds a mark to its body.
 */
#ifndef SG_MILTER_MARK_H
#define SG_MILTER_MARK_H

#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/vault/vault.h"
#include "milter/message.h"

#define MARK_HEADER "X-Sealgate-Mark"	/* on its way to the second stage; must never leave */
#define MARK_KEPT "X-Sealgate-Kept"	/* inside copies: what comes back is flagged again */
#define MARK_ROUTE "X-Sealgate-Route"	/* which transport delivers: mark_route */
/* RFC 8689: a sender's wish for less TLS; flagged mail does not take it along */
#define MARK_TLS_REQUIRED "TLS-Required"

/* Postfix's {daemon_name} of the second stage's smtpd, set by attach. */
#define MARK_STAGE_DAEMON "SEALGATE"
/* The same of the smtpd to which TLS transports fall back. */
#define MARK_FALLBACK_DAEMON "SEALGATE-FALLBACK"

/*
 * A macro that attach sets (milter_macro_defaults) when it wrote the routes: "front smtp relay", or
 * "stage smtp relay" where Postfix may add or change recipients behind the front, so that only the
 * second stage may route. The words behind are transports that have routes.
 */
#define MARK_ROUTES_MACRO "{sealgate_routes}"

/* What a route is for; the value of MARK_ROUTE is "KIND TRANSPORT" or "KIND TRANSPORT NEXTHOP". */
#define MARK_ROUTE_SEALED "sealed"	/* sealed by us: floor tls.sealed */
#define MARK_ROUTE_TLS "tls"		/* plan tls: proven TLS or nothing */
#define MARK_ROUTE_ANY "any"		/* sealed since TLS could not be had: any peer */

/* SHA-256 of the body as received. */
void mark_digest(const void *body, size_t size, unsigned char digest_out[VAULT_DIGEST_SIZE]);

/* The value of the only field of that name, white space trimmed, folding removed. SG_ENOTFOUND if
 * there is none, SG_EDENIED if there are several. The caller frees. */
MUST_USE enum fail_code mark_find(const struct message *message, const char *name,
    char **value_out, struct fail *f);

#define MARKS_MAX 16	/* looked at in one message; each is a question to the vault */

/*
 * Appends the values of all fields of that name, as mark_find gives them. SG_ELIMIT: with these the
 * list would have more than MARKS_MAX; SG_ENOMEM.
 */
MUST_USE enum fail_code mark_list(const struct message *message, const char *name,
    struct str_list *values, struct fail *f);

#endif
