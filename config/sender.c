/* The part of rules.h about addresses and senders. */
#include "config/rules.h"

#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "gateway/base/str.h"

#define FROM_MAX ((size_t)64 * 1024)	/* bytes of one address in From; a longer one is none */

/* ---- addresses ---- */

/* Takes off white space, angle brackets and a source route (RFC 5321 appendix C). */
static const char *bare_address(const char *text, size_t *size_out)
{
	const char *colon;
	size_t size;

	while (str_is_space(*text))
		text++;
	size = str_trim_end(text, strlen(text));
	if (size >= 2 && text[0] == '<' && text[size - 1] == '>') {
		text++;
		size -= 2;
	}
	if (size > 0 && text[0] == '@') {
		colon = memchr(text, ':', size);
		if (colon != NULL) {
			size -= (size_t)(colon + 1 - text);
			text = colon + 1;
		}
	}
	*size_out = size;
	return text;
}

/* No control characters, and spaces or brackets only in quotes. */
static bool is_local_part(const char *text, size_t size)
{
	bool quoted = size >= 2 && text[0] == '"' && text[size - 1] == '"';
	size_t i;

	if (size == 0 || size > ADDRESS_LOCAL_MAX)
		return false;
	for (i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return false;
		if (!quoted && strchr(" <>(),;:\\\"", c) != NULL)
			return false;
	}
	return true;
}

enum fail_code rules_address(const char *address, char **normal_out, struct fail *f)
{
	const char *text;
	const char *at;
	char *domain = NULL;
	size_t size;
	size_t local;
	enum fail_code code = SG_OK;

	*normal_out = NULL;
	text = bare_address(address, &size);
	at = memrchr(text, '@', size);
	local = at == NULL ? size : (size_t)(at - text);
	if (!is_local_part(text, local))
		return fail_set(f, SG_EFORMAT, "write name@example.com", "this is no address");
	if (at != NULL)
		code = address_domain(at + 1, size - local - 1, &domain, f);
	if (code != SG_OK)
		return code;
	*normal_out = domain == NULL ? str_dup_n(text, local) :
	    str_printf("%.*s@%s", (int)local, text, domain);
	free(domain);
	if (*normal_out == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for an address");
	return SG_OK;
}

bool rules_is_address(const char *address, const char *normal)
{
	size_t size;
	const char *text = bare_address(address, &size);

	return size == strlen(normal) && str_equal_case_n(text, normal, size);
}

const char *rules_domain(const char *normal)
{
	const char *at = strrchr(normal, '@');

	return at == NULL ? "" : at + 1;
}

/* ---- the From header ---- */

/* What stands at text: its size, 0 at the end. A comment may nest. */
static size_t comment_size(const char *text)
{
	size_t depth = 0;
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if (text[i] == '\\' && text[i + 1] != '\0')
			i++;
		else if (text[i] == '(')
			depth++;
		else if (text[i] == ')' && --depth == 0)
			return i + 1;
	}
	return i;
}

static size_t quoted_size(const char *text)
{
	size_t i;

	for (i = 1; text[i] != '\0'; i++) {
		if (text[i] == '\\' && text[i + 1] != '\0')
			i++;
		else if (text[i] == '"')
			return i + 1;
	}
	return i;
}

/* True if c ends the first address: ">", or a comma or semicolon behind one without brackets. */
static bool ends_address(char c, bool in_angle, const struct buf *flat)
{
	if (c == '>')
		return in_angle;
	return !in_angle && (c == ',' || c == ';') && flat->size > 0 &&
	    memchr(flat->data, '@', flat->size) != NULL;
}

/* Appends the first address of value, without comments, white space, name and route. */
static enum fail_code first_address(const char *value, struct buf *flat)
{
	bool in_angle = false;
	bool in_literal = false;
	enum fail_code code = SG_OK;

	while (code == SG_OK && *value != '\0' && !ends_address(*value, in_angle, flat)) {
		size_t size = 1;

		if (*value == '(') {
			value += comment_size(value);
			continue;
		}
		if (*value == '[' || *value == ']')
			in_literal = *value == '[';
		if (*value == '<' || (*value == ':' && !in_literal)) {
			in_angle = in_angle || *value == '<';
			buf_reset(flat);
		} else if (!str_is_space(*value)) {
			if (*value == '"')
				size = quoted_size(value);
			code = buf_append(flat, value, size);
		}
		value += size;
	}
	return code;
}

