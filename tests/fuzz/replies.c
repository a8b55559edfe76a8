/*
 * What a worker that was taken over could answer: any bytes, with or without a descriptor, to each
 * of our clients. None believes more than its header promises, nothing is leaked. The first byte
 * chooses the question, the second how it is answered. links: sealgate
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/wire.h"
#include "gateway/tls/tls.h"
#include "gateway/vault/vault.h"
#include "milter/scan/scan.h"
#include "pdfenc/pdfenc.h"

#define ANSWERS_MAX 20
#define TEXT_MAX ((size_t)1024 * 1024)

static const uint8_t *answer;
static size_t answer_size;
static uint8_t how;
static unsigned int answers_left;	/* pages of the same could go on for long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
enum fail_code __wrap_wire_call(const char *path, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f);

/* Instead of a server: its packet lies in the socket before it is asked. */
enum fail_code __wrap_wire_call(const char *path, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f)
{
	const struct wire_wait short_wait = { 50, NULL, NULL };
	struct wire_message packet;
	enum fail_code code;
	int pair[2];

	(void)path;
	(void)wait;
	if (answers_left == 0)
		return fail_set(f, SG_EPEER, NULL, "nobody is there any more");
	answers_left--;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	wire_message_init(&packet, (how & 1) != 0 ? WIRE_FAILURE : request->type);
	packet.request = request->request;
	if (buf_append(&packet.body, answer, answer_size) != SG_OK)
		abort();
	if ((how & 2) != 0 && (fd_memory("reply", &packet.fd, NULL) != SG_OK ||
	    fd_write_all(packet.fd, answer, answer_size, NULL) != SG_OK))
		abort();
	if (wire_send(pair[1], &packet, 50, NULL) != SG_OK)
		abort();
	code = wire_call_on(pair[0], request, &short_wait, reply, f);
	wire_message_free(&packet);
	(void)close(pair[0]);
	(void)close(pair[1]);
	return code;
}

/* ---- questions ---- */

typedef void question_fn(struct fail *f);

static const struct vault vault = { "/nowhere", 50 };
static const struct tls tls = { "/nowhere", 50 };
static const char *const people[] = { "a@one.example", "b@two.example" };
static const unsigned char digest[VAULT_DIGEST_SIZE];

static void ask_plan(struct fail *f)
{
	struct vault_possible possible[2];

	if (vault_plan(&vault, "t", people, 2, possible, f) == SG_OK)
		SG_BUG_IF(memchr(possible[1].no_pdf, 0, sizeof(possible[1].no_pdf)) == NULL);
}

static void ask_texts(struct fail *f)
{
	struct secret password;
	struct buf der;
	char *position = NULL;

	buf_init(&der, TEXT_MAX);
	secret_init(&password);
	(void)!vault_certificate(&vault, "t", people[0], &der, f);
	(void)!vault_password(&vault, "t", people[0], &password, f);
	(void)!vault_position(&vault, &position, f);
	secret_free(&password);
	buf_free(&der);
	free(position);
}

static void ask_mark(struct fail *f)
{
	struct vault_decision decision;

	if (vault_mark_check(&vault, "v=1", digest, &decision, f) == SG_OK)
		vault_decision_free(&decision);
}

static void ask_waiting(struct fail *f)
{
	struct vault_waiting waiting;

	(void)!vault_waiting(&vault, "4X", people[0], &waiting, f);
}

static void ask_notice(struct fail *f)
{
	struct vault_notice notice;
	unsigned char id[VAULT_NOTICE_ID] = { 0 };
	char mark[VAULT_MARK_MAX];
	bool found = false;

	if (vault_notice_next(&vault, false, &notice, &found, f) == SG_OK && found)
		vault_notice_free(&notice);
	if (vault_notice_sign(&vault, id, digest, mark, f) == SG_OK)
		SG_BUG_IF(memchr(mark, 0, sizeof(mark)) == NULL);
}

static void ask_lists(struct fail *f)
{
	struct vault_password_entry *entries = NULL;
	struct vault_session *sessions = NULL;
	struct vault_cert *certs = NULL;
	size_t count = 0;

	if (vault_password_list(&vault, "t", &entries, &count, f) == SG_OK)
		vault_passwords_free(entries, count);
	if (vault_sessions(&vault, 20000, &sessions, &count, f) == SG_OK)
		vault_sessions_free(sessions, count);
	if (vault_cert_list(&vault, "t", NULL, &certs, &count, f) == SG_OK)
		vault_certs_free(certs, count);
}

static void ask_trace(struct fail *f)
{
	struct vault_status status;
	struct record *records = NULL;
	size_t count = 0;

	if (vault_trace(&vault, "4X", &records, &count, f) == SG_OK) {
		for (size_t i = 0; i < count; i++)
			record_free(&records[i]);
		free(records);
	}
	(void)!vault_status(&vault, &status, f);
}

static void ask_scanner(struct fail *f)
{
	const struct wire_wait wait = { 50, NULL, NULL };
	struct scan_result result;
	struct scan_status status;

	scan_message("/nowhere", STDIN_FILENO, 1, &wait, &result);
	SG_BUG_IF(memchr(result.name, 0, sizeof(result.name)) == NULL);
	(void)!scan_status("/nowhere", &status, f);
}

static void ask_pdf(struct fail *f)
{
	const struct wire_wait wait = { 50, NULL, NULL };
	struct pdfenc_request request = { .message = STDIN_FILENO, .message_size = 1,
		.protection = "p" };
	struct pdfenc_result result;
	struct secret password;

	secret_init(&password);
	if (secret_set(&password, "x", 1) != SG_OK)
		abort();
	request.password = &password;
	if (pdfenc_seal("/nowhere", &request, &wait, &result, f) == SG_OK)
		SG_BUG_IF(result.pdf < 0 || result.pdf_size == 0);
	fd_close(&result.pdf);
	secret_free(&password);
}

static void ask_tls(struct fail *f)
{
	static const struct tls_hop hops[] = { { "one.example", false }, { "[two]:25", true } };
	struct tls_proof proofs[2];
	struct buf text;

	buf_init(&text, TEXT_MAX);
	if (tls_proof(&tls, hops, 2, proofs, f) == SG_OK)
		SG_BUG_IF(memchr(proofs[1].how, 0, sizeof(proofs[1].how)) == NULL);
	(void)!tls_check(&tls, "one.example", false, false, &text, f);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static question_fn *const questions[] = { ask_plan, ask_texts, ask_mark,
		ask_waiting, ask_notice, ask_lists, ask_trace, ask_scanner, ask_pdf, ask_tls };
	struct fail f;

	if (size < 2 || size > WIRE_BODY_MAX)
		return 0;
	how = data[1];
	answer = data + 2;
	answer_size = size - 2;
	answers_left = ANSWERS_MAX;
	fail_clear(&f);
	questions[data[0] % (sizeof(questions) / sizeof(questions[0]))](&f);
	return 0;
}
