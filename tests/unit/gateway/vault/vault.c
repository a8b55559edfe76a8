/*
 * The client against the real sealgate-vault, started as the supervisor starts it.
 *
 * links: sealgate-milter
 */
/* Faults are made here on purpose:
 * expect-error: sealgate-vault: error vault-
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/vault/vault.h"
#include "tests/unit/gateway/vault/certs.h"

#define USER "65534:65534"	/* any without rights; only used as root */
#define USER_ID 65534
#define READY_MS 20000
#define YEAR (365L * 24 * 3600)
#define LIFE_MS ((int64_t)3600 * 1000)

struct bench {
	char folder[64];
	char state[96];
	char database[128];
	char key[128];
	char milter_path[96];
	char admin_path[96];
	char program[PATH_MAX];
	struct conf *conf;
	int listeners[2];
	struct proc_child child;
	struct vault milter;
	struct vault admin;
	bool mounted;
};

static const unsigned char digest[VAULT_DIGEST_SIZE] = {1, 2, 3};

/* --- start and stop --- */

static void find_program(struct bench *b)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *unit;

	assert_true(n > 0);
	self[n] = '\0';
	unit = strstr(self, "/unit/gateway/vault/");
	assert_non_null(unit);
	*unit = '\0';
	assert_true(snprintf(b->program, sizeof(b->program), "%.3000s/sealgate-vault", self) > 0);
}

static void own(const char *path)
{
	if (geteuid() == 0)
		assert_int_equal(chown(path, USER_ID, USER_ID), 0);
}

static void configure(struct bench *b)
{
	static const char *const names[] = {"acme", "other"};
	struct fail f;
	size_t i;

	assert_int_equal(conf_default(&b->conf, &f), SG_OK);
	assert_int_equal(str_set(&b->conf->state_directory, b->state), SG_OK);
	assert_int_equal(str_set(&b->conf->master_key_file, b->key), SG_OK);
	assert_int_equal(str_set(&b->conf->users.vault, USER), SG_OK);
	b->conf->sandbox = CONF_SANDBOX_REDUCED;
	b->conf->log.level = 0;	/* error */
	b->conf->tenants = calloc(2, sizeof(*b->conf->tenants));
	assert_non_null(b->conf->tenants);
	for (i = 0; i < 2; i++) {
		b->conf->tenants[i].name = strdup(names[i]);
		assert_int_equal(str_list_add(&b->conf->tenants[i].domains, names[i]), SG_OK);
	}
	b->conf->tenant_count = 2;
}

static enum fail_code try_start(struct bench *b, struct fail *f)
{
	enum fail_code code;
	struct buf config;

	fail_clear(f);
	buf_init(&config, PROC_CONFIG_MAX);
	code = conf_encode(b->conf, CONF_VAULT, &config, f);
	if (code == SG_OK)
		code = proc_spawn(&(struct proc_birth){ b->program, b->listeners, 2,
		    &config, false }, &b->child, f);
	if (code == SG_OK)
		code = proc_wait_ready(&b->child, READY_MS, NULL, f);
	buf_free(&config);
	return code;
}

static void start(struct bench *b)
{
	struct fail f;

	if (try_start(b, &f) != SG_OK)
		fail_msg("%s (%s)", f.what, f.hint);
}

static void stop(struct bench *b)
{
	proc_stop(&b->child, 5000);
}

static void crash(struct bench *b)
{
	assert_int_equal(kill(b->child.pid, SIGKILL), 0);
	stop(b);
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct fail f;

	assert_non_null(b);
	b->child.pid = -1;
	b->child.control = -1;
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-vault-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(chmod(b->folder, 0755), 0);
	(void)snprintf(b->state, sizeof(b->state), "%s/state", b->folder);
	assert_int_equal(mkdir(b->state, 0700), 0);
	own(b->state);
	(void)snprintf(b->database, sizeof(b->database), "%s/vault.db", b->state);
	(void)snprintf(b->key, sizeof(b->key), "%s/master.key", b->state);
	(void)snprintf(b->milter_path, sizeof(b->milter_path), "%s/vault.sock", b->folder);
	(void)snprintf(b->admin_path, sizeof(b->admin_path), "%s/admin.sock", b->folder);
	assert_int_equal(wire_listen(b->milter_path, 0600, &b->listeners[0], &f), SG_OK);
	assert_int_equal(wire_listen(b->admin_path, 0600, &b->listeners[1], &f), SG_OK);
	b->milter.path = b->milter_path;
	b->milter.timeout_ms = 20000;
	b->admin.path = b->admin_path;
	b->admin.timeout_ms = 20000;
	find_program(b);
	configure(b);
	*state = b;
	return 0;
}

static void empty_folder(const char *folder)
{
	static const char *const names[] = {"vault.db", "vault.db-wal", "vault.db.new",
	    "vault.db.new-wal", "vault.db.away", "vault.db-wal.away", "master.key", "filler",
	    "vault.sock", "admin.sock", "old"};
	char path[256];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)unlink(path);
	}
}

static int bench_drop(void **state)
{
	struct bench *b = *state;

	stop(b);
	fd_close(&b->listeners[0]);
	fd_close(&b->listeners[1]);
	empty_folder(b->state);
	if (b->mounted)
		(void)umount(b->state);
	(void)rmdir(b->state);
	empty_folder(b->folder);
	(void)rmdir(b->folder);
	conf_free(b->conf);
	free(b);
	return 0;
}

