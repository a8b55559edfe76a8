#include "gateway/store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

/* --- errors --- */

enum fail_code sqlite_fail(struct sqlite_store *s, int rc, struct fail *f)
{
	int primary = rc & 0xff;
	const char *hint = "look at the disk and the rights of the state directory";
	const char *what = sqlite3_errstr(rc);

	if (primary == SQLITE_NOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the database");
	if (primary == SQLITE_FULL) {
		what = "no space left";
		hint = "make room on the file system of the state directory";
	} else if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) {
		what = "damaged or no database";
		hint = "stop the gateway and restore vault.db from a backup";
	} else if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
		what = "used by another process";
		hint = "is a second gateway running on the same state directory?";
	} else if (primary == SQLITE_READONLY) {
		what = "read-only";
		hint = "the vault's user must be able to write state directory and database";
	}
	/* SQLite itself goes on after these; any other may need a fresh start */
	if (primary != SQLITE_FULL && primary != SQLITE_CONSTRAINT)
		s->broken = true;
	return fail_set(f, SG_ESYSTEM, hint, "database %s: %s", s->path, what);
}

/* --- statements --- */

enum fail_code sqlite_use(struct sqlite_store *s, enum sqlite_statement which,
    sqlite3_stmt **statement_out, struct fail *f)
{
	int rc = SQLITE_OK;

	*statement_out = NULL;
	s->bind_error = SQLITE_OK;
	if (s->statements[which] == NULL)
		rc = sqlite3_prepare_v3(s->db, sqlite_texts[which], -1, SQLITE_PREPARE_PERSISTENT,
		    &s->statements[which], NULL);
	if (rc != SQLITE_OK)
		return sqlite_fail(s, rc, f);
	*statement_out = s->statements[which];
	return SG_OK;
}

static void sqlite_bound(struct sqlite_store *s, int rc)
{
	if (s->bind_error == SQLITE_OK)
		s->bind_error = rc;
}

void sqlite_bind_str(struct sqlite_store *s, sqlite3_stmt *statement, int at, const char *text)
{
	sqlite_bound(s, text == NULL ? sqlite3_bind_null(statement, at) :
	    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC));
}

void sqlite_bind_blob(struct sqlite_store *s, sqlite3_stmt *statement, int at, const void *data,
    size_t size)
{
	sqlite_bound(s, sqlite3_bind_blob64(statement, at, data, size, SQLITE_STATIC));
}

void sqlite_bind_int(struct sqlite_store *s, sqlite3_stmt *statement, int at, int64_t value)
{
	sqlite_bound(s, sqlite3_bind_int64(statement, at, value));
}

enum fail_code sqlite_step(struct sqlite_store *s, sqlite3_stmt *statement, bool *row_out, struct
    fail *f)
{
	int rc = s->bind_error;

	*row_out = false;
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_DONE)
		return SG_OK;
	if (rc != SQLITE_ROW)
		return sqlite_fail(s, rc, f);
	*row_out = true;
	return SG_OK;
}

void sqlite_done(sqlite3_stmt *statement)
{
	if (statement == NULL)
		return;
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
}

enum fail_code sqlite_run(struct sqlite_store *s, sqlite3_stmt *statement, struct fail *f)
{
	bool row = false;
	enum fail_code code = sqlite_step(s, statement, &row, f);

	sqlite_done(statement);
	return code;
}

const char *sqlite_str(sqlite3_stmt *statement, int column)
{
	return (const char *)sqlite3_column_text(statement, column);
}

enum fail_code sqlite_fixed(struct sqlite_store *s, sqlite3_stmt *statement, int column, unsigned
    char *out, size_t size, struct fail *f)
{
	const void *data = sqlite3_column_blob(statement, column);

	if (data == NULL || (size_t)sqlite3_column_bytes(statement, column) != size)
		return sqlite_fail(s, SQLITE_CORRUPT, f);
	memcpy(out, data, size);
	return SG_OK;
}

uint32_t sqlite_changed(const struct sqlite_store *s)
{
	return (uint32_t)sqlite3_changes(s->db);
}

/* --- the file --- */

static bool sqlite_file_of(const char *path, struct sqlite_file *file_out)
{
	struct stat st;

	memset(file_out, 0, sizeof(*file_out));
	if (stat(path, &st) != 0)
		return false;
	file_out->device = st.st_dev;
	file_out->inode = st.st_ino;
	return true;
}

