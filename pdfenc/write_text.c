#include <math.h>
#include <string.h>

#include "pdfenc/write_page.h"

#define NEAR 3.0		/* thousandths of an em that a glyph may stand off: 0.03 points */
#define GAP_MAX 20000.0		/* thousandths of an em within one array */
#define SAME_LINE 0.01		/* points */
#define SAME_PLACE 0.005
#define BOLD_LINE (1 / 30.0)	/* of the font's size: what a made bold is stroked with */
#define CARRY_UNITS 8u		/* of UTF-16: MuPDF 1.21 ignores a code that says more */
#define CLUSTER_GLYPHS 16u	/* of one cluster that are looked at one by one */

/* A cluster in drawing order: left to right. */
struct cluster {
	const struct display_glyph *glyphs;
	unsigned int count;
	unsigned int first;	/* of the run's glyphs */
	const char *text;
	unsigned int size;
};

typedef void cluster_fn(struct write_page *page, const struct display_run *run,
    const struct write_style *style, const struct cluster *cluster);

/* ---- text objects ---- */

static void set_font(struct write_page *page, const struct write_font *font, double size,
    unsigned int mode)
{
	if (page->now.font != font || page->now.size != size) {
		write_page_end_line(page);
		g_string_append(page->out, "/F");
		put_count(page->out, font->index);
		g_string_append_c(page->out, ' ');
		put_number(page->out, size);
		g_string_append(page->out, " Tf\n");
		page->now.font = font;
		page->now.size = size;
	}
	if (page->now.mode != mode) {
		write_page_end_line(page);
		put_count(page->out, mode);
		g_string_append(page->out, " Tr\n");
		page->now.mode = mode;
	}
}

static double hundredths(double value)
{
	return round(value * 100) / 100;
}

/* Lines add up. */
static double thousandths(double value)
{
	return round(value * 1000) / 1000;
}

/* True: there by going to the next line, which costs nothing. */
static bool move_down(struct write_page *page, double x, double y)
{
	double step = page->line_y - y;

	if (fabs(x - page->line_x) > SAME_PLACE || !(step > 0))
		return false;
	if (fabs(step - page->now.leading) < SAME_LINE) {
		page->next_line = true;
		page->step = page->now.leading;
		page->line_y -= page->now.leading;
		return true;
	}
	/* the second step of a kind: there are more to come */
	if (fabs(step - page->step) < SAME_LINE) {
		page->now.leading = thousandths(step);
		put_fine(page->out, page->now.leading);
		g_string_append(page->out, " TL\n");
		page->next_line = true;
		page->line_y -= page->now.leading;
		return true;
	}
	page->step = step;
	return false;
}

static void move(struct write_page *page, double x, double y, double slant)
{
	double to[2] = { hundredths(x), thousandths(y) };
	double step[2] = { to[0] - page->line_x, to[1] - page->line_y };

	write_page_end_line(page);
	if (slant != 0 || page->skewed) {
		g_string_append(page->out, "1 0 ");
		put_fine(page->out, slant);
		g_string_append(page->out, " 1 ");
		put_numbers(page->out, to, 2);
		g_string_append(page->out, "Tm\n");
		page->skewed = slant != 0;
	} else if (move_down(page, x, y)) {
		page->pen = page->line_x;
		return;
	} else {
		put_number(page->out, step[0]);
		g_string_append_c(page->out, ' ');
		put_fine(page->out, step[1]);
		g_string_append(page->out, " Td\n");
	}
	page->line_x = to[0];
	page->line_y = to[1];
	page->pen = to[0];
}

static void put_byte(GString *out, unsigned int byte)
{
	if (byte == '(' || byte == ')' || byte == '\\')
		g_string_append_c(out, '\\');
	if (byte == '\r')
		g_string_append(out, "\\r");
	else
		g_string_append_c(out, (char)byte);
}

