/*
 * Letters in the real vault: with records in one commit, once, gone when Postfix has them.
 * expect-error: sealgate-vault: error vault-commit
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

struct bench {
	char folder[64];
	char program[PATH_MAX];
	char paths[4][96];
	struct conf *conf;
	int listeners[4];
	struct proc_child child;
	struct vault milter;
	struct vault admin;
	struct vault facts;
	struct vault notice;
	struct secret password;
};

static char empty[] = "";
static char acme[] = "acme";
static char front_id[] = "4FZyz1Xk2bzJrq";
static char message_id[] = "<1@acme.example>";
static char phone[] = "+4915112345678";
static char reason[] = "3 pages";
static char sender[] = "a@acme.example";
static const char *const both[] = {"bob@partner.example", "carol@partner.example"};
static const unsigned char digest[VAULT_DIGEST_SIZE] = {1};

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
		code = proc_spawn(&(struct proc_birth){ b->program, b->listeners, 4,
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
	struct vault *const vaults[4] = {&b->milter, &b->admin, &b->facts, &b->notice};
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
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-notice-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	if (geteuid() == 0)
		assert_int_equal(chown(b->folder, USER_ID, USER_ID), 0);
	for (i = 0; i < 4; i++) {
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
	for (i = 0; i < 4; i++)
		fd_close(&b->listeners[i]);
	fd_empty_folder(folder);
	(void)rmdir(b->folder);
	conf_free(b->conf);
	free(b);
	return 0;
}

/* --- what is asked --- */

static struct vault_letter letter_of(const struct bench *b, size_t count, bool keep)
{
	const struct vault_letter letter = {.to = sender, .language = 1,
	    .keep = keep, .subject = " Offer", .time_ms = 5000, .password = &b->password,
	    .recipients = both, .count = count, .phone = empty};

	return letter;
}

static enum fail_code tell(const struct bench *b, const char *mark, const char *used_for,
    const struct vault_letter *letter, struct fail *f)
{
	const struct vault_told told = {.tenant = acme, .mark = mark, .used_for = used_for,
	    .letter = letter};
	struct record record = {.time_ms = 1000, .stage = 1, .decision = RECORD_SEALED,
	    .way = WAY_PDF, .tenant = acme, .queue_id = front_id, .message_id = message_id,
	    .sender = sender, .recipient = sender, .flagged_by = empty, .verdict = empty,
	    .reason = empty};

	fail_clear(f);
	return vault_record_told(&b->milter, &told, &record, 1, f);
}

static void make_mark(struct bench *b, char mark_out[VAULT_MARK_MAX])
{
	struct vault_decision decision = {.tenant = acme, .sender = sender, .ways = 2,
	    .source = empty, .queue_id = front_id, .message_id = message_id, .created_ms = 1000,
	    .password_kind = VAULT_GENERATED};
	struct fail f;

	decision.password = b->password;
	assert_int_equal(vault_mark_make(&b->milter, &decision, digest, LIFE_MS, mark_out, &f),
	    SG_OK);
}

static uint64_t records_in(struct bench *b)
{
	struct vault_status status;
	struct fail f;

	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	return status.records;
}

/* The number of recipients of the letter that is next, 0 if there is none. */
static uint32_t next_count(struct bench *b, bool done)
{
	struct vault_notice notice;
	struct fail f;
	uint32_t count;
	bool found;

	assert_int_equal(vault_notice_next(&b->notice, false, &notice, &found, &f), SG_OK);
	count = found ? notice.count : 0;
	if (found && done)
		assert_int_equal(vault_notice_done(&b->notice, notice.id, &f), SG_OK);
	vault_notice_free(&notice);
	return count;
}

static void begin(struct bench *b)
{
	secret_init(&b->password);
	assert_int_equal(secret_set(&b->password, "abcd-efgh-jkmn-2345", 19), SG_OK);
}

/* --- what must be --- */

static void a_letter_survives_a_crash_until_it_is_done(void **state)
{
	struct bench *b = *state;
	struct vault_letter letter = letter_of(b, 2, false);
	struct vault_notice notice;
	struct fail f;
	bool found;

	begin(b);
	assert_int_equal(tell(b, NULL, NULL, &letter, &f), SG_OK);
	crash(b);
	start(b);
	assert_int_equal(records_in(b), 1);
	assert_int_equal(vault_notice_next(&b->notice, false, &notice, &found, &f), SG_OK);
	assert_true(found);
	assert_string_equal(notice.to, sender);
	assert_string_equal(notice.subject, " Offer");
	assert_int_equal(notice.language, 1);
	assert_int_equal(notice.count, 2);
	assert_string_equal(notice.recipients.items[1], both[1]);
	assert_true(secret_equal(&notice.password, "abcd-efgh-jkmn-2345", 19));
	vault_notice_free(&notice);
	assert_int_equal(next_count(b, true), 2);
	assert_int_equal(next_count(b, false), 0);
	secret_free(&b->password);
}

