/* The part of conf.h that reads the file. */
#include "config/conf.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/conf_part.h"
#include "config/keys.h"
#include "config/value.h"
#include "gateway/base/fd.h"

#define FILE_MAX ((size_t)16 * 1024 * 1024)	/* bytes of sealgate.conf */
#define SECTION_SIZE 64				/* bytes of a section's name */
#define SECTIONS_MAX 32

/* One load: what was read, and what was wrong with it. */
struct load {
	const char *file;
	char *text;		/* statements that were refused are blanked out */
	struct conf_items items;
	struct conf_errors *errors;
	struct conf *conf;
	cfg_t *cfg;
	size_t parse_errors;	/* of libconfuse */
};

/* ---- errors ---- */

enum fail_code
conf_error_add(struct conf_errors *errors, const char *file, int line, const char *found,
    const char *expected)
{
	struct conf_error *grown;
	struct conf_error *error;

	grown = reallocarray(errors->items, errors->count + 1, sizeof *grown);
	if (grown == NULL)
		return SG_ENOMEM;
	errors->items = grown;
	error = &grown[errors->count++];
	error->file = str_dup(file);
	error->line = line;
	error->found = str_dup(found);
	error->expected = str_dup(expected);
	return error->file == NULL || error->found == NULL || error->expected == NULL ?
	    SG_ENOMEM : SG_OK;
}

enum fail_code
conf_error_add_fail(struct conf_errors *errors, const char *file, int line, const struct fail *f)
{
	return conf_error_add(errors, file, line, f->what, f->hint);
}

void conf_errors_free(struct conf_errors *errors)
{
	size_t i;

	for (i = 0; i < errors->count; i++) {
		free(errors->items[i].file);
		free(errors->items[i].found);
		free(errors->items[i].expected);
	}
	free(errors->items);
	memset(errors, 0, sizeof *errors);
}

static int compare_lines(const void *a, const void *b)
{
	const struct conf_error *left = a;
	const struct conf_error *right = b;

	return (left->line > right->line) - (left->line < right->line);
}

static enum fail_code complain(struct load *load, int line, const char *found, const char *expected)
{
	return conf_error_add(load->errors, load->file, line, found, expected);
}

/* ---- names: which statements there may be ---- */

static bool is_section(const char *name)
{
	const struct key *keys;
	size_t count;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		char section[SECTION_SIZE];

		if (key_section(&keys[i], section, sizeof section) && section[0] != '\0' &&
		    strcmp(section, name) == 0)
			return true;
	}
	return false;
}

/* An earlier statement that this one repeats, or NULL. */
static const struct conf_item *repeated(const struct load *load, const struct conf_item *item)
{
	const struct conf_item *other;

	for (other = load->items.items; other < item; other++) {
		bool same = (other->title == NULL) == (item->title == NULL) &&
		    (item->title == NULL || strcmp(other->title, item->title) == 0);

		if (same && strcmp(other->name, item->name) == 0)
			return other;
	}
	return NULL;
}

/* "threads" in the right section, in words. */
static void hint_key(const char *name, struct fail *f)
{
	const struct key *key = keys_find(name);
	char section[SECTION_SIZE];

	if (key == NULL || !key_section(key, section, sizeof section))
		return;
	if (section[0] == '\0')
		(void)snprintf(f->hint, sizeof f->hint, "perhaps %s", name);
	else
		(void)snprintf(f->hint, sizeof f->hint, "perhaps %s within %s { ... }",
		    key_leaf(key), section);
}

/* Fills names with those of the sections; returns how many there are. */
static size_t section_names(char names[][SECTION_SIZE])
{
	const struct key *keys;
	size_t count;
	size_t named = 0;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count && named < SECTIONS_MAX; i++) {
		if (key_section(&keys[i], names[named], SECTION_SIZE) && names[named][0] != '\0' &&
		    (named == 0 || strcmp(names[named], names[named - 1]) != 0))
			named++;
	}
	return named;
}

static enum fail_code complain_section(struct load *load, const struct conf_item *item)
{
	char names[SECTIONS_MAX + 1][SECTION_SIZE];
	const char *pointers[SECTIONS_MAX];
	size_t count = section_names(names);
	const char *near;
	struct fail f;
	size_t i;

