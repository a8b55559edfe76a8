#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define MARK_PURGE_MAX 1000u	/* marks in one transaction */
#define MARK_SIGNED_MAX ((size_t)512)
#define MARK_LIFE_MAX_MS ((int64_t)366 * 24 * 3600 * 1000)

/* A mark taken apart. */
struct mark {
	char tenant[VAULT_MARK_MAX];
	unsigned char id[STORE_ID_SIZE];
	unsigned char mac[CRYPT_DIGEST_SIZE];
};

static enum fail_code mark_denied(struct fail *f, const char *why)
{
	return fail_set(f, SG_EDENIED, NULL, "%s", why);
}

/* What stands for a mark, under one of the keys. */
static enum fail_code mark_mac(const struct secret *key, const char *tenant,
    const unsigned char *id, const unsigned char *digest,
    unsigned char mac_out[CRYPT_DIGEST_SIZE], struct fail *f)
{
	enum fail_code code;
	struct packet_writer p;
	struct buf bytes;

	buf_init(&bytes, MARK_SIGNED_MAX);
	p = packet_write(&bytes);
	packet_put_str(&p, "sealgate mark");
	packet_put_u8(&p, 1);
	packet_put_str(&p, tenant);
	packet_put_bytes(&p, id, STORE_ID_SIZE);
	packet_put_bytes(&p, digest, VAULT_DIGEST_SIZE);
	code = packet_put_end(&p, f);
	if (code == SG_OK)
		code = crypt_mac(key, bytes.data, bytes.size, mac_out, f);
	buf_free(&bytes);
	return code;
}

enum fail_code mark_sign(const struct server *server, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], const unsigned char *digest,
    unsigned char mac_out[CRYPT_DIGEST_SIZE], struct fail *f)
{
	return mark_mac(&server->mark_keys[0], tenant, id, digest, mac_out, f);
}

/* By the key in use, or one that was in use when queued mail was marked. SG_EDENIED. */
static enum fail_code mark_verify(const struct server *server, const struct mark *mark,
    const unsigned char *digest, struct fail *f)
{
	unsigned char mac[CRYPT_DIGEST_SIZE];
	enum fail_code code;
	size_t i;

	for (i = 0; i < server->mark_key_count; i++) {
		code = mark_mac(&server->mark_keys[i], mark->tenant, mark->id, digest, mac, f);
		if (code != SG_OK)
			return code;
		if (secret_compare(mac, mark->mac, sizeof(mac)))
			return SG_OK;
	}
	return mark_denied(f, "the mark or its body was altered, or is none of ours");
}

/* What the message brings along, as it came in the packet. */
struct mark_password {
	uint8_t kind;			/* enum vault_password_kind */
	const unsigned char *data;
	size_t size;
	char *phone;			/* with VAULT_SMS; else "" */
};

/* --- make --- */

enum fail_code mark_print(const char *tenant, const unsigned char *id,
    const unsigned char *mac, struct wire_message *reply, struct fail *f)
{
	char id_text[2 * STORE_ID_SIZE + 1];
	char mac_text[2 * CRYPT_DIGEST_SIZE + 1];
	struct packet_writer w = packet_write(&reply->body);
	char text[VAULT_MARK_MAX];
	int n;

	str_hex(id, STORE_ID_SIZE, id_text);
	str_hex(mac, CRYPT_DIGEST_SIZE, mac_text);
	n = snprintf(text, sizeof(text), "v=1; t=%s; i=%s; h=%s", tenant, id_text, mac_text);
	if (n < 0 || (size_t)n >= sizeof(text) || tenant[strcspn(tenant, "; \t\r\n")] != '\0')
		return fail_set(f, SG_ELIMIT, "give the tenant a short name of letters and digits",
		    "the name of tenant %.80s does not fit into a mark", tenant);
	packet_put_str(&w, text);
	return packet_put_end(&w, f);
}

static const struct crypt_place mark_password_place = {
	.table = "mark_password",
	.column = "sealed",
};

