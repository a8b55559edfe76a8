/*
 * play: scenarios as text, played against the real session.c on a virtual clock.
 *
 *   play FILE...    each file holds cases: "case NAME", lines that act, lines that expect
 *   play -f FILE... their first messages, with the n-th call of each kind failing (faults.c)
 *
 * The scanner, the vault and the PDF worker are played here: what they answer stands in the
 * scenario. The envelope is made by OpenSSL, to a certificate made at the start. The words are
 * described in tests/play/README. links: sealgate-milter
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/mark.h"
#include "milter/session.h"

#define LINE_MAX_BYTES 4096
#define KNOWN_MAX 32
#define RECORDS_MAX 32
#define USED_MAX 8
#define EVENTS 4	/* one more than the highest enum tls_event */
#define GOOD_MARK "v=1; t=example; i=00; h=00"
#define START_MS 1700000000000	/* Tue, 14 Nov 2023 22:13:20 +0000 */

struct known {
	char address[128];
	unsigned int ways;
};

/* What the TLS policy service says of one next hop. */
struct told {
	char hop[128];
	enum tls_answer answer;
	bool through;			/* proven also for what is relayed there */
};

/* What the others do in this case, and what they were told. */
struct world {
	int64_t now_ms;
	enum scan_verdict verdict;
	char verdict_name[64];
	unsigned int scans;
	struct known known[KNOWN_MAX];
	size_t known_count;
	char fails[8][32];		/* services that answer with a temporary failure */
	size_t fail_count;
	unsigned int mark_ways;
	int64_t mark_created_ms;
	bool mark_bound;		/* the good mark is of one body alone: mark_digest */
	unsigned char mark_digest[VAULT_DIGEST_SIZE];
	char used[USED_MAX][256];	/* marks and recipients that were used up */
	size_t used_count;
	struct told proofs[KNOWN_MAX];
	size_t proof_count;
	unsigned int proofs_asked;
	char waiting_id[64];		/* the queue id about which the log says something */
	bool waiting_tls;
	char waiting_answer[128];
	unsigned int events[EVENTS];
	unsigned int pdfs;
	char password[64];		/* of the last PDF, as the worker got it */
	/* the last letter: to, language, [keep], [hook, number or -], recipients */
	char told[512];
	unsigned int letters;
	/* the last notice: refused|sealed, to, language, [about MESSAGE-ID], RECIPIENT=NOTE... */
	char noticed[512];
	unsigned int notices;
	char delivered[USED_MAX][256];	/* marks and recipients at the second stage */
	size_t delivered_count;
	unsigned int repeated;
	enum vault_password_kind mark_kind;	/* the password behind a valid mark */
	char mark_password[64];
	char mark_phone[VAULT_PHONE_MAX];
	char mark_source[32];
	struct record records[RECORDS_MAX];
	size_t record_count;
	unsigned char *der;
	size_t der_size;
};

struct play {
	struct world world;
	struct session_services services;
	char routes[128];		/* {sealgate_routes}, "" = none */
	struct session *session;
	struct conf *conf;
	struct session_outcome outcome;
	bool ended;
	bool failed;
	bool passed_any;
	char name[160];
	const char *file;
	int line;
	unsigned int passed;
	unsigned int failures;
};

/* ---- the others ---- */

static int64_t play_now(void *context)
{
	return ((struct world *)context)->now_ms;
}

static bool fails(const struct world *world, const char *service)
{
	for (size_t i = 0; i < world->fail_count; i++)
		if (strcmp(world->fails[i], service) == 0)
			return true;
	return false;
}

static enum fail_code down(const char *service, struct fail *f)
{
	return fail_set(f, SG_EPEER, NULL, "%s is down", service);
}

static void play_scan(void *context, int fd, size_t size, const struct wire_wait *wait,
    struct scan_result *result_out)
{
	struct world *world = context;

	(void)fd;
	(void)size;
	(void)wait;
	world->scans++;
	result_out->verdict = world->verdict;
	(void)snprintf(result_out->name, sizeof(result_out->name), "%s", world->verdict_name);
}

static const struct known *find_known(const struct world *world, const char *address)
{
	for (size_t i = 0; i < world->known_count; i++)
		if (strcmp(world->known[i].address, address) == 0 ||
		    strcmp(world->known[i].address, "*") == 0)
			return &world->known[i];
	return NULL;
}

static enum fail_code play_plan(void *context, const char *tenant, const char *const *recipients,
    size_t count, struct vault_possible *possible_out, struct fail *f)
{
	struct world *world = context;

	(void)tenant;
	if (fails(world, "plan"))
		return down("vault", f);
	for (size_t i = 0; i < count; i++) {
		const struct known *known = find_known(world, recipients[i]);

		memset(&possible_out[i], 0, sizeof(possible_out[i]));
		possible_out[i].ways = known == NULL ? 0 : known->ways;
		(void)snprintf(possible_out[i].no_envelope, VAULT_REASON_MAX, "no certificate");
		(void)snprintf(possible_out[i].no_pdf, VAULT_REASON_MAX, "no password");
	}
	return SG_OK;
}

static enum fail_code play_certificate(void *context, const char *tenant, const char *recipient,
    struct buf *der_out, struct fail *f)
{
	struct world *world = context;

	(void)tenant;
	(void)recipient;
	if (fails(world, "certificate"))
		return down("vault", f);
	return buf_append(der_out, world->der, world->der_size);
}

static enum fail_code play_password(void *context, const char *tenant, const char *recipient,
    struct secret *password_out, struct fail *f)
{
	struct world *world = context;

	(void)tenant;
	(void)recipient;
	if (fails(world, "password"))
		return down("vault", f);
	return secret_set(password_out, "password", fails(world, "empty-password") ? 0 : 8);
}

