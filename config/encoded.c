#include "config/encoded.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/base64.h"
#include "gateway/base/str.h"

/* ---- reading ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An encoded word as found in text. */
struct word {
	size_t head_size;	/* "=?charset?B?" */
	size_t body_size;
	size_t size;		/* of all, with "?=" */
	bool base64;
	bool unended;		/* no "?=" follows: no later word can be whole either */
};

static bool find_word(const char *text, struct word *word_out)
{
	size_t charset;
	size_t body;
	char kind;

	if (text[0] != '=' || text[1] != '?')
		return false;
	charset = strcspn(text + 2, "? \t\r\n");
	if (charset == 0 || text[2 + charset] != '?')
		return false;
	kind = str_lower_char(text[3 + charset]);
	if ((kind != 'b' && kind != 'q') || text[4 + charset] != '?')
		return false;
	word_out->base64 = kind == 'b';
	word_out->head_size = charset + 5;
	text += word_out->head_size;
	/* a "?" that ends nothing is tolerated in Q, as mail programs do */
	for (body = strcspn(text, "?"); text[body] == '?' && text[body + 1] != '=';)
		body += 1 + strcspn(text + body + 1, "?");
	word_out->unended = text[body] != '?';
	word_out->body_size = body;
	word_out->size = word_out->head_size + body + 2;
	return !word_out->unended;
}

static void add_unit(struct encoded *encoded, unsigned char byte, const char *raw, size_t raw_size)
{
	struct encoded_unit *unit = &encoded->units[encoded->unit_count++];

	unit->byte = byte;
	unit->raw = raw;
	unit->raw_size = (unsigned char)raw_size;
}

static void add_q(struct encoded *encoded, const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		int high = size - at >= 3 && text[at] == '=' ? hex_digit(text[at + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[at + 2]) : -1;

		if (low >= 0) {
			add_unit(encoded, (unsigned char)(high * 16 + low), text + at, 3);
			at += 3;
			continue;
		}
		add_unit(encoded, (unsigned char)(text[at] == '_' ? ' ' : text[at]), text + at, 1);
		at++;
	}
}

/* SG_EFORMAT: it is no base64, and so plain text. */
static enum fail_code add_b(struct encoded *encoded, const char *text, size_t size)
{
	struct buf bytes;
	size_t i;
	enum fail_code code;

	buf_init(&bytes, size + 3);
	code = base64_decode(&bytes, text, size);
	for (i = 0; code == SG_OK && i < bytes.size; i++)
		add_unit(encoded, bytes.data[i], NULL, 0);
	buf_free(&bytes);
	return code;
}

static struct encoded_part *
add_part(struct encoded *encoded, enum encoded_kind kind, const char *raw, size_t raw_size)
{
	struct encoded_part *grown;
	size_t count = encoded->part_count;

	/* doubled at each power of two */
	if ((count & (count - 1)) == 0) {
		grown = reallocarray(encoded->parts, count == 0 ? 1 : 2 * count, sizeof *grown);
		if (grown == NULL)
			return NULL;
		encoded->parts = grown;
	}
	encoded->part_count++;
	encoded->parts[count] = (struct encoded_part){ .kind = kind, .raw = raw,
		.raw_size = raw_size, .first = encoded->unit_count };
	return &encoded->parts[count];
}

static enum fail_code add_word(struct encoded *encoded, const char *raw, const struct word *word)
{
	struct encoded_part *part;
	size_t i;
	enum fail_code code = SG_OK;

	part = add_part(encoded, word->base64 ? ENCODED_WORD_B : ENCODED_WORD_Q, raw, word->size);
	if (part == NULL)
		return SG_ENOMEM;
	part->head_size = word->head_size;
	if (word->base64)
		code = add_b(encoded, raw + word->head_size, word->body_size);
	else
		add_q(encoded, raw + word->head_size, word->body_size);
	if (code == SG_EFORMAT) {
		part->kind = ENCODED_TEXT;
		for (i = 0; i < word->size; i++)
			add_unit(encoded, (unsigned char)raw[i], raw + i, 1);
		code = SG_OK;
	}
	part->count = encoded->unit_count - part->first;
	return code;
}

static bool is_word(const struct encoded_part *part)
{
	return part->kind == ENCODED_WORD_Q || part->kind == ENCODED_WORD_B;
}