static enum fail_code mark_password_put(struct server *server, const struct store_mark *mark,
    const struct mark_password *given, struct fail *f)
{
	struct store_mark_password row = {.tenant = mark->tenant, .kind = given->kind};
	struct crypt_place place = mark_password_place;
	enum fail_code code;
	struct buf sealed;
	struct buf plain;

	buf_init(&sealed, STORE_SECRET_MAX);
	buf_init(&plain, SECRET_MAX);
	memcpy(row.id, mark->id, sizeof(row.id));
	place.tenant = mark->tenant;
	place.id = row.id;
	/* a password is printable: the number may stand behind it in a line of its own */
	code = buf_append(&plain, given->data, given->size);
	if (code == SG_OK && given->kind == VAULT_SMS)
		code = buf_printf(&plain, "\n%s", given->phone);
	if (code != SG_OK)
		(void)fail_set(f, code, NULL, "no memory for a password");
	else
		code = crypt_seal(&server->master, &place, plain.data, plain.size, &sealed, f);
	row.sealed = sealed.data;
	row.sealed_size = sealed.size;
	if (code == SG_OK)
		code = server->store->ops->mark_password_put(server->store, &row, f);
	buf_free(&plain);
	buf_free(&sealed);
	return code;
}

static enum fail_code mark_make(struct server *server, struct store_mark *mark,
    const struct mark_password *password, const unsigned char *digest,
    struct wire_message *reply, struct fail *f)
{
	unsigned char mac[CRYPT_DIGEST_SIZE];
	enum fail_code code = secret_random_bytes(mark->id, sizeof(mark->id));

	if (code != SG_OK)
		return fail_set(f, code, NULL, "no random bytes for a mark");
	code = mark_sign(server, mark->tenant, mark->id, digest, mac, f);
	if (code == SG_OK)
		code = mark_print(mark->tenant, mark->id, mac, reply, f);
	if (code == SG_OK)
		code = server->store->ops->mark_put(server->store, mark, f);
	if (code == SG_OK && password->size > 0)
		code = mark_password_put(server, mark, password, f);
	return code;
}

static void mark_get_password(struct packet_reader *p, struct mark_password *password)
{
	packet_get_u8(p, &password->kind);
	packet_get_bytes(p, &password->data, &password->size);
	packet_get_str(p, &password->phone);
	if (p->code == SG_OK && (password->kind > VAULT_SMS ||
	    (password->kind != 0) != (password->size > 0) ||
	    password->size > SECRET_MAX - VAULT_PHONE_MAX ||
	    (password->kind == VAULT_SMS) != (password->phone[0] != '\0') ||
	    strlen(password->phone) >= VAULT_PHONE_MAX))
		p->code = SG_EFORMAT;
}

enum fail_code mark_make_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct vault_decision decision = {NULL};
	struct mark_password password = {.kind = VAULT_NO_PASSWORD};
	const unsigned char *digest = NULL;
	struct store_mark mark;
	size_t digest_size = 0;
	int64_t life_ms = 0;
	enum fail_code code;
	uint8_t ways = 0;

	packet_get_str(&p, &decision.tenant);
	packet_get_str(&p, &decision.sender);
	packet_get_u8(&p, &ways);
	packet_get_str(&p, &decision.source);
	packet_get_str(&p, &decision.queue_id);
	packet_get_str(&p, &decision.message_id);
	packet_get_i64(&p, &decision.created_ms);
	mark_get_password(&p, &password);
	packet_get_bytes(&p, &digest, &digest_size);
	packet_get_i64(&p, &life_ms);
	if (p.code == SG_OK && (digest_size != VAULT_DIGEST_SIZE || life_ms <= 0 ||
	    life_ms > MARK_LIFE_MAX_MS))
		p.code = SG_EFORMAT;
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, decision.tenant, FAIL_TEMPORARY, f);
	if (code == SG_OK) {
		mark = (struct store_mark){
			.tenant = decision.tenant,
			.sender = decision.sender,
			.ways = ways,
			.source = decision.source,
			.queue_id = decision.queue_id,
			.message_id = decision.message_id,
			.created_ms = decision.created_ms,
			.expires_ms = clock_wall_ms(server->clock) + life_ms,
		};
		code = mark_make(server, &mark, &password, digest, reply, f);
	}
	free(decision.tenant);
	free(decision.sender);
	free(decision.source);
	free(decision.queue_id);
	free(decision.message_id);
	free(password.phone);
	return code;
}

