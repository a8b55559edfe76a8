/*
 * follow: reads Postfix's log for ever and tells the vault, so that nothing is lost or told twice.
 *
 * Facts and the position behind their lines become durable together. When the vault does not
 * answer, reading waits; whether it had taken the facts before it went away, its position tells.
 * One thread.
 */
#ifndef SG_GATEWAY_TRACE_FOLLOW_H
#define SG_GATEWAY_TRACE_FOLLOW_H

#include "gateway/trace/join.h"
#include "gateway/trace/source.h"
#include "gateway/vault/vault.h"

struct follow {
	struct source *source;		/* borrowed */
	struct join_ports ports;
	struct vault vault;
	int control;			/* the end when it can be read */
	struct counters *counters;	/* NULL: nobody counts */
};

/* Until control can be read. Trouble is logged and waited for. SG_ENOMEM. */
MUST_USE enum fail_code follow_run(const struct follow *follow, struct fail *f);

#endif
