#include "pdfenc/setter.h"

#include "pdfenc/wording.h"

#include <string.h>

#define NOTE_HEIGHT 40.0	/* kept free at the end of the last allowed page */
#define BAR_STEP 10.0		/* points from quote bar to quote bar */
#define PANEL_PAD 10.0
#define LEADING 1.13		/* of what is read for long, by the height of its lines */

static const struct display_color bar_color = { 0.72f, 0.79f, 0.84f, 0 };
static const struct display_color link_color = { 0.04f, 0.32f, 0.58f, 0 };
static const struct display_color note_color = { 0.55f, 0.18f, 0.10f, 0 };

/* ---- structure ---- */

static void begin(struct setter *setter, struct display_element *element)
{
	if (element != NULL)
		display_begin(setter->page, element);
}

static void end(struct setter *setter, struct display_element *element)
{
	if (element != NULL)
		display_end(setter->page, element);
}

/*
 * What is set until its end is the text of a link: one element for all its lines. NULL: span is
 * NULL, or there are too many.
 */
static struct display_element *begin_link(struct setter *setter, const struct flow_span *span)
{
	if (span == NULL || setter->links >= SETTER_LINKS_MAX)
		return NULL;
	if (setter->linked != span)
		setter->link = display_element(setter->display, "Link");
	setter->linked = span;
	begin(setter, setter->link);
	return setter->link;
}

/* ---- one line ---- */

static struct display_color run_color(const PangoItem *item, struct display_color normal)
{
	for (const GSList *l = item->analysis.extra_attrs; l != NULL; l = l->next) {
		const PangoAttribute *attribute = l->data;

		/* links are the only ones with a colour of their own */
		if (attribute->klass->type == PANGO_ATTR_FOREGROUND)
			return link_color;
	}
	return normal;
}

static float points(int units)
{
	return (float)units / (float)PANGO_SCALE;
}

static void take_glyphs(struct display_run *run, const PangoGlyphString *glyphs, double x,
    double y)
{
	int at = 0;
	unsigned int count = 0;

	for (int i = 0; i < glyphs->num_glyphs; i++) {
		const PangoGlyphInfo *info = &glyphs->glyphs[i];
		struct display_glyph *glyph = &run->glyphs[count];

		if (info->glyph != PANGO_GLYPH_EMPTY) {
			/* no font has it: the sign for "missing", and the text stays */
			glyph->id = (info->glyph & PANGO_GLYPH_UNKNOWN_FLAG) != 0 ? 0 : info->glyph;
			glyph->x = (float)x + points(at + info->geometry.x_offset);
			glyph->y = (float)y + points(info->geometry.y_offset);
			count++;
		}
		at += info->geometry.width;
	}
	run->glyph_count = count;
	run->width = points(at);
}

static unsigned int shown_glyphs(const PangoGlyphString *glyphs, int start, int end)
{
	unsigned int count = 0;

	for (int i = start; i < end; i++)
		count += glyphs->glyphs[i].glyph != PANGO_GLYPH_EMPTY;
	return count;
}

static void take_clusters(struct display_run *run, PangoGlyphItem *item, const char *text)
{
	PangoGlyphItemIter iter;
	unsigned int count = 0;

	for (gboolean more = pango_glyph_item_iter_init_start(&iter, item, text); more;
	    more = pango_glyph_item_iter_next_cluster(&iter)) {
		struct display_cluster *cluster = &run->clusters[count++];

		cluster->bytes = (uint16_t)(iter.end_index - iter.start_index);
		cluster->glyphs = (uint16_t)(run->backward ?
		    shown_glyphs(item->glyphs, iter.end_glyph + 1, iter.start_glyph + 1) :
		    shown_glyphs(item->glyphs, iter.start_glyph, iter.end_glyph));
	}
	run->cluster_count = count;
}

static void set_run(struct setter *setter, PangoGlyphItem *item, const char *text,
    struct display_color color, double x, double y)
{
	size_t count = (size_t)item->glyphs->num_glyphs;
	struct display_run *run;