	for (i = 0; i < count; i++)
		pointers[i] = names[i];
	near = keys_nearest_of(item->name, pointers, count);
	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, "a section of sealgate.conf(5)", "unknown section %s",
	    item->name);
	if (near != NULL)
		(void)snprintf(f.hint, sizeof f.hint, "perhaps %s { ... }", near);
	return conf_error_add_fail(load->errors, load->file, item->line, &f);
}

static enum fail_code complain_unknown(struct load *load, const struct conf_item *item)
{
	const char *near = keys_nearest(item->name);
	struct fail f;

	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, "a key of sealgate.conf(5)", "unknown key %s", item->name);
	if (near != NULL)
		hint_key(near, &f);
	return conf_error_add_fail(load->errors, load->file, item->line, &f);
}

static enum fail_code
complain_twice(struct load *load, const struct conf_item *item, const struct conf_item *first)
{
	struct fail f;

	fail_clear(&f);
	if (item->titled)
		(void)fail_set(&f, SG_EUSAGE, NULL, "%s \"%s\" a second time", item->name,
		    item->title);
	else
		(void)fail_set(&f, SG_EUSAGE, NULL, "%s a second time", item->name);
	(void)snprintf(f.hint, sizeof f.hint, "it once; the first is in line %d", first->line);
	return conf_error_add_fail(load->errors, load->file, item->line, &f);
}

static bool is_tenant_name(const char *title)
{
	size_t size = strspn(title, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return size > 0 && size <= 64 && title[size] == '\0';
}

/* "partner.example", ".partner.example", "[relay.example]:587", lower case: as it is compared. */
static bool is_hop_name(const char *title)
{
	size_t size = strspn(title, "abcdefghijklmnopqrstuvwxyz0123456789._-[]:");

	return size > 0 && size <= 255 && title[size] == '\0';
}

static enum fail_code check_title(struct load *load, const struct conf_item *item, bool *bad_out)
{
	enum key_part part = key_part_of_section(item->name);
	struct fail f;

	*bad_out = false;
	if (part == KEY_OF_TENANT ? item->titled && is_tenant_name(item->title) :
	    item->titled && is_hop_name(item->title))
		return SG_OK;
	*bad_out = true;
	fail_clear(&f);
	(void)fail_set(&f, SG_EUSAGE, part == KEY_OF_TENANT ?
	    "tenant \"NAME\" {, of letters, digits, . _ and -" :
	    "hop \"partner.example\" { or hop \"[relay.example]:587\" {, in lower case",
	    "%s %s", item->name, item->titled ? "with a bad name" : "without a name");
	return conf_error_add_fail(load->errors, load->file, item->line, &f);
}

/* *bad_out: an error was added, and the statement cannot be used. */
static enum fail_code check_section(struct load *load, const struct conf_item *item, bool *bad_out)
{
	*bad_out = true;
	if (!is_section(item->name))
		return complain_section(load, item);
	if (key_part_of_section(item->name) != KEY_OF_CONF)
		return check_title(load, item, bad_out);
	if (item->titled)
		return complain(load, item->line, "a section with a name",
		    "the section alone: only tenants and hops have names");
	*bad_out = false;
	return SG_OK;
}

static enum fail_code check_item(struct load *load, const struct conf_item *item, bool *bad_out)
{
	const struct conf_item *first = repeated(load, item);
	const struct key *key = item->section ? NULL : keys_find(item->name);
	struct fail f;

	*bad_out = true;
	if (!item->section && key == NULL) {
		if (is_section(item->name))
			return complain(load, item->line, "= after the name of a section",
			    "SECTION { ... }");
		return complain_unknown(load, item);
	}
	if (item->section) {
		enum fail_code code = check_section(load, item, bad_out);

		if (code != SG_OK || *bad_out)
			return code;
	}
	*bad_out = first != NULL;
	if (first != NULL)
		return complain_twice(load, item, first);
	if (key != NULL && item->braced && !key_is_list(key)) {
		*bad_out = true;
		fail_clear(&f);
		(void)fail_set(&f, SG_EUSAGE, "one value, without braces", "%s with a list",
		    item->name);
		return conf_error_add_fail(load->errors, load->file, item->line, &f);
	}
	return SG_OK;
}

static void blank_out(struct load *load, const struct conf_item *item)
{
	size_t i;

	for (i = item->from; i < item->to; i++) {
		if (load->text[i] != '\n')
			load->text[i] = ' ';
	}
}

/* Refused statements, with all that stands in them, are not shown to libconfuse. */
static enum fail_code check_items(struct load *load)
{
	size_t skip_to = 0;
	size_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < load->items.count; i++) {
		const struct conf_item *item = &load->items.items[i];
		bool bad = false;

		if (item->from < skip_to)
			continue;
		code = check_item(load, item, &bad);
		if (bad) {
			blank_out(load, item);
			skip_to = item->to;
		}
	}
	return code;
}

