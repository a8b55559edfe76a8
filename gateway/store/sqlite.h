/*
 * sqlite: what the files of the SQLite store share. Private to gateway/store.
 *
 * Statements are prepared once and kept. A use of one is: sqlite_use, the sqlite_bind_* calls,
 * sqlite_step until it says that there is no row, sqlite_done. What is bound is borrowed until
 * sqlite_done. Failed binds are remembered and told by sqlite_step.
 */
#ifndef SG_GATEWAY_STORE_SQLITE_H
#define SG_GATEWAY_STORE_SQLITE_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "gateway/store/store.h"

#define SQLITE_BUSY_MS 5000	/* for the vault before us to let go of its lock */
#define SQLITE_CHECK_MAX (64 * 1024 * 1024)	/* bytes; up to that all is looked at at start */

enum sqlite_statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_TENANT_PUT,
	SQL_KEY_PUT,
	SQL_KEY_LIST,
	SQL_KEY_RETIRE,
	SQL_KEY_PURGE,
	SQL_CERT_PUT,
	SQL_CERT_ADDRESS_PUT,
	SQL_CERT_LIST,
	SQL_CERT_LIST_ADDRESS,
	SQL_CERT_DER,
	SQL_CERT_REMOVE,
	SQL_CERT_REMOVE_ADDRESS,
	SQL_CERT_REMOVE_PAIR,
	SQL_CERT_SWEEP,
	SQL_PASSWORD_PAST,
	SQL_PASSWORD_PUT,
	SQL_PASSWORD_GET,
	SQL_PASSWORD_LIST,
	SQL_PASSWORD_REMOVE,
	SQL_MARK_PUT,
	SQL_MARK_GET,
	SQL_MARK_PURGE,
	SQL_MARK_USE_PUT,
	SQL_RECORD_PUT,
	SQL_RECORD_FIND,
	SQL_RECORD_QUEUE,
	SQL_WAITING_PUT,
	SQL_WAITING_GET,
	SQL_WAITING_REMOVE,
	SQL_WAITING_PURGE,
	SQL_SESSION_ADD,
	SQL_SESSION_LIST,
	SQL_SESSION_PURGE,
	SQL_POSITION_PUT,
	SQL_POSITION_GET,
	SQL_MARK_PASSWORD_PUT,
	SQL_MARK_PASSWORD_GET,
	SQL_TOLD_PUT,
	SQL_MARK_USE_REMOVE,
	SQL_OUTBOX_PUT,
	SQL_OUTBOX_NEXT,
	SQL_OUTBOX_GET,
	SQL_OUTBOX_AGAIN,
	SQL_OUTBOX_REMOVE,
	SQL_COUNTS,
	SQL_STATEMENTS
};

/* A file as it was when it was opened. */
struct sqlite_file {
	dev_t device;
	ino_t inode;
};

struct sqlite_store {
	struct store store;	/* first: a struct store * is one of these */
	sqlite3 *db;
	char *path;
	char *wal_path;
	struct sqlite_file file;
	struct sqlite_file wal;
	bool broken;
	int bind_error;		/* SQLITE_OK, or what a bind since sqlite_use said */
	sqlite3_stmt *statements[SQL_STATEMENTS];
};

/* The table of texts, in order of enum sqlite_statement. */
extern const char *const sqlite_texts[SQL_STATEMENTS];

/* Brings the schema up to date. SG_EUSAGE if it is newer than this program. */
MUST_USE enum fail_code sqlite_migrate(struct sqlite_store *s, struct fail *f);
uint32_t sqlite_schema(void);	/* the version that sqlite_migrate leads to */

/* Fills f from SQLite's result rc, with words for an administrator; returns the code. */
enum fail_code sqlite_fail(struct sqlite_store *s, int rc, struct fail *f);

/* The statement, prepared at its first use; nothing is bound. */
MUST_USE enum fail_code sqlite_use(struct sqlite_store *s, enum sqlite_statement which,
    sqlite3_stmt **statement_out, struct fail *f);
/* Parameters count from 1; a NULL text is NULL. */
void sqlite_bind_str(struct sqlite_store *s, sqlite3_stmt *statement, int at, const char *text);
void sqlite_bind_blob(struct sqlite_store *s, sqlite3_stmt *statement, int at, const void *data,
    size_t size);
void sqlite_bind_int(struct sqlite_store *s, sqlite3_stmt *statement, int at, int64_t value);
/* *row_out: is there a row to look at? */
MUST_USE enum fail_code sqlite_step(struct sqlite_store *s, sqlite3_stmt *statement,
    bool *row_out, struct fail *f);
/* Lets go of the row and of what is bound; NULL is allowed. */
void sqlite_done(sqlite3_stmt *statement);
/* One step of a statement that yields no row, and done. */
MUST_USE enum fail_code sqlite_run(struct sqlite_store *s, sqlite3_stmt *statement,
    struct fail *f);
/* A text column; NULL in the database is NULL here. */
const char *sqlite_str(sqlite3_stmt *statement, int column);
/* A blob of exactly size bytes. SG_ESYSTEM: the database is damaged. */
MUST_USE enum fail_code sqlite_fixed(struct sqlite_store *s, sqlite3_stmt *statement, int column,
    unsigned char *out, size_t size, struct fail *f);
/* Rows that the last statement changed. */
uint32_t sqlite_changed(const struct sqlite_store *s);

