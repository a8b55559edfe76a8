/* "sealgate tls check": one lookup past the cache, with all that it saw. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/policy_part.h"

struct policy_explain {
	struct hop hop;
	struct policy_notes notes;
	policy_explained_fn *done;
	void *context;
};

struct policy_notes *policy_explain_notes(struct policy_explain *explain)
{
	return &explain->notes;
}

void policy_explain_free(struct policy_explain *explain)
{
	if (explain == NULL)
		return;
	policy_notes_free(&explain->notes);
	free(explain);
}

static void note_rule(struct policy *policy, struct policy_explain *explain)
{
	const struct conf_hop *rule = rule_find(&policy->rules, &explain->hop,
	    clock_wall_ms(policy->clock));
	char text[POLICY_TEXT_MAX];

	if (rule == NULL) {
		policy_note_step(&explain->notes, "rule", "none", "configuration");
		policy_note_meaning(&explain->notes, "what the domain publishes counts");
		return;
	}
	if (!rule_text(rule, text, sizeof text))
		text[0] = '\0';
	policy_note_step(&explain->notes, "rule", text, rule->name);
	policy_note_meaning(&explain->notes, "counts before all else: %s",
	    rule->reason == NULL ? "no reason given" : rule->reason);
}

static void note_cached(const struct policy *policy, struct policy_explain *explain,
    const struct cache_entry *entry)
{
	char *state;
	int64_t age_ms;

	if (entry == NULL || !cache_sts_live(entry->found.sts, clock_wall_ms(policy->clock)))
		return;
	age_ms = clock_wall_ms(policy->clock) - entry->found.sts->fetched_ms;
	state = str_printf("cached %lld min ago", (long long)(age_ms / 60000));
	if (state != NULL)
		policy_note_step(&explain->notes, "MTA-STS policy of before",
		    entry->found.sts->policy.lines, state);
	policy_note_meaning(&explain->notes, "counts until its max_age is over");
	free(state);
}

static struct policy_mx *make_mxs(const struct look_result *result,
    const struct sts_policy *sts)
{
	struct policy_mx *mxs = calloc(result->host_count + 1, sizeof *mxs);
	size_t i;

	for (i = 0; mxs != NULL && i < result->host_count; i++) {
		const struct look_host *host = &result->hosts[i];

		mxs[i].name = str_dup(host->name);
		mxs[i].addresses = str_dup(host->addresses);
		mxs[i].preference = host->preference;
		mxs[i].secure = result->mx_secure && !host->insecure && host->address_count > 0;
		mxs[i].tlsa_usable = host->usable;
		mxs[i].sts_match = sts != NULL && sts_match(sts, host->name);
	}
	return mxs;
}

static void free_mxs(struct policy_mx *mxs, size_t count)
{
	size_t i;

	for (i = 0; mxs != NULL && i < count; i++) {
		free(mxs[i].name);
		free(mxs[i].addresses);
	}
	free(mxs);
}

static void report(struct policy *policy, struct policy_explain *explain,
    struct look_result *result, const struct cache_found *found)
{
	const struct sts_policy *sts = found != NULL &&
	    cache_sts_live(found->sts, clock_wall_ms(policy->clock)) ? &found->sts->policy : NULL;
	struct policy_explanation *explanation = calloc(1, sizeof *explanation);
	struct policy_explanation nothing;
	unsigned int map;

	if (explanation == NULL) {
		memset(&nothing, 0, sizeof nothing);
		for (map = 0; map < POLICY_MAPS; map++)
			policy_compose_failure("no memory", &nothing.answers[map]);
		explain->done(explain->context, &nothing);
		return;
	}
	explanation->steps = explain->notes.steps;
	explanation->step_count = explain->notes.count;
	if (result != NULL && result->host_count > 0)
		explanation->mxs = make_mxs(result, sts);
	if (explanation->mxs != NULL)
		explanation->mx_count = result->host_count;
	for (map = 0; map < POLICY_MAPS; map++)
		policy_compose(policy, map, &explain->hop, found, 0, &explanation->answers[map]);
	explain->done(explain->context, explanation);
	free_mxs(explanation->mxs, explanation->mx_count);
	free(explanation);
}

void policy_explain_end(struct policy *policy, struct policy_explain *explain,
    struct look_result *result)
{
	const struct cache_entry *entry = cache_peek(&policy->cache, explain->hop.key);
	bool borrowed = false;

	if (result != NULL && result->found.sts == NULL && entry != NULL &&
	    cache_sts_live(entry->found.sts, clock_wall_ms(policy->clock))) {
		note_cached(policy, explain, entry);
		result->found.sts = entry->found.sts;
		borrowed = true;
	}
	report(policy, explain, result, result == NULL ? NULL : &result->found);
	if (borrowed)
		result->found.sts = NULL;
	policy_explain_free(explain);
}

static void refuse(const char *why, policy_explained_fn *done, void *context)
{
	struct policy_explanation nothing;
	unsigned int map;

	memset(&nothing, 0, sizeof nothing);
	for (map = 0; map < POLICY_MAPS; map++)
		policy_compose_failure(why, &nothing.answers[map]);
	done(context, &nothing);
}

void policy_explain(struct policy *policy, const char *hop, policy_explained_fn *done,
    void *context)
{
	struct policy_explain *explain = calloc(1, sizeof *explain);

	if (explain == NULL || !policy->rules_known) {
		free(explain);
		refuse("no memory", done, context);
		return;
	}
	explain->done = done;
	explain->context = context;
	hop_parse(hop, &explain->hop);
	note_rule(policy, explain);
	if (explain->hop.literal || explain->hop.parent) {
		policy_note_step(&explain->notes, "next hop", explain->hop.key, "no lookup");
		policy_note_meaning(&explain->notes, "nothing can be published for it");
		policy_explain_end(policy, explain, NULL);
		return;
	}
	if (policy_run_start(policy, &explain->hop, NULL, explain, NULL) != SG_OK) {
		policy_explain_free(explain);
		refuse("no memory", done, context);
	}
}
