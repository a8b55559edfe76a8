/* The part of conf.h that workers need: no file is read here, and libconfuse is not linked. */
#include "config/conf.h"

#include <stdlib.h>
#include <string.h>

#include "config/conf_part.h"
#include "config/keys.h"
#include "config/value.h"

#define WIRE_VERSION 1
#define NAME_MAX_SIZE ((size_t)256)	/* bytes of a key's or tenant's name */
#define TENANT_MAX UINT32_C(100000)
#define END_OF_KEYS ""			/* the name behind the last key of a part */

/* Each key of the part (tenant or not) is given its default. */
static enum fail_code preset_part(bool tenant, void *base, struct fail *f)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_of_tenant(&keys[i]) == tenant)
			code = value_preset(&keys[i], base, f);
	}
	return code;
}

static void free_part(bool tenant, void *base)
{
	const struct key *keys;
	size_t count;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		if (key_of_tenant(&keys[i]) == tenant)
			value_free(&keys[i], base);
	}
}

enum fail_code conf_default(struct conf **conf_out, struct fail *f)
{
	struct conf *conf;
	enum fail_code code;

	*conf_out = NULL;
	conf = calloc(1, sizeof *conf);
	if (conf == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the configuration");
	code = preset_part(false, conf, f);
	if (code != SG_OK) {
		conf_free(conf);
		return code;
	}
	*conf_out = conf;
	return SG_OK;
}

void conf_free(struct conf *conf)
{
	size_t i;

	if (conf == NULL)
		return;
	for (i = 0; i < conf->tenant_count; i++) {
		free_part(true, &conf->tenants[i]);
		free(conf->tenants[i].name);
	}
	free(conf->tenants);
	free_part(false, conf);
	free(conf);
}

enum fail_code conf_add_tenant(struct conf *conf, const char *name, struct conf_tenant **tenant_out,
    struct fail *f)
{
	struct conf_tenant *grown;
	struct conf_tenant *tenant;
	enum fail_code code;

	*tenant_out = NULL;
	grown = reallocarray(conf->tenants, conf->tenant_count + 1, sizeof *grown);
	if (grown == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a tenant");
	conf->tenants = grown;
	tenant = &grown[conf->tenant_count];
	memset(tenant, 0, sizeof *tenant);
	tenant->name = str_dup(name);
	if (tenant->name == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a tenant");
	conf->tenant_count++;	/* from here on conf_free takes care of it */
	code = preset_part(true, tenant, f);
	if (code != SG_OK)
		return code;
	*tenant_out = tenant;
	return SG_OK;
}

/* name, value, name, value ... "" */
static enum fail_code put_part(bool tenant, const void *base, unsigned int roles, struct buf *out)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_of_tenant(&keys[i]) != tenant || (keys[i].roles & roles) == 0)
			continue;
		code = buf_put_str(out, keys[i].name);
		if (code == SG_OK)
			code = value_put(&keys[i], base, out);
	}
	if (code == SG_OK)
		code = buf_put_str(out, END_OF_KEYS);
	return code;
}

enum fail_code
conf_encode(const struct conf *conf, unsigned int roles, struct buf *out, struct fail *f)
{
	/* who serves tenants must know which there are */
	bool names = (roles & (CONF_MILTER | CONF_VAULT)) != 0;
	size_t tenants = names ? conf->tenant_count : 0;
	size_t i;
	enum fail_code code;

	code = buf_put_u16(out, WIRE_VERSION);
	if (code == SG_OK)
		code = put_part(false, conf, roles, out);
	if (code == SG_OK)
		code = buf_put_u32(out, (uint32_t)tenants);
	for (i = 0; code == SG_OK && i < tenants; i++) {
		code = buf_put_str(out, conf->tenants[i].name);
		if (code == SG_OK)
			code = put_part(true, &conf->tenants[i], roles, out);
	}
	if (code != SG_OK)
		return fail_set(f, code, NULL, "the configuration is too large to be sent");
	return SG_OK;
}

static enum fail_code get_part(bool tenant, void *base, struct buf_reader *reader)
{
	for (;;) {
		const struct key *key;
		char *name = NULL;
		bool end;
		enum fail_code code;

		code = buf_get_str(reader, NAME_MAX_SIZE, &name);
		if (code != SG_OK)
			return code;
		end = strcmp(name, END_OF_KEYS) == 0;
		key = keys_find(name);
		free(name);
		if (end)
			return SG_OK;
		if (key == NULL || key_of_tenant(key) != tenant)
			return SG_EFORMAT;
		code = value_get(key, base, reader);
		if (code != SG_OK)
			return code;
	}
}

static enum fail_code get_tenants(struct conf *conf, struct buf_reader *reader, struct fail *f)
{
	uint32_t count = 0;
	uint32_t i;
	enum fail_code code;

	code = buf_get_u32(reader, &count);
	if (code == SG_OK && count > TENANT_MAX)
		code = SG_EFORMAT;
	for (i = 0; code == SG_OK && i < count; i++) {
		struct conf_tenant *tenant;
		char *name = NULL;

		code = buf_get_str(reader, NAME_MAX_SIZE, &name);
		if (code == SG_OK)
			code = conf_add_tenant(conf, name, &tenant, f);
		free(name);
		if (code == SG_OK)
			code = get_part(true, tenant, reader);
	}
	return code;
}

enum fail_code conf_decode(const void *data, size_t size, struct conf **conf_out, struct fail *f)
{
	struct buf_reader reader;
	struct conf *conf = NULL;
	uint16_t version = 0;
	enum fail_code code;

	*conf_out = NULL;
	code = conf_default(&conf, f);
	if (code != SG_OK)
		return code;
	buf_reader_init(&reader, data, size);
	code = buf_get_u16(&reader, &version);
	if (code == SG_OK && version != WIRE_VERSION)
		code = SG_EFORMAT;
	if (code == SG_OK)
		code = get_part(false, conf, &reader);
	if (code == SG_OK)
		code = get_tenants(conf, &reader, f);
	if (code == SG_OK)
		code = buf_get_end(&reader);
	if (code != SG_OK) {
		conf_free(conf);
		return fail_set(f, code, "the programs of Sealgate must be of one version",
		    "the configuration that was sent is malformed");
	}
	*conf_out = conf;
	return SG_OK;
}

const char *conf_way_name(unsigned int way)
{
	switch (way) {
	case WAY_ENVELOPE:
		return "envelope";
	case WAY_PDF:
		return "pdf";
	case WAY_TLS:
		return "tls";
	default:
		return NULL;
	}
}

char *conf_run_path(const struct conf *conf, const char *name)
{
	return str_printf("%s/%s", conf->run_directory, name);
}

const struct conf_tenant *conf_tenant_of_domain(const struct conf *conf, const char *domain)
{
	size_t i;

	for (i = 0; i < conf->tenant_count; i++) {
		if (str_list_has_case(&conf->tenants[i].domains, domain))
			return &conf->tenants[i];
	}
	return NULL;
}

const struct conf_tenant *conf_tenant_named(const struct conf *conf, const char *name)
{
	size_t i;

	for (i = 0; i < conf->tenant_count; i++) {
		if (strcmp(conf->tenants[i].name, name) == 0)
			return &conf->tenants[i];
	}
	return NULL;
}