static enum fail_code play_mark_make(void *context, const struct vault_decision *decision,
    const unsigned char digest[VAULT_DIGEST_SIZE], int64_t life_ms,
    char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	struct world *world = context;

	(void)digest;
	(void)life_ms;
	if (fails(world, "mark"))
		return down("vault", f);
	world->mark_ways = decision->ways;
	world->mark_kind = decision->password_kind;
	(void)snprintf(world->mark_password, sizeof(world->mark_password), "%.*s",
	    (int)decision->password.size, (const char *)decision->password.data);
	(void)snprintf(world->mark_phone, sizeof(world->mark_phone), "%s",
	    decision->phone != NULL ? decision->phone : "");
	(void)snprintf(mark_out, VAULT_MARK_MAX, "%s", GOOD_MARK);
	return SG_OK;
}

static enum fail_code play_mark_check(void *context, const char *mark,
    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
    struct fail *f)
{
	struct world *world = context;

	if (fails(world, "mark"))
		return down("vault", f);
	if (strcmp(mark, GOOD_MARK) != 0)
		return fail_set(f, SG_EDENIED, NULL, "The mark is not valid");
	if (world->mark_bound && memcmp(world->mark_digest, digest, VAULT_DIGEST_SIZE) != 0)
		return fail_set(f, SG_EDENIED, NULL, "The mark is of another body");
	memset(decision_out, 0, sizeof(*decision_out));
	decision_out->tenant = str_dup("example");
	decision_out->sender = str_dup("alice@example.com");
	decision_out->source = str_dup(world->mark_source[0] != 0 ? world->mark_source : "subject");
	decision_out->password_kind = world->mark_kind;
	if (world->mark_phone[0] != 0)
		decision_out->phone = strdup(world->mark_phone);
	if (world->mark_kind != VAULT_NO_PASSWORD && secret_set(&decision_out->password,
	    world->mark_password, strlen(world->mark_password)) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	decision_out->queue_id = str_dup("FRONT");
	decision_out->message_id = str_dup("");
	decision_out->ways = world->mark_ways;
	decision_out->created_ms = world->mark_created_ms;
	return SG_OK;
}

static enum fail_code play_record(void *context, const struct record *records, size_t count,
    struct fail *f)
{
	struct world *world = context;

	if (fails(world, "record"))
		return down("vault", f);
	for (size_t i = 0; i < count && world->record_count < RECORDS_MAX; i++) {
		struct record *record = &world->records[world->record_count++];

		memset(record, 0, sizeof(*record));
		record->decision = records[i].decision;
		record->way = records[i].way;
		record->stage = records[i].stage;
		record->recipient = str_dup(records[i].recipient);
		record->reason = str_dup(records[i].reason);
	}
	return SG_OK;
}

static enum fail_code play_record_once(void *context, const char *mark, const char *recipient,
    const struct record *records, size_t count, struct fail *f)
{
	struct world *world = context;
	char used[sizeof(world->used[0])];
	enum fail_code code;

	(void)snprintf(used, sizeof(used), "%s %s", mark, recipient);
	for (size_t i = 0; i < world->used_count; i++)
		if (strcmp(world->used[i], used) == 0)
			return fail_set(f, SG_EDENIED, NULL, "used up");
	code = play_record(context, records, count, f);
	if (code == SG_OK && world->used_count < USED_MAX)
		(void)snprintf(world->used[world->used_count++], sizeof(used), "%s", used);
	return code;
}

/* Weak is what has "weak" in it. */
static enum fail_code play_password_try(void *context, const char *tenant,
    const struct secret *password, const char *const *addresses, size_t count, struct fail *f)
{
	struct world *world = context;

	(void)tenant;
	(void)addresses;
	(void)count;
	if (fails(world, "password-try"))
		return down("vault", f);
	if (memmem(password->data, password->size, "weak", 4) != NULL)
		return fail_set(f, SG_EFORMAT, NULL, "a password is not to be guessed");
	return SG_OK;
}

static void play_letter(struct world *world, const struct vault_letter *letter)
{
	bool hook = letter->kind == VAULT_HOOK;
	char *at = world->told;

	(void)snprintf(at, sizeof(world->told), "%s %u%s%s%s", letter->to, letter->language,
	    letter->keep ? " keep" : "", hook ? " hook " : "",
	    !hook ? "" : letter->phone[0] != 0 ? letter->phone : "-");
	for (size_t i = 0; i < letter->count; i++) {
		size_t size = strlen(at);

		(void)snprintf(at + size, sizeof(world->told) - size, " %s", letter->recipients[i]);
	}
	world->letters++;
}

static void play_notice(struct world *world, const struct vault_letter *notice)
{
	char *at = world->noticed;

	(void)snprintf(at, sizeof(world->noticed), "%s %s %u%s%s%s%s",
	    notice->kind == VAULT_REFUSED ? "refused" : "sealed", notice->to, notice->language,
	    notice->message_id[0] != 0 ? " about " : "", notice->message_id,
	    notice->subject[0] != 0 ? " subject" : "", notice->subject);
	for (size_t i = 0; i < notice->count; i++) {
		size_t size = strlen(at);

		(void)snprintf(at + size, sizeof(world->noticed) - size, " %s=%u",
		    notice->recipients[i], notice->notes[i]);
	}
	world->notices++;
}

static void play_delivered(struct world *world, const char *mark, const char *recipient)
{
	char text[sizeof(world->delivered[0])];

	(void)snprintf(text, sizeof(text), "%s %s", mark, recipient);
	for (size_t i = 0; i < world->delivered_count; i++) {
		if (strcmp(world->delivered[i], text) == 0) {
			world->repeated++;
			return;
		}
	}
	if (world->delivered_count < USED_MAX)
		(void)snprintf(world->delivered[world->delivered_count++], sizeof(text), "%s",
		    text);
}

static enum fail_code play_record_told(void *context, const struct vault_told *told,
    const struct record *records, size_t count, struct fail *f)
{
	struct world *world = context;
	enum fail_code code;

	if (fails(world, "told"))
		return down("vault", f);
	code = told->used_for != NULL ? play_record_once(context, told->mark, told->used_for,
	    records, count, f) : play_record(context, records, count, f);
	if (code != SG_OK)
		return code;
	if (told->letter != NULL)
		play_letter(world, told->letter);
	if (told->notice != NULL)
		play_notice(world, told->notice);
	if (told->delivered != NULL)
		play_delivered(world, told->mark, told->delivered);
	return SG_OK;
}

static enum fail_code play_waiting(void *context, const char *queue_id, const char *recipient,
    struct vault_waiting *waiting_out, struct fail *f)
{
	struct world *world = context;