/* --- help --- */

static const struct cert_wish good = {
	.key = "EC:P-256",
	.subject = "Bob",
	.names = "email:bob@example.org",
	.usage = "keyAgreement",
	.from_s = -60,
	.until_s = YEAR,
};

static enum fail_code add_wish(struct bench *b, const struct cert_wish *wish, const char *address,
    char fingerprint_out[65], struct fail *f)
{
	struct vault_cert *added = NULL;
	unsigned char *der;
	enum fail_code code;
	size_t count = 0;
	size_t size;

	fail_clear(f);
	der = cert_wish_make(wish, &size);
	assert_int_not_equal(size, 0);
	code = vault_cert_add(&b->admin, "acme", address, der, size, &added, &count, f);
	if (code == SG_OK && fingerprint_out != NULL)
		memcpy(fingerprint_out, added[0].fingerprint, 65);
	vault_certs_free(added, count);
	OPENSSL_free(der);
	return code;
}

static void add(struct bench *b, const struct cert_wish *wish, char fingerprint_out[65])
{
	struct fail f;

	if (add_wish(b, wish, NULL, fingerprint_out, &f) != SG_OK)
		fail_msg("%s", f.what);
}

static enum fail_code set_password(struct bench *b, const char *tenant, const char *address,
    const char *text, struct fail *f)
{
	struct secret password;
	enum fail_code code;

	fail_clear(f);
	secret_init(&password);
	assert_int_equal(secret_set(&password, text, strlen(text)), SG_OK);
	code = vault_password_set(&b->admin, tenant, address, &password, "set", f);
	secret_free(&password);
	return code;
}

static struct vault_possible plan_one(struct bench *b, const char *address)
{
	const char *const recipients[] = {address};
	struct vault_possible possible;
	struct fail f;

	fail_clear(&f);
	if (vault_plan(&b->milter, "acme", recipients, 1, &possible, &f) != SG_OK)
		fail_msg("%s", f.what);
	return possible;
}

static enum fail_code record_n(const struct vault *vault, const char *queue_id, size_t count,
    struct fail *f)
{
	static char words[][24] = {"acme", "<m@example.org>", "a@acme", "bob@example.org",
	    "subject", "clean", "certificate 00ff00ff"};
	struct record *records = calloc(count, sizeof(*records));
	char *id = strdup(queue_id);
	enum fail_code code;
	size_t i;

	assert_non_null(records);
	for (i = 0; i < count; i++)
		records[i] = (struct record){.time_ms = (int64_t)i, .tenant = words[0], .stage = 1,
		    .queue_id = id, .message_id = words[1], .sender = words[2],
		    .recipient = words[3], .decision = RECORD_SEALED, .way = WAY_ENVELOPE,
		    .flagged_by = words[4], .verdict = words[5], .reason = words[6],
		    .size = 10000};
	fail_clear(f);
	code = vault_record(vault, records, count, f);
	free(records);
	free(id);
	return code;
}

static uint64_t records_in(struct bench *b)
{
	struct vault_status status;
	struct fail f;

	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	return status.records;
}

static void make_mark(struct bench *b, int64_t life_ms, char mark_out[VAULT_MARK_MAX])
{
	static char words[][24] = {"acme", "a@acme", "subject", "Q1", "<m@example.org>"};
	const struct vault_decision decision = {.tenant = words[0], .sender = words[1],
	    .ways = WAY_PDF, .source = words[2], .queue_id = words[3], .message_id = words[4],
	    .created_ms = 42};
	struct fail f;

	if (vault_mark_make(&b->milter, &decision, digest, life_ms, mark_out, &f) != SG_OK)
		fail_msg("%s", f.what);
}

static enum fail_code check_mark(struct bench *b, const char *mark, struct fail *f)
{
	struct vault_decision decision;
	enum fail_code code;

	fail_clear(f);
	code = vault_mark_check(&b->milter, mark, digest, &decision, f);
	vault_decision_free(&decision);
	return code;
}

/* --- plan, certificates --- */

static void says_for_each_recipient_what_is_possible(void **state)
{
	struct bench *b = *state;
	struct vault_possible possible;
	struct cert_wish wish = good;
	struct fail f;

	start(b);
	add(b, &wish, NULL);
	wish.names = "email:late@example.org";
	wish.from_s = -2 * YEAR;
	wish.until_s = -YEAR;
	add(b, &wish, NULL);
	wish = good;
	wish.names = "email:early@example.org";
	wish.from_s = YEAR;
	add(b, &wish, NULL);
	wish = good;
	wish.names = "email:sign@example.org";
	wish.usage = "digitalSignature";
	add(b, &wish, NULL);
	assert_int_equal(set_password(b, "acme", "pat@example.org", "k7mp-2Hxa-9TfE", &f), SG_OK);

	possible = plan_one(b, "bob@example.org");
	assert_int_equal(possible.ways, WAY_ENVELOPE);
	assert_string_equal(possible.no_envelope, "");
	assert_string_equal(possible.no_pdf, "no password");
	possible = plan_one(b, "pat@example.org");
	assert_int_equal(possible.ways, WAY_PDF);
	assert_string_equal(possible.no_envelope, "no certificate");
	possible = plan_one(b, "late@example.org");
	assert_int_equal(possible.ways, 0);
	assert_non_null(strstr(possible.no_envelope, "certificate expired 20"));
	possible = plan_one(b, "early@example.org");
	assert_non_null(strstr(possible.no_envelope, "not valid before"));
	possible = plan_one(b, "sign@example.org");
	assert_non_null(strstr(possible.no_envelope, "keyAgreement"));
}

