#include "pdfenc/paint.h"

#include <cairo-pdf.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-font.h>

#define EMOJI_SCALE 6.0		/* pixels a point: 432 dpi */
#define EMOJI_PIXELS_MAX 4096	/* of one picture's side */

struct painter {
	cairo_t *cairo;
	struct _PangoFont *font;	/* of the last run */
	bool is_color;
	cairo_scaled_font_t *plain;	/* carries the text of emoji */
	unsigned long plain_space;	/* its glyph for a space */
	cairo_glyph_t *glyphs;
	cairo_text_cluster_t *clusters;
	unsigned int room;
};

static cairo_status_t take_bytes(void *closure, const unsigned char *data, unsigned int size)
{
	GByteArray *out = closure;

	g_byte_array_append(out, data, size);
	return CAIRO_STATUS_SUCCESS;
}

static void set_color(cairo_t *cairo, struct display_color color)
{
	cairo_set_source_rgb(cairo, (double)color.red, (double)color.green, (double)color.blue);
}

/* ---- text ---- */

static void make_room(struct painter *painter, unsigned int count)
{
	if (count <= painter->room)
		return;
	painter->room = count * 2;
	painter->glyphs = g_renew(cairo_glyph_t, painter->glyphs, painter->room);
	painter->clusters = g_renew(cairo_text_cluster_t, painter->clusters, painter->room);
}

static bool font_is_color(struct _PangoFont *font)
{
	FcBool color = FcFalse;

	if (!PANGO_IS_FC_FONT(font))
		return false;
	return FcPatternGetBool(pango_fc_font_get_pattern(PANGO_FC_FONT(font)), FC_COLOR, 0,
	    &color) == FcResultMatch && color;
}

static cairo_scaled_font_t *scaled_font(struct _PangoFont *font)
{
	return pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(font));
}

static void take_run(struct painter *painter, const struct display_run *run)
{
	make_room(painter, MAX(run->glyph_count, run->cluster_count));
	for (unsigned int i = 0; i < run->glyph_count; i++) {
		painter->glyphs[i].index = run->glyphs[i].id;
		painter->glyphs[i].x = (double)run->glyphs[i].x;
		painter->glyphs[i].y = (double)run->glyphs[i].y;
	}
	for (unsigned int i = 0; i < run->cluster_count; i++) {
		painter->clusters[i].num_bytes = run->clusters[i].bytes;
		painter->clusters[i].num_glyphs = run->clusters[i].glyphs;
	}
}

static void paint_text(struct painter *painter, const struct display_run *run)
{
	take_run(painter, run);
	set_color(painter->cairo, run->color);
	cairo_set_scaled_font(painter->cairo, scaled_font(run->font));
	cairo_show_text_glyphs(painter->cairo, run->text, (int)run->text_size, painter->glyphs,
	    (int)run->glyph_count, painter->clusters, (int)run->cluster_count,
	    run->backward ? CAIRO_TEXT_CLUSTER_FLAG_BACKWARD : 0);
}

/*
 * cairo 1.16 writes glyphs of colour fonts as pictures of as many pixels as points, and loses their
 * text. So: the picture in a better size, and the text on a space that nobody sees.
 */
static void paint_emoji_picture(struct painter *painter, const struct display_run *run)
{
	cairo_scaled_font_t *font = scaled_font(run->font);
	cairo_font_extents_t extents;
	cairo_surface_t *picture;
	cairo_t *cairo;
	double width = (double)run->width;
	double height;

	cairo_scaled_font_extents(font, &extents);
	height = extents.ascent + extents.descent;
	if (!(width > 0) || !(height > 0) || width * EMOJI_SCALE > EMOJI_PIXELS_MAX ||
	    height * EMOJI_SCALE > EMOJI_PIXELS_MAX)
		return;
	picture = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)ceil(width * EMOJI_SCALE),
	    (int)ceil(height * EMOJI_SCALE));
	cairo = cairo_create(picture);
	cairo_scale(cairo, EMOJI_SCALE, EMOJI_SCALE);
	cairo_translate(cairo, -(double)run->glyphs[0].x,
	    extents.ascent - (double)run->glyphs[0].y);
	cairo_set_scaled_font(cairo, font);
	cairo_show_glyphs(cairo, painter->glyphs, (int)run->glyph_count);
	cairo_destroy(cairo);
	cairo_save(painter->cairo);
	cairo_translate(painter->cairo, (double)run->glyphs[0].x,
	    (double)run->glyphs[0].y - extents.ascent);
	cairo_scale(painter->cairo, 1 / EMOJI_SCALE, 1 / EMOJI_SCALE);
	cairo_set_source_surface(painter->cairo, picture, 0, 0);
	cairo_paint(painter->cairo);
	cairo_restore(painter->cairo);
	cairo_surface_destroy(picture);
}