	(void)recipient;
	memset(waiting_out, 0, sizeof(*waiting_out));
	if (fails(world, "waiting"))
		return down("vault", f);
	if (strcmp(queue_id, world->waiting_id) != 0)
		return SG_OK;
	waiting_out->time_ms = world->now_ms - 1000;
	waiting_out->tls = world->waiting_tls;
	(void)snprintf(waiting_out->hop, sizeof(waiting_out->hop), "mx.partner.test");
	(void)snprintf(waiting_out->answer, sizeof(waiting_out->answer), "%s",
	    world->waiting_answer);
	return SG_OK;
}

/* A hop that no line told about can prove nothing. */
static enum fail_code play_proof(void *context, const struct tls_hop *hops, size_t count,
    struct tls_proof *proofs_out, struct fail *f)
{
	struct world *world = context;

	if (fails(world, "proof"))
		return down("the TLS policy service", f);
	for (size_t i = 0; i < count; i++) {
		struct tls_proof *proof = &proofs_out[i];

		world->proofs_asked++;
		proof->answer = TLS_NOT_PROVABLE;
		(void)snprintf(proof->how, sizeof(proof->how), "neither DANE nor MTA-STS");
		for (size_t n = 0; n < world->proof_count; n++) {
			const struct told *told = &world->proofs[n];

			if (strcmp(told->hop, hops[i].name) != 0 ||
			    (told->answer == TLS_PROVABLE && hops[i].relayed && !told->through))
				continue;
			proof->answer = told->answer;
			(void)snprintf(proof->how, sizeof(proof->how), "played for %s", told->hop);
		}
	}
	return SG_OK;
}

static void play_count(void *context, enum tls_event event)
{
	struct world *world = context;

	world->events[event]++;
}

static enum fail_code play_pdf(void *context, const struct pdfenc_request *request,
    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f)
{
	static const char bytes[] = "%PDF-2.0 played";
	struct world *world = context;
	enum fail_code code;

	(void)snprintf(world->password, sizeof(world->password), "%.*s",
	    (int)request->password->size, (const char *)request->password->data);
	(void)wait;
	result_out->pdf = -1;
	if (fails(world, "pdf"))
		return down("the PDF worker", f);
	if (fails(world, "pdf-limit"))
		return fail_set(f, SG_ELIMIT, NULL, "the PDF is too large");
	if (fails(world, "pdf-spent")) {
		(void)fail_set(f, SG_ELIMIT, NULL, "it takes too long");
		return fail_set_kind(f, FAIL_TEMPORARY);
	}
	world->pdfs++;
	code = fd_memory("play", &result_out->pdf, f);
	if (code == SG_OK)
		code = fd_write_all(result_out->pdf, bytes, sizeof(bytes) - 1, f);
	result_out->pdf_size = sizeof(bytes) - 1;
	result_out->pages = 1;
	return code;
}

/* ---- set-up ---- */

static void die(const char *text)
{
	(void)fprintf(stderr, "play: %s\n", text);
	exit(70);
}

static void make_certificate(struct world *world)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();

	if (key == NULL || x509 == NULL || !X509_set_version(x509, 2) ||
	    !ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) ||
	    !X509_gmtime_adj(X509_getm_notBefore(x509), 0) ||
	    !X509_gmtime_adj(X509_getm_notAfter(x509), 3600) || !X509_set_pubkey(x509, key) ||
	    !X509_sign(x509, key, EVP_sha256()))
		die("cannot make a certificate");
	world->der = NULL;
	world->der_size = (size_t)i2d_X509(x509, &world->der);
	X509_free(x509);
	EVP_PKEY_free(key);
}

static void add_tenant(struct conf *conf)
{
	struct conf_tenant *tenant = calloc(1, sizeof(*tenant));

	if (tenant == NULL || str_set(&tenant->name, "example") != SG_OK ||
	    str_set(&tenant->subject_placeholder, "Protected") != SG_OK ||
	    str_set(&tenant->organisation, "") != SG_OK ||
	    str_set(&tenant->colour, "#2f5d78") != SG_OK ||
	    str_list_add(&tenant->domains, "example.com") != SG_OK ||
	    str_list_add(&tenant->logins, "alice") != SG_OK ||
	    str_list_add(&tenant->networks, "192.0.2.0/24") != SG_OK)
		die("no memory");
	tenant->protections[0] = WAY_ENVELOPE;
	tenant->protections[1] = WAY_PDF;
	tenant->subject_pdf = CONF_SUBJECT_PLACEHOLDER;
	conf->tenants = tenant;
	conf->tenant_count = 1;
}

static void forget_records(struct world *world)
{
	for (size_t i = 0; i < world->record_count; i++)
		record_free(&world->records[i]);
	world->record_count = 0;
}

