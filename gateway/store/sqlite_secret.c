#include "gateway/store/sqlite.h"

enum fail_code sqlite_tenant_put(struct store *store, const char *tenant, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_TENANT_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	return sqlite_run(s, statement, f);
}

static void sqlite_secret_bind(struct sqlite_store *s, sqlite3_stmt *statement, const char *tenant,
    const struct store_secret *secret)
{
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, secret->name);
	sqlite_bind_blob(s, statement, 3, secret->id, sizeof(secret->id));
	sqlite_bind_blob(s, statement, 4, secret->sealed, secret->sealed_size);
	sqlite_bind_int(s, statement, 5, secret->created);
}

/* The row of a statement that selects name, id, sealed, created and, with origin, that. */
static enum fail_code sqlite_secret_row(struct sqlite_store *s, sqlite3_stmt *statement,
    bool origin, store_secret_fn *each, void *context, struct fail *f)
{
	struct store_secret secret = {.name = NULL};
	enum fail_code code = sqlite_fixed(s, statement, 1, secret.id, sizeof(secret.id), f);

	if (code != SG_OK)
		return code;
	secret.name = sqlite_str(statement, 0);
	secret.sealed = sqlite3_column_blob(statement, 2);
	secret.sealed_size = (size_t)sqlite3_column_bytes(statement, 2);
	secret.created = sqlite3_column_int64(statement, 3);
	secret.origin = origin ? sqlite_str(statement, 4) : "";
	return each(context, &secret, f);
}

enum fail_code sqlite_key_put(struct store *store, const char *tenant,
    const struct store_secret *key, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_KEY_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_secret_bind(s, statement, tenant, key);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_key_list(struct store *store, const char *tenant, store_secret_fn *each,
    void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_KEY_LIST, &statement, f);
	bool row = true;

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	while (code == SG_OK && row) {
		code = sqlite_step(s, statement, &row, f);
		if (code == SG_OK && row)
			code = sqlite_secret_row(s, statement, false, each, context, f);
	}
	sqlite_done(statement);
	return code;
}

/* A statement with tenant and time that yields no row. */
static enum fail_code sqlite_key_run(struct sqlite_store *s, enum sqlite_statement which,
    const char *tenant, int64_t now_ms, struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, which, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_int(s, statement, 2, now_ms);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_key_retire(struct store *store, const char *tenant, int64_t now_ms,
    struct fail *f)
{
	return sqlite_key_run(sqlite_of(store), SQL_KEY_RETIRE, tenant, now_ms, f);
}

enum fail_code sqlite_key_purge(struct store *store, const char *tenant, int64_t now_ms,
    uint32_t *removed_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	enum fail_code code = sqlite_key_run(s, SQL_KEY_PURGE, tenant, now_ms, f);

	*removed_out = code == SG_OK ? sqlite_changed(s) : 0;
	return code;
}

/* What the address has now goes among those it had. */
static enum fail_code sqlite_password_past(struct sqlite_store *s, const char *tenant,
    const char *address, int64_t now, struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_PASSWORD_PAST, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, address);
	sqlite_bind_int(s, statement, 3, now);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_password_put(struct store *store, const char *tenant, const struct
    store_secret *password, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_password_past(s, tenant, password->name, password->created, f);

	if (code == SG_OK)
		code = sqlite_use(s, SQL_PASSWORD_PUT, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_secret_bind(s, statement, tenant, password);
	sqlite_bind_str(s, statement, 6, password->origin);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_password_get(struct store *store, const char *tenant, const char *address,
    store_secret_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_PASSWORD_GET, &statement, f);
	bool row = false;

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, address);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && !row)
		code = fail_set(f, SG_ENOTFOUND, NULL, "not found");
	if (code == SG_OK)
		code = sqlite_secret_row(s, statement, true, each, context, f);
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_password_list(struct store *store, const char *tenant, const char *after,
    uint64_t after_place, unsigned int limit, store_password_fn *each, void *context,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	struct store_password password;
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, SQL_PASSWORD_LIST, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, after);
	sqlite_bind_int(s, statement, 3, limit);
	sqlite_bind_int(s, statement, 4, (int64_t)after_place);
	for (;;) {
		code = sqlite_step(s, statement, &row, f);
		if (code != SG_OK || !row)
			break;
		password.address = sqlite_str(statement, 0);
		password.created = sqlite3_column_int64(statement, 1);
		password.origin = sqlite_str(statement, 2);
		password.replaced = sqlite3_column_int64(statement, 3);
		password.place = (uint64_t)sqlite3_column_int64(statement, 4);
		code = each(context, &password, f);
		if (code != SG_OK)
			break;
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_password_remove(struct store *store, const char *tenant, const char *address,
    int64_t now, uint32_t *removed_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code;

	*removed_out = 0;
	code = sqlite_password_past(s, tenant, address, now, f);
	if (code == SG_OK)
		code = sqlite_use(s, SQL_PASSWORD_REMOVE, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, address);
	code = sqlite_run(s, statement, f);
	if (code == SG_OK)
		*removed_out = sqlite_changed(s);
	return code;
}
