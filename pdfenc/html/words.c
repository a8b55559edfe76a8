#include "pdfenc/html/words_private.h"

#include <hb.h>
#include <math.h>
#include <string.h>

#include "gateway/base/str.h"

#define FONTS_MAX 500u		/* of one body; what comes later looks like the last one */
#define SIZE_MAX_POINTS 200.0
#define X_HEIGHT 0.52		/* of an em */

/* ---- fonts ---- */

/* Names that mail uses, and what stands for them. */
static const struct {
	const char *name;
	const char *family;
} families[] = {
	{ "calibri", "Carlito" }, { "carlito", "Carlito" }, { "candara", "Carlito" },
	{ "aptos", "Carlito" }, { "corbel", "Carlito" },
	{ "georgia", "Liberation Serif" }, { "times", "Liberation Serif" },
	{ "times new roman", "Liberation Serif" }, { "serif", "Liberation Serif" },
	{ "cambria", "Liberation Serif" }, { "garamond", "Liberation Serif" },
	{ "palatino", "Liberation Serif" }, { "palatino linotype", "Liberation Serif" },
	{ "book antiqua", "Liberation Serif" }, { "merriweather", "Liberation Serif" },
	{ "playfair display", "Liberation Serif" }, { "lora", "Liberation Serif" },
	{ "courier", "Liberation Mono" }, { "courier new", "Liberation Mono" },
	{ "consolas", "Liberation Mono" }, { "monaco", "Liberation Mono" },
	{ "menlo", "Liberation Mono" }, { "monospace", "Liberation Mono" },
	{ "lucida console", "Liberation Mono" }, { "sf mono", "Liberation Mono" },
	{ "sfmono-regular", "Liberation Mono" }, { "ui-monospace", "Liberation Mono" },
	{ "andale mono", "Liberation Mono" }, { "roboto mono", "Liberation Mono" },
	{ "arial", "Liberation Sans" }, { "helvetica", "Liberation Sans" },
	{ "helvetica neue", "Liberation Sans" }, { "verdana", "Liberation Sans" },
	{ "tahoma", "Liberation Sans" }, { "segoe ui", "Liberation Sans" },
	{ "roboto", "Liberation Sans" }, { "sans-serif", "Liberation Sans" },
	{ "system-ui", "Liberation Sans" }, { "trebuchet ms", "Liberation Sans" },
	{ "lucida grande", "Liberation Sans" }, { "open sans", "Liberation Sans" },
};

static const char *family_of(const char *list)
{
	char **names = g_strsplit(list, ",", 20);
	const char *found = NULL;

	for (char **name = names; *name != NULL && found == NULL; name++) {
		g_strdelimit(*name, "'\"", ' ');
		g_strstrip(*name);
		str_lower(*name);
		for (size_t i = 0; i < G_N_ELEMENTS(families) && found == NULL; i++)
			if (strcmp(families[i].name, *name) == 0)
				found = families[i].family;
	}
	g_strfreev(names);
	return found != NULL ? found : "Liberation Sans";
}

static void read_metrics(struct words *words, struct words_font *font)
{
	hb_font_extents_t extents;
	double unit = PANGO_SCALE * (double)words->scale;

	memset(&extents, 0, sizeof(extents));
	hb_font_get_h_extents(font->shaper, &extents);
	/* the gap between lines goes half above, half below, as browsers do */
	font->metrics.ascent = (int)lround((extents.ascender + extents.line_gap / 2.0) / unit);
	font->metrics.descent = (int)lround((extents.line_gap / 2.0 - extents.descender) / unit);
	font->metrics.x_height = (int)lround(X_HEIGHT * (double)(font->size / words->scale));
}

static void load_font(struct words *words, const struct words_style *style, const char *family,
    struct words_font *font)
{
	double size = MIN((double)style->size * (double)words->scale, SIZE_MAX_POINTS);
	char *list = g_strdup_printf("%s, Noto Sans, sans-serif", family);

	memset(font, 0, sizeof(*font));
	font->size = (float)MAX(size, 0.1);
	font->decoration = style->decoration;
	font->description = pango_font_description_new();
	pango_font_description_set_family(font->description, list);
	pango_font_description_set_absolute_size(font->description,
	    (double)font->size * PANGO_SCALE);
	pango_font_description_set_weight(font->description, style->weight >= 550 ?
	    PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
	pango_font_description_set_style(font->description, style->italic ?
	    PANGO_STYLE_ITALIC : PANGO_STYLE_NORMAL);
	font->font = pango_context_load_font(words->context, font->description);
	font->shaper = pango_font_get_hb_font(font->font);
	read_metrics(words, font);
	g_free(list);
}

unsigned int words_font(struct words *words, const struct words_style *style,
    struct words_metrics *metrics_out)
{
	const char *family = family_of(style->family);
	char *name = g_strdup_printf("%s %d %d %d %u", family, style->size,
	    style->weight >= 550, style->italic, style->decoration);
	unsigned int number = GPOINTER_TO_UINT(g_hash_table_lookup(words->names, name));