enum fail_code rules_from_domain(const char *value, char **domain_out, struct fail *f)
{
	struct buf flat;
	const unsigned char *at = NULL;
	enum fail_code code;

	*domain_out = NULL;
	buf_init(&flat, FROM_MAX);
	code = first_address(value, &flat);
	if (code == SG_OK && flat.size > 0)
		at = memrchr(flat.data, '@', flat.size);
	if (at != NULL)
		code = address_domain((const char *)at + 1,
		    flat.size - (size_t)(at + 1 - flat.data), domain_out, NULL);
	buf_free(&flat);
	if (code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the From field");
	return SG_OK;
}

/* ---- who is it ---- */

static bool proves_login(const struct conf_tenant *tenant, const char *login)
{
	size_t i;

	for (i = 0; i < tenant->logins.count; i++) {
		if (address_like(login, tenant->logins.items[i]))
			return true;
	}
	return false;
}

static bool proves_network(const struct conf_tenant *tenant, const char *address)
{
	size_t i;

	for (i = 0; i < tenant->networks.count; i++) {
		if (address_in_network(address, tenant->networks.items[i]))
			return true;
	}
	return false;
}

/*
 * The first tenant that proves accepts; where several do (they share a relay), the one that MAIL
 * FROM belongs to. MAIL FROM only chooses among those that are proven.
 */
static const struct conf_tenant *
proven_tenant(const struct conf *conf, const char *evidence, const char *domain,
    bool (*proves)(const struct conf_tenant *tenant, const char *evidence))
{
	const struct conf_tenant *first = NULL;
	size_t i;

	if (evidence == NULL || *evidence == '\0')
		return NULL;
	for (i = 0; conf->tenants != NULL && i < conf->tenant_count; i++) {
		const struct conf_tenant *tenant = &conf->tenants[i];

		if (!proves(tenant, evidence))
			continue;
		if (str_list_has_case(&tenant->domains, domain))
			return tenant;
		if (first == NULL)
			first = tenant;
	}
	return first;
}

static enum rules_origin
judge(const struct conf *conf, const struct rules_client *client, const char *domain,
    const struct conf_tenant **tenant_out)
{
	const struct conf_tenant *tenant;
	bool null_sender = client->mail_from == NULL || client->mail_from[0] == '\0';

	tenant = proven_tenant(conf, client->login, domain, proves_login);
	if (tenant == NULL && !client->local)
		tenant = proven_tenant(conf, client->address, domain, proves_network);
	if (tenant == NULL && client->local)
		tenant = conf_tenant_of_domain(conf, domain);
	*tenant_out = tenant;
	if (tenant != NULL) {
		return null_sender || str_list_has_case(&tenant->domains, domain) ? RULES_OWN :
		    RULES_FOREIGN_FROM;
	}
	tenant = conf_tenant_of_domain(conf, domain);
	if (tenant == NULL && client->from_domain != NULL)
		tenant = conf_tenant_of_domain(conf, client->from_domain);
	*tenant_out = tenant;
	return tenant == NULL ? RULES_OUTSIDE : RULES_UNPROVEN;
}

enum fail_code rules_sender(const struct conf *conf, const struct rules_client *client,
    enum rules_origin *origin_out, const struct conf_tenant **tenant_out, struct fail *f)
{
	const char *mail_from = client->mail_from == NULL ? "" : client->mail_from;
	char *normal = NULL;

	*tenant_out = NULL;
	/* what cannot be normalised is compared as it is: it still must not pass as an outsider */
	if (rules_address(mail_from, &normal, NULL) == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the sender");
	*origin_out = judge(conf, client, rules_domain(normal == NULL ? mail_from : normal),
	    tenant_out);
	free(normal);
	return SG_OK;
}

bool rules_login_owns(const struct conf_tenant *tenant, const char *login, const char *address)
{
	size_t local = strcspn(address, "@");

	if (login == NULL || login[0] == '\0' || !proves_login(tenant, login) ||
	    !str_list_has_case(&tenant->domains, rules_domain(address)))
		return false;
	return tenant->login_owns == CONF_OWNS_ANY || str_equal_case(login, address) ||
	    (strlen(login) == local && str_equal_case_n(login, address, local));
}
