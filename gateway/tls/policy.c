#include "gateway/tls/policy.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/policy_part.h"

#define TEND_MS 1000			/* between two calls of policy_tend */
#define TEND_SLICES ((size_t)16)	/* so the whole cache is looked at every 16 s */
#define REFRESH_MAX ((size_t)32)	/* at once, beside what is asked for */
#define AHEAD_MIN_MS (INT64_C(20) * 1000)	/* more than the 16 s */
#define AHEAD_MAX_MS (INT64_C(600) * 1000)
#define STS_CARE_MS (30 * POLICY_DAY_MS)	/* for domains that still get mail */

/* ---- life ---- */

struct policy *policy_new(const struct conf *conf, const struct source *source,
    const struct clock *clock)
{
	struct policy *policy = calloc(1, sizeof *policy);

	if (policy == NULL)
		return NULL;
	policy->conf = conf;
	policy->had_dane = conf->tls.dane;
	policy->had_sts = conf->tls.mta_sts;
	policy->source = source;
	policy->clock = clock;
	cache_init(&policy->cache, conf->tls.cache_max);
	if (rule_index(conf, &policy->rules) != SG_OK) {
		policy_free(policy);
		return NULL;
	}
	policy->rules_known = true;
	return policy;
}

void policy_free(struct policy *policy)
{
	if (policy == NULL)
		return;
	policy_run_stop(policy);
	cache_free(&policy->cache);
	rule_index_free(&policy->rules);
	free(policy);
}

/* What was looked up while DANE or MTA-STS was off says nothing about it. */
static void forget_all(struct policy *policy)
{
	struct cache_entry *entry;

	for (entry = policy->cache.newest; entry != NULL; entry = entry->older)
		entry->until_ms = 0;
}

void policy_use_conf(struct policy *policy, const struct conf *conf)
{
	bool more = (conf->tls.dane && !policy->had_dane) ||
	    (conf->tls.mta_sts && !policy->had_sts);

	rule_index_free(&policy->rules);
	policy->conf = conf;
	policy->had_dane = conf->tls.dane;
	policy->had_sts = conf->tls.mta_sts;
	policy->rules_known = rule_index(conf, &policy->rules) == SG_OK;
	cache_set_max(&policy->cache, conf->tls.cache_max);
	if (more)
		forget_all(policy);
}

/* ---- asking ---- */

/* An entry that may be answered from. */
static bool is_fresh(const struct policy *policy, const struct cache_entry *entry)
{
	return entry != NULL && entry->until_ms > clock_mono_ms(policy->clock);
}

static void fail(struct policy *policy, const struct policy_waiter *waiter, const char *why)
{
	struct policy_answer answer;

	policy_compose_failure(why, &answer);
	if (!waiter->prove)
		policy->counts.temporary[waiter->map]++;
	waiter->done(waiter->context, &answer);
}

static void look_up(struct policy *policy, const struct policy_waiter *asker)
{
	struct policy_waiter *waiter = malloc(sizeof *waiter);
	struct cache_entry *entry = cache_put(&policy->cache, asker->hop.key);

	policy->counts.cache_misses++;
	if (entry != NULL)
		entry->asked_ms = clock_mono_ms(policy->clock);
	if (waiter == NULL || entry == NULL) {
		free(waiter);
		fail(policy, asker, "no memory");
		return;
	}
	*waiter = *asker;
	if (entry->run != NULL) {
		policy_run_join(entry->run, waiter);
	} else if (policy_run_start(policy, &asker->hop, entry, NULL, waiter) != SG_OK) {
		free(waiter);
		fail(policy, asker, "no memory");
	}
}

static void ask(struct policy *policy, const struct policy_waiter *asker, bool known)
{
	struct cache_entry *entry;

	if (known) {
		policy_give(policy, asker, NULL, POLICY_DAY_MS);
		return;
	}
	entry = cache_find(&policy->cache, asker->hop.key);
	if (!is_fresh(policy, entry)) {
		look_up(policy, asker);
		return;
	}
	policy->counts.cache_hits++;
	entry->used = true;
	entry->asked_ms = clock_mono_ms(policy->clock);
	policy_give(policy, asker, &entry->found, entry->until_ms - entry->asked_ms);
}

/* False: there was no memory for the rules, and there is none now. */
static bool have_rules(struct policy *policy)
{
	if (!policy->rules_known)
		policy->rules_known = rule_index(policy->conf, &policy->rules) == SG_OK;
	return policy->rules_known;
}

void policy_ask(struct policy *policy, enum policy_map map, const char *hop, policy_done_fn *done,
    void *context)
{
	struct policy_waiter asker;

	asker.next = NULL;
	asker.map = map;
	asker.prove = false;
	asker.relayed = false;
	asker.done = done;
	asker.context = context;
	hop_parse(hop, &asker.hop);
	if (have_rules(policy))
		ask(policy, &asker, policy_is_known(policy, map, &asker.hop));
	else
		fail(policy, &asker, "no memory");
}

void policy_prove(struct policy *policy, const char *hop, bool relayed, policy_done_fn *done,
    void *context)
{
	struct policy_waiter asker;

	asker.next = NULL;
	asker.map = POLICY_PROVEN;
	asker.prove = true;
	asker.relayed = relayed;
	asker.done = done;
	asker.context = context;
	hop_parse(hop, &asker.hop);
	if (have_rules(policy))
		ask(policy, &asker, policy_proof_is_known(policy, &asker.hop, relayed));
	else
		fail(policy, &asker, "no memory");
}

/* ---- care ---- */

