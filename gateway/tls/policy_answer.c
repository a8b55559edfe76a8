/* From what is known to what Postfix is told: rule, DANE, MTA-STS, floor. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/policy_part.h"

static void say(struct policy_answer *answer, const char *format, ...) SG_PRINTF(2, 3);

static void say(struct policy_answer *answer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(answer->reason, sizeof answer->reason, format, arguments);
	va_end(arguments);
	str_cut_utf8(answer->reason, sizeof answer->reason);
}

/* Not the whole structure: that would cost more than the rest of a cached answer. */
static void begin(struct policy_answer *answer, int64_t ttl_ms)
{
	answer->kind = POLICY_TEMPORARY;
	answer->source = POLICY_BY_NOTHING;
	answer->proven = false;
	answer->no_mail = false;
	answer->text[0] = '\0';
	answer->tlsrpt[0] = '\0';
	answer->reason[0] = '\0';
	answer->ttl_ms = ttl_ms > 0 ? ttl_ms : 0;
}

static void set_text(struct policy_answer *answer, const char *text)
{
	answer->kind = POLICY_FOUND;
	(void)snprintf(answer->text, sizeof answer->text, "%s", text);
}

void policy_compose_failure(const char *why, struct policy_answer *answer_out)
{
	begin(answer_out, 0);
	say(answer_out, "%s", why);
}

/* Postfix 3.7 and later ask with the destination as it stands in smtp_fallback_relay. */
static bool is_fallback(const struct policy *policy, const struct hop *hop)
{
	return hop->literal && hop->port == policy->conf->tls.fallback_port &&
	    strcmp(hop->name, "127.0.0.1") == 0;
}

static const struct conf_hop *rule_of(const struct policy *policy, const struct hop *hop)
{
	return rule_find(&policy->rules, hop, clock_wall_ms(policy->clock));
}

bool policy_is_known(const struct policy *policy, enum policy_map map, const struct hop *hop)
{
	if (hop->literal || hop->parent || (map != POLICY_ALL && is_fallback(policy, hop)))
		return true;
	if (!policy->conf->tls.dane && !policy->conf->tls.mta_sts)
		return true;
	return rule_of(policy, hop) != NULL;
}

bool policy_proof_is_known(const struct policy *policy, const struct hop *hop, bool relayed)
{
	return relayed || policy_is_known(policy, POLICY_ALL, hop);
}

/* ---- each of the four ---- */

static void by_rule(const struct policy *policy, const struct conf_hop *rule,
    struct policy_answer *answer)
{
	int64_t left_ms = rule->until_ms - clock_wall_ms(policy->clock);

	answer->source = POLICY_BY_RULE;
	answer->ttl_ms = rule->until_ms == 0 || left_ms > POLICY_DAY_MS ? POLICY_DAY_MS : left_ms;
	if (!rule_text(rule, answer->text, sizeof answer->text)) {
		answer->text[0] = '\0';
		say(answer, "the rule for %s is too long for Postfix", rule->name);
		return;
	}
	answer->kind = POLICY_FOUND;
	answer->proven = rule_proves(rule);
	say(answer, "rule for %s: %s (%s)", rule->name, conf_level_name(rule->tls),
	    rule->reason == NULL ? "no reason given" : rule->reason);
}

/* True: DANE decides. */
static bool by_dane(const struct policy *policy, const struct cache_found *found,
    struct policy_answer *answer)
{
	unsigned char dane = policy->conf->tls.dane ? found->dane : CACHE_DANE_NONE;
	const char *how = found->how == NULL ? "DANE" : found->how;

	if (dane == CACHE_DANE_NONE)
		return false;
	answer->source = POLICY_BY_DANE;
	say(answer, "%s", how);
	if (dane == CACHE_DANE_USABLE) {
		set_text(answer, "dane-only");
		answer->proven = true;
	} else if (dane == CACHE_DANE_UNUSABLE) {
		set_text(answer, "encrypt");
	} else if (found->how == NULL) {
		say(answer, "a lookup failed");
	}
	return true;
}

static const struct sts_policy *live_sts(const struct policy *policy,
    const struct cache_found *found)
{
	if (found == NULL || !policy->conf->tls.mta_sts ||
	    !cache_sts_live(found->sts, clock_wall_ms(policy->clock)))
		return NULL;
	return &found->sts->policy;
}

