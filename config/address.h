/*
 * address: domains and networks in the one spelling in which they are compared.
 *
 * Domains are lower case, without a dot at the end, non-ASCII labels as A-labels (IDNA2008 with
 * UTS #46 non-transitional mapping, by libidn2). Pure; no file is read, no locale matters.
 */
#ifndef SG_CONFIG_ADDRESS_H
#define SG_CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"

#define ADDRESS_DOMAIN_MAX 253	/* bytes, RFC 1035 */
#define ADDRESS_LABEL_MAX 63
#define ADDRESS_LOCAL_MAX 256	/* bytes; RFC 5321 says 64, but longer ones are seen (VERP) */
#define ADDRESS_MAX (ADDRESS_LOCAL_MAX + 1 + ADDRESS_DOMAIN_MAX)

/* SG_EFORMAT if text is no domain, SG_ENOMEM. An address literal stays. The caller frees. */
MUST_USE enum fail_code address_domain(const char *text, size_t size, char **domain_out,
    struct fail *f);

/*
 * True if the client's address lies in network ("192.0.2.0/24", "2001:db8::/32", "::1"). IPv4 in
 * IPv6 (::ffff:192.0.2.1) counts as IPv4; "IPv6:" before an address, as Postfix's macros write it,
 * is skipped. Anything malformed lies nowhere.
 */
bool address_in_network(const char *address, const char *network);
/* SG_EFORMAT unless network is an address or an address/bits with no bit set behind the prefix. */
MUST_USE enum fail_code address_check_network(const char *network, struct fail *f);

/* True if text matches pattern, in which "*" stands for any characters; ASCII case is ignored. */
bool address_like(const char *text, const char *pattern);

#endif
