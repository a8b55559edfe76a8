/* TLS_CHECK: the engine's explanation, and on demand a trial of each mail server. */
#include "gateway/tls/serve_check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/dane.h"
#include "gateway/tls/hop.h"
#include "gateway/tls/server.h"

#define SERVERS_MAX 20		/* tried of one domain */
#define ADDRESSES_MAX 4		/* tried of one server */
#define TLSA_MAX 20		/* taken of one server */
#define TRY_MS 15000		/* one address; Postfix itself has more patience */
#define ALL_MS 90000		/* all of them; the command line waits for 120 s */

struct checking;

/* One mail server that is to be tried. */
struct candidate {
	struct checking *checking;
	char *name;
	struct str_list addresses;
	struct connect_tlsa tlsa[TLSA_MAX];
	size_t tlsa_count;
	struct connect_result results[ADDRESSES_MAX];
	size_t tried;
};

struct checking {
	struct asked *asked;
	bool connect;
	bool json;
	json_t *root;
	struct hop hop;
	char policy[POLICY_TEXT_MAX];	/* that the servers must meet */
	char *ca_file;
	struct candidate *candidates;
	size_t count;
	size_t waiting;			/* lookups; one more while they are being asked */
};

static void candidate_free(struct candidate *candidate)
{
	size_t i;

	free(candidate->name);
	str_list_free(&candidate->addresses);
	for (i = 0; i < candidate->tlsa_count; i++)
		free(candidate->tlsa[i].data);
	for (i = 0; i < candidate->tried; i++)
		connect_result_free(&candidate->results[i]);
}

static void checking_free(struct checking *checking)
{
	size_t i;

	for (i = 0; i < checking->count; i++)
		candidate_free(&checking->candidates[i]);
	free(checking->candidates);
	json_decref(checking->root);
	free(checking->ca_file);
	free(checking);
}

/* --- the answer --- */

static enum fail_code put_json(const json_t *root, struct buf *out)
{
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	enum fail_code code = text == NULL ? SG_ENOMEM : buf_printf(out, "%s\n", text);

	free(text);
	return code;
}

static void finish(struct checking *checking)
{
	enum fail_code code;
	struct buf text;
	struct fail f;

	buf_init(&text, SERVER_TEXT_MAX);
	code = checking->json ? put_json(checking->root, &text) :
	    check_text(checking->root, &text);
	if (code == SG_OK) {
		serve_answer_text(checking->asked, &text);
	} else {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the explanation");
		serve_answer_fail(checking->asked, &f);
	}
	buf_free(&text);
	checking_free(checking);
}

static void finish_failed(struct checking *checking, const struct fail *f)
{
	serve_answer_fail(checking->asked, f);
	checking_free(checking);
}

/* --- trials, in a job --- */

static struct connect_target target_of(const struct candidate *candidate, size_t address)
{
	const struct checking *checking = candidate->checking;

	return (struct connect_target){
		.host = candidate->name,
		.address = candidate->addresses.items[address],
		.port = checking->hop.port,
		.nexthop = checking->hop.name,
		.policy = checking->policy,
		.tlsa = candidate->tlsa,
		.tlsa_count = candidate->tlsa_count,
		.ca_file = checking->ca_file,
		.timeout_ms = TRY_MS,
	};
}

static void try_run(void *context)
{
	struct checking *checking = context;
	int64_t end_ms = clock_mono_ms(clock_system()) + ALL_MS;
	struct connect_target target;
	size_t i;
	size_t a;

	for (i = 0; i < checking->count; i++) {
		struct candidate *candidate = &checking->candidates[i];

		for (a = 0; a < candidate->addresses.count && a < ADDRESSES_MAX; a++) {
			if (clock_mono_ms(clock_system()) >= end_ms)
				return;
			target = target_of(candidate, a);
			connect_try(&target, &candidate->results[a]);
			candidate->tried++;
		}
	}
}

static void try_done(void *context)
{
	struct checking *checking = context;
	struct connect_target target;
	json_t *trials;
	size_t i;
	size_t a;

	for (i = 0; i < checking->count; i++) {
		struct candidate *candidate = &checking->candidates[i];

		trials = json_array();
		for (a = 0; a < candidate->tried; a++) {
			target = target_of(candidate, a);
			(void)json_array_append_new(trials,
			    check_json_trial(&target, &candidate->results[a]));
		}
		(void)json_object_set_new(json_array_get(json_object_get(checking->root, "mx"), i),
		    "trials", trials);
	}
	check_json_verdict(checking->root);
	finish(checking);
}

/* --- addresses and TLSA records, by the server's own resolver --- */

static void looked_up(struct checking *checking)
{
	struct fail f;

	if (--checking->waiting > 0)
		return;
	fail_clear(&f);
	if (serve_job_start(checking->asked->server->jobs, try_run, try_done, checking, &f) !=
	    SG_OK)
		finish_failed(checking, &f);
}

