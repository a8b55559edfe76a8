#include "gateway/postfix/postconf.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/postfix/run.h"

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

void postconf_pairs_free(struct postconf_pairs *pairs)
{
	for (size_t i = 0; i < pairs->count; i++) {
		free(pairs->items[i].name);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	pairs->items = NULL;
	pairs->count = 0;
}

static void service_free(struct postconf_service *service)
{
	free(service->key);
	free(service->name);
	free(service->type);
	free(service->program);
	postconf_pairs_free(&service->fields);
	postconf_pairs_free(&service->options);
}

void postconf_free(struct postconf *conf)
{
	free(conf->folder);
	postconf_pairs_free(&conf->set);
	postconf_pairs_free(&conf->all);
	for (size_t i = 0; i < conf->service_count; i++)
		service_free(&conf->services[i]);
	free(conf->services);
	memset(conf, 0, sizeof(*conf));
}

enum fail_code postconf_pairs_add(struct postconf_pairs *pairs, const char *name, size_t name_size,
    const char *value)
{
	struct postconf_pair *items;
	struct postconf_pair new;

	if (pairs->count >= POSTCONF_PAIRS_MAX)
		return SG_ELIMIT;
	items = realloc(pairs->items, (pairs->count + 1) * sizeof(*items));
	if (items == NULL)
		return SG_ENOMEM;
	pairs->items = items;
	new.name = str_dup_n(name, name_size);
	new.value = str_dup(value);
	if (new.name == NULL || new.value == NULL) {
		free(new.name);
		free(new.value);
		return SG_ENOMEM;
	}
	items[pairs->count] = new;
	pairs->count++;
	return SG_OK;
}

/* One "name = value" of a text; both ends point into line. */
struct line {
	const char *name;
	size_t name_size;
	char *value; /* own copy */
};

/* Takes the next line off *text; line->name NULL at the end. */
static enum fail_code next_line(const char **text, struct line *line, struct fail *f)
{
	const char *start = *text;
	const char *end;
	const char *equal;
	size_t skip;

	line->name = NULL;
	line->value = NULL;
	if (*start == '\0')
		return SG_OK;
	end = start + strcspn(start, "\n");
	*text = *end == '\n' ? end + 1 : end;
	if ((size_t)(end - start) > POSTCONF_LINE_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "a Postfix parameter of more than %zu bytes",
		    POSTCONF_LINE_MAX);
	equal = memmem(start, (size_t)(end - start), " =", 2);
	if (equal == NULL)
		return fail_set(f, SG_EFORMAT, NULL,
		    "postconf printed \"%.*s\", not \"name = value\"",
		    (int)(end - start > 80 ? 80 : end - start), start);
	skip = equal + 2 < end && equal[2] == ' ' ? 3 : 2;
	line->value = str_dup_n(equal + skip, (size_t)(end - equal) - skip);
	if (line->value == NULL)
		return no_memory(f);
	line->name = start;
	line->name_size = (size_t)(equal - start);
	return SG_OK;
}

enum fail_code postconf_parse_pairs(const char *text, struct postconf_pairs *out, struct fail *f)
{
	struct line line;
	enum fail_code code;

	for (;;) {
		code = next_line(&text, &line, f);
		if (code != SG_OK || line.name == NULL)
			return code;
		code = postconf_pairs_add(out, line.name, line.name_size, line.value);
		free(line.value);
		if (code != SG_OK)
			return fail_set(f, code, NULL, "too many Postfix parameters");
	}
}

/* The last '/' of text[0..size); NULL if there is none. */
static const char *last_slash(const char *text, size_t size)
{
	return memrchr(text, '/', size);
}

static struct postconf_service *find(const struct postconf *conf, const char *key, size_t size)
{
	for (size_t i = 0; i < conf->service_count; i++) {
		struct postconf_service *service = &conf->services[i];

		if (strlen(service->key) == size && memcmp(service->key, key, size) == 0)
			return service;
	}
	return NULL;
}

static enum fail_code add_service(struct postconf *conf, const char *key, size_t size,
    struct postconf_service **out, struct fail *f)
{
	const char *type = last_slash(key, size);
	struct postconf_service *services;
	struct postconf_service *service;

	if (type == NULL)
		return fail_set(f, SG_EFORMAT, NULL, "postconf named the service \"%.*s\"",
		    (int)(size > 80 ? 80 : size), key);
	if (conf->service_count >= POSTCONF_SERVICES_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "master.cf has more than %d services",
		    POSTCONF_SERVICES_MAX);
	services = realloc(conf->services, (conf->service_count + 1) * sizeof(*services));
	if (services == NULL)
		return no_memory(f);
	conf->services = services;
	service = &services[conf->service_count];
	memset(service, 0, sizeof(*service));
	service->key = str_dup_n(key, size);
	service->name = str_dup_n(key, (size_t)(type - key));
	service->type = str_dup_n(type + 1, size - (size_t)(type - key) - 1);
	service->program = str_dup("");
	conf->service_count++;
	*out = service;
	if (service->key == NULL || service->name == NULL || service->type == NULL ||
	    service->program == NULL)
		return no_memory(f);
	return SG_OK;
}

static enum fail_code add_field(struct postconf *conf, const struct line *line, struct fail *f)
{
	const char *slash = last_slash(line->name, line->name_size);
	struct postconf_service *service;
	size_t key_size;
	enum fail_code code = SG_OK;

	if (slash == NULL)
		return fail_set(f, SG_EFORMAT, NULL,
		    "postconf -F printed a line without a service");
	key_size = (size_t)(slash - line->name);
	service = find(conf, line->name, key_size);
	if (service == NULL)
		code = add_service(conf, line->name, key_size, &service, f);
	if (code != SG_OK)
		return code;
	code = postconf_pairs_add(&service->fields, slash + 1, line->name_size - key_size - 1,
	    line->value);
	if (code == SG_OK &&
	    strcmp(service->fields.items[service->fields.count - 1].name, "command") == 0) {
		free(service->program);
		service->program = str_dup_n(line->value, strcspn(line->value, " \t"));
		code = service->program == NULL ? SG_ENOMEM : SG_OK;
	}
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot keep a line of master.cf");
}

static enum fail_code add_option(struct postconf *conf, const struct line *line, struct fail *f)
{
	const char *slash = last_slash(line->name, line->name_size);
	struct postconf_service *service = NULL;
	size_t key_size = 0;
	enum fail_code code;

	if (slash != NULL) {
		key_size = (size_t)(slash - line->name);
		service = find(conf, line->name, key_size);
	}
	if (service == NULL)
		return fail_set(f, SG_EFORMAT, NULL, "postconf -P printed an unknown service");
	code = postconf_pairs_add(&service->options, slash + 1, line->name_size - key_size - 1,
	    line->value);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "cannot keep a line of master.cf");
}