	if (number == 0 && words->fonts->len >= FONTS_MAX)
		number = words->fonts->len;
	if (number == 0) {
		struct words_font font;

		load_font(words, style, family, &font);
		g_array_append_val(words->fonts, font);
		number = words->fonts->len;
		g_hash_table_insert(words->names, g_strdup(name), GUINT_TO_POINTER(number));
	}
	g_free(name);
	*metrics_out = g_array_index(words->fonts, struct words_font, number - 1).metrics;
	return number - 1;
}

struct words_font *words_font_at(const struct words *words, unsigned int font)
{
	return &g_array_index(words->fonts, struct words_font, font);
}

void words_extent(const struct words *words, unsigned int font, float *ascent_out,
    float *descent_out, float *size_out)
{
	const struct words_font *f = words_font_at(words, font);

	*ascent_out = (float)f->metrics.ascent * words->scale;
	*descent_out = (float)f->metrics.descent * words->scale;
	*size_out = f->size;
}

unsigned int words_decoration(const struct words *words, unsigned int font)
{
	return words_font_at(words, font)->decoration;
}

/* ---- shaping ---- */

static float points(int units)
{
	return (float)units / (float)PANGO_SCALE;
}

/* Letters that every Latin font has: most words of most mail. */
static bool is_simple(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f || *p > 0xc5)
			return false;
		/* U+00A0 to U+017F, without the soft hyphen */
		if (*p >= 0x80) {
			if (*p < 0xc2 || (*p == 0xc2 && (p[1] < 0xa0 || p[1] == 0xad)))
				return false;
			p++;
		}
	}
	return true;
}

static void shape_simple(struct words *words, struct words_word *word)
{
	struct words_font *font = words_font_at(words, word->font);
	struct words_part *part = g_new0(struct words_part, 1);
	hb_glyph_info_t *info;
	hb_glyph_position_t *position;
	unsigned int count;
	int at = 0;

	hb_buffer_clear_contents(words->buffer);
	hb_buffer_add_utf8(words->buffer, word->text, -1, 0, -1);
	hb_buffer_set_direction(words->buffer, HB_DIRECTION_LTR);
	hb_buffer_set_script(words->buffer, HB_SCRIPT_LATIN);
	hb_shape(font->shaper, words->buffer, NULL, 0);
	info = hb_buffer_get_glyph_infos(words->buffer, &count);
	position = hb_buffer_get_glyph_positions(words->buffer, &count);
	part->font = g_object_ref(font->font);
	part->size = (unsigned int)strlen(word->text);
	part->glyphs = g_new0(struct display_glyph, count);
	part->clusters = g_new0(struct display_cluster, count);
	part->glyph_count = count;
	for (unsigned int i = 0; i < count; i++) {
		unsigned int next = i + 1 < count ? info[i + 1].cluster : part->size;
		struct display_cluster *cluster = &part->clusters[part->cluster_count];

		part->glyphs[i].id = info[i].codepoint;
		part->glyphs[i].x = points(at + position[i].x_offset);
		part->glyphs[i].y = -points(position[i].y_offset);
		at += position[i].x_advance;
		cluster->glyphs++;
		if (next != info[i].cluster) {
			cluster->bytes = (uint16_t)(next - info[i].cluster);
			part->cluster_count++;
		}
	}
	part->width = points(at);
	word->parts = part;
	word->part_count = 1;
	word->width = part->width;
}

static unsigned int shown(const PangoGlyphString *glyphs, int start, int end)
{
	unsigned int count = 0;

	for (int i = start; i < end; i++)
		count += glyphs->glyphs[i].glyph != PANGO_GLYPH_EMPTY;
	return count;
}

static void take_clusters(struct words_part *part, PangoGlyphItem *item, const char *text)
{
	PangoGlyphItemIter iter;

	for (gboolean more = pango_glyph_item_iter_init_start(&iter, item, text); more;
	    more = pango_glyph_item_iter_next_cluster(&iter)) {
		struct display_cluster *cluster = &part->clusters[part->cluster_count++];

		cluster->bytes = (uint16_t)(iter.end_index - iter.start_index);
		cluster->glyphs = (uint16_t)(part->backward ?
		    shown(item->glyphs, iter.end_glyph + 1, iter.start_glyph + 1) :
		    shown(item->glyphs, iter.start_glyph, iter.end_glyph));
	}
}

