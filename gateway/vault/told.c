/* Records together with a letter to the sender: both durable in one commit. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/notice.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define TOLD_LISTED_MAX ((size_t)2200)	/* bytes of addresses in one letter */
#define TOLD_LETTER_MAX SECRET_MAX

/* A request, taken apart; what points into it is borrowed. */
struct told {
	char *mark;		/* "" = none */
	char *used_for;		/* "" = the mark is not used up */
	char *tenant;
	char *to;
	char *subject;
	const unsigned char *password;
	size_t password_size;
	int64_t time_ms;
	uint8_t language;
	uint8_t keep;
	struct str_list recipients;
	struct packet_reader records;
};

static void told_free(struct told *told)
{
	free(told->mark);
	free(told->used_for);
	free(told->tenant);
	free(told->to);
	free(told->subject);
	str_list_free(&told->recipients);
}

/* All but the records, at which told->records stands then. */
static enum fail_code told_read(struct told *told, struct packet_reader p, struct fail *f)
{
	char *address = NULL;
	uint32_t listed = 0;
	uint32_t count = 0;

	packet_get_str(&p, &told->mark);
	packet_get_str(&p, &told->used_for);
	packet_get_str(&p, &told->tenant);
	packet_get_str(&p, &told->to);
	packet_get_u8(&p, &told->language);
	packet_get_u8(&p, &told->keep);
	packet_get_str(&p, &told->subject);
	packet_get_i64(&p, &told->time_ms);
	packet_get_bytes(&p, &told->password, &told->password_size);
	packet_get_u32(&p, &count);
	packet_get_u32(&p, &listed);
	for (; p.code == SG_OK && listed > 0; listed--) {
		packet_get_str(&p, &address);
		if (p.code == SG_OK)
			p.code = str_list_add(&told->recipients, address);
		free(address);
		address = NULL;
	}
	if (p.code == SG_OK && (told->recipients.count != count || count == 0 ||
	    told->password_size == 0 || (told->keep != 0 && count != 1)))
		p.code = SG_EFORMAT;
	told->records = p;
	if (p.code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to read a packet");
	return p.code == SG_OK ? SG_OK : fail_set(f, SG_EFORMAT, NULL, "malformed packet");
}

/* Takes those off of whom the sender has heard for this mark. */
static enum fail_code told_fresh(struct server *server, struct told *told, struct fail *f)
{
	struct store_mark_use use = {.used_ms = clock_wall_ms(server->clock)};
	struct str_list *recipients = &told->recipients;
	char tenant[VAULT_MARK_MAX];
	enum fail_code code = SG_OK;
	size_t kept = 0;
	size_t i;

	if (told->mark[0] == '\0')
		return SG_OK;
	if (!mark_id(told->mark, tenant, sizeof(tenant), use.id) ||
	    strcmp(tenant, told->tenant) != 0)
		return fail_set(f, SG_EDENIED, NULL, "the mark is none of ours");
	use.tenant = tenant;
	for (i = 0; code == SG_OK && i < recipients->count; i++) {
		bool fresh = false;

		use.recipient = recipients->items[i];
		code = server->store->ops->told_put(server->store, &use, &fresh, f);
		if (code == SG_OK && fresh) {
			char *item = recipients->items[kept];

			recipients->items[kept++] = recipients->items[i];
			recipients->items[i] = item;
		}
	}
	for (i = kept; code == SG_OK && i < recipients->count; i++)
		free(recipients->items[i]);
	if (code == SG_OK)
		recipients->count = kept;
	return code;
}

/* ---- a new own password ---- */

static enum fail_code told_seen(void *context, const struct store_secret *row, struct fail *f)
{
	(void)context;
	(void)row;
	(void)f;
	return SG_OK;
}

static enum fail_code told_keep(struct server *server, const struct told *told, struct fail *f)
{
	const char *address = told->recipients.items[0];
	enum fail_code code = server->store->ops->password_get(server->store, told->tenant,
	    address, told_seen, NULL, f);