/* One glyph at (x, y) of PDF's page. */
static void put_glyph(struct write_page *page, unsigned int code, double width, double x, double y,
    double slant)
{
	double size = page->now.size;
	double gap = (x - page->pen) * 1000 / size;

	if (!(fabs(gap) < GAP_MAX) || fabs(y - page->line_y) > SAME_LINE ||
	    (slant != 0) != page->skewed) {
		move(page, x, y, slant);
		gap = 0;
	}
	if (!page->in_array)
		page->array_at = page->out->len;
	page->in_array = true;
	if (fabs(gap) > NEAR) {
		long whole = lround(-gap);

		g_string_append(page->out, page->in_string ? ")" : "");
		put_number(page->out, (double)whole);
		page->in_string = false;
		page->has_gaps = true;
		page->pen -= (double)whole * size / 1000;
	}
	if (!page->in_string)
		g_string_append_c(page->out, '(');
	page->in_string = true;
	if (!write_font_simple(page->now.font))
		put_byte(page->out, code >> 8 & 0xff);
	put_byte(page->out, code & 0xff);
	page->pen += width * size / 1000;
}

static void put_slot(struct write_page *page, const struct write_style *style, unsigned int slot,
    const struct display_glyph *glyph)
{
	const struct write_code *code = &g_array_index(style->font->codes, struct write_code, slot);

	put_glyph(page, write_font_code(style->font, slot), (double)code->width, (double)glyph->x,
	    page->height - (double)glyph->y, style->slant);
}

/* ---- text that no glyph shows ---- */

static double glyph_width(const struct display_run *run, unsigned int i)
{
	float end = i + 1 < run->glyph_count ? run->glyphs[i + 1].x :
	    run->glyphs[0].x + run->width;

	return MAX((double)(end - run->glyphs[i].x), 0);
}

/* As much text as one code can say in all readers. */
static const char *piece_end(const char *at, const char *end)
{
	unsigned int units = 0;

	while (at < end) {
		units += g_utf8_get_char(at) >= 0x10000 ? 2 : 1;
		if (units > CARRY_UNITS)
			break;
		at = g_utf8_next_char(at);
	}
	return MIN(at, end);
}

static void carry(struct write_page *page, const struct display_run *run,
    const struct write_style *style, const struct cluster *cluster)
{
	struct write_fonts *fonts = &page->document->fonts;
	const char *end = cluster->text + cluster->size;
	double x = (double)cluster->glyphs[0].x;
	double y = page->height - (double)cluster->glyphs[0].y;
	double width = 0;

	if (cluster->count == 0 || cluster->size == 0 || !(style->size > 0))
		return;
	for (unsigned int i = 0; i < cluster->count; i++)
		width += glyph_width(run, cluster->first + i);
	width = round(width * 1000 / style->size);
	write_page_text(page);
	for (const char *at = cluster->text; at < end;) {
		const char *next = piece_end(at, end);
		unsigned int slot = write_fonts_carry(fonts, at, (unsigned int)(next - at), width);
		double wide = (double)g_array_index(fonts->carrier->codes, struct write_code,
		    slot).width;

		set_font(page, fonts->carrier, style->size, 0);
		put_glyph(page, slot, wide, x, y, 0);
		x += wide * style->size / 1000;
		width = 0;
		at = next;
	}
}

/* ---- text ---- */

static void begin_marked(struct write_page *page, const struct cluster *cluster)
{
	write_page_end_line(page);
	g_string_append(page->out, "/Span<</ActualText");
	put_text(page->out, cluster->text, cluster->size);
	g_string_append(page->out, ">>BDC\n");
}

static void end_marked(struct write_page *page)
{
	write_page_end_line(page);
	g_string_append(page->out, "EMC\n");
}

/*
 * What glyph i (in the order of the text) of a cluster says for readers that do not look at
 * /ActualText: a character, the last one all that is left. Where there are more glyphs than
 * characters, as of Thai sara am, those before the last one say nothing that is seen.
 */
static struct cluster part_of(const struct cluster *cluster, unsigned int i)
{
	static const char nothing[] = "\342\201\240";	/* word joiner */
	long chars = g_utf8_strlen(cluster->text, cluster->size);
	bool last = i + 1 == cluster->count;
	long at = last ? MIN((long)i, chars - 1) : (long)i;
	struct cluster part = { .text = nothing, .size = sizeof(nothing) - 1 };
	const char *end;

	if (at >= chars - !last)
		return part;
	part.text = g_utf8_offset_to_pointer(cluster->text, at);
	end = last ? cluster->text + cluster->size : g_utf8_next_char(part.text);
	part.size = (unsigned int)(end - part.text);
	return part;
}