static bool sqlite_file_same(const char *path, const struct sqlite_file *file)
{
	struct sqlite_file now;

	return sqlite_file_of(path, &now) && now.device == file->device &&
	    now.inode == file->inode;
}

/* SQLite writes on into a file that was removed: what it then calls durable would be lost. */
static enum fail_code sqlite_check(struct store *store, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);

	if (sqlite_file_same(s->path, &s->file) && sqlite_file_same(s->wal_path, &s->wal))
		return SG_OK;
	s->broken = true;
	return fail_set(f, SG_ESYSTEM, "restore vault.db; the vault then opens it by itself",
	    "database %s was removed or replaced while in use", s->path);
}

static bool sqlite_broken(const struct store *store)
{
	return ((const struct sqlite_store *)store)->broken;
}

/* --- transactions --- */

static enum fail_code sqlite_simple(struct sqlite_store *s, enum sqlite_statement which,
    struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, which, &statement, f);

	return code == SG_OK ? sqlite_run(s, statement, f) : code;
}

static enum fail_code sqlite_begin(struct store *store, struct fail *f)
{
	return sqlite_simple(sqlite_of(store), SQL_BEGIN, f);
}

static void sqlite_rollback(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	if (sqlite3_get_autocommit(s->db) == 0)
		(void)sqlite_simple(s, SQL_ROLLBACK, NULL);
}

static enum fail_code sqlite_commit(struct store *store, struct fail *f)
{
	enum fail_code code = sqlite_simple(sqlite_of(store), SQL_COMMIT, f);

	if (code != SG_OK)
		sqlite_rollback(store);
	return code;
}

/* --- opening --- */

/* One PRAGMA; wanted, if not NULL, is what it must answer. */
static enum fail_code sqlite_pragma(struct sqlite_store *s, const char *text, const char *wanted,
    struct fail *f)
{
	sqlite3_stmt *statement = NULL;
	const char *answer = NULL;
	enum fail_code code = SG_OK;
	int rc;

	rc = sqlite3_prepare_v2(s->db, text, -1, &statement, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		code = sqlite_fail(s, rc, f);
	else if (wanted != NULL) {
		answer = rc == SQLITE_ROW ? sqlite_str(statement, 0) : NULL;
		if (answer == NULL || strcmp(answer, wanted) != 0)
			code = fail_set(f, SG_ESYSTEM,
			    "stop the gateway and restore vault.db from a backup",
			    "database %s: %s answers %s", s->path, text,
			    answer == NULL ? "nothing" : answer);
	}
	sqlite3_finalize(statement);
	return code;
}

/*
 * A look at every page takes a second for some hundred megabytes, and mail waits for it at each
 * start. In a larger one pages are looked at as they are used (cell_size_check).
 */
static bool sqlite_is_small(const struct sqlite_store *s)
{
	struct stat st;

	return stat(s->path, &st) == 0 && st.st_size <= SQLITE_CHECK_MAX;
}

static enum fail_code sqlite_settings(struct sqlite_store *s, struct fail *f)
{
	/* exclusive before WAL: no shared memory file, and nobody else can get in */
	static const char *const pragmas[][2] = {
		{"PRAGMA locking_mode = EXCLUSIVE", "exclusive"},
		{"PRAGMA trusted_schema = OFF", NULL},
		{"PRAGMA cell_size_check = ON", NULL},
		{"PRAGMA temp_store = MEMORY", NULL},
		{"PRAGMA journal_mode = WAL", "wal"},
		{"PRAGMA synchronous = FULL", NULL},
		{"PRAGMA foreign_keys = ON", NULL},
		{"PRAGMA secure_delete = FAST", NULL},
		{"PRAGMA journal_size_limit = 67108864", NULL},
	};
	enum fail_code code = SG_OK;
	size_t i;

	for (i = 0; code == SG_OK && i < sizeof(pragmas) / sizeof(pragmas[0]); i++)
		code = sqlite_pragma(s, pragmas[i][0], pragmas[i][1], f);
	if (code == SG_OK && sqlite_is_small(s))
		code = sqlite_pragma(s, "PRAGMA quick_check(1)", "ok", f);
	return code;
}

/* SQLite would make the file with the umask's rights; the log beside it follows the file's. */
static enum fail_code sqlite_file_make(const char *path, bool create, struct fail *f)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (create ? O_CREAT : 0), 0600);

	if (fd < 0 && errno == ENOENT && !create)
		return fail_errno(f, SG_ENOTFOUND, "restore vault.db from a backup",
		    "database %s", path);
	if (fd < 0)
		return fail_errno(f, SG_ESYSTEM,
		    "the vault's user must be able to write the state directory and the database",
		    "cannot open database %s", path);
	fd_close(&fd);
	return SG_OK;
}

