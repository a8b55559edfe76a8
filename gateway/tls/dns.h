/*
 * dns: DNS answers by libunbound, validated here, asynchronous. One thread asks; libunbound has a
 * thread of its own for the work. A question is answered within the time-out, once.
 */
#ifndef SG_GATEWAY_TLS_DNS_H
#define SG_GATEWAY_TLS_DNS_H

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/tls/source.h"

struct dns;

/*
 * Forwards to conf's tls.resolvers, or to those of /etc/resolv.conf; the trust anchor's file is
 * read now. Every question ends after three quarters of tls.timeout, so that a policy can still be
 * answered. SG_EUSAGE: the anchor or a resolver cannot be used; SG_ENOMEM, SG_ESYSTEM.
 */
MUST_USE enum fail_code dns_new(const struct conf *conf, const struct clock *clock,
    struct dns **dns_out, struct fail *f);
/* Open questions are answered as failed. */
void dns_free(struct dns *dns);

/* As struct source's dns. */
void dns_ask(struct dns *dns, const char *name, int type, source_dns_fn *done, void *context);

/* Readable when dns_process must be called. */
int dns_fd(const struct dns *dns);
/* Milliseconds until the next question ends in vain, or -1. */
int dns_timeout_ms(const struct dns *dns);
/* Gives the answers that are there. */
void dns_process(struct dns *dns);

#endif
