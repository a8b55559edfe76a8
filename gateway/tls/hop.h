/*
 * hop: a next hop as Postfix spells it, taken apart.
 *
 * Postfix asks with the whole destination: "partner.example", "partner.example:587",
 * "[relay.example]", "[relay.example]:587", "[192.0.2.1]:25"; after a "not found" for a domain also
 * with its parents, ".example" (smtp_tls_policy.c). Pure; allocates only for names that are not
 * plain ASCII.
 */
#ifndef SG_GATEWAY_TLS_HOP_H
#define SG_GATEWAY_TLS_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "config/address.h"

#define HOP_TEXT_MAX 280	/* bytes with NUL: a name of 253, brackets and a port */
#define HOP_PORT 25

struct hop {
	char text[HOP_TEXT_MAX];		/* as asked, lower case; cut if longer */
	char key[HOP_TEXT_MAX];			/* the one spelling: A-labels, no ":25" */
	char name[ADDRESS_DOMAIN_MAX + 1];	/* domain or host; of a literal: the address */
	uint16_t port;
	bool direct;	/* in brackets: a host, no MX is looked up */
	bool literal;	/* an address, a socket's path, no name at all: nothing can be published */
	bool parent;	/* ".example": Postfix looks for a policy of a parent domain */
};

/* Always succeeds: what is no name is a literal. */
void hop_parse(const char *text, struct hop *hop_out);

#endif
