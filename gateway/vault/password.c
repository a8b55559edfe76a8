#include <stdlib.h>
#include <string.h>
#include <zxcvbn.h>

#include "config/rules.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/crypt.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define PASSWORD_MIN ((size_t)10)	/* bytes */
#define PASSWORD_MAX ((size_t)32)	/* bytes: poppler's tools take no more */
#define PASSWORD_DIGITS_MIN ((size_t)20)	/* of digits only: 66 bits */
#define PASSWORD_VARIETY 5		/* different characters */
#define PASSWORD_LOCAL_MIN ((size_t)5)	/* a shorter local part may stand in it by chance */
#define PASSWORD_WORDS_MAX 64	/* from addresses, that count as guessed at once */

static const char password_hint[] = "sealgate password generate makes a good one";

static const struct crypt_place password_place = {
	.table = "password",
	.column = "sealed",
};

/* --- what is a password --- */

static bool password_printable(const unsigned char *password, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (password[i] < 0x20 || password[i] > 0x7e)
			return false;
	return size == 0 || (password[0] != ' ' && password[size - 1] != ' ');
}

static unsigned int password_variety(const unsigned char *password, size_t size)
{
	bool seen[256] = {false};
	unsigned int count = 0;
	size_t i;

	for (i = 0; i < size; i++) {
		count += seen[password[i]] ? 0 : 1;
		seen[password[i]] = true;
	}
	return count;
}

static bool password_digits(const unsigned char *password, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (password[i] < '0' || password[i] > '9')
			return false;
	return true;
}

/* "abcdefghij", "jihgfedcba" */
static bool password_run(const unsigned char *password, size_t size)
{
	int step = password[1] - password[0];
	size_t i;

	if (step != 1 && step != -1)
		return false;
	for (i = 1; i < size; i++)
		if (password[i] - password[i - 1] != step)
			return false;
	return true;
}

static bool password_has(const unsigned char *password, size_t size, const char *text,
    size_t text_size)
{
	size_t i;

	for (i = 0; text_size > 0 && i + text_size <= size; i++)
		if (str_equal_case_n((const char *)password + i, text, text_size))
			return true;
	return false;
}

/* name@host.domain, of anybody */
static bool password_is_address(const unsigned char *password, size_t size)
{
	const unsigned char *at = memchr(password, '@', size);
	size_t left;

	if (at == NULL || at == password || memchr(password, ' ', size) != NULL)
		return false;
	left = size - (size_t)(at + 1 - password);
	return left >= 3 && at[1] != '.' && at[left] != '.' && memchr(at + 1, '.', left) != NULL &&
	    memchr(at + 1, '@', left) == NULL;
}

/* --- how long would it stand --- */

/* Local parts and domains, which whoever tries to guess knows. */
static size_t password_words(const char *const *addresses, size_t count,
    const char *words[PASSWORD_WORDS_MAX + 1])
{
	size_t n = 0;
	size_t i;

	for (i = 0; i < count && n + 2 <= PASSWORD_WORDS_MAX; i++) {
		size_t local = strcspn(addresses[i], "@");
		size_t domain = local + (addresses[i][local] != 0);

		words[n] = str_dup_n(addresses[i], local);
		n += words[n] != NULL && local > 2;
		words[n] = str_dup_n(addresses[i] + domain, strcspn(addresses[i] + domain, "."));
		n += words[n] != NULL;
	}
	words[n] = NULL;
	return n;
}

/* Bits, by zxcvbn: dictionaries, keyboards, dates, repeats. */
static double password_bits(const unsigned char *password, size_t size,
    const char *const *addresses, size_t count)
{
	const char *words[PASSWORD_WORDS_MAX + 1];
	size_t n = password_words(addresses, count, words);
	char text[PASSWORD_MAX + 1];
	double bits;
	size_t i;

	memcpy(text, password, size);
	text[size] = 0;
	bits = ZxcvbnMatch(text, words, NULL);
	secret_wipe(text, sizeof(text));
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)words[i]);
	return bits;
}

static enum fail_code password_check_names(const unsigned char *password, size_t size,
    const char *const *addresses, size_t count, struct fail *f)
{
	bool named = password_is_address(password, size);
	size_t i;

	for (i = 0; !named && i < count; i++) {
		size_t local = strcspn(addresses[i], "@");

		named = local >= PASSWORD_LOCAL_MIN &&
		    password_has(password, size, addresses[i], local);
	}
	if (named)
		return fail_set(f, SG_EFORMAT, password_hint,
		    "a password does not contain a mail address or the recipient's name");
	return SG_OK;
}

