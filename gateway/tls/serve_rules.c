/*
 * Which of the administrator's rules are in force: told to the log and, as records, to the vault.
 * What was told stands in a file beside the cache, so that a start tells only what changed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/tls/server.h"
#include "gateway/vault/vault.h"

#define FILE_NAME "rules.told"
#define FILE_MAX ((size_t)16 * 1024 * 1024)
#define LOOK_MS (60 * 1000)	/* how often rules that end are looked for, and the vault tried */
#define VAULT_MS 10000
#define RULES_MAX 100000u

struct serve_rules {
	struct server *server;
	char *path;			/* NULL: nothing is remembered */
	char *vault_path;
	const struct conf *conf;	/* the one that was looked at last */
	int64_t look_ms;
	struct str_list told;		/* "NAME: LEVEL ..., one for each rule in force */
	/* the job's while telling */
	bool telling;
	struct str_list now;
	struct str_list began;
	struct str_list ended;
	int64_t wall_ms;
	enum fail_code code;
	struct fail failure;
};

/* --- what is in force --- */

static enum fail_code put_until(struct buf *out, int64_t until_ms)
{
	time_t seconds = (time_t)(until_ms / 1000);
	struct tm date;
	char text[32];

	if (until_ms == 0)
		return SG_OK;
	(void)gmtime_r(&seconds, &date);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &date);
	return buf_printf(out, ", until %s", text);
}

static enum fail_code put_list(struct buf *out, const char *what, const struct str_list *list)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; i < list->count && code == SG_OK; i++)
		code = buf_printf(out, "%s%s", i == 0 ? what : ":", list->items[i]);
	return code;
}

/* "partner.example: secure match=mx.partner.example, until 2026-12-31T00:00:00Z; reason" */
static enum fail_code describe(const struct conf_hop *hop, struct str_list *rules)
{
	enum fail_code code;
	const char *text;
	struct buf line;

	buf_init(&line, RECORD_TEXT_MAX);
	code = buf_printf(&line, "%s: %s", hop->name, conf_level_name(hop->tls));
	if (code == SG_OK)
		code = put_list(&line, " match=", &hop->match);
	if (code == SG_OK)
		code = put_list(&line, " fingerprint=", &hop->fingerprints);
	if (code == SG_OK && hop->through)
		code = buf_append_str(&line, ", also for what it relays");
	if (code == SG_OK)
		code = put_until(&line, hop->until_ms);
	if (code == SG_OK && hop->reason != NULL && hop->reason[0] != '\0')
		code = buf_printf(&line, "; %s", hop->reason);
	/* a rule that is too long to tell whole is told cut */
	text = code == SG_OK || code == SG_ELIMIT ? buf_str(&line) : NULL;
	code = text == NULL ? SG_ENOMEM : str_list_add(rules, text);
	buf_free(&line);
	return code;
}

static enum fail_code list_rules(const struct conf *conf, int64_t wall_ms, struct str_list *rules)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; i < conf->hop_count && i < RULES_MAX && code == SG_OK; i++)
		if (conf->hops[i].until_ms == 0 || conf->hops[i].until_ms > wall_ms)
			code = describe(&conf->hops[i], rules);
	return code;
}

/* Those of a that are not in b. */
static enum fail_code list_difference(const struct str_list *a, const struct str_list *b,
    struct str_list *out)
{
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; i < a->count && code == SG_OK; i++)
		if (!str_list_has_case(b, a->items[i]))
			code = str_list_add(out, a->items[i]);
	return code;
}

/* --- the job: the vault, then the file --- */

static enum fail_code tell_vault(const struct serve_rules *rules, const struct str_list *list,
    const char *what, struct fail *f)
{
	struct vault vault = {rules->vault_path, VAULT_MS};
	enum fail_code code = SG_OK;
	char reason[RECORD_TEXT_MAX];
	char name[RECORD_TEXT_MAX];
	char empty[] = "";
	size_t i;

	for (i = 0; i < list->count && code == SG_OK; i++) {
		struct vault_fact fact = {.record = {.time_ms = rules->wall_ms, .tenant = empty,
			.stage = 5, .queue_id = empty, .message_id = empty, .sender = empty,
			.recipient = name, .decision = RECORD_RULE, .flagged_by = empty,
			.verdict = empty, .reason = reason, .hop = name, .tls = empty,
			.answer = empty}};
		const char *text = list->items[i];

		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, " ") - 1, text);
		(void)snprintf(reason, sizeof(reason), "%s: %.900s", what,
		    text + strcspn(text, " ") + 1);
		code = vault_facts(&vault, &fact, 1, NULL, f);
	}
	return code;
}

