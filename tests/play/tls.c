/*
 * tls: scenarios as text, played against the real policy engine (gateway/tls/policy.c) on a virtual
 * clock.
 *
 *   tls FILE...    each file holds cases: "case NAME", lines that act, lines that expect
 *
 * DNS and HTTPS are played here: what they answer stands in the scenario. The words are described
 * in tests/play/README.tls. links: sealgate-tls
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/tls/policy.h"

#define LINE_MAX_BYTES 4096
#define ANSWERS_MAX 64
#define RECORDS_MAX 64
#define RDATA_MAX 1100
#define ASKED_MAX 4000
#define HELD_MAX 64
#define START_MS INT64_C(1700000000000)

/* What DNS says about one name and type. */
struct played_dns {
	char name[256];
	int type;
	struct source_dns answer;
	struct source_record records[RECORDS_MAX];
	unsigned char rdata[RECORDS_MAX][RDATA_MAX];
	char canonical[256];
	char why[128];
	bool silent;
};

struct played_https {
	char host[256];
	struct source_https answer;
	char type[64];
	char body[LINE_MAX_BYTES];
};

/* A question that waits for "release". */
struct held {
	char name[256];
	int type;
	source_dns_fn *dns;
	source_https_fn *https;
	void *context;
};

struct play {
	int64_t now_ms;
	struct source source;
	struct clock clock;
	struct conf *conf;
	struct policy *policy;
	struct played_dns *dns;
	size_t dns_count;
	struct played_https *https;
	size_t https_count;
	struct held held[HELD_MAX];
	size_t held_count;
	bool holding;
	char asked[ASKED_MAX];		/* "TYPE NAME\n" of each question */
	unsigned int questions;
	struct policy_answer answer;
	unsigned int answers;		/* given since the last ask */
	char steps[16384];		/* of the last explanation */
	char name[160];
	const char *file;
	int line;
	bool failed;
	bool in_case;
	unsigned int passed;
	unsigned int failures;
};

static void die(const struct play *play, const char *what)
{
	(void)fprintf(stderr, "tls: %s:%d: %s\n", play->file, play->line, what);
	exit(65);
}

static void wrong(struct play *play, const char *what, const char *is)
{
	(void)printf("# %s:%d: expected %s, is: %s\n", play->file, play->line, what, is);
	play->failed = true;
}

/* Cuts the next word off. */
static char *split(char *text)
{
	char *end = text + strcspn(text, " ");

	while (*end == ' ')
		*end++ = '\0';
	return end;
}

/* ---- the world ---- */

static int64_t play_now(void *context)
{
	return ((struct play *)context)->now_ms;
}

static int type_of(const char *word)
{
	static const struct {
		const char *word;
		int type;
	} types[] = { { "A", SOURCE_A }, { "AAAA", SOURCE_AAAA }, { "MX", SOURCE_MX },
		{ "TXT", SOURCE_TXT }, { "TLSA", SOURCE_TLSA }, { "CNAME", SOURCE_CNAME } };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return 0;
}

static const char *type_word(int type)
{
	return type == SOURCE_A ? "A" : type == SOURCE_AAAA ? "AAAA" : type == SOURCE_MX ? "MX" :
	    type == SOURCE_TXT ? "TXT" : type == SOURCE_TLSA ? "TLSA" : "CNAME";
}

static void note_question(struct play *play, const char *type, const char *name)
{
	size_t at = strlen(play->asked);

	play->questions++;
	(void)snprintf(play->asked + at, sizeof play->asked - at, "%s %s\n", type, name);
}

static struct played_dns *find_dns(struct play *play, const char *name, int type)
{
	for (size_t i = 0; i < play->dns_count; i++)
		if (play->dns[i].type == type && strcmp(play->dns[i].name, name) == 0)
			return &play->dns[i];
	return NULL;
}

