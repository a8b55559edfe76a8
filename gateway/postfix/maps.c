#include "gateway/postfix/maps.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"
#include "gateway/postfix/run.h"

#define SPACE " \t\r\n"

static enum fail_code no_memory(struct fail *f)
{
	return fail_set(f, SG_ENOMEM, NULL, "no memory");
}

/* Is type one of the words in types, parted by spaces? */
static bool is_one_of(const char *type, size_t size, const char *types)
{
	while (*types != '\0') {
		size_t word = strcspn(types, " ");

		if (word == size && strncmp(type, types, size) == 0)
			return true;
		types += word;
		types += strspn(types, " ");
	}
	return false;
}

/* --- tables that postmap lists --- */

struct listing {
	char line[MAPS_LINE_MAX + 1];
	size_t size;
	maps_take_fn *take;
	void *context;
};

/* "key TAB result" */
static enum fail_code end_line(struct listing *listing, struct fail *f)
{
	const char *tab;

	listing->line[listing->size] = '\0';
	listing->size = 0;
	tab = strchr(listing->line, '\t');
	return tab == NULL ? SG_OK : listing->take(listing->context, tab + 1, f);
}

static enum fail_code listing_put(void *context, const char *data, size_t size, struct fail *f)
{
	struct listing *listing = context;
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < size; i++) {
		if (data[i] == '\n')
			code = end_line(listing, f);
		else if (listing->size < MAPS_LINE_MAX)
			listing->line[listing->size++] = data[i];
		else
			code = fail_set(
			    f, SG_EUSAGE, NULL, "an entry of more than %zu bytes", MAPS_LINE_MAX);
	}
	return code;
}

static enum fail_code list_by_postmap(
    const char *folder, const char *table, maps_take_fn *take, void *context, struct fail *f)
{
	const char *argv[] = { "postmap", "-c", folder, "-s", table, NULL };
	struct listing *listing = calloc(1, sizeof(*listing));
	struct run_end end;
	enum fail_code code;

	if (listing == NULL)
		return no_memory(f);
	listing->take = take;
	listing->context = context;
	code = run_stream(argv, listing_put, listing, &end, f);
	free(listing);
	if (code == SG_OK && end.status != 0)
		return fail_set(f, SG_ESYSTEM, NULL, "%s", end.error);
	return code;
}

/* --- tables that are files of patterns --- */

/* Behind "/pattern/flags" or a network; NULL: this line has no result. */
static const char *behind_pattern(const char *line)
{
	char delimiter;

	line += strspn(line, "! \t");
	delimiter = *line;
	if (delimiter == '\0' || delimiter == '#')
		return NULL;
	if (isalnum((unsigned char)delimiter)) {
		if (strncmp(line, "if", 2) == 0 || strncmp(line, "endif", 5) == 0)
			return NULL;
		return line + strcspn(line, SPACE);
	}
	for (line++; *line != '\0' && *line != delimiter; line++) {
		if (*line == '\\' && line[1] != '\0')
			line++;
	}
	return *line == '\0' ? NULL : line + strcspn(line, SPACE);
}

static enum fail_code take_line(char *line, maps_take_fn *take, void *context, struct fail *f)
{
	const char *result;

	line[str_trim_end(line, strlen(line))] = '\0';
	result = behind_pattern(line);
	if (result == NULL)
		return SG_OK;
	result += strspn(result, SPACE);
	if (strchr(result, '$') != NULL)
		return fail_set(f, SG_EUSAGE, NULL,
		    "its results are made from what is looked up (\"%.60s\")", result);
	return *result == '\0' ? SG_OK : take(context, result, f);
}

/* The end of an entry: lines that start with white space belong to it. */
static const char *entry_end(const char *text)
{
	do
		text += strcspn(text, "\n");
	while (*text != '\0' && (*++text == ' ' || *text == '\t'));
	return text;
}

enum fail_code maps_list_text(const char *text, maps_take_fn *take, void *context, struct fail *f)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		const char *end = entry_end(text);
		char *line = str_dup_n(text, (size_t)(end - text));

		if (line == NULL)
			return no_memory(f);
		for (char *at = strpbrk(line, "\r\n"); at != NULL; at = strpbrk(at, "\r\n"))
			*at = ' ';
		code = take_line(line, take, context, f);
		free(line);
		text = end;
	}
	return code;
}

static enum fail_code list_file(const char *path, maps_take_fn *take, void *context, struct fail *f)
{
	struct buf text;
	enum fail_code code;

	if (path[0] != '/')
		return fail_set(f, SG_EUSAGE, NULL, "it is no file");
	buf_init(&text, MAPS_FILE_MAX);
	code = fd_read_file(path, &text, f);
	if (code == SG_OK)
		code = buf_str(&text) == NULL ? no_memory(f) :
		                                maps_list_text(buf_str(&text), take, context, f);
	buf_free(&text);
	return code;
}

/* --- one value for every key --- */

static enum fail_code list_static(
    const char *value, maps_take_fn *take, void *context, struct fail *f)
{
	size_t size = strlen(value);
	char *inner;
	enum fail_code code;

	if (size < 2 || value[0] != '{' || value[size - 1] != '}')
		return take(context, value, f);
	value += 1 + strspn(value + 1, SPACE);
	inner = str_dup_n(value, strcspn(value, "}"));
	if (inner == NULL)
		return no_memory(f);
	inner[str_trim_end(inner, strlen(inner))] = '\0';
	code = take(context, inner, f);
	free(inner);
	return code;
}

enum fail_code maps_list(
    const char *folder, const char *table, maps_take_fn *take, void *context, struct fail *f)
{
	size_t size;

	if (strncmp(table, "proxy:", 6) == 0)
		table += 6;
	size = strcspn(table, ":");
	if (table[size] != ':')
		return fail_set(f, SG_EUSAGE, NULL, "it has no type");
	if (is_one_of(table, size, "hash btree dbm sdbm lmdb cdb texthash inline"))
		return list_by_postmap(folder, table, take, context, f);
	if (is_one_of(table, size, "regexp pcre cidr"))
		return list_file(table + size + 1, take, context, f);
	if (is_one_of(table, size, "static"))
		return list_static(table + size + 1, take, context, f);
	if (is_one_of(table, size, "fail"))
		return SG_OK;
	return fail_set(f, SG_EUSAGE, NULL, "type %.*s has no list", (int)size, table);
}
