#include "gateway/vault/notice.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

const struct crypt_place notice_place = {
	.table = "outbox",
	.column = "sealed",
};

/* ---- the next one ---- */

struct notice_next {
	struct server *server;
	struct packet_writer w;
	bool found;
};

static enum fail_code notice_take(void *context, const struct store_outbox *row, struct fail *f)
{
	struct notice_next *next = context;
	struct crypt_place place = notice_place;
	struct secret letter;
	enum fail_code code;

	secret_init(&letter);
	place.tenant = row->tenant;
	place.id = row->id;
	code = crypt_open(&next->server->master, &place, row->sealed, row->sealed_size, &letter,
	    f);
	if (code == SG_OK) {
		next->found = true;
		packet_put_u8(&next->w, 1);
		packet_put_bytes(&next->w, row->id, sizeof(row->id));
		packet_put_str(&next->w, row->tenant);
		if (next->w.code == SG_OK)
			next->w.code = buf_append(next->w.buf, letter.data, letter.size);
	}
	secret_free(&letter);
	return code;
}

enum fail_code notice_next_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct notice_next next = {.server = server, .w = packet_write(&reply->body)};
	enum fail_code code = packet_get_end(&p, f);

	if (code == SG_OK)
		code = server->store->ops->outbox_next(server->store,
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
};

static enum fail_code notice_row_take(void *context, const struct store_outbox *row,
    struct fail *f)
{
	struct notice_row *copy = context;

	copy->created_ms = row->created_ms;
	copy->tries = row->tries;
	copy->tenant = str_dup(row->tenant);
	return copy->tenant != NULL ? SG_OK : fail_set(f, SG_ENOMEM, NULL, "no memory");
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
	return *given_up_out ? store->ops->outbox_remove(store, id, f) :
	    store->ops->outbox_again(store, id, now + notice_pause_ms(row->tries), f);
}

enum fail_code notice_again_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	unsigned char id[STORE_ID_SIZE];
	struct notice_row row = {.tenant = NULL};
	struct server *server = context;
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
	free(row.tenant);
	packet_put_u8(&w, given_up);
	return code == SG_OK ? packet_put_end(&w, f) : code;
}