static void never_takes_a_part_of_an_address(void **state)
{
	struct bench *b = *state;

	start(b);
	add(b, &good, NULL);
	assert_int_equal(plan_one(b, "bob@example.or").ways, 0);
	assert_int_equal(plan_one(b, "ob@example.org").ways, 0);
	assert_int_equal(plan_one(b, "bob@example.org.evil.example").ways, 0);
	assert_int_equal(plan_one(b, "Bob@example.org").ways, 0);
	assert_int_equal(plan_one(b, "%").ways, 0);
	assert_int_equal(plan_one(b, "").ways, 0);
}

static void keeps_tenants_apart(void **state)
{
	const char *const recipients[] = {"bob@example.org"};
	struct bench *b = *state;
	struct vault_possible possible;
	struct secret password;
	struct buf der;
	struct fail f;

	start(b);
	add(b, &good, NULL);
	assert_int_equal(set_password(b, "acme", "bob@example.org", "k7mp-2Hxa-9TfE", &f), SG_OK);
	assert_int_equal(vault_plan(&b->milter, "other", recipients, 1, &possible, &f), SG_OK);
	assert_int_equal(possible.ways, 0);
	buf_init(&der, 65536);
	secret_init(&password);
	assert_int_equal(vault_certificate(&b->milter, "other", "bob@example.org", &der, &f),
	    SG_ENOTFOUND);
	assert_int_equal(vault_password(&b->milter, "other", "bob@example.org", &password, &f),
	    SG_ENOTFOUND);
	buf_free(&der);
}

static void answers_more_recipients_than_fit_in_a_packet(void **state)
{
	enum { COUNT = 2 * VAULT_PLAN_MAX + 7 };
	static char texts[COUNT][32];
	const char *recipients[COUNT];
	struct vault_possible *possible = calloc(COUNT, sizeof(*possible));
	struct bench *b = *state;
	struct fail f;
	size_t i;

	assert_non_null(possible);
	start(b);
	add(b, &good, NULL);
	for (i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "r%zu@example.org", i);
		recipients[i] = i % 3 == 0 ? "bob@example.org" : texts[i];
	}
	assert_int_equal(vault_plan(&b->milter, "acme", recipients, COUNT, possible, &f), SG_OK);
	for (i = 0; i < COUNT; i++)
		assert_int_equal(possible[i].ways, i % 3 == 0 ? WAY_ENVELOPE : 0);
	free(possible);
}

static void gives_the_certificate_that_is_valid_longest(void **state)
{
	struct bench *b = *state;
	struct cert_wish wish = good;
	char fingerprint[65];
	struct buf shown;
	struct buf der;
	struct fail f;

	start(b);
	add(b, &wish, NULL);
	wish.until_s = 2 * YEAR;
	add(b, &wish, fingerprint);
	wish.until_s = YEAR / 2;
	add(b, &wish, NULL);
	wish.until_s = 3 * YEAR;
	wish.usage = "digitalSignature";
	add(b, &wish, NULL);
	buf_init(&der, 65536);
	buf_init(&shown, 65536);
	assert_int_equal(vault_certificate(&b->milter, "acme", "bob@example.org", &der, &f),
	    SG_OK);
	assert_int_equal(vault_cert_show(&b->admin, "acme", fingerprint, &shown, &f), SG_OK);
	assert_int_equal(der.size, shown.size);
	assert_memory_equal(der.data, shown.data, der.size);
	buf_free(&der);
	buf_free(&shown);
}

/* An address counts while its last certificate is one of those that end soon. */
static void counts_addresses_whose_certificates_end_soon(void **state)
{
	struct bench *b = *state;
	struct cert_wish wish = good;
	struct vault_status status;
	struct fail f;

	start(b);
	wish.until_s = 20 * 86400;
	add(b, &wish, NULL);
	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	assert_int_equal(status.ending, 1);
	wish.until_s = 60 * 86400;
	add(b, &wish, NULL);
	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	assert_int_equal(status.ending, 0);
	assert_int_equal(status.certificates, 2);
	assert_int_equal(status.canary_last, VAULT_NONE_FLEW);
}

static void lists_shows_and_removes_certificates(void **state)
{
	struct bench *b = *state;
	struct cert_wish wish = good;
	struct vault_cert *certs = NULL;
	char fingerprint[65];
	uint32_t removed = 0;
	size_t count = 0;
	struct fail f;

	start(b);
	wish.names = "email:BOB@EXAMPLE.ORG,email:robert@example.org";
	add(b, &wish, fingerprint);
	add(b, &wish, NULL);
	assert_int_equal(vault_cert_list(&b->admin, "acme", NULL, &certs, &count, &f), SG_OK);
	assert_int_equal(count, 4);
	assert_string_equal(certs[0].address, "BOB@example.org");
	assert_null(certs[0].unusable);
	vault_certs_free(certs, count);
	assert_int_equal(vault_cert_remove(&b->admin, "acme", "robert@example.org", fingerprint,
	    &removed, &f), SG_OK);
	assert_int_equal(removed, 1);
	assert_int_equal(vault_cert_remove(&b->admin, "acme", NULL, fingerprint, &removed, &f),
	    SG_OK);
	assert_int_equal(removed, 1);
	assert_int_equal(vault_cert_remove(&b->admin, "acme", NULL, fingerprint, &removed, &f),
	    SG_ENOTFOUND);
	assert_int_equal(vault_cert_list(&b->admin, "acme", NULL, &certs, &count, &f), SG_OK);
	assert_int_equal(count, 2);
	vault_certs_free(certs, count);
}

