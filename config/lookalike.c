#include "config/lookalike.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/encoded.h"
#include "config/subject.h"
#include "gateway/base/str.h"

/* By code point; upper case letters as lower case, as tags are read. */
static const struct {
	uint32_t sign;
	char looks;
} signs[] = {
	{ 0x0131, 'i' }, { 0x017f, 's' }, { 0x0251, 'a' }, { 0x0261, 'g' }, { 0x026a, 'i' },
	{ 0x0280, 'r' }, { 0x028f, 'y' },
	/* Greek */
	{ 0x0391, 'a' }, { 0x0392, 'b' }, { 0x0395, 'e' }, { 0x0396, 'z' }, { 0x0397, 'h' },
	{ 0x0399, 'i' }, { 0x039a, 'k' }, { 0x039c, 'm' }, { 0x039d, 'n' }, { 0x039f, 'o' },
	{ 0x03a1, 'p' }, { 0x03a4, 't' }, { 0x03a5, 'y' }, { 0x03a7, 'x' }, { 0x03b1, 'a' },
	{ 0x03b9, 'i' }, { 0x03ba, 'k' }, { 0x03bd, 'v' }, { 0x03bf, 'o' }, { 0x03c1, 'p' },
	{ 0x03c4, 't' }, { 0x03c5, 'u' }, { 0x03f2, 'c' }, { 0x03f3, 'j' }, { 0x03f9, 'c' },
	/* Cyrillic */
	{ 0x0405, 's' }, { 0x0406, 'i' }, { 0x0408, 'j' }, { 0x0410, 'a' }, { 0x0412, 'b' },
	{ 0x0415, 'e' }, { 0x041a, 'k' }, { 0x041c, 'm' }, { 0x041d, 'h' }, { 0x041e, 'o' },
	{ 0x0420, 'p' }, { 0x0421, 'c' }, { 0x0422, 't' }, { 0x0423, 'y' }, { 0x0425, 'x' },
	{ 0x0430, 'a' }, { 0x0433, 'r' }, { 0x0435, 'e' }, { 0x043a, 'k' }, { 0x043e, 'o' },
	{ 0x0440, 'p' }, { 0x0441, 'c' }, { 0x0442, 't' }, { 0x0443, 'y' }, { 0x0445, 'x' },
	{ 0x0455, 's' }, { 0x0456, 'i' }, { 0x0458, 'j' }, { 0x0475, 'v' }, { 0x04ae, 'y' },
	{ 0x04af, 'y' }, { 0x04bb, 'h' }, { 0x04c0, 'l' }, { 0x04cf, 'l' }, { 0x0501, 'd' },
	{ 0x050c, 'g' }, { 0x051b, 'q' }, { 0x051d, 'w' },
	/* Armenian */
	{ 0x0570, 'h' }, { 0x0578, 'n' }, { 0x057d, 'u' }, { 0x0581, 'g' }, { 0x0585, 'o' },
	/* brackets */
	{ 0x2045, '[' }, { 0x2046, ']' }, { 0x2772, '[' }, { 0x2773, ']' }, { 0x27e6, '[' },
	{ 0x27e7, ']' }, { 0x298b, '[' }, { 0x298c, ']' }, { 0x3014, '[' }, { 0x3015, ']' },
	{ 0x301a, '[' }, { 0x301b, ']' },
	{ 0x2113, 'l' }, { 0x212f, 'e' }, { 0x2134, 'o' },
};

/* Nothing is seen of these: joiners, marks of direction, accents put on the letter before. */
static bool is_invisible(uint32_t sign)
{
	return sign == 0xad || (sign >= 0x300 && sign <= 0x36f) || sign == 0x61c ||
	    sign == 0x180e || (sign >= 0x200b && sign <= 0x200f) ||
	    (sign >= 0x202a && sign <= 0x202e) || (sign >= 0x2060 && sign <= 0x206f) ||
	    (sign >= 0xfe00 && sign <= 0xfe0f) || sign == 0xfeff || sign >= 0xe0000;
}

static bool is_space(uint32_t sign)
{
	return sign == 0xa0 || (sign >= 0x2000 && sign <= 0x200a) || sign == 0x2028 ||
	    sign == 0x2029 || sign == 0x202f || sign == 0x205f || sign == 0x3000;
}

/* The ASCII character that it looks like, '\0' if none. */
static char looks_like(uint32_t sign)
{
	if (is_space(sign))
		return ' ';
	if (sign >= 0xff01 && sign <= 0xff5e)
		return str_lower_char((char)(sign - 0xff01 + '!'));
	/* bold, italic, script and the like: alphabets of 52 letters one after the other */
	if (sign >= 0x1d400 && sign <= 0x1d6a3)
		return (char)('a' + (sign - 0x1d400) % 26);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i].sign == sign)
			return signs[i].looks;
	return '\0';
}

/* The code point of a valid character of size bytes. */
static uint32_t code_point(const char *text, size_t size)
{
	static const unsigned char masks[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t sign = (unsigned char)text[0] & masks[size];

	for (size_t i = 1; i < size; i++)
		sign = sign << 6 | ((unsigned char)text[i] & 0x3f);
	return sign;
}

size_t lookalike_plain(char *text, size_t size)
{
	size_t out = 0;
	size_t at = 0;

	while (at < size) {
		size_t length = str_utf8_char(text + at, size - at);
		uint32_t sign = length > 1 && length <= 4 ? code_point(text + at, length) : 0;
		char looks = sign != 0 ? looks_like(sign) : '\0';

		if (length == 0)
			length = 1;	/* no UTF-8: stays */
		if (looks != '\0') {
			text[out++] = looks;
		} else if (sign == 0 || !is_invisible(sign)) {
			memmove(text + out, text + at, length);
			out += length;
		}
		at += length;
	}
	return out;
}

/* The decoded text, its look-alikes replaced; the caller frees. NULL: out of memory. */
static char *plain_text(const struct encoded *encoded, bool *changed_out)
{
	char *text = calloc(encoded->unit_count + 1, 1);
	size_t size;

	if (text == NULL)
		return NULL;
	for (size_t i = 0; i < encoded->unit_count; i++)
		text[i] = encoded->units[i].byte == '\0' ? ' ' : (char)encoded->units[i].byte;
	size = lookalike_plain(text, encoded->unit_count);
	*changed_out = size != encoded->unit_count;
	text[size] = '\0';
	return text;
}

enum fail_code lookalike_match(const struct conf *conf, const char *value, bool *found_out,
    struct fail *f)
{
	struct encoded encoded = { 0 };
	struct subject_words words = { 0 };
	bool changed = false;
	char *text = NULL;
	char *rest = NULL;
	enum fail_code code;

	*found_out = false;
	if (strlen(value) > SUBJECT_MAX)
		return fail_set(f, SG_ELIMIT, NULL, "the subject is too long");
	code = encoded_parse(value, &encoded);
	if (code == SG_OK) {
		text = plain_text(&encoded, &changed);
		code = text == NULL ? SG_ENOMEM : SG_OK;
	}
	if (code != SG_OK)
		code = fail_set(f, code, NULL, "no memory for the subject");
	else if (changed)
		code = subject_match(conf, text, &words, &rest, f);
	*found_out = rest != NULL;
	free(rest);
	free(text);
	encoded_free(&encoded);
	return code;
}
