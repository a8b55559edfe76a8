/* Lookups under way, what is kept of them and for how long. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/policy_part.h"

#define LIFE_MIN_MS (INT64_C(60) * 1000)
#define FAILED_MIN_MS (INT64_C(30) * 1000)
#define FAILED_MAX_MS (INT64_C(300) * 1000)	/* also where MTA-STS is in trouble */

void policy_give(struct policy *policy, const struct policy_waiter *waiter,
    const struct cache_found *found, int64_t ttl_ms)
{
	struct policy_answer answer;

	if (waiter->prove) {
		policy_compose_proof(policy, &waiter->hop, waiter->relayed, found, ttl_ms,
		    &answer);
	} else {
		policy_compose(policy, waiter->map, &waiter->hop, found, ttl_ms, &answer);
		if (answer.kind == POLICY_TEMPORARY)
			policy->counts.temporary[waiter->map]++;
		else
			policy->counts.answers[waiter->map][answer.source]++;
	}
	waiter->done(waiter->context, &answer);
}

/* ---- what is kept ---- */

static int64_t backoff_ms(unsigned char failures)
{
	int64_t wait_ms = FAILED_MIN_MS;

	while (failures > 1 && wait_ms < FAILED_MAX_MS) {
		wait_ms *= 2;
		failures--;
	}
	return wait_ms < FAILED_MAX_MS ? wait_ms : FAILED_MAX_MS;
}

static int64_t life_ms(const struct cache_entry *entry, int64_t ttl_ms, int64_t wall_ms)
{
	const struct cache_found *found = &entry->found;
	int64_t life = ttl_ms < LIFE_MIN_MS ? LIFE_MIN_MS : ttl_ms;

	if (life > POLICY_DAY_MS)
		life = POLICY_DAY_MS;
	if (found->trouble != CACHE_STS_FINE && life > FAILED_MAX_MS)
		life = FAILED_MAX_MS;
	if (found->sts != NULL && cache_sts_until_ms(found->sts) - wall_ms < life)
		life = cache_sts_until_ms(found->sts) - wall_ms;
	return life > 0 ? life : 1;
}

/* A policy counts until its max_age is over, whatever became of the record (RFC 8461, 5.1). */
static void carry_sts(struct cache_found *to, struct cache_found *from, bool trouble_too,
    int64_t wall_ms)
{
	if (to->sts == NULL && cache_sts_live(from->sts, wall_ms)) {
		to->sts = from->sts;
		from->sts = NULL;
	}
	if (trouble_too) {
		to->trouble = from->trouble;
		free(to->sts_why);
		to->sts_why = from->sts_why;
		from->sts_why = NULL;
	}
}

static void keep(struct policy *policy, struct cache_entry *entry, struct look_result *result)
{
	int64_t now_ms = clock_mono_ms(policy->clock);
	int64_t wall_ms = clock_wall_ms(policy->clock);
	bool failed = result->found.dane == CACHE_DANE_FAILED;
	struct cache_found found;

	if (failed && entry->failures < UCHAR_MAX)
		entry->failures++;
	if (!failed)
		entry->failures = 0;
	if (result->sts_tried)
		entry->sts_tried_ms = wall_ms;
	entry->retry_ms = failed ? now_ms + backoff_ms(entry->failures) : now_ms;
	/* a refresh in vain: what is known counts to its end */
	if (failed && entry->until_ms > now_ms && entry->found.dane != CACHE_DANE_FAILED)
		return;
	found = result->found;
	memset(&result->found, 0, sizeof result->found);
	carry_sts(&found, &entry->found, result->sts_kept, wall_ms);
	cache_found_free(&entry->found);
	entry->found = found;
	entry->looked_ms = now_ms;
	entry->used = false;
	entry->until_ms = failed ? entry->retry_ms :
	    now_ms + life_ms(entry, result->ttl_ms, wall_ms);
}

/* ---- begin and end ---- */

static void unlink_run(struct policy_run *run)
{
	struct policy *policy = run->policy;

	SG_BUG_IF((run->previous == NULL) != (policy->runs == run));
	if (run->previous != NULL)
		run->previous->next = run->next;
	else
		policy->runs = run->next;
	if (run->next != NULL)
		run->next->previous = run->previous;
	if (run->refresh)
		policy->refreshing--;
}

/* The entry stays held until all are answered: whoever is called may ask again. */
static void answer_waiters(struct policy_run *run)
{
	struct cache_entry *entry = run->entry;
	int64_t ttl_ms = entry->until_ms - clock_mono_ms(run->policy->clock);

	while (run->waiters != NULL) {
		struct policy_waiter *waiter = run->waiters;

		run->waiters = waiter->next;
		policy_give(run->policy, waiter, &entry->found, ttl_ms);
		free(waiter);
	}
	entry->run = NULL;
}

