/*
 * Lines that Postfix 3.7 really wrote, and what the vault is told of them.
 *
 * links: sealgate-trace
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/trace/join.h"

#define NOW_MS ((int64_t)1795550400 * 1000)	/* 2026-11-24T20:00:00Z */
#define HEAD "Nov 24 19:41:14 gate "
#define SMTP HEAD "postfix/smtp[9316]: "
#define FALLBACK HEAD "postfix-a/sealed-tls/smtp[9338]: "
#define MX "localhost[127.0.0.1]:20002"
#define MODERN ": TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 " \
	"server-signature RSA-PSS (2048 bits) server-digest SHA256"

struct bench {
	struct join *join;
	struct join_batch batch;
};

static int bench_make(void **state)
{
	const struct join_ports ports = {10225, 10226};
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	tzset();
	b->join = join_new(&ports);
	assert_non_null(b->join);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;

	join_batch_clear(&b->batch);
	join_free(b->join);
	free(b);
	return 0;
}

static void feed(struct bench *b, const char *text, bool old)
{
	struct line line;
	struct fail f;

	assert_true(line_parse(text, NOW_MS, &line));
	assert_int_equal(join_line(b->join, &line, old ? NULL : &b->batch, &f), SG_OK);
}

/* Feeds one line and gives the fact that must come of it. */
static const struct vault_fact *fact(struct bench *b, const char *text)
{
	join_batch_clear(&b->batch);
	feed(b, text, false);
	assert_int_equal(b->batch.count, 1);
	return &b->batch.facts[0];
}

/* Feeds one line of which nothing must come. */
static void silent(struct bench *b, const char *text)
{
	join_batch_clear(&b->batch);
	feed(b, text, false);
	assert_int_equal(b->batch.count, 0);
}

