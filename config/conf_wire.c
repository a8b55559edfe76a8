/* The part of conf.h that workers need: no file is read here, and libconfuse is not linked. */
#include "config/conf.h"

#include <stdlib.h>
#include <string.h>

#include "config/conf_part.h"
#include "config/keys.h"
#include "config/looks.h"
#include "config/template.h"
#include "config/value.h"

#define WIRE_VERSION 3
#define NAME_MAX_SIZE ((size_t)256)	/* bytes of a key or title */
#define TITLED_MAX UINT32_C(100000)	/* tenants, or hops */
#define TEXTS_MAX UINT32_C(1000)
#define END_OF_KEYS ""			/* the name behind the last key of a part */
#define TENANT_ROLES (CONF_MILTER | CONF_VAULT | CONF_PDF | CONF_NOTIFY)
#define LOOKS_ROLES (CONF_MILTER | CONF_PDF)

/* Each key of the part is given its default. */
static enum fail_code preset_part(enum key_part part, void *base, struct fail *f)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) == part)
			code = value_preset(&keys[i], base, f);
	}
	return code;
}

static void free_part(enum key_part part, void *base)
{
	const struct key *keys;
	size_t count;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		if (key_part(&keys[i]) == part)
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
	code = preset_part(KEY_OF_CONF, conf, f);
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
		free_part(KEY_OF_TENANT, &conf->tenants[i]);
		free(conf->tenants[i].name);
		free(conf->tenants[i].logo_file.data);
	}
	for (i = 0; i < conf->hop_count; i++) {
		free_part(KEY_OF_HOP, &conf->hops[i]);
		free(conf->hops[i].name);
	}
	for (i = 0; i < conf->text_count; i++) {
		free(conf->texts[i].name);
		free(conf->texts[i].text);
	}
	free(conf->tenants);
	free(conf->hops);
	free(conf->texts);
	free_part(KEY_OF_CONF, conf);
	free(conf);
}

/* Room for one more of a part, zeroed; from then on conf_free takes care of it. */
static enum fail_code grow(struct conf *conf, enum key_part part, const char *name, void **base_out)
{
	bool tenant = part == KEY_OF_TENANT;
	size_t size = tenant ? sizeof *conf->tenants : sizeof *conf->hops;
	size_t *count = tenant ? &conf->tenant_count : &conf->hop_count;
	void *old = tenant ? (void *)conf->tenants : (void *)conf->hops;
	char *copy = str_dup(name);
	unsigned char *grown = copy == NULL ? NULL : reallocarray(old, *count + 1, size);

	if (grown == NULL) {
		free(copy);
		return SG_ENOMEM;
	}
	*base_out = grown + *count * size;
	memset(*base_out, 0, size);
	if (tenant) {
		conf->tenants = (struct conf_tenant *)(void *)grown;
		conf->tenants[*count].name = copy;
	} else {
		conf->hops = (struct conf_hop *)(void *)grown;
		conf->hops[*count].name = copy;
	}
	(*count)++;
	return SG_OK;
}

enum fail_code conf_add_titled(struct conf *conf, enum key_part part, const char *name,
    void **base_out, struct fail *f)
{
	void *base = NULL;
	enum fail_code code;

	*base_out = NULL;
	if (grow(conf, part, name, &base) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a section");
	code = preset_part(part, base, f);
	if (code == SG_OK)
		*base_out = base;
	return code;
}

void *conf_titled_at(const struct conf *conf, enum key_part part, size_t place,
    const char **name_out)
{
	if (part == KEY_OF_TENANT && place < conf->tenant_count) {
		*name_out = conf->tenants[place].name;
		return &conf->tenants[place];
	}
	if (part == KEY_OF_HOP && place < conf->hop_count) {
		*name_out = conf->hops[place].name;
		return &conf->hops[place];
	}
	*name_out = NULL;
	return NULL;
}

enum fail_code conf_add_text(struct conf *conf, const char *name, const char *text)
{
	struct conf_text *grown = reallocarray(conf->texts, conf->text_count + 1, sizeof *grown);
	struct conf_text *added;

	if (grown == NULL)
		return SG_ENOMEM;
	conf->texts = grown;
	added = &grown[conf->text_count];
	added->name = str_dup(name);
	added->text = str_dup(text);
	if (added->name == NULL || added->text == NULL) {
		free(added->name);
		free(added->text);
		return SG_ENOMEM;
	}
	conf->text_count++;
	return SG_OK;
}

/* name, value, name, value ... "" */
static enum fail_code put_part(enum key_part part, const void *base, unsigned int roles,
    struct buf *out)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		if (key_part(&keys[i]) != part || (keys[i].roles & roles) == 0)
			continue;
		code = buf_put_str(out, keys[i].name);
		if (code == SG_OK)
			code = value_put(&keys[i], base, out);
	}
	if (code == SG_OK)
		code = buf_put_str(out, END_OF_KEYS);
	return code;
}

/* The bytes of a logo; none: there is no logo, or the role shows none. */
static enum fail_code put_logo(const struct conf_tenant *tenant, unsigned int roles,
    struct buf *out)
{
	return (roles & LOOKS_ROLES) == 0 ? buf_put_bytes(out, NULL, 0) :
	    buf_put_bytes(out, tenant->logo_file.data, tenant->logo_file.size);
}