static void reset_world(struct world *world)
{
	forget_records(world);
	world->known_count = 0;
	world->fail_count = 0;
	world->mark_ways = 0;
	world->mark_kind = VAULT_NO_PASSWORD;
	world->mark_password[0] = 0;
	world->mark_phone[0] = 0;
	world->mark_source[0] = 0;
	world->told[0] = 0;
	world->letters = 0;
	world->noticed[0] = 0;
	world->notices = 0;
	world->delivered_count = 0;
	world->repeated = 0;
	world->password[0] = 0;
	world->mark_created_ms = 0;
	world->mark_bound = false;
	world->used_count = 0;
	world->proof_count = 0;
	world->proofs_asked = 0;
	world->waiting_id[0] = '\0';
	world->now_ms = START_MS;
	memset(world->events, 0, sizeof(world->events));
	world->pdfs = 0;
	world->scans = 0;
	world->verdict = SCAN_CLEAN;
	world->verdict_name[0] = '\0';
}

static void start_case(struct play *play, const char *name)
{
	struct fail f;

	reset_world(&play->world);
	session_free(play->session);
	conf_free(play->conf);
	if (conf_default(&play->conf, &f) != SG_OK)
		die(f.what);
	add_tenant(play->conf);
	free(play->conf->spool_directory);
	play->conf->spool_directory = str_dup("/nonexistent");
	play->routes[0] = '\0';
	play->session = session_new(&play->services);
	if (play->session == NULL)
		die("no memory");
	play->ended = false;
	play->failed = false;
	(void)snprintf(play->name, sizeof(play->name), "%s", name);
}

static void end_case(struct play *play)
{
	if (play->name[0] == '\0')
		return;
	(void)printf("%s %s\n", play->failed ? "not ok" : "ok", play->name);
	if (play->failed)
		play->failures++;
	else
		play->passed++;
	if (play->ended)
		session_outcome_free(&play->outcome);
	play->ended = false;
	play->name[0] = '\0';
}

static void wrong(struct play *play, const char *expected, const char *got)
{
	play->failed = true;
	(void)printf("# %s:%d: expected %s, got %s\n", play->file, play->line, expected, got);
}

/* ---- lines that act ---- */

static unsigned int parse_ways(const char *text)
{
	return (strstr(text, "envelope") != NULL ? WAY_ENVELOPE : 0u) |
	    (strstr(text, "pdf") != NULL ? WAY_PDF : 0u) |
	    (strstr(text, "tls") != NULL ? WAY_TLS : 0u);
}

/* Splits "first rest" in place; returns rest, "" if there is none. */
static char *split(char *text)
{
	char *space = strchr(text, ' ');

	if (space == NULL)
		return text + strlen(text);
	*space = '\0';
	return space + 1;
}

static void act_connect(struct play *play, char *text)
{
	char *daemon = split(text);

	if (session_connect(play->session, strcmp(text, "local") == 0 ? NULL : text,
	    daemon[0] != '\0' ? daemon : NULL,
	    play->routes[0] != '\0' ? play->routes : NULL) != SG_OK)
		die("no memory");
}

static void act_mail(struct play *play, char *text)
{
	char *login = split(text);

	session_mail(play->session, play->conf, text, login[0] != '\0' ? login : NULL);
}

/* The domain of "<user@domain>": where Postfix delivers if nobody says otherwise. */
static const char *domain_of(const char *address, char *room, size_t size)
{
	const char *at = strrchr(address, '@');

	(void)snprintf(room, size, "%s", at == NULL ? "" : at + 1);
	room[strcspn(room, ">")] = '\0';
	return room;
}

/* rcpt ADDRESS [MAILER [HOP]]; without HOP the domain; "-": Postfix does not say. */
static void act_rcpt(struct play *play, char *text)
{
	char *mailer = split(text);
	char *hop = split(mailer);
	char domain[128];
	const char *told = hop[0] == '\0' ? domain_of(text, domain, sizeof(domain)) : hop;

	if (mailer[0] == '\0')
		session_recipient(play->session, text, NULL, NULL);
	else
		session_recipient(play->session, text, mailer,
		    strcmp(told, "-") == 0 ? NULL : told);
}

/* rcpt-count N: so many recipients, r1@partner.test and on. */
static void act_rcpt_count(struct play *play, char *text)
{
	uint64_t count = 0;
	char address[64];

	if (str_parse_u64(text, 1, 100000, &count) != SG_OK)
		die("rcpt-count: a number");
	for (uint64_t i = 1; i <= count; i++) {
		(void)snprintf(address, sizeof(address), "<r%u@partner.test>", (unsigned int)i);
		session_recipient(play->session, address, NULL, NULL);
	}
}

/* Takes \n, \r, \t and \xHH in text for what they stand for; returns the size. */
static size_t unescape(char *text)
{
	size_t out = 0;

	for (size_t at = 0; text[at] != '\0'; at++) {
		unsigned char byte;
		char hex[3] = "";

		if (text[at] != '\\' || text[at + 1] == '\0') {
			text[out++] = text[at];
			continue;
		}
		at++;
		if (text[at] == 'x' && text[at + 1] != '\0' && text[at + 2] != '\0') {
			memcpy(hex, text + at + 1, 2);
			if (str_unhex(hex, &byte, 1) != SG_OK)
				die("\\x: two hexadecimal digits");
			text[out++] = (char)byte;
			at += 2;
			continue;
		}
		text[out++] = text[at] == 'n' ? '\n' : text[at] == 'r' ? '\r' :
		    text[at] == 't' ? '\t' : text[at];
	}
	text[out] = '\0';
	return out;
}

static void act_header(struct play *play, char *text)
{
	char *colon = strchr(text, ':');

	if (colon == NULL)
		die("header: no colon");
	*colon = '\0';
	session_header(play->session, text, colon + 1);
}