static enum fail_code sqlite_open(struct sqlite_store *s, struct fail *f)
{
	enum fail_code code;
	int rc;

	rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return sqlite_fail(s, rc, f);
	(void)sqlite3_busy_timeout(s->db, SQLITE_BUSY_MS);
	if (sqlite3_db_readonly(s->db, "main") != 0)
		return sqlite_fail(s, SQLITE_READONLY, f);
	code = sqlite_settings(s, f);
	if (code == SG_OK)
		code = sqlite_migrate(s, f);
	/* a write, so that the log exists and a read-only place shows now */
	if (code == SG_OK)
		code = sqlite_tenant_put(&s->store, "", f);
	if (code == SG_OK && (!sqlite_file_of(s->path, &s->file) ||
	    !sqlite_file_of(s->wal_path, &s->wal)))
		code = fail_set(f, SG_ESYSTEM, "restore vault.db; start the gateway again",
		    "database %s went away while it was opened", s->path);
	return code;
}

static void sqlite_close(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);
	size_t i;

	for (i = 0; i < SQL_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	(void)sqlite3_close(s->db);
	free(s->path);
	free(s->wal_path);
	free(s);
}

static const struct store_ops sqlite_ops = {
	.close = sqlite_close,
	.broken = sqlite_broken,
	.check = sqlite_check,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.tenant_put = sqlite_tenant_put,
	.key_put = sqlite_key_put,
	.key_list = sqlite_key_list,
	.key_retire = sqlite_key_retire,
	.key_purge = sqlite_key_purge,
	.cert_put = sqlite_cert_put,
	.cert_list = sqlite_cert_list,
	.cert_der = sqlite_cert_der,
	.cert_remove = sqlite_cert_remove,
	.password_put = sqlite_password_put,
	.password_get = sqlite_password_get,
	.password_list = sqlite_password_list,
	.password_remove = sqlite_password_remove,
	.mark_put = sqlite_mark_put,
	.mark_get = sqlite_mark_get,
	.mark_purge = sqlite_mark_purge,
	.record_put = sqlite_record_put,
	.record_find = sqlite_record_find,
	.mark_use_put = sqlite_mark_use_put,
	.record_queue = sqlite_record_queue,
	.waiting_put = sqlite_waiting_put,
	.waiting_get = sqlite_waiting_get,
	.waiting_remove = sqlite_waiting_remove,
	.session_add = sqlite_session_add,
	.session_list = sqlite_session_list,
	.position_put = sqlite_position_put,
	.position_get = sqlite_position_get,
	.fact_purge = sqlite_fact_purge,
	.mark_password_put = sqlite_mark_password_put,
	.mark_password_get = sqlite_mark_password_get,
	.told_put = sqlite_told_put,
	.mark_use_remove = sqlite_mark_use_remove,
	.outbox_put = sqlite_outbox_put,
	.outbox_next = sqlite_outbox_next,
	.outbox_get = sqlite_outbox_get,
	.outbox_again = sqlite_outbox_again,
	.outbox_remove = sqlite_outbox_remove,
	.counts = sqlite_counts,
};

enum fail_code store_sqlite_open(const char *path, bool create, struct store **store_out, struct
    fail *f)
{
	struct sqlite_store *s = NULL;
	enum fail_code code;

	*store_out = NULL;
	code = sqlite_file_make(path, create, f);
	if (code != SG_OK)
		return code;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to open the database");
	s->store.ops = &sqlite_ops;
	s->path = str_dup(path);
	s->wal_path = str_printf("%s-wal", path);
	if (s->path == NULL || s->wal_path == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to open the database");
	else
		code = sqlite_open(s, f);
	if (code != SG_OK) {
		sqlite_close(&s->store);
		return code;
	}
	*store_out = &s->store;
	return SG_OK;
}

void store_close(struct store *store)
{
	if (store != NULL)
		store->ops->close(store);
}
