#include "config/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

const char *template_language(enum conf_language language)
{
	static const char *const names[CONF_LANGUAGES] = { "en", "de", "fr", "es" };

	return names[language];
}

/* ---- ${names} ---- */

size_t template_name_at(const char *text, const char **name_out, size_t *size_out)
{
	const char *end;

	if (text[0] != '$' || text[1] != '{')
		return 0;
	end = strchr(text, '}');
	if (end == NULL)
		return 0;
	*name_out = text + 2;
	*size_out = (size_t)(end - text) - 2;
	return (size_t)(end - text) + 1;
}

static const struct template_value *find_value(const char *name, size_t size,
    const struct template_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strlen(values[i].name) == size && strncmp(values[i].name, name, size) == 0)
			return &values[i];
	}
	return NULL;
}

/* size bytes of text. */
static enum fail_code fill(const char *text, size_t size, const struct template_value *values,
    size_t count, struct buf *out)
{
	const char *end = text + size;
	enum fail_code code = SG_OK;

	while (code == SG_OK && text < end) {
		const struct template_value *value;
		const char *name = NULL;
		size_t name_size = 0;
		size_t whole = template_name_at(text, &name, &name_size);
		const char *next;

		if (whole == 0 || whole > (size_t)(end - text)) {
			next = memchr(text + 1, '$', (size_t)(end - text) - 1);
			whole = (size_t)((next == NULL ? end : next) - text);
			code = buf_append(out, text, whole);
		} else {
			value = find_value(name, name_size, values, count);
			if (value != NULL && value->size > 0)
				code = buf_append(out, value->text, value->size);
		}
		text += whole;
	}
	return code;
}

enum fail_code template_fill(const char *text, const struct template_value *values, size_t count,
    struct buf *out)
{
	return fill(text, strlen(text), values, count, out);
}

/* Are there names in the line, and nothing that stands for any of them? */
static bool says_nothing(const char *line, size_t size, const struct template_value *values,
    size_t count)
{
	bool named = false;

	for (size_t i = 0; i < size; i++) {
		const struct template_value *value;
		const char *name = NULL;
		size_t name_size = 0;

		if (template_name_at(line + i, &name, &name_size) == 0)
			continue;
		named = true;
		value = find_value(name, name_size, values, count);
		if (value != NULL && value->size > 0)
			return false;
	}
	return named;
}

enum fail_code template_fill_lines(const char *text, const struct template_value *values,
    size_t count, struct buf *out)
{
	enum fail_code code = SG_OK;
	bool empty_before = true;

	while (code == SG_OK && *text != '\0') {
		size_t size = strcspn(text, "\n");
		bool empty = str_trim_end(text, size) == 0;

		if (!(empty && empty_before) && !says_nothing(text, size, values, count)) {
			code = fill(text, size, values, count, out);
			if (code == SG_OK)
				code = buf_append(out, "\n", 1);
			empty_before = empty;
		}
		text += size + (text[size] == '\n');
	}
	return code;
}

/* ---- loading ---- */

static const char *built_in(enum conf_language language, const char *name)
{
	const struct template_built_in *at = template_built_ins;
	const char *folder = template_language(language);
	size_t size = strlen(folder);

	while (at->name != NULL && (strncmp(at->name, folder, size) != 0 ||
	    at->name[size] != '/' || strcmp(at->name + size + 1, name) != 0))
		at++;
	SG_BUG_IF(at->name == NULL);
	return at->text;
}

static enum fail_code read_own(const char *path, const char *name, char **text_out, struct fail *f)
{
	struct fail why;
	struct buf text;
	enum fail_code code;

