#include "gateway/base/str.h"
#include "gateway/store/sqlite.h"

enum fail_code sqlite_mark_use_put(struct store *store, const struct store_mark_use *use,
    bool *fresh_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_MARK_USE_PUT, &statement, f);

	*fresh_out = false;
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, use->tenant);
	sqlite_bind_blob(s, statement, 2, use->id, sizeof(use->id));
	sqlite_bind_str(s, statement, 3, use->recipient);
	sqlite_bind_int(s, statement, 4, use->used_ms);
	code = sqlite_run(s, statement, f);
	*fresh_out = code == SG_OK && sqlite_changed(s) == 1;
	return code;
}

/* --- what waits --- */

enum fail_code sqlite_waiting_put(struct store *store, const struct store_waiting *waiting,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_WAITING_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, waiting->queue_id);
	sqlite_bind_str(s, statement, 2, waiting->recipient);
	sqlite_bind_int(s, statement, 3, waiting->time_ms);
	sqlite_bind_int(s, statement, 4, waiting->tls);
	sqlite_bind_str(s, statement, 5, waiting->hop);
	sqlite_bind_str(s, statement, 6, waiting->answer);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_waiting_get(struct store *store, const char *queue_id,
    const char *recipient, store_waiting_fn *each, void *context, struct fail *f)
{
	struct store_waiting waiting = {.queue_id = queue_id, .recipient = recipient};
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, SQL_WAITING_GET, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, queue_id);
	sqlite_bind_str(s, statement, 2, recipient);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && !row)
		code = fail_set(f, SG_ENOTFOUND, NULL, "nothing waits under this queue id");
	if (code == SG_OK) {
		waiting.time_ms = sqlite3_column_int64(statement, 0);
		waiting.tls = sqlite3_column_int(statement, 1) != 0;
		waiting.hop = sqlite_str(statement, 2);
		waiting.answer = sqlite_str(statement, 3);
		code = each(context, &waiting, f);
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_waiting_remove(struct store *store, const char *queue_id,
    const char *recipient, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_WAITING_REMOVE, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, queue_id);
	sqlite_bind_str(s, statement, 2, recipient);
	return sqlite_run(s, statement, f);
}

/* --- sessions --- */

static void sqlite_session_bind(struct sqlite_store *s, sqlite3_stmt *statement,
    const struct store_session *session)
{
	sqlite_bind_int(s, statement, 1, session->day);
	sqlite_bind_str(s, statement, 2, session->domain);
	sqlite_bind_str(s, statement, 3, session->mx);
	sqlite_bind_str(s, statement, 4, session->address);
	sqlite_bind_str(s, statement, 5, session->result);
}

enum fail_code sqlite_session_add(struct store *store, const struct store_session *session,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_SESSION_ADD, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_session_bind(s, statement, session);
	sqlite_bind_int(s, statement, 6, (int64_t)session->count);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_session_list(struct store *store, const struct store_session *after,
    unsigned int limit, store_session_fn *each, void *context, struct fail *f)
{
	struct store_session session = {.day = after->day};
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, SQL_SESSION_LIST, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_session_bind(s, statement, after);
	sqlite_bind_int(s, statement, 6, limit);
	for (;;) {
		code = sqlite_step(s, statement, &row, f);
		if (code != SG_OK || !row)
			break;
		session.domain = sqlite_str(statement, 0);
		session.mx = sqlite_str(statement, 1);
		session.address = sqlite_str(statement, 2);
		session.result = sqlite_str(statement, 3);
		session.count = (uint64_t)sqlite3_column_int64(statement, 4);
		code = each(context, &session, f);
		if (code != SG_OK)
			break;
	}
	sqlite_done(statement);
	return code;
}

/* --- positions, age --- */

enum fail_code sqlite_position_put(struct store *store, const char *name, const char *text,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_POSITION_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, name);
	sqlite_bind_str(s, statement, 2, text);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_position_get(struct store *store, const char *name, char **text_out,
    struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	*text_out = NULL;
	code = sqlite_use(s, SQL_POSITION_GET, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, name);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK) {
		*text_out = str_dup(row ? sqlite_str(statement, 0) : "");
		if (*text_out == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a position");
	}
	sqlite_done(statement);
	return code;
}

static enum fail_code sqlite_purge(struct sqlite_store *s, enum sqlite_statement which,
    int64_t before, struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, which, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_int(s, statement, 1, before);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_fact_purge(struct store *store, int64_t waiting_before_ms,
    uint32_t session_before_day, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	enum fail_code code = sqlite_purge(s, SQL_WAITING_PURGE, waiting_before_ms, f);

	return code == SG_OK ? sqlite_purge(s, SQL_SESSION_PURGE, session_before_day, f) : code;
}
