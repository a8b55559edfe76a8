#include <stdlib.h>
#include <string.h>

#include "gateway/vault/ask.h"
#include "gateway/vault/vault.h"

/* --- from the filter --- */

enum fail_code vault_password_try(const struct vault *vault, const char *tenant,
    const struct secret *password, const char *const *addresses, size_t count, struct fail *f)
{
	enum fail_code code;
	struct ask ask;
	size_t i;

	count = count > VAULT_PLAN_MAX ? VAULT_PLAN_MAX : count;
	ask_start(&ask, VAULT_PASSWORD_TRY);
	packet_put_str(&ask.w, tenant);
	packet_put_bytes(&ask.w, password->data, password->size);
	packet_put_u16(&ask.w, (uint16_t)count);
	for (i = 0; i < count; i++)
		packet_put_str(&ask.w, addresses[i]);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

static void put_letter(struct packet_writer *w, const struct vault_letter *letter)
{
	const struct secret *password = letter->password;
	size_t i;

	packet_put_str(w, letter->to);
	packet_put_u8(w, (uint8_t)letter->language);
	packet_put_u8(w, letter->keep);
	packet_put_str(w, letter->subject);
	packet_put_i64(w, letter->time_ms);
	packet_put_bytes(w, password == NULL ? NULL : password->data,
	    password == NULL ? 0 : password->size);
	packet_put_u32(w, (uint32_t)letter->count);
	packet_put_u32(w, (uint32_t)letter->count);
	for (i = 0; i < letter->count; i++)
		packet_put_str(w, letter->recipients[i]);
	packet_put_u8(w, (uint8_t)letter->kind);
	packet_put_str(w, letter->phone);
	packet_put_str(w, letter->detail);
	packet_put_bytes(w, letter->notes, letter->notes == NULL ? 0 : letter->count);
	packet_put_str(w, letter->message_id);
}

static void put_letters(struct packet_writer *w, const struct vault_told *told)
{
	packet_put_str(w, told->tenant);
	packet_put_u8(w, (uint8_t)((told->letter != NULL) + (told->notice != NULL)));
	if (told->letter != NULL)
		put_letter(w, told->letter);
	if (told->notice != NULL)
		put_letter(w, told->notice);
}

enum fail_code vault_record_told(const struct vault *vault, const struct vault_told *told,
    const struct record *records, size_t count, struct fail *f)
{
	struct packet_writer w;
	enum fail_code code;
	struct buf bytes;
	struct ask ask;

	buf_init(&bytes, PACKET_RECORDS_MAX);
	w = packet_write(&bytes);
	ask_start(&ask, VAULT_RECORD_TOLD);
	packet_put_str(&w, told->mark);
	packet_put_str(&w, told->used_for);
	packet_put_str(&w, told->delivered);
	put_letters(&w, told);
	if (w.code == SG_OK)
		w.code = ask_records(records, count, &bytes);
	code = packet_put_end(&w, f);
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

/* --- from sealgate-notify --- */

void vault_notice_free(struct vault_notice *notice)
{
	free(notice->tenant);
	free(notice->to);
	free(notice->subject);
	free(notice->phone);
	free(notice->reason);
	free(notice->message_id);
	free(notice->notes);
	secret_free(&notice->password);
	str_list_free(&notice->recipients);
	memset(notice, 0, sizeof(*notice));
}

static void get_recipients(struct packet_reader *r, struct vault_notice *notice)
{
	char *address = NULL;
	uint32_t listed = 0;

	packet_get_u32(r, &notice->count);
	packet_get_u32(r, &listed);
	for (; r->code == SG_OK && listed > 0; listed--) {
		packet_get_str(r, &address);
		if (r->code == SG_OK)
			r->code = str_list_add(&notice->recipients, address);
		free(address);
		address = NULL;
	}
}

static void get_kind(struct packet_reader *r, struct vault_notice *notice)
{
	uint8_t kind = 0;

	packet_get_u8(r, &kind);
	packet_get_str(r, &notice->phone);
	packet_get_str(r, &notice->reason);
	if (r->code == SG_OK && (kind > VAULT_SEALED ||
	    (kind != VAULT_LETTER && kind != VAULT_HOOK) != (notice->password.size == 0)))
		r->code = SG_EFORMAT;
	notice->kind = (enum vault_notice_kind)kind;
}

static void get_notes(struct packet_reader *r, struct vault_notice *notice)
{
	const unsigned char *notes = NULL;
	size_t size = 0;

	packet_get_bytes(r, &notes, &size);
	if (r->code == SG_OK && size != 0 && size != notice->recipients.count)
		r->code = SG_EFORMAT;
	if (r->code == SG_OK && size > 0) {
		notice->notes = malloc(size);
		r->code = notice->notes == NULL ? SG_ENOMEM : SG_OK;
	}
	if (r->code == SG_OK && size > 0)
		memcpy(notice->notes, notes, size);
	packet_get_str(r, &notice->message_id);
}

static void get_notice(struct packet_reader *r, struct vault_notice *notice)
{
	const unsigned char *data = NULL;
	uint8_t language = 0;
	uint8_t keep = 0;
	size_t size = 0;

	packet_get_bytes(r, &data, &size);
	if (r->code == SG_OK && size != VAULT_NOTICE_ID)
		r->code = SG_EFORMAT;
	if (r->code == SG_OK)
		memcpy(notice->id, data, VAULT_NOTICE_ID);
	packet_get_str(r, &notice->tenant);
	packet_get_str(r, &notice->to);
	packet_get_u8(r, &language);
	packet_get_u8(r, &keep);
	packet_get_str(r, &notice->subject);
	packet_get_i64(r, &notice->time_ms);
	packet_get_bytes(r, &data, &size);
	if (r->code == SG_OK && size > 0)
		r->code = secret_set(&notice->password, data, size);
	get_recipients(r, notice);
	get_kind(r, notice);
	get_notes(r, notice);
	notice->language = language;
	notice->keep = keep != 0;
}

enum fail_code vault_notice_next(const struct vault *vault, bool hook,
    struct vault_notice *notice_out, bool *found_out, struct fail *f)
{
	enum fail_code code;
	uint8_t found = 0;
	struct ask ask;

	memset(notice_out, 0, sizeof(*notice_out));
	*found_out = false;
	ask_start(&ask, VAULT_NOTICE_NEXT);
	packet_put_u8(&ask.w, hook);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, &found);
		if (ask.r.code == SG_OK && found != 0)
			get_notice(&ask.r, notice_out);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	if (code != SG_OK)
		vault_notice_free(notice_out);
	else
		*found_out = found != 0;
	return code;
}

enum fail_code vault_notice_sign(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], const unsigned char digest[VAULT_DIGEST_SIZE],
    char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	enum fail_code code;
	char *mark = NULL;
	struct ask ask;

	mark_out[0] = '\0';
	ask_start(&ask, VAULT_NOTICE_SIGN);
	packet_put_bytes(&ask.w, id, VAULT_NOTICE_ID);
	packet_put_bytes(&ask.w, digest, VAULT_DIGEST_SIZE);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_str(&ask.r, &mark);
		if (ask.r.code == SG_OK && (mark[0] == '\0' || strlen(mark) >= VAULT_MARK_MAX))
			ask.r.code = SG_EFORMAT;
		code = ask_read(&ask, f);
	}
	if (code == SG_OK && mark != NULL)
		memcpy(mark_out, mark, strlen(mark) + 1);
	free(mark);
	ask_end(&ask);
	return code;
}

enum fail_code vault_notice_done(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_NOTICE_DONE);
	packet_put_bytes(&ask.w, id, VAULT_NOTICE_ID);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

enum fail_code vault_notice_failed(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], const char *reason, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_NOTICE_FAILED);
	packet_put_bytes(&ask.w, id, VAULT_NOTICE_ID);
	packet_put_str(&ask.w, reason);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

enum fail_code vault_notice_again(const struct vault *vault,
    const unsigned char id[VAULT_NOTICE_ID], bool *given_up_out, struct fail *f)
{
	enum fail_code code;
	uint8_t given_up = 0;
	struct ask ask;

	ask_start(&ask, VAULT_NOTICE_AGAIN);
	packet_put_bytes(&ask.w, id, VAULT_NOTICE_ID);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, &given_up);
		code = ask_read(&ask, f);
	}
	*given_up_out = given_up != 0;
	ask_end(&ask);
	return code;
}