static bool wants_refresh(const struct cache_entry *entry, int64_t now_ms)
{
	int64_t ahead_ms = (entry->until_ms - entry->looked_ms) / 4;

	if (ahead_ms < AHEAD_MIN_MS)
		ahead_ms = AHEAD_MIN_MS;
	if (ahead_ms > AHEAD_MAX_MS)
		ahead_ms = AHEAD_MAX_MS;
	return entry->used && now_ms >= entry->until_ms - ahead_ms;
}

/* RFC 8461, 3.3 and 5.1: a kept policy is fetched again daily, long before its end. */
static bool wants_policy(const struct cache_entry *entry, int64_t now_ms, int64_t wall_ms)
{
	return cache_sts_live(entry->found.sts, wall_ms) &&
	    wall_ms - entry->sts_tried_ms >= LOOK_STS_AGAIN_MS &&
	    now_ms - entry->asked_ms < STS_CARE_MS;
}

static void tend_entry(struct policy *policy, struct cache_entry *entry, int64_t now_ms,
    int64_t wall_ms)
{
	if (entry->run != NULL)
		return;
	if (entry->until_ms <= now_ms && !cache_sts_live(entry->found.sts, wall_ms) &&
	    !entry->used) {
		cache_remove(&policy->cache, entry);
		return;
	}
	if (policy->refreshing >= REFRESH_MAX || now_ms < entry->retry_ms)
		return;
	if (wants_refresh(entry, now_ms) || wants_policy(entry, now_ms, wall_ms))
		policy_run_refresh(policy, entry);
}

static void tend_bucket(struct policy *policy, size_t bucket, int64_t now_ms, int64_t wall_ms)
{
	struct cache_entry *entry = policy->cache.buckets[bucket];

	while (entry != NULL) {
		struct cache_entry *next = entry->next;

		tend_entry(policy, entry, now_ms, wall_ms);
		entry = next;
	}
}

void policy_tend(struct policy *policy)
{
	int64_t now_ms = clock_mono_ms(policy->clock);
	int64_t wall_ms = clock_wall_ms(policy->clock);
	size_t count = policy->cache.bucket_count;
	size_t left = count / TEND_SLICES;

	policy_run_expire(policy);
	while (left > 0 && count == policy->cache.bucket_count) {
		policy->tend_at = (policy->tend_at + 1) & (count - 1);
		tend_bucket(policy, policy->tend_at, now_ms, wall_ms);
		left--;
	}
}

int policy_wait_ms(const struct policy *policy)
{
	int64_t now_ms = clock_mono_ms(policy->clock);
	int64_t wait_ms = TEND_MS;
	const struct policy_run *run;

	for (run = policy->runs; run != NULL; run = run->next) {
		if (run->deadline_ms - now_ms < wait_ms)
			wait_ms = run->deadline_ms - now_ms;
	}
	return wait_ms > 0 ? (int)wait_ms : 0;
}

enum fail_code policy_save(const struct policy *policy, struct buf *out, struct fail *f)
{
	return cache_save(&policy->cache, policy->clock, out, f);
}

enum fail_code policy_load(struct policy *policy, const void *data, size_t size, struct fail *f)
{
	enum fail_code code = cache_load(&policy->cache, policy->clock, data, size, f);

	if (code != SG_OK && policy->runs == NULL) {
		cache_free(&policy->cache);
		cache_init(&policy->cache, policy->conf->tls.cache_max);
	}
	return code;
}

void policy_counts(const struct policy *policy, struct policy_counts *counts_out)
{
	*counts_out = policy->counts;
	counts_out->cached = policy->cache.count;
	counts_out->evicted = policy->cache.evicted;
}

/* ---- for reports ---- */

/* "mx.example: 3 1 1 ..." without the names. NULL = no memory. */
static char *records_alone(const char *lines)
{
	char *copy = str_dup(lines == NULL ? "" : lines);
	char *out = copy;
	const char *at = copy;

	while (at != NULL && *at != '\0') {
		size_t size = strcspn(at, "\n");
		const char *colon = memchr(at, ':', size);
		const char *from = colon == NULL ? at : colon + 2;
		size_t kept = size - (size_t)(from - at);
		bool last = at[size] == '\0';

		memmove(out, from, kept);
		out += kept;
		if (last)
			break;
		*out++ = '\n';
		at += size + 1;
	}
	if (copy != NULL)
		*out = '\0';
	return copy;
}

bool policy_published(const struct policy *policy, const char *domain,
    struct policy_published *published_out)
{
	const struct cache_entry *entry;
	const struct cache_sts *sts;
	struct hop hop;

	memset(published_out, 0, sizeof *published_out);
	hop_parse(domain, &hop);
	entry = cache_peek(&policy->cache, hop.key);
	if (entry == NULL || entry->until_ms == 0 || entry->found.dane == CACHE_DANE_FAILED)
		return false;
	sts = entry->found.sts;
	published_out->source = POLICY_BY_NOTHING;
	if (entry->found.dane != CACHE_DANE_NONE) {
		published_out->source = POLICY_BY_DANE;
		published_out->strings = records_alone(entry->found.tlsa);
	} else if (cache_sts_live(sts, clock_wall_ms(policy->clock)) &&
	    sts->policy.mode != STS_MODE_NONE) {
		published_out->source = POLICY_BY_STS;
		published_out->strings = str_dup(sts->policy.lines);
		published_out->mx_patterns = str_dup(sts->policy.mxs);
	}
	return true;
}

void policy_published_free(struct policy_published *published)
{
	free(published->strings);
	free(published->mx_patterns);
	memset(published, 0, sizeof *published);
}