static void address_done(void *context, const struct source_dns *answer)
{
	struct candidate *candidate = context;
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; answer->status == SOURCE_DNS_ANSWER && i < answer->count; i++) {
		const struct source_record *record = &answer->records[i];

		if ((record->size == 4 || record->size == 16) &&
		    inet_ntop(record->size == 4 ? AF_INET : AF_INET6, record->data, text,
		    sizeof(text)) != NULL && str_list_add(&candidate->addresses, text) != SG_OK)
			break;
	}
	looked_up(candidate->checking);
}

static void tlsa_done(void *context, const struct source_dns *answer)
{
	struct candidate *candidate = context;
	size_t i;

	for (i = 0; answer->status == SOURCE_DNS_ANSWER && answer->secure && i < answer->count;
	    i++) {
		const struct source_record *record = &answer->records[i];
		struct connect_tlsa *tlsa = &candidate->tlsa[candidate->tlsa_count];

		if (candidate->tlsa_count == TLSA_MAX || !dane_usable(record))
			continue;
		tlsa->data = malloc(record->size - 3);
		if (tlsa->data == NULL)
			break;
		memcpy(tlsa->data, record->data + 3, record->size - 3);
		tlsa->size = record->size - 3;
		tlsa->usage = record->data[0];
		tlsa->selector = record->data[1];
		tlsa->matching = record->data[2];
		candidate->tlsa_count++;
	}
	looked_up(candidate->checking);
}

static void look_up(struct checking *checking, struct candidate *candidate)
{
	const struct source *source = source_live_source(checking->asked->server->live);
	unsigned char literal[16];
	char name[HOP_TEXT_MAX + 16];

	if (inet_pton(AF_INET, candidate->name, literal) == 1 ||
	    inet_pton(AF_INET6, candidate->name, literal) == 1) {
		if (str_list_add(&candidate->addresses, candidate->name) != SG_OK)
			return;	/* it is not tried then */
		return;
	}
	(void)snprintf(name, sizeof(name), "_%u._tcp.%.255s", checking->hop.port,
	    candidate->name);
	checking->waiting += 3;
	source->dns(source->context, candidate->name, SOURCE_A, address_done, candidate);
	source->dns(source->context, candidate->name, SOURCE_AAAA, address_done, candidate);
	source->dns(source->context, name, SOURCE_TLSA, tlsa_done, candidate);
}

/* A hop that is a host itself may come without mail servers. */
static void add_host(struct checking *checking)
{
	json_t *mxs = json_object_get(checking->root, "mx");

	if (json_array_size(mxs) == 0 && checking->hop.direct)
		(void)json_array_append_new(mxs, json_pack("{s:s, s:i, s:[], s:b, s:i, s:b}",
		    "name", checking->hop.name, "preference", 0, "addresses", "secure", 0,
		    "tlsa_usable", 0, "sts_match", 0));
}

static enum fail_code add_candidates(struct checking *checking)
{
	json_t *mxs = json_object_get(checking->root, "mx");
	size_t count = json_array_size(mxs);
	const char *name;

	if (count > SERVERS_MAX)
		count = SERVERS_MAX;
	checking->candidates = calloc(count + 1, sizeof(*checking->candidates));
	if (checking->candidates == NULL)
		return SG_ENOMEM;
	for (; checking->count < count; checking->count++) {
		struct candidate *candidate = &checking->candidates[checking->count];

		name = json_string_value(json_object_get(json_array_get(mxs, checking->count),
		    "name"));
		candidate->checking = checking;
		candidate->name = str_dup(name == NULL ? "" : name);
		if (candidate->name == NULL)
			return SG_ENOMEM;
	}
	return SG_OK;
}

static void look_up_all(struct checking *checking)
{
	struct fail f;
	size_t i;

	add_host(checking);
	if (add_candidates(checking) != SG_OK) {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the trials");
		finish_failed(checking, &f);
		return;
	}
	checking->waiting = 1;
	for (i = 0; i < checking->count; i++)
		look_up(checking, &checking->candidates[i]);
	looked_up(checking);
}

/* --- start --- */

/* The strongest that is sure to count: what all mail must meet, else what sealed mail must. */
static void choose_policy(struct checking *checking, const struct policy_explanation *explanation)
{
	const struct policy_answer *answer = &explanation->answers[POLICY_ALL];

	if (answer->kind != POLICY_FOUND)
		answer = &explanation->answers[POLICY_SEALED];
	(void)snprintf(checking->policy, sizeof(checking->policy), "%s",
	    answer->kind == POLICY_FOUND ? answer->text : "");
}

static void explained(void *context, const struct policy_explanation *explanation)
{
	struct checking *checking = context;

	checking->root = check_json(checking->hop.text, explanation);
	choose_policy(checking, explanation);
	if (checking->connect && checking->root != NULL)
		look_up_all(checking);
	else
		finish(checking);
}

void serve_check(struct asked *asked, const char *hop, bool connect, bool json)
{
	struct checking *checking = calloc(1, sizeof(*checking));
	struct fail f;

	if (checking != NULL)
		checking->ca_file = str_dup(asked->server->conf->tls.ca_file);
	if (checking == NULL) {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory");
		serve_answer_fail(asked, &f);
		return;
	}
	checking->asked = asked;
	checking->connect = connect;
	checking->json = json;
	hop_parse(hop, &checking->hop);
	policy_explain(asked->server->policy, hop, explained, checking);
}
