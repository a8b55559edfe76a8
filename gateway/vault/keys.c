#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/server.h"

#define KEYS_TENANT ""	/* one key for all; the tenant stands in what is signed */
#define KEYS_DAY_S ((int64_t)24 * 3600)

static const struct crypt_place keys_place = {
	.tenant = KEYS_TENANT,
	.table = "vault_key",
	.column = "sealed",
};

void keys_init(struct server *server)
{
	size_t i;

	for (i = 0; i < SERVER_MARK_KEYS_MAX; i++)
		secret_init(&server->mark_keys[i]);
	server->mark_key_count = 0;
}

void keys_free(struct server *server)
{
	while (server->mark_key_count > 0)
		secret_free(&server->mark_keys[--server->mark_key_count]);
}

enum fail_code keys_make(struct store *store, const struct secret *master, int64_t now,
    struct fail *f)
{
	char name[sizeof("mark-") + 2 * STORE_ID_SIZE] = "mark-";
	struct store_secret row = {.name = name, .created = now};
	struct crypt_place place = keys_place;
	enum fail_code code;
	struct secret key;
	struct buf sealed;

	secret_init(&key);
	buf_init(&sealed, STORE_SECRET_MAX);
	code = secret_random(&key, CRYPT_KEY_SIZE);
	if (code == SG_OK)
		code = secret_random_bytes(row.id, sizeof(row.id));
	if (code != SG_OK) {
		(void)fail_set(f, code, NULL, "no random bytes for a key");
		goto out;
	}
	str_hex(row.id, sizeof(row.id), name + sizeof("mark-") - 1);
	place.id = row.id;
	code = crypt_seal(master, &place, key.data, key.size, &sealed, f);
	if (code != SG_OK)
		goto out;
	row.sealed = sealed.data;
	row.sealed_size = sealed.size;
	code = store->ops->key_put(store, KEYS_TENANT, &row, f);
out:
	secret_free(&key);
	buf_free(&sealed);
	return code;
}

static enum fail_code keys_take(void *context, const struct store_secret *row, struct fail *f)
{
	struct server *server = context;
	struct crypt_place place = keys_place;

	if (server->mark_key_count == SERVER_MARK_KEYS_MAX)
		return fail_set(f, SG_ESYSTEM, "restore vault.db from a backup",
		    "database %s has too many keys for marks", server->database);
	place.id = row->id;
	if (crypt_open(&server->master, &place, row->sealed, row->sealed_size,
	    &server->mark_keys[server->mark_key_count], f) != SG_OK)
		return fail_set(f, SG_ECRYPTO, "put back the master key file that belongs to it",
		    "the master key %s does not open the database %s",
		    server->conf->master_key_file, server->database);
	if (server->mark_key_count++ == 0)
		server->mark_key_created = row->created;
	return SG_OK;
}

enum fail_code keys_read(struct server *server, struct fail *f)
{
	enum fail_code code;

	keys_free(server);
	code = server->store->ops->key_list(server->store, KEYS_TENANT, keys_take, server, f);
	if (code == SG_OK && server->mark_key_count == 0)
		code = fail_set(f, SG_ESYSTEM, "restore vault.db from a backup",
		    "database %s has no key for marks", server->database);
	return code;
}

/* Within one transaction: those that nothing needs go; with fresh, there is a new one. */
static enum fail_code keys_write(struct server *server, bool fresh, uint32_t *removed_out,
    struct fail *f)
{
	const struct store_ops *ops = server->store->ops;
	int64_t now_ms = clock_wall_ms(server->clock);
	enum fail_code code = ops->begin(server->store, f);

	*removed_out = 0;
	if (code != SG_OK)
		return code;
	code = ops->key_purge(server->store, KEYS_TENANT, now_ms, removed_out, f);
	if (code == SG_OK && fresh &&
	    server->mark_key_count - *removed_out >= SERVER_MARK_KEYS_MAX)
		code = fail_set(f, SG_ELIMIT, "marks expire after mark.life; try later",
		    "%u keys for marks are still needed by mail that may be queued",
		    SERVER_MARK_KEYS_MAX);
	if (code == SG_OK && fresh)
		code = ops->key_retire(server->store, KEYS_TENANT, now_ms, f);
	if (code == SG_OK && fresh)
		code = keys_make(server->store, &server->master, now_ms / 1000, f);
	return server_end(server, code, f);
}

/*
 * What cannot be read again after it was written closes the store: it is opened anew, or every
 * request fails for a while, but no mark is judged by half of the keys.
 */
static enum fail_code keys_change(struct server *server, bool fresh, struct fail *f)
{
	struct log_line line;
	uint32_t removed = 0;
	enum fail_code code = keys_write(server, fresh, &removed, f);

	if (code == SG_OK && (fresh || removed > 0)) {
		code = keys_read(server, f);
		if (code != SG_OK)
			server_fail(server, f);
	}
	if (code == SG_OK && fresh) {
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "mark-key");
		log_str(&line, "action", "changed");
		log_int(&line, "kept", (int64_t)server->mark_key_count - 1);
		log_end(&line);
	}
	return code;
}

void keys_tend(struct server *server)
{
	struct fail f;
	bool old;

	fail_clear(&f);
	if (server_ready(server, &f) != SG_OK)
		return;
	old = server_now(server) - server->mark_key_created >= SERVER_MARK_KEY_DAYS * KEYS_DAY_S;
	if (!old && server->mark_key_count < 2)
		return;
	if (keys_change(server, old, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "mark-key", &f);
	server_settle(server);
}

enum fail_code keys_change_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	enum fail_code code = packet_get_end(&p, f);

	if (code == SG_OK)
		code = keys_change(server, true, f);
	if (code != SG_OK)
		return code;
	packet_put_u32(&w, (uint32_t)server->mark_key_count - 1);
	return packet_put_end(&w, f);
}
