#include "pdfenc/write_font.h"

#include <hb-subset.h>
#include <math.h>
#include <pango/pangofc-font.h>
#include <string.h>

#include "pdfenc/cff.h"
#include "pdfenc/write_embed.h"

#define CODES_MAX 65000u	/* of one font: they are written as two bytes */
#define SIMPLE_GLYPHS 200u	/* of a simple font at first: some want several codes */
#define SIMPLE_CODES 250u
#define SLOT_USED 0xffffu	/* until the subset is made */

/* ---- fonts and styles ---- */

static void font_free(void *data)
{
	struct write_font *font = data;

	g_free(font->slots);
	g_free(font->cids);
	hb_set_destroy(font->used);
	hb_blob_destroy(font->program);
	hb_face_destroy(font->subset);
	g_array_unref(font->codes);
	g_free(font);
}

static struct write_font *font_new(struct write_fonts *fonts, struct face *face)
{
	struct write_font *font = g_new0(struct write_font, 1);

	font->face = face;
	font->index = fonts->fonts->len + 1;
	font->codes = g_array_new(FALSE, TRUE, sizeof(struct write_code));
	font->used = hb_set_create();
	if (face != NULL)
		font->slots = g_new0(uint16_t, (size_t)face->glyphs + 1);
	g_ptr_array_add(fonts->fonts, font);
	return font;
}

static struct write_font *font_of(struct write_fonts *fonts, struct face *face)
{
	for (unsigned int i = 0; i < fonts->fonts->len; i++) {
		struct write_font *font = g_ptr_array_index(fonts->fonts, i);

		if (font->face == face)
			return font;
	}
	return font_new(fonts, face);
}

/* What fontconfig wants made where a family has no bold or oblique of its own. */
static void take_synthetic(struct write_style *style, struct _PangoFont *font)
{
	FcPattern *pattern;
	FcMatrix *matrix = NULL;
	FcBool bold = FcFalse;

	if (!PANGO_IS_FC_FONT(font))
		return;
	pattern = pango_fc_font_get_pattern(PANGO_FC_FONT(font));
	if (FcPatternGetBool(pattern, FC_EMBOLDEN, 0, &bold) == FcResultMatch && bold)
		style->bold = true;
	if (FcPatternGetMatrix(pattern, FC_MATRIX, 0, &matrix) == FcResultMatch &&
	    matrix->yy > 0 && matrix->xy / matrix->yy < 1)
		style->slant = matrix->xy / matrix->yy;
}

static struct write_style *style_new(struct write_fonts *fonts, struct _PangoFont *font)
{
	struct write_style *style = g_new0(struct write_style, 1);
	int scale;

	style->face = faces_find(fonts->faces, font);
	style->shaped = pango_font_get_hb_font(font);
	/* what it was shaped with; a description has the size of the pictures of an emoji font */
	hb_font_get_scale(style->shaped, NULL, &scale);
	style->size = round((double)scale * 100 / PANGO_SCALE) / 100;
	if (style->face->kind == FACE_TRUETYPE || style->face->kind == FACE_CFF) {
		style->font = font_of(fonts, style->face);
		take_synthetic(style, font);
	}
	g_hash_table_insert(fonts->styles, font, style);
	return style;
}

const struct write_style *write_style_of(struct write_fonts *fonts, struct _PangoFont *font)
{
	if (font == fonts->last)
		return fonts->last_style;
	fonts->last = font;
	fonts->last_style = g_hash_table_lookup(fonts->styles, font);
	if (fonts->last_style == NULL)
		fonts->last_style = style_new(fonts, font);
	return fonts->last_style;
}

