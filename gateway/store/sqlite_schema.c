#include <stdlib.h>

#include "gateway/store/sqlite.h"

/*
 * Each entry leads from the version before it to its own; none is ever changed once released.
 * Types and clauses are those that PostgreSQL has too (BLOB is BYTEA there).
 */
static const char *const migrations[] = {
	/* 1 */
	"CREATE TABLE tenant ("
	" name TEXT NOT NULL PRIMARY KEY);"

	"CREATE TABLE vault_key ("
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" name TEXT NOT NULL,"
	" id BLOB NOT NULL UNIQUE,"
	" sealed BLOB NOT NULL,"
	" created BIGINT NOT NULL,"
	" PRIMARY KEY (tenant, name));"

	"CREATE TABLE cert ("
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" fingerprint TEXT NOT NULL,"
	" der BLOB NOT NULL,"
	" subject TEXT NOT NULL,"
	" issuer TEXT NOT NULL,"
	" key_type TEXT NOT NULL,"
	" not_before BIGINT NOT NULL,"
	" not_after BIGINT NOT NULL,"
	" unusable TEXT,"
	" PRIMARY KEY (tenant, fingerprint));"

	"CREATE TABLE cert_address ("
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" address TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL,"
	" PRIMARY KEY (tenant, address, fingerprint),"
	" FOREIGN KEY (tenant, fingerprint) REFERENCES cert (tenant, fingerprint)"
	" ON DELETE CASCADE);"
	"CREATE INDEX cert_address_fingerprint ON cert_address (tenant, fingerprint);"

	"CREATE TABLE password ("
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" address TEXT NOT NULL,"
	" id BLOB NOT NULL UNIQUE,"
	" sealed BLOB NOT NULL,"
	" created BIGINT NOT NULL,"
	" origin TEXT NOT NULL,"
	" PRIMARY KEY (tenant, address));"

	"CREATE TABLE mark ("
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" id BLOB NOT NULL,"
	" sender TEXT NOT NULL,"
	" ways INTEGER NOT NULL,"
	" source TEXT NOT NULL,"
	" queue_id TEXT NOT NULL,"
	" message_id TEXT NOT NULL,"
	" created_ms BIGINT NOT NULL,"
	" expires_ms BIGINT NOT NULL,"
	" PRIMARY KEY (tenant, id));"
	"CREATE INDEX mark_expires ON mark (expires_ms);"

	/* Outsiders' mail has no tenant, and records outlive one: no reference. */
	"CREATE TABLE record ("
	" id INTEGER PRIMARY KEY,"
	" tenant TEXT NOT NULL,"
	" time_ms BIGINT NOT NULL,"
	" queue_id TEXT,"
	" message_id TEXT,"
	" data BLOB NOT NULL);"
	"CREATE INDEX record_queue_id ON record (queue_id);"
	"CREATE INDEX record_message_id ON record (message_id);",

	/* 2: what Postfix's log tells (records of version 2 need nothing here) */
	"CREATE TABLE mark_use ("
	" tenant TEXT NOT NULL,"
	" id BLOB NOT NULL,"
	" recipient TEXT NOT NULL,"
	" used_ms BIGINT NOT NULL,"
	" PRIMARY KEY (tenant, id, recipient),"
	" FOREIGN KEY (tenant, id) REFERENCES mark (tenant, id) ON DELETE CASCADE);"

	"CREATE TABLE waiting ("
	" queue_id TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" time_ms BIGINT NOT NULL,"
	" tls INTEGER NOT NULL,"
	" hop TEXT NOT NULL,"
	" answer TEXT NOT NULL,"
	" PRIMARY KEY (queue_id, recipient));"
	"CREATE INDEX waiting_time ON waiting (time_ms);"

	"CREATE TABLE tls_session ("
	" day INTEGER NOT NULL,"
	" domain TEXT NOT NULL,"
	" mx TEXT NOT NULL,"
	" address TEXT NOT NULL,"
	" result TEXT NOT NULL,"
	" count BIGINT NOT NULL,"
	" PRIMARY KEY (day, domain, mx, address, result));"

	"CREATE TABLE position ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" text TEXT NOT NULL);",

	/* 3: passwords of messages, and mail to those who wrote them */
	"CREATE TABLE password_past ("
	" id INTEGER PRIMARY KEY,"
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" address TEXT NOT NULL,"
	" created BIGINT NOT NULL,"
	" origin TEXT NOT NULL,"
	" replaced BIGINT NOT NULL);"
	"CREATE INDEX password_past_address ON password_past (tenant, address, id);"

	"CREATE TABLE mark_password ("
	" tenant TEXT NOT NULL,"
	" id BLOB NOT NULL,"
	" kind INTEGER NOT NULL,"
	" sealed BLOB NOT NULL,"
	" PRIMARY KEY (tenant, id),"
	" FOREIGN KEY (tenant, id) REFERENCES mark (tenant, id) ON DELETE CASCADE);"

	"CREATE TABLE told ("
	" tenant TEXT NOT NULL,"
	" id BLOB NOT NULL,"
	" recipient TEXT NOT NULL,"
	" told_ms BIGINT NOT NULL,"
	" PRIMARY KEY (tenant, id, recipient),"
	" FOREIGN KEY (tenant, id) REFERENCES mark (tenant, id) ON DELETE CASCADE);"

	"CREATE TABLE outbox ("
	" id BLOB NOT NULL PRIMARY KEY,"
	" tenant TEXT NOT NULL REFERENCES tenant (name),"
	" sealed BLOB NOT NULL,"
	" created_ms BIGINT NOT NULL,"
	" due_ms BIGINT NOT NULL,"
	" tries INTEGER NOT NULL);"
	"CREATE INDEX outbox_due ON outbox (due_ms);",

	/* 4: what hooks are handed waits apart from letters */
	"ALTER TABLE outbox ADD COLUMN hook INTEGER NOT NULL DEFAULT 0;"
	"DROP INDEX outbox_due;"
	"CREATE INDEX outbox_due ON outbox (hook, due_ms);",

	/* 5: keys for marks change; 0: in use, else when the last mark made with it is over */
	"ALTER TABLE vault_key ADD COLUMN until_ms BIGINT NOT NULL DEFAULT 0;",
};