static void for_one_mark_each_recipient_is_told_about_once(void **state)
{
	struct bench *b = *state;
	struct vault_letter first = letter_of(b, 1, false);
	struct vault_letter second = letter_of(b, 2, false);
	char mark[VAULT_MARK_MAX];
	struct fail f;

	begin(b);
	make_mark(b, mark);
	assert_int_equal(tell(b, mark, NULL, &first, &f), SG_OK);
	assert_int_equal(next_count(b, true), 1);
	assert_int_equal(tell(b, mark, NULL, &second, &f), SG_OK);
	assert_int_equal(next_count(b, true), 1);
	assert_int_equal(tell(b, mark, NULL, &second, &f), SG_OK);
	assert_int_equal(next_count(b, true), 0);
	assert_int_equal(records_in(b), 3);
	secret_free(&b->password);
}

static void a_mark_brings_its_password_back(void **state)
{
	struct bench *b = *state;
	struct vault_decision decision;
	char mark[VAULT_MARK_MAX];
	struct fail f;

	begin(b);
	make_mark(b, mark);
	assert_int_equal(vault_mark_check(&b->milter, mark, digest, &decision, &f), SG_OK);
	assert_int_equal(decision.password_kind, VAULT_GENERATED);
	assert_true(secret_equal(&decision.password, "abcd-efgh-jkmn-2345", 19));
	vault_decision_free(&decision);
	secret_free(&b->password);
}

static void what_a_recipient_keeps_is_kept_with_the_letter(void **state)
{
	struct bench *b = *state;
	struct vault_letter letter = letter_of(b, 1, true);
	struct secret own;
	struct fail f;

	begin(b);
	secret_init(&own);
	assert_int_equal(tell(b, NULL, NULL, &letter, &f), SG_OK);
	assert_int_equal(vault_password(&b->milter, acme, both[0], &own, &f), SG_OK);
	assert_true(secret_equal(&own, "abcd-efgh-jkmn-2345", 19));
	/* another message was quicker: nothing of this one stays */
	assert_int_equal(tell(b, NULL, NULL, &letter, &f), SG_EEXIST);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(records_in(b), 1);
	assert_int_equal(next_count(b, true), 1);
	assert_int_equal(next_count(b, false), 0);
	secret_free(&own);
	secret_free(&b->password);
}

static void a_letter_is_known_by_its_mark_and_comes_again(void **state)
{
	struct bench *b = *state;
	struct vault_letter letter = letter_of(b, 1, false);
	struct vault_decision decision;
	struct vault_notice notice;
	char mark[VAULT_MARK_MAX];
	bool given_up;
	struct fail f;
	bool found;

	begin(b);
	assert_int_equal(tell(b, NULL, NULL, &letter, &f), SG_OK);
	assert_int_equal(vault_notice_next(&b->notice, false, &notice, &found, &f), SG_OK);
	assert_int_equal(vault_notice_sign(&b->notice, notice.id, digest, mark, &f), SG_OK);
	assert_int_equal(vault_mark_check(&b->milter, mark, digest, &decision, &f), SG_OK);
	assert_string_equal(decision.source, VAULT_NOTICE);
	assert_string_equal(decision.sender, sender);
	vault_decision_free(&decision);
	/* used up by the filter; void again when Postfix did not take it after all */
	assert_int_equal(vault_record_once(&b->milter, mark, sender, NULL, 0, &f), SG_OK);
	assert_int_equal(vault_record_once(&b->milter, mark, sender, NULL, 0, &f), SG_EDENIED);
	assert_int_equal(vault_notice_again(&b->notice, notice.id, &given_up, &f), SG_OK);
	assert_false(given_up);
	assert_int_equal(vault_record_once(&b->milter, mark, sender, NULL, 0, &f), SG_OK);
	assert_int_equal(next_count(b, false), 0);	/* not yet */
	/* nothing else is signed on that socket */
	notice.id[0] ^= 1;
	assert_int_equal(vault_notice_sign(&b->notice, notice.id, digest, mark, &f),
	    SG_ENOTFOUND);
	assert_int_equal(vault_password(&b->notice, acme, both[0], &b->password, &f), SG_EDENIED);
	vault_notice_free(&notice);
	secret_free(&b->password);
}

