/*
 * show: the page of counters as text: for Prometheus, and for who asks whether all is well. Pure.
 *
 * Label sets are fixed: no address, domain, tenant or host ever becomes one.
 */
#ifndef SG_GATEWAY_HEALTH_SHOW_H
#define SG_GATEWAY_HEALTH_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/counters.h"
#include "gateway/base/fail.h"

#define SHOW_TEXT_MAX ((size_t)64 * 1024)	/* bytes */

/* Prometheus' text format, version 0.0.4. now_ms: monotonic, as counters_beat has it. */
MUST_USE enum fail_code show_metrics(const struct counters *counters, int64_t now_ms,
    struct buf *out);

/*
 * Is the gateway ready: started, and every worker there and going on? A line for each that is not
 * is appended, or "ready".
 */
MUST_USE enum fail_code show_ready(const struct counters *counters, int64_t now_ms,
    bool *ready_out, struct buf *out);

#endif
