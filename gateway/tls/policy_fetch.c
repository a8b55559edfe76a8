/* The second half of a lookup: MTA-STS. */
#include "gateway/tls/policy_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define STS_PATH ".well-known/mta-sts.txt"

static void trouble(struct look *look, enum cache_trouble kind, const char *why)
{
	look->result.found.trouble = (unsigned char)kind;
	look->result.sts_failures++;
	policy_set_text(&look->result.found.sts_why, why);
	policy_note_meaning(look->setting.notes, "no policy: %s%s", why,
	    look->setting.sts_live ? "; the one of before counts on" : "");
}

static void keep_policy(struct look *look, const struct source_https *answer)
{
	struct cache_sts *sts = calloc(1, sizeof *sts);
	struct fail f;
	char why[POLICY_REASON_MAX];

	fail_clear(&f);
	if (sts == NULL ||
	    sts_parse(answer->body, answer->size, &sts->policy, &f) != SG_OK) {
		(void)snprintf(why, sizeof why, "the policy file is wrong: %.150s",
		    sts == NULL ? "no memory" : f.what);
		free(sts);
		trouble(look, CACHE_STS_FILE, why);
		return;
	}
	memcpy(sts->id, look->sts_id, sizeof sts->id);
	sts->fetched_ms = look->setting.wall_ms;
	look->result.found.sts = sts;
	policy_note_meaning(look->setting.notes, "mode %s for %u s",
	    sts->policy.mode == STS_MODE_ENFORCE ? "enforce" :
	    sts->policy.mode == STS_MODE_TESTING ? "testing" : "none", sts->policy.max_age_s);
}

static void take_file(struct look *look, const struct source_https *answer)
{
	char why[POLICY_REASON_MAX];

	policy_note_https(look->setting.notes, look->sts_host, STS_PATH, answer);
	if (answer->status == 200 && sts_is_plain(answer->type)) {
		keep_policy(look, answer);
		return;
	}
	if (answer->status == 0)
		(void)snprintf(why, sizeof why, "https://%.80s: %.120s", look->sts_host,
		    answer->why == NULL ? "no answer" : answer->why);
	else if (answer->status != 200)
		(void)snprintf(why, sizeof why, "https://%.80s answers %d", look->sts_host,
		    answer->status);
	else
		(void)snprintf(why, sizeof why, "https://%.80s gives no text/plain",
		    look->sts_host);
	str_cut_utf8(why, sizeof why);
	trouble(look, answer->status == 0 && answer->untrusted ? CACHE_STS_TRUST :
	    CACHE_STS_FETCH, why);
}

static void on_https(void *context, const struct source_https *answer)
{
	struct look *look = context;

	if (!look->over) {
		take_file(look, answer);
		look_finish(look);
	}
	look->pending--;
	look_settle(look);
}

/* A new id, no policy, or one fetched a day ago; failures are not repeated at once. */
static bool must_fetch(const struct look *look)
{
	const struct look_setting *setting = &look->setting;
	bool new_id = strcmp(setting->sts_id, look->sts_id) != 0;
	int64_t fetched = setting->wall_ms - setting->sts_fetched_ms;
	int64_t tried = setting->wall_ms - setting->sts_tried_ms;

	if (setting->everything)
		return true;
	if (setting->sts_failed && tried >= 0 && tried < LOOK_STS_RETRY_MS)
		return false;
	return !setting->sts_live || new_id || fetched < 0 || fetched >= LOOK_STS_AGAIN_MS;
}

static void fetch(struct look *look)
{
	if (!must_fetch(look)) {
		look->result.sts_kept = true;
		policy_note_meaning(look->setting.notes, "nothing new");
		look_finish(look);
		return;
	}
	look->result.sts_tried = true;
	policy_note_meaning(look->setting.notes, "its policy is fetched");
	look->pending++;
	look->setting.source->https(look->setting.source->context, look->sts_host, STS_PATH,
	    on_https, look);
}

static void on_txt(struct look *look, struct look_host *host, const struct source_dns *answer)
{
	struct fail f;
	enum fail_code code = SG_ENOTFOUND;
	char why[POLICY_REASON_MAX];

	(void)host;
	fail_clear(&f);
	if (answer->status == SOURCE_DNS_FAILED) {
		(void)snprintf(why, sizeof why, "the lookup of TXT _mta-sts.%.100s failed: %.80s",
		    look->hop.name, answer->why == NULL ? "no answer" : answer->why);
		trouble(look, CACHE_STS_LOOKUP, why);
		look_finish(look);
		return;
	}
	if (answer->status == SOURCE_DNS_ANSWER)
		code = sts_txt(answer, look->sts_id, &f);
	if (code == SG_OK) {
		fetch(look);
		return;
	}
	if (code == SG_EFORMAT)
		trouble(look, CACHE_STS_RECORD, f.what);
	else
		policy_note_meaning(look->setting.notes, "no MTA-STS%s",
		    look->setting.sts_live ? " any more; the policy of before counts on" : "");
	look_finish(look);
}

void look_sts(struct look *look)
{
	char name[DANE_NAME_MAX + 16];
	unsigned char dane = look->result.found.dane;

	(void)snprintf(name, sizeof name, "_mta-sts.%s", look->hop.name);
	(void)snprintf(look->sts_host, sizeof look->sts_host, "mta-sts.%.240s", look->hop.name);
	if (!look->setting.mta_sts || look->hop.direct || look->hop.port != HOP_PORT ||
	    look->result.found.null_mx || strlen(name) > ADDRESS_DOMAIN_MAX ||
	    (dane != CACHE_DANE_NONE && !look->setting.everything)) {
		look_finish(look);
		return;
	}
	look_ask(look, NULL, name, SOURCE_TXT, on_txt);
}
