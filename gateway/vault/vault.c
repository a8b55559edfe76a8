#include "gateway/vault/vault.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/vault/ask.h"

void ask_start(struct ask *ask, enum vault_message_type type)
{
	wire_message_init(&ask->request, (uint16_t)type);
	wire_message_init(&ask->reply, 0);
	ask->w = packet_write(&ask->request.body);
}

/* One packet however many there are, so that they are durable together or not at all. */
enum fail_code ask_attach(struct ask *ask, const struct buf *bytes, struct fail *f)
{
	enum fail_code code;

	if (bytes->size <= PACKET_FILL) {
		ask->w.code = buf_append(&ask->request.body, bytes->data, bytes->size);
		return SG_OK;
	}
	code = fd_memory("sealgate-records", &ask->request.fd, f);
	if (code == SG_OK)
		code = fd_write_all(ask->request.fd, bytes->data, bytes->size, f);
	if (code == SG_OK)
		code = fd_seal(ask->request.fd, f);
	return code;
}

enum fail_code ask_vault(struct ask *ask, const struct vault *vault, struct fail *f)
{
	struct wire_wait wait = {vault->timeout_ms, NULL, NULL};
	enum fail_code code = packet_put_end(&ask->w, f);

	if (code == SG_OK)
		code = wire_call(vault->path, &ask->request, &wait, &ask->reply, f);
	if (code == SG_OK)
		ask->r = packet_read(&ask->reply.body);
	return code;
}

enum fail_code ask_read(struct ask *ask, struct fail *f)
{
	if (packet_get_end(&ask->r, NULL) == SG_OK)
		return SG_OK;
	if (ask->r.code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the vault's answer");
	return fail_set(f, SG_EPEER, "are all programs of the same version?",
	    "the vault's answer cannot be read");
}

void ask_end(struct ask *ask)
{
	wire_message_free(&ask->request);
	wire_message_free(&ask->reply);
}

/* --- plan --- */

static void get_reason(struct packet_reader *r, char out[VAULT_REASON_MAX])
{
	const unsigned char *data = NULL;
	size_t size = 0;

	packet_get_bytes(r, &data, &size);
	if (r->code == SG_OK && size >= VAULT_REASON_MAX)
		r->code = SG_EFORMAT;
	if (r->code == SG_OK && size > 0)
		memcpy(out, data, size);
	out[r->code == SG_OK ? size : 0] = '\0';
}

/* As many recipients as fit in one packet; their number in *done_out. */
static enum fail_code plan_some(const struct vault *vault, const char *tenant,
    const char *const *recipients, size_t count, struct vault_possible *possible_out,
    size_t *done_out, struct fail *f)
{
	enum fail_code code;
	size_t bytes = 0;
	struct ask ask;
	uint8_t ways;
	size_t n;
	size_t i;

	for (n = 0; n < count && n < VAULT_PLAN_MAX && bytes < PACKET_FILL; n++)
		bytes += strlen(recipients[n]);
	ask_start(&ask, VAULT_PLAN);
	packet_put_str(&ask.w, tenant);
	packet_put_u16(&ask.w, (uint16_t)n);
	for (i = 0; i < n; i++)
		packet_put_str(&ask.w, recipients[i]);
	code = ask_vault(&ask, vault, f);
	for (i = 0; code == SG_OK && i < n; i++) {
		ways = 0;
		packet_get_u8(&ask.r, &ways);
		possible_out[i].ways = ways;
		get_reason(&ask.r, possible_out[i].no_envelope);
		get_reason(&ask.r, possible_out[i].no_pdf);
	}
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	*done_out = n;
	return code;
}

enum fail_code vault_plan(const struct vault *vault, const char *tenant,
    const char *const *recipients, size_t count, struct vault_possible *possible_out,
    struct fail *f)
{
	enum fail_code code = SG_OK;
	size_t done = 0;
	size_t at;

	memset(possible_out, 0, count * sizeof(*possible_out));
	for (at = 0; code == SG_OK && at < count; at += done)
		code = plan_some(vault, tenant, recipients + at, count - at, possible_out + at,
		    &done, f);
	/* half an answer is none */
	if (code != SG_OK)
		memset(possible_out, 0, count * sizeof(*possible_out));
	return code;
}

enum fail_code vault_certificate(const struct vault *vault, const char *tenant,
    const char *recipient, struct buf *der_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_CERTIFICATE);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, recipient);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = buf_append(der_out, ask.reply.body.data, ask.reply.body.size);
	if (code == SG_ENOMEM || code == SG_ELIMIT)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a certificate");
	ask_end(&ask);
	return code;
}

enum fail_code vault_password(const struct vault *vault, const char *tenant,
    const char *recipient, struct secret *password_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_PASSWORD);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, recipient);
	code = ask_vault(&ask, vault, f);
	/* an empty password protects nothing */
	if (code == SG_OK && ask.reply.body.size == 0)
		code = fail_set(f, SG_EPEER, NULL, "the vault answers an empty password");
	else if (code == SG_OK &&
	    secret_set(password_out, ask.reply.body.data, ask.reply.body.size) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a password");
	ask_end(&ask);
	return code;
}

/* --- marks --- */

void vault_decision_free(struct vault_decision *decision)
{
	if (decision == NULL)
		return;
	free(decision->tenant);
	free(decision->sender);
	free(decision->source);
	free(decision->queue_id);
	free(decision->message_id);
	free(decision->phone);
	secret_free(&decision->password);
	memset(decision, 0, sizeof(*decision));
}

enum fail_code vault_mark_make(const struct vault *vault, const struct vault_decision *decision,
    const unsigned char digest[VAULT_DIGEST_SIZE], int64_t life_ms, char mark_out[VAULT_MARK_MAX],
    struct fail *f)
{
	char *mark = NULL;
	enum fail_code code;
	struct ask ask;