static enum fail_code each_line(const char *text, struct postconf *conf,
    enum fail_code (*take)(struct postconf *, const struct line *, struct fail *), struct fail *f)
{
	struct line line;
	enum fail_code code;

	for (;;) {
		code = next_line(&text, &line, f);
		if (code != SG_OK || line.name == NULL)
			return code;
		code = take(conf, &line, f);
		free(line.value);
		if (code != SG_OK)
			return code;
	}
}

enum fail_code postconf_parse_services(const char *fields, const char *options,
    struct postconf *out, struct fail *f)
{
	enum fail_code code = each_line(fields, out, add_field, f);

	return code == SG_OK ? each_line(options, out, add_option, f) : code;
}

const char *postconf_pair(const struct postconf_pairs *pairs, const char *name)
{
	/* of two equal options the last counts */
	for (size_t i = pairs->count; i > 0; i--) {
		if (strcmp(pairs->items[i - 1].name, name) == 0)
			return pairs->items[i - 1].value;
	}
	return NULL;
}

const char *postconf_set(const struct postconf *conf, const char *name)
{
	return postconf_pair(&conf->set, name);
}

const char *postconf_get(const struct postconf *conf, const char *name)
{
	const char *value = postconf_pair(&conf->set, name);

	if (value == NULL)
		value = postconf_pair(&conf->all, name);
	return value == NULL ? "" : value;
}