static bool by_sts(const struct policy *policy, const struct hop *hop,
    const struct cache_found *found, struct policy_answer *answer)
{
	const struct sts_policy *sts = live_sts(policy, found);

	if (sts == NULL || sts->mode != STS_MODE_ENFORCE)
		return false;
	answer->source = POLICY_BY_STS;
	answer->kind = POLICY_FOUND;
	answer->proven = true;
	sts_text(sts, answer->text, sizeof answer->text);
	sts_report(sts, hop->name, answer->tlsrpt, sizeof answer->tlsrpt);
	say(answer, "MTA-STS: enforce, mx %.*s%s", (int)strcspn(sts->mxs, "\n"), sts->mxs,
	    strchr(sts->mxs, '\n') == NULL ? "" : " and others");
	return true;
}

/* Why nothing demands TLS here, in words. */
static void say_nothing(const struct policy *policy, const struct hop *hop,
    const struct cache_found *found, struct policy_answer *answer)
{
	const struct sts_policy *sts = live_sts(policy, found);

	answer->no_mail = !hop->literal && found != NULL && (found->null_mx || found->no_domain);
	if (hop->literal)
		say(answer, "an address: nothing can be published for it");
	else if (found == NULL)
		say(answer, "nothing is looked up");
	else if (found->null_mx)
		say(answer, "the domain takes no mail (null MX)");
	else if (sts != NULL && sts->mode == STS_MODE_TESTING)
		say(answer, "MTA-STS: testing only");
	else if (policy->conf->tls.mta_sts && found->trouble != CACHE_STS_FINE)
		say(answer, "no DANE; MTA-STS cannot be had: %s",
		    found->sts_why == NULL ? "no answer" : found->sts_why);
	else if (found->no_domain)
		say(answer, "there is no such domain");
	else if (sts != NULL)
		say(answer, "MTA-STS: none");
	else
		say(answer, "nothing is published: no DANE, no MTA-STS");
}

static void add_reason(struct policy_answer *answer, const char *text)
{
	size_t at = strlen(answer->reason);

	(void)snprintf(answer->reason + at, sizeof answer->reason - at, "%s", text);
}

/*
 * What Postfix 3.10 puts into its reports where there is no policy to enforce: a policy in testing,
 * or why there is none (names of RFC 8460, 4.3; tlsrpt_wrapper.c). Without a type Postfix says
 * itself whether it used DANE or found no policy, so nothing is said then.
 */
static void report_nothing(const struct policy *policy, const struct hop *hop,
    const struct cache_found *found, struct policy_answer *answer)
{
	const struct sts_policy *sts = live_sts(policy, found);
	const char *failure = NULL;

	if (answer->kind != POLICY_FOUND || found == NULL || !policy->conf->tls.mta_sts)
		return;
	if (sts != NULL && sts->mode == STS_MODE_TESTING) {
		sts_report(sts, hop->name, answer->tlsrpt, sizeof answer->tlsrpt);
		return;
	}
	if (found->trouble == CACHE_STS_FETCH)
		failure = "sts-policy-fetch-error";
	else if (found->trouble == CACHE_STS_TRUST)
		failure = "sts-webpki-invalid";
	else if (found->trouble == CACHE_STS_FILE)
		failure = "sts-policy-invalid";
	if (failure != NULL)
		(void)snprintf(answer->tlsrpt, sizeof answer->tlsrpt,
		    "policy_type=sts policy_domain=%s policy_failure=%s", hop->name, failure);
}

static void by_floor(const struct policy *policy, enum policy_map map, const struct hop *hop,
    const struct cache_found *found, struct policy_answer *answer)
{
	enum conf_floor floor = map == POLICY_ALL ? policy->conf->tls.floor :
	    policy->conf->tls.sealed;

	say_nothing(policy, hop, found, answer);
	if (map == POLICY_PROVEN)
		return;
	if (floor == CONF_FLOOR_ENCRYPT) {
		set_text(answer, "encrypt");
		add_reason(answer, "; floor encrypt");
	} else if (map == POLICY_ALL) {
		answer->kind = POLICY_NOT_FOUND;
		add_reason(answer, "; floor may");
	} else {
		set_text(answer, "may");
		add_reason(answer, "; floor may");
	}
	report_nothing(policy, hop, found, answer);
}