	if (item->item->analysis.font == NULL || item->item->length <= 0)
		return;
	run = &display_add(setter->page, DISPLAY_RUN)->as.run;
	run->font = item->item->analysis.font;
	display_hold_font(setter->display, run->font);
	run->color = run_color(item->item, color);
	run->backward = (item->item->analysis.level & 1) != 0;
	run->text_size = (unsigned int)item->item->length;
	run->text = display_text(setter->display, text + item->item->offset, run->text_size);
	run->glyphs = display_array(setter->display, count, sizeof(*run->glyphs));
	run->clusters = display_array(setter->display, count, sizeof(*run->clusters));
	take_glyphs(run, item->glyphs, x, y);
	take_clusters(run, item, text);
}

static void set_link(struct setter *setter, PangoLayoutLine *line, const struct flow_span *span,
    double x, double top, double height)
{
	int start = (int)span->start;
	int end = (int)span->end;
	int *ranges;
	int count;

	setter->links++;
	pango_layout_line_get_x_ranges(line, start, end, &ranges, &count);
	for (int i = 0; i < count; i++) {
		struct display_link *link = &display_add(setter->page, DISPLAY_LINK)->as.link;

		link->x = (float)x + points(ranges[2 * i]);
		link->y = (float)top;
		link->width = points(ranges[2 * i + 1] - ranges[2 * i]);
		link->height = (float)height;
		link->uri = display_text(setter->display, span->uri, strlen(span->uri));
	}
	g_free(ranges);
}

/* The link whose text begins at, or goes on there. */
static const struct flow_span *link_at(const struct setter_text *text, size_t at)
{
	for (unsigned int i = 0; text->spans != NULL && i < text->spans->len; i++) {
		const struct flow_span *span = &g_array_index(text->spans, struct flow_span, i);

		if (span->style == FLOW_LINK && span->start <= at && at < span->end)
			return span;
	}
	return NULL;
}

static void set_line(struct setter *setter, const struct setter_text *text,
    PangoLayoutIter *iter, double top)
{
	PangoLayoutLine *line = pango_layout_iter_get_line_readonly(iter);
	PangoRectangle logical;
	double x;
	double baseline;
	double at;
	const struct flow_span *last = NULL;

	pango_layout_iter_get_line_extents(iter, NULL, &logical);
	x = text->x + (double)points(logical.x);
	baseline = top + (double)points(pango_layout_iter_get_baseline(iter) - logical.y);
	at = x;
	for (GSList *l = line->runs; l != NULL; l = l->next) {
		PangoGlyphItem *item = l->data;
		/* a link has a colour of its own: runs end where it does */
		const struct flow_span *span = link_at(text, (size_t)item->item->offset);
		struct display_element *element = begin_link(setter, span);

		set_run(setter, item, pango_layout_get_text(line->layout), text->color, at,
		    baseline);
		/* x ranges count from the layout's edge, alignment included */
		if (element != NULL && span != last)
			set_link(setter, line, span, text->x, top,
			    (double)points(logical.height));
		end(setter, element);
		last = span;
		at += (double)points(pango_glyph_string_get_width(item->glyphs));
	}
}

/* ---- paragraphs ---- */

static void add_attribute(PangoAttrList *list, PangoAttribute *attribute, size_t start, size_t end)
{
	attribute->start_index = (guint)start;
	attribute->end_index = (guint)end;
	pango_attr_list_insert(list, attribute);
}

