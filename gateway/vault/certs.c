#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/vault/cert.h"
#include "gateway/vault/server.h"

static void cert_put(struct packet_writer *p, const struct store_cert *cert)
{
	packet_put_str(p, cert->address);
	packet_put_str(p, cert->fingerprint);
	packet_put_str(p, cert->subject);
	packet_put_str(p, cert->issuer);
	packet_put_str(p, cert->key);
	packet_put_i64(p, cert->not_before);
	packet_put_i64(p, cert->not_after);
	packet_put_str(p, cert->unusable);
}

/* --- add --- */

/* The addresses to store it for: the given one, or what the certificate names; normalised. */
static enum fail_code cert_take_addresses(const char *given, const struct cert *cert,
    struct str_list *list, struct fail *f)
{
	enum fail_code code = SG_OK;
	char *address;
	size_t i;

	for (i = 0; code == SG_OK && i < (given != NULL ? 1 : cert->addresses.count); i++) {
		address = str_dup(given != NULL ? given : cert->addresses.items[i]);
		if (address == NULL)
			return fail_set(f, SG_ENOMEM, NULL, "no memory for an address");
		code = server_address(&address, f);
		/* one of several in a certificate may be nonsense */
		if (code == SG_EFORMAT && given == NULL)
			code = SG_OK;
		else if (code == SG_OK && !str_list_has_case(list, address) &&
		    str_list_add(list, address) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for an address");
		free(address);
	}
	if (code == SG_OK && list->count == 0)
		code = fail_set(f, SG_EFORMAT, "say whose it is with --address",
		    "the certificate names no mail address");
	return code;
}

static enum fail_code cert_store(struct server *server, const char *tenant, struct store_cert *row,
    const struct str_list *addresses, struct packet_writer *w, struct fail *f)
{
	struct store *store = server->store;
	char why[VAULT_REASON_MAX];
	struct store_cert shown;
	enum fail_code code;
	size_t i;

	code = store->ops->begin(store, f);
	if (code != SG_OK)
		return code;
	packet_put_u32(w, (uint32_t)addresses->count);
	for (i = 0; code == SG_OK && i < addresses->count; i++) {
		row->address = addresses->items[i];
		code = store->ops->cert_put(store, tenant, row, f);
		shown = *row;
		shown.unusable = cert_usable(row->not_before, row->not_after, row->unusable,
		    server_now(server), why) ? NULL : why;
		cert_put(w, &shown);
	}
	if (code == SG_OK)
		code = packet_put_end(w, f);
	return server_end(server, code, f);
}

static enum fail_code cert_add(struct server *server, const char *tenant, const char *given,
    const unsigned char *der, size_t der_size, struct packet_writer *w, struct fail *f)
{
	struct str_list addresses = {NULL, 0};
	struct store_cert row;
	struct log_line line;
	enum fail_code code;
	struct cert cert;

	code = cert_parse(der, der_size, &cert, f);
	if (code != SG_OK)
		return code;
	row = (struct store_cert){
		.fingerprint = cert.fingerprint,
		.subject = cert.subject,
		.issuer = cert.issuer,
		.key = cert.key,
		.not_before = cert.not_before,
		.not_after = cert.not_after,
		.unusable = cert.unusable,
		.der = der,
		.der_size = der_size,
	};
	code = cert_take_addresses(given, &cert, &addresses, f);
	if (code == SG_OK)
		code = cert_store(server, tenant, &row, &addresses, w, f);
	if (code == SG_OK) {
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "cert-add");
		log_str(&line, "tenant", tenant);
		log_str(&line, "address", addresses.items[0]);
		log_str(&line, "fingerprint", cert.fingerprint);
		log_end(&line);
	}
	str_list_free(&addresses);
	cert_free(&cert);
	return code;
}

static const char *given_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : text;
}

enum fail_code cert_add_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	const unsigned char *der = NULL;
	size_t der_size = 0;
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;

	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	packet_get_bytes(&p, &der, &der_size);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(context, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK)
		code = cert_add(context, tenant, given_or_null(address), der, der_size, &w, f);
	free(address);
	free(tenant);
	return code;
}

/* --- list --- */

struct cert_page {
	int64_t now;
	struct buf entries;
	uint32_t count;
	bool full;
};

