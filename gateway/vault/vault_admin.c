#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/vault/ask.h"
#include "gateway/vault/vault.h"

#define VAULT_ENTRIES_MAX ((size_t)1000 * 1000)	/* of one list; far above any gateway's */

/* --- certificates --- */

static void get_cert(struct packet_reader *r, struct vault_cert *cert)
{
	char *fingerprint = NULL;

	packet_get_str(r, &cert->address);
	packet_get_str(r, &fingerprint);
	packet_get_str(r, &cert->subject);
	packet_get_str(r, &cert->issuer);
	packet_get_str(r, &cert->key);
	packet_get_i64(r, &cert->not_before);
	packet_get_i64(r, &cert->not_after);
	packet_get_str(r, &cert->unusable);
	if (fingerprint != NULL && strlen(fingerprint) >= sizeof(cert->fingerprint))
		r->code = SG_EFORMAT;
	if (r->code == SG_OK)
		(void)snprintf(cert->fingerprint, sizeof(cert->fingerprint), "%s", fingerprint);
	if (r->code == SG_OK && cert->unusable[0] == '\0') {
		free(cert->unusable);
		cert->unusable = NULL;
	}
	free(fingerprint);
}

/* Makes room for count more entries behind what is there, zeroed. */
static enum fail_code grow(struct packet_reader *r, void **entries, size_t have, uint32_t count,
    size_t entry_size)
{
	void *larger;

	if (r->code != SG_OK)
		return r->code;
	/* an entry has at least a few bytes: a count beyond that is a lie */
	if (count > WIRE_BODY_MAX || have + count > VAULT_ENTRIES_MAX)
		return SG_EFORMAT;
	larger = realloc(*entries, (have + count + 1) * entry_size);
	if (larger == NULL)
		return SG_ENOMEM;
	memset((char *)larger + have * entry_size, 0, (count + 1) * entry_size);
	*entries = larger;
	return SG_OK;
}

static void get_certs(struct packet_reader *r, struct vault_cert **certs, size_t *count)
{
	void *entries = *certs;
	uint32_t more = 0;

	packet_get_u32(r, &more);
	r->code = grow(r, &entries, *count, more, sizeof(**certs));
	*certs = entries;
	for (; r->code == SG_OK && more > 0; more--)
		get_cert(r, &(*certs)[(*count)++]);
}

void vault_certs_free(struct vault_cert *certs, size_t count)
{
	size_t i;

	for (i = 0; certs != NULL && i < count; i++) {
		free(certs[i].address);
		free(certs[i].subject);
		free(certs[i].issuer);
		free(certs[i].key);
		free(certs[i].unusable);
	}
	free(certs);
}

enum fail_code vault_cert_add(const struct vault *vault, const char *tenant, const char *address,
    const void *der, size_t der_size, struct vault_cert **added_out, size_t *count_out,
    struct fail *f)
{
	struct vault_cert *certs = NULL;
	enum fail_code code;
	size_t count = 0;
	struct ask ask;

	*added_out = NULL;
	*count_out = 0;
	ask_start(&ask, VAULT_CERT_ADD);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, address);
	packet_put_bytes(&ask.w, der, der_size);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		get_certs(&ask.r, &certs, &count);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	if (code != SG_OK) {
		vault_certs_free(certs, count);
		return code;
	}
	*added_out = certs;
	*count_out = count;
	return SG_OK;
}

/* One page behind the last entry that is there. */
static enum fail_code cert_page(const struct vault *vault, const char *tenant,
    const char *address, struct vault_cert **certs, size_t *count, uint8_t *more_out,
    struct fail *f)
{
	const struct vault_cert *last = *count == 0 ? NULL : &(*certs)[*count - 1];
	enum fail_code code;
	struct ask ask;

	*more_out = 0;
	ask_start(&ask, VAULT_CERT_LIST);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, address);
	packet_put_str(&ask.w, last == NULL ? "" : last->address);
	packet_put_str(&ask.w, last == NULL ? "" : last->fingerprint);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, more_out);
		get_certs(&ask.r, certs, count);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