enum fail_code password_check(const unsigned char *password, size_t size,
    const char *const *addresses, size_t count, struct fail *f)
{
	const char *hint = password_hint;
	enum fail_code code;

	if (size < PASSWORD_MIN || size > PASSWORD_MAX)
		return fail_set(f, SG_EFORMAT, hint, "a password has %zu to %zu characters",
		    PASSWORD_MIN, PASSWORD_MAX);
	if (!password_printable(password, size))
		return fail_set(f, SG_EFORMAT, "readers disagree about all other characters",
		    "a password has only ASCII letters, digits, signs, and no space at its ends");
	if (password_variety(password, size) < PASSWORD_VARIETY)
		return fail_set(f, SG_EFORMAT, hint,
		    "a password has at least %d different characters", PASSWORD_VARIETY);
	if (password_digits(password, size) && size < PASSWORD_DIGITS_MIN)
		return fail_set(f, SG_EFORMAT, hint,
		    "a password of digits alone has at least %zu", PASSWORD_DIGITS_MIN);
	if (password_run(password, size))
		return fail_set(f, SG_EFORMAT, hint, "a password is no run of neighbours");
	code = password_check_names(password, size, addresses, count, f);
	if (code != SG_OK)
		return code;
	if (password_bits(password, size, addresses, count) < PASSWORD_GUESSES_LOG2)
		return fail_set(f, SG_EFORMAT, hint,
		    "a password is not to be guessed: this one is made of words, dates or "
		    "patterns that are tried first");
	return SG_OK;
}

/* --- the milter's --- */

struct password_open {
	struct server *server;
	const char *tenant;
	struct secret password;
};

static enum fail_code password_take(void *context, const struct store_secret *row, struct fail *f)
{
	struct password_open *open = context;
	struct crypt_place place = password_place;

	place.tenant = open->tenant;
	place.id = row->id;
	return crypt_open(&open->server->master, &place, row->sealed, row->sealed_size,
	    &open->password, f);
}

enum fail_code password_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct password_open open = {.server = server};
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;

	secret_init(&open.password);
	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_TEMPORARY, f);
	open.tenant = tenant;
	if (code == SG_OK)
		code = server->store->ops->password_get(server->store, tenant, address,
		    password_take, &open, f);
	if (code == SG_ENOTFOUND)
		code = fail_set(f, SG_ENOTFOUND, NULL, "no password");
	if (code == SG_OK && buf_append(&reply->body, open.password.data, open.password.size) !=
	    SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a password");
	secret_free(&open.password);
	free(address);
	free(tenant);
	return code;
}

/* --- the command line's --- */

enum fail_code password_keep(struct server *server, const char *tenant,
    const char *address, const unsigned char *password, size_t size, const char *origin,
    struct fail *f)
{
	struct store_secret row = {.name = address, .origin = origin};
	struct crypt_place place = password_place;
	struct store *store = server->store;
	enum fail_code code;
	struct buf sealed;

	buf_init(&sealed, STORE_SECRET_MAX);
	row.created = server_now(server);
	code = secret_random_bytes(row.id, sizeof(row.id));
	if (code != SG_OK) {
		(void)fail_set(f, code, NULL, "no random bytes");
		goto out;
	}
	place.tenant = tenant;
	place.id = row.id;
	code = crypt_seal(&server->master, &place, password, size, &sealed, f);
	if (code != SG_OK)
		goto out;
	row.sealed = sealed.data;
	row.sealed_size = sealed.size;
	code = store->ops->password_put(store, tenant, &row, f);
out:
	buf_free(&sealed);
	return code;
}

static void password_log(const char *event, const char *tenant, const char *address,
    const char *origin)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, event);
	log_str(&line, "tenant", tenant);
	log_str(&line, "address", address);
	if (origin != NULL)
		log_str(&line, "origin", origin);
	log_end(&line);
}

