#include "config/template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define SUBJECT "Subject: "

static const char *const known[] = { "password", "recipients", "subject", "date", "kept" };

const char *template_language(enum conf_language language)
{
	static const char *const names[CONF_LANGUAGES] = { "en", "de", "fr", "es" };

	return names[language];
}

/* ---- ${names} ---- */

/* The size of a "${name}" that begins at text, 0 if there is none; the name goes out. */
static size_t name_at(const char *text, const char **name_out, size_t *size_out)
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

static bool is_known(const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strlen(known[i]) == size && strncmp(known[i], name, size) == 0)
			return true;
	}
	return false;
}

static enum fail_code put_value(const char *name, size_t size,
    const struct template_value *values, size_t count, struct buf *out)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (strlen(values[i].name) == size && strncmp(values[i].name, name, size) == 0)
			return buf_append(out, values[i].text, values[i].size);
	}
	return SG_OK;
}

enum fail_code template_fill(const char *text, const struct template_value *values, size_t count,
    struct buf *out)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		const char *name = NULL;
		size_t size = 0;
		size_t whole = name_at(text, &name, &size);

		if (whole == 0) {
			whole = 1 + strcspn(text + 1, "$");
			code = buf_append(out, text, whole);
		} else {
			code = put_value(name, size, values, count, out);
		}
		text += whole;
	}
	return code;
}

/* ---- checks ---- */

static bool is_utf8(const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t size = str_utf8_char(text, left);

		if (size == 0 || *text == '\r')
			return false;
		text += size;
		left -= size;
	}
	return true;
}

static enum fail_code check_names(const char *text, struct fail *f)
{
	for (; *text != '\0'; text++) {
		const char *name = NULL;
		size_t size = 0;

		if (text[0] != '$' || text[1] != '{')
			continue;
		if (name_at(text, &name, &size) == 0)
			return fail_set(f, SG_EUSAGE, "} behind the name", "${ without an end");
		if (!is_known(name, size))
			return fail_set(f, SG_EUSAGE,
			    "${password}, ${recipients}, ${subject}, ${date} or ${kept}",
			    "${%.*s} is not known", (int)(size > 40 ? 40 : size), name);
	}
	return SG_OK;
}

static enum fail_code check_mail(const char *text, struct fail *f)
{
	const char *end = strchr(text, '\n');

	if (!str_starts_case(text, SUBJECT) || end == NULL || end[1] != '\n')
		return fail_set(f, SG_EUSAGE, "a line \"Subject: ...\" and an empty line first",
		    "a text without a subject");
	if (memmem(text, (size_t)(end - text), "${", 2) != NULL)
		return fail_set(f, SG_EUSAGE, "the same words for every message",
		    "${ in the subject, which is not kept secret");
	if (strstr(end, "${password}") == NULL)
		return fail_set(f, SG_EUSAGE, "${password} in its body",
		    "a text that does not tell the password");
	return SG_OK;
}

enum fail_code template_check(const char *name, const char *text, struct fail *f)
{
	enum fail_code code;

	if (strlen(text) > TEMPLATE_MAX)
		return fail_set(f, SG_EUSAGE, "at most 8 KB", "a text that is too long");
	if (!is_utf8(text))
		return fail_set(f, SG_EUSAGE, "UTF-8 with lines that end in LF",
		    "a text that is no UTF-8, or has CR");
	code = check_names(text, f);
	if (code == SG_OK && strcmp(name, TEMPLATE_PASSWORD) == 0)
		code = check_mail(text, f);
	return code;
}

/* ---- loading ---- */

static const char *built_in(const char *whole)
{
	const struct template_built_in *at = template_built_ins;

	while (at->name != NULL && strcmp(at->name, whole) != 0)
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
	buf_init(&text, TEMPLATE_MAX + 1);
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

enum fail_code template_load(const char *folder, enum conf_language language, const char *name,
    char **text_out, struct fail *f)
{
	char *whole = str_printf("%s/%s", template_language(language), name);
	char *path = str_printf("%s/%s/%s.txt", folder, template_language(language), name);
	enum fail_code code = SG_OK;
	struct stat st;

	*text_out = NULL;
	if (whole == NULL || path == NULL) {
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
	} else if (folder[0] != '\0' && (stat(path, &st) == 0 || errno != ENOENT)) {
		code = read_own(path, name, text_out, f);
	} else {
		*text_out = str_dup(built_in(whole));
		if (*text_out == NULL)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a text");
	}
	free(whole);
	free(path);
	return code;
}
