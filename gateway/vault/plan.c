#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/vault/cert.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

/* The best certificate of one address, while its rows pass by. */
struct plan_choice {
	int64_t now;
	bool usable;
	int64_t not_after;
	char fingerprint[2 * VAULT_DIGEST_SIZE + 1];
	char why[VAULT_REASON_MAX];	/* of the one that is valid longest */
};

static enum fail_code plan_weigh(void *context, const struct store_cert *cert, struct fail *f)
{
	struct plan_choice *choice = context;
	char why[VAULT_REASON_MAX];
	bool usable = cert_usable(cert->not_before, cert->not_after, cert->unusable, choice->now,
	    why);

	(void)f;
	if (usable != choice->usable ? !usable :
	    choice->fingerprint[0] != '\0' && cert->not_after <= choice->not_after)
		return SG_OK;
	choice->usable = usable;
	choice->not_after = cert->not_after;
	(void)snprintf(choice->fingerprint, sizeof(choice->fingerprint), "%s", cert->fingerprint);
	(void)snprintf(choice->why, sizeof(choice->why), "%s", why);
	return SG_OK;
}

static enum fail_code plan_choose(struct server *server, const char *tenant, const char *address,
    struct plan_choice *choice, struct fail *f)
{
	const struct store_cert_query query = {address, "", "", SERVER_PAGE};
	struct store *store = server->store;

	memset(choice, 0, sizeof(*choice));
	choice->now = server_now(server);
	(void)snprintf(choice->why, sizeof(choice->why), "no certificate");
	return store->ops->cert_list(store, tenant, &query, plan_weigh, choice, f);
}

static enum fail_code plan_seen(void *context, const struct store_secret *secret, struct fail *f)
{
	(void)context;
	(void)secret;
	(void)f;
	return SG_OK;
}

static enum fail_code plan_one(struct server *server, const char *tenant, const char *address,
    struct packet_writer *p, struct fail *f)
{
	struct store *store = server->store;
	struct plan_choice choice;
	unsigned int ways = 0;
	enum fail_code code;

	code = plan_choose(server, tenant, address, &choice, f);
	if (code != SG_OK)
		return code;
	if (choice.usable)
		ways |= WAY_ENVELOPE;
	code = store->ops->password_get(store, tenant, address, plan_seen, NULL, f);
	if (code == SG_OK)
		ways |= WAY_PDF;
	else if (code != SG_ENOTFOUND)
		return code;
	packet_put_u8(p, (uint8_t)ways);
	packet_put_str(p, choice.why);
	packet_put_str(p, code == SG_OK ? "" : "no password");
	return packet_put_end(p, f);
}

enum fail_code plan_handle(void *context, struct wire_message *request, struct wire_message *reply,
    struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct packet_writer w = packet_write(&reply->body);
	struct str_list addresses = {NULL, 0};
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;
	uint16_t count = 0;
	size_t i;

	packet_get_str(&p, &tenant);
	packet_get_u16(&p, &count);
	if (p.code == SG_OK && count > VAULT_PLAN_MAX)
		p.code = SG_EFORMAT;
	for (i = 0; p.code == SG_OK && i < count; i++) {
		packet_get_str(&p, &address);
		if (p.code == SG_OK)
			p.code = str_list_add(&addresses, address);
		free(address);
		address = NULL;
	}
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(context, tenant, FAIL_TEMPORARY, f);
	for (i = 0; code == SG_OK && i < addresses.count; i++)
		code = plan_one(context, tenant, addresses.items[i], &w, f);
	str_list_free(&addresses);
	free(tenant);
	return code;
}

enum fail_code plan_certificate_handle(void *context, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct packet_reader p = packet_read(&request->body);
	struct server *server = context;
	struct plan_choice choice;
	char *address = NULL;
	char *tenant = NULL;
	enum fail_code code;

	packet_get_str(&p, &tenant);
	packet_get_str(&p, &address);
	code = packet_get_end(&p, f);
	if (code == SG_OK)
		code = server_tenant(server, tenant, FAIL_TEMPORARY, f);
	if (code == SG_OK)
		code = plan_choose(server, tenant, address, &choice, f);
	if (code == SG_OK && !choice.usable)
		code = fail_set(f, SG_ENOTFOUND, NULL, "%s", choice.why);
	if (code == SG_OK)
		code = server->store->ops->cert_der(server->store, tenant, choice.fingerprint,
		    &reply->body, f);
	free(address);
	free(tenant);
	return code;
}
