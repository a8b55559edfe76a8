/*
 * live: the real source of policies: DNS by libunbound (dns.h), files by libcurl (https.h).
 *
 * For one event loop, one thread: source_live_fd() is an epoll descriptor, readable when
 * there is something to do, so that it can stand in another epoll or in poll(2). Call
 * source_live_process() then, and when source_live_timeout_ms() is over. Answers are given from
 * source_live_process() alone, or before the question returns.
 */
#ifndef SG_GATEWAY_TLS_LIVE_H
#define SG_GATEWAY_TLS_LIVE_H

#include <poll.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/tls/source.h"

struct source_live;

/*
 * Reads conf's tls.resolvers (or resolv.conf), tls.trust_anchor and tls.ca_file at once: later no
 * file is opened, so it may be made before the sandbox; libunbound's thread starts with the first
 * question, inside it. conf is not kept. SG_EUSAGE, SG_ENOMEM, SG_ESYSTEM.
 */
MUST_USE enum fail_code source_live_new(const struct conf *conf, const struct clock *clock,
    struct source_live **live_out, struct fail *f);
/* What was asked and not answered is answered as failed: free the policy engine before. */
void source_live_free(struct source_live *live);

/* The table for policy_new; borrowed from live. */
const struct source *source_live_source(const struct source_live *live);

/* An epoll descriptor, readable when source_live_process must be called. */
int source_live_fd(const struct source_live *live);
/* The same for poll(2): fills up to max of fds, returns how many. */
size_t source_live_poll_fds(const struct source_live *live, struct pollfd *fds, size_t max);
/* Milliseconds until source_live_process must be called at the latest; -1: only when readable. */
int source_live_timeout_ms(const struct source_live *live);
/* Does what can be done now; never waits. */
void source_live_process(struct source_live *live);

#endif
