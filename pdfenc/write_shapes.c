#include <hb.h>

#include "pdfenc/write_page.h"

/* Where the shapes of a glyph go. */
struct shape {
	GString *out;
	double x;
	double y;
	double unit;
};

static void put_point(struct shape *shape, float x, float y)
{
	double values[2] = { shape->x + (double)x * shape->unit,
		shape->y + (double)y * shape->unit };

	put_numbers(shape->out, values, 2);
}

static void move_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, float x, float y,
    void *user)
{
	(void)funcs;
	(void)state;
	(void)user;
	put_point(data, x, y);
	g_string_append(((struct shape *)data)->out, "m\n");
}

static void line_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, float x, float y,
    void *user)
{
	(void)funcs;
	(void)state;
	(void)user;
	put_point(data, x, y);
	g_string_append(((struct shape *)data)->out, "l\n");
}

/* Quadratic curves come as cubic ones, since HarfBuzz turns them where none is set for them. */
/* NOLINTNEXTLINE(readability-function-size): HarfBuzz says what it is called with */
static void cubic_to(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, float x1,
    float y1, float x2, float y2, float x, float y, void *user)
{
	(void)funcs;
	(void)state;
	(void)user;
	put_point(data, x1, y1);
	put_point(data, x2, y2);
	put_point(data, x, y);
	g_string_append(((struct shape *)data)->out, "c\n");
}

static void close_path(hb_draw_funcs_t *funcs, void *data, hb_draw_state_t *state, void *user)
{
	(void)funcs;
	(void)state;
	(void)user;
	g_string_append(((struct shape *)data)->out, "h\n");
}

void write_outlines(struct write_page *page, const struct display_run *run,
    const struct write_style *style)
{
	hb_draw_funcs_t *funcs = hb_draw_funcs_create();
	struct shape shape = { .out = page->out };
	int scale;

	hb_draw_funcs_set_move_to_func(funcs, move_to, NULL, NULL);
	hb_draw_funcs_set_line_to_func(funcs, line_to, NULL, NULL);
	hb_draw_funcs_set_cubic_to_func(funcs, cubic_to, NULL, NULL);
	hb_draw_funcs_set_close_path_func(funcs, close_path, NULL, NULL);
	/* Pango's font knows the axes of a variable one */
	hb_font_get_scale(style->shaped, NULL, &scale);
	shape.unit = scale > 0 ? style->size / scale : 0;
	for (unsigned int i = 0; i < run->glyph_count; i++) {
		shape.x = (double)run->glyphs[i].x;
		shape.y = page->height - (double)run->glyphs[i].y;
		if (run->glyphs[i].id != 0)
			hb_font_get_glyph_shape(style->shaped, run->glyphs[i].id, funcs, &shape);
	}
	g_string_append(page->out, "f\n");
	hb_draw_funcs_destroy(funcs);
}
