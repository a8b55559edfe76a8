/* Records together with a letter to the sender: both durable in one commit. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/letter.h"
#include "gateway/vault/notice.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

/* A request, taken apart; what points into it is borrowed. */
struct told {
	char *mark;		/* "" = none */
	char *used_for;		/* "" = the mark is not used up */
	char *tenant;
	struct letter letter;
	struct packet_reader records;
};

static void told_free(struct told *told)
{
	free(told->mark);
	free(told->used_for);
	free(told->tenant);
	letter_free(&told->letter);
}

/* All but the records, at which told->records stands then. */
static enum fail_code told_read(struct told *told, struct packet_reader p, struct fail *f)
{
	const struct letter *letter = &told->letter;

	packet_get_str(&p, &told->mark);
	packet_get_str(&p, &told->used_for);
	packet_get_str(&p, &told->tenant);
	letter_get(&p, &told->letter);
	if (p.code == SG_OK && (letter->recipients.count != letter->count || letter->count == 0 ||
	    letter->kind > VAULT_HOOK || (letter->keep != 0 && letter->count != 1)))
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
	struct str_list *recipients = &told->letter.recipients;
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
	if (code == SG_OK) {
		recipients->count = kept;
		told->letter.count = (uint32_t)kept;
	}
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
	const struct letter *letter = &told->letter;
	const char *address = letter->recipients.items[0];
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
	    letter->password, letter->password_size, "generated", f);
}

/* ---- the letter ---- */

/*
 * The mark by which the filter will know the letter when Postfix brings it. What a hook is handed
 * may have to become one.
 */
static enum fail_code told_mark(struct server *server, const struct told *told,
    const struct store_outbox *row, struct fail *f)
{
	const struct store_mark mark = {
		.tenant = told->tenant,
		.sender = told->letter.to,
		.ways = WAY_TLS,
		.source = VAULT_NOTICE,
		.queue_id = "",
		.message_id = "",
		.created_ms = row->created_ms,
		.expires_ms = row->created_ms + 3 * NOTICE_LIFE_MS,
	};
	struct store_mark copy = mark;

	memcpy(copy.id, row->id, sizeof(copy.id));
	return server->store->ops->mark_put(server->store, &copy, f);
}

static enum fail_code told_post(struct server *server, const struct told *told, struct fail *f)
{
	struct store_outbox row = {.tenant = told->tenant};
	enum fail_code code;

	row.created_ms = clock_wall_ms(server->clock);
	row.due_ms = row.created_ms;
	code = secret_random_bytes(row.id, sizeof(row.id));
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no random bytes");
	code = told_mark(server, told, &row, f);
	return code == SG_OK ? notice_put(server, &row, &told->letter, f) : code;
}

static enum fail_code told_store(struct server *server, struct told *told, struct fail *f)
{
	enum fail_code code = server_tenant(server, told->tenant, FAIL_TEMPORARY, f);

	if (code == SG_OK && told->used_for[0] != '\0')
		code = mark_use(server, told->mark, told->used_for, f);
	if (code == SG_OK)
		code = told_fresh(server, told, f);
	if (code == SG_OK && told->letter.keep != 0 && told->letter.recipients.count > 0)
		code = told_keep(server, told, f);
	if (code == SG_OK && told->letter.recipients.count > 0)
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