void write_fonts_start(struct write_fonts *fonts, struct faces *faces)
{
	memset(fonts, 0, sizeof(*fonts));
	fonts->faces = faces;
	fonts->fonts = g_ptr_array_new_with_free_func(font_free);
	fonts->styles = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	fonts->carried = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void write_fonts_free(struct write_fonts *fonts)
{
	g_ptr_array_unref(fonts->fonts);
	g_hash_table_unref(fonts->styles);
	g_hash_table_unref(fonts->carried);
}

/* ---- subsets ---- */

void write_fonts_collect(struct write_fonts *fonts, const struct display_run *run)
{
	struct write_font *font = write_style_of(fonts, run->font)->font;

	if (font == NULL)
		return;
	for (unsigned int i = 0; i < run->glyph_count; i++) {
		unsigned int glyph = run->glyphs[i].id;

		if (glyph == 0 || glyph >= font->face->glyphs || font->slots[glyph] != 0)
			continue;
		font->slots[glyph] = SLOT_USED;
		hb_set_add(font->used, glyph);
	}
}

/* Only what draws glyphs: the pages say where they stand and what they mean. */
static hb_subset_input_t *subset_input(const struct write_font *font)
{
	static const hb_tag_t dropped[] = { HB_TAG('G', 'S', 'U', 'B'), HB_TAG('G', 'P', 'O', 'S'),
		HB_TAG('G', 'D', 'E', 'F'), HB_TAG('k', 'e', 'r', 'n'), HB_TAG('c', 'm', 'a', 'p'),
		HB_TAG('n', 'a', 'm', 'e'), HB_TAG('O', 'S', '/', '2'), HB_TAG('p', 'o', 's', 't'),
		HB_TAG('v', 'h', 'e', 'a'), HB_TAG('v', 'm', 't', 'x'), HB_TAG('V', 'O', 'R', 'G'),
		HB_TAG('B', 'A', 'S', 'E'), HB_TAG('g', 'a', 's', 'p'), HB_TAG('m', 'o', 'r', 'x'),
		HB_TAG('D', 'S', 'I', 'G'), HB_TAG('h', 'd', 'm', 'x'), HB_TAG('L', 'T', 'S', 'H'),
		HB_TAG('V', 'D', 'M', 'X'), HB_TAG('m', 'e', 't', 'a'),
		HB_TAG('P', 'C', 'L', 'T') };
	hb_subset_input_t *input = hb_subset_input_create_or_fail();
	hb_set_t *tables;

	if (input == NULL)
		return NULL;
	hb_set_union(hb_subset_input_glyph_set(input), font->used);
	tables = hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG);
	for (unsigned int i = 0; i < G_N_ELEMENTS(dropped); i++)
		hb_set_add(tables, dropped[i]);
	hb_subset_input_set_flags(input, HB_SUBSET_FLAGS_NO_HINTING);
	return input;
}

static void number_glyphs(struct write_font *font, hb_subset_plan_t *plan)
{
	const hb_map_t *map = hb_subset_plan_old_to_new_glyph_mapping(plan);
	hb_codepoint_t glyph = HB_SET_VALUE_INVALID;
	unsigned int count = 0;

	while (hb_set_next(font->used, &glyph)) {
		unsigned int slot = hb_map_get(map, glyph);

		font->slots[glyph] = (uint16_t)slot;
		count = MAX(count, slot + 1);
	}
	g_array_set_size(font->codes, count);
	glyph = HB_SET_VALUE_INVALID;
	while (hb_set_next(font->used, &glyph)) {
		struct write_code *code = &g_array_index(font->codes, struct write_code,
		    font->slots[glyph]);

		code->glyph = font->slots[glyph];
		code->width = (float)face_width(font->face, glyph);
	}
	font->subset_glyphs = count;
}

static bool take_program(struct write_font *font, hb_face_t *subset)
{
	unsigned int size;
	const char *data;

	if (font->face->kind == FACE_TRUETYPE && font->subset_glyphs <= SIMPLE_GLYPHS) {
		font->subset = hb_face_reference(subset);
		return true;
	}
	if (font->face->kind == FACE_TRUETYPE) {
		font->program = hb_face_reference_blob(subset);
		return hb_blob_get_length(font->program) > 0;
	}
	font->program = hb_face_reference_table(subset, HB_TAG('C', 'F', 'F', ' '));
	data = hb_blob_get_data(font->program, &size);
	font->cids = g_new0(uint16_t, (size_t)font->subset_glyphs + 1);
	switch (cff_cids(data, size, font->cids, font->subset_glyphs)) {
	case CFF_CIDS:
		return true;
	case CFF_NAMES:
		g_clear_pointer(&font->cids, g_free);
		return true;
	case CFF_BROKEN:
		break;
	}
	return false;
}

static bool subset(struct write_font *font)
{
	hb_subset_input_t *input = subset_input(font);
	hb_subset_plan_t *plan = input != NULL ?
	    hb_subset_plan_create_or_fail(font->face->prepared, input) : NULL;
	hb_face_t *made = plan != NULL ? hb_subset_plan_execute_or_fail(plan) : NULL;
	bool done = false;

	if (made != NULL) {
		number_glyphs(font, plan);
		done = take_program(font, made);
	}
	hb_face_destroy(made);
	hb_subset_plan_destroy(plan);
	hb_subset_input_destroy(input);
	return done;
}

/* The styles of a face lose their font: they are drawn as outlines. */
static void give_up(struct write_fonts *fonts, const struct write_font *font)
{
	GHashTableIter iter;
	void *value;

	g_hash_table_iter_init(&iter, fonts->styles);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		struct write_style *style = value;

		if (style->font == font)
			style->font = NULL;
	}
}

void write_fonts_subset(struct write_fonts *fonts)
{
	for (unsigned int i = 0; i < fonts->fonts->len; i++) {
		struct write_font *font = g_ptr_array_index(fonts->fonts, i);

		if (hb_set_is_empty(font->used) || !subset(font))
			give_up(fonts, font);
	}
}