/* ---- libconfuse ---- */

/*
 * Options for the section's keys. All are lists of strings for libconfuse: kinds, ranges and counts
 * are ours, so that all errors of a file come out and not only the first.
 */
static size_t make_options(const char *section, cfg_opt_t *options)
{
	const struct key *keys;
	size_t count;
	size_t made = 0;
	size_t i;

	keys = keys_all(&count);
	for (i = 0; i < count; i++) {
		char own[SECTION_SIZE];
		const cfg_opt_t option = CFG_STR_LIST(key_leaf(&keys[i]), NULL, CFGF_NODEFAULT);

		if (key_section(&keys[i], own, sizeof own) && strcmp(own, section) == 0)
			options[made++] = option;
	}
	return made;
}

/* The options of the whole file, in options (room for all and ends). libconfuse copies. */
static void make_all_options(cfg_opt_t *options, char names[][SECTION_SIZE], cfg_opt_t *sections)
{
	const cfg_opt_t end = CFG_END();
	size_t count = section_names(names);
	size_t top = make_options("", sections);
	size_t i;

	for (i = 0; i < count; i++) {
		bool titled = key_part_of_section(names[i]) != KEY_OF_CONF;
		cfg_opt_t section = CFG_SEC(names[i], options,
		    titled ? CFGF_MULTI | CFGF_TITLE : CFGF_NONE);

		sections[top++] = section;
		options += make_options(names[i], options);
		*options++ = end;
	}
	sections[top] = end;
}

/*
 * libconfuse has no place for a caller's pointer; what it says after conf_scan was content is
 * counted by cfg_parse_buf's result alone, and told with the line where it stopped.
 */
static void keep_silent(cfg_t *cfg, const char *format, va_list arguments)
{
	(void)cfg;
	(void)format;
	(void)arguments;
}

static enum fail_code parse(struct load *load)
{
	char names[SECTIONS_MAX + 1][SECTION_SIZE];
	const struct key *keys;
	cfg_opt_t *options = NULL;
	cfg_opt_t *sections = NULL;
	size_t count;
	enum fail_code code = SG_ENOMEM;

	keys = keys_all(&count);
	(void)keys;
	options = calloc(count + SECTIONS_MAX, sizeof *options);
	sections = calloc(count + SECTIONS_MAX + 1, sizeof *sections);
	if (options == NULL || sections == NULL)
		goto out;
	make_all_options(options, names, sections);
	load->cfg = cfg_init(sections, CFGF_NONE);
	if (load->cfg == NULL)
		goto out;
	(void)cfg_set_error_function(load->cfg, keep_silent);
	code = SG_OK;
	if (cfg_parse_buf(load->cfg, load->text) != CFG_SUCCESS) {
		load->parse_errors++;
		code = complain(load, load->cfg->line, "what libconfuse does not understand",
		    "NAME = VALUE, or SECTION { ... }");
	}
out:
	free(options);
	free(sections);
	return code;
}

/* ---- values ---- */

static enum fail_code
take_value(struct load *load, cfg_t *section, const struct key *key, const char *title, void *base)
{
	cfg_opt_t *option = cfg_getopt(section, key_leaf(key));
	int line = conf_items_line(&load->items, key->name, title);
	const char **texts;
	unsigned int count;
	unsigned int i;
	struct fail f;
	enum fail_code code;

	/* a list that was written as {} is one that was set, too */
	if (option == NULL || (cfg_opt_size(option) == 0 && (option->flags & CFGF_MODIFIED) == 0))
		return SG_OK;
	count = cfg_opt_size(option);
	texts = calloc((size_t)count + 1, sizeof *texts);
	if (texts == NULL)
		return SG_ENOMEM;
	for (i = 0; i < count; i++)
		texts[i] = cfg_opt_getnstr(option, i);
	fail_clear(&f);
	code = value_parse(key, texts, count, base, &f);
	free(texts);
	if (code == SG_EUSAGE)
		code = conf_error_add_fail(load->errors, load->file, line, &f);
	return code;
}