enum fail_code vault_cert_list(const struct vault *vault, const char *tenant, const char *address,
    struct vault_cert **certs_out, size_t *count_out, struct fail *f)
{
	struct vault_cert *certs = NULL;
	enum fail_code code = SG_OK;
	size_t before = 0;
	uint8_t more = 1;
	size_t count = 0;

	*certs_out = NULL;
	*count_out = 0;
	while (code == SG_OK && more != 0) {
		before = count;
		code = cert_page(vault, tenant, address, &certs, &count, &more, f);
		if (count == before)
			more = 0;
	}
	if (code != SG_OK) {
		vault_certs_free(certs, count);
		return code;
	}
	*certs_out = certs;
	*count_out = count;
	return SG_OK;
}

enum fail_code vault_cert_show(const struct vault *vault, const char *tenant,
    const char *fingerprint, struct buf *der_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_CERT_SHOW);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, fingerprint);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK && buf_append(der_out, ask.reply.body.data, ask.reply.body.size) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a certificate");
	ask_end(&ask);
	return code;
}

enum fail_code vault_cert_remove(const struct vault *vault, const char *tenant,
    const char *address, const char *fingerprint, uint32_t *removed_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	*removed_out = 0;
	ask_start(&ask, VAULT_CERT_REMOVE);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, address);
	packet_put_str(&ask.w, fingerprint);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u32(&ask.r, removed_out);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

/* --- passwords --- */

enum fail_code vault_password_set(const struct vault *vault, const char *tenant,
    const char *address, const struct secret *password, const char *origin, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_PASSWORD_SET);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, address);
	packet_put_bytes(&ask.w, password->data, password->size);
	packet_put_str(&ask.w, origin);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

void vault_passwords_free(struct vault_password_entry *entries, size_t count)
{
	size_t i;

	for (i = 0; entries != NULL && i < count; i++) {
		free(entries[i].address);
		free(entries[i].origin);
	}
	free(entries);
}

static enum fail_code password_page(const struct vault *vault, const char *tenant,
    struct vault_password_entry **list, size_t *count, uint8_t *more_out, struct fail *f)
{
	void *entries = *list;
	enum fail_code code;
	uint32_t got = 0;
	struct ask ask;

	*more_out = 0;
	ask_start(&ask, VAULT_PASSWORD_LIST);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, *count == 0 ? "" : (*list)[*count - 1].address);
	packet_put_u64(&ask.w, *count == 0 ? 0 : (*list)[*count - 1].place);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, more_out);
		packet_get_u32(&ask.r, &got);
		ask.r.code = grow(&ask.r, &entries, *count, got, sizeof(**list));
		*list = entries;
		for (; ask.r.code == SG_OK && got > 0; got--, (*count)++) {
			packet_get_str(&ask.r, &(*list)[*count].address);
			packet_get_i64(&ask.r, &(*list)[*count].created);
			packet_get_str(&ask.r, &(*list)[*count].origin);
			packet_get_i64(&ask.r, &(*list)[*count].replaced);
			packet_get_u64(&ask.r, &(*list)[*count].place);
		}
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

enum fail_code vault_password_list(const struct vault *vault, const char *tenant,
    struct vault_password_entry **entries_out, size_t *count_out, struct fail *f)
{
	struct vault_password_entry *entries = NULL;
	enum fail_code code = SG_OK;
	size_t before = 0;
	uint8_t more = 1;
	size_t count = 0;

	*entries_out = NULL;
	*count_out = 0;
	while (code == SG_OK && more != 0) {
		before = count;
		code = password_page(vault, tenant, &entries, &count, &more, f);
		if (count == before)
			more = 0;
	}
	if (code != SG_OK) {
		vault_passwords_free(entries, count);
		return code;
	}
	*entries_out = entries;
	*count_out = count;
	return SG_OK;
}