	if (code == SG_OK) {
		/* another message was quicker: with the next try that password is used */
		(void)fail_set(f, SG_EEXIST, NULL, "%.200s has got a password meanwhile",
		    address);
		(void)fail_set_kind(f, FAIL_TEMPORARY);
		return SG_EEXIST;
	}
	return code != SG_ENOTFOUND ? code : password_keep(server, told->tenant, address,
	    told->password, told->password_size, "generated", f);
}

/* ---- the letter ---- */

static enum fail_code told_letter(const struct told *told, struct buf *out, struct fail *f)
{
	const struct str_list *recipients = &told->recipients;
	struct packet_writer w = packet_write(out);
	size_t bytes = 0;
	size_t listed;
	size_t i;

	for (listed = 0; listed < recipients->count; listed++) {
		bytes += strlen(recipients->items[listed]) + 4;
		if (bytes > TOLD_LISTED_MAX)
			break;
	}
	packet_put_str(&w, told->to);
	packet_put_u8(&w, told->language);
	packet_put_u8(&w, told->keep);
	packet_put_str(&w, told->subject);
	packet_put_i64(&w, told->time_ms);
	packet_put_bytes(&w, told->password, told->password_size);
	packet_put_u32(&w, (uint32_t)recipients->count);
	packet_put_u32(&w, (uint32_t)listed);
	for (i = 0; i < listed; i++)
		packet_put_str(&w, recipients->items[i]);
	return packet_put_end(&w, f);
}

/* The mark by which the filter will know the letter when Postfix brings it. */
static enum fail_code told_mark(struct server *server, const struct told *told,
    const struct store_outbox *row, struct fail *f)
{
	const struct store_mark mark = {
		.tenant = told->tenant,
		.sender = told->to,
		.ways = WAY_TLS,
		.source = VAULT_NOTICE,
		.queue_id = "",
		.message_id = "",
		.created_ms = row->created_ms,
		.expires_ms = row->created_ms + 2 * NOTICE_LIFE_MS,
	};
	struct store_mark copy = mark;

	memcpy(copy.id, row->id, sizeof(copy.id));
	return server->store->ops->mark_put(server->store, &copy, f);
}

static enum fail_code told_post(struct server *server, const struct told *told, struct fail *f)
{
	struct store_outbox row = {.tenant = told->tenant};
	struct crypt_place place = notice_place;
	struct buf sealed;
	struct buf letter;
	enum fail_code code;

	buf_init(&sealed, STORE_SECRET_MAX);
	buf_init(&letter, TOLD_LETTER_MAX);
	row.created_ms = clock_wall_ms(server->clock);
	row.due_ms = row.created_ms;
	code = secret_random_bytes(row.id, sizeof(row.id));
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "no random bytes");
	if (code == SG_OK)
		code = told_letter(told, &letter, f);
	place.tenant = told->tenant;
	place.id = row.id;
	if (code == SG_OK)
		code = crypt_seal(&server->master, &place, letter.data, letter.size, &sealed, f);
	row.sealed = sealed.data;
	row.sealed_size = sealed.size;
	if (code == SG_OK)
		code = told_mark(server, told, &row, f);
	if (code == SG_OK)
		code = server->store->ops->outbox_put(server->store, &row, f);
	buf_free(&letter);
	buf_free(&sealed);
	return code;
}

static enum fail_code told_store(struct server *server, struct told *told, struct fail *f)
{
	enum fail_code code = server_tenant(server, told->tenant, FAIL_TEMPORARY, f);

	if (code == SG_OK && told->used_for[0] != '\0')
		code = mark_use(server, told->mark, told->used_for, f);
	if (code == SG_OK)
		code = told_fresh(server, told, f);
	if (code == SG_OK && told->keep != 0 && told->recipients.count > 0)
		code = told_keep(server, told, f);
	if (code == SG_OK && told->recipients.count > 0)
		code = told_post(server, told, f);
	if (code == SG_OK)
		code = records_store(server->store, told->records, f);
	return code;
}

enum fail_code told_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct server *server = context;
	struct told told = {.mark = NULL};
	enum fail_code code;
	struct buf bytes;

	(void)reply;
	buf_init(&bytes, PACKET_RECORDS_MAX);
	code = server_body(request, &bytes, f);
	if (code == SG_OK)
		code = told_read(&told, packet_read(&bytes), f);
	if (code == SG_OK)
		code = records_check(told.records, f);
	if (code == SG_OK)
		code = told_store(server, &told, f);
	told_free(&told);
	buf_free(&bytes);
	return code;
}