/* header-raw NAME: VALUE with escapes. */
static void act_header_raw(struct play *play, char *text)
{
	(void)unescape(text);
	act_header(play, text);
}

/* header-count N NAME: VALUE */
static void act_header_count(struct play *play, char *text)
{
	char *field = split(text);
	char line[LINE_MAX_BYTES];
	uint64_t count = 0;

	if (str_parse_u64(text, 1, 100000, &count) != SG_OK)
		die("header-count: a number");
	for (; count > 0; count--) {
		(void)snprintf(line, sizeof(line), "%s", field);
		act_header(play, line);
	}
}

/* header-size SIZE NAME: a field with a value of so many bytes. */
static void act_header_size(struct play *play, char *text)
{
	char *name = split(text);
	uint64_t size = 0;
	char *value;

	if (str_parse_size(text, &size) != SG_OK || (value = calloc(size + 1, 1)) == NULL)
		die("header-size: a number");
	memset(value, 'x', size);
	session_header(play->session, name, value);
	free(value);
}

/* body-raw TEXT with escapes, without a line end. */
static void act_body_raw(struct play *play, char *text)
{
	session_body(play->session, text, unescape(text));
}

static void act_body(struct play *play, char *text)
{
	session_body(play->session, text, strlen(text));
	session_body(play->session, "\r\n", 2);
}

/* body-size N: N bytes in large steps. */
static void act_body_size(struct play *play, char *text)
{
	static char step[65536];
	uint64_t size = 0;

	memset(step, 'x', sizeof(step));
	if (str_parse_size(text, &size) != SG_OK)
		die("body-size: a number");
	for (; size > 0; size -= size < sizeof(step) ? size : sizeof(step))
		session_body(play->session, step, size < sizeof(step) ? size : sizeof(step));
}

static void act_scan(struct play *play, char *text)
{
	struct world *world = &play->world;
	char *name = split(text);

	world->verdict = strcmp(text, "infected") == 0 ? SCAN_INFECTED :
	    strcmp(text, "unscannable") == 0 ? SCAN_UNSCANNABLE :
	    strcmp(text, "encrypted") == 0 ? SCAN_ENCRYPTED :
	    strcmp(text, "none") == 0 ? SCAN_NO_VERDICT : SCAN_CLEAN;
	(void)snprintf(world->verdict_name, sizeof(world->verdict_name), "%s", name);
}

static void act_know(struct play *play, char *text)
{
	struct world *world = &play->world;
	char *ways = split(text);
	struct known *known = &world->known[world->known_count++];

	(void)snprintf(known->address, sizeof(known->address), "%s", text);
	known->ways = parse_ways(ways);
}

static void act_fail(struct play *play, char *text)
{
	struct world *world = &play->world;

	(void)snprintf(world->fails[world->fail_count++], sizeof(world->fails[0]), "%s", text);
}

static void act_mark_ways(struct play *play, char *text)
{
	play->world.mark_ways = parse_ways(text);
}

/* macro WORDS: what attach tells by {sealgate_routes}; before connect. */
static void act_macro(struct play *play, char *text)
{
	(void)snprintf(play->routes, sizeof(play->routes), "%s", text);
}

/* order WAY,WAY: the tenant's. */
static void act_order(struct play *play, char *text)
{
	unsigned char *order = play->conf->tenants[0].protections;
	char *save = NULL;
	size_t count = 0;

	memset(order, 0, WAY_COUNT);
	for (char *way = strtok_r(text, ",", &save); way != NULL && count < WAY_COUNT;
	    way = strtok_r(NULL, ",", &save))
		order[count++] = (unsigned char)parse_ways(way);
}

/* proof HOP yes|through|no|no-mail|unknown */
static void act_proof(struct play *play, char *text)
{
	struct world *world = &play->world;
	const char *answer = split(text);
	struct told *told = &world->proofs[world->proof_count++];

	(void)snprintf(told->hop, sizeof(told->hop), "%s", text);
	told->through = strcmp(answer, "through") == 0;
	told->answer = told->through || strcmp(answer, "yes") == 0 ? TLS_PROVABLE :
	    strcmp(answer, "no-mail") == 0 ? TLS_NO_MAIL :
	    strcmp(answer, "no") == 0 ? TLS_NOT_PROVABLE : TLS_UNKNOWN;
}

/* waiting QUEUE-ID tls|other ANSWER */
static void act_waiting(struct play *play, char *text)
{
	struct world *world = &play->world;
	char *kind = split(text);
	const char *answer = split(kind);

	(void)snprintf(world->waiting_id, sizeof(world->waiting_id), "%s", text);
	(void)snprintf(world->waiting_answer, sizeof(world->waiting_answer), "%s", answer);
	world->waiting_tls = strcmp(kind, "tls") == 0;
}

/* later 15m: so long after the start of the case. */
static void act_later(struct play *play, char *text)
{
	int64_t duration_ms = 0;

	if (str_parse_duration(text, &duration_ms) != SG_OK)
		die("later: a duration");
	play->world.now_ms = START_MS + duration_ms;
}

/* forget: records and proofs of an earlier message in the case. */
static void act_forget(struct play *play, char *text)
{
	struct world *world = &play->world;

	(void)text;
	forget_records(world);
	world->proof_count = 0;
}

/* mark-created: the decision was made at the start of the case. */
static void act_mark_created(struct play *play, char *text)
{
	(void)text;
	play->world.mark_created_ms = START_MS;
}

/* mark-body LINE: the good mark holds for this body alone. */
static void act_mark_body(struct play *play, char *text)
{
	char body[LINE_MAX_BYTES + 2];
	int size = snprintf(body, sizeof(body), "%s\r\n", text);

	mark_digest(body, (size_t)size, play->world.mark_digest);
	play->world.mark_bound = true;
}