static PangoAttrList *attributes(const GArray *spans)
{
	PangoAttrList *list = pango_attr_list_new();

	/* a hyphen of ours inside an address would be copied with it */
	pango_attr_list_insert(list, pango_attr_insert_hyphens_new(FALSE));
	for (unsigned int i = 0; spans != NULL && i < spans->len; i++) {
		const struct flow_span *span = &g_array_index(spans, struct flow_span, i);

		switch (span->style) {
		case FLOW_LINK:
			add_attribute(list, pango_attr_foreground_new(0, 0, 0x8000), span->start,
			    span->end);
			break;
		case FLOW_BOLD:
			add_attribute(list, pango_attr_weight_new(PANGO_WEIGHT_BOLD), span->start,
			    span->end);
			break;
		case FLOW_ITALIC:
			add_attribute(list, pango_attr_style_new(PANGO_STYLE_ITALIC), span->start,
			    span->end);
			break;
		}
	}
	return list;
}

static PangoLayout *make_layout(struct setter *setter, const struct setter_text *text)
{
	PangoLayout *layout = pango_layout_new(setter->context);
	PangoAttrList *list = attributes(text->spans);

	pango_layout_set_font_description(layout, setter->fonts[text->font]);
	pango_layout_set_width(layout, (int)(text->width * PANGO_SCALE));
	if (text->one_line) {
		pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
		pango_layout_set_single_paragraph_mode(layout, TRUE);
	} else {
		pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
	}
	if (text->right)
		pango_layout_set_alignment(layout, PANGO_ALIGN_RIGHT);
	pango_layout_set_attributes(layout, list);
	pango_attr_list_unref(list);
	pango_layout_set_text(layout, text->text, (int)text->size);
	return layout;
}

/* ---- pages ---- */

static void bars_end(struct setter *setter)
{
	for (unsigned int i = 0; i < setter->bars; i++) {
		struct display_box *box = &display_add(setter->page, DISPLAY_BOX)->as.box;

		box->x = (float)(SETTER_MARGIN + i * BAR_STEP);
		box->y = (float)setter->bars_top;
		box->width = 1.6f;
		box->height = (float)(setter->y - setter->bars_top);
		box->color = bar_color;
	}
}

static void panel_draw(struct setter *setter)
{
	struct display_box *box;

	if (!setter->panel.open || setter->full)
		return;
	box = &display_insert(setter->page, setter->panel.at, DISPLAY_BOX)->as.box;
	box->x = (float)(SETTER_MARGIN - PANEL_PAD);
	box->y = (float)setter->panel.top;
	box->width = setter->display->width - 2 * box->x;
	box->height = (float)(setter->y - setter->panel.top);
	box->radius = 5;
	box->color = setter->panel.color;
}

static void begin_page(struct setter *setter)
{
	setter->page = display_add_page(setter->display);
	setter->y = SETTER_TOP;
	setter->bottom = (double)setter->display->height - SETTER_BOTTOM;
	if (setter->display->pages->len >= setter->pages_max)
		setter->bottom -= NOTE_HEIGHT;
	setter->bars_top = setter->y;
	setter->panel.top = setter->y;
	setter->panel.at = 0;
	if (setter->panel.open)
		setter->y += PANEL_PAD;
}

static void put_full_note(struct setter *setter)
{
	const char *note = wording("The message goes on. The rest of it is in the attached file "
	    "original.eml, which a mail program opens.");
	struct setter_text text;

	memset(&text, 0, sizeof(text));
	text.text = note;
	text.size = strlen(note);
	text.font = SETTER_STRONG;
	text.color = note_color;
	text.x = SETTER_MARGIN;
	text.width = (double)setter->display->width - 2 * SETTER_MARGIN;
	text.tag = "P";
	setter_on_page(setter, setter->display->pages->len - 1,
	    (double)setter->display->height - SETTER_BOTTOM - NOTE_HEIGHT + 10, &text);
}

static void next_page(struct setter *setter)
{
	bars_end(setter);
	panel_draw(setter);
	if (setter->display->pages->len >= setter->pages_max) {
		put_full_note(setter);
		setter->full = true;
		return;
	}
	begin_page(setter);
}

void setter_start(struct setter *setter)
{
	begin_page(setter);
}

void setter_need(struct setter *setter, double height)
{
	if (!setter->full && setter->y + height > setter->bottom && setter->y > SETTER_TOP)
		next_page(setter);
}