/* The functions of struct store_ops: sqlite_cert.c, _secret.c, _record.c, _fact.c, _outbox.c. */
enum fail_code sqlite_cert_put(struct store *store, const char *tenant,
    const struct store_cert *cert, struct fail *f);
enum fail_code sqlite_cert_list(struct store *store, const char *tenant,
    const struct store_cert_query *query, store_cert_fn *each, void *context, struct fail *f);
enum fail_code sqlite_cert_der(struct store *store, const char *tenant, const char *fingerprint,
    struct buf *der_out, struct fail *f);
enum fail_code sqlite_cert_remove(struct store *store, const char *tenant, const char *address,
    const char *fingerprint, uint32_t *removed_out, struct fail *f);
enum fail_code sqlite_tenant_put(struct store *store, const char *tenant, struct fail *f);
enum fail_code sqlite_key_put(struct store *store, const char *tenant,
    const struct store_secret *key, struct fail *f);
enum fail_code sqlite_key_list(struct store *store, const char *tenant, store_secret_fn *each,
    void *context, struct fail *f);
enum fail_code sqlite_key_retire(struct store *store, const char *tenant, int64_t now_ms,
    struct fail *f);
enum fail_code sqlite_key_purge(struct store *store, const char *tenant, int64_t now_ms,
    uint32_t *removed_out, struct fail *f);
enum fail_code sqlite_password_put(struct store *store, const char *tenant,
    const struct store_secret *password, struct fail *f);
enum fail_code sqlite_password_get(struct store *store, const char *tenant, const char *address,
    store_secret_fn *each, void *context, struct fail *f);
enum fail_code sqlite_password_list(struct store *store, const char *tenant, const char *after,
    uint64_t after_place, unsigned int limit, store_password_fn *each, void *context,
    struct fail *f);
enum fail_code sqlite_password_remove(struct store *store, const char *tenant,
    const char *address, int64_t now, uint32_t *removed_out, struct fail *f);
enum fail_code sqlite_mark_put(struct store *store, const struct store_mark *mark,
    struct fail *f);
enum fail_code sqlite_mark_get(struct store *store, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], store_mark_fn *each, void *context, struct fail *f);
enum fail_code sqlite_mark_purge(struct store *store, int64_t now_ms, unsigned int limit,
    uint32_t *removed_out, struct fail *f);
enum fail_code sqlite_record_put(struct store *store, const struct store_record *record,
    struct fail *f);
enum fail_code sqlite_record_find(struct store *store, const char *id, uint64_t after,
    unsigned int limit, store_record_fn *each, void *context, struct fail *f);
enum fail_code sqlite_mark_use_put(struct store *store, const struct store_mark_use *use,
    bool *fresh_out, struct fail *f);
enum fail_code sqlite_record_queue(struct store *store, const char *queue_id, unsigned int limit,
    store_record_fn *each, void *context, struct fail *f);
enum fail_code sqlite_waiting_put(struct store *store, const struct store_waiting *waiting,
    struct fail *f);
enum fail_code sqlite_waiting_get(struct store *store, const char *queue_id,
    const char *recipient, store_waiting_fn *each, void *context, struct fail *f);
enum fail_code sqlite_waiting_remove(struct store *store, const char *queue_id,
    const char *recipient, struct fail *f);
enum fail_code sqlite_session_add(struct store *store, const struct store_session *session,
    struct fail *f);
enum fail_code sqlite_session_list(struct store *store, const struct store_session *after,
    unsigned int limit, store_session_fn *each, void *context, struct fail *f);
enum fail_code sqlite_position_put(struct store *store, const char *name, const char *text,
    struct fail *f);
enum fail_code sqlite_position_get(struct store *store, const char *name, char **text_out,
    struct fail *f);
enum fail_code sqlite_fact_purge(struct store *store, int64_t waiting_before_ms,
    uint32_t session_before_day, struct fail *f);
enum fail_code sqlite_mark_password_put(struct store *store,
    const struct store_mark_password *password, struct fail *f);
enum fail_code sqlite_mark_password_get(struct store *store, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], store_mark_password_fn *each, void *context,
    struct fail *f);
enum fail_code sqlite_told_put(struct store *store, const struct store_mark_use *told,
    bool *fresh_out, struct fail *f);
enum fail_code sqlite_mark_use_remove(struct store *store, const char *tenant,
    const unsigned char id[STORE_ID_SIZE], struct fail *f);
enum fail_code sqlite_outbox_put(struct store *store, const struct store_outbox *outbox,
    struct fail *f);
enum fail_code sqlite_outbox_next(struct store *store, bool hook, int64_t now_ms,
    store_outbox_fn *each, void *context, struct fail *f);
enum fail_code sqlite_outbox_get(struct store *store, const unsigned char id[STORE_ID_SIZE],
    store_outbox_fn *each, void *context, struct fail *f);
enum fail_code sqlite_outbox_again(struct store *store, const unsigned char id[STORE_ID_SIZE],
    int64_t due_ms, struct fail *f);
enum fail_code sqlite_outbox_remove(struct store *store, const unsigned char id[STORE_ID_SIZE],
    struct fail *f);
enum fail_code sqlite_counts(struct store *store, int64_t now_ms, struct store_counts *counts_out,
    struct fail *f);

/* A struct store of this backend. */
static inline struct sqlite_store *sqlite_of(struct store *store)
{
	return (struct sqlite_store *)store;
}

#endif