/* mark-password chosen|generated|hooked|NUMBER WORD: what goes with a valid mark */
static void act_mark_password(struct play *play, char *text)
{
	const char *word = split(text);

	play->world.mark_kind = strcmp(text, "chosen") == 0 ? VAULT_CHOSEN :
	    strcmp(text, "hooked") == 0 ? VAULT_HOOKED : text[0] == '+' ? VAULT_SMS :
	    VAULT_GENERATED;
	if (text[0] == '+')
		(void)snprintf(play->world.mark_phone, sizeof(play->world.mark_phone), "%s", text);
	(void)snprintf(play->world.mark_password, sizeof(play->world.mark_password), "%s", word);
}

/* mark-source WORD: what flagged the message behind a valid mark; notice: a letter of ours */
static void act_mark_source(struct play *play, char *text)
{
	(void)snprintf(play->world.mark_source, sizeof(play->world.mark_source), "%s", text);
}

static void set_words(struct str_list *list, char *text)
{
	char *save = NULL;

	str_list_free(list);
	for (char *word = strtok_r(text, ",", &save); word != NULL;
	    word = strtok_r(NULL, ",", &save))
		if (str_list_add(list, word) != SG_OK)
			die("no memory");
}

/* passwords WORD,WORD: the tenant's order of their sources */
static void act_passwords(struct play *play, char *text)
{
	set_words(&play->conf->tenants[0].passwords, text);
}

/* notices WORD,WORD: what the tenant's senders are told */
static void act_notices(struct play *play, char *text)
{
	set_words(&play->conf->tenants[0].notices, text);
}

static void set_hook(struct conf_tenant *tenant, const char *command)
{
	if (str_set(&tenant->hook_command, command) != SG_OK)
		die("no memory");
}

static void act_conf(struct play *play, char *text)
{
	struct conf *conf = play->conf;
	char *value = split(text);
	uint64_t number = 0;

	if (str_parse_size(value, &number) != SG_OK)
		number = 0;
	if (strcmp(text, "infected") == 0)
		conf->scan.infected = strcmp(value, "hold") == 0 ? CONF_HOLD : CONF_REFUSE;
	else if (strcmp(text, "unscannable") == 0)
		conf->scan.unscannable = strcmp(value, "hold") == 0 ? CONF_HOLD : CONF_REFUSE;
	else if (strcmp(text, "encrypted") == 0)
		conf->scan.encrypted = strcmp(value, "hold") == 0 ? CONF_ENCRYPTED_HOLD :
		    strcmp(value, "refuse") == 0 ? CONF_ENCRYPTED_REFUSE : CONF_ENCRYPTED_PASS;
	else if (strcmp(text, "subject_pdf") == 0)
		conf->tenants[0].subject_pdf = strcmp(value, "keep") == 0 ? CONF_SUBJECT_KEEP :
		    CONF_SUBJECT_PLACEHOLDER;
	else if (strcmp(text, "subject_placeholder") == 0) {
		if (str_set(&conf->tenants[0].subject_placeholder, value) != SG_OK)
			die("no memory");
	} else if (strcmp(text, "inside") == 0)
		conf->tenants[0].inside = strcmp(value, "seal") == 0 ? CONF_INSIDE_SEAL :
		    CONF_INSIDE_CLEAR;
	else if (strcmp(text, "password_for") == 0)
		conf->tenants[0].password_for = strcmp(value, "recipient") == 0 ?
		    CONF_FOR_RECIPIENT : CONF_FOR_MESSAGE;
	else if (strcmp(text, "hook") == 0)
		set_hook(&conf->tenants[0], value);
	else if (strcmp(text, "login_owns") == 0)
		conf->tenants[0].login_owns = strcmp(value, "any") == 0 ? CONF_OWNS_ANY :
		    CONF_OWNS_ADDRESS;
	else if (strcmp(text, "tls.sealed") == 0)
		conf->tls.sealed = strcmp(value, "may") == 0 ? CONF_FLOOR_MAY : CONF_FLOOR_ENCRYPT;
	else if (strcmp(text, "seal_before_queue") == 0)
		conf->seal_before_queue = strcmp(value, "yes") == 0;
	else if (strcmp(text, "recipients.max") == 0)
		conf->recipients.max = (unsigned int)number;
	else if (strcmp(text, "message.size_max") == 0)
		conf->message.size_max = (size_t)number;
	else if (strcmp(text, "message.header_max") == 0)
		conf->message.header_max = (size_t)number;
	else if (strcmp(text, "message.memory_max") == 0)
		conf->message.memory_max = (size_t)number;
	else
		die("conf: unknown key");
}

static void act_end(struct play *play, char *text)
{
	const struct wire_wait wait = { 1000, NULL, NULL };

	(void)text;
	if (play->ended)
		session_outcome_free(&play->outcome);
	session_end(play->session, "QID", &wait, &play->outcome);
	play->ended = true;
}

static void act_abort(struct play *play, char *text)
{
	(void)text;
	session_abort(play->session);
}

/* ---- lines that expect ---- */

static const char *verdict_name(enum session_verdict verdict)
{
	static const char *const names[] = { "tempfail", "accept", "reject", "hold" };

	return names[verdict];
}

/* accept | hold | tempfail CODE STATUS | reject CODE STATUS */
static void expect_verdict(struct play *play, const char *text)
{
	char got[64];

	if (play->outcome.verdict == SESSION_ACCEPT || play->outcome.verdict == SESSION_HOLD)
		(void)snprintf(got, sizeof(got), "%s", verdict_name(play->outcome.verdict));
	else
		(void)snprintf(got, sizeof(got), "%s %s %s",
		    verdict_name(play->outcome.verdict), play->outcome.reply.code,
		    play->outcome.reply.status);
	if (strcmp(got, text) != 0) {
		wrong(play, text, got);
		(void)printf("# the reply: %s\n", play->outcome.reply.text);
	}
}