static void hold(struct play *play, const char *name, int type, source_dns_fn *dns,
    source_https_fn *https, void *context)
{
	struct held *held = &play->held[play->held_count++];

	if (play->held_count == HELD_MAX)
		die(play, "too many questions are held");
	(void)snprintf(held->name, sizeof held->name, "%s", name);
	held->type = type;
	held->dns = dns;
	held->https = https;
	held->context = context;
}

static void answer_dns(struct play *play, const char *name, int type, source_dns_fn *done,
    void *context)
{
	static const struct source_dns none = { .status = SOURCE_DNS_NODATA, .ttl_s = 3600 };
	const struct played_dns *dns = find_dns(play, name, type);

	done(context, dns == NULL ? &none : &dns->answer);
}

static void play_dns(void *context, const char *name, int type, source_dns_fn *done,
    void *done_context)
{
	struct play *play = context;
	const struct played_dns *dns = find_dns(play, name, type);

	note_question(play, type_word(type), name);
	if (play->holding || (dns != NULL && dns->silent))
		hold(play, name, type, done, NULL, done_context);
	else
		answer_dns(play, name, type, done, done_context);
}

static void answer_https(struct play *play, const char *host, source_https_fn *done,
    void *context)
{
	static const struct source_https none = { .why = "no address" };

	for (size_t i = 0; i < play->https_count; i++)
		if (strcmp(play->https[i].host, host) == 0) {
			done(context, &play->https[i].answer);
			return;
		}
	done(context, &none);
}

static void play_https(void *context, const char *host, const char *path, source_https_fn *done,
    void *done_context)
{
	struct play *play = context;

	if (strcmp(path, ".well-known/mta-sts.txt") != 0)
		wrong(play, "the path .well-known/mta-sts.txt", path);
	note_question(play, "GET", host);
	if (play->holding)
		hold(play, host, 0, NULL, done, done_context);
	else
		answer_https(play, host, done, done_context);
}

static void release(struct play *play, bool fail)
{
	static const struct source_dns failed = { .status = SOURCE_DNS_FAILED, .why = "late" };

	for (size_t i = 0; i < play->held_count; i++) {
		struct held held = play->held[i];

		if (held.https != NULL)
			answer_https(play, held.name, held.https, held.context);
		else if (fail)
			held.dns(held.context, &failed);
		else
			answer_dns(play, held.name, held.type, held.dns, held.context);
	}
	play->held_count = 0;
}

/* ---- cases ---- */

static void start_policy(struct play *play)
{
	play->policy = policy_new(play->conf, &play->source, &play->clock);
	if (play->policy == NULL)
		die(play, "no memory");
}

static void end_case(struct play *play)
{
	if (!play->in_case)
		return;
	policy_free(play->policy);
	play->holding = false;
	release(play, true);
	conf_free(play->conf);
	(void)printf("%s %s\n", play->failed ? "not ok" : "ok", play->name);
	play->passed += play->failed ? 0 : 1;
	play->failures += play->failed ? 1 : 0;
	play->in_case = false;
}

static void start_case(struct play *play, const char *name)
{
	(void)snprintf(play->name, sizeof play->name, "%s", name);
	play->in_case = true;
	play->failed = false;
	play->now_ms = START_MS;
	play->dns_count = 0;
	play->https_count = 0;
	play->asked[0] = '\0';
	play->questions = 0;
	play->steps[0] = '\0';
	if (conf_default(&play->conf, NULL) != SG_OK)
		die(play, "no memory");
	start_policy(play);
}

/* ---- acts ---- */

static size_t put_name(const char *text, unsigned char *out)
{
	size_t at = 0;

	while (*text != '\0' && strcmp(text, ".") != 0) {
		size_t label = strcspn(text, ".");

		out[at++] = (unsigned char)label;
		memcpy(out + at, text, label);
		at += label;
		text += label;
		text += *text == '.' ? 1 : 0;
	}
	out[at++] = 0;
	return at;
}

static unsigned char number(struct play *play, const char *text)
{
	uint64_t value;

	if (str_parse_u64(text, 0, 255, &value) != SG_OK)
		die(play, "a number");
	return (unsigned char)value;
}