/* ".example" is only asked for after "not found" for the name below it: all was said there. */
static void by_parent(enum policy_map map, struct policy_answer *answer)
{
	say(answer, "a parent domain: rules for it count already below it");
	if (map == POLICY_ALL)
		answer->kind = POLICY_NOT_FOUND;
}

static void by_published(const struct policy *policy, enum policy_map map, const struct hop *hop,
    const struct cache_found *found, struct policy_answer *answer)
{
	if (found != NULL &&
	    (by_dane(policy, found, answer) || by_sts(policy, hop, found, answer)))
		return;
	by_floor(policy, map, hop, found, answer);
}

/* Without proof nothing leaves through that map. A failed lookup keeps its own words. */
static void demand_proof(struct policy_answer *answer)
{
	char why[POLICY_REASON_MAX];

	if (answer->proven && answer->kind == POLICY_FOUND)
		return;
	memcpy(why, answer->reason, sizeof why);
	answer->kind = POLICY_TEMPORARY;
	answer->proven = false;
	answer->text[0] = '\0';
	answer->tlsrpt[0] = '\0';
	say(answer, "TLS cannot be proven: %.200s", why);
}

void policy_compose(const struct policy *policy, enum policy_map map, const struct hop *hop,
    const struct cache_found *found, int64_t ttl_ms, struct policy_answer *answer_out)
{
	const struct conf_hop *rule;

	begin(answer_out, ttl_ms);
	if (map != POLICY_ALL && is_fallback(policy, hop)) {
		set_text(answer_out, "none");
		answer_out->source = POLICY_BY_FALLBACK;
		answer_out->ttl_ms = POLICY_DAY_MS;
		say(answer_out, "this host takes back what TLS could not carry");
		return;
	}
	rule = rule_of(policy, hop);
	if (rule != NULL)
		by_rule(policy, rule, answer_out);
	else if (hop->parent)
		by_parent(map, answer_out);
	else
		by_published(policy, map, hop, found, answer_out);
	if (map == POLICY_PROVEN)
		demand_proof(answer_out);
}

/* ---- can it be proven? ---- */

static void not_provable(struct policy_answer *answer)
{
	answer->kind = POLICY_NOT_FOUND;
	answer->proven = false;
	answer->text[0] = '\0';
	answer->tlsrpt[0] = '\0';
}

static void proof_of_relay(const struct policy *policy, const struct hop *hop,
    struct policy_answer *answer)
{
	const struct conf_hop *rule = rule_of(policy, hop);

	if (rule != NULL && rule->through && rule_proves(rule)) {
		by_rule(policy, rule, answer);
		return;
	}
	not_provable(answer);
	if (rule == NULL)
		say(answer, "proof would end at the relay %s: no rule says that this is enough",
		    hop->text);
	else
		say(answer, "the rule for %s %s", rule->name, rule->through ?
		    "demands no proof" : "does not say that proof at the relay is enough");
}

/* May something be published that could not be looked up now? */
static bool is_unknown(const struct policy *policy, const struct cache_found *found)
{
	if (policy->conf->tls.dane && found->dane == CACHE_DANE_FAILED)
		return true;
	return policy->conf->tls.mta_sts && found->trouble == CACHE_STS_LOOKUP &&
	    live_sts(policy, found) == NULL;
}

void policy_compose_proof(const struct policy *policy, const struct hop *hop, bool relayed,
    const struct cache_found *found, int64_t ttl_ms, struct policy_answer *answer_out)
{
	const struct conf_hop *rule = rule_of(policy, hop);

	begin(answer_out, ttl_ms);
	if (relayed) {
		proof_of_relay(policy, hop, answer_out);
		return;
	}
	if (rule != NULL)
		by_rule(policy, rule, answer_out);
	else
		by_published(policy, POLICY_PROVEN, hop, found, answer_out);
	if (answer_out->kind == POLICY_FOUND && answer_out->proven)
		return;
	if (rule == NULL && found != NULL && is_unknown(policy, found)) {
		answer_out->kind = POLICY_TEMPORARY;
		return;
	}
	not_provable(answer_out);
}
