#include "gateway/vault/notice.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/vault.h"

#define TOO_LATE "no answer for five days"

/* Where a letter is sealed; tenant and id are the row's. */
static const struct crypt_place notice_place = {
	.table = "outbox",
	.column = "sealed",
};

enum fail_code notice_put(struct server *server, struct store_outbox *row,
    const struct letter *letter, struct fail *f)
{
	struct crypt_place place = notice_place;
	struct packet_writer w;
	enum fail_code code;
	struct buf sealed;
	struct buf plain;

	buf_init(&sealed, STORE_SECRET_MAX);
	buf_init(&plain, LETTER_MAX);
	w = packet_write(&plain);
	letter_put(&w, letter);
	code = packet_put_end(&w, f);
	place.tenant = row->tenant;
	place.id = row->id;
	if (code == SG_OK)
		code = crypt_seal(&server->master, &place, plain.data, plain.size, &sealed, f);
	row->sealed = sealed.data;
	row->sealed_size = sealed.size;
	row->hook = letter->kind == VAULT_HOOK;
	if (code == SG_OK)
		code = server->store->ops->outbox_put(server->store, row, f);
	row->sealed = NULL;
	row->sealed_size = 0;
	buf_free(&plain);
	buf_free(&sealed);
	return code;
}

static enum fail_code notice_open(const struct server *server, const struct store_outbox *row,
    struct secret *bytes, struct fail *f)
{
	struct crypt_place place = notice_place;

	place.tenant = row->tenant;
	place.id = row->id;
	return crypt_open(&server->master, &place, row->sealed, row->sealed_size, bytes, f);
}

/* ---- the next one ---- */

struct notice_next {
	struct server *server;
	struct packet_writer w;
	bool found;
};

static enum fail_code notice_take(void *context, const struct store_outbox *row, struct fail *f)
{
	struct notice_next *next = context;
	struct letter letter = {.to = NULL};
	struct secret bytes;
	enum fail_code code;

	secret_init(&bytes);
	code = notice_open(next->server, row, &bytes, f);
	if (code == SG_OK)
		code = letter_read(&bytes, &letter, f);
	if (code == SG_OK) {
		next->found = true;
		packet_put_u8(&next->w, 1);
		packet_put_bytes(&next->w, row->id, sizeof(row->id));
		packet_put_str(&next->w, row->tenant);
		letter_put(&next->w, &letter);
	}
	letter_free(&letter);
	secret_free(&bytes);
	return code;
}

enum fail_code notice_next_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct notice_next next = {.server = server, .w = packet_write(&reply->body)};
	enum fail_code code;
	uint8_t hook = 0;

	packet_get_u8(&p, &hook);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server->store->ops->outbox_next(server->store, hook != 0,
		    clock_wall_ms(server->clock), notice_take, &next, f);
	if (code == SG_OK && !next.found)
		packet_put_u8(&next.w, 0);
	return code == SG_OK ? packet_put_end(&next.w, f) : code;
}

/* ---- one by its id ---- */

struct notice_row {
	char *tenant;
	int64_t created_ms;
	uint32_t tries;
	bool hook;
	const struct server *server;	/* NULL: bytes are not wanted */
	struct secret bytes;		/* the letter */
};

static void notice_row_free(struct notice_row *row)
{
	free(row->tenant);
	secret_free(&row->bytes);
}

static enum fail_code notice_row_take(void *context, const struct store_outbox *row,
    struct fail *f)
{
	struct notice_row *copy = context;

	copy->created_ms = row->created_ms;
	copy->tries = row->tries;
	copy->hook = row->hook;
	copy->tenant = str_dup(row->tenant);
	if (copy->tenant == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return copy->server == NULL ? SG_OK : notice_open(copy->server, row, &copy->bytes, f);
}

static void notice_get_id(struct packet_reader *p, unsigned char id_out[STORE_ID_SIZE])
{
	const unsigned char *data = NULL;
	size_t size = 0;

	packet_get_bytes(p, &data, &size);
	if (p->code == SG_OK && size != STORE_ID_SIZE)
		p->code = SG_EFORMAT;
	if (p->code == SG_OK)
		memcpy(id_out, data, STORE_ID_SIZE);
}

enum fail_code notice_sign_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	unsigned char mac[CRYPT_DIGEST_SIZE];
	unsigned char id[STORE_ID_SIZE];
	struct notice_row row = {.tenant = NULL};
	const unsigned char *digest = NULL;
	struct server *server = context;
	size_t digest_size = 0;
	enum fail_code code;

