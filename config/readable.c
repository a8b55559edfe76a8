#include "config/readable.h"

#include <stdbool.h>
#include <string.h>

#include "config/encoded.h"
#include "gateway/base/str.h"

#define TEXT_MAX ((size_t)64 * 1024)	/* bytes, decoded: message.header_max may be larger */

/* "=?utf-8?B?": is it this charset? A language may follow it (RFC 2231). */
static bool has_charset(const struct encoded_part *part, const char *name)
{
	size_t size = strlen(name);

	return part->head_size > 2 + size && str_equal_case_n(part->raw + 2, name, size) &&
	    (part->raw[2 + size] == '?' || part->raw[2 + size] == '*');
}

/* windows-1252's signs where ISO-8859-1 has none count as unknown. */
static enum fail_code put_latin(unsigned char byte, struct buf *out)
{
	const unsigned char two[2] = { (unsigned char)(0xc0 | byte >> 6),
	    (unsigned char)(0x80 | (byte & 0x3f)) };

	if (byte < 0x80)
		return buf_append(out, &byte, 1);
	return byte < 0xa0 ? buf_append(out, "?", 1) : buf_append(out, two, 2);
}

static enum fail_code put_part(const struct encoded *encoded, const struct encoded_part *part,
    struct buf *out)
{
	bool latin = has_charset(part, "iso-8859-1") || has_charset(part, "windows-1252") ||
	    has_charset(part, "iso-8859-15");
	bool utf8 = has_charset(part, "utf-8") || has_charset(part, "us-ascii");
	bool word = part->kind == ENCODED_WORD_Q || part->kind == ENCODED_WORD_B;
	enum fail_code code = SG_OK;
	size_t i;

	if (part->kind == ENCODED_GAP)
		return SG_OK;
	if (word && !latin && !utf8)
		return buf_append(out, part->raw, part->raw_size);
	for (i = part->first; code == SG_OK && i < part->first + part->count; i++)
		code = word && latin ? put_latin(encoded->units[i].byte, out) :
		    buf_append(out, &encoded->units[i].byte, 1);
	return code;
}

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069. */
static bool turns(const char *sign, size_t size)
{
	unsigned char last = size == 3 ? (unsigned char)sign[2] : 0;

	if (size != 3 || (unsigned char)sign[0] != 0xe2)
		return false;
	if ((unsigned char)sign[1] == 0x80)
		return last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae);
	return (unsigned char)sign[1] == 0x81 && last >= 0xa6 && last <= 0xa9;
}

static bool is_control(const char *sign, size_t size)
{
	unsigned char first = (unsigned char)sign[0];

	return first < 0x20 || first == 0x7f ||
	    (size == 2 && first == 0xc2 && (unsigned char)sign[1] < 0xa0);
}

/* One line of valid UTF-8. */
static enum fail_code put_clean(const struct buf *text, size_t max, struct buf *out)
{
	enum fail_code code = SG_OK;
	size_t at = 0;

	while (code == SG_OK && at < text->size && at < max) {
		const char *sign = (const char *)text->data + at;
		size_t size = str_utf8_char(sign, text->size - at);

		if (*sign == '\r' || *sign == '\n' || turns(sign, size))
			size = size == 0 ? 1 : size;
		else if (size == 0 || is_control(sign, size))
			code = buf_append(out, "?", 1);
		else
			code = buf_append(out, sign, size);
		at += size == 0 ? 1 : size;
	}
	if (code == SG_OK && at < text->size)
		code = buf_append_str(out, "...");
	return code;
}

enum fail_code readable_text(const char *raw, size_t max, struct buf *out)
{
	struct encoded encoded = { NULL };
	enum fail_code code;
	struct buf text;
	size_t i;

	buf_init(&text, TEXT_MAX);
	raw += strspn(raw, " \t\r\n");
	code = encoded_parse(raw, &encoded);
	for (i = 0; code == SG_OK && i < encoded.part_count; i++)
		code = put_part(&encoded, &encoded.parts[i], &text);
	if (code == SG_OK)
		code = put_clean(&text, max, out);
	encoded_free(&encoded);
	buf_free(&text);
	return code;
}