void setter_space(struct setter *setter, double height)
{
	if (!setter->full && setter->y > SETTER_TOP)
		setter->y += height;
}

/* Goes on a new page where a line of height does not fit. False: no page is left. */
static bool next_line(struct setter *setter, struct display_element *element, double height)
{
	if (setter->y + height <= setter->bottom)
		return true;
	end(setter, element);
	next_page(setter);
	if (setter->full)
		return false;
	begin(setter, element);
	return true;
}

static void set_lines(struct setter *setter, const struct setter_text *text, PangoLayout *layout)
{
	PangoLayoutIter *iter = pango_layout_get_iter(layout);
	struct display_element *element = text->tag != NULL ?
	    display_element(setter->display, text->tag) : NULL;

	begin(setter, element);
	do {
		PangoRectangle logical;
		double height;

		pango_layout_iter_get_line_extents(iter, NULL, &logical);
		height = (double)points(logical.height);
		if (text->font == SETTER_BODY || text->font == SETTER_FIXED)
			height *= LEADING;
		if (!next_line(setter, element, height))
			break;
		set_line(setter, text, iter, setter->y);
		setter->y += height;
	} while (pango_layout_iter_next_line(iter));
	if (!setter->full)
		end(setter, element);
	pango_layout_iter_free(iter);
}

/* ---- simple text ---- */

/* Links are the only spans that one font sets; they neither overlap nor go backwards. */
static bool is_plain(const struct setter_text *text)
{
	size_t end = 0;

	for (unsigned int i = 0; text->spans != NULL && i < text->spans->len; i++) {
		const struct flow_span *span = &g_array_index(text->spans, struct flow_span, i);

		if (span->style != FLOW_LINK || span->start < end || span->end < span->start)
			return false;
		end = span->end;
	}
	return !text->one_line && !text->right;
}

/* The link that at stands in, and where that or what stands before the next one ends. */
static const struct flow_span *span_at(const struct setter_text *text, size_t at, size_t *end)
{
	for (unsigned int i = 0; text->spans != NULL && i < text->spans->len; i++) {
		const struct flow_span *span = &g_array_index(text->spans, struct flow_span, i);

		if (span->end <= at)
			continue;
		*end = MIN(*end, span->start <= at ? span->end : span->start);
		return span->start <= at ? span : NULL;
	}
	return NULL;
}

static void quick_run(struct setter *setter, const struct setter_text *text,
    const struct quick_text *quick, const struct quick_glyph *glyphs, unsigned int count,
    size_t end, struct display_color color)
{
	struct display_run *run = &display_add(setter->page, DISPLAY_RUN)->as.run;
	float x = (float)text->x;
	float y = (float)setter->y + quick->ascent;

	run->font = quick->font;
	display_hold_font(setter->display, run->font);
	run->color = color;
	run->text_size = (unsigned int)end - glyphs[0].at;
	run->text = display_text(setter->display, text->text + glyphs[0].at, run->text_size);
	run->glyphs = display_array(setter->display, count, sizeof(*run->glyphs));
	run->glyph_count = count;
	run->clusters = display_array(setter->display, count, sizeof(*run->clusters));
	for (unsigned int i = 0; i < count; i++) {
		size_t next = i + 1 < count ? glyphs[i + 1].at : end;

		run->glyphs[i].id = glyphs[i].id;
		run->glyphs[i].x = x + glyphs[i].x + glyphs[i].dx;
		run->glyphs[i].y = y - glyphs[i].dy;
		run->clusters[run->cluster_count].glyphs++;
		run->clusters[run->cluster_count].bytes = (uint16_t)(next - glyphs[i].at);
		run->cluster_count += next > glyphs[i].at;
	}
}