static void what_is_for_a_hook_waits_apart_and_can_become_a_letter(void **state)
{
	struct bench *b = *state;
	struct vault_letter letter = letter_of(b, 2, false);
	struct vault_notice notice;
	struct vault_notice again;
	bool given_up;
	struct fail f;
	bool found;

	begin(b);
	letter.kind = VAULT_HOOK;
	letter.phone = "+4915112345678";
	assert_int_equal(tell(b, NULL, NULL, &letter, &f), SG_OK);
	assert_int_equal(next_count(b, false), 0);
	assert_int_equal(vault_notice_next(&b->notice, true, &notice, &found, &f), SG_OK);
	assert_true(found);
	assert_int_equal(notice.kind, VAULT_HOOK);
	assert_string_equal(notice.phone, "+4915112345678");
	assert_true(secret_equal(&notice.password, "abcd-efgh-jkmn-2345", 19));
	assert_int_equal(vault_notice_again(&b->notice, notice.id, &given_up, &f), SG_OK);
	assert_false(given_up);
	assert_int_equal(vault_notice_next(&b->notice, true, &again, &found, &f), SG_OK);
	assert_false(found);
	assert_int_equal(vault_notice_failed(&b->notice, notice.id, "exit status 1", &f), SG_OK);
	crash(b);
	start(b);
	assert_int_equal(vault_notice_next(&b->notice, false, &again, &found, &f), SG_OK);
	assert_true(found);
	assert_int_equal(again.kind, VAULT_UNHANDED);
	assert_int_equal(again.password.size, 0);
	assert_string_equal(again.phone, "");
	assert_string_equal(again.reason, "exit status 1");
	assert_string_equal(again.recipients.items[1], both[1]);
	assert_memory_equal(again.id, notice.id, sizeof(notice.id));
	/* a letter does not fail so */
	assert_int_equal(vault_notice_failed(&b->notice, notice.id, "x", &f), SG_EFORMAT);
	vault_notice_free(&notice);
	vault_notice_free(&again);
	assert_int_equal(next_count(b, true), 2);
	secret_free(&b->password);
}

static void a_mark_brings_its_number_back(void **state)
{
	struct vault_decision decision = {.tenant = acme, .sender = sender, .ways = 2,
	    .source = empty, .queue_id = front_id, .message_id = message_id, .created_ms = 1000,
	    .password_kind = VAULT_SMS, .phone = phone};
	struct bench *b = *state;
	char mark[VAULT_MARK_MAX];
	struct fail f;

	begin(b);
	decision.password = b->password;
	assert_int_equal(vault_mark_make(&b->milter, &decision, digest, LIFE_MS, mark, &f),
	    SG_OK);
	assert_int_equal(vault_mark_check(&b->milter, mark, digest, &decision, &f), SG_OK);
	assert_int_equal(decision.password_kind, VAULT_SMS);
	assert_string_equal(decision.phone, phone);
	assert_true(secret_equal(&decision.password, "abcd-efgh-jkmn-2345", 19));
	vault_decision_free(&decision);
	secret_free(&b->password);
}

static void weak_passwords_of_senders_are_told_why(void **state)
{
	static const char *const names[] = {"robert@partner.example"};
	struct bench *b = *state;
	struct fail f;

	begin(b);
	assert_int_equal(vault_password_try(&b->milter, acme, &b->password, names, 1, &f), SG_OK);
	assert_int_equal(secret_set(&b->password, "Password2026", 12), SG_OK);
	assert_int_equal(vault_password_try(&b->milter, acme, &b->password, names, 1, &f),
	    SG_EFORMAT);
	assert_null(strstr(f.what, "Password2026"));
	assert_int_equal(secret_set(&b->password, "hi-Robert-77-lamp", 17), SG_OK);
	assert_int_equal(vault_password_try(&b->milter, acme, &b->password, names, 1, &f),
	    SG_EFORMAT);
	secret_free(&b->password);
}

static enum fail_code deliver(const struct bench *b, const char *mark, const char *recipient,
    const struct vault_letter *notice)
{
	const struct vault_told told = {.tenant = acme, .mark = mark, .delivered = recipient,
	    .notice = notice};
	struct record record = {.time_ms = 1000, .stage = 2, .decision = RECORD_SEALED,
	    .way = WAY_PDF, .tenant = acme, .queue_id = front_id, .message_id = message_id,
	    .sender = sender, .recipient = sender, .flagged_by = empty, .verdict = empty,
	    .reason = reason};
	struct fail f;

	fail_clear(&f);
	return vault_record_told(&b->milter, &told, &record, 1, &f);
}