/* The cluster's text as a whole is what its glyphs say. */
static void put_marked(struct write_page *page, const struct write_style *style,
    const struct cluster *cluster, bool backward)
{
	/* fonts of other kinds have but one code a glyph, for which other text is better */
	bool guess = style->face->kind != FACE_TRUETYPE;
	bool says;

	begin_marked(page, cluster);
	for (unsigned int i = 0; i < cluster->count; i++) {
		struct cluster part = part_of(cluster, backward ? cluster->count - 1 - i : i);

		put_slot(page, style, write_font_slot(style->font, cluster->glyphs[i].id, part.text,
		    part.size, guess, &says), &cluster->glyphs[i]);
	}
	end_marked(page);
}

/*
 * Whether each glyph is one character: as many of both, and all but one are what the font has for
 * them (the one may be a shaped letter below its marks). Fills the slots.
 */
static bool one_by_one(const struct write_style *style, const struct cluster *cluster,
    unsigned int *slots)
{
	const char *at = cluster->text;
	unsigned int strange = 0;
	bool says = true;

	if (cluster->count > CLUSTER_GLYPHS ||
	    g_utf8_strlen(cluster->text, cluster->size) != (glong)cluster->count)
		return false;
	for (unsigned int i = 0; i < cluster->count; i++) {
		hb_codepoint_t nominal = 0;

		(void)hb_font_get_nominal_glyph(style->face->font, g_utf8_get_char(at), &nominal);
		strange += nominal != cluster->glyphs[i].id;
		at = g_utf8_next_char(at);
	}
	if (strange > 1)
		return false;
	at = cluster->text;
	for (unsigned int i = 0; i < cluster->count && says; i++) {
		const char *next = g_utf8_next_char(at);

		slots[i] = write_font_slot(style->font, cluster->glyphs[i].id, at,
		    (unsigned int)(next - at), false, &says);
		at = next;
	}
	return says;
}

static bool has_missing(const struct cluster *cluster)
{
	for (unsigned int i = 0; i < cluster->count; i++)
		if (cluster->glyphs[i].id == 0)
			return true;
	return false;
}

static void put_cluster(struct write_page *page, const struct display_run *run,
    const struct write_style *style, const struct cluster *cluster)
{
	unsigned int slots[CLUSTER_GLYPHS];
	bool says;

	if (cluster->count == 0 || cluster->size == 0)
		return;
	if (has_missing(cluster)) {
		carry(page, run, style, cluster);
		return;
	}
	set_font(page, style->font, style->size, style->bold ? 2 : 0);
	if (cluster->count == 1) {
		slots[0] = write_font_slot(style->font, cluster->glyphs[0].id, cluster->text,
		    cluster->size, false, &says);
		if (!says)
			begin_marked(page, cluster);
		put_slot(page, style, slots[0], &cluster->glyphs[0]);
		if (!says)
			end_marked(page);
		return;
	}
	if (run->backward || !one_by_one(style, cluster, slots)) {
		put_marked(page, style, cluster, run->backward);
		return;
	}
	for (unsigned int i = 0; i < cluster->count; i++)
		put_slot(page, style, slots[i], &cluster->glyphs[i]);
}

/*
 * A letter and the marks behind it in the text: in that order, and as a whole what they say. Each
 * alone has its own text as well, for readers that do not look at /ActualText.
 */
static void put_group(struct write_page *page, const struct write_style *style,
    const struct cluster *clusters, unsigned int count)
{
	struct cluster whole = clusters[0];
	bool says;

	for (unsigned int i = 1; i < count; i++)
		whole.size += clusters[i].size;
	set_font(page, style->font, style->size, style->bold ? 2 : 0);
	begin_marked(page, &whole);
	for (unsigned int i = 0; i < count; i++)
		for (unsigned int k = 0; k < clusters[i].count; k++)
			put_slot(page, style, write_font_slot(style->font,
			    clusters[i].glyphs[k].id, clusters[i].text, clusters[i].size, k > 0,
			    &says), &clusters[i].glyphs[k]);
	end_marked(page);
}

/* Arabic alone: poppler breaks the lines of other texts of that kind less without. */
static bool is_group(const struct cluster *clusters, unsigned int count)
{
	if (g_unichar_get_script(g_utf8_get_char(clusters[0].text)) != G_UNICODE_SCRIPT_ARABIC)
		return false;
	for (unsigned int i = 0; i < count; i++)
		if (clusters[i].count == 0 || clusters[i].size == 0 || has_missing(&clusters[i]))
			return false;
	return count > 1;
}

/* ---- runs ---- */