static void quick_link(struct setter *setter, const struct flow_span *span, float x, float width,
    float height)
{
	struct display_link *link;

	setter->links++;
	link = &display_add(setter->page, DISPLAY_LINK)->as.link;
	*link = (struct display_link){ .x = x, .y = (float)setter->y, .width = width,
		.height = height };
	link->uri = display_text(setter->display, span->uri, strlen(span->uri));
}

/* Pieces of a line, in links and between them. */
static void quick_line(struct setter *setter, const struct setter_text *text,
    const struct quick_text *quick, const struct quick_line *line)
{
	const struct quick_glyph *glyphs = quick->glyphs + line->first;
	size_t line_end = line->end - (line->end > 0 && text->text[line->end - 1] == '\n');

	for (unsigned int i = 0; i < line->count;) {
		size_t stop = line_end;
		const struct flow_span *span = span_at(text, glyphs[i].at, &stop);
		unsigned int k = i + 1;
		struct display_element *element = begin_link(setter, span);
		float to;

		while (k < line->count && glyphs[k].at < stop)
			k++;
		to = k < line->count ? glyphs[k].x : line->width;
		quick_run(setter, text, quick, glyphs + i, k - i,
		    k < line->count ? glyphs[k].at : line_end,
		    span != NULL ? link_color : text->color);
		if (span != NULL && element != NULL)
			quick_link(setter, span, (float)text->x + glyphs[i].x, to - glyphs[i].x,
			    quick->height);
		end(setter, element);
		i = k;
	}
}

/* False: Pango has to. */
static bool set_quick(struct setter *setter, const struct setter_text *text)
{
	struct display_element *element;
	struct quick_text quick;
	double height;

	if (setter->quick == NULL || !is_plain(text) ||
	    !quick_break(setter->quick, text->font, text->text, text->size, text->width, &quick))
		return false;
	height = (double)quick.height;
	if (text->font == SETTER_BODY || text->font == SETTER_FIXED)
		height *= LEADING;
	element = text->tag != NULL ? display_element(setter->display, text->tag) : NULL;
	begin(setter, element);
	for (unsigned int i = 0; i < quick.line_count && !setter->full; i++) {
		if (next_line(setter, element, height))
			quick_line(setter, text, &quick, &quick.lines[i]);
		setter->y += height;
	}
	if (!setter->full)
		end(setter, element);
	return true;
}

void setter_set(struct setter *setter, const struct setter_text *text)
{
	double before = setter->y;
	PangoLayout *layout;

	if (setter->full || text->size == 0)
		return;
	setter->linked = NULL;
	if (!set_quick(setter, text)) {
		layout = make_layout(setter, text);
		set_lines(setter, text, layout);
		g_object_unref(layout);
	}
	if (text->stay && setter->y > before)
		setter->y = before;
}

void setter_on_page(struct setter *setter, unsigned int page, double y,
    const struct setter_text *text)
{
	struct setter other = *setter;

	other.page = g_ptr_array_index(setter->display->pages, page);
	other.y = y;
	other.bottom = (double)setter->display->height;
	other.full = false;
	other.bars = 0;
	other.panel.open = false;
	setter_set(&other, text);
}

/* ---- grounds ---- */

void setter_box(struct setter *setter, const struct display_box *box)
{
	if (!setter->full)
		display_add(setter->page, DISPLAY_BOX)->as.box = *box;
}

void setter_panel_begin(struct setter *setter, struct display_color color)
{
	setter_need(setter, 4 * PANEL_PAD);
	setter->panel.open = true;
	setter->panel.top = setter->y;
	setter->panel.at = setter->page->items->len;
	setter->panel.color = color;
	setter->y += PANEL_PAD;
}

void setter_panel_end(struct setter *setter)
{
	setter->y += PANEL_PAD;
	panel_draw(setter);
	setter->panel.open = false;
}

void setter_bars(struct setter *setter, unsigned int bars)
{
	if (bars == setter->bars)
		return;
	if (!setter->full)
		bars_end(setter);
	setter->bars = bars;
	setter->bars_top = setter->y;
}