/* --- check --- */

/* Takes "name=" off *at and copies up to the next ';' or the end. */
static bool mark_field(const char **at, const char *name, char *out, size_t out_size)
{
	size_t size;

	if (!str_starts_case(*at, name))
		return false;
	*at += strlen(name);
	size = strcspn(*at, ";");
	if (size == 0 || size >= out_size)
		return false;
	memcpy(out, *at, size);
	out[size] = '\0';
	*at += size;
	if (**at == ';')
		(*at)++;
	return true;
}

/* Folding may have put white space anywhere between; none belongs to the value. */
static bool mark_parse(const char *text, struct mark *mark)
{
	char id[2 * STORE_ID_SIZE + 1];
	char mac[2 * CRYPT_DIGEST_SIZE + 1];
	char tight[2 * VAULT_MARK_MAX];
	char version[4];
	const char *at = tight;
	size_t size = 0;

	for (; *text != '\0'; text++) {
		if (str_is_space(*text))
			continue;
		if (size + 1 >= sizeof(tight))
			return false;
		tight[size++] = *text;
	}
	tight[size] = '\0';
	return mark_field(&at, "v=", version, sizeof(version)) && strcmp(version, "1") == 0 &&
	    mark_field(&at, "t=", mark->tenant, sizeof(mark->tenant)) &&
	    mark_field(&at, "i=", id, sizeof(id)) && mark_field(&at, "h=", mac, sizeof(mac)) &&
	    *at == '\0' && str_unhex(id, mark->id, sizeof(mark->id)) == SG_OK &&
	    str_unhex(mac, mark->mac, sizeof(mark->mac)) == SG_OK;
}

struct mark_answer {
	struct server *server;
	unsigned char id[STORE_ID_SIZE];
	int64_t now_ms;
	struct packet_writer w;
};

static void mark_put_password(struct packet_writer *w, uint8_t kind, const struct secret *password)
{
	const unsigned char *line = kind == VAULT_SMS ?
	    memchr(password->data, '\n', password->size) : NULL;
	size_t size = line == NULL ? password->size : (size_t)(line - password->data);

	packet_put_u8(w, kind);
	packet_put_bytes(w, password->data, size);
	packet_put_bytes(w, password->data + size + (line != NULL),
	    password->size - size - (line != NULL));
}

static enum fail_code mark_password_take(void *context, const struct store_mark_password *row,
    struct fail *f)
{
	struct crypt_place place = mark_password_place;
	struct mark_answer *answer = context;
	struct secret password;
	enum fail_code code;

	secret_init(&password);
	place.tenant = row->tenant;
	place.id = row->id;
	code = crypt_open(&answer->server->master, &place, row->sealed, row->sealed_size, &password,
	    f);
	if (code == SG_OK)
		mark_put_password(&answer->w, row->kind, &password);
	secret_free(&password);
	return code;
}

static enum fail_code mark_password(struct mark_answer *answer, const char *tenant, struct fail *f)
{
	struct store *store = answer->server->store;
	enum fail_code code = store->ops->mark_password_get(store, tenant, answer->id,
	    mark_password_take, answer, f);

	if (code != SG_ENOTFOUND)
		return code;
	packet_put_u8(&answer->w, VAULT_NO_PASSWORD);
	packet_put_bytes(&answer->w, NULL, 0);
	packet_put_str(&answer->w, "");
	return SG_OK;
}

static enum fail_code mark_found(void *context, const struct store_mark *mark, struct fail *f)
{
	struct mark_answer *answer = context;

