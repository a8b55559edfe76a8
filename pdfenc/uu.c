#include "pdfenc/uu.h"

#include <stdbool.h>
#include <string.h>

#define LINE_DATA_MAX 45	/* bytes that one uuencoded line carries */

static const char *line_end(const char *line)
{
	const char *end = strchr(line, '\n');

	return end != NULL ? end : line + strlen(line);
}

static const char *next_line(const char *line)
{
	const char *end = line_end(line);

	return *end == '\n' ? end + 1 : end;
}

/* "begin 644 name": the name's start, or NULL. */
static const char *begin_name(const char *line)
{
	const char *p = line;
	unsigned int digits = 0;

	if (strncmp(p, "begin ", 6) != 0)
		return NULL;
	for (p += 6; *p >= '0' && *p <= '7'; p++)
		digits++;
	if (digits < 3 || digits > 4 || *p != ' ' || p[1] == '\n' || p[1] == '\0')
		return NULL;
	return p + 1;
}

static unsigned char value(const char *line, size_t size, size_t i)
{
	/* trailing spaces are often lost on the way */
	return i < size ? (unsigned char)((line[i] - 0x20) & 0x3f) : 0;
}

/* Decodes one data line. False if it is none. */
static bool put_line(const char *line, size_t size, GByteArray *out)
{
	size_t count;
	size_t groups;

	if (size == 0 || line[0] < 0x20 || line[0] > 0x60)
		return false;
	count = value(line, size, 0);
	groups = (count + 2) / 3;
	if (count > LINE_DATA_MAX || size > 1 + groups * 4 + 2)
		return false;
	for (size_t i = 1; i < size; i++)
		if (line[i] < 0x20 || line[i] > 0x60)
			return false;
	for (size_t i = 0; i < groups; i++) {
		unsigned char a = value(line, size, 1 + i * 4);
		unsigned char b = value(line, size, 2 + i * 4);
		unsigned char c = value(line, size, 3 + i * 4);
		unsigned char d = value(line, size, 4 + i * 4);
		unsigned char bytes[3];

		bytes[0] = (unsigned char)(a << 2 | b >> 4);
		bytes[1] = (unsigned char)(b << 4 | c >> 2);
		bytes[2] = (unsigned char)(c << 6 | d);
		g_byte_array_append(out, bytes, (guint)(count - i * 3 < 3 ? count - i * 3 : 3));
	}
	return true;
}

/* Behind "begin": decodes up to "end". Returns the line behind it, or NULL. */
static const char *decode(const char *line, GByteArray *out)
{
	while (*line != '\0') {
		const char *end = line_end(line);
		size_t size = (size_t)(end - line);

		if (size >= 3 && strncmp(line, "end", 3) == 0 &&
		    strspn(line + 3, " \t") == size - 3)
			return next_line(line);
		/* an empty line stands for a last line that was one space */
		if (size > 0 && !put_line(line, size, out))
			return NULL;
		line = next_line(line);
	}
	return NULL;
}

/* Returns where to go on; NULL when no file begins at line. */
static const char *try_file(const char *line, GString *out, uu_file_fn *found, void *context)
{
	const char *name = begin_name(line);
	const char *after;
	GByteArray *data;
	char *copy;

	if (name == NULL)
		return NULL;
	data = g_byte_array_new();
	after = decode(next_line(line), data);
	if (after == NULL || data->len == 0) {
		g_byte_array_unref(data);
		return NULL;
	}
	copy = g_strndup(name, (gsize)(line_end(name) - name));
	g_string_append_printf(out, "[attached file: %s]\n", g_strstrip(copy));
	found(context, copy, data);
	g_free(copy);
	return after;
}

void uu_extract(GString *text, uu_file_fn *found, void *context)
{
	const char *line = text->str;
	GString *out;

	if (strncmp(line, "begin ", 6) != 0 && strstr(line, "\nbegin ") == NULL)
		return;
	out = g_string_sized_new(text->len);
	while (*line != '\0') {
		const char *after = try_file(line, out, found, context);

		if (after == NULL) {
			after = next_line(line);
			g_string_append_len(out, line, after - line);
		}
		line = after;
	}
	g_string_assign(text, out->str);
	g_string_free(out, TRUE);
}