/* "3 1 1 ab*32": hexadecimal, and how often it is repeated. */
static size_t put_tlsa(struct play *play, char *text, unsigned char *out)
{
	size_t at = 0;
	size_t count = 1;

	for (int i = 0; i < 3; i++) {
		char *next = split(text);

		out[at++] = number(play, text);
		text = next;
	}
	if (strchr(text, '*') != NULL) {
		count = number(play, strchr(text, '*') + 1);
		*strchr(text, '*') = '\0';
	}
	for (size_t i = 0; i < count; i++) {
		if (str_unhex(text, out + at, strlen(text) / 2) != SG_OK)
			die(play, "hexadecimal");
		at += strlen(text) / 2;
	}
	return at;
}

static size_t put_txt(const char *text, unsigned char *out)
{
	size_t left = strlen(text);
	size_t at = 0;

	do {
		size_t part = left < 255 ? left : 255;

		out[at++] = (unsigned char)part;
		memcpy(out + at, text, part);
		at += part;
		text += part;
		left -= part;
	} while (left > 0);
	return at;
}

static size_t put_record(struct play *play, int type, char *text, unsigned char *out)
{
	char *rest;

	switch (type) {
	case SOURCE_A:
		return inet_pton(AF_INET, text, out) == 1 ? 4 : 0;
	case SOURCE_AAAA:
		return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
	case SOURCE_TXT:
		return put_txt(text, out);
	case SOURCE_TLSA:
		return put_tlsa(play, text, out);
	case SOURCE_MX:
		rest = split(text);
		out[0] = 0;
		out[1] = number(play, text);
		return 2 + put_name(rest, out + 2);
	default:
		return put_name(text, out);
	}
}

static void set_records(struct play *play, struct played_dns *dns, char *text)
{
	dns->answer.status = SOURCE_DNS_ANSWER;
	while (text != NULL) {
		char *comma = dns->type == SOURCE_TXT ? strstr(text, " | ") : strstr(text, ", ");
		size_t i = dns->answer.count++;

		if (comma != NULL)
			*comma = '\0';
		dns->records[i].data = dns->rdata[i];
		dns->records[i].size = put_record(play, dns->type, text, dns->rdata[i]);
		text = comma == NULL ? NULL : comma + (dns->type == SOURCE_TXT ? 3 : 2);
	}
	dns->answer.records = dns->records;
}

static void set_state(struct play *play, struct played_dns *dns, const char *state)
{
	dns->answer.secure = strcmp(state, "secure") == 0;
	dns->answer.bogus = strcmp(state, "bogus") == 0;
	dns->silent = strcmp(state, "silent") == 0;
	if (dns->answer.bogus || strcmp(state, "failed") == 0) {
		dns->answer.status = SOURCE_DNS_FAILED;
		(void)snprintf(dns->why, sizeof dns->why, "%s", dns->answer.bogus ?
		    "signature expired" : "SERVFAIL");
		dns->answer.why = dns->why;
	} else if (!dns->answer.secure && !dns->silent && strcmp(state, "insecure") != 0) {
		die(play, "secure, insecure, bogus, failed or silent");
	}
}