	notice_get_id(&p, id);
	packet_get_bytes(&p, &digest, &digest_size);
	if (p.code == SG_OK && digest_size != VAULT_DIGEST_SIZE)
		p.code = SG_EFORMAT;
	code = packet_get_end(&p, f);
	/* the mark is there, under the same id; nothing else is signed for this asker */
	if (code == SG_OK)
		code = server->store->ops->outbox_get(server->store, id, notice_row_take, &row, f);
	if (code == SG_OK)
		code = mark_sign(server, row.tenant, id, digest, mac, f);
	if (code == SG_OK)
		code = mark_print(row.tenant, id, mac, reply, f);
	free(row.tenant);
	return code;
}

enum fail_code notice_done_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	unsigned char id[STORE_ID_SIZE];
	struct server *server = context;
	struct store *store = server->store;
	enum fail_code code;

	(void)reply;
	notice_get_id(&p, id);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = store->ops->begin(store, f);
	if (code == SG_OK)
		code = server_end(server, store->ops->outbox_remove(store, id, f), f);
	return code;
}

/* ---- again ---- */

static int64_t notice_pause_ms(uint32_t tries)
{
	static const int64_t pauses[] = {2000, 10000, 30000, 60000, 300000, 900000, 3600000};
	const size_t count = sizeof(pauses) / sizeof(pauses[0]);

	return pauses[tries < count ? tries : count - 1];
}

/* Nobody has the password: its sender is to hear that, in a letter under the mark that is there. */
static enum fail_code notice_unhanded(struct server *server, const unsigned char *id,
    const struct notice_row *row, const char *reason, struct fail *f)
{
	struct store_outbox fresh = {.tenant = row->tenant};
	struct letter letter;
	enum fail_code code = letter_read(&row->bytes, &letter, f);

	if (code == SG_OK && letter.kind != VAULT_HOOK)
		code = fail_set(f, SG_EFORMAT, NULL, "it is for no hook");
	if (code == SG_OK) {
		letter.kind = VAULT_UNHANDED;
		letter.password_size = 0;
		letter.phone[0] = '\0';
		free(letter.reason);
		letter.reason = str_dup(reason);
		if (letter.reason == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	}
	memcpy(fresh.id, id, sizeof(fresh.id));
	fresh.created_ms = clock_wall_ms(server->clock);
	fresh.due_ms = fresh.created_ms;
	if (code == SG_OK)
		code = server->store->ops->outbox_remove(server->store, id, f);
	if (code == SG_OK)
		code = notice_put(server, &fresh, &letter, f);
	letter_free(&letter);
	return code;
}

/* The filter has not taken it: what it noted about a try of which nobody heard is void. */
static enum fail_code notice_later(struct server *server, const unsigned char *id,
    const struct notice_row *row, bool *given_up_out, struct fail *f)
{
	struct store *store = server->store;
	int64_t now = clock_wall_ms(server->clock);
	enum fail_code code = store->ops->mark_use_remove(store, row->tenant, id, f);

	*given_up_out = now - row->created_ms > NOTICE_LIFE_MS;
	if (code != SG_OK)
		return code;
	if (!*given_up_out)
		return store->ops->outbox_again(store, id, now + notice_pause_ms(row->tries), f);
	return row->hook ? notice_unhanded(server, id, row, TOO_LATE, f) :
	    store->ops->outbox_remove(store, id, f);
}

enum fail_code notice_again_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	unsigned char id[STORE_ID_SIZE];
	struct server *server = context;
	struct notice_row row = {.server = server};
	struct store *store = server->store;
	bool given_up = false;
	enum fail_code code;

	notice_get_id(&p, id);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = store->ops->outbox_get(store, id, notice_row_take, &row, f);
	if (code == SG_OK)
		code = store->ops->begin(store, f);
	if (code == SG_OK)
		code = server_end(server, notice_later(server, id, &row, &given_up, f), f);
	notice_row_free(&row);
	packet_put_u8(&w, given_up);
	return code == SG_OK ? packet_put_end(&w, f) : code;
}

enum fail_code notice_failed_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	unsigned char id[STORE_ID_SIZE];
	struct server *server = context;
	struct notice_row row = {.server = server};
	struct store *store = server->store;
	char *reason = NULL;
	enum fail_code code;

	(void)reply;
	notice_get_id(&p, id);
	packet_get_str(&p, &reason);
	if (p.code == SG_OK && strlen(reason) >= VAULT_REASON_MAX)
		p.code = SG_EFORMAT;
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = store->ops->outbox_get(store, id, notice_row_take, &row, f);
	if (code == SG_OK)
		code = store->ops->begin(store, f);
	if (code == SG_OK)
		code = server_end(server, notice_unhanded(server, id, &row, reason, f), f);
	notice_row_free(&row);
	free(reason);
	return code;
}