void words_part_take(PangoGlyphItem *item, const char *text, struct words_part *part)
{
	const PangoGlyphString *glyphs = item->glyphs;
	int at = 0;

	memset(part, 0, sizeof(*part));
	part->font = g_object_ref(item->item->analysis.font);
	part->start = (unsigned int)item->item->offset;
	part->size = (unsigned int)item->item->length;
	part->backward = (item->item->analysis.level & 1) != 0;
	part->glyphs = g_new0(struct display_glyph, (gsize)glyphs->num_glyphs);
	part->clusters = g_new0(struct display_cluster, (gsize)glyphs->num_glyphs + 1);
	for (int i = 0; i < glyphs->num_glyphs; i++) {
		const PangoGlyphInfo *info = &glyphs->glyphs[i];
		struct display_glyph *glyph = &part->glyphs[part->glyph_count];

		if (info->glyph != PANGO_GLYPH_EMPTY) {
			glyph->id = (info->glyph & PANGO_GLYPH_UNKNOWN_FLAG) != 0 ? 0 : info->glyph;
			glyph->x = points(at + info->geometry.x_offset);
			glyph->y = points(info->geometry.y_offset);
			part->glyph_count++;
		}
		at += info->geometry.width;
	}
	part->width = points(at);
	take_clusters(part, item, text);
}

void words_part_clear(struct words_part *part)
{
	if (part->font != NULL)
		g_object_unref(part->font);
	part->font = NULL;
	g_free(part->glyphs);
	g_free(part->clusters);
}

static void shape_any(struct words *words, struct words_word *word)
{
	PangoAttrList *attributes = pango_attr_list_new();
	size_t size = strlen(word->text);
	GList *items;
	GArray *parts = g_array_new(FALSE, TRUE, sizeof(struct words_part));

	pango_attr_list_insert(attributes,
	    pango_attr_font_desc_new(words_font_at(words, word->font)->description));
	items = pango_itemize(words->context, word->text, 0, (int)size, attributes, NULL);
	for (GList *l = items; l != NULL; l = l->next) {
		PangoGlyphItem item;
		struct words_part part;

		memset(&item, 0, sizeof(item));
		item.item = l->data;
		item.glyphs = pango_glyph_string_new();
		pango_shape_full(word->text + item.item->offset, item.item->length, word->text,
		    (int)size, &item.item->analysis, item.glyphs);
		if (item.item->analysis.font != NULL) {
			words_part_take(&item, word->text, &part);
			word->mixed = word->mixed || part.backward;
			word->width += part.width;
			g_array_append_val(parts, part);
		}
		pango_glyph_string_free(item.glyphs);
		pango_item_free(item.item);
	}
	g_list_free(items);
	pango_attr_list_unref(attributes);
	word->part_count = parts->len;
	word->parts = (struct words_part *)(void *)g_array_free(parts, FALSE);
}

const struct words_word *words_word(struct words *words, const char *text, unsigned int font)
{
	struct words_word key = { .text = (char *)(guintptr)text, .font = font };
	struct words_word *word = g_hash_table_lookup(words->cache, &key);

	if (word != NULL)
		return word;
	word = g_new0(struct words_word, 1);
	word->text = g_strdup(text);
	word->font = font;
	if (is_simple(text))
		shape_simple(words, word);
	else
		shape_any(words, word);
	g_hash_table_add(words->cache, word);
	return word;
}

int words_width(struct words *words, const char *text, unsigned int font)
{
	if (text[0] == '\0')
		return 0;
	return (int)lround((double)(words_word(words, text, font)->width / words->scale));
}

/* ---- the whole ---- */

static guint word_hash(const void *data)
{
	const struct words_word *word = data;

	return g_str_hash(word->text) * 31 + word->font;
}

static gboolean word_equal(const void *a, const void *b)
{
	const struct words_word *one = a;
	const struct words_word *other = b;

	return one->font == other->font && strcmp(one->text, other->text) == 0;
}

static void word_free(void *data)
{
	struct words_word *word = data;

	for (unsigned int i = 0; i < word->part_count; i++)
		words_part_clear(&word->parts[i]);
	g_free(word->parts);
	g_free(word->text);
	g_free(word);
}

static void font_clear(void *data)
{
	struct words_font *font = data;

	pango_font_description_free(font->description);
	g_object_unref(font->font);
}

struct words *words_new(PangoContext *context, float scale)
{
	struct words *words = g_new0(struct words, 1);

	words->context = context;
	words->scale = scale;
	words->fonts = g_array_new(FALSE, TRUE, sizeof(struct words_font));
	g_array_set_clear_func(words->fonts, font_clear);
	words->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	words->cache = g_hash_table_new_full(word_hash, word_equal, word_free, NULL);
	words->buffer = hb_buffer_create();
	return words;
}

void words_free(struct words *words)
{
	if (words == NULL)
		return;
	g_hash_table_unref(words->cache);
	g_hash_table_unref(words->names);
	g_array_unref(words->fonts);
	hb_buffer_destroy(words->buffer);
	g_free(words);
}
