/*
 * What sealgate-trace and sealgate-tls tell the real vault, and what comes of it.
 *
 * links: sealgate-milter
 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <time.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/vault/vault.h"

#define USER "65534:65534"	/* any without rights; only used as root */
#define USER_ID 65534
#define READY_MS 20000
#define LIFE_MS ((int64_t)3600 * 1000)
#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define HOP "mx.partner.example[192.0.2.1]:25"

struct bench {
	char folder[64];
	char program[PATH_MAX];
	char paths[3][96];
	struct conf *conf;
	int listeners[3];
	struct proc_child child;
	struct vault milter;
	struct vault admin;
	struct vault facts;
};

static char empty[] = "";
static char acme[] = "acme";
static char front_id[] = "4FZyz1Xk2bzJrq";
static char message_id[] = "<1@acme.example>";
static char sender[] = "a@acme.example";
static char bob[] = "Bob@partner.example";
static char carol[] = "carol@partner.example";
static char hop[] = HOP;
static char tls[] = "TLSv1.3 TLS_AES_256_GCM_SHA384 verified";
static char ok[] = "250 2.0.0 Ok";
static char no_tls[] = "TLS is required, but was not offered by host mx";
static char greylisted[] = "450 4.2.0 greylisted";

/* --- start and stop --- */

static void configure(struct bench *b)
{
	struct fail f;
	char path[128];

	assert_int_equal(conf_default(&b->conf, &f), SG_OK);
	assert_int_equal(str_set(&b->conf->state_directory, b->folder), SG_OK);
	(void)snprintf(path, sizeof(path), "%s/master.key", b->folder);
	assert_int_equal(str_set(&b->conf->master_key_file, path), SG_OK);
	assert_int_equal(str_set(&b->conf->users.vault, USER), SG_OK);
	b->conf->sandbox = CONF_SANDBOX_REDUCED;
	b->conf->log.level = 0;
	b->conf->tenants = calloc(1, sizeof(*b->conf->tenants));
	assert_non_null(b->conf->tenants);
	b->conf->tenants[0].name = strdup("acme");
	assert_int_equal(str_list_add(&b->conf->tenants[0].domains, "acme.example"), SG_OK);
	b->conf->tenant_count = 1;
}

static void start(struct bench *b)
{
	enum fail_code code;
	struct buf config;
	struct fail f;

	fail_clear(&f);
	buf_init(&config, PROC_CONFIG_MAX);
	code = conf_encode(b->conf, CONF_VAULT, &config, &f);
	if (code == SG_OK)
		code = proc_spawn(&(struct proc_birth){ b->program, b->listeners, 3,
		    &config, false }, &b->child, &f);
	if (code == SG_OK)
		code = proc_wait_ready(&b->child, READY_MS, NULL, &f);
	buf_free(&config);
	if (code != SG_OK)
		fail_msg("%s (%s)", f.what, f.hint);
}

static void crash(struct bench *b)
{
	assert_int_equal(kill(b->child.pid, SIGKILL), 0);
	proc_stop(&b->child, 5000);
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct vault *const vaults[3] = {&b->milter, &b->admin, &b->facts};
	char self[PATH_MAX];
	struct fail f;
	ssize_t n;
	int i;

	assert_non_null(b);
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	assert_true(n > 0);
	self[n] = '\0';
	assert_non_null(strstr(self, "/unit/gateway/vault/"));
	*strstr(self, "/unit/gateway/vault/") = '\0';
	(void)snprintf(b->program, sizeof(b->program), "%.3000s/sealgate-vault", self);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-facts-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	if (geteuid() == 0)
		assert_int_equal(chown(b->folder, USER_ID, USER_ID), 0);
	for (i = 0; i < 3; i++) {
		(void)snprintf(b->paths[i], sizeof(b->paths[i]), "%s/%d.sock", b->folder, i);
		assert_int_equal(wire_listen(b->paths[i], 0600, &b->listeners[i], &f), SG_OK);
		*vaults[i] = (struct vault){b->paths[i], 20000};
	}
	configure(b);
	start(b);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;
	int folder = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int i;

	proc_stop(&b->child, 5000);
	for (i = 0; i < 3; i++)
		fd_close(&b->listeners[i]);
	fd_empty_folder(folder);
	(void)rmdir(b->folder);
	conf_free(b->conf);
	free(b);
	return 0;
}

/* --- help --- */