const char *postconf_effective(const struct postconf *conf, const struct postconf_service *service,
    const char *name)
{
	const char *value = postconf_pair(&service->options, name);

	return value != NULL ? value : postconf_get(conf, name);
}

const struct postconf_service *postconf_service(const struct postconf *conf, const char *key)
{
	return find(conf, key, strlen(key));
}

const char *postconf_field(const struct postconf_service *service, const char *name)
{
	const char *value = postconf_pair(&service->fields, name);

	return value == NULL ? "-" : value;
}

bool postconf_chrooted(const struct postconf *conf, const struct postconf_service *service)
{
	const char *chroot = postconf_field(service, "chroot");
	const char *level = postconf_get(conf, "compatibility_level");

	if (strcmp(chroot, "-") != 0)
		return strcmp(chroot, "y") == 0;
	return strcmp(level, "0") == 0 || level[0] == '\0';
}

bool postconf_true(const char *value)
{
	return str_equal_case(value, "yes") || str_equal_case(value, "true") ||
	    str_equal_case(value, "on") || str_equal_case(value, "1");
}

/* The output of "postconf -c folder [option] [-x]". */
static enum fail_code ask(const char *folder, const char *option, bool expand, struct buf *out,
    struct fail *f)
{
	const char *argv[6] = { "postconf", "-c", folder };
	size_t at = 3;
	enum fail_code code;

	if (option != NULL)
		argv[at++] = option;
	if (expand)
		argv[at++] = "-x";
	buf_init(out, RUN_OUTPUT_MAX);
	code = run_read(argv, out, f);
	if (code == SG_OK && buf_str(out) == NULL)
		code = no_memory(f);
	return code;
}

static enum fail_code ask_pairs(const char *folder, const char *option, bool expand,
    struct postconf_pairs *out, struct fail *f)
{
	struct buf text;
	enum fail_code code = ask(folder, option, expand, &text, f);

	if (code == SG_OK)
		code = postconf_parse_pairs(buf_str(&text), out, f);
	buf_free(&text);
	return code;
}

static enum fail_code ask_services(const char *folder, bool expand, struct postconf *out,
    struct fail *f)
{
	struct buf fields;
	struct buf options;
	enum fail_code code;

	buf_init(&options, 0);
	code = ask(folder, "-F", false, &fields, f);
	if (code == SG_OK)
		code = ask(folder, "-P", expand, &options, f);
	if (code == SG_OK)
		code = postconf_parse_services(buf_str(&fields), buf_str(&options), out, f);
	buf_free(&fields);
	buf_free(&options);
	return code;
}

enum fail_code postconf_load(const char *folder, bool expand, struct postconf *out, struct fail *f)
{
	enum fail_code code;

	memset(out, 0, sizeof(*out));
	out->folder = str_dup(folder);
	if (out->folder == NULL)
		return no_memory(f);
	code = ask_pairs(folder, "-n", expand, &out->set, f);
	if (code == SG_OK)
		code = ask_pairs(folder, NULL, expand, &out->all, f);
	if (code == SG_OK)
		code = ask_services(folder, expand, out, f);
	if (code != SG_OK)
		postconf_free(out);
	return code;
}

enum fail_code postconf_default_folder(char **folder_out, struct fail *f)
{
	static const char *const argv[] = { "postconf", "-h", "config_directory", NULL };
	struct buf text;
	enum fail_code code;

	*folder_out = NULL;
	buf_init(&text, 4096);
	code = run_read(argv, &text, f);
	if (code == SG_OK) {
		text.size = str_trim_end((const char *)text.data, text.size);
		*folder_out = str_dup_n((const char *)text.data, text.size);
		code = *folder_out == NULL ? no_memory(f) : SG_OK;
	}
	buf_free(&text);
	return code;
}
