#include "pdfenc/html/words.h"

#include <hb.h>
#include <math.h>
#include <string.h>

#include "gateway/base/str.h"

#define FONTS_MAX 500u		/* of one body; what comes later looks like the last one */
#define SIZE_MAX_POINTS 200.0
#define X_HEIGHT 0.52		/* of an em */

/* Shaped text of one font, from x = 0. */
struct part {
	PangoFont *font;
	struct display_glyph *glyphs;
	struct display_cluster *clusters;
	unsigned int glyph_count;
	unsigned int cluster_count;
	unsigned int start;	/* bytes of the word's text */
	unsigned int size;
	bool backward;
	float width;
};

struct word {
	char *text;
	unsigned int font;
	struct part *parts;
	unsigned int part_count;
	float width;		/* points */
	bool mixed;		/* has letters that run from right to left */
};

struct font {
	PangoFontDescription *description;
	PangoFont *font;
	hb_font_t *shaper;	/* borrowed from font */
	struct words_metrics metrics;
	float size;		/* points */
	unsigned int decoration;
};

struct words {
	PangoContext *context;
	float scale;
	GArray *fonts;		/* struct font */
	GHashTable *names;	/* style as text -> number + 1 */
	GHashTable *cache;	/* struct word */
	hb_buffer_t *buffer;
};

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

static void read_metrics(struct words *words, struct font *font)
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
    struct font *font)
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
		struct font font;

		load_font(words, style, family, &font);
		g_array_append_val(words->fonts, font);
		number = words->fonts->len;
		g_hash_table_insert(words->names, g_strdup(name), GUINT_TO_POINTER(number));
	}
	g_free(name);
	*metrics_out = g_array_index(words->fonts, struct font, number - 1).metrics;
	return number - 1;
}

static struct font *font_at(const struct words *words, unsigned int font)
{
	return &g_array_index(words->fonts, struct font, font);
}

void words_extent(const struct words *words, unsigned int font, float *ascent_out,
    float *descent_out, float *size_out)
{
	const struct font *f = font_at(words, font);

	*ascent_out = (float)f->metrics.ascent * words->scale;
	*descent_out = (float)f->metrics.descent * words->scale;
	*size_out = f->size;
}

