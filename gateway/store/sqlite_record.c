#include <string.h>

#include "gateway/store/sqlite.h"

enum fail_code sqlite_mark_put(struct store *store, const struct store_mark *mark, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_MARK_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, mark->tenant);
	sqlite_bind_blob(s, statement, 2, mark->id, sizeof(mark->id));
	sqlite_bind_str(s, statement, 3, mark->sender);
	sqlite_bind_int(s, statement, 4, mark->ways);
	sqlite_bind_str(s, statement, 5, mark->source);
	sqlite_bind_str(s, statement, 6, mark->queue_id);
	sqlite_bind_str(s, statement, 7, mark->message_id);
	sqlite_bind_int(s, statement, 8, mark->created_ms);
	sqlite_bind_int(s, statement, 9, mark->expires_ms);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_mark_get(struct store *store, const char *tenant, const unsigned char
    id[STORE_ID_SIZE], store_mark_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	struct store_mark mark = {.tenant = tenant};
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, SQL_MARK_GET, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_blob(s, statement, 2, id, STORE_ID_SIZE);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && !row)
		code = fail_set(f, SG_ENOTFOUND, NULL, "unknown mark");
	if (code == SG_OK) {
		memcpy(mark.id, id, STORE_ID_SIZE);
		mark.sender = sqlite_str(statement, 0);
		mark.ways = (unsigned int)sqlite3_column_int(statement, 1);
		mark.source = sqlite_str(statement, 2);
		mark.queue_id = sqlite_str(statement, 3);
		mark.message_id = sqlite_str(statement, 4);
		mark.created_ms = sqlite3_column_int64(statement, 5);
		mark.expires_ms = sqlite3_column_int64(statement, 6);
		code = each(context, &mark, f);
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_mark_purge(struct store *store, int64_t now_ms, unsigned int limit, uint32_t
    *removed_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code;

	*removed_out = 0;
	code = sqlite_use(s, SQL_MARK_PURGE, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_int(s, statement, 1, now_ms);
	sqlite_bind_int(s, statement, 2, limit);
	code = sqlite_run(s, statement, f);
	if (code == SG_OK)
		*removed_out = sqlite_changed(s);
	return code;
}

/* An absent id is NULL, so that it costs no place in the index and is found by nothing. */
static const char *sqlite_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

enum fail_code sqlite_record_put(struct store *store, const struct store_record *record,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_RECORD_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, record->tenant);
	sqlite_bind_int(s, statement, 2, record->time_ms);
	sqlite_bind_str(s, statement, 3, sqlite_or_null(record->queue_id));
	sqlite_bind_str(s, statement, 4, sqlite_or_null(record->message_id));
	sqlite_bind_blob(s, statement, 5, record->data, record->size);
	return sqlite_run(s, statement, f);
}

/* Gives each row of id, data of a statement whose parameters are bound. */
static enum fail_code sqlite_record_each(struct sqlite_store *s, sqlite3_stmt *statement,
    store_record_fn *each, void *context, struct fail *f)
{
	bool row = false;
	enum fail_code code;

	for (;;) {
		code = sqlite_step(s, statement, &row, f);
		if (code != SG_OK || !row)
			break;
		code = each(context, (uint64_t)sqlite3_column_int64(statement, 0),
		    sqlite3_column_blob(statement, 1),
		    (size_t)sqlite3_column_bytes(statement, 1), f);
		if (code != SG_OK)
			break;
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_record_find(struct store *store, const char *id, uint64_t after, unsigned int
    limit, store_record_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_RECORD_FIND, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, id);
	sqlite_bind_int(s, statement, 2, after > INT64_MAX ? INT64_MAX : (int64_t)after);
	sqlite_bind_int(s, statement, 3, limit);
	return sqlite_record_each(s, statement, each, context, f);
}

enum fail_code sqlite_record_queue(struct store *store, const char *queue_id, unsigned int limit,
    store_record_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_RECORD_QUEUE, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, queue_id);
	sqlite_bind_int(s, statement, 2, limit);
	return sqlite_record_each(s, statement, each, context, f);
}

enum fail_code sqlite_counts(struct store *store, int64_t now_ms, struct store_counts *counts_out,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	memset(counts_out, 0, sizeof(*counts_out));
	code = sqlite_use(s, SQL_COUNTS, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_int(s, statement, 1, now_ms);
	sqlite_bind_int(s, statement, 2, now_ms / 1000);
	sqlite_bind_int(s, statement, 3, now_ms / 1000 + STORE_ENDING_S);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && row) {
		counts_out->records = (uint64_t)sqlite3_column_int64(statement, 0);
		counts_out->certificates = (uint64_t)sqlite3_column_int64(statement, 1);
		counts_out->passwords = (uint64_t)sqlite3_column_int64(statement, 2);
		counts_out->marks = (uint64_t)sqlite3_column_int64(statement, 3);
		counts_out->ending = (uint64_t)sqlite3_column_int64(statement, 4);
		counts_out->schema = sqlite_schema();
	}
	sqlite_done(statement);
	return code;
}
