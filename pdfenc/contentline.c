#include "pdfenc/contentline.h"

#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/charset.h"
#include "pdfenc/wording.h"

#define VALUE_MAX ((size_t)4000)	/* bytes of one value that are shown */

/* One whole line, unfolded, into line; returns where the next one starts. */
static const char *unfold(const char *at, GString *line)
{
	g_string_truncate(line, 0);
	for (;;) {
		size_t size = strcspn(at, "\n");
		bool soft;

		g_string_append_len(line, at, (gssize)size);
		at += size;
		if (*at == '\0')
			return at;
		at++;
		/* vCard 2.1 folds quoted-printable by its own rules */
		soft = line->len > 0 && line->str[line->len - 1] == '=' &&
		    strcasestr(line->str, "QUOTED-PRINTABLE") != NULL;
		if (soft)
			g_string_truncate(line, line->len - 1);
		else if (*at != ' ' && *at != '\t')
			return at;
		else
			at++;
	}
}

/* The colon before the value, outside of quotes. */
static char *find_colon(char *line)
{
	bool quoted = false;

	for (; *line != '\0'; line++) {
		quoted = quoted != (*line == '"');
		if (*line == ':' && !quoted)
			return line;
	}
	return NULL;
}

static void split_line(char *text, contentline_fn *found, void *context)
{
	char *colon = find_colon(text);
	char *name = text;
	char *parameters;
	char *dot;
	struct contentline line = { .parameters = "" };

	if (colon == NULL)
		return;
	*colon = '\0';
	parameters = g_strdup(text + strcspn(text, ";"));
	text[strcspn(text, ";")] = '\0';
	dot = strchr(name, '.');
	if (dot != NULL)
		name = dot + 1;
	for (char *p = name; *p != '\0'; p++)
		*p = g_ascii_toupper(*p);
	line.name = name;
	line.parameters = parameters;
	line.value = colon + 1;
	found(context, &line);
	g_free(parameters);
}

void contentline_each(const GString *text, contentline_fn *found, void *context)
{
	GString *line = g_string_new(NULL);
	const char *at = text->str;

	for (unsigned int i = 0; i < CONTENTLINE_LINES_MAX && *at != '\0'; i++) {
		at = unfold(at, line);
		split_line(line->str, found, context);
	}
	g_string_free(line, TRUE);
}

char *contentline_parameter(const struct contentline *line, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = line->parameters; *at == ';';) {
		const char *end = at + 1;
		bool quoted = false;

		for (; *end != '\0' && (quoted || *end != ';'); end++)
			quoted = quoted != (*end == '"');
		if (str_equal_case_n(at + 1, name, size) && at[1 + size] == '=') {
			const char *value = at + 2 + size;
			size_t length = (size_t)(end - value);

			if (length >= 2 && value[0] == '"' && value[length - 1] == '"')
				return g_strndup(value + 1, length - 2);
			return g_strndup(value, length);
		}
		at = end;
	}
	return NULL;
}

static char *undo_quoted(const struct contentline *line)
{
	GString *bytes = g_string_new(NULL);
	char *charset = contentline_parameter(line, "CHARSET");
	GString *text;

	for (const char *p = line->value; *p != '\0'; p++)
		if (*p == '=' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
			g_string_append_c(bytes, (char)(g_ascii_xdigit_value(p[1]) * 16 +
			    g_ascii_xdigit_value(p[2])));
			p += 2;
		} else {
			g_string_append_c(bytes, *p);
		}
	text = charset_to_utf8(charset, bytes->str, bytes->len);
	g_free(charset);
	g_string_free(bytes, TRUE);
	return g_string_free(text, FALSE);
}

static char *raw_value(const struct contentline *line)
{
	char *encoding = contentline_parameter(line, "ENCODING");
	bool quoted = (encoding != NULL && str_equal_case(encoding, "QUOTED-PRINTABLE")) ||
	    strcasestr(line->parameters, ";QUOTED-PRINTABLE") != NULL;

	g_free(encoding);
	return quoted ? undo_quoted(line) : g_strdup(line->value);
}

/* RFC 5545 3.3.11; stops at size. */
static void undo_escapes(GString *out, const char *from, size_t size)
{
	for (size_t i = 0; i < size && from[i] != '\0' && out->len < VALUE_MAX; i++) {
		if (from[i] == '\\' && i + 1 < size && from[i + 1] != '\0') {
			i++;
			g_string_append_c(out, from[i] == 'n' || from[i] == 'N' ? '\n' : from[i]);
		} else {
			g_string_append_c(out, from[i]);
		}
	}
	while (!g_utf8_validate_len(out->str, out->len, NULL) && out->len > 0)
		g_string_truncate(out, out->len - 1);
}

char *contentline_text(const struct contentline *line)
{
	char *raw = raw_value(line);
	GString *out = g_string_new(NULL);

	undo_escapes(out, raw, strlen(raw));
	g_free(raw);
	return g_strstrip(g_string_free(out, FALSE));
}

static size_t part_size(const char *at)
{
	size_t size = 0;

	while (at[size] != '\0' && at[size] != ';')
		size += at[size] == '\\' && at[size + 1] != '\0' ? 2 : 1;
	return size;
}

char *contentline_parts(const struct contentline *line, const char *between)
{
	char *raw = raw_value(line);
	GString *out = g_string_new(NULL);

	for (const char *at = raw; *at != '\0';) {
		size_t size = part_size(at);

		if (size > 0 && out->len > 0)
			g_string_append(out, between);
		undo_escapes(out, at, size);
		at += size;
		at += *at == ';';
	}
	g_free(raw);
	return g_strstrip(g_string_free(out, FALSE));
}

void contentline_put(GString *out, const char *label, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	g_string_append_printf(out, "%s: ", wording(label));
	for (const char *p = value; *p != '\0'; p++) {
		g_string_append_c(out, *p);
		if (*p == '\n')
			g_string_append_c(out, '\t');
	}
	g_string_append_c(out, '\n');
}