static void joins_a_session_to_its_delivery(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	silent(b, SMTP "Verified TLS connection established to " MX MODERN);
	got = fact(b, SMTP "E861DA822A0: to=<u@good.example>, relay=" MX ", delay=0.06, "
	    "delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 03518A822A5)");
	assert_int_equal(got->record.decision, RECORD_DELIVERED);
	assert_int_equal(got->record.stage, 4);
	assert_int_equal(got->record.time_ms, (int64_t)1795549274 * 1000);
	assert_string_equal(got->record.queue_id, "E861DA822A0");
	assert_string_equal(got->record.recipient, "u@good.example");
	assert_string_equal(got->record.hop, MX);
	assert_string_equal(got->record.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384 verified");
	assert_string_equal(got->record.answer, "250 2.0.0 Ok: queued as 03518A822A5");
	assert_string_equal(got->result, "");
	/* the second recipient had the same session: it is not counted again */
	got = fact(b, SMTP "E861DA822A0: to=<v@good.example>, relay=" MX ", delay=0.06, "
	    "delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 03518A822A5)");
	assert_string_equal(got->record.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384 verified");
	assert_null(got->result);
}

static void never_takes_the_session_of_another_message(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	silent(b, SMTP "Verified TLS connection established to " MX MODERN);
	(void)fact(b, SMTP "E861DA822A0: to=<u@good.example>, relay=" MX ", delay=0.06, "
	    "delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok)");
	got = fact(b, SMTP "F861DA822A0: to=<u@good.example>, relay=" MX ", delay=0.06, "
	    "delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok)");
	assert_string_equal(got->record.tls, "");
	assert_string_equal(got->result, "starttls-not-supported");
}

static void never_takes_the_session_of_another_host_or_process(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	silent(b, SMTP "Verified TLS connection established to " MX MODERN);
	got = fact(b, SMTP "E861DA822A0: to=<u@good.example>, relay=other[192.0.2.1]:25, "
	    "delay=0.06, delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok)");
	assert_string_equal(got->record.tls, "");
	got = fact(b, HEAD "postfix/smtp[77]: E861DA822A0: to=<u@good.example>, relay=" MX ", "
	    "delay=0.06, delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok)");
	assert_string_equal(got->record.tls, "");
}

static void tells_a_tls_failure_before_the_fallback(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	got = fact(b, FALLBACK "962C1A822C2: TLS is required, but was not offered by host "
	    "localhost[127.0.0.1]");
	assert_int_equal(got->record.decision, RECORD_WAITING);
	assert_true(got->tls_failed);
	assert_string_equal(got->result, "starttls-not-supported");
	assert_string_equal(got->record.queue_id, "962C1A822C2");
	assert_string_equal(got->record.recipient, "");
	assert_string_equal(got->record.hop, "localhost[127.0.0.1]");
	/* what the fallback answered while it waits is not the peer's answer */
	silent(b, FALLBACK "962C1A822C2: to=<u@plain.example>, "
	    "relay=127.0.0.1[127.0.0.1]:10226, delay=0.03, delays=0/0.02/0/0.01, dsn=4.7.0, "
	    "status=deferred (host 127.0.0.1[127.0.0.1] said: 451 4.7.0 wait (in reply to end "
	    "of DATA command))");
	got = fact(b, FALLBACK "962C1A822C2: to=<u@plain.example>, "
	    "relay=127.0.0.1[127.0.0.1]:10226, delay=0.03, delays=0/0.02/0/0.01, dsn=2.0.0, "
	    "status=sent (250 2.0.0 Ok: queued as 9CD80A822C5)");
	assert_int_equal(got->record.decision, RECORD_DELIVERED);
	assert_string_equal(got->record.reason, "fallback");
	assert_null(got->result);
}

static void says_what_was_wrong_with_a_certificate(void **state)
{
	static const struct {
		const char *line;
		const char *result;
	} cases[] = {
		{"certificate verification failed for localhost[127.0.0.1]:20003: self-signed "
		 "certificate", "certificate-not-trusted"},
		{"server certificate verification failed for localhost[127.0.0.1]:20003: "
		 "num=62:hostname mismatch", "certificate-host-mismatch"},
		{"server certificate verification failed for localhost[127.0.0.1]:20003: "
		 "certificate has expired", "certificate-expired"},
		{"certificate verification failed for localhost[127.0.0.1]:20003: not trusted by "
		 "local or TLSA policy", "validation-failure"},
	};
	struct bench *b = *state;
	const struct vault_fact *got;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), FALLBACK "%s", cases[i].line);
		silent(b, text);
		silent(b, FALLBACK "Untrusted TLS connection established to "
		    "localhost[127.0.0.1]:20003" MODERN);
		(void)snprintf(text, sizeof(text),
		    FALLBACK "AD472A822C%zu: Server certificate not verified", i);
		got = fact(b, text);
		assert_true(got->tls_failed);
		assert_string_equal(got->result, cases[i].result);
		assert_string_equal(got->record.hop, "localhost[127.0.0.1]:20003");
		assert_string_equal(got->record.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384 untrusted");
	}
}

static void knows_which_failures_are_of_tls(void **state)
{
	static const struct {
		const char *answer;
		bool tls;
		const char *result;
	} cases[] = {
		{"Cannot start TLS: handshake failure", true, "validation-failure"},
		{"TLS is required, but host mx[192.0.2.1] refused to start TLS: 454 4.7.0 TLS not "
		 "available due to local problem", true, "starttls-not-supported"},
		{"Server certificate not trusted", true, "certificate-not-trusted"},
		{"no TLSA records found", true, "dane-required"},
		{"TLSA records unusable", true, "tlsa-invalid"},
		{"TLSA lookup error for mx.example:25", false, "dnssec-invalid"},
		{"TLS is required, but our TLS engine is unavailable", false, NULL},
		{"client TLS configuration problem", false, NULL},
		{"host mx[192.0.2.1] said: 450 4.2.0 greylisted", false, "starttls-not-supported"},
		/* a peer's words are not Postfix's */
		{"host mx[192.0.2.1] said: 450 Server certificate not verified", false,
		 "starttls-not-supported"},
		{"lost connection with mx[192.0.2.1] while receiving the initial server greeting",
		 false, NULL},
	};
	struct bench *b = *state;
	const struct vault_fact *got;
	char text[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(text, sizeof(text), SMTP "AAAAAA%02zu: to=<u@x.example>, "
		    "relay=mx[192.0.2.1]:25, delay=1, delays=1/0/0/0, dsn=4.7.5, "
		    "status=deferred (%s)", i, cases[i].answer);
		got = fact(b, text);
		assert_int_equal(got->record.decision, RECORD_WAITING);
		assert_string_equal(got->record.answer, cases[i].answer);
		assert_int_equal(got->tls_failed, cases[i].tls);
		if (cases[i].result == NULL)
			assert_null(got->result);
		else
			assert_string_equal(got->result, cases[i].result);
	}
}