const char *const sqlite_texts[SQL_STATEMENTS] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_ROLLBACK] = "ROLLBACK",
	[SQL_TENANT_PUT] = "INSERT INTO tenant (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
	[SQL_KEY_PUT] = "INSERT INTO vault_key (tenant, name, id, sealed, created)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	[SQL_KEY_LIST] = "SELECT name, id, sealed, created FROM vault_key"
	    " WHERE tenant = ?1 ORDER BY until_ms",
	[SQL_KEY_RETIRE] = "UPDATE vault_key SET"
	    " until_ms = COALESCE((SELECT MAX(expires_ms) FROM mark), ?2)"
	    " WHERE tenant = ?1 AND until_ms = 0",
	[SQL_KEY_PURGE] = "DELETE FROM vault_key"
	    " WHERE tenant = ?1 AND until_ms > 0 AND until_ms <= ?2",
	[SQL_CERT_PUT] = "INSERT INTO cert (tenant, fingerprint, der, subject, issuer, key_type,"
	    " not_before, not_after, unusable) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
	    " ON CONFLICT (tenant, fingerprint) DO NOTHING",
	[SQL_CERT_ADDRESS_PUT] = "INSERT INTO cert_address (tenant, address, fingerprint)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (tenant, address, fingerprint) DO NOTHING",
	[SQL_CERT_LIST] = "SELECT a.address, c.fingerprint, c.subject, c.issuer, c.key_type,"
	    " c.not_before, c.not_after, c.unusable FROM cert_address a"
	    " JOIN cert c ON c.tenant = a.tenant AND c.fingerprint = a.fingerprint"
	    " WHERE a.tenant = ?1 AND (a.address, a.fingerprint) > (?2, ?3)"
	    " ORDER BY a.address, a.fingerprint LIMIT ?4",
	[SQL_CERT_LIST_ADDRESS] = "SELECT a.address, c.fingerprint, c.subject, c.issuer,"
	    " c.key_type, c.not_before, c.not_after, c.unusable FROM cert_address a"
	    " JOIN cert c ON c.tenant = a.tenant AND c.fingerprint = a.fingerprint"
	    " WHERE a.tenant = ?1 AND (a.address, a.fingerprint) > (?2, ?3)"
	    " AND a.address = ?5 ORDER BY a.address, a.fingerprint LIMIT ?4",
	[SQL_CERT_DER] = "SELECT der FROM cert WHERE tenant = ?1 AND fingerprint = ?2",
	[SQL_CERT_REMOVE] = "DELETE FROM cert_address WHERE tenant = ?1 AND fingerprint = ?2",
	[SQL_CERT_REMOVE_ADDRESS] = "DELETE FROM cert_address WHERE tenant = ?1 AND address = ?2",
	[SQL_CERT_REMOVE_PAIR] = "DELETE FROM cert_address WHERE tenant = ?1 AND address = ?2"
	    " AND fingerprint = ?3",
	[SQL_CERT_SWEEP] = "DELETE FROM cert WHERE tenant = ?1 AND NOT EXISTS (SELECT 1"
	    " FROM cert_address a WHERE a.tenant = cert.tenant"
	    " AND a.fingerprint = cert.fingerprint)",
	[SQL_PASSWORD_PAST] = "INSERT INTO password_past (tenant, address, created, origin,"
	    " replaced) SELECT tenant, address, created, origin, ?3 FROM password"
	    " WHERE tenant = ?1 AND address = ?2",
	[SQL_PASSWORD_PUT] = "INSERT INTO password (tenant, address, id, sealed, created, origin)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (tenant, address) DO UPDATE SET"
	    " id = excluded.id, sealed = excluded.sealed, created = excluded.created,"
	    " origin = excluded.origin",
	[SQL_PASSWORD_GET] = "SELECT address, id, sealed, created, origin FROM password"
	    " WHERE tenant = ?1 AND address = ?2",
	[SQL_PASSWORD_LIST] = "SELECT address, created, origin, replaced, place FROM ("
	    "SELECT address, created, origin, 0 AS replaced, 0 AS place FROM password"
	    " WHERE tenant = ?1 AND address >= ?2"
	    " UNION ALL SELECT address, created, origin, replaced, id FROM password_past"
	    " WHERE tenant = ?1 AND address >= ?2) AS all_of_them"
	    " WHERE (address, place) > (?2, ?4) ORDER BY address, place LIMIT ?3",
	[SQL_PASSWORD_REMOVE] = "DELETE FROM password WHERE tenant = ?1 AND address = ?2",
	[SQL_MARK_PUT] = "INSERT INTO mark (tenant, id, sender, ways, source, queue_id, message_id,"
	    " created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_MARK_GET] = "SELECT sender, ways, source, queue_id, message_id, created_ms,"
	    " expires_ms FROM mark WHERE tenant = ?1 AND id = ?2",
	[SQL_MARK_PURGE] = "DELETE FROM mark WHERE (tenant, id) IN (SELECT tenant, id FROM mark"
	    " WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)",
	[SQL_RECORD_PUT] = "INSERT INTO record (tenant, time_ms, queue_id, message_id, data)"
	    " VALUES (?1, ?2, ?3, ?4, ?5)",
	/*
	 * UNION, not OR: each part uses its own index. The last one: what the second stage decided
	 * about a message whose queue id at the front was asked for.
	 */
	[SQL_RECORD_FIND] = "SELECT id, data FROM record WHERE id IN ("
	    "SELECT id FROM record WHERE queue_id = ?1 AND id > ?2"
	    " UNION SELECT id FROM record WHERE message_id = ?1 AND id > ?2"
	    " UNION SELECT b.id FROM record a JOIN record b ON b.message_id = a.message_id"
	    " AND b.tenant = a.tenant WHERE a.queue_id = ?1 AND b.id > ?2)"
	    " ORDER BY id LIMIT ?3",
	[SQL_MARK_USE_PUT] = "INSERT INTO mark_use (tenant, id, recipient, used_ms)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant, id, recipient) DO NOTHING",
	[SQL_RECORD_QUEUE] = "SELECT id, data FROM record WHERE queue_id = ?1"
	    " ORDER BY id DESC LIMIT ?2",
	[SQL_WAITING_PUT] = "INSERT INTO waiting (queue_id, recipient, time_ms, tls, hop, answer)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (queue_id, recipient) DO UPDATE SET"
	    " time_ms = excluded.time_ms, tls = excluded.tls, hop = excluded.hop,"
	    " answer = excluded.answer",
	[SQL_WAITING_GET] = "SELECT time_ms, tls, hop, answer FROM waiting"
	    " WHERE queue_id = ?1 AND recipient = ?2",
	[SQL_WAITING_REMOVE] = "DELETE FROM waiting WHERE queue_id = ?1 AND recipient = ?2",
	[SQL_WAITING_PURGE] = "DELETE FROM waiting WHERE time_ms < ?1",
	[SQL_SESSION_ADD] = "INSERT INTO tls_session (day, domain, mx, address, result, count)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (day, domain, mx, address, result)"
	    " DO UPDATE SET count = tls_session.count + excluded.count",
	[SQL_SESSION_LIST] = "SELECT domain, mx, address, result, count FROM tls_session"
	    " WHERE day = ?1 AND (domain, mx, address, result) > (?2, ?3, ?4, ?5)"
	    " ORDER BY domain, mx, address, result LIMIT ?6",
	[SQL_SESSION_PURGE] = "DELETE FROM tls_session WHERE day < ?1",
	[SQL_POSITION_PUT] = "INSERT INTO position (name, text) VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET text = excluded.text",
	[SQL_POSITION_GET] = "SELECT text FROM position WHERE name = ?1",
	[SQL_MARK_PASSWORD_PUT] = "INSERT INTO mark_password (tenant, id, kind, sealed)"
	    " VALUES (?1, ?2, ?3, ?4)",
	[SQL_MARK_PASSWORD_GET] = "SELECT kind, sealed FROM mark_password"
	    " WHERE tenant = ?1 AND id = ?2",
	[SQL_TOLD_PUT] = "INSERT INTO told (tenant, id, recipient, told_ms)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tenant, id, recipient) DO NOTHING",
	[SQL_MARK_USE_REMOVE] = "DELETE FROM mark_use WHERE tenant = ?1 AND id = ?2",
	[SQL_OUTBOX_PUT] = "INSERT INTO outbox (id, tenant, sealed, created_ms, due_ms, tries,"
	    " hook) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_OUTBOX_NEXT] = "SELECT id, tenant, sealed, created_ms, due_ms, tries, hook"
	    " FROM outbox WHERE hook = ?2 AND due_ms <= ?1 ORDER BY due_ms LIMIT 1",
	[SQL_OUTBOX_GET] = "SELECT id, tenant, sealed, created_ms, due_ms, tries, hook"
	    " FROM outbox WHERE id = ?1",
	[SQL_OUTBOX_AGAIN] = "UPDATE outbox SET due_ms = ?2, tries = tries + 1 WHERE id = ?1",
	[SQL_OUTBOX_REMOVE] = "DELETE FROM outbox WHERE id = ?1",
	/* records are never deleted: their last number is their count, at no cost */
	[SQL_COUNTS] = "SELECT (SELECT COALESCE(MAX(id), 0) FROM record),"
	    " (SELECT COUNT(*) FROM cert), (SELECT COUNT(*) FROM password),"
	    " (SELECT COUNT(*) FROM mark WHERE expires_ms > ?1),"
	    " (SELECT COUNT(*) FROM (SELECT MAX(c.not_after) AS last FROM cert_address a"
	    " JOIN cert c ON c.tenant = a.tenant AND c.fingerprint = a.fingerprint"
	    " WHERE c.unusable IS NULL GROUP BY a.tenant, a.address)"
	    " WHERE last >= ?2 AND last < ?3)",
};

