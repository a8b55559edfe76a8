/*
 * metrics: counters in Prometheus' text format. Pure.
 *
 * Label sets are fixed: no domain, address or host name ever becomes one.
 */
#ifndef SG_GATEWAY_TLS_METRICS_H
#define SG_GATEWAY_TLS_METRICS_H

#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/tls/policy.h"

#define METRICS_TEXT_MAX ((size_t)64 * 1024)	/* bytes */

/* What the server counts beside the engine. */
struct metrics {
	uint64_t started_s;		/* since 1970 */
	uint64_t requests[POLICY_MAPS];
	uint64_t requests_refused;	/* PERM, or no netstring */
	uint64_t proofs[3];		/* by enum tls_answer */
	uint64_t events[4];		/* by enum tls_event */
	uint64_t reports_sent;
	uint64_t reports_failed;
	uint64_t connections[2];	/* now: Postfix's, the filter's */
	uint64_t dropped;		/* too slow, or one too many */
};

/* Appends all of it. */
MUST_USE enum fail_code metrics_put(const struct metrics *metrics,
    const struct policy_counts *counts, struct buf *out);

#endif