/* dns TYPE NAME STATE [ttl=N] [at=NAME] [none | nxdomain | RECORDS] */
static void act_dns(struct play *play, char *text)
{
	char *name = split(text);
	char *state = split(name);
	char *rest = split(state);
	struct played_dns *dns = find_dns(play, name, type_of(text));
	uint64_t ttl = 3600;

	if (dns == NULL)
		dns = &play->dns[play->dns_count++];
	if (play->dns_count == ANSWERS_MAX || type_of(text) == 0)
		die(play, "dns TYPE NAME STATE");
	memset(dns, 0, sizeof *dns);
	dns->type = type_of(text);
	(void)snprintf(dns->name, sizeof dns->name, "%s", name);
	set_state(play, dns, state);
	while (strncmp(rest, "ttl=", 4) == 0 || strncmp(rest, "at=", 3) == 0) {
		char *next = split(rest);

		if (rest[0] == 't' && str_parse_u64(rest + 4, 0, 1000000, &ttl) != SG_OK)
			die(play, "ttl=N");
		if (rest[0] == 'a') {
			(void)snprintf(dns->canonical, sizeof dns->canonical, "%s", rest + 3);
			dns->answer.canonical = dns->canonical;
		}
		rest = next;
	}
	dns->answer.ttl_s = (uint32_t)ttl;
	if (strcmp(rest, "nxdomain") == 0)
		dns->answer.status = SOURCE_DNS_NXDOMAIN;
	else if (dns->answer.status != SOURCE_DNS_FAILED && strcmp(rest, "none") == 0)
		dns->answer.status = SOURCE_DNS_NODATA;
	else if (dns->answer.status != SOURCE_DNS_FAILED && !dns->silent)
		set_records(play, dns, rest);
}

static struct played_https *https_of(struct play *play, const char *host)
{
	for (size_t i = 0; i < play->https_count; i++)
		if (strcmp(play->https[i].host, host) == 0)
			return &play->https[i];
	if (play->https_count == ANSWERS_MAX)
		die(play, "too many hosts");
	return &play->https[play->https_count++];
}

/* https HOST STATUS [type=TYPE] BODY, "|" for line ends; https HOST failed|untrusted WHY */
static void act_https(struct play *play, char *text)
{
	char *state = split(text);
	char *rest = split(state);
	struct played_https *https = https_of(play, text);
	uint64_t status = 0;

	memset(https, 0, sizeof *https);
	(void)snprintf(https->host, sizeof https->host, "%s", text);
	(void)snprintf(https->type, sizeof https->type, "text/plain");
	if (strncmp(rest, "type=", 5) == 0) {
		char *next = split(rest);

		(void)snprintf(https->type, sizeof https->type, "%s", rest + 5);
		rest = next;
	}
	(void)snprintf(https->body, sizeof https->body, "%s", rest);
	for (char *c = https->body; *c != '\0'; c++)
		*c = *c == '|' ? '\n' : *c;
	if (str_parse_u64(state, 100, 599, &status) == SG_OK) {
		https->answer.status = (int)status;
		https->answer.type = https->type;
		https->answer.body = https->body;
		https->answer.size = strlen(https->body);
	} else {
		https->answer.untrusted = strcmp(state, "untrusted") == 0;
		https->answer.why = https->body;
	}
}

static void act_conf(struct play *play, char *text)
{
	char *value = split(text);
	uint64_t n = 0;

	if (str_parse_u64(value, 0, 1000000, &n) != SG_OK)
		n = 0;	/* a word */
	if (strcmp(text, "floor") == 0)
		play->conf->tls.floor = strcmp(value, "encrypt") == 0 ? CONF_FLOOR_ENCRYPT :
		    CONF_FLOOR_MAY;
	else if (strcmp(text, "sealed") == 0)
		play->conf->tls.sealed = strcmp(value, "encrypt") == 0 ? CONF_FLOOR_ENCRYPT :
		    CONF_FLOOR_MAY;
	else if (strcmp(text, "dane") == 0)
		play->conf->tls.dane = strcmp(value, "yes") == 0;
	else if (strcmp(text, "mta_sts") == 0)
		play->conf->tls.mta_sts = strcmp(value, "yes") == 0;
	else if (strcmp(text, "cache_max") == 0)
		play->conf->tls.cache_max = (unsigned int)n;
	else
		die(play, "conf floor|sealed|dane|mta_sts|cache_max");
	policy_use_conf(play->policy, play->conf);
}

static enum conf_level level_of(struct play *play, const char *word)
{
	for (unsigned int level = CONF_LEVEL_NONE; level <= CONF_LEVEL_SECURE; level++)
		if (strcmp(conf_level_name(level), word) == 0)
			return level;
	die(play, "a level");
	return CONF_LEVEL_NONE;
}