/* One edit as text: "add NAME VALUE", "change NAME INDEX VALUE", "delete NAME INDEX". */
static void edit_text(const struct edit *edit, char *text, size_t room)
{
	const char *value = edit->value != NULL ? edit->value : "";

	while (*value == ' ')
		value++;
	if (edit->kind == EDIT_ADD)
		(void)snprintf(text, room, "add %s %s", edit->name, value);
	else if (edit->kind == EDIT_CHANGE)
		(void)snprintf(text, room, "change %s %u %s", edit->name, edit->index, value);
	else
		(void)snprintf(text, room, "delete %s %u", edit->name, edit->index);
}

/* Is there an edit that starts with text? */
static bool has_edit(const struct play *play, const char *text)
{
	for (size_t i = 0; i < play->outcome.edits.count; i++) {
		char got[1024];

		edit_text(&play->outcome.edits.items[i], got, sizeof(got));
		if (str_starts_case(got, text))
			return true;
	}
	return false;
}

static void print_edits(const struct play *play)
{
	for (size_t i = 0; i < play->outcome.edits.count; i++) {
		char got[1024];

		edit_text(&play->outcome.edits.items[i], got, sizeof(got));
		(void)printf("# edit: %s\n", got);
	}
}

static bool body_has(struct play *play, const char *word)
{
	const unsigned char *data;
	size_t size;
	struct fail f;

	if (play->outcome.edits.body == NULL ||
	    spool_map(play->outcome.edits.body, &data, &size, &f) != SG_OK)
		return false;
	return memmem(data, size, word, strlen(word)) != NULL;
}

/* Does a line of the new body, or of an edit's value, begin with text? A field of our making. */
static bool line_has(struct play *play, const char *text)
{
	char line[LINE_MAX_BYTES];
	const struct edits *edits = &play->outcome.edits;

	(void)snprintf(line, sizeof(line), "\n%s", text);
	for (size_t i = 0; i < edits->count; i++)
		if (edits->items[i].value != NULL &&
		    strcasestr(edits->items[i].value, line) != NULL)
			return true;
	return body_has(play, line);
}

static bool has_record(const struct play *play, const char *text)
{
	for (size_t i = 0; i < play->world.record_count; i++) {
		const struct record *record = &play->world.records[i];
		char got[512];

		(void)snprintf(got, sizeof(got), "%s %s%s%s",
		    record_decision_name(record->decision), record->recipient,
		    record->way != 0 ? " " : "",
		    record->way != 0 ? conf_way_name(record->way) : "");
		if (strcmp(got, text) == 0)
			return true;
	}
	return false;
}

/* Is text within the reason of the last record? */
static bool has_reason(const struct play *play, const char *text)
{
	const struct world *world = &play->world;

	return world->record_count > 0 &&
	    strstr(world->records[world->record_count - 1].reason, text) != NULL;
}

/* One event was told for the metrics, or none. */
static bool was_counted(const struct play *play, const char *text)
{
	const unsigned int *events = play->world.events;

	return events[TLS_FELL_BACK] == (strcmp(text, "fell-back") == 0 ? 1 : 0) &&
	    events[TLS_TOLD] == (strcmp(text, "told") == 0 ? 1 : 0) &&
	    events[TLS_WAITS] == (strcmp(text, "waits") == 0 ? 1 : 0);
}

/* What stands behind "expect ": the truth of it. */
static bool holds(struct play *play, const char *what, const char *text)
{
	const struct edits *edits = &play->outcome.edits;
	uint64_t number = 0;

	if (str_parse_u64(text, 0, 1000, &number) != SG_OK)
		number = 0;
	if (strcmp(what, "edit") == 0)
		return has_edit(play, text);
	if (strcmp(what, "no-edit") == 0)
		return text[0] != '\0' ? !has_edit(play, text) : edits->count == 0;
	if (strcmp(what, "body") == 0)
		return body_has(play, text);
	if (strcmp(what, "no-body") == 0)
		return text[0] != '\0' ? !body_has(play, text) : edits->body == NULL;
	if (strcmp(what, "no-line") == 0)
		return !line_has(play, text);
	if (strcmp(what, "record") == 0)
		return has_record(play, text);
	if (strcmp(what, "records") == 0)
		return play->world.record_count == number;
	if (strcmp(what, "scans") == 0)
		return play->world.scans == number;
	if (strcmp(what, "pdfs") == 0)
		return play->world.pdfs == number;
	if (strcmp(what, "no-record") == 0)
		return !has_record(play, text);
	if (strcmp(what, "reason") == 0)
		return has_reason(play, text);
	if (strcmp(what, "proofs") == 0)
		return play->world.proofs_asked == number;
	if (strcmp(what, "stage") == 0)
		return play->world.record_count > 0 &&
		    play->world.records[play->world.record_count - 1].stage == number;
	if (strcmp(what, "password") == 0)
		return strcmp(play->world.password, text) == 0;
	if (strcmp(what, "generated") == 0)
		return strlen(play->world.password) == 19 && play->world.password[4] == '-';
	if (strcmp(what, "told") == 0)
		return strcmp(play->world.told, text) == 0;
	if (strcmp(what, "noticed") == 0)
		return strcmp(play->world.noticed, text) == 0;
	if (strcmp(what, "notices") == 0)
		return play->world.notices == number;
	if (strcmp(what, "repeated") == 0)
		return play->world.repeated == number;
	if (strcmp(what, "letters") == 0)
		return play->world.letters == number;
	if (strcmp(what, "mark-phone") == 0)
		return strcmp(play->world.mark_phone, text) == 0;
	if (strcmp(what, "mark-password") == 0)
		return strcmp(play->world.mark_password, text) == 0;
	if (strcmp(what, "counted") == 0)
		return was_counted(play, text);
	if (strcmp(what, "sender") == 0)
		return edits->sender_arguments != NULL &&
		    strcmp(edits->sender_arguments, text) == 0;
	if (strcmp(what, "text") == 0)
		return strstr(play->outcome.reply.text, text) != NULL;
	if (strcmp(what, "mark-ways") == 0)
		return play->world.mark_ways == parse_ways(text);
	die("expect: unknown word");
	return false;
}