static void names_the_host_that_could_not_be_reached(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	silent(b, SMTP "connect to localhost[127.0.0.1]:9: Connection refused");
	got = fact(b, SMTP "DA3D8A822C2: to=<u@down.example>, relay=none, delay=0, "
	    "delays=0/0/0/0, dsn=4.4.1, status=deferred (connect to localhost[127.0.0.1]:9: "
	    "Connection refused)");
	assert_string_equal(got->record.hop, "localhost[127.0.0.1]:9");
	assert_false(got->tls_failed);
	assert_null(got->result);
	/* the same before a fallback, whose own answer does not count */
	silent(b, FALLBACK "warning: TLS policy lookup for x.example/mx.x.example: non DNSSEC "
	    "destination");
	got = fact(b, FALLBACK "DB3D8A822C2: to=<u@x.example>, relay=127.0.0.1[127.0.0.1]:10226, "
	    "delay=0, delays=0/0/0/0, dsn=4.7.0, status=deferred (host 127.0.0.1[127.0.0.1] "
	    "said: 451 4.7.0 wait)");
	assert_true(got->tls_failed);
	assert_string_equal(got->record.hop, "mx.x.example");
	assert_string_equal(got->record.answer, "non DNSSEC destination");
	assert_string_equal(got->record.recipient, "u@x.example");
}

static void tells_of_local_deliveries_and_bounces(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	got = fact(b, HEAD "postfix/local[9352]: 70A19A822D4: to=<u@loc.example>, "
	    "orig_to=<alias@loc.example>, relay=local, delay=0.03, delays=0/0.01/0/0.02, "
	    "dsn=5.1.1, status=bounced (unknown user: \"u\")");
	assert_int_equal(got->record.decision, RECORD_BOUNCED);
	assert_string_equal(got->record.recipient, "u@loc.example");
	assert_string_equal(got->record.hop, "local");
	assert_string_equal(got->record.answer, "unknown user: \"u\"");
	assert_null(got->result);
	got = fact(b, HEAD "postfix/qmgr[11]: 4FZyz1Xk2bzJrq: from=<a@b.example>, status=expired, "
	    "returned to sender");
	assert_int_equal(got->record.decision, RECORD_BOUNCED);
	assert_string_equal(got->record.queue_id, "4FZyz1Xk2bzJrq");
	assert_string_equal(got->record.answer, "expired, returned to sender");
}

static void tells_what_the_second_stage_took_as_internal(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	got = fact(b, SMTP "E861DA822A0: to=<u@good.example>, relay=127.0.0.1[127.0.0.1]:10225, "
	    "delay=0.06, delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as X)");
	assert_string_equal(got->record.reason, "second stage");
	assert_null(got->result);
	got = fact(b, SMTP "E861DA822A1: to=<u@good.example>, relay=127.0.0.1[127.0.0.1]:10225, "
	    "delay=0.06, delays=0/0/0.04/0.02, dsn=4.3.0, status=deferred (host "
	    "127.0.0.1[127.0.0.1] said: 451 4.3.0 vault is away)");
	assert_int_equal(got->record.decision, RECORD_WAITING);
	assert_string_equal(got->record.reason, "second stage");
	/* another peer's port of the same number is none of ours */
	got = fact(b, SMTP "E861DA822A2: to=<u@good.example>, relay=mx[192.0.2.1]:10225, "
	    "delay=0.06, delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 Ok)");
	assert_string_equal(got->record.reason, "");
}