/* One word of a rule. */
static void rule_word(struct play *play, struct conf_hop *rule, const char *word)
{
	enum fail_code code = SG_OK;
	uint64_t seconds;

	if (strncmp(word, "match=", 6) == 0)
		code = str_list_add(&rule->match, word + 6);
	else if (strncmp(word, "fingerprint=", 12) == 0)
		code = str_list_add(&rule->fingerprints, word + 12);
	else if (strcmp(word, "through") == 0)
		rule->through = true;
	else if (strncmp(word, "until=", 6) == 0 &&
	    str_parse_u64(word + 6, 0, 1000000, &seconds) == SG_OK)
		rule->until_ms = play->now_ms + (int64_t)seconds * 1000;
	else
		die(play, "match=, fingerprint=, through or until=SECONDS");
	if (code != SG_OK)
		die(play, "no memory");
}

static void act_rule(struct play *play, char *text)
{
	char *level = split(text);
	char *rest = split(level);
	struct conf_hop *hops = reallocarray(play->conf->hops, play->conf->hop_count + 1,
	    sizeof *hops);
	struct conf_hop *rule;

	if (hops == NULL)
		die(play, "no memory");
	play->conf->hops = hops;
	rule = &hops[play->conf->hop_count++];
	memset(rule, 0, sizeof *rule);
	rule->name = str_dup(text);
	rule->tls = level_of(play, level);
	rule->reason = str_dup("because");
	while (*rest != '\0') {
		char *next = split(rest);

		rule_word(play, rule, rest);
		rest = next;
	}
	policy_use_conf(play->policy, play->conf);
}

/* Time passes as the service lives it: a second at a time, with care taken. */
static void act_after(struct play *play, char *text)
{
	int64_t wait_ms;

	if (str_parse_duration(text, &wait_ms) != SG_OK)
		die(play, "after 5s");
	for (int64_t end_ms = play->now_ms + wait_ms; play->now_ms < end_ms;) {
		play->now_ms += 1000;
		policy_tend(play->policy);
	}
}

/* Time passes while nobody looks. */
static void act_jump(struct play *play, char *text)
{
	int64_t wait_ms;

	if (str_parse_duration(text, &wait_ms) != SG_OK)
		die(play, "jump 5s");
	play->now_ms += wait_ms;
}

static void on_answer(void *context, const struct policy_answer *answer)
{
	struct play *play = context;

	play->answer = *answer;
	play->answers++;
}

static void forget_questions(struct play *play)
{
	play->asked[0] = '\0';
	play->questions = 0;
	play->answers = 0;
}

static void act_ask(struct play *play, char *text)
{
	char *hop = split(text);
	enum policy_map map = strcmp(text, "proven") == 0 ? POLICY_PROVEN :
	    strcmp(text, "sealed") == 0 ? POLICY_SEALED : POLICY_ALL;

	forget_questions(play);
	policy_ask(play->policy, map, hop, on_answer, play);
}

/* One more asker, beside those that wait. */
static void act_also(struct play *play, char *text)
{
	char *hop = split(text);

	policy_ask(play->policy, strcmp(text, "proven") == 0 ? POLICY_PROVEN : POLICY_ALL, hop,
	    on_answer, play);
}

static void act_prove(struct play *play, char *text)
{
	char *relayed = split(text);

	forget_questions(play);
	policy_prove(play->policy, text, strcmp(relayed, "relayed") == 0, on_answer, play);
}

static void add_step(struct play *play, const char *a, const char *b, const char *c,
    const char *d)
{
	size_t at = strlen(play->steps);

	(void)snprintf(play->steps + at, sizeof play->steps - at, "%s: %s [%s] %s\n", a, b, c,
	    d == NULL ? "" : d);
}