enum fail_code password_set_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	const unsigned char *password = NULL;
	struct server *server = context;
	char *address = NULL;
	char *tenant = NULL;
	char *origin = NULL;
	const char *named;
	enum fail_code code;
	size_t size = 0;

	(void)reply;
	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	packet_get_bytes(&p, &password, &size);
	packet_get_str(&p, &origin);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK)
		code = server_address(&address, f);
	named = address;
	if (code == SG_OK && strcmp(origin, "set") != 0 && strcmp(origin, "generated") != 0)
		code = fail_set(f, SG_EFORMAT, NULL, "unknown origin of a password");
	if (code == SG_OK)
		code = password_check(password, size, &named, 1, f);
	if (code == SG_OK)
		code = server->store->ops->begin(server->store, f);
	if (code == SG_OK)
		code = server_end(server, password_keep(server, tenant, address, password, size,
		    origin, f), f);
	if (code == SG_OK)
		password_log("password-set", tenant, address, origin);
	free(address);
	free(tenant);
	free(origin);
	return code;
}

struct password_page {
	struct buf entries;
	uint32_t count;
	bool full;
};

static enum fail_code password_list_one(void *context, const struct store_password *row,
    struct fail *f)
{
	struct password_page *page = context;
	struct packet_writer w = packet_write(&page->entries);

	if (page->full)
		return SG_OK;
	packet_put_str(&w, row->address);
	packet_put_i64(&w, row->created);
	packet_put_str(&w, row->origin);
	packet_put_i64(&w, row->replaced);
	packet_put_u64(&w, row->place);
	page->count++;
	page->full = page->entries.size > PACKET_FILL;
	return packet_put_end(&w, f);
}

enum fail_code password_list_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct server *server = context;
	struct password_page page = {.count = 0};
	char *tenant = NULL;
	char *after = NULL;
	uint64_t place = 0;
	enum fail_code code;

	buf_init(&page.entries, WIRE_BODY_MAX);
	packet_get_str(&p, &tenant);
	packet_get_str(&p, &after);
	packet_get_u64(&p, &place);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK)
		code = server->store->ops->password_list(server->store, tenant, after, place,
		    SERVER_PAGE, password_list_one, &page, f);
	if (code == SG_OK) {
		packet_put_u8(&w, page.full || page.count == SERVER_PAGE);
		packet_put_u32(&w, page.count);
		if (w.code == SG_OK)
			w.code = buf_append(w.buf, page.entries.data, page.entries.size);
		code = packet_put_end(&w, f);
	}
	buf_free(&page.entries);
	free(tenant);
	free(after);
	return code;
}

enum fail_code password_remove_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct store *store = server->store;
	char *address = NULL;
	uint32_t removed = 0;
	char *tenant = NULL;
	enum fail_code code;

	(void)reply;
	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK)
		code = server_address(&address, f);
	if (code == SG_OK)
		code = store->ops->begin(store, f);
	if (code == SG_OK) {
		code = store->ops->password_remove(store, tenant, address, server_now(server),
		    &removed, f);
		if (code == SG_OK && removed == 0)
			code = fail_set(f, SG_ENOTFOUND, "sealgate password list shows all",
			    "%.200s has no password", address);
		code = server_end(server, code, f);
	}
	if (code == SG_OK)
		password_log("password-remove", tenant, address, NULL);
	free(address);
	free(tenant);
	return code;
}

/* --- chosen by a sender --- */

static enum fail_code password_addresses(struct packet_reader *p, struct str_list *addresses)
{
	char *address = NULL;
	uint16_t count = 0;

	packet_get_u16(p, &count);
	if (p->code == SG_OK && count > VAULT_PLAN_MAX)
		p->code = SG_EFORMAT;
	for (; p->code == SG_OK && count > 0; count--) {
		packet_get_str(p, &address);
		if (p->code == SG_OK)
			p->code = str_list_add(addresses, address);
		free(address);
		address = NULL;
	}
	return p->code;
}

enum fail_code password_try_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct str_list addresses = {NULL, 0};
	const unsigned char *password = NULL;
	enum fail_code code;
	char *tenant = NULL;
	size_t size = 0;

	(void)reply;
	packet_get_str(&p, &tenant);
	packet_get_bytes(&p, &password, &size);
	(void)password_addresses(&p, &addresses);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(context, tenant, FAIL_TEMPORARY, f);
	if (code == SG_OK)
		code = password_check(password, size, (const char *const *)addresses.items,
		    addresses.count, f);
	str_list_free(&addresses);
	free(tenant);
	return code;
}