static void says_nothing_of_other_lines(void **state)
{
	static const char *const lines[] = {
		HEAD "postfix/smtpd[1]: connect from unknown[192.0.2.1]",
		HEAD "postfix/cleanup[9315]: E861DA822A0: message-id=<1@vm>",
		HEAD "postfix/qmgr[9]: E861DA822A0: from=<a@b>, size=1, nrcpt=1 (queue active)",
		HEAD "postfix/qmgr[9]: E861DA822A0: removed",
		SMTP "warning: TLS library problem: error:0A00042E:SSL routines::tlsv1 alert",
		SMTP "SSL_connect error to localhost[127.0.0.1]:20004: -1",
		SMTP "E861DA822A0: enabling PIX workarounds: disable_esmtp for mx[192.0.2.1]:25",
		HEAD "postfix/smtp[9]: E861DA822A0: to=<u@x>, relay=mx[192.0.2.1]:25, delay=0, "
		"delays=0/0/0/0, dsn=2.1.5, status=deliverable (250 Ok)",
		HEAD "postfix/smtp[9]: E861DA822A0: to=<u@x, relay=",
		HEAD "postfix/smtp[9]: E861DA822A0: to=<u@x>, relay=mx",
		HEAD "postfix/smtp[9]: ",
	};
	struct bench *b = *state;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		silent(b, lines[i]);
}

static void remembers_old_lines_without_telling_them(void **state)
{
	struct bench *b = *state;
	const struct vault_fact *got;

	feed(b, SMTP "Verified TLS connection established to " MX MODERN, true);
	assert_int_equal(b->batch.count, 0);
	got = fact(b, SMTP "E861DA822A0: to=<u@good.example>, relay=" MX ", delay=0.06, "
	    "delays=0/0/0.04/0.02, dsn=2.0.0, status=sent (250 2.0.0 Ok)");
	assert_string_equal(got->record.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384 verified");
}

static void forgets_the_longest_silent_of_too_many_processes(void **state)
{
	struct bench *b = *state;
	char text[512];
	unsigned int i;

	for (i = 1; i <= 2 * JOIN_PROCESSES; i++) {
		(void)snprintf(text, sizeof(text), HEAD "postfix/smtp[%u]: Verified TLS "
		    "connection established to " MX MODERN, i);
		feed(b, text, false);
	}
	(void)snprintf(text, sizeof(text), HEAD "postfix/smtp[%u]: E861DA822A0: to=<u@x>, relay=" MX
	    ", delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)", i - 1);
	assert_string_equal(fact(b, text)->record.tls, "TLSv1.3 TLS_AES_256_GCM_SHA384 verified");
	assert_string_equal(fact(b, HEAD "postfix/smtp[1]: E861DA822A0: to=<u@x>, relay=" MX
	    ", delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 Ok)")->record.tls, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)
	const struct CMUnitTest tests[] = {
		TEST(joins_a_session_to_its_delivery),
		TEST(never_takes_the_session_of_another_message),
		TEST(never_takes_the_session_of_another_host_or_process),
		TEST(tells_a_tls_failure_before_the_fallback),
		TEST(says_what_was_wrong_with_a_certificate),
		TEST(knows_which_failures_are_of_tls),
		TEST(names_the_host_that_could_not_be_reached),
		TEST(tells_of_local_deliveries_and_bounces),
		TEST(tells_what_the_second_stage_took_as_internal),
		TEST(says_nothing_of_other_lines),
		TEST(remembers_old_lines_without_telling_them),
		TEST(forgets_the_longest_silent_of_too_many_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