static void on_explained(void *context, const struct policy_explanation *explanation)
{
	struct play *play = context;
	char mx[64];

	play->answers++;
	play->answer = explanation->answers[POLICY_ALL];
	for (size_t i = 0; i < explanation->step_count; i++)
		add_step(play, explanation->steps[i].question, explanation->steps[i].answer,
		    explanation->steps[i].state, explanation->steps[i].meaning);
	for (size_t i = 0; i < explanation->mx_count; i++) {
		const struct policy_mx *host = &explanation->mxs[i];

		(void)snprintf(mx, sizeof mx, "%d usable=%d%s%s", host->preference,
		    host->tlsa_usable, host->secure ? " secure" : "",
		    host->sts_match ? " sts" : "");
		add_step(play, "host", host->name, mx, host->addresses);
	}
}

static void act_explain(struct play *play, char *text)
{
	forget_questions(play);
	play->steps[0] = '\0';
	policy_explain(play->policy, text, on_explained, play);
}

static void act_hold(struct play *play, char *text)
{
	(void)text;
	play->holding = true;
}

static void act_release(struct play *play, char *text)
{
	(void)text;
	play->holding = false;
	while (play->held_count > 0)
		release(play, false);
}

static void act_restart(struct play *play, char *text)
{
	struct buf kept;

	(void)text;
	buf_init(&kept, (size_t)16 * 1024 * 1024);
	if (policy_save(play->policy, &kept, NULL) != SG_OK)
		die(play, "cannot be saved");
	policy_free(play->policy);
	start_policy(play);
	if (policy_load(play->policy, kept.data, kept.size, NULL) != SG_OK)
		die(play, "cannot be loaded");
	buf_free(&kept);
}

/* ---- expectations ---- */

static void expect_kind(struct play *play, enum policy_kind kind, const char *text)
{
	static const char *const kinds[] = { "temporary", "found", "not found" };

	if (play->answer.kind != kind || strcmp(play->answer.text, text) != 0) {
		wrong(play, kinds[kind], kinds[play->answer.kind]);
		(void)printf("#   text \"%s\", reason \"%s\"\n", play->answer.text,
		    play->answer.reason);
	}
}

static void expect_words(struct play *play, const char *words, const char *text)
{
	if (strstr(text, words) == NULL)
		wrong(play, words, text);
}

static void expect_number(struct play *play, const char *text, uint64_t is)
{
	char number_text[32];
	uint64_t value;

	if (str_parse_u64(text, 0, UINT64_MAX, &value) != SG_OK)
		die(play, "a number");
	(void)snprintf(number_text, sizeof number_text, "%llu", (unsigned long long)is);
	if (value != is)
		wrong(play, text, number_text);
}

static void expect_count(struct play *play, char *text)
{
	char *value = split(text);
	struct policy_counts counts;

	policy_counts(play->policy, &counts);
	if (strcmp(text, "hits") == 0)
		expect_number(play, value, counts.cache_hits);
	else if (strcmp(text, "refreshed") == 0)
		expect_number(play, value, counts.refreshed);
	else if (strcmp(text, "dns-failures") == 0)
		expect_number(play, value, counts.dns_failures);
	else if (strcmp(text, "bogus") == 0)
		expect_number(play, value, counts.dns_bogus);
	else if (strcmp(text, "sts-failures") == 0)
		expect_number(play, value, counts.sts_failures);
	else if (strcmp(text, "cached") == 0)
		expect_number(play, value, counts.cached);
	else if (strcmp(text, "evicted") == 0)
		expect_number(play, value, counts.evicted);
	else
		die(play, "which count?");
}

static void expect_published(struct play *play, char *text)
{
	char *words = split(text);
	struct policy_published published;

	if (!policy_published(play->policy, text, &published)) {
		if (strcmp(words, "nothing") != 0)
			wrong(play, words, "nothing");
		return;
	}
	expect_words(play, words, published.source == POLICY_BY_NOTHING ? "no policy" :
	    published.strings);
	policy_published_free(&published);
}

static void expect_asked(struct play *play, const char *text, bool wanted)
{
	char line[300];

	(void)snprintf(line, sizeof line, "%s\n", text);
	if ((strstr(play->asked, line) != NULL) != wanted)
		wrong(play, wanted ? text : "another question", play->asked);
}