static void count(struct policy *policy, const struct policy_run *run,
    const struct look_result *result)
{
	policy->counts.dns_failures += result->dns_failures;
	policy->counts.dns_bogus += result->dns_bogus;
	policy->counts.sts_failures += result->sts_failures;
	if (run->refresh)
		policy->counts.refreshed++;
}

static void on_look(void *context, struct look_result *result)
{
	struct policy_run *run = context;
	struct policy *policy = run->policy;

	count(policy, run, result);
	unlink_run(run);
	if (run->explain != NULL) {
		policy_explain_end(policy, run->explain, result);
	} else {
		keep(policy, run->entry, result);
		answer_waiters(run);
	}
	free(run);
}

static void give_up(struct policy_run *run)
{
	struct policy *policy = run->policy;
	struct look_result result;

	memset(&result, 0, sizeof result);
	result.found.dane = CACHE_DANE_FAILED;
	result.found.how = str_printf("no answer to all lookups within %lld s",
	    (long long)(policy->conf->tls.timeout_ms / 1000));
	result.dns_failures = 1;
	result.sts_kept = true;
	look_abandon(run->look);
	on_look(run, &result);
	cache_found_free(&result.found);
}

/*
 * Whoever is called may ask again: such runs begin before the others, and of runs none but those
 * ends here.
 */
void policy_run_expire(struct policy *policy)
{
	int64_t now_ms = clock_mono_ms(policy->clock);
	struct policy_run *run = policy->runs;

	while (run != NULL) {
		struct policy_run *next = run->next;

		if (now_ms >= run->deadline_ms)
			give_up(run);
		run = next;
	}
}

void policy_run_stop(struct policy *policy)
{
	struct policy_run *run = policy->runs;

	while (run != NULL) {
		struct policy_run *next = run->next;

		look_abandon(run->look);
		unlink_run(run);
		if (run->entry != NULL)
			run->entry->run = NULL;
		while (run->waiters != NULL) {
			struct policy_waiter *waiter = run->waiters;

			run->waiters = waiter->next;
			free(waiter);
		}
		policy_explain_free(run->explain);
		free(run);
		run = next;
	}
}

static void fill_setting(const struct policy *policy, const struct cache_entry *entry,
    struct policy_explain *explain, struct look_setting *setting)
{
	const struct cache_sts *sts = entry == NULL ? NULL : entry->found.sts;

	memset(setting, 0, sizeof *setting);
	setting->source = policy->source;
	setting->wall_ms = clock_wall_ms(policy->clock);
	setting->dane = policy->conf->tls.dane;
	setting->mta_sts = policy->conf->tls.mta_sts;
	if (explain != NULL) {
		setting->everything = true;
		setting->notes = policy_explain_notes(explain);
	}
	if (entry == NULL)
		return;
	setting->sts_live = cache_sts_live(sts, setting->wall_ms);
	setting->sts_tried_ms = entry->sts_tried_ms;
	setting->sts_failed = entry->found.trouble >= CACHE_STS_FETCH;
	if (sts == NULL)
		return;
	memcpy(setting->sts_id, sts->id, sizeof setting->sts_id);
	setting->sts_fetched_ms = sts->fetched_ms;
}

void policy_run_join(struct policy_run *run, struct policy_waiter *waiter)
{
	struct policy_waiter **at = &run->waiters;

	while (*at != NULL)
		at = &(*at)->next;
	*at = waiter;
}

enum fail_code policy_run_start(struct policy *policy, const struct hop *hop,
    struct cache_entry *entry, struct policy_explain *explain, struct policy_waiter *waiter)
{
	struct policy_run *run = calloc(1, sizeof *run);
	struct look_setting setting;
	enum fail_code code;

	if (run == NULL)
		return SG_ENOMEM;
	run->policy = policy;
	run->entry = entry;
	run->explain = explain;
	run->waiters = waiter;
	run->refresh = waiter == NULL && explain == NULL;
	run->deadline_ms = clock_mono_ms(policy->clock) + policy->conf->tls.timeout_ms;
	run->next = policy->runs;
	if (run->next != NULL)
		run->next->previous = run;
	policy->runs = run;
	if (run->refresh)
		policy->refreshing++;
	if (entry != NULL)
		entry->run = run;
	fill_setting(policy, entry, explain, &setting);
	code = look_start(&setting, hop, on_look, run, &run->look);
	if (code == SG_OK)
		return SG_OK;	/* run may be gone by now */
	unlink_run(run);
	if (entry != NULL)
		entry->run = NULL;
	free(run);
	return code;
}

void policy_run_refresh(struct policy *policy, struct cache_entry *entry)
{
	struct hop hop;

	hop_parse(entry->key, &hop);
	if (policy_run_start(policy, &hop, entry, NULL, NULL) != SG_OK)
		entry->retry_ms = clock_mono_ms(policy->clock) + FAILED_MIN_MS;
}