static void lists_more_than_a_page(void **state)
{
	enum { COUNT = 450 };
	struct bench *b = *state;
	struct vault_password_entry *entries = NULL;
	struct vault_cert *certs = NULL;
	struct vault_cert *added = NULL;
	unsigned char *der;
	char address[64];
	size_t count = 0;
	struct fail f;
	size_t size;
	int i;

	start(b);
	der = cert_wish_make(&good, &size);
	for (i = 0; i < COUNT; i++) {
		(void)snprintf(address, sizeof(address), "r%d@example.org", i);
		assert_int_equal(vault_cert_add(&b->admin, "acme", address, der, size, &added,
		    &count, &f), SG_OK);
		vault_certs_free(added, count);
		assert_int_equal(set_password(b, "acme", address, "k7mp-2Hxa-9TfE", &f), SG_OK);
	}
	OPENSSL_free(der);
	assert_int_equal(vault_cert_list(&b->admin, "acme", NULL, &certs, &count, &f), SG_OK);
	assert_int_equal(count, COUNT);
	vault_certs_free(certs, count);
	assert_int_equal(vault_password_list(&b->admin, "acme", &entries, &count, &f), SG_OK);
	assert_int_equal(count, COUNT);
	vault_passwords_free(entries, count);
}

static void refuses_a_certificate_without_an_address(void **state)
{
	struct bench *b = *state;
	struct cert_wish wish = good;
	struct fail f;

	start(b);
	wish.names = NULL;
	assert_int_equal(add_wish(b, &wish, NULL, NULL, &f), SG_EFORMAT);
	assert_non_null(strstr(f.hint, "--address"));
	assert_int_equal(add_wish(b, &wish, "carl@example.org", NULL, &f), SG_OK);
	assert_int_equal(plan_one(b, "carl@example.org").ways, WAY_ENVELOPE);
}

/* --- passwords --- */

static bool file_has(const char *path, const char *text)
{
	struct buf bytes;
	struct fail f;
	bool found;

	buf_init(&bytes, 64 * 1024 * 1024);
	assert_int_equal(fd_read_file(path, &bytes, &f), SG_OK);
	found = memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
	buf_free(&bytes);
	return found;
}

static void keeps_passwords_and_hides_them_on_disk(void **state)
{
	static const char text[] = "k7mp-2Hxa-9TfE-wq3N";
	struct bench *b = *state;
	struct secret password;
	char log[160];
	struct fail f;

	start(b);
	secret_init(&password);
	assert_int_equal(set_password(b, "acme", "bob@Example.ORG", text, &f), SG_OK);
	assert_int_equal(vault_password(&b->milter, "acme", "bob@example.org", &password, &f),
	    SG_OK);
	assert_true(secret_equal(&password, text, strlen(text)));
	(void)snprintf(log, sizeof(log), "%s-wal", b->database);
	assert_true(file_has(log, "bob@example.org"));
	assert_false(file_has(log, text));
	stop(b);
	assert_true(file_has(b->database, "bob@example.org"));
	assert_false(file_has(b->database, text));
	start(b);
	assert_int_equal(vault_password(&b->milter, "acme", "bob@example.org", &password, &f),
	    SG_OK);
	assert_true(secret_equal(&password, text, strlen(text)));
	secret_free(&password);
	assert_int_equal(vault_password_remove(&b->admin, "acme", "bob@example.org", &f), SG_OK);
	assert_int_equal(vault_password_remove(&b->admin, "acme", "bob@example.org", &f),
	    SG_ENOTFOUND);
	assert_int_equal(vault_password(&b->milter, "acme", "bob@example.org", &password, &f),
	    SG_ENOTFOUND);
}

static void refuses_weak_passwords_and_unknown_tenants(void **state)
{
	struct bench *b = *state;
	struct fail f;

	start(b);
	assert_int_equal(set_password(b, "acme", "bob@example.org", "1234567890", &f), SG_EFORMAT);
	assert_int_equal(set_password(b, "nobody", "bob@example.org", "k7mp-2Hxa-9TfE", &f),
	    SG_ENOTFOUND);
	assert_non_null(strstr(f.hint, "sealgate.conf"));
	assert_int_equal(set_password(b, "acme", "bob", "k7mp-2Hxa-9TfE", &f), SG_EFORMAT);
}

static void makes_an_unknown_tenant_temporary_for_the_milter(void **state)
{
	const char *const recipients[] = {"bob@example.org"};
	struct bench *b = *state;
	struct vault_possible possible;
	struct fail f;

	start(b);
	assert_int_not_equal(vault_plan(&b->milter, "nobody", recipients, 1, &possible, &f),
	    SG_OK);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(possible.ways, 0);
}

/* --- marks --- */

