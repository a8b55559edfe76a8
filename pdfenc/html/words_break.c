#include <string.h>

#include "pdfenc/html/words.h"

static void give(words_text_fn *fn, void *context, const char *text, size_t size)
{
	char small[64];
	char *copy = size < sizeof(small) ? small : g_malloc(size + 1);

	memcpy(copy, text, size);
	copy[size] = '\0';
	fn(context, copy);
	if (copy != small)
		g_free(copy);
}

/* Thai has no spaces, Han breaks nearly everywhere: Pango knows the rules of all scripts. */
static void split_word(const char *text, size_t size, words_text_fn *word, void *context)
{
	glong count = g_utf8_strlen(text, (gssize)size);
	PangoLogAttr *attributes = g_new0(PangoLogAttr, (gsize)count + 1);
	const char *start = text;
	const char *at = text;

	pango_get_log_attrs(text, (int)size, -1, NULL, attributes, (int)count + 1);
	for (glong i = 0; i < count; i++) {
		if (i > 0 && (attributes[i].is_line_break ||
		    (size_t)(at - start) > 4 * WORDS_PIECE_MAX)) {
			give(word, context, start, (size_t)(at - start));
			start = at;
		}
		at = g_utf8_next_char(at);
	}
	give(word, context, start, (size_t)(text + size - start));
	g_free(attributes);
}

static bool is_break_after(char c)
{
	return c == '-' || c == '/' || c == '?' || c == '&' || c == '=';
}

/* Letters of one width class: a break behind a hyphen, and in addresses that are too long. */
static void split_ascii(const char *text, size_t size, words_text_fn *word, void *context)
{
	size_t start = 0;

	for (size_t i = 1; i < size; i++) {
		bool hyphen = text[i - 1] == '-' && i > 1 && g_ascii_isalpha(text[i]) &&
		    g_ascii_isalpha(text[i - 2]);
		bool mark = size > WORDS_PIECE_MAX / 2 && is_break_after(text[i - 1]) &&
		    !is_break_after(text[i]);

		if (hyphen || mark || i - start >= WORDS_PIECE_MAX) {
			give(word, context, text + start, i - start);
			start = i;
		}
	}
	give(word, context, text + start, size - start);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void words_split(const char *text, words_text_fn *word, words_text_fn *space, void *context)
{
	const char *at = text;

	while (*at != '\0') {
		const char *start = at;
		bool ascii = true;

		if (is_space(*at)) {
			give(space, context, at, 1);
			at++;
			continue;
		}
		for (; *at != '\0' && !is_space(*at); at++)
			ascii = ascii && (*at & 0x80) == 0;
		if (ascii)
			split_ascii(start, (size_t)(at - start), word, context);
		else
			split_word(start, (size_t)(at - start), word, context);
	}
}