/* cfg: of the whole file, or of one titled section. */
static enum fail_code take_part(struct load *load, enum key_part part, cfg_t *cfg,
    const char *title, void *base)
{
	const struct key *keys;
	size_t count;
	size_t i;
	enum fail_code code = SG_OK;

	keys = keys_all(&count);
	for (i = 0; code == SG_OK && i < count; i++) {
		char name[SECTION_SIZE];
		cfg_t *section = cfg;

		if (key_part(&keys[i]) != part || !key_section(&keys[i], name, sizeof name))
			continue;
		if (part == KEY_OF_CONF && name[0] != '\0')
			section = cfg_getsec(cfg, name);
		if (section != NULL)
			code = take_value(load, section, &keys[i], title, base);
	}
	return code;
}

static enum fail_code take_titled(struct load *load, enum key_part part)
{
	const char *name = key_part_section(part);
	unsigned int count = cfg_size(load->cfg, name);
	unsigned int i;
	void *base;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < count; i++) {
		cfg_t *section = cfg_getnsec(load->cfg, name, i);

		code = conf_add_titled(load->conf, part, cfg_title(section), &base, NULL);
		if (code == SG_OK)
			code = take_part(load, part, section, cfg_title(section), base);
	}
	return code;
}

/* ---- the whole ---- */

static enum fail_code read_file(struct load *load, struct fail *f)
{
	struct buf text;
	struct fail why;
	enum fail_code code;

	fail_clear(&why);
	buf_init(&text, FILE_MAX);
	code = fd_read_file(load->file, &text, &why);
	if (code == SG_OK) {
		load->text = str_dup_n(text.data == NULL ? "" : (const char *)text.data, text.size);
		if (load->text == NULL)
			code = SG_ENOMEM;
	} else if (code != SG_ENOMEM) {
		code = conf_error_add(load->errors, load->file, 0, why.what,
		    "a configuration that can be read; sealgate config default prints one");
	}
	if (load->text != NULL)
		code = conf_scan(load->file, load->text, text.size, &load->items, load->errors, f);
	buf_free(&text);
	return code;
}

/* SG_OK also when errors were added. */
static enum fail_code load_all(struct load *load, bool check_paths, struct fail *f)
{
	enum fail_code code;

	code = read_file(load, f);
	if (code == SG_EUSAGE)
		return SG_OK;
	if (code != SG_OK || load->text == NULL)
		return code;
	code = check_items(load);
	if (code == SG_OK)
		code = parse(load);
	if (code != SG_OK || load->parse_errors > 0)
		return code;
	code = conf_default(&load->conf, f);
	if (code == SG_OK)
		code = take_part(load, KEY_OF_CONF, load->cfg, NULL, load->conf);
	if (code == SG_OK)
		code = take_titled(load, KEY_OF_HOP);
	if (code == SG_OK)
		code = take_titled(load, KEY_OF_TENANT);
	if (code == SG_OK)
		code = conf_check(load->file, load->conf, &load->items, check_paths,
		    load->errors, f);
	return code;
}

enum fail_code
conf_load(const char *path, bool check_paths, struct conf **conf_out, struct conf_errors *errors,
    struct fail *f)
{
	struct load load = { .file = path, .errors = errors };
	enum fail_code code;

	*conf_out = NULL;
	memset(errors, 0, sizeof *errors);
	code = load_all(&load, check_paths, f);
	if (code == SG_ENOMEM)
		(void)fail_set(f, SG_ENOMEM, NULL, "no memory for the configuration");
	if (code == SG_OK && errors->count > 0) {
		qsort(errors->items, errors->count, sizeof *errors->items, compare_lines);
		code = fail_set(f, SG_EUSAGE, "sealgate config check tells each",
		    "%zu error%s in %s", errors->count, errors->count == 1 ? "" : "s", path);
	}
	if (code == SG_OK) {
		*conf_out = load.conf;
		load.conf = NULL;
	}
	conf_free(load.conf);
	if (load.cfg != NULL)
		cfg_free(load.cfg);
	conf_items_free(&load.items);
	free(load.text);
	return code;
}