static void gives_back_the_decision_of_a_mark(void **state)
{
	struct bench *b = *state;
	struct vault_decision decision;
	struct vault_status status;
	char mark[VAULT_MARK_MAX];
	struct fail f;

	start(b);
	make_mark(b, LIFE_MS, mark);
	crash(b);
	start(b);
	assert_int_equal(vault_mark_check(&b->milter, mark, digest, &decision, &f), SG_OK);
	assert_string_equal(decision.tenant, "acme");
	assert_string_equal(decision.sender, "a@acme");
	assert_string_equal(decision.source, "subject");
	assert_string_equal(decision.queue_id, "Q1");
	assert_string_equal(decision.message_id, "<m@example.org>");
	assert_int_equal(decision.ways, WAY_PDF);
	assert_int_equal(decision.created_ms, 42);
	vault_decision_free(&decision);
	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	assert_int_equal(status.marks, 1);
}

static void knows_a_mark_that_was_folded(void **state)
{
	struct bench *b = *state;
	char folded[2 * VAULT_MARK_MAX];
	char mark[VAULT_MARK_MAX];
	struct fail f;
	size_t cut;

	start(b);
	make_mark(b, LIFE_MS, mark);
	for (cut = 0; cut <= strlen(mark); cut += 7) {
		(void)snprintf(folded, sizeof(folded), " %.*s\r\n\t %s \r\n", (int)cut, mark,
		    mark + cut);
		assert_int_equal(check_mark(b, folded, &f), SG_OK);
	}
}

static void denies_every_altered_mark_for_good(void **state)
{
	struct bench *b = *state;
	struct vault_decision decision;
	unsigned char other[VAULT_DIGEST_SIZE] = {9};
	char mark[VAULT_MARK_MAX];
	char *long_text;
	struct fail f;
	size_t i;

	start(b);
	make_mark(b, LIFE_MS, mark);
	for (i = 0; i < strlen(mark); i++) {
		char before = mark[i];

		if (before == ' ')
			continue;
		mark[i] = before == '0' ? '1' : '0';
		assert_int_equal(check_mark(b, mark, &f), SG_EDENIED);
		assert_int_equal(f.kind, FAIL_PERMANENT);
		mark[i] = before;
	}
	assert_int_equal(vault_mark_check(&b->milter, mark, other, &decision, &f), SG_EDENIED);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	assert_int_equal(check_mark(b, "", &f), SG_EDENIED);
	assert_int_equal(check_mark(b, "v=1; t=acme", &f), SG_EDENIED);
	long_text = malloc(100000);
	assert_non_null(long_text);
	memset(long_text, 'v', 99999);
	long_text[99999] = '\0';
	assert_int_equal(check_mark(b, long_text, &f), SG_EDENIED);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	free(long_text);
	assert_int_equal(check_mark(b, mark, &f), SG_OK);
}

static void denies_a_mark_of_another_vault(void **state)
{
	struct bench *b = *state;
	char mark[VAULT_MARK_MAX];
	struct fail f;

	start(b);
	make_mark(b, LIFE_MS, mark);
	stop(b);
	empty_folder(b->state);
	start(b);
	assert_int_equal(check_mark(b, mark, &f), SG_EDENIED);
}

static void keeps_old_marks_good_when_their_key_changes(void **state)
{
	struct bench *b = *state;
	char before[VAULT_MARK_MAX];
	char after[VAULT_MARK_MAX];
	uint32_t kept = 0;
	struct fail f;

	start(b);
	make_mark(b, LIFE_MS, before);
	assert_int_equal(vault_mark_key(&b->admin, &kept, &f), SG_OK);
	assert_int_equal(kept, 1);
	make_mark(b, LIFE_MS, after);
	assert_int_equal(check_mark(b, before, &f), SG_OK);
	assert_int_equal(check_mark(b, after, &f), SG_OK);
	after[strlen(after) - 1] ^= 1;
	assert_int_equal(check_mark(b, after, &f), SG_EDENIED);
	after[strlen(after) - 1] ^= 1;
	stop(b);
	start(b);
	assert_int_equal(check_mark(b, before, &f), SG_OK);
	assert_int_equal(check_mark(b, after, &f), SG_OK);
}

static void forgets_a_key_when_no_mark_needs_it(void **state)
{
	const struct timespec moment = {0, 20 * 1000 * 1000};
	struct bench *b = *state;
	char mark[VAULT_MARK_MAX];
	uint32_t kept = 9;
	struct fail f;

	start(b);
	assert_int_equal(vault_mark_key(&b->admin, &kept, &f), SG_OK);
	assert_int_equal(kept, 1);
	make_mark(b, 1, mark);
	(void)nanosleep(&moment, NULL);
	/* of the first nothing was made; the second one's mark is over with the next change */
	assert_int_equal(vault_mark_key(&b->admin, &kept, &f), SG_OK);
	assert_int_equal(kept, 1);
	(void)nanosleep(&moment, NULL);
	assert_int_equal(vault_mark_key(&b->admin, &kept, &f), SG_OK);
	assert_int_equal(kept, 1);
}

static void refuses_a_key_too_many(void **state)
{
	struct bench *b = *state;
	char mark[VAULT_MARK_MAX];
	char first[VAULT_MARK_MAX];
	enum fail_code code = SG_OK;
	uint32_t kept = 0;
	struct fail f;
	size_t i;

	start(b);
	make_mark(b, LIFE_MS, first);
	for (i = 0; i < 100 && code == SG_OK; i++) {
		code = vault_mark_key(&b->admin, &kept, &f);
		make_mark(b, LIFE_MS, mark);
	}
	assert_int_equal(code, SG_ELIMIT);
	assert_int_equal(kept, 0);
	assert_int_equal(i, 16);
	assert_int_equal(check_mark(b, first, &f), SG_OK);
	assert_int_equal(check_mark(b, mark, &f), SG_OK);
}