uint32_t sqlite_schema(void)
{
	return (uint32_t)(sizeof(migrations) / sizeof(migrations[0]));
}

static enum fail_code sqlite_execute(struct sqlite_store *s, const char *text, struct fail *f)
{
	int rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? SG_OK : sqlite_fail(s, rc, f);
}

static enum fail_code sqlite_schema_read(struct sqlite_store *s, uint32_t *version_out,
    struct fail *f)
{
	sqlite3_stmt *statement = NULL;
	int rc;

	*version_out = 0;
	rc = sqlite3_prepare_v2(s->db, "SELECT COALESCE(MAX(version), 0) FROM schema_version", -1,
	    &statement, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW)
		*version_out = (uint32_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? SG_OK : sqlite_fail(s, rc, f);
}

static enum fail_code sqlite_migrate_one(struct sqlite_store *s, uint32_t version, struct fail *f)
{
	char *note = sqlite3_mprintf("INSERT INTO schema_version (version) VALUES (%u)", version);
	enum fail_code code;

	if (note == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to prepare the database");
	code = sqlite_execute(s, "BEGIN IMMEDIATE", f);
	if (code == SG_OK)
		code = sqlite_execute(s, migrations[version - 1], f);
	if (code == SG_OK)
		code = sqlite_execute(s, note, f);
	if (code == SG_OK)
		code = sqlite_execute(s, "COMMIT", f);
	sqlite3_free(note);
	if (code != SG_OK)
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

enum fail_code sqlite_migrate(struct sqlite_store *s, struct fail *f)
{
	uint32_t version = 0;
	enum fail_code code;

	code = sqlite_execute(s, "CREATE TABLE IF NOT EXISTS schema_version"
	    " (version INTEGER NOT NULL PRIMARY KEY)", f);
	if (code == SG_OK)
		code = sqlite_schema_read(s, &version, f);
	if (code == SG_OK && version > sqlite_schema())
		code = fail_set(f, SG_EUSAGE,
		    "install the newer Sealgate again, or restore a backup of the database",
		    "database %s has schema %u, this program knows %u", s->path, version,
		    sqlite_schema());
	while (code == SG_OK && version < sqlite_schema())
		code = sqlite_migrate_one(s, ++version, f);
	return code;
}
