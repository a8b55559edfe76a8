/*
 * serve_check: an explanation as JSON, and as text from that JSON. Pure.
 *
 * Keys are stable: scripts read them. The text fits an 80-column terminal.
 */
#ifndef SG_GATEWAY_TLS_SERVE_CHECK_H
#define SG_GATEWAY_TLS_SERVE_CHECK_H

#include <jansson.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/tls/connect.h"
#include "gateway/tls/policy.h"

/* A fresh object; NULL: no memory. */
json_t *check_json(const char *hop, const struct policy_explanation *explanation);
/* One trial as an object; NULL: no memory. */
json_t *check_json_trial(const struct connect_target *target,
    const struct connect_result *result);
/* Says in "verdict" what the trials below "mx" found, too. */
void check_json_verdict(json_t *root);

/* Verdict first, then the policies, the servers, the steps. */
MUST_USE enum fail_code check_text(const json_t *root, struct buf *out);

#endif