static enum fail_code write_told(const struct serve_rules *rules, struct fail *f)
{
	enum fail_code code = SG_OK;
	struct buf text;
	size_t i;

	if (rules->path == NULL)
		return SG_OK;
	buf_init(&text, FILE_MAX);
	for (i = 0; i < rules->now.count && code == SG_OK; i++)
		code = buf_printf(&text, "%s\n", rules->now.items[i]);
	if (code == SG_OK)
		code = fd_replace_file(rules->path, text.data, text.size, 0600, f);
	buf_free(&text);
	return code;
}

static void tell_run(void *context)
{
	struct serve_rules *rules = context;

	fail_clear(&rules->failure);
	rules->code = tell_vault(rules, &rules->began, "began", &rules->failure);
	if (rules->code == SG_OK)
		rules->code = tell_vault(rules, &rules->ended, "ended", &rules->failure);
	if (rules->code == SG_OK)
		rules->code = write_told(rules, &rules->failure);
}

static void say_all(const struct str_list *list, const char *event)
{
	struct log_line line;
	size_t i;

	for (i = 0; i < list->count; i++) {
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, event);
		log_str(&line, "rule", list->items[i]);
		log_end(&line);
	}
}

static void tell_done(void *context)
{
	struct serve_rules *rules = context;

	rules->telling = false;
	if (rules->code == SG_OK) {
		say_all(&rules->began, "rule-began");
		say_all(&rules->ended, "rule-ended");
		str_list_free(&rules->told);
		rules->told = rules->now;
		rules->now = (struct str_list){NULL, 0};
	} else {
		log_failure(LOG_LEVEL_NOTICE, NULL, "rules-not-told", &rules->failure);
	}
	str_list_free(&rules->now);
	str_list_free(&rules->began);
	str_list_free(&rules->ended);
}

void serve_rules_tend(struct serve_rules *rules)
{
	const struct conf *conf = rules->server->conf;
	enum fail_code code;
	struct fail f;

	if (rules->telling ||
	    (rules->conf == conf && rules->server->now_ms < rules->look_ms))
		return;
	rules->conf = conf;
	rules->look_ms = rules->server->now_ms + LOOK_MS;
	rules->wall_ms = clock_wall_ms(rules->server->clock);
	code = list_rules(conf, rules->wall_ms, &rules->now);
	if (code == SG_OK)
		code = list_difference(&rules->now, &rules->told, &rules->began);
	if (code == SG_OK)
		code = list_difference(&rules->told, &rules->now, &rules->ended);
	rules->telling = code == SG_OK && rules->began.count + rules->ended.count > 0 &&
	    serve_job_start(rules->server->jobs, tell_run, tell_done, rules, &f) == SG_OK;
	if (rules->telling)
		return;
	str_list_free(&rules->now);
	str_list_free(&rules->began);
	str_list_free(&rules->ended);
}

/* --- birth --- */

/* What an earlier process told. Trouble with the file: all is told again. */
static void read_told(struct serve_rules *rules)
{
	struct buf text;
	char *line;
	char *end;

	buf_init(&text, FILE_MAX);
	if (rules->path != NULL && fd_read_file(rules->path, &text, NULL) == SG_OK &&
	    buf_append(&text, "", 1) == SG_OK) {
		for (line = (char *)text.data; (end = strchr(line, '\n')) != NULL; line = end + 1) {
			*end = '\0';
			if (str_list_add(&rules->told, line) != SG_OK)
				break;
		}
	}
	buf_free(&text);
}

struct serve_rules *serve_rules_new(struct server *server)
{
	struct serve_rules *rules = calloc(1, sizeof(*rules));
	const char *folder = server->conf->tls.cache_directory;

	if (rules == NULL)
		return NULL;
	rules->server = server;
	rules->vault_path = server_vault_path(server);
	if (folder != NULL && folder[0] != '\0')
		rules->path = str_printf("%s/%s", folder, FILE_NAME);
	if (rules->vault_path == NULL) {
		serve_rules_free(rules);
		return NULL;
	}
	read_told(rules);
	return rules;
}

void serve_rules_free(struct serve_rules *rules)
{
	if (rules == NULL || rules->telling)
		return;
	str_list_free(&rules->told);
	free(rules->vault_path);
	free(rules->path);
	free(rules);
}