enum fail_code vault_password_remove(const struct vault *vault, const char *tenant,
    const char *address, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_PASSWORD_REMOVE);
	packet_put_str(&ask.w, tenant);
	packet_put_str(&ask.w, address);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}

/* --- trace, status --- */

static void get_record(struct packet_reader *r, struct record *record)
{
	const unsigned char *data = NULL;
	size_t size = 0;

	packet_get_bytes(r, &data, &size);
	if (r->code == SG_OK)
		r->code = record_decode(data, size, record, NULL);
}

static enum fail_code trace_page(const struct vault *vault, const char *id, uint64_t *last,
    struct record **records, size_t *count, uint8_t *more_out, struct fail *f)
{
	void *entries = *records;
	enum fail_code code;
	uint32_t got = 0;
	struct ask ask;

	*more_out = 0;
	ask_start(&ask, VAULT_TRACE);
	packet_put_str(&ask.w, id);
	packet_put_u64(&ask.w, *last);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u8(&ask.r, more_out);
		packet_get_u64(&ask.r, last);
		packet_get_u32(&ask.r, &got);
		ask.r.code = grow(&ask.r, &entries, *count, got, sizeof(**records));
		*records = entries;
		for (; ask.r.code == SG_OK && got > 0; got--)
			get_record(&ask.r, &(*records)[(*count)++]);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

static enum fail_code trace_one(const struct vault *vault, const char *id,
    struct record **records_out, size_t *count_out, struct fail *f)
{
	struct record *records = NULL;
	enum fail_code code = SG_OK;
	uint64_t last = 0;
	size_t before = 0;
	uint8_t more = 1;
	size_t count = 0;

	while (code == SG_OK && more != 0) {
		before = count;
		code = trace_page(vault, id, &last, &records, &count, &more, f);
		if (count == before)
			more = 0;
	}
	if (code != SG_OK) {
		records_free(records, count);
		return code;
	}
	*records_out = records;
	*count_out = count;
	return SG_OK;
}

enum fail_code vault_trace(const struct vault *vault, const char *id, struct record **records_out,
    size_t *count_out, struct fail *f)
{
	enum fail_code code;
	char *bracketed;

	*records_out = NULL;
	*count_out = 0;
	code = trace_one(vault, id, records_out, count_out, f);
	if (code != SG_OK || *count_out > 0 || id[0] == '<')
		return code;
	bracketed = str_printf("<%s>", id);
	if (bracketed == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	records_free(*records_out, *count_out);
	*records_out = NULL;
	code = trace_one(vault, bracketed, records_out, count_out, f);
	free(bracketed);
	return code;
}

enum fail_code vault_status(const struct vault *vault, struct vault_status *status_out,
    struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	memset(status_out, 0, sizeof(*status_out));
	ask_start(&ask, VAULT_STATUS);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u64(&ask.r, &status_out->records);
		packet_get_u64(&ask.r, &status_out->certificates);
		packet_get_u64(&ask.r, &status_out->passwords);
		packet_get_u64(&ask.r, &status_out->marks);
		packet_get_u64(&ask.r, &status_out->ending);
		packet_get_u32(&ask.r, &status_out->schema);
		packet_get_u32(&ask.r, &status_out->canary_last);
		packet_get_i64(&ask.r, &status_out->canary_s);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

enum fail_code vault_mark_key(const struct vault *vault, uint32_t *kept_out, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	*kept_out = 0;
	ask_start(&ask, VAULT_MARK_KEY);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK) {
		packet_get_u32(&ask.r, kept_out);
		code = ask_read(&ask, f);
	}
	ask_end(&ask);
	return code;
}

enum fail_code vault_canary(const struct vault *vault, unsigned int result, struct fail *f)
{
	enum fail_code code;
	struct ask ask;

	ask_start(&ask, VAULT_CANARY);
	packet_put_u8(&ask.w, (uint8_t)result);
	code = ask_vault(&ask, vault, f);
	if (code == SG_OK)
		code = ask_read(&ask, f);
	ask_end(&ask);
	return code;
}