static void expect(struct play *play, char *line)
{
	char whole[LINE_MAX_BYTES];
	char *text;

	if (!play->ended)
		die("expect before end");
	(void)snprintf(whole, sizeof(whole), "%s", line);
	if (str_starts_case(line, "accept") || str_starts_case(line, "reject") ||
	    str_starts_case(line, "tempfail") || str_starts_case(line, "hold")) {
		expect_verdict(play, line);
		return;
	}
	text = split(line);
	if (holds(play, line, text))
		return;
	wrong(play, whole, "something else");
	print_edits(play);
	for (size_t i = 0; i < play->world.record_count; i++)
		(void)printf("# record: %s %s %s\n",
		    record_decision_name(play->world.records[i].decision),
		    play->world.records[i].recipient, play->world.records[i].reason);
	(void)printf("# reply: %s\n", play->outcome.reply.text);
	(void)printf("# the last notice: %s\n", play->world.noticed);
}

/* ---- files ---- */

static const struct {
	const char *word;
	void (*act)(struct play *play, char *text);
} actions[] = {
	{ "connect", act_connect }, { "mail", act_mail }, { "rcpt", act_rcpt },
	{ "header", act_header }, { "body", act_body }, { "body-size", act_body_size },
	{ "rcpt-count", act_rcpt_count }, { "header-raw", act_header_raw },
	{ "header-count", act_header_count }, { "header-size", act_header_size },
	{ "body-raw", act_body_raw },
	{ "scan", act_scan }, { "know", act_know }, { "fail", act_fail },
	{ "mark-ways", act_mark_ways }, { "conf", act_conf }, { "end", act_end },
	{ "macro", act_macro }, { "order", act_order }, { "proof", act_proof },
	{ "waiting", act_waiting }, { "later", act_later },
	{ "forget", act_forget },
	{ "mark-password", act_mark_password }, { "mark-source", act_mark_source },
	{ "passwords", act_passwords }, { "notices", act_notices },
	{ "mark-created", act_mark_created }, { "mark-body", act_mark_body },
	{ "abort", act_abort }, { "expect", expect },
};

static void play_line(struct play *play, char *line)
{
	char *text;

	line[strcspn(line, "\n")] = '\0';
	/* a tab is one act within a case: scenarios read better indented */
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
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].word, line) == 0) {
			actions[i].act(play, text);
			return;
		}
	(void)fprintf(stderr, "play: %s:%d: unknown word %s\n", play->file, play->line, line);
	exit(65);
}

static void play_file(struct play *play, const char *path)
{
	char line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "re");

	if (file == NULL)
		die(path);
	play->file = path;
	for (play->line = 1; fgets(line, sizeof(line), file) != NULL; play->line++)
		play_line(play, line);
	end_case(play);
	(void)fclose(file);
}

#include "tests/play/faults.c"

/* The others work also while calls of the filter fail. */

static enum fail_code calm_certificate(void *context, const char *tenant, const char *recipient,
    struct buf *der_out, struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_certificate(context, tenant, recipient, der_out, f);
	faulty_pause(false);
	return code;
}

static enum fail_code calm_password(void *context, const char *tenant, const char *recipient,
    struct secret *password_out, struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_password(context, tenant, recipient, password_out, f);
	faulty_pause(false);
	return code;
}

static enum fail_code calm_mark_check(void *context, const char *mark,
    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
    struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_mark_check(context, mark, digest, decision_out, f);
	faulty_pause(false);
	return code;
}

static enum fail_code calm_record(void *context, const struct record *records, size_t count,
    struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_record(context, records, count, f);
	faulty_pause(false);
	return code;
}

static enum fail_code calm_record_once(void *context, const char *mark, const char *recipient,
    const struct record *records, size_t count, struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_record_once(context, mark, recipient, records, count, f);
	faulty_pause(false);
	return code;
}

static enum fail_code calm_record_told(void *context, const struct vault_told *told,
    const struct record *records, size_t count, struct fail *f)
{
	enum fail_code code;

	faulty_pause(true);
	code = play_record_told(context, told, records, count, f);
	faulty_pause(false);
	return code;
}

int main(int argc, char *argv[])
{
	static struct play play;
	static const struct clock clock = { play_now, play_now, &play.world };

	log_start("play", LOG_LEVEL_ERROR);
	make_certificate(&play.world);
	play.services = (struct session_services){
		.context = &play.world, .scan = play_scan, .plan = play_plan,
		.certificate = calm_certificate, .password = calm_password,
		.mark_make = play_mark_make, .mark_check = calm_mark_check,
		.record = calm_record, .record_once = calm_record_once,
		.password_try = play_password_try, .record_told = calm_record_told,
		.waiting = play_waiting, .proof = play_proof, .count = play_count,
		.pdf = play_pdf, .clock = &clock,
	};
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[1], "-f") != 0)
			play_file(&play, argv[i]);
		else if (i > 1)
			play_file_with_faults(&play, argv[i]);
	reset_world(&play.world);
	session_free(play.session);
	conf_free(play.conf);
	OPENSSL_free(play.world.der);
	return play.failures > 0 || play.passed == 0 ? 1 : 0;
}