/* u32 count, then name and text of each. */
static enum fail_code put_texts(const struct conf *conf, unsigned int roles, struct buf *out)
{
	size_t count = (roles & (CONF_MILTER | CONF_NOTIFY)) != 0 ? conf->text_count : 0;
	enum fail_code code = buf_put_u32(out, (uint32_t)count);

	for (size_t i = 0; code == SG_OK && i < count; i++) {
		code = buf_put_str(out, conf->texts[i].name);
		if (code == SG_OK)
			code = buf_put_str(out, conf->texts[i].text);
	}
	return code;
}

/* u32 count, then each title with its keys, and the logo of a tenant. */
static enum fail_code put_titled(const struct conf *conf, enum key_part part, unsigned int roles,
    struct buf *out)
{
	/* who serves tenants must know which there are; rules are for one program alone */
	bool wanted = (roles & (part == KEY_OF_TENANT ? TENANT_ROLES : CONF_TLS)) != 0;
	size_t count = part == KEY_OF_TENANT ? conf->tenant_count : conf->hop_count;
	enum fail_code code = buf_put_u32(out, wanted ? (uint32_t)count : 0);
	const char *name;
	size_t i;

	for (i = 0; code == SG_OK && wanted && i < count; i++) {
		const void *base = conf_titled_at(conf, part, i, &name);

		code = buf_put_str(out, name);
		if (code == SG_OK)
			code = put_part(part, base, roles, out);
		if (code == SG_OK && part == KEY_OF_TENANT)
			code = put_logo(base, roles, out);
	}
	return code;
}

enum fail_code
conf_encode(const struct conf *conf, unsigned int roles, struct buf *out, struct fail *f)
{
	enum fail_code code;

	code = buf_put_u16(out, WIRE_VERSION);
	if (code == SG_OK)
		code = put_part(KEY_OF_CONF, conf, roles, out);
	if (code == SG_OK)
		code = put_titled(conf, KEY_OF_HOP, roles, out);
	if (code == SG_OK)
		code = put_titled(conf, KEY_OF_TENANT, roles, out);
	if (code == SG_OK)
		code = put_texts(conf, roles, out);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "the configuration is too large to be sent");
	return SG_OK;
}

static enum fail_code get_part(enum key_part part, void *base, struct buf_reader *reader)
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
		if (key == NULL || key_part(key) != part)
			return SG_EFORMAT;
		code = value_get(key, base, reader);
		if (code != SG_OK)
			return code;
	}
}

static enum fail_code get_logo(struct conf_tenant *tenant, struct buf_reader *reader,
    struct fail *f)
{
	const unsigned char *data = NULL;
	size_t size = 0;
	enum fail_code code = buf_get_bytes(reader, &data, &size);

	if (code != SG_OK || size == 0)
		return code;
	code = looks_take_logo(tenant, data, size, f);
	return code == SG_EUSAGE ? SG_EFORMAT : code;
}

static enum fail_code get_texts(struct conf *conf, struct buf_reader *reader)
{
	uint32_t count = 0;
	enum fail_code code = buf_get_u32(reader, &count);

	if (code == SG_OK && count > TEXTS_MAX)
		code = SG_EFORMAT;
	for (uint32_t i = 0; code == SG_OK && i < count; i++) {
		char *name = NULL;
		char *text = NULL;

		code = buf_get_str(reader, NAME_MAX_SIZE, &name);
		if (code == SG_OK)
			code = buf_get_str(reader, TEMPLATE_HTML_MAX, &text);
		if (code == SG_OK)
			code = conf_add_text(conf, name, text);
		free(name);
		free(text);
	}
	return code;
}

static enum fail_code get_titled(struct conf *conf, enum key_part part, struct buf_reader *reader,
    struct fail *f)
{
	uint32_t count = 0;
	uint32_t i;
	enum fail_code code;

	code = buf_get_u32(reader, &count);
	if (code == SG_OK && count > TITLED_MAX)
		code = SG_EFORMAT;
	for (i = 0; code == SG_OK && i < count; i++) {
		void *base = NULL;
		char *name = NULL;

		code = buf_get_str(reader, NAME_MAX_SIZE, &name);
		if (code == SG_OK)
			code = conf_add_titled(conf, part, name, &base, f);
		free(name);
		if (code == SG_OK)
			code = get_part(part, base, reader);
		if (code == SG_OK && part == KEY_OF_TENANT)
			code = get_logo(base, reader, f);
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
		code = get_part(KEY_OF_CONF, conf, &reader);
	if (code == SG_OK)
		code = get_titled(conf, KEY_OF_HOP, &reader, f);
	if (code == SG_OK)
		code = get_titled(conf, KEY_OF_TENANT, &reader, f);
	if (code == SG_OK)
		code = get_texts(conf, &reader);
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

const struct conf_hop *conf_hop_named(const struct conf *conf, const char *name)
{
	size_t i;

	for (i = 0; i < conf->hop_count; i++) {
		if (strcmp(conf->hops[i].name, name) == 0)
			return &conf->hops[i];
	}
	return NULL;
}

const char *conf_level_name(enum conf_level level)
{
	return keys_find("hop.tls")->choices[level];
}