	fail_clear(&why);
	buf_init(&text, TEMPLATE_HTML_MAX + 1);
	code = fd_read_file(path, &text, &why);
	if (code == SG_OK && memchr(text.data == NULL ? (const unsigned char *)"" : text.data, 0,
	    text.size) != NULL)
		code = fail_set(&why, SG_EUSAGE, "a text", "a zero byte");
	if (code == SG_OK)
		code = buf_str(&text) == NULL ? SG_ENOMEM :
		    template_check(name, buf_str(&text), &why);
	if (code == SG_OK) {
		*text_out = str_dup(buf_str(&text));
		code = *text_out == NULL ? SG_ENOMEM : SG_OK;
	}
	buf_free(&text);
	if (code == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
	if (code != SG_OK)
		return fail_set(f, SG_EUSAGE, why.hint, "%.200s: %s", path, why.what);
	return SG_OK;
}

/* *text_out is NULL if the folder has none. */
static enum fail_code find_own(const char *folder, enum conf_language language, const char *name,
    char **text_out, struct fail *f)
{
	enum fail_code code = SG_OK;
	struct stat st;
	char *path;

	*text_out = NULL;
	if (folder[0] == '\0')
		return SG_OK;
	path = str_printf("%s/%s/%s", folder, template_language(language), name);
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
	if (stat(path, &st) == 0 || errno != ENOENT)
		code = read_own(path, name, text_out, f);
	free(path);
	return code;
}

enum fail_code template_load(const char *folder, enum conf_language language, const char *name,
    char **text_out, struct fail *f)
{
	enum fail_code code = find_own(folder, language, name, text_out, f);

	if (code != SG_OK || *text_out != NULL)
		return code;
	*text_out = str_dup(built_in(language, name));
	return *text_out != NULL ? SG_OK : fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
}

/* ---- within a configuration ---- */

enum fail_code template_read(struct conf *conf, enum conf_language language, const char *name,
    struct fail *f)
{
	char *text;
	char *whole;
	enum fail_code code = find_own(conf->templates_directory, language, name, &text, f);

	if (code != SG_OK || text == NULL)
		return code;
	whole = str_printf("%s/%s", template_language(language), name);
	code = whole == NULL ? SG_ENOMEM : conf_add_text(conf, whole, text);
	free(whole);
	free(text);
	return code == SG_OK ? SG_OK : fail_set(f, code, NULL, "no memory for a text");
}

static const char *own_text(const struct conf *conf, enum conf_language language,
    const char *name)
{
	const char *folder = template_language(language);
	size_t size = strlen(folder);

	for (size_t i = 0; i < conf->text_count; i++) {
		const char *whole = conf->texts[i].name;

		if (strncmp(whole, folder, size) == 0 && whole[size] == '/' &&
		    strcmp(whole + size + 1, name) == 0)
			return conf->texts[i].text;
	}
	return NULL;
}

const char *template_text(const struct conf *conf, enum conf_language language, const char *name)
{
	const char *own = own_text(conf, language, name);

	return own != NULL ? own : built_in(language, name);
}

/* ---- sections ---- */

const char *template_next_section(const char *text, const char **name_out, size_t *size_out)
{
	while (*text != '\0') {
		size_t size = strcspn(text, "\n");

		if (text[0] == '[' && memchr(text, ']', size) != NULL) {
			*name_out = text + 1;
			*size_out = strcspn(text + 1, "]");
			return text;
		}
		text += size + (text[size] == '\n');
	}
	return NULL;
}

/* Lines up to the next section, joined by spaces. NULL: no memory. */
static char *join(const char *text)
{
	const char *name;
	size_t size;
	const char *end = template_next_section(text, &name, &size);
	char *joined = str_dup_n(text, end == NULL ? strlen(text) : (size_t)(end - text));

	if (joined == NULL)
		return NULL;
	for (char *at = joined; *at != '\0'; at++)
		*at = *at == '\n' ? ' ' : *at;
	joined[str_trim_end(joined, strlen(joined))] = '\0';
	return joined;
}

static const char *find_section(const char *text, const char *section)
{
	const char *name;
	size_t size;

	while ((text = template_next_section(text, &name, &size)) != NULL) {
		text += strcspn(text, "\n");
		text += *text == '\n';
		if (strlen(section) == size && strncmp(section, name, size) == 0)
			return text;
	}
	return NULL;
}

char *template_section(const struct conf *conf, enum conf_language language, const char *section)
{
	const char *own = own_text(conf, language, TEMPLATE_WORDS);
	const char *found = own != NULL ? find_section(own, section) : NULL;

	if (found == NULL)
		found = find_section(built_in(language, TEMPLATE_WORDS), section);
	SG_BUG_IF(found == NULL);
	return join(found);
}