static struct record decided(char *recipient)
{
	return (struct record){
		.time_ms = 1000,
		.tenant = acme,
		.stage = 1,
		.queue_id = front_id,
		.message_id = message_id,
		.sender = sender,
		.recipient = recipient,
		.decision = RECORD_ROUTED,
		.way = 4,
		.flagged_by = empty,
		.verdict = empty,
		.reason = empty,
		.size = 10,
	};
}

/* Days since 1970. The vault drops what is a month old: what is told here happened today. */
static uint32_t today(void)
{
	return (uint32_t)(time(NULL) / 86400);
}

static struct vault_fact logged(enum record_decision decision, char *recipient, char *answer,
    int64_t time_ms)	/* of today */
{
	return (struct vault_fact){
		.record = {
			.time_ms = today() * DAY_MS + time_ms,
			.tenant = empty,
			.stage = 4,
			.queue_id = front_id,
			.message_id = empty,
			.sender = empty,
			.recipient = recipient,
			.decision = (uint8_t)decision,
			.flagged_by = empty,
			.verdict = empty,
			.reason = empty,
			.hop = hop,
			.tls = empty,
			.answer = answer,
		},
		.domain = "",
	};
}

static void record(struct bench *b, struct record records[], size_t count)
{
	struct fail f;

	if (vault_record(&b->milter, records, count, &f) != SG_OK)
		fail_msg("%s", f.what);
}

static void tell(struct bench *b, const struct vault_fact *facts, size_t count,
    const char *position)
{
	struct fail f;

	if (vault_facts(&b->facts, facts, count, position, &f) != SG_OK)
		fail_msg("%s", f.what);
}

static struct vault_waiting waits(struct bench *b, const char *recipient)
{
	struct vault_waiting waiting;
	struct fail f;

	if (vault_waiting(&b->milter, front_id, recipient, &waiting, &f) != SG_OK)
		fail_msg("%s", f.what);
	return waiting;
}

static size_t traced(struct bench *b, struct record **records_out)
{
	size_t count = 0;
	struct fail f;

	if (vault_trace(&b->admin, front_id, records_out, &count, &f) != SG_OK)
		fail_msg("%s", f.what);
	return count;
}

/* --- tests --- */

static void joins_a_delivery_to_the_message(void **state)
{
	struct bench *b = *state;
	struct vault_fact fact = logged(RECORD_DELIVERED, bob, ok, 2000);
	struct record first = decided(bob);
	struct record *records = NULL;
	size_t count = 0;
	struct fail f;

	record(b, &first, 1);
	fact.record.tls = tls;
	fact.result = "";
	tell(b, &fact, 1, "here");
	assert_int_equal(vault_trace(&b->admin, message_id, &records, &count, &f), SG_OK);
	assert_int_equal(count, 2);
	assert_string_equal(records[1].tenant, acme);
	assert_string_equal(records[1].message_id, message_id);
	assert_string_equal(records[1].sender, sender);
	assert_string_equal(records[1].hop, HOP);
	assert_string_equal(records[1].tls, tls);
	assert_string_equal(records[1].answer, ok);
	assert_int_equal(records[1].stage, 4);
	records_free(records, count);
}

static void knows_why_a_delivery_waits_until_it_is_done(void **state)
{
	struct bench *b = *state;
	struct record first = decided(bob);
	struct vault_fact fact;

	record(b, &first, 1);
	assert_int_equal(waits(b, bob).time_ms, 0);
	/* before a fallback Postfix names no recipient: the message has one only */
	fact = logged(RECORD_WAITING, empty, no_tls, 2000);
	fact.tls_failed = true;
	tell(b, &fact, 1, NULL);
	assert_int_equal(waits(b, "bob@PARTNER.example").time_ms, today() * DAY_MS + 2000);
	assert_true(waits(b, bob).tls);
	assert_string_equal(waits(b, bob).answer, no_tls);
	assert_string_equal(waits(b, bob).hop, HOP);
	fact = logged(RECORD_WAITING, bob, greylisted, 3000);
	tell(b, &fact, 1, NULL);
	assert_false(waits(b, bob).tls);
	assert_int_equal(waits(b, bob).time_ms, today() * DAY_MS + 3000);
	assert_int_equal(waits(b, carol).time_ms, 0);
	fact = logged(RECORD_DELIVERED, bob, ok, 4000);
	tell(b, &fact, 1, NULL);
	assert_int_equal(waits(b, bob).time_ms, 0);
}