static void paint_emoji_text(struct painter *painter, const struct display_run *run)
{
	cairo_glyph_t space = { painter->plain_space, (double)run->glyphs[0].x,
		(double)run->glyphs[0].y };
	cairo_text_cluster_t cluster = { (int)run->text_size, 1 };

	if (painter->plain == NULL)
		return;
	cairo_set_scaled_font(painter->cairo, painter->plain);
	cairo_show_text_glyphs(painter->cairo, run->text, (int)run->text_size, &space, 1,
	    &cluster, 1, 0);
}

static void paint_run(struct painter *painter, const struct display_run *run)
{
	if (run->glyph_count == 0)
		return;
	if (run->font != painter->font) {
		painter->font = run->font;
		painter->is_color = font_is_color(run->font);
	}
	if (!painter->is_color) {
		paint_text(painter, run);
		return;
	}
	take_run(painter, run);
	paint_emoji_picture(painter, run);
	paint_emoji_text(painter, run);
}

static void find_plain(struct painter *painter, struct _PangoFont *font)
{
	if (painter->plain != NULL || !PANGO_IS_FC_FONT(font) || font_is_color(font))
		return;
	painter->plain_space = pango_fc_font_get_glyph(PANGO_FC_FONT(font), ' ');
	if (painter->plain_space != 0)
		painter->plain = scaled_font(font);
}

/* ---- the rest ---- */

static void box_path(cairo_t *cairo, const struct display_box *box)
{
	double x = (double)box->x;
	double y = (double)box->y;
	double right = x + (double)box->width;
	double bottom = y + (double)box->height;
	double r = (double)box->radius;

	if (!(r > 0)) {
		cairo_rectangle(cairo, x, y, right - x, bottom - y);
		return;
	}
	cairo_new_sub_path(cairo);
	cairo_arc(cairo, right - r, y + r, r, -G_PI / 2, 0);
	cairo_arc(cairo, right - r, bottom - r, r, 0, G_PI / 2);
	cairo_arc(cairo, x + r, bottom - r, r, G_PI / 2, G_PI);
	cairo_arc(cairo, x + r, y + r, r, G_PI, 3 * G_PI / 2);
	cairo_close_path(cairo);
}

static void paint_box(cairo_t *cairo, const struct display_box *box)
{
	box_path(cairo, box);
	set_color(cairo, box->color);
	if (box->line > 0) {
		cairo_set_line_width(cairo, (double)box->line);
		cairo_stroke(cairo);
	} else {
		cairo_fill(cairo);
	}
}

static void paint_link(cairo_t *cairo, const struct display_link *link)
{
	char numbers[4][G_ASCII_DTOSTR_BUF_SIZE];
	char *attributes;

	g_ascii_formatd(numbers[0], sizeof(numbers[0]), "%.2f", (double)link->x);
	g_ascii_formatd(numbers[1], sizeof(numbers[1]), "%.2f", (double)link->y);
	g_ascii_formatd(numbers[2], sizeof(numbers[2]), "%.2f", (double)link->width);
	g_ascii_formatd(numbers[3], sizeof(numbers[3]), "%.2f", (double)link->height);
	attributes = g_strdup_printf("rect=[%s %s %s %s] uri='%s'", numbers[0], numbers[1],
	    numbers[2], numbers[3], link->uri);
	cairo_tag_begin(cairo, CAIRO_TAG_LINK, attributes);
	cairo_tag_end(cairo, CAIRO_TAG_LINK);
	g_free(attributes);
}

static void paint_page(struct painter *painter, const struct display_page *page)
{
	for (unsigned int i = 0; i < page->items->len; i++) {
		const struct display_item *item = &g_array_index(page->items, struct display_item,
		    i);

		switch (item->kind) {
		case DISPLAY_RUN:
			find_plain(painter, item->as.run.font);
			paint_run(painter, &item->as.run);
			break;
		case DISPLAY_BOX:
			paint_box(painter->cairo, &item->as.box);
			break;
		case DISPLAY_LINK:
			paint_link(painter->cairo, &item->as.link);
			break;
		case DISPLAY_BEGIN:
			cairo_tag_begin(painter->cairo, item->as.element->tag, NULL);
			break;
		case DISPLAY_END:
			cairo_tag_end(painter->cairo, item->as.element->tag);
			break;
		default:
			break;
		}
	}
	cairo_show_page(painter->cairo);
}

enum fail_code paint_pdf(const struct display *display, GByteArray *out, struct fail *f)
{
	struct painter painter = { .cairo = NULL };
	cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(take_bytes, out,
	    (double)display->width, (double)display->height);
	cairo_status_t status;

	painter.cairo = cairo_create(surface);
	for (unsigned int i = 0; i < display->pages->len; i++)
		paint_page(&painter, g_ptr_array_index(display->pages, i));
	cairo_destroy(painter.cairo);
	cairo_surface_finish(surface);
	status = cairo_surface_status(surface);
	cairo_surface_destroy(surface);
	g_free(painter.glyphs);
	g_free(painter.clusters);
	if (status != CAIRO_STATUS_SUCCESS)
		return fail_set(f, SG_ESYSTEM, NULL, "cairo cannot draw the pages: %s",
		    cairo_status_to_string(status));
	return SG_OK;
}
