/*
 * policy_part: what the files of the policy engine share. Internal to it.
 *
 * policy.c asks and keeps house, policy_run.c runs lookups, policy_answer.c makes answers of what
 * was found, policy_explain.c explains.
 */
#ifndef SG_GATEWAY_TLS_POLICY_PART_H
#define SG_GATEWAY_TLS_POLICY_PART_H

#include "gateway/tls/cache.h"
#include "gateway/tls/hop.h"
#include "gateway/tls/policy.h"
#include "gateway/tls/policy_look.h"
#include "gateway/tls/rule.h"

#define POLICY_DAY_MS (INT64_C(24) * 3600 * 1000)

struct policy {
	const struct conf *conf;	/* borrowed */
	const struct source *source;	/* borrowed */
	const struct clock *clock;	/* borrowed */
	struct rules_index rules;
	bool rules_known;		/* false: no memory for them, nothing may be answered */
	bool had_dane;			/* what the lookups in the cache covered */
	bool had_sts;
	struct cache cache;
	struct policy_counts counts;
	struct policy_run *runs;
	size_t refreshing;
	size_t tend_at;			/* the bucket that is looked at next */
};

/* Who waits for a lookup. */
struct policy_waiter {
	struct policy_waiter *next;
	struct hop hop;
	enum policy_map map;
	bool prove;
	bool relayed;
	policy_done_fn *done;
	void *context;
};

struct policy_explain;

/* A lookup under way: for an entry of the cache, or for an explanation. */
struct policy_run {
	struct policy *policy;
	struct policy_run *next;
	struct policy_run *previous;
	struct cache_entry *entry;	/* or NULL */
	struct policy_explain *explain;	/* or NULL */
	struct look *look;
	struct policy_waiter *waiters;	/* in order */
	int64_t deadline_ms;
	bool refresh;			/* nobody asked for it */
};

/* ---- policy_answer.c ---- */

/* A rule, the fallback listener or a literal: the answer needs no lookup. */
bool policy_is_known(const struct policy *policy, enum policy_map map, const struct hop *hop);
/* The answer for a map; found may be NULL: nothing is published. */
void policy_compose(const struct policy *policy, enum policy_map map, const struct hop *hop,
    const struct cache_found *found, int64_t ttl_ms, struct policy_answer *answer_out);
/* The answer of policy_prove. */
void policy_compose_proof(const struct policy *policy, const struct hop *hop, bool relayed,
    const struct cache_found *found, int64_t ttl_ms, struct policy_answer *answer_out);
/* A temporary answer that says why. */
void policy_compose_failure(const char *why, struct policy_answer *answer_out);
/* Is it known without a lookup whether delivery to hop can be proven? */
bool policy_proof_is_known(const struct policy *policy, const struct hop *hop, bool relayed);

/* ---- policy_run.c ---- */

/* Starts a lookup for entry or explain; it may be over when this returns. SG_ENOMEM. */
MUST_USE enum fail_code policy_run_start(struct policy *policy, const struct hop *hop,
    struct cache_entry *entry, struct policy_explain *explain, struct policy_waiter *waiter);
/* One more waits. */
void policy_run_join(struct policy_run *run, struct policy_waiter *waiter);
/* Ends those that took too long. */
void policy_run_expire(struct policy *policy);
/* Ends all without answering. */
void policy_run_stop(struct policy *policy);
/* Looks up entry again before it ends. */
void policy_run_refresh(struct policy *policy, struct cache_entry *entry);
/* Answers one who waits, from what was found. */
void policy_give(struct policy *policy, const struct policy_waiter *waiter,
    const struct cache_found *found, int64_t ttl_ms);

/* ---- policy_explain.c ---- */

/* The lookup is over; result is NULL if it took too long. Frees explain. */
void policy_explain_end(struct policy *policy, struct policy_explain *explain,
    struct look_result *result);
void policy_explain_free(struct policy_explain *explain);
struct policy_notes *policy_explain_notes(struct policy_explain *explain);

#endif