/* Fills clusters in the order of the text. Returns how many fit the run. */
static unsigned int list_clusters(const struct display_run *run, struct cluster *clusters)
{
	unsigned int text_at = 0;
	unsigned int glyph_at = run->backward ? run->glyph_count : 0;

	for (unsigned int i = 0; i < run->cluster_count; i++) {
		const struct display_cluster *from = &run->clusters[i];

		/* the display says that they fit; a mistake there must not read elsewhere */
		if (from->bytes > run->text_size - text_at ||
		    from->glyphs > (run->backward ? glyph_at : run->glyph_count - glyph_at))
			return i;
		glyph_at -= run->backward ? from->glyphs : 0;
		clusters[i].glyphs = run->glyphs + glyph_at;
		clusters[i].count = from->glyphs;
		clusters[i].first = glyph_at;
		clusters[i].text = run->text + text_at;
		clusters[i].size = from->bytes;
		glyph_at += run->backward ? 0 : from->glyphs;
		text_at += from->bytes;
	}
	return run->cluster_count;
}

static bool is_mark(const struct cluster *cluster)
{
	return cluster->size > 0 && g_unichar_ismark(g_utf8_get_char(cluster->text));
}

/*
 * Calls put for each cluster from left to right, but a letter before its marks: right to left the
 * marks would come first, and readers take them for those of another letter.
 */
static void each_cluster(struct write_page *page, const struct display_run *run,
    const struct write_style *style, cluster_fn *put)
{
	struct cluster whole = { run->glyphs, run->glyph_count, 0, run->text, run->text_size };
	struct cluster *clusters;
	unsigned int count;

	if (run->clusters == NULL) {
		put(page, run, style, &whole);
		return;
	}
	clusters = g_new(struct cluster, (size_t)run->cluster_count + 1);
	count = list_clusters(run, clusters);
	for (unsigned int i = 0; i < count && !run->backward; i++)
		put(page, run, style, &clusters[i]);
	for (unsigned int end = count; end > 0 && run->backward;) {
		unsigned int start = end - 1;

		while (start > 0 && is_mark(&clusters[start]))
			start--;
		if (put == put_cluster && is_group(clusters + start, end - start))
			put_group(page, style, clusters + start, end - start);
		else
			for (unsigned int i = start; i < end; i++)
				put(page, run, style, &clusters[i]);
		end = start;
	}
	g_free(clusters);
}

static void put_pictures(struct write_page *page, const struct display_run *run,
    const struct write_style *style)
{
	write_page_content(page);
	for (unsigned int i = 0; i < run->glyph_count; i++) {
		const struct display_glyph *glyph = &run->glyphs[i];
		hb_glyph_extents_t extents;
		unsigned int index = write_glyph_image(&page->document->images,
		    page->document->fonts.faces, style->face, glyph->id);
		double unit = style->size / hb_face_get_upem(style->face->face);
		double matrix[6] = { 0, 0, 0, 0, 0, 0 };

		if (index == 0 ||
		    !hb_font_get_glyph_extents(style->face->font, glyph->id, &extents))
			continue;
		matrix[0] = extents.width * unit;
		matrix[3] = -extents.height * unit;
		matrix[4] = (double)glyph->x + extents.x_bearing * unit;
		matrix[5] = page->height - (double)glyph->y + (extents.y_bearing + extents.height) *
		    unit;
		write_page_image(page, index, matrix);
	}
}

void write_text_run(struct write_page *page, const struct display_run *run)
{
	const struct write_style *style = write_style_of(&page->document->fonts, run->font);
	struct display_color opaque = page->now.fill;

	if (run->glyph_count == 0 || run->text_size == 0 || !(style->size > 0))
		return;
	if (style->face->kind == FACE_PICTURES) {
		opaque.clear = run->color.clear;
		write_page_end_line(page);
		write_page_fill(page, opaque);
		put_pictures(page, run, style);
		each_cluster(page, run, style, carry);
		return;
	}
	if (style->font == NULL) {
		write_page_content(page);
		write_page_fill(page, run->color);
		write_outlines(page, run, style);
		each_cluster(page, run, style, carry);
		return;
	}
	write_page_text(page);
	write_page_fill(page, run->color);
	if (style->bold)
		write_page_stroke(page, run->color, hundredths(style->size * BOLD_LINE));
	each_cluster(page, run, style, put_cluster);
}
