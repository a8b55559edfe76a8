#include "pdfenc/quick.h"

#include <hb.h>
#include <string.h>

#define SLACK 0.01f	/* points that a line may be too wide by rounding */

struct word {
	char *text;
	unsigned int size;
	bool missing;		/* a letter that the font lacks */
	float width;
	unsigned int count;
	struct quick_glyph *glyphs;	/* x and at from the word's start */
};

struct font {
	PangoFont *font;
	hb_font_t *shaper;	/* Pango's */
	float ascent;
	float height;
	GHashTable *words;
};

struct quick {
	PangoContext *context;
	PangoFontDescription *const *descriptions;
	struct font *fonts;
	unsigned int count;
	hb_buffer_t *buffer;
	GArray *lines;
	GArray *glyphs;
	float x;		/* of the line being made */
};

/* ---- words ---- */

static unsigned int word_hash(const void *key)
{
	const struct word *word = key;
	unsigned int hash = 5381;

	for (unsigned int i = 0; i < word->size; i++)
		hash = hash * 33 + (unsigned char)word->text[i];
	return hash;
}

static int word_equal(const void *a, const void *b)
{
	const struct word *one = a;
	const struct word *other = b;

	return one->size == other->size && memcmp(one->text, other->text, one->size) == 0;
}

static void word_free(void *data)
{
	struct word *word = data;

	g_free(word->text);
	g_free(word->glyphs);
	g_free(word);
}

static float points(int units)
{
	return (float)units / (float)PANGO_SCALE;
}

static void take_shape(struct word *word, hb_buffer_t *buffer)
{
	unsigned int count;
	const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &count);
	const hb_glyph_position_t *position = hb_buffer_get_glyph_positions(buffer, NULL);
	int at = 0;

	word->count = count;
	word->glyphs = g_new(struct quick_glyph, (size_t)count + 1);
	for (unsigned int i = 0; i < count; i++) {
		struct quick_glyph *glyph = &word->glyphs[i];

		glyph->id = info[i].codepoint;
		glyph->at = info[i].cluster;
		glyph->x = points(at);
		glyph->dx = points(position[i].x_offset);
		glyph->dy = points(position[i].y_offset);
		word->missing = word->missing || glyph->id == 0;
		at += position[i].x_advance;
	}
	word->width = points(at);
}

static const struct word *find_word(struct quick *quick, const struct font *font,
    const char *text, unsigned int size)
{
	struct word key = { .size = size };
	struct word *word;

	key.text = (char *)(guintptr)text;
	word = g_hash_table_lookup(font->words, &key);
	if (word != NULL)
		return word;
	word = g_new0(struct word, 1);
	word->text = g_strndup(text, size);
	word->size = size;
	hb_buffer_clear_contents(quick->buffer);
	hb_buffer_add_utf8(quick->buffer, text, (int)size, 0, (int)size);
	hb_buffer_guess_segment_properties(quick->buffer);
	hb_buffer_set_direction(quick->buffer, HB_DIRECTION_LTR);
	hb_shape(font->shaper, quick->buffer, NULL, 0);
	take_shape(word, quick->buffer);
	g_hash_table_add(font->words, word);
	return word;
}

/* ---- fonts ---- */

static const struct font *find_font(struct quick *quick, unsigned int index)
{
	struct font *font = &quick->fonts[index];
	hb_font_extents_t extents;

	if (font->font != NULL)
		return font;
	font->font = pango_context_load_font(quick->context, quick->descriptions[index]);
	if (font->font == NULL)
		return NULL;
	font->shaper = pango_font_get_hb_font(font->font);
	font->words = g_hash_table_new_full(word_hash, word_equal, word_free, NULL);
	hb_font_get_extents_for_direction(font->shaper, HB_DIRECTION_LTR, &extents);
	font->ascent = points(extents.ascender);
	font->height = points(extents.ascender - extents.descender);
	return font;
}

struct quick *quick_new(PangoContext *context, PangoFontDescription *const *descriptions,
    unsigned int count)
{
	struct quick *quick = g_new0(struct quick, 1);

	quick->context = context;
	quick->descriptions = descriptions;
	quick->count = count;
	quick->fonts = g_new0(struct font, count);
	quick->buffer = hb_buffer_create();
	quick->lines = g_array_new(FALSE, FALSE, sizeof(struct quick_line));
	quick->glyphs = g_array_new(FALSE, FALSE, sizeof(struct quick_glyph));
	return quick;
}