/* White space alone between two encoded words is no text. */
static enum fail_code
add_text(struct encoded *encoded, const char *text, size_t size, bool word_follows)
{
	struct encoded_part *part;
	size_t i;
	bool gap;

	gap = word_follows && str_trim_end(text, size) == 0 && encoded->part_count > 0 &&
	    is_word(&encoded->parts[encoded->part_count - 1]);
	part = add_part(encoded, gap ? ENCODED_GAP : ENCODED_TEXT, text, size);
	if (part == NULL)
		return SG_ENOMEM;
	for (i = 0; !gap && i < size; i++)
		add_unit(encoded, (unsigned char)text[i], text + i, 1);
	part->count = encoded->unit_count - part->first;
	return SG_OK;
}

enum fail_code encoded_parse(const char *value, struct encoded *encoded)
{
	struct word word = { 0 };
	const char *text = value;	/* where the text that waits to be added begins */
	const char *at = value;
	enum fail_code code = SG_OK;

	/* no byte decodes to more than one */
	encoded->units = calloc(strlen(value) + 1, sizeof *encoded->units);
	if (encoded->units == NULL)
		return SG_ENOMEM;
	while (code == SG_OK && *at != '\0' && !word.unended) {
		if (!find_word(at, &word)) {
			at++;
			continue;
		}
		if (at > text)
			code = add_text(encoded, text, (size_t)(at - text), true);
		if (code == SG_OK)
			code = add_word(encoded, at, &word);
		at += word.size;
		text = at;
	}
	if (code == SG_OK && *text != '\0')
		code = add_text(encoded, text, strlen(text), false);
	return code;
}

/* ---- writing ---- */

static size_t units_left(const struct encoded *encoded, const struct encoded_part *part)
{
	size_t left = 0;
	size_t i;

	for (i = part->first; i < part->first + part->count; i++)
		left += !encoded->units[i].removed;
	return left;
}

/* As each unit was written: text and the Q encoding. */
static enum fail_code
print_units(const struct encoded *encoded, const struct encoded_part *part, struct buf *out)
{
	size_t i;
	enum fail_code code = SG_OK;

	for (i = part->first; code == SG_OK && i < part->first + part->count; i++) {
		const struct encoded_unit *unit = &encoded->units[i];

		if (!unit->removed)
			code = buf_append(out, unit->raw, unit->raw_size);
	}
	return code;
}

static enum fail_code
print_base64(const struct encoded *encoded, const struct encoded_part *part, struct buf *out)
{
	struct buf bytes;
	size_t i;
	enum fail_code code = SG_OK;

	buf_init(&bytes, part->count);
	for (i = part->first; code == SG_OK && i < part->first + part->count; i++) {
		if (!encoded->units[i].removed)
			code = buf_append(&bytes, &encoded->units[i].byte, 1);
	}
	if (code == SG_OK)
		code = base64_encode(out, bytes.data, bytes.size);
	buf_free(&bytes);
	return code;
}

static enum fail_code
print_word(const struct encoded *encoded, const struct encoded_part *part, struct buf *out)
{
	enum fail_code code;

	if (units_left(encoded, part) == part->count)
		return buf_append(out, part->raw, part->raw_size);
	code = buf_append(out, part->raw, part->head_size);
	if (code == SG_OK && part->kind == ENCODED_WORD_Q)
		code = print_units(encoded, part, out);
	else if (code == SG_OK)
		code = print_base64(encoded, part, out);
	return code == SG_OK ? buf_append_str(out, "?=") : code;
}

enum fail_code encoded_print(const struct encoded *encoded, struct buf *out)
{
	const struct encoded_part *gap = NULL;
	bool after_word = false;
	size_t i;
	enum fail_code code = SG_OK;

	for (i = 0; code == SG_OK && i < encoded->part_count; i++) {
		const struct encoded_part *part = &encoded->parts[i];

		if (part->kind == ENCODED_GAP) {
			gap = part;
			continue;
		}
		if (units_left(encoded, part) == 0 && part->count > 0)
			continue;
		if (!is_word(part)) {
			code = print_units(encoded, part, out);
			after_word = false;
			continue;
		}
		/* words that have become neighbours need white space to stay words */
		if (after_word && gap != NULL)
			code = buf_append(out, gap->raw, gap->raw_size);
		else if (after_word && i > 0 && !is_word(&encoded->parts[i - 1]))
			code = buf_append_str(out, " ");
		if (code == SG_OK)
			code = print_word(encoded, part, out);
		after_word = true;
		gap = NULL;
	}
	return code;
}

void encoded_free(struct encoded *encoded)
{
	free(encoded->units);
	free(encoded->parts);
	memset(encoded, 0, sizeof *encoded);
}