static unsigned int repeated_in(struct bench *b)
{
	struct record *records = NULL;
	unsigned int repeated = 0;
	size_t count = 0;
	struct fail f;

	assert_int_equal(vault_trace(&b->admin, front_id, &records, &count, &f), SG_OK);
	for (size_t i = 0; i < count; i++)
		repeated += strcmp(records[i].reason, "repeated: 3 pages") == 0;
	records_free(records, count);
	return repeated;
}

static void the_same_mark_delivered_again_is_told_in_its_record(void **state)
{
	struct bench *b = *state;
	char mark[VAULT_MARK_MAX];

	begin(b);
	make_mark(b, mark);
	assert_int_equal(deliver(b, mark, both[0], NULL), SG_OK);
	assert_int_equal(deliver(b, mark, both[1], NULL), SG_OK);
	assert_int_equal(repeated_in(b), 0);
	crash(b);
	start(b);
	assert_int_equal(deliver(b, mark, "Bob@partner.example", NULL), SG_OK);
	assert_int_equal(repeated_in(b), 1);
	assert_int_equal(records_in(b), 3);
	secret_free(&b->password);
}

static void a_notice_comes_once_for_each_way_and_holds_no_password(void **state)
{
	static const unsigned char pdf[] = {VAULT_AS_RECIPIENT, VAULT_AS_RECIPIENT};
	static const unsigned char none[] = {VAULT_NO_PROTECTION};
	struct vault_letter notice = {.kind = VAULT_SEALED, .to = sender, .subject = "",
	    .recipients = both, .notes = pdf, .count = 2, .phone = "", .message_id = message_id};
	struct bench *b = *state;
	struct vault_decision decision;
	struct vault_notice got;
	char mark[VAULT_MARK_MAX];
	char own[VAULT_MARK_MAX];
	struct fail f;
	bool found;

	begin(b);
	make_mark(b, mark);
	assert_int_equal(deliver(b, mark, NULL, &notice), SG_OK);
	assert_int_equal(vault_notice_next(&b->notice, false, &got, &found, &f), SG_OK);
	assert_true(found);
	assert_int_equal(got.kind, VAULT_SEALED);
	assert_int_equal(got.notes[1], VAULT_AS_RECIPIENT);
	assert_string_equal(got.message_id, message_id);
	assert_int_equal(got.password.size, 0);
	assert_int_equal(vault_notice_sign(&b->notice, got.id, digest, own, &f), SG_OK);
	assert_int_equal(vault_mark_check(&b->milter, own, digest, &decision, &f), SG_OK);
	assert_string_equal(decision.source, VAULT_NOTICE_PLAIN);
	vault_decision_free(&decision);
	vault_notice_free(&got);
	assert_int_equal(next_count(b, true), 2);
	/* the second stage does as the front said: nothing new; or not, or refuses */
	notice.count = 1;
	assert_int_equal(deliver(b, mark, both[0], &notice), SG_OK);
	assert_int_equal(next_count(b, true), 0);
	notice.kind = VAULT_REFUSED;
	notice.notes = none;
	notice.detail = "no certificate";
	assert_int_equal(deliver(b, mark, NULL, &notice), SG_OK);
	assert_int_equal(deliver(b, mark, NULL, &notice), SG_OK);
	assert_int_equal(vault_notice_next(&b->notice, false, &got, &found, &f), SG_OK);
	assert_string_equal(got.reason, "no certificate");
	vault_notice_free(&got);
	assert_int_equal(next_count(b, true), 1);
	assert_int_equal(next_count(b, true), 0);
	/* a notice has no password, a letter no notes */
	notice.password = &b->password;
	assert_int_equal(deliver(b, mark, NULL, &notice), SG_EFORMAT);
	notice.kind = VAULT_LETTER;
	assert_int_equal(deliver(b, mark, NULL, &notice), SG_EFORMAT);
	secret_free(&b->password);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_letter_survives_a_crash_until_it_is_done),
		TEST(for_one_mark_each_recipient_is_told_about_once),
		TEST(a_mark_brings_its_password_back),
		TEST(what_a_recipient_keeps_is_kept_with_the_letter),
		TEST(a_letter_is_known_by_its_mark_and_comes_again),
		TEST(what_is_for_a_hook_waits_apart_and_can_become_a_letter),
		TEST(a_mark_brings_its_number_back),
		TEST(the_same_mark_delivered_again_is_told_in_its_record),
		TEST(a_notice_comes_once_for_each_way_and_holds_no_password),
		TEST(weak_passwords_of_senders_are_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