static enum fail_code cert_list_one(void *context, const struct store_cert *cert, struct fail *f)
{
	struct cert_page *page = context;
	struct packet_writer w = packet_write(&page->entries);
	struct store_cert shown = *cert;
	char why[VAULT_REASON_MAX];

	if (page->full)
		return SG_OK;
	shown.unusable = cert_usable(cert->not_before, cert->not_after, cert->unusable, page->now,
	    why) ? NULL : why;
	cert_put(&w, &shown);
	page->count++;
	page->full = page->entries.size > PACKET_FILL;
	return packet_put_end(&w, f);
}

static enum fail_code cert_list(struct server *server, const char *tenant,
    const struct store_cert_query *query, struct packet_writer *w, struct fail *f)
{
	struct cert_page page = {.now = server_now(server)};
	struct store *store = server->store;
	enum fail_code code;

	buf_init(&page.entries, WIRE_BODY_MAX);
	code = store->ops->cert_list(store, tenant, query, cert_list_one, &page, f);
	if (code == SG_OK) {
		packet_put_u8(w, page.full || page.count == SERVER_PAGE);
		packet_put_u32(w, page.count);
		if (w->code == SG_OK)
			w->code = buf_append(w->buf, page.entries.data, page.entries.size);
		code = packet_put_end(w, f);
	}
	buf_free(&page.entries);
	return code;
}

enum fail_code cert_list_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct store_cert_query query;
	char *after_fingerprint = NULL;
	char *after_address = NULL;
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;

	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	packet_get_str(&p, &after_address);
	packet_get_str(&p, &after_fingerprint);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(context, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK && address[0] != '\0')
		code = server_address(&address, f);
	if (code == SG_OK) {
		query = (struct store_cert_query){
			.address = given_or_null(address),
			.after_address = after_address,
			.after_fingerprint = after_fingerprint,
			.limit = SERVER_PAGE,
		};
		code = cert_list(context, tenant, &query, &w, f);
	}
	free(after_fingerprint);
	free(after_address);
	free(address);
	free(tenant);
	return code;
}

/* --- show, remove --- */

enum fail_code cert_show_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	char *fingerprint = NULL;
	char *tenant = NULL;
	enum fail_code code;

	packet_get_str(&p, &tenant);
	packet_get_str(&p, &fingerprint);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK)
		code = server->store->ops->cert_der(server->store, tenant, fingerprint,
		    &reply->body, f);
	free(fingerprint);
	free(tenant);
	return code;
}

static enum fail_code cert_remove(struct server *server, const char *tenant, const char *address,
    const char *fingerprint, uint32_t *removed_out, struct fail *f)
{
	struct store *store = server->store;
	struct log_line line;
	enum fail_code code;

	*removed_out = 0;
	if (address == NULL && fingerprint == NULL)
		return fail_set(f, SG_EUSAGE, NULL, "name a fingerprint or an address");
	code = store->ops->begin(store, f);
	if (code != SG_OK)
		return code;
	code = store->ops->cert_remove(store, tenant, address, fingerprint, removed_out, f);
	if (code == SG_OK && *removed_out == 0)
		code = fail_set(f, SG_ENOTFOUND, "sealgate cert list shows what is there",
		    "there is no such certificate");
	code = server_end(server, code, f);
	if (code != SG_OK)
		return code;
	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "cert-remove");
	log_str(&line, "tenant", tenant);
	log_str(&line, "address", address == NULL ? "" : address);
	log_str(&line, "fingerprint", fingerprint == NULL ? "" : fingerprint);
	log_int(&line, "removed", *removed_out);
	log_end(&line);
	return SG_OK;
}

enum fail_code cert_remove_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	char *fingerprint = NULL;
	uint32_t removed = 0;
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;

	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	packet_get_str(&p, &fingerprint);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(context, tenant, FAIL_PERMANENT, f);
	if (code == SG_OK && address[0] != '\0')
		code = server_address(&address, f);
	if (code == SG_OK)
		code = cert_remove(context, tenant, given_or_null(address),
		    given_or_null(fingerprint), &removed, f);
	if (code == SG_OK) {
		packet_put_u32(&w, removed);
		code = packet_put_end(&w, f);
	}
	free(fingerprint);
	free(address);
	free(tenant);
	return code;
}