static void denies_an_expired_mark(void **state)
{
	const struct timespec moment = {0, 20 * 1000 * 1000};
	struct bench *b = *state;
	struct vault_status status;
	char mark[VAULT_MARK_MAX];
	struct fail f;

	start(b);
	make_mark(b, 1, mark);
	(void)nanosleep(&moment, NULL);
	assert_int_equal(check_mark(b, mark, &f), SG_EDENIED);
	assert_int_equal(f.kind, FAIL_PERMANENT);
	assert_int_equal(vault_status(&b->admin, &status, &f), SG_OK);
	assert_int_equal(status.marks, 0);
}

/* --- records --- */

static void traces_by_queue_id_and_message_id(void **state)
{
	struct bench *b = *state;
	struct record *records = NULL;
	size_t count = 0;
	struct fail f;

	start(b);
	assert_int_equal(record_n(&b->milter, "Q1", 3, &f), SG_OK);
	assert_int_equal(record_n(&b->milter, "Q2", 1, &f), SG_OK);
	/* Q2 has the same Message-ID: what the second stage decided belongs to it */
	assert_int_equal(vault_trace(&b->admin, "Q1", &records, &count, &f), SG_OK);
	assert_int_equal(count, 4);
	assert_int_equal(records[2].time_ms, 2);
	assert_string_equal(records[0].recipient, "bob@example.org");
	records_free(records, count);
	assert_int_equal(vault_trace(&b->admin, "<m@example.org>", &records, &count, &f), SG_OK);
	assert_int_equal(count, 4);
	records_free(records, count);
	assert_int_equal(vault_trace(&b->admin, "m@example.org", &records, &count, &f), SG_OK);
	assert_int_equal(count, 4);
	records_free(records, count);
	assert_int_equal(vault_trace(&b->admin, "Q", &records, &count, &f), SG_OK);
	assert_int_equal(count, 0);
	records_free(records, count);
}

static void takes_a_thousand_records_of_one_message(void **state)
{
	struct bench *b = *state;
	struct record *records = NULL;
	size_t count = 0;
	struct fail f;

	start(b);
	assert_int_equal(record_n(&b->milter, "Q1", 1000, &f), SG_OK);
	crash(b);
	start(b);
	assert_int_equal(vault_trace(&b->admin, "Q1", &records, &count, &f), SG_OK);
	assert_int_equal(count, 1000);
	records_free(records, count);
}

struct writer {
	const struct vault *vault;
	unsigned int wanted;
	unsigned int told;	/* that were said to be durable */
};

static void *write_records(void *context)
{
	struct writer *writer = context;
	struct fail f;
	unsigned int i;

	for (i = 0; i < writer->wanted; i++) {
		if (record_n(writer->vault, "Q1", 1, &f) != SG_OK)
			break;
		writer->told++;
	}
	return NULL;
}

static unsigned int write_from_many(struct bench *b, unsigned int wanted, int kill_after_ms)
{
	enum { WRITERS = 16 };
	const struct timespec moment = {0, kill_after_ms * 1000L * 1000};
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	unsigned int told = 0;
	int i;

	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){&b->milter, wanted, 0};
		assert_int_equal(pthread_create(&threads[i], NULL, write_records, &writers[i]), 0);
	}
	if (kill_after_ms > 0) {
		(void)nanosleep(&moment, NULL);
		assert_int_equal(kill(b->child.pid, SIGKILL), 0);
		stop(b);
		/* who waits in the backlog is not answered any more */
		fd_close(&b->listeners[0]);
	}
	for (i = 0; i < WRITERS; i++) {
		(void)pthread_join(threads[i], NULL);
		told += writers[i].told;
	}
	return told;
}

static void answers_many_writers_at_once(void **state)
{
	struct bench *b = *state;

	start(b);
	assert_int_equal(write_from_many(b, 50, 0), 16 * 50);
	assert_int_equal(records_in(b), 16 * 50);
}

static void loses_no_record_that_it_confirmed(void **state)
{
	struct bench *b = *state;
	unsigned int told;
	struct fail f;

	start(b);
	told = write_from_many(b, 100000, 300);
	assert_true(told > 0);
	assert_int_equal(wire_listen(b->milter_path, 0600, &b->listeners[0], &f), SG_OK);
	start(b);
	/* one for each writer may be stored whose answer was cut off */
	assert_in_range(records_in(b), told, told + 16);
}

/* --- who may ask, and how --- */

static enum fail_code ask_raw(const char *path, uint16_t type, const void *body, size_t size,
    struct fail *f)
{
	struct wire_wait wait = {10000, NULL, NULL};
	struct wire_message request;
	struct wire_message reply;
	enum fail_code code;

	fail_clear(f);
	wire_message_init(&request, type);
	wire_message_init(&reply, 0);
	assert_int_equal(buf_append(&request.body, body, size), SG_OK);
	code = wire_call(path, &request, &wait, &reply, f);
	wire_message_free(&request);
	wire_message_free(&reply);
	return code;
}

static void denies_each_socket_the_other_ones_requests(void **state)
{
	struct bench *b = *state;
	struct fail f;
	uint16_t type;

	start(b);
	for (type = VAULT_PLAN; type <= VAULT_RECORD; type++)
		assert_int_equal(ask_raw(b->admin_path, type, "", 0, &f), SG_EDENIED);
	for (type = VAULT_CERT_ADD; type <= VAULT_STATUS; type++)
		assert_int_equal(ask_raw(b->milter_path, type, "", 0, &f),
		    type == 37 ? SG_EFORMAT : SG_EDENIED);
	assert_int_equal(ask_raw(b->milter_path, 999, "", 0, &f), SG_EFORMAT);
	assert_int_equal(plan_one(b, "bob@example.org").ways, 0);
}