void quick_free(struct quick *quick)
{
	if (quick == NULL)
		return;
	for (unsigned int i = 0; i < quick->count; i++) {
		if (quick->fonts[i].font == NULL)
			continue;
		g_hash_table_unref(quick->fonts[i].words);
		g_object_unref(quick->fonts[i].font);
	}
	g_free(quick->fonts);
	hb_buffer_destroy(quick->buffer);
	g_array_unref(quick->lines);
	g_array_unref(quick->glyphs);
	g_free(quick);
}

void quick_forget(struct quick *quick)
{
	for (unsigned int i = 0; i < quick->count; i++)
		if (quick->fonts[i].words != NULL)
			g_hash_table_remove_all(quick->fonts[i].words);
}

/* ---- lines ---- */

/* Latin, Greek and Cyrillic letters without marks of their own, and their punctuation. */
static bool is_simple(gunichar c)
{
	return (c >= 0x20 && c <= 0x7e) || (c >= 0xa0 && c <= 0x24f && c != 0xad) ||
	    (c >= 0x384 && c <= 0x3ff) || (c >= 0x400 && c <= 0x45f) ||
	    (c >= 0x2012 && c <= 0x2026) || c == 0x20ac;
}

/* The end of what stays together from at on: a space, a line's end, behind a hyphen in a word. */
static size_t word_end(const char *text, size_t at, size_t size)
{
	size_t start = at;

	while (at < size && text[at] != ' ' && text[at] != '\n') {
		at++;
		if (text[at - 1] == '-' && at - 1 > start && at < size &&
		    g_ascii_isalnum(text[at - 2]) && g_ascii_isalpha(text[at]))
			break;
	}
	return at;
}

static bool all_simple(const char *text, size_t size)
{
	const char *end = text + size;

	while (text < end) {
		gunichar c = (unsigned char)*text < 0x80 ? (gunichar)*text : g_utf8_get_char(text);

		if (!is_simple(c) && c != '\n')
			return false;
		text = g_utf8_next_char(text);
	}
	return true;
}

static void add_word(struct quick *quick, const struct word *word, unsigned int at)
{
	for (unsigned int i = 0; i < word->count; i++) {
		struct quick_glyph glyph = word->glyphs[i];

		glyph.x += quick->x;
		glyph.at += at;
		g_array_append_val(quick->glyphs, glyph);
	}
	quick->x += word->width;
}

static void end_line(struct quick *quick, unsigned int end)
{
	struct quick_line line = { .end = end, .width = quick->x };

	if (quick->lines->len > 0) {
		const struct quick_line *last = &g_array_index(quick->lines, struct quick_line,
		    quick->lines->len - 1);

		line.first = last->first + last->count;
	}
	line.count = quick->glyphs->len - line.first;
	g_array_append_val(quick->lines, line);
	quick->x = 0;
}

static bool break_lines(struct quick *quick, const struct font *font, const char *text,
    size_t size, float width)
{
	size_t at = 0;

	while (at < size) {
		size_t end = text[at] == ' ' ? at + 1 : word_end(text, at, size);
		const struct word *word;

		if (text[at] == '\n') {
			end_line(quick, (unsigned int)++at);
			continue;
		}
		if (end - at > QUICK_WORD_MAX)
			return false;
		word = find_word(quick, font, text + at, (unsigned int)(end - at));
		if (word->missing || word->width > width)
			return false;
		if (text[at] != ' ' && quick->x + word->width > width + SLACK)
			end_line(quick, (unsigned int)at);
		add_word(quick, word, (unsigned int)at);
		at = end;
	}
	end_line(quick, (unsigned int)size);
	return true;
}

bool quick_break(struct quick *quick, unsigned int index, const char *text, size_t size,
    double width, struct quick_text *text_out)
{
	const struct font *font;

	if (index >= quick->count || !all_simple(text, size))
		return false;
	font = find_font(quick, index);
	if (font == NULL)
		return false;
	g_array_set_size(quick->lines, 0);
	g_array_set_size(quick->glyphs, 0);
	quick->x = 0;
	if (!break_lines(quick, font, text, size, (float)width))
		return false;
	text_out->font = font->font;
	text_out->ascent = font->ascent;
	text_out->height = font->height;
	text_out->lines = (const struct quick_line *)(void *)quick->lines->data;
	text_out->line_count = quick->lines->len;
	text_out->glyphs = (const struct quick_glyph *)(void *)quick->glyphs->data;
	return true;
}