	if (mark->expires_ms <= answer->now_ms)
		return mark_denied(f, "the mark has expired");
	packet_put_str(&answer->w, mark->tenant);
	packet_put_str(&answer->w, mark->sender);
	packet_put_u8(&answer->w, (uint8_t)mark->ways);
	packet_put_str(&answer->w, mark->source);
	packet_put_str(&answer->w, mark->queue_id);
	packet_put_str(&answer->w, mark->message_id);
	packet_put_i64(&answer->w, mark->created_ms);
	return packet_put_end(&answer->w, f);
}

static enum fail_code mark_check(struct server *server, const char *text,
    const unsigned char *digest, struct wire_message *reply, struct fail *f)
{
	struct mark_answer answer = {.server = server, .now_ms = clock_wall_ms(server->clock)};
	enum fail_code code;
	struct mark mark;

	if (!mark_parse(text, &mark))
		return mark_denied(f, "the mark is none of ours");
	code = mark_verify(server, &mark, digest, f);
	if (code != SG_OK)
		return code;
	memcpy(answer.id, mark.id, sizeof(answer.id));
	answer.w = packet_write(&reply->body);
	code = server->store->ops->mark_get(server->store, mark.tenant, mark.id, mark_found,
	    &answer, f);
	if (code == SG_ENOTFOUND)
		return mark_denied(f, "the mark is unknown or has expired");
	if (code == SG_OK)
		code = mark_password(&answer, mark.tenant, f);
	if (code == SG_OK)
		code = packet_put_end(&answer.w, f);
	return code;
}

enum fail_code mark_check_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	const unsigned char *digest = NULL;
	size_t digest_size = 0;
	enum fail_code code;
	char *text = NULL;

	packet_get_str(&p, &text);
	packet_get_bytes(&p, &digest, &digest_size);
	if (p.code == SG_OK && digest_size != VAULT_DIGEST_SIZE)
		p.code = SG_EFORMAT;
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = mark_check(context, text, digest, reply, f);
	free(text);
	return code;
}

/* --- use --- */

static enum fail_code mark_alive(void *context, const struct store_mark *mark, struct fail *f)
{
	const int64_t *now_ms = context;

	return mark->expires_ms > *now_ms ? SG_OK : mark_denied(f, "the mark has expired");
}

enum fail_code mark_use(struct server *server, const char *text, char *recipient, struct fail *f)
{
	struct store_mark_use use = {.used_ms = clock_wall_ms(server->clock)};
	bool fresh = false;
	enum fail_code code;
	struct mark mark;

	if (!mark_parse(text, &mark))
		return mark_denied(f, "the mark is none of ours");
	code = server->store->ops->mark_get(server->store, mark.tenant, mark.id, mark_alive,
	    &use.used_ms, f);
	if (code == SG_ENOTFOUND)
		return mark_denied(f, "the mark is unknown or has expired");
	if (code != SG_OK)
		return code;
	str_lower(recipient);
	use.tenant = mark.tenant;
	memcpy(use.id, mark.id, sizeof(use.id));
	use.recipient = recipient;
	code = server->store->ops->mark_use_put(server->store, &use, &fresh, f);
	if (code == SG_OK && !fresh)
		code = mark_denied(f, "this message was taken already for this recipient");
	return code;
}

/* --- purge --- */

bool mark_purge(struct server *server)
{
	struct store *store = server->store;
	uint32_t removed = 0;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	if (server_ready(server, &f) != SG_OK)
		return false;
	code = store->ops->begin(store, &f);
	if (code == SG_OK)
		code = server_end(server, store->ops->mark_purge(store,
		    clock_wall_ms(server->clock), MARK_PURGE_MAX, &removed, &f), &f);
	if (code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "mark-purge", &f);
	server_settle(server);
	return code == SG_OK && removed == MARK_PURGE_MAX;
}

bool mark_id(const char *text, char *tenant_out, size_t tenant_size,
    unsigned char id_out[STORE_ID_SIZE])
{
	struct mark mark;

	if (!mark_parse(text, &mark) || strlen(mark.tenant) >= tenant_size)
		return false;
	memcpy(tenant_out, mark.tenant, strlen(mark.tenant) + 1);
	memcpy(id_out, mark.id, STORE_ID_SIZE);
	return true;
}