static void outlives_malformed_packets(void **state)
{
	struct bench *b = *state;
	unsigned char noise[512];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct fail f;
	uint16_t type;
	size_t size;
	int s;

	start(b);
	for (type = VAULT_PLAN; type <= VAULT_RECORD; type++) {
		for (size = 0; size < sizeof(noise); size += 1 + size / 3) {
			assert_int_equal(secret_random_bytes(noise, sizeof(noise)), SG_OK);
			noise[0] = 0;
			noise[1] = 0;
			noise[2] = 0;
			assert_int_not_equal(ask_raw(b->milter_path, type, noise, size, &f),
			    SG_OK);
		}
	}
	for (type = VAULT_CERT_ADD; type < VAULT_STATUS; type++)
		assert_int_not_equal(ask_raw(b->admin_path, type, noise, 20, &f), SG_OK);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", b->milter_path);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(s, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(s, "garbage", 7, 0), 7);
	assert_true(recv(s, noise, sizeof(noise), 0) <= 0);
	(void)close(s);
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
	assert_int_equal(records_in(b), 1);
}

static void does_not_wait_for_a_descriptor_that_never_ends(void **state)
{
	struct wire_wait wait = {10000, NULL, NULL};
	struct bench *b = *state;
	struct wire_message request;
	struct wire_message reply;
	struct fail f;
	int ends[2];

	start(b);
	assert_int_equal(pipe(ends), 0);
	wire_message_init(&request, VAULT_RECORD);
	wire_message_init(&reply, 0);
	request.fd = ends[0];
	assert_int_equal(wire_call(b->milter_path, &request, &wait, &reply, &f), SG_EFORMAT);
	wire_message_free(&request);
	wire_message_free(&reply);
	(void)close(ends[1]);
}

static void serves_others_while_many_connections_idle(void **state)
{
	enum { IDLE = 100 };
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct bench *b = *state;
	int sockets[IDLE];
	struct fail f;
	int i;

	start(b);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", b->milter_path);
	for (i = 0; i < IDLE; i++) {
		sockets[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(sockets[i], (const struct sockaddr *)&address,
		    sizeof(address)), 0);
	}
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
	for (i = 0; i < IDLE; i++)
		(void)close(sockets[i]);
}

/* --- trouble --- */

static void refuses_to_start_without_the_master_key(void **state)
{
	struct bench *b = *state;
	struct fail f;

	start(b);
	stop(b);
	assert_int_equal(unlink(b->key), 0);
	assert_int_equal(try_start(b, &f), SG_EUSAGE);
	assert_non_null(strstr(f.what, "master key"));
	assert_non_null(strstr(f.hint, "backup"));
	assert_int_not_equal(access(b->key, F_OK), 0);
}

static void refuses_to_start_without_the_database(void **state)
{
	struct bench *b = *state;
	struct fail f;

	start(b);
	stop(b);
	assert_int_equal(unlink(b->database), 0);
	assert_int_equal(try_start(b, &f), SG_EUSAGE);
	assert_non_null(strstr(f.what, "database"));
	assert_non_null(strstr(f.hint, "backup"));
	assert_int_not_equal(access(b->database, F_OK), 0);
}

static void refuses_a_master_key_that_others_can_read(void **state)
{
	struct bench *b = *state;
	struct fail f;

	start(b);
	stop(b);
	assert_int_equal(chmod(b->key, 0644), 0);
	assert_int_equal(try_start(b, &f), SG_EUSAGE);
	assert_non_null(strstr(f.hint, "600"));
}

static void refuses_a_master_key_of_another_database(void **state)
{
	unsigned char key[32] = {7};
	struct bench *b = *state;
	struct fail f;

	start(b);
	stop(b);
	assert_int_equal(fd_replace_file(b->key, key, sizeof(key), 0600, &f), SG_OK);
	own(b->key);
	assert_int_not_equal(try_start(b, &f), SG_OK);
	assert_non_null(strstr(f.what, "does not open"));
}

static void takes_up_a_first_start_that_was_cut_off(void **state)
{
	struct bench *b = *state;
	char fresh[160];
	struct fail f;

	start(b);
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
	stop(b);
	(void)snprintf(fresh, sizeof(fresh), "%s.new", b->database);
	assert_int_equal(rename(b->database, fresh), 0);
	start(b);
	assert_int_equal(records_in(b), 1);
	assert_int_not_equal(access(fresh, F_OK), 0);
}

