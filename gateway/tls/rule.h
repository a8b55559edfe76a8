/*
 * rule: the administrator's TLS rules for next hops, found by name, and as Postfix's text.
 *
 * A rule is found by the hop as it was asked, by its one spelling ("[relay.example]:587"), and, for
 * hops without brackets, by the domain and then by ".parent" from the longest to the shortest.
 * Hops in brackets never match a domain's rule, as in Postfix. The index is read-only.
 */
#ifndef SG_GATEWAY_TLS_RULE_H
#define SG_GATEWAY_TLS_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "gateway/tls/hop.h"

struct rules_index {
	const struct conf_hop **sorted;	/* by name; borrowed rows of the configuration */
	size_t count;
};

/* SG_ENOMEM. conf must outlive the index. */
MUST_USE enum fail_code rule_index(const struct conf *conf, struct rules_index *index_out);
void rule_index_free(struct rules_index *index);

/* The rule that counts now for hop, or NULL. Rules whose end is over do not count. */
const struct conf_hop *rule_find(const struct rules_index *index, const struct hop *hop,
    int64_t wall_ms);

/* Does delivery under this rule prove who the peer is? */
bool rule_proves(const struct conf_hop *rule);

/*
 * "verify match=mx.example:.example", "fingerprint match=AB:CD|EF:01" (Postfix splits fingerprints
 * at "|" and names at ":", smtp_tls_policy.c). False: it does not fit into room.
 */
bool rule_text(const struct conf_hop *rule, char *out, size_t room);

#endif
