/* Passwords of messages, who was told them, and our own mail on its way to Postfix. */
#include <string.h>

#include "gateway/store/sqlite.h"

/* ---- passwords of marks ---- */

enum fail_code sqlite_mark_password_put(struct store *store,
    const struct store_mark_password *password, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_MARK_PASSWORD_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, password->tenant);
	sqlite_bind_blob(s, statement, 2, password->id, sizeof(password->id));
	sqlite_bind_int(s, statement, 3, password->kind);
	sqlite_bind_blob(s, statement, 4, password->sealed, password->sealed_size);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_mark_password_get(struct store *store, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], store_mark_password_fn *each, void *context,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	struct store_mark_password password = {.tenant = tenant};
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code = sqlite_use(s, SQL_MARK_PASSWORD_GET, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_blob(s, statement, 2, id, STORE_ID_SIZE);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && !row)
		code = fail_set(f, SG_ENOTFOUND, NULL, "no password");
	if (code == SG_OK) {
		memcpy(password.id, id, STORE_ID_SIZE);
		password.kind = (uint8_t)sqlite3_column_int(statement, 0);
		password.sealed = sqlite3_column_blob(statement, 1);
		password.sealed_size = (size_t)sqlite3_column_bytes(statement, 1);
		code = each(context, &password, f);
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_told_put(struct store *store, const struct store_mark_use *told,
    bool *fresh_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_TOLD_PUT, &statement, f);

	*fresh_out = false;
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, told->tenant);
	sqlite_bind_blob(s, statement, 2, told->id, sizeof(told->id));
	sqlite_bind_str(s, statement, 3, told->recipient);
	sqlite_bind_int(s, statement, 4, told->used_ms);
	code = sqlite_run(s, statement, f);
	if (code == SG_OK)
		*fresh_out = sqlite_changed(s) > 0;
	return code;
}

enum fail_code sqlite_mark_use_remove(struct store *store, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_MARK_USE_REMOVE, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_blob(s, statement, 2, id, STORE_ID_SIZE);
	return sqlite_run(s, statement, f);
}

/* ---- outbox ---- */

enum fail_code sqlite_outbox_put(struct store *store, const struct store_outbox *outbox,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_OUTBOX_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_blob(s, statement, 1, outbox->id, sizeof(outbox->id));
	sqlite_bind_str(s, statement, 2, outbox->tenant);
	sqlite_bind_blob(s, statement, 3, outbox->sealed, outbox->sealed_size);
	sqlite_bind_int(s, statement, 4, outbox->created_ms);
	sqlite_bind_int(s, statement, 5, outbox->due_ms);
	sqlite_bind_int(s, statement, 6, outbox->tries);
	sqlite_bind_int(s, statement, 7, outbox->hook);
	return sqlite_run(s, statement, f);
}

/* The row that the statement stands at, handed to each. */
static enum fail_code sqlite_outbox_row(struct sqlite_store *s, sqlite3_stmt *statement,
    store_outbox_fn *each, void *context, struct fail *f)
{
	struct store_outbox outbox = {.tenant = NULL};
	enum fail_code code = sqlite_fixed(s, statement, 0, outbox.id, sizeof(outbox.id), f);

	if (code != SG_OK)
		return code;
	outbox.tenant = sqlite_str(statement, 1);
	outbox.sealed = sqlite3_column_blob(statement, 2);
	outbox.sealed_size = (size_t)sqlite3_column_bytes(statement, 2);
	outbox.created_ms = sqlite3_column_int64(statement, 3);
	outbox.due_ms = sqlite3_column_int64(statement, 4);
	outbox.tries = (uint32_t)sqlite3_column_int64(statement, 5);
	outbox.hook = sqlite3_column_int(statement, 6) != 0;
	return each(context, &outbox, f);
}

enum fail_code sqlite_outbox_next(struct store *store, bool hook, int64_t now_ms,
    store_outbox_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code = sqlite_use(s, SQL_OUTBOX_NEXT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_int(s, statement, 1, now_ms);
	sqlite_bind_int(s, statement, 2, hook);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && row)
		code = sqlite_outbox_row(s, statement, each, context, f);
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_outbox_get(struct store *store, const unsigned char id[STORE_ID_SIZE],
    store_outbox_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code = sqlite_use(s, SQL_OUTBOX_GET, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_blob(s, statement, 1, id, STORE_ID_SIZE);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK)
		code = row ? sqlite_outbox_row(s, statement, each, context, f) :
		    fail_set(f, SG_ENOTFOUND, NULL, "no such mail");
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_outbox_again(struct store *store, const unsigned char id[STORE_ID_SIZE],
    int64_t due_ms, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_OUTBOX_AGAIN, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_blob(s, statement, 1, id, STORE_ID_SIZE);
	sqlite_bind_int(s, statement, 2, due_ms);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_outbox_remove(struct store *store, const unsigned char id[STORE_ID_SIZE],
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_OUTBOX_REMOVE, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_blob(s, statement, 1, id, STORE_ID_SIZE);
	return sqlite_run(s, statement, f);
}