static void expect(struct play *play, char *text)
{
	char *rest = split(text);

	if (strcmp(text, "found") == 0)
		expect_kind(play, POLICY_FOUND, rest);
	else if (strcmp(text, "not-found") == 0)
		expect_kind(play, POLICY_NOT_FOUND, "");
	else if (strcmp(text, "temporary") == 0)
		expect_kind(play, POLICY_TEMPORARY, "");
	else if (strcmp(text, "proven") == 0 || strcmp(text, "unproven") == 0)
		expect_number(play, text[0] == 'p' ? "1" : "0", play->answer.proven);
	else if (strcmp(text, "reason") == 0)
		expect_words(play, rest, play->answer.reason);
	else if (strcmp(text, "report") == 0)
		expect_words(play, rest, play->answer.tlsrpt);
	else if (strcmp(text, "no-report") == 0)
		expect_number(play, "0", strlen(play->answer.tlsrpt));
	else if (strcmp(text, "ttl") == 0)
		expect_number(play, rest, (uint64_t)(play->answer.ttl_ms / 1000));
	else if (strcmp(text, "questions") == 0)
		expect_number(play, rest, play->questions);
	else if (strcmp(text, "answers") == 0)
		expect_number(play, rest, play->answers);
	else if (strcmp(text, "asked") == 0)
		expect_asked(play, rest, true);
	else if (strcmp(text, "not-asked") == 0)
		expect_asked(play, rest, false);
	else if (strcmp(text, "step") == 0)
		expect_words(play, rest, play->steps);
	else if (strcmp(text, "count") == 0)
		expect_count(play, rest);
	else if (strcmp(text, "published") == 0)
		expect_published(play, rest);
	else
		die(play, "unknown expectation");
}

/* ---- files ---- */

static const struct {
	const char *word;
	void (*act)(struct play *play, char *text);
} actions[] = {
	{ "dns", act_dns }, { "https", act_https }, { "conf", act_conf }, { "rule", act_rule },
	{ "after", act_after }, { "jump", act_jump }, { "ask", act_ask }, { "also", act_also },
	{ "prove", act_prove }, { "explain", act_explain }, { "hold", act_hold },
	{ "release", act_release }, { "restart", act_restart }, { "expect", expect },
};

static void play_line(struct play *play, char *line)
{
	char *text;

	line[strcspn(line, "\n")] = '\0';
	while (*line == '\t')
		line++;
	if (line[0] == '\0' || line[0] == '#')
		return;
	text = split(line);
	if (strcmp(line, "case") == 0) {
		end_case(play);
		start_case(play, text);
		return;
	}
	for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
		if (strcmp(actions[i].word, line) == 0) {
			actions[i].act(play, text);
			return;
		}
	die(play, "unknown word");
}

static void play_file(struct play *play, const char *path)
{
	char line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "re");

	play->file = path;
	play->line = 0;
	if (file == NULL)
		die(play, "cannot be read");
	for (play->line = 1; fgets(line, sizeof line, file) != NULL; play->line++)
		play_line(play, line);
	end_case(play);
	(void)fclose(file);
}

int main(int argc, char *argv[])
{
	static struct play play;

	log_start("tls", LOG_LEVEL_ERROR);
	play.source = (struct source){ .context = &play, .dns = play_dns, .https = play_https };
	play.clock = (struct clock){ .wall_ms = play_now, .mono_ms = play_now, .context = &play };
	play.dns = calloc(ANSWERS_MAX, sizeof *play.dns);
	play.https = calloc(ANSWERS_MAX, sizeof *play.https);
	if (play.dns == NULL || play.https == NULL)
		die(&play, "no memory");
	for (int i = 1; i < argc; i++)
		play_file(&play, argv[i]);
	free(play.dns);
	free(play.https);
	return play.failures > 0 || play.passed == 0 ? 1 : 0;
}
