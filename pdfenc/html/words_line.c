#include <string.h>

#include "pdfenc/html/words_private.h"

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
		if (run->glyphs->len > 0)
			memcpy(out->glyphs, run->glyphs->data,
			    run->glyphs->len * sizeof(*out->glyphs));
		out->cluster_count = run->clusters->len;
		out->clusters = display_array(display, run->clusters->len, sizeof(*out->clusters));
		if (run->clusters->len > 0)
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
	return a->red == b->red && a->green == b->green && a->blue == b->blue &&
	    a->clear == b->clear;
}

static void add_part(struct line *line, const struct words_piece *piece,
    const struct words_part *part, const char *text, float x)
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
		const struct words_word *word = words_word(line->words, pieces[i].text,
		    pieces[i].font);
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
	const struct words_font *font = words_font_at(line->words, piece->font);

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
		attribute(list, pango_attr_font_desc_new(words_font_at(line->words,
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
		struct words_part part;

		if (item->item->analysis.font == NULL)
			continue;
		words_part_take(item, text->str, &part);
		add_part(line, piece, &part, text->str, x);
		close_run(line);
		decorate(line, piece, x, part.width);
		if (piece->uri != NULL)
			link_area(line, piece, x, part.width);
		x += part.width;
		words_part_clear(&part);
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
		const struct words_font *font = words_font_at(words, pieces[i].font);

		line.top = MIN(line.top, baseline - (float)font->metrics.ascent * words->scale);
		line.bottom = MAX(line.bottom, baseline +
		    (float)font->metrics.descent * words->scale);
		mixed = mixed || words_word(words, pieces[i].text, pieces[i].font)->mixed;
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
