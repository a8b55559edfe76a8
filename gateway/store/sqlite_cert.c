#include "gateway/store/sqlite.h"

static enum fail_code sqlite_cert_row(struct sqlite_store *s, const char *tenant, const struct
    store_cert *cert, struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_CERT_PUT, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, cert->fingerprint);
	sqlite_bind_blob(s, statement, 3, cert->der, cert->der_size);
	sqlite_bind_str(s, statement, 4, cert->subject);
	sqlite_bind_str(s, statement, 5, cert->issuer);
	sqlite_bind_str(s, statement, 6, cert->key);
	sqlite_bind_int(s, statement, 7, cert->not_before);
	sqlite_bind_int(s, statement, 8, cert->not_after);
	sqlite_bind_str(s, statement, 9, cert->unusable);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_cert_put(struct store *store, const char *tenant,
    const struct store_cert *cert, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	enum fail_code code;

	code = sqlite_cert_row(s, tenant, cert, f);
	if (code == SG_OK)
		code = sqlite_use(s, SQL_CERT_ADDRESS_PUT, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, cert->address);
	sqlite_bind_str(s, statement, 3, cert->fingerprint);
	return sqlite_run(s, statement, f);
}

static void sqlite_cert_take(sqlite3_stmt *statement, struct store_cert *cert)
{
	*cert = (struct store_cert){
		.address = sqlite_str(statement, 0),
		.fingerprint = sqlite_str(statement, 1),
		.subject = sqlite_str(statement, 2),
		.issuer = sqlite_str(statement, 3),
		.key = sqlite_str(statement, 4),
		.not_before = sqlite3_column_int64(statement, 5),
		.not_after = sqlite3_column_int64(statement, 6),
		.unusable = sqlite_str(statement, 7),
	};
}

enum fail_code sqlite_cert_list(struct store *store, const char *tenant,
    const struct store_cert_query *query, store_cert_fn *each, void *context, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	struct store_cert cert;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, query->address == NULL ? SQL_CERT_LIST : SQL_CERT_LIST_ADDRESS,
	    &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, query->after_address);
	sqlite_bind_str(s, statement, 3, query->after_fingerprint);
	sqlite_bind_int(s, statement, 4, query->limit);
	if (query->address != NULL)
		sqlite_bind_str(s, statement, 5, query->address);
	for (;;) {
		code = sqlite_step(s, statement, &row, f);
		if (code != SG_OK || !row)
			break;
		sqlite_cert_take(statement, &cert);
		code = each(context, &cert, f);
		if (code != SG_OK)
			break;
	}
	sqlite_done(statement);
	return code;
}

enum fail_code sqlite_cert_der(struct store *store, const char *tenant, const char *fingerprint,
    struct buf *der_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *statement;
	bool row = false;
	enum fail_code code;

	code = sqlite_use(s, SQL_CERT_DER, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, fingerprint);
	code = sqlite_step(s, statement, &row, f);
	if (code == SG_OK && !row)
		code = fail_set(f, SG_ENOTFOUND, "sealgate cert list shows what is there",
		    "no certificate with fingerprint %.80s", fingerprint);
	if (code == SG_OK && buf_append(der_out, sqlite3_column_blob(statement, 0),
	    (size_t)sqlite3_column_bytes(statement, 0)) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a certificate");
	sqlite_done(statement);
	return code;
}

static enum fail_code sqlite_cert_sweep(struct sqlite_store *s, const char *tenant, struct fail *f)
{
	sqlite3_stmt *statement;
	enum fail_code code = sqlite_use(s, SQL_CERT_SWEEP, &statement, f);

	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	return sqlite_run(s, statement, f);
}

enum fail_code sqlite_cert_remove(struct store *store, const char *tenant, const char *address,
    const char *fingerprint, uint32_t *removed_out, struct fail *f)
{
	struct sqlite_store *s = sqlite_of(store);
	enum sqlite_statement which = SQL_CERT_REMOVE_PAIR;
	sqlite3_stmt *statement;
	enum fail_code code;

	*removed_out = 0;
	SG_BUG_IF(address == NULL && fingerprint == NULL);
	if (address == NULL)
		which = SQL_CERT_REMOVE;
	else if (fingerprint == NULL)
		which = SQL_CERT_REMOVE_ADDRESS;
	code = sqlite_use(s, which, &statement, f);
	if (code != SG_OK)
		return code;
	sqlite_bind_str(s, statement, 1, tenant);
	sqlite_bind_str(s, statement, 2, address != NULL ? address : fingerprint);
	if (which == SQL_CERT_REMOVE_PAIR)
		sqlite_bind_str(s, statement, 3, fingerprint);
	code = sqlite_run(s, statement, f);
	if (code != SG_OK)
		return code;
	*removed_out = sqlite_changed(s);
	return sqlite_cert_sweep(s, tenant, f);
}