unsigned int words_decoration(const struct words *words, unsigned int font)
{
	return font_at(words, font)->decoration;
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

static void shape_simple(struct words *words, struct word *word)
{
	struct font *font = font_at(words, word->font);
	struct part *part = g_new0(struct part, 1);
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

static void take_clusters(struct part *part, PangoGlyphItem *item, const char *text)
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

static void take_part(PangoGlyphItem *item, const char *text, struct part *part)
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

static void free_part(struct part *part)
{
	g_clear_object(&part->font);
	g_free(part->glyphs);
	g_free(part->clusters);
}

static void shape_any(struct words *words, struct word *word)
{
	PangoAttrList *attributes = pango_attr_list_new();
	size_t size = strlen(word->text);
	GList *items;
	GArray *parts = g_array_new(FALSE, TRUE, sizeof(struct part));

	pango_attr_list_insert(attributes,
	    pango_attr_font_desc_new(font_at(words, word->font)->description));
	items = pango_itemize(words->context, word->text, 0, (int)size, attributes, NULL);
	for (GList *l = items; l != NULL; l = l->next) {
		PangoGlyphItem item = { .item = l->data, .glyphs = pango_glyph_string_new() };
		struct part part;

		pango_shape_full(word->text + item.item->offset, item.item->length, word->text,
		    (int)size, &item.item->analysis, item.glyphs);
		if (item.item->analysis.font != NULL) {
			take_part(&item, word->text, &part);
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
	word->parts = (struct part *)(void *)g_array_free(parts, FALSE);
}

static const struct word *word_of(struct words *words, const char *text, unsigned int font)
{
	struct word key = { .text = (char *)(guintptr)text, .font = font };
	struct word *word = g_hash_table_lookup(words->cache, &key);

	if (word != NULL)
		return word;
	word = g_new0(struct word, 1);
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
	return (int)lround((double)(word_of(words, text, font)->width / words->scale));
}

/* ---- breaks ---- */

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

/* ---- lines ---- */

/* A run that grows as long as font, colour and element stay. */
struct run {
	PangoFont *font;
	struct display_color color;
	unsigned int element;
	GArray *glyphs;
	GArray *clusters;
	GString *text;
	bool backward;
	float end;
	float start;
};

struct line {
	struct words *words;
	struct sheet *sheet;
	struct run run;
	float baseline;
	float top;
	float bottom;
};

static void close_run(struct line *line)
{
	struct run *run = &line->run;
	struct display_run *out;
	struct display *display = line->sheet->display;

	if (run->font != NULL && run->text->len > 0) {
		out = &sheet_content(line->sheet, DISPLAY_RUN, line->top, line->bottom,
		    run->element)->as.run;
		out->font = run->font;
		display_hold_font(display, out->font);
		out->color = run->color;
		out->glyph_count = run->glyphs->len;
		out->glyphs = display_array(display, run->glyphs->len, sizeof(*out->glyphs));
		memcpy(out->glyphs, run->glyphs->data, run->glyphs->len * sizeof(*out->glyphs));
		out->cluster_count = run->clusters->len;
		out->clusters = display_array(display, run->clusters->len, sizeof(*out->clusters));
		memcpy(out->clusters, run->clusters->data,
		    run->clusters->len * sizeof(*out->clusters));
		out->text = display_text(display, run->text->str, run->text->len);
		out->text_size = (unsigned int)run->text->len;
		out->backward = run->backward;
		out->width = run->end - run->start;
	}
	g_array_set_size(run->glyphs, 0);
	g_array_set_size(run->clusters, 0);
	g_string_truncate(run->text, 0);
	run->font = NULL;
}

static bool same_color(const struct display_color *a, const struct display_color *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void add_part(struct line *line, const struct words_piece *piece, const struct part *part,
    const char *text, float x)
{
	struct run *run = &line->run;

	if (run->font != part->font || run->backward || part->backward ||
	    run->element != piece->element || !same_color(&run->color, &piece->color))
		close_run(line);
	if (run->font == NULL) {
		run->font = part->font;
		run->color = piece->color;
		run->element = piece->element;
		run->backward = part->backward;
		run->start = x;
	}
	for (unsigned int i = 0; i < part->glyph_count; i++) {
		struct display_glyph glyph = part->glyphs[i];

		glyph.x += x;
		glyph.y += line->baseline;
		g_array_append_val(run->glyphs, glyph);
	}
	g_array_append_vals(run->clusters, part->clusters, part->cluster_count);
	g_string_append_len(run->text, text + part->start, (gssize)part->size);
	run->end = x + part->width;
}

static void draw_forward(struct line *line, const struct words_piece *pieces, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct word *word = word_of(line->words, pieces[i].text, pieces[i].font);
		float x = pieces[i].x;

		for (unsigned int k = 0; k < word->part_count; k++) {
			add_part(line, &pieces[i], &word->parts[k], word->text, x);
			x += word->parts[k].width;
		}
	}
}

/* Underlines and links of a piece, at x as drawn. */
static void decorate(struct line *line, const struct words_piece *piece, float x, float width)
{
	static const struct {
		unsigned int bit;
		float at;	/* of the size, below the baseline */
	} rules[] = { { WORDS_UNDERLINE, 0.11f }, { WORDS_STRIKE, -0.29f },
		{ WORDS_OVERLINE, -0.86f } };
	const struct font *font = font_at(line->words, piece->font);

	for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
		struct display_box *box;

		if ((font->decoration & rules[i].bit) == 0)
			continue;
		box = &sheet_ground(line->sheet, DISPLAY_BOX, line->top, line->bottom)->as.box;
		box->x = x;
		box->y = line->baseline + rules[i].at * font->size;
		box->width = width;
		box->height = MAX(font->size * 0.055f, 0.4f);
		box->color = piece->color;
	}
}

static void link_area(struct line *line, const struct words_piece *piece, float x, float width)
{
	struct display_item *last = NULL;
	struct display_link *link;

	if (line->sheet->content->len > 0)
		last = &g_array_index(line->sheet->content, struct sheet_item,
		    line->sheet->content->len - 1).item;
	if (last != NULL && last->kind == DISPLAY_LINK && last->as.link.uri == piece->uri &&
	    last->as.link.y == line->top && x >= last->as.link.x) {
		last->as.link.width = x + width - last->as.link.x;
		return;
	}
	link = &sheet_content(line->sheet, DISPLAY_LINK, line->top, line->bottom,
	    piece->element)->as.link;
	link->x = x;
	link->y = line->top;
	link->width = width;
	link->height = line->bottom - line->top;
	link->uri = piece->uri;
}

static const struct words_piece *piece_at(const struct words_piece *pieces, unsigned int count,
    const unsigned int *offsets, unsigned int offset)
{
	unsigned int i = 0;

	while (i + 1 < count && offsets[i + 1] <= offset)
		i++;
	return &pieces[i];
}

static void attribute(PangoAttrList *list, PangoAttribute *a, unsigned int start, unsigned int end)
{
	a->start_index = start;
	a->end_index = end;
	pango_attr_list_insert(list, a);
}

/* The whole line shaped again, in visual order, from the left end of its pieces. */
static void draw_mixed(struct line *line, const struct words_piece *pieces, unsigned int count,
    bool backward)
{
	PangoLayout *layout = pango_layout_new(line->words->context);
	PangoAttrList *list = pango_attr_list_new();
	GString *text = g_string_new(NULL);
	unsigned int *offsets = g_new0(unsigned int, count);
	float x = pieces[0].x;

	for (unsigned int i = 0; i < count; i++) {
		offsets[i] = (unsigned int)text->len;
		g_string_append(text, pieces[i].text);
		attribute(list, pango_attr_font_desc_new(font_at(line->words,
		    pieces[i].font)->description), offsets[i], (unsigned int)text->len);
		/* runs end where what is drawn changes */
		attribute(list, pango_attr_foreground_new((guint16)(i * 7), (guint16)(i >> 8), 0),
		    offsets[i], (unsigned int)text->len);
		x = MIN(x, pieces[i].x);
	}
	pango_layout_set_attributes(layout, list);
	pango_layout_set_single_paragraph_mode(layout, TRUE);
	pango_layout_set_auto_dir(layout, FALSE);
	pango_context_set_base_dir(line->words->context, backward ? PANGO_DIRECTION_RTL :
	    PANGO_DIRECTION_LTR);
	pango_layout_context_changed(layout);
	pango_layout_set_text(layout, text->str, (int)text->len);
	for (GSList *l = pango_layout_get_line_readonly(layout, 0)->runs; l != NULL; l = l->next) {
		PangoGlyphItem *item = l->data;
		const struct words_piece *piece = piece_at(pieces, count, offsets,
		    (unsigned int)item->item->offset);
		struct part part;

		if (item->item->analysis.font == NULL)
			continue;
		take_part(item, text->str, &part);
		add_part(line, piece, &part, text->str, x);
		close_run(line);
		decorate(line, piece, x, part.width);
		if (piece->uri != NULL)
			link_area(line, piece, x, part.width);
		x += part.width;
		free_part(&part);
	}
	pango_context_set_base_dir(line->words->context, PANGO_DIRECTION_LTR);
	g_object_unref(layout);
	pango_attr_list_unref(list);
	g_string_free(text, TRUE);
	g_free(offsets);
}

void words_line(struct words *words, struct sheet *sheet, const struct words_piece *pieces,
    unsigned int count, float baseline, bool backward)
{
	struct line line = { .words = words, .sheet = sheet, .baseline = baseline,
		.top = baseline, .bottom = baseline };
	bool mixed = backward;

	line.run.glyphs = g_array_new(FALSE, FALSE, sizeof(struct display_glyph));
	line.run.clusters = g_array_new(FALSE, FALSE, sizeof(struct display_cluster));
	line.run.text = g_string_new(NULL);
	for (unsigned int i = 0; i < count; i++) {
		const struct font *font = font_at(words, pieces[i].font);

		line.top = MIN(line.top, baseline - (float)font->metrics.ascent * words->scale);
		line.bottom = MAX(line.bottom, baseline +
		    (float)font->metrics.descent * words->scale);
		mixed = mixed || word_of(words, pieces[i].text, pieces[i].font)->mixed;
	}
	sheet_span(sheet, line.top, line.bottom, true);
	if (mixed) {
		draw_mixed(&line, pieces, count, backward);
	} else {
		draw_forward(&line, pieces, count);
		close_run(&line);
		for (unsigned int i = 0; i < count; i++) {
			decorate(&line, &pieces[i], pieces[i].x, pieces[i].width);
			if (pieces[i].uri != NULL)
				link_area(&line, &pieces[i], pieces[i].x, pieces[i].width);
		}
	}
	close_run(&line);
	g_array_unref(line.run.glyphs);
	g_array_unref(line.run.clusters);
	g_string_free(line.run.text, TRUE);
}

/* ---- the whole ---- */

static guint word_hash(const void *data)
{
	const struct word *word = data;

	return g_str_hash(word->text) * 31 + word->font;
}

static gboolean word_equal(const void *a, const void *b)
{
	const struct word *one = a;
	const struct word *other = b;

	return one->font == other->font && strcmp(one->text, other->text) == 0;
}

static void word_free(void *data)
{
	struct word *word = data;

	for (unsigned int i = 0; i < word->part_count; i++)
		free_part(&word->parts[i]);
	g_free(word->parts);
	g_free(word->text);
	g_free(word);
}

static void font_clear(void *data)
{
	struct font *font = data;

	pango_font_description_free(font->description);
	g_object_unref(font->font);
}

struct words *words_new(PangoContext *context, float scale)
{
	struct words *words = g_new0(struct words, 1);

	words->context = context;
	words->scale = scale;
	words->fonts = g_array_new(FALSE, TRUE, sizeof(struct font));
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
