#include "milter/part.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/str.h"

#define LINE_MAX_SENT 78u	/* RFC 5322 2.1.1 */
#define QUOTED_MAX 76u		/* characters of a quoted-printable line, "=" at its end included */

/* ---- plain text ---- */

/* Characters, not bytes; wide ones count as one. */
static size_t width_of(const char *text, size_t size)
{
	size_t width = 0;

	for (size_t i = 0; i < size; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

/* Where the words behind "  1. " or plain indentation begin. */
static size_t indent_of(const char *line, size_t size)
{
	size_t at = 0;
	size_t digits;

	while (at < size && line[at] == ' ')
		at++;
	digits = at;
	while (digits < size && line[digits] >= '0' && line[digits] <= '9')
		digits++;
	if (digits > at && digits + 1 < size && line[digits] == '.' && line[digits + 1] == ' ')
		return digits + 2;
	return at;
}

/* Bytes up to the last space that lets the line fit, or to the first one at all. */
static size_t fitting(const char *line, size_t size, size_t room)
{
	size_t found = 0;
	size_t width = 0;

	for (size_t i = 0; i < size; i++) {
		if (line[i] == ' ' && i > 0 && (width <= room || found == 0))
			found = i;
		width += ((unsigned char)line[i] & 0xc0) != 0x80;
		if (width > room && found > 0)
			return found;
	}
	return width <= room || found == 0 ? size : found;
}

static enum fail_code wrap_line(const char *line, size_t size, struct buf *out)
{
	size_t indent = indent_of(line, size);
	enum fail_code code = buf_append(out, line, indent);

	line += indent;
	size -= indent;
	while (code == SG_OK) {
		size_t part = fitting(line, size, indent < PART_WIDTH / 2 ? PART_WIDTH - indent :
		    PART_WIDTH / 2);

		code = buf_append(out, line, part);
		if (code == SG_OK)
			code = buf_append(out, "\n", 1);
		while (part < size && line[part] == ' ')
			part++;
		line += part;
		size -= part;
		if (size == 0)
			break;
		if (code == SG_OK)
			code = buf_printf(out, "%*s", (int)indent, "");
	}
	return code;
}

enum fail_code part_wrap(const char *text, struct buf *out)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && *text != '\0') {
		size_t size = strcspn(text, "\n");

		if (width_of(text, size) <= PART_WIDTH) {
			code = buf_append(out, text, size);
			if (code == SG_OK)
				code = buf_append(out, "\n", 1);
		} else {
			code = wrap_line(text, str_trim_end(text, size), out);
		}
		text += size + (text[size] == '\n');
	}
	return code;
}

/* ---- HTML ---- */

static const char *entity_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

enum fail_code part_escape(const char *text, size_t size, struct buf *out)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < size; i++) {
		const char *entity = entity_of(text[i]);

		code = entity != NULL ? buf_append_str(out, entity) : buf_append(out, text + i, 1);
	}
	return code;
}

/* ---- encodings ---- */

static bool goes_as_it_is(const struct buf *text)
{
	size_t line = 0;

	for (size_t i = 0; i < text->size; i++) {
		unsigned char c = text->data[i];

		line = c == '\n' ? 0 : line + 1;
		if (c >= 0x7f || (c < ' ' && c != '\n' && c != '\t') || line > LINE_MAX_SENT)
			return false;
	}
	return true;
}

static enum fail_code put_lines(const struct buf *text, struct buf *out)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < text->size; i++)
		code = text->data[i] == '\n' ? buf_append(out, "\r\n", 2) :
		    buf_append(out, text->data + i, 1);
	return code;
}

/* Spaces at the end of a line are what gateways take off: they are written as hexadecimal. */
static bool is_literal(const struct buf *text, size_t at)
{
	unsigned char c = text->data[at];
	bool last = at + 1 == text->size || text->data[at + 1] == '\n';

	return (c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
}

/* RFC 2045 6.7. */
static enum fail_code put_quoted(const struct buf *text, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t line = 0;

	for (size_t i = 0; code == SG_OK && i < text->size; i++) {
		bool literal = is_literal(text, i);

		if (text->data[i] == '\n') {
			code = buf_append(out, "\r\n", 2);
			line = 0;
			continue;
		}
		if (line + (literal ? 1 : 3) > QUOTED_MAX - 1) {
			code = buf_append(out, "=\r\n", 3);
			line = 0;
		}
		if (code == SG_OK)
			code = literal ? buf_append(out, text->data + i, 1) :
			    buf_printf(out, "=%02X", text->data[i]);
		line += literal ? 1 : 3;
	}
	return code;
}

enum fail_code part_text(const char *type, const char *language, const struct buf *text,
    struct buf *out)
{
	bool plain = goes_as_it_is(text);
	enum fail_code code = buf_printf(out, "Content-Type: %s; charset=utf-8\r\n"
	    "Content-Language: %s\r\nContent-Transfer-Encoding: %s\r\n\r\n", type, language,
	    plain ? "7bit" : "quoted-printable");

	if (code != SG_OK)
		return code;
	return plain ? put_lines(text, out) : put_quoted(text, out);
}

enum fail_code part_picture(const struct part_picture *picture, struct buf *out)
{
	struct base64_lines lines = { { 0 }, 0 };
	unsigned char *room;
	enum fail_code code = buf_printf(out, "Content-Type: %s; name=\"%s\"\r\n"
	    "Content-Transfer-Encoding: base64\r\nContent-ID: <%s>\r\n"
	    "Content-Disposition: inline; filename=\"%s\"\r\n\r\n", picture->type, picture->file,
	    picture->id, picture->file);

	if (code == SG_OK)
		code = buf_reserve(out, (picture->size / 57 + 2) * 78, &room);
	if (code != SG_OK)
		return code;
	out->size += base64_lines_put(&lines, picture->data, picture->size, room);
	code = buf_reserve(out, 78, &room);
	if (code == SG_OK)
		out->size += base64_lines_end(&lines, room);
	return code;
}