static void keeps_a_failure_of_all_recipients_when_there_are_several(void **state)
{
	struct bench *b = *state;
	struct record both[] = {decided(bob), decided(carol)};
	struct vault_fact fact = logged(RECORD_WAITING, empty, no_tls, 2000);

	record(b, both, 2);
	fact.tls_failed = true;
	tell(b, &fact, 1, NULL);
	assert_true(waits(b, bob).tls);
	assert_true(waits(b, carol).tls);
	fact = logged(RECORD_WAITING, carol, greylisted, 3000);
	tell(b, &fact, 1, NULL);
	assert_true(waits(b, bob).tls);
	assert_false(waits(b, carol).tls);
}

static void records_a_reason_once_as_long_as_it_is_the_same(void **state)
{
	struct bench *b = *state;
	struct vault_fact facts[] = {
		logged(RECORD_WAITING, bob, greylisted, 2000),
		logged(RECORD_WAITING, bob, greylisted, 3000),
		logged(RECORD_WAITING, carol, greylisted, 3000),
		logged(RECORD_WAITING, bob, no_tls, 4000),
		logged(RECORD_WAITING, bob, greylisted, 5000),
	};
	struct record *records = NULL;
	size_t count;

	tell(b, facts, 2, NULL);
	assert_int_equal(waits(b, bob).time_ms, today() * DAY_MS + 3000);
	tell(b, facts + 2, 3, NULL);
	count = traced(b, &records);
	assert_int_equal(count, 4);
	records_free(records, count);
}

static void keeps_facts_and_position_together(void **state)
{
	struct bench *b = *state;
	struct vault_fact facts[2] = {logged(RECORD_DELIVERED, bob, ok, 2000),
	    logged(RECORD_DELIVERED, carol, ok, 2000)};
	struct record *records = NULL;
	char *position = NULL;
	size_t count;
	struct fail f;

	assert_int_equal(vault_position(&b->facts, &position, &f), SG_OK);
	assert_string_equal(position, "");
	free(position);
	tell(b, facts, 1, "file 1 2 3 4");
	crash(b);
	start(b);
	assert_int_equal(vault_position(&b->facts, &position, &f), SG_OK);
	assert_string_equal(position, "file 1 2 3 4");
	free(position);
	/* a batch that is wrong leaves nothing */
	facts[1].record.decision = 200;
	assert_int_not_equal(vault_facts(&b->facts, facts, 2, "later", &f), SG_OK);
	assert_int_equal(vault_position(&b->facts, &position, &f), SG_OK);
	assert_string_equal(position, "file 1 2 3 4");
	free(position);
	count = traced(b, &records);
	assert_int_equal(count, 1);
	records_free(records, count);
}

static void takes_more_facts_than_fit_in_a_packet(void **state)
{
	static char answer[RECORD_TEXT_MAX + 1];
	struct bench *b = *state;
	struct vault_fact *facts = calloc(500, sizeof(*facts));
	struct record *records = NULL;
	size_t count;
	size_t i;

	assert_non_null(facts);
	memset(answer, 'x', RECORD_TEXT_MAX);
	for (i = 0; i < 500; i++)
		facts[i] = logged(RECORD_DELIVERED, bob, answer, 2000);
	tell(b, facts, 500, "there");
	count = traced(b, &records);
	assert_int_equal(count, 500);
	records_free(records, count);
	free(facts);
}

static void takes_a_mark_once_for_a_recipient(void **state)
{
	const struct vault_decision decision = {.tenant = acme, .sender = sender, .ways = 4,
	    .source = empty, .queue_id = front_id, .message_id = message_id, .created_ms = 1000};
	static const unsigned char digest[VAULT_DIGEST_SIZE] = {1};
	struct bench *b = *state;
	struct record first = decided(bob);
	char mark[VAULT_MARK_MAX];
	struct record *records = NULL;
	size_t count;
	struct fail f;

	first.stage = 3;
	assert_int_equal(vault_mark_make(&b->milter, &decision, digest, LIFE_MS, mark, &f), SG_OK);
	assert_int_equal(vault_record_once(&b->milter, mark, bob, &first, 1, &f), SG_OK);
	assert_int_equal(vault_record_once(&b->milter, mark, "bob@partner.example", &first, 1, &f),
	    SG_EDENIED);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	crash(b);
	start(b);
	assert_int_equal(vault_record_once(&b->milter, mark, bob, &first, 1, &f), SG_EDENIED);
	assert_int_equal(vault_record_once(&b->milter, mark, carol, &first, 1, &f), SG_OK);
	assert_int_equal(vault_record_once(&b->milter, "v=1; t=acme", bob, &first, 1, &f),
	    SG_EDENIED);
	mark[strlen("v=1; t=acme; i=")] ^= 1;
	assert_int_equal(vault_record_once(&b->milter, mark, "d@partner.example", &first, 1, &f),
	    SG_EDENIED);
	count = traced(b, &records);
	assert_int_equal(count, 2);
	records_free(records, count);
}