/* ---- codes ---- */

static bool same(const struct write_code *code, const char *text, unsigned int size)
{
	return code->size == size && memcmp(code->text, text, size) == 0;
}

/* A further code for the glyph of a slot, if its font can have one. */
static unsigned int other_slot(struct write_font *font, unsigned int slot, const char *text,
    unsigned int size, bool *says)
{
	struct write_code other = g_array_index(font->codes, struct write_code, slot);

	for (unsigned int i = font->subset_glyphs; i < font->codes->len; i++) {
		const struct write_code *code = &g_array_index(font->codes, struct write_code, i);

		if (code->glyph == slot && same(code, text, size))
			return i;
	}
	if (font->face->kind != FACE_TRUETYPE || font->codes->len >=
	    (write_font_simple(font) ? SIMPLE_CODES : CODES_MAX)) {
		*says = false;
		return slot;
	}
	other.text = text;
	other.size = size;
	other.guessed = false;
	other.code = 0;
	g_array_append_val(font->codes, other);
	return font->codes->len - 1;
}

bool write_font_simple(const struct write_font *font)
{
	return font->subset != NULL;
}

static unsigned int find_slot(struct write_font *font, unsigned int glyph, const char *text,
    unsigned int size, bool guess, bool *says)
{
	unsigned int slot = glyph < font->face->glyphs ? font->slots[glyph] : 0;
	struct write_code *code = &g_array_index(font->codes, struct write_code, slot);

	*says = true;
	if (text == NULL || (guess && code->text != NULL))
		return slot;
	if (code->text == NULL || (code->guessed && !guess)) {
		code->text = text;
		code->size = size;
		code->guessed = guess;
		return slot;
	}
	if (same(code, text, size))
		return slot;
	return other_slot(font, slot, text, size, says);
}

/* A code of one byte: that of ASCII, or one that is none. There are more of them than slots. */
static void give_code(struct write_font *font, struct write_code *code)
{
	unsigned char first = code->text != NULL && code->size == 1 ?
	    (unsigned char)code->text[0] : 0;
	unsigned int next = 128;

	if (first > 0x20 - 1 && first < 0x7f && !font->taken[first]) {
		next = first;
	} else {
		/* from 128 up, then control characters, then what ASCII leaves */
		while (next != 127 && (font->taken[next & 0xff] || (next & 0xff) == 0))
			next++;
		next &= 0xff;
	}
	font->taken[next] = true;
	code->code = (uint16_t)next;
}

unsigned int write_font_slot(struct write_font *font, unsigned int glyph, const char *text,
    unsigned int size, bool guess, bool *says)
{
	unsigned int slot = find_slot(font, glyph, text, size, guess, says);
	struct write_code *code = &g_array_index(font->codes, struct write_code, slot);

	if (write_font_simple(font) && code->code == 0)
		give_code(font, code);
	return slot;
}

unsigned int write_font_code(const struct write_font *font, unsigned int slot)
{
	if (write_font_simple(font))
		return g_array_index(font->codes, struct write_code, slot).code;
	return font->cids != NULL ? font->cids[slot] : slot;
}

unsigned int write_fonts_carry(struct write_fonts *fonts, const char *text, unsigned int size,
    double width)
{
	struct write_code code = { .text = text, .size = size, .glyph = 1, .width = (float)width };
	/* what follows in the same emoji has no width of its own */
	char *key = g_strdup_printf("%c%.*s", width > 0 ? 'w' : '0', (int)size, text);
	unsigned int slot = GPOINTER_TO_UINT(g_hash_table_lookup(fonts->carried, key));

	if (fonts->carrier == NULL) {
		fonts->carrier = font_new(fonts, NULL);
		g_array_set_size(fonts->carrier->codes, 1);
		fonts->carrier->program = embed_carrier();
	}
	if (slot != 0 || fonts->carrier->codes->len >= CODES_MAX) {
		g_free(key);
		return slot;
	}
	slot = fonts->carrier->codes->len;
	g_array_append_val(fonts->carrier->codes, code);
	g_hash_table_insert(fonts->carried, key, GUINT_TO_POINTER(slot));
	return slot;
}

void write_fonts_end(struct write_fonts *fonts, struct write_file *file, GString *resources)
{
	struct embed_maps maps = { NULL, 0 };

	for (unsigned int i = 0; i < fonts->fonts->len; i++) {
		struct write_font *font = g_ptr_array_index(fonts->fonts, i);

		if (write_font_simple(font))
			font->program = embed_mapped(font);
		if (font->program == NULL)
			continue;
		g_string_append(resources, "/F");
		put_count(resources, font->index);
		put_reference(resources, embed_font(file, font, &maps));
	}
	g_free(maps.text);
}