static void makes_key_and_database_for_its_user_alone(void **state)
{
	struct bench *b = *state;
	struct stat st;

	start(b);
	assert_int_equal(stat(b->key, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 32);
	if (geteuid() == 0)
		assert_int_equal(st.st_uid, USER_ID);
	assert_int_equal(stat(b->database, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	if (geteuid() == 0)
		assert_int_equal(st.st_uid, USER_ID);
}

static void heals_when_a_removed_database_comes_back(void **state)
{
	const struct timespec second = {1, 100 * 1000 * 1000};
	struct bench *b = *state;
	struct vault_possible possible;
	const char *const recipients[] = {"bob@example.org"};
	char mark[VAULT_MARK_MAX];
	char log_away[176];
	char away[160];
	char log[160];
	struct fail f;

	start(b);
	make_mark(b, LIFE_MS, mark);
	(void)snprintf(log, sizeof(log), "%s-wal", b->database);
	(void)snprintf(away, sizeof(away), "%s.away", b->database);
	(void)snprintf(log_away, sizeof(log_away), "%s.away", log);
	assert_int_equal(rename(b->database, away), 0);
	assert_int_equal(rename(log, log_away), 0);
	assert_int_not_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.hint, "restore"));
	/* not "unknown", which would turn the message away for good */
	assert_int_equal(check_mark(b, mark, &f), SG_ESYSTEM);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(vault_plan(&b->milter, "acme", recipients, 1, &possible, &f), SG_ESYSTEM);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_not_equal(access(b->database, F_OK), 0);
	assert_int_equal(rename(away, b->database), 0);
	(void)rename(log_away, log);
	(void)nanosleep(&second, NULL);
	assert_int_equal(check_mark(b, mark, &f), SG_OK);
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
}

static void says_temporary_when_nobody_listens(void **state)
{
	struct bench *b = *state;
	struct fail f;

	fd_close(&b->listeners[0]);
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_EPEER);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.hint, "running"));
}

static void fails_temporarily_on_a_full_disk_and_heals(void **state)
{
	const struct timespec second = {1, 100 * 1000 * 1000};
	struct bench *b = *state;
	char filler[128];
	unsigned int stored = 0;
	struct buf noise;
	struct fail f;

	if (geteuid() != 0 || mount("none", b->state, "tmpfs", 0, "size=1m,mode=0700") != 0) {
		print_message("no right to mount: not tried\n");
		skip();
	}
	b->mounted = true;
	own(b->state);
	buf_init(&noise, 400000);
	(void)snprintf(filler, sizeof(filler), "%s/filler", b->state);
	start(b);
	{
		unsigned char *room = NULL;

		assert_int_equal(buf_reserve(&noise, 400000, &room), SG_OK);
		memset(room, 1, 400000);
		noise.size = 400000;
	}
	assert_int_equal(fd_replace_file(filler, noise.data, noise.size, 0600, &f), SG_OK);
	buf_free(&noise);
	while (record_n(&b->milter, "Q1", 50, &f) == SG_OK)
		assert_true(++stored < 1000);
	assert_true(stored > 0);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.what, "no space left"));
	assert_non_null(strstr(f.hint, "room"));
	assert_int_equal(records_in(b), stored * 50);
	assert_int_equal(unlink(filler), 0);
	(void)nanosleep(&second, NULL);
	assert_int_equal(record_n(&b->milter, "Q1", 1, &f), SG_OK);
	assert_int_equal(records_in(b), stored * 50 + 1);
}

static void names_a_database_that_is_none(void **state)
{
	struct bench *b = *state;
	struct fail f;

	start(b);
	stop(b);
	assert_int_equal(fd_replace_file(b->database, "this is no database, but text", 29, 0600,
	    &f), SG_OK);
	own(b->database);
	assert_int_not_equal(try_start(b, &f), SG_OK);
	assert_non_null(strstr(f.what, "damaged or no database"));
	assert_non_null(strstr(f.hint, "backup"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(says_for_each_recipient_what_is_possible),
		TEST(never_takes_a_part_of_an_address),
		TEST(keeps_tenants_apart),
		TEST(answers_more_recipients_than_fit_in_a_packet),
		TEST(gives_the_certificate_that_is_valid_longest),
		TEST(counts_addresses_whose_certificates_end_soon),
		TEST(lists_shows_and_removes_certificates),
		TEST(lists_more_than_a_page),
		TEST(refuses_a_certificate_without_an_address),
		TEST(keeps_passwords_and_hides_them_on_disk),
		TEST(refuses_weak_passwords_and_unknown_tenants),
		TEST(makes_an_unknown_tenant_temporary_for_the_milter),
		TEST(gives_back_the_decision_of_a_mark),
		TEST(knows_a_mark_that_was_folded),
		TEST(denies_every_altered_mark_for_good),
		TEST(denies_a_mark_of_another_vault),
		TEST(keeps_old_marks_good_when_their_key_changes),
		TEST(forgets_a_key_when_no_mark_needs_it),
		TEST(refuses_a_key_too_many),
		TEST(denies_an_expired_mark),
		TEST(traces_by_queue_id_and_message_id),
		TEST(takes_a_thousand_records_of_one_message),
		TEST(answers_many_writers_at_once),
		TEST(loses_no_record_that_it_confirmed),
		TEST(denies_each_socket_the_other_ones_requests),
		TEST(outlives_malformed_packets),
		TEST(does_not_wait_for_a_descriptor_that_never_ends),
		TEST(serves_others_while_many_connections_idle),
		TEST(refuses_to_start_without_the_master_key),
		TEST(refuses_to_start_without_the_database),
		TEST(refuses_a_master_key_that_others_can_read),
		TEST(refuses_a_master_key_of_another_database),
		TEST(takes_up_a_first_start_that_was_cut_off),
		TEST(makes_key_and_database_for_its_user_alone),
		TEST(heals_when_a_removed_database_comes_back),
		TEST(says_temporary_when_nobody_listens),
		TEST(fails_temporarily_on_a_full_disk_and_heals),
		TEST(names_a_database_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