	mark_out[0] = '\0';
	ask_start(&ask, VAULT_MARK_MAKE);
	packet_put_str(&ask.w, decision->tenant);
	packet_put_str(&ask.w, decision->sender);
	packet_put_u8(&ask.w, (uint8_t)decision->ways);
	packet_put_str(&ask.w, decision->source);
	packet_put_str(&ask.w, decision->queue_id);
	packet_put_str(&ask.w, decision->message_id);
	packet_put_i64(&ask.w, decision->created_ms);
	packet_put_u8(&ask.w, (uint8_t)decision->password_kind);
	packet_put_bytes(&ask.w, decision->password.data, decision->password.size);
	packet_put_str(&ask.w, decision->phone);
	packet_put_bytes(&ask.w, digest, VAULT_DIGEST_SIZE);
	packet_put_i64(&ask.w, life_ms);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_str(&ask.r, &mark);
		if (ask.r.code == SG_OK && (mark[0] == '\0' || strlen(mark) >= VAULT_MARK_MAX))
			ask.r.code = SG_EFORMAT;
		code = ask_read(&ask, f);
	}
	if (code == SG_OK)
		memcpy(mark_out, mark, strlen(mark) + 1);
	free(mark);
	ask_end(&ask);
	return code;
}

/* What the message brings along. */
static void get_password(struct packet_reader *r, struct vault_decision *decision)
{
	const unsigned char *data = NULL;
	uint8_t kind = 0;
	size_t size = 0;

	packet_get_u8(r, &kind);
	packet_get_bytes(r, &data, &size);
	packet_get_str(r, &decision->phone);
	if (r->code == SG_OK && (kind > VAULT_SMS || (kind != 0) != (size != 0) ||
	    (kind == VAULT_SMS) != (decision->phone[0] != '\0') ||
	    strlen(decision->phone) >= VAULT_PHONE_MAX))
		r->code = SG_EFORMAT;
	if (r->code == SG_OK && size > 0)
		r->code = secret_set(&decision->password, data, size);
	decision->password_kind = (enum vault_password_kind)kind;
}

enum fail_code vault_mark_check(const struct vault *vault, const char *mark,
    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
    struct fail *f)
{
	enum fail_code code;
	uint8_t ways = 0;
	struct ask ask;

	memset(decision_out, 0, sizeof(*decision_out));
	/* a header of any length comes from outside; the vault would call it malformed */
	if (strlen(mark) > PACKET_TEXT_MAX)
		return fail_set(f, SG_EDENIED, NULL, "the mark is none of ours");
	ask_start(&ask, VAULT_MARK_CHECK);
	packet_put_str(&ask.w, mark);
	packet_put_bytes(&ask.w, digest, VAULT_DIGEST_SIZE);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_str(&ask.r, &decision_out->tenant);
		packet_get_str(&ask.r, &decision_out->sender);
		packet_get_u8(&ask.r, &ways);
		packet_get_str(&ask.r, &decision_out->source);
		packet_get_str(&ask.r, &decision_out->queue_id);
		packet_get_str(&ask.r, &decision_out->message_id);
		packet_get_i64(&ask.r, &decision_out->created_ms);
		get_password(&ask.r, decision_out);
		decision_out->ways = ways;
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	if (code != SG_OK)
		vault_decision_free(decision_out);
	return code;
}

/* --- records --- */

enum fail_code ask_records(const struct record *records, size_t count, struct buf *out)
{
	enum fail_code code;
	struct buf one;
	size_t i;

	buf_init(&one, WIRE_BODY_MAX);
	code = buf_put_u32(out, (uint32_t)count);
	for (i = 0; code == SG_OK && i < count; i++) {
		buf_reset(&one);
		code = record_encode(&records[i], &one);
		if (code == SG_OK)
			code = buf_put_bytes(out, one.data, one.size);
	}
	buf_free(&one);
	return code;
}

enum fail_code vault_record(const struct vault *vault, const struct record *records, size_t count,
    struct fail *f)
{
	enum fail_code code;
	struct buf bytes;
	struct ask ask;

	buf_init(&bytes, PACKET_RECORDS_MAX);
	ask_start(&ask, VAULT_RECORD);
	code = ask_records(records, count, &bytes);
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "a record cannot be written down");
	if (code == SG_OK)
		code = ask_attach(&ask, &bytes, f);
	if (code == SG_OK)
		code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	buf_free(&bytes);
	return code;
}

enum fail_code vault_record_once(const struct vault *vault, const char *mark,
    const char *recipient, const struct record *records, size_t count, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	if (strlen(mark) > PACKET_TEXT_MAX)
		return fail_set(f, SG_EDENIED, NULL, "the mark is none of ours");
	ask_start(&ask, VAULT_RECORD_ONCE);
	packet_put_str(&ask.w, mark);
	packet_put_str(&ask.w, recipient);
	if (ask.w.code == SG_OK)
		ask.w.code = ask_records(records, count, &ask.request.body);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

enum fail_code vault_waiting(const struct vault *vault, const char *queue_id,
    const char *recipient, struct vault_waiting *waiting_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;
	uint8_t tls = 0;

	memset(waiting_out, 0, sizeof(*waiting_out));
	ask_start(&ask, VAULT_WAITING);
	packet_put_str(&ask.w, queue_id);
	packet_put_str(&ask.w, recipient);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_i64(&ask.r, &waiting_out->time_ms);
		packet_get_u8(&ask.r, &tls);
		get_reason(&ask.r, waiting_out->hop);
		get_reason(&ask.r, waiting_out->answer);
		waiting_out->tls = tls != 0;
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	if (code != SG_OK)
		memset(waiting_out, 0, sizeof(*waiting_out));
	return code;
}
