#include <stdio.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/serve_check.h"
#include "gateway/tls/socketmap.h"

static const char *or_empty(const char *text)
{
	return text == NULL ? "" : text;
}

/* Bytes from outside that are no UTF-8 would make an object that jansson refuses. */
static json_t *string(const char *text)
{
	json_t *made = json_string(or_empty(text));

	return made != NULL ? made : json_string("?");
}

static json_t *policy_json(const struct policy_answer *answer)
{
	static const char *const kinds[] = {"temporary", "found", "not_found"};
	static const char *const sources[] = {"nothing", "rule", "dane", "sts", "fallback"};

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:I}", "kind", kinds[answer->kind], "source",
	    sources[answer->source], "proven", answer->proven, "policy", string(answer->text),
	    "reason", string(answer->reason), "ttl_s", (json_int_t)(answer->ttl_ms / 1000));
}

static json_t *addresses_json(const char *addresses)
{
	json_t *list = json_array();
	const char *at = or_empty(addresses);
	size_t size;

	for (; *at != '\0'; at += size) {
		at += strspn(at, ", ");
		size = strcspn(at, ", ");
		if (size > 0)
			(void)json_array_append_new(list, json_stringn(at, size));
	}
	return list;
}

static json_t *mx_json(const struct policy_mx *mx)
{
	return json_pack("{s:o, s:i, s:o, s:b, s:i, s:b}", "name", string(mx->name), "preference",
	    mx->preference, "addresses", addresses_json(mx->addresses), "secure", mx->secure,
	    "tlsa_usable", mx->tlsa_usable, "sts_match", mx->sts_match);
}

static json_t *step_json(const struct policy_step *step)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "question", string(step->question), "answer",
	    string(step->answer), "state", string(step->state), "meaning",
	    string(step->meaning));
}

/* The one sentence that stands first. */
static json_t *verdict(const char *hop, const struct policy_answer *all)
{
	char text[POLICY_TEXT_MAX + POLICY_REASON_MAX + 512];
	const char *how = "over TLS, without proof of who the peer is";

	if (all->proven)
		how = "over TLS with proof of who the peer is";
	else if (strncmp(all->text, "none", 4) == 0)
		how = "without TLS";
	else if (strncmp(all->text, "may", 3) == 0)
		how = "over TLS if the peer offers it";
	if (all->kind == POLICY_TEMPORARY)
		(void)snprintf(text, sizeof(text), "Mail to %.300s waits now: %s.", hop,
		    all->reason);
	else if (all->kind == POLICY_NOT_FOUND)
		(void)snprintf(text, sizeof(text), "Mail to %.300s goes as Postfix is set up, "
		    "usually over TLS if the peer offers it: nothing demands more.", hop);
	else
		(void)snprintf(text, sizeof(text), "Mail to %.300s goes %s (%s).", hop, how,
		    all->text);
	return string(text);
}

json_t *check_json(const char *hop, const struct policy_explanation *explanation)
{
	json_t *root = json_object();
	json_t *policies = json_object();
	json_t *mxs = json_array();
	json_t *steps = json_array();
	enum policy_map map;
	size_t i;

	for (map = 0; map < POLICY_MAPS; map++)
		(void)json_object_set_new(policies, socketmap_name(map),
		    policy_json(&explanation->answers[map]));
	for (i = 0; i < explanation->mx_count; i++)
		(void)json_array_append_new(mxs, mx_json(&explanation->mxs[i]));
	for (i = 0; i < explanation->step_count; i++)
		(void)json_array_append_new(steps, step_json(&explanation->steps[i]));
	(void)json_object_set_new(root, "hop", string(hop));
	(void)json_object_set_new(root, "verdict",
	    verdict(hop, &explanation->answers[POLICY_ALL]));
	(void)json_object_set_new(root, "policies", policies);
	(void)json_object_set_new(root, "mx", mxs);
	(void)json_object_set_new(root, "steps", steps);
	return root;
}

/* --- trials --- */

static json_t *names_json(const struct str_list *names)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < names->count; i++)
		(void)json_array_append_new(list, string(names->items[i]));
	return list;
}

json_t *check_json_trial(const struct connect_target *target,
    const struct connect_result *result)
{
	static const char *const checks[] = {"not_demanded", "passed", "failed"};
	json_t *trial = json_pack("{s:s, s:i, s:s, s:b, s:b, s:b, s:s, s:o}", "address",
	    target->address, "port", (int)target->port, "policy", target->policy, "connected",
	    result->connected, "starttls", result->starttls, "secured", result->secured, "check",
	    checks[result->check], "how", string(result->how));

	if (trial == NULL || !result->secured)
		return trial;
	(void)json_object_set_new(trial, "version", string(result->version));
	(void)json_object_set_new(trial, "cipher", string(result->cipher));
	(void)json_object_set_new(trial, "certificate", json_pack(
	    "{s:o, s:o, s:o, s:o, s:o, s:b}", "subject", string(result->subject), "issuer",
	    string(result->issuer), "names", names_json(&result->names), "not_after",
	    string(result->not_after), "sha256", string(result->fingerprint), "trusted",
	    result->trusted));
	return trial;
}

/* Counts the trials of one server. */
static void count_trials(const json_t *mx, size_t *tried, size_t *failed)
{
	const json_t *trials = json_object_get(mx, "trials");
	const char *check;
	size_t i;

	for (i = 0; i < json_array_size(trials); i++) {
		check = json_string_value(json_object_get(json_array_get(trials, i), "check"));
		(*tried)++;
		*failed += check != NULL && strcmp(check, "failed") == 0;
	}
}

void check_json_verdict(json_t *root)
{
	const char *said = json_string_value(json_object_get(root, "verdict"));
	const json_t *mxs = json_object_get(root, "mx");
	size_t failed = 0;
	size_t tried = 0;
	char *text;
	size_t i;

	for (i = 0; i < json_array_size(mxs); i++)
		count_trials(json_array_get(mxs, i), &tried, &failed);
	if (tried == 0)
		text = str_printf("%s No mail server could be tried.", or_empty(said));
	else if (failed == 0)
		text = str_printf("%s All %zu addresses tried are fit for that.", or_empty(said),
		    tried);
	else
		text = str_printf("%s Of %zu addresses tried %zu are not fit for that.",
		    or_empty(said), tried, failed);
	if (text != NULL)
		(void)json_object_set_new(root, "verdict", string(text));
	free(text);
}
