/*
 * show: a plan for people (like a diff) and for programs (JSON). Pure.
 */
#ifndef SG_GATEWAY_POSTFIX_SHOW_H
#define SG_GATEWAY_POSTFIX_SHOW_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/postfix/plan.h"

/* "- " and "+ " lines under the name of each file. SG_ENOMEM, SG_ELIMIT. */
MUST_USE enum fail_code show_text(const struct plan *plan, struct buf *out);
/* [{"file": "main.cf", "service": null, "parameter": "x", "old": null, "new": "y"}, ...] */
MUST_USE enum fail_code show_json(const struct plan *plan, struct buf *out);

#endif