static void counts_sessions_of_a_day(void **state)
{
	struct bench *b = *state;
	struct vault_fact facts[4] = {
		logged(RECORD_DELIVERED, bob, ok, 5),
		logged(RECORD_DELIVERED, bob, ok, 6),
		logged(RECORD_WAITING, bob, no_tls, 7),
		logged(RECORD_DELIVERED, bob, ok, DAY_MS),
	};
	struct vault_session *sessions = NULL;
	size_t count = 0;
	struct fail f;
	size_t i;

	for (i = 0; i < 4; i++)
		facts[i].result = i == 2 ? "starttls-not-supported" : "";
	tell(b, facts, 4, NULL);
	assert_int_equal(vault_sessions(&b->facts, today(), &sessions, &count, &f), SG_OK);
	assert_int_equal(count, 2);
	assert_string_equal(sessions[0].domain, "partner.example");
	assert_string_equal(sessions[0].mx, "mx.partner.example");
	assert_string_equal(sessions[0].address, "192.0.2.1");
	assert_string_equal(sessions[0].result, "");
	assert_int_equal(sessions[0].count, 2);
	assert_string_equal(sessions[1].result, "starttls-not-supported");
	assert_int_equal(sessions[1].count, 1);
	vault_sessions_free(sessions, count);
	assert_int_equal(vault_sessions(&b->facts, today() - 1, &sessions, &count, &f), SG_OK);
	assert_int_equal(count, 0);
	vault_sessions_free(sessions, count);
}

static void counts_no_session_of_a_report(void **state)
{
	static char report[] = "<sealgate-tlsrpt.2026-11-23.1@gate.inside.example>";
	struct bench *b = *state;
	struct vault_fact fact = logged(RECORD_DELIVERED, bob, ok, 0);
	struct vault_session *sessions = NULL;
	size_t count = 1;
	struct fail f;

	fact.result = "";
	fact.record.message_id = report;
	tell(b, &fact, 1, NULL);
	assert_int_equal(vault_sessions(&b->facts, today(), &sessions, &count, &f), SG_OK);
	assert_int_equal(count, 0);
	vault_sessions_free(sessions, count);
}

static void lists_more_sessions_than_a_page(void **state)
{
	struct bench *b = *state;
	struct vault_fact fact = logged(RECORD_DELIVERED, bob, ok, 0);
	struct vault_session *sessions = NULL;
	char domain[64];
	size_t count = 0;
	struct fail f;
	size_t i;

	fact.result = "";
	fact.domain = domain;
	for (i = 0; i < 450; i++) {
		(void)snprintf(domain, sizeof(domain), "D%zu.example", i);
		tell(b, &fact, 1, NULL);
	}
	assert_int_equal(vault_sessions(&b->facts, today(), &sessions, &count, &f), SG_OK);
	assert_int_equal(count, 450);
	vault_sessions_free(sessions, count);
}

static void denies_each_socket_the_other_ones_requests(void **state)
{
	struct bench *b = *state;
	struct vault_fact fact = logged(RECORD_DELIVERED, bob, ok, 2000);
	struct vault_waiting waiting;
	char *position = NULL;
	struct fail f;

	assert_int_equal(vault_facts(&b->milter, &fact, 1, NULL, &f), SG_EDENIED);
	assert_int_equal(vault_facts(&b->admin, &fact, 1, NULL, &f), SG_EDENIED);
	assert_int_equal(vault_position(&b->milter, &position, &f), SG_EDENIED);
	assert_int_equal(vault_waiting(&b->facts, front_id, bob, &waiting, &f), SG_EDENIED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)
	const struct CMUnitTest tests[] = {
		TEST(joins_a_delivery_to_the_message),
		TEST(knows_why_a_delivery_waits_until_it_is_done),
		TEST(keeps_a_failure_of_all_recipients_when_there_are_several),
		TEST(records_a_reason_once_as_long_as_it_is_the_same),
		TEST(keeps_facts_and_position_together),
		TEST(takes_more_facts_than_fit_in_a_packet),
		TEST(takes_a_mark_once_for_a_recipient),
		TEST(counts_sessions_of_a_day),
		TEST(counts_no_session_of_a_report),
		TEST(lists_more_sessions_than_a_page),
		TEST(denies_each_socket_the_other_ones_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
