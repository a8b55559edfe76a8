/*
 * routing: by which transport and to which next hop this Postfix can send mail by SMTP.
 *
 * FILTER, which brings mail to our transports, takes the place of relayhost, transport_maps and
 * their kin. What Postfix would have chosen is kept by one literal line of a table for each
 * choice that it has (tables.h); here the choices are listed, from the tables that can be listed.
 * A choice that is not listed holds its mail back; it never weakens it.
 */
#ifndef SG_GATEWAY_POSTFIX_ROUTING_H
#define SG_GATEWAY_POSTFIX_ROUTING_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/base/str.h"
#include "gateway/postfix/postconf.h"

#define ROUTING_PAIRS_MAX 20000 /* three lines of a table each; every cleanup(8) compiles them */
#define ROUTING_WORD_MAX 255 /* characters of a next hop, as in the filter */
#define ROUTING_SMTP "smtp" /* the transport whose own ones have no name behind theirs */
#define ROUTING_LOCAL "local" /* the transport of local(8), as the filter knows it */

/* What our transports are for: the first word of X-Sealgate-Route, and the transport's name. */
enum routing_kind {
	ROUTING_SEALED = 0, /* mail that we sealed */
	ROUTING_TLS = 1, /* plan tls: proven TLS or nothing */
	ROUTING_ANY = 2, /* sealed since TLS could not be had: any peer */
	ROUTING_KINDS = 3
};

struct routing {
	struct str_list transports; /* services that run smtp(8), ours excepted; sorted */
	struct str_list pairs; /* "smtp [relay.example]:587", sorted, each once */
	struct str_list unlisted; /* sentences: what could not be listed, and why */
	bool late; /* recipients may be added or changed behind the front */
	bool local; /* the transport "local" is local(8), which may forward */
};

/*
 * Lists the choices. conf: the picture of folder with every parameter expanded. Starts postmap.
 * A table that cannot be listed is no failure. routing_free releases.
 */
MUST_USE enum fail_code routing_read(
    const struct postconf *conf, const char *folder, struct routing *out, struct fail *f);
void routing_free(struct routing *routing);

/* "sealed", "tls" or "any". Static. */
const char *routing_word(enum routing_kind kind);
/* Our transport for another: "sealed-tls", "sealed-tls-relay". NULL = no memory. */
char *routing_name(enum routing_kind kind, const char *transport);
/* Has the name of a transport of ours? */
bool routing_is_ours(const char *transport);

/*
 * Puts text into a sorted list unless it is there. SG_ELIMIT at ROUTING_PAIRS_MAX, SG_ENOMEM.
 */
MUST_USE enum fail_code routing_put(struct str_list *sorted, const char *text);

#endif
