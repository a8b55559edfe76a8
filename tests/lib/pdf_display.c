/*
 * links: sealgate-pdf
 *
 * pdf_display: for tests: a PDF of what mail seldom has all at once.
 *
 *   pdf_display OUT TEXT JPEG   OUT: plain PDF; page 1: TEXT, a paragraph a line; page 2: JPEG,
 *                               made pixels, boxes, borders, clips and matrices
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pdfenc/layout.h"
#include "pdfenc/text.h"
#include "pdfenc/write.h"

static const struct display_color blue = { 0.1f, 0.3f, 0.8f, 0 };
static const struct display_color veil = { 0.9f, 0.2f, 0.1f, 0.5f };

static void put_box(struct display_page *page, float x, float y, struct display_box box)
{
	box.x = x;
	box.y = y;
	box.width = 80;
	box.height = 40;
	box.color = blue;
	display_add(page, DISPLAY_BOX)->as.box = box;
}

static void put_boxes(struct display *display, struct display_page *page)
{
	struct display_point *points = display_array(display, 4, sizeof(*points));
	struct display_path *path;

	put_box(page, 50, 50, (struct display_box){ .line = 0 });
	put_box(page, 150, 50, (struct display_box){ .radius = 10 });
	put_box(page, 250, 50, (struct display_box){ .corners = { 20, 0, 10, 5 } });
	put_box(page, 350, 50, (struct display_box){ .line = 3 });
	put_box(page, 450, 50, (struct display_box){ .line = 3, .dash = DISPLAY_DASHED });
	put_box(page, 50, 110, (struct display_box){ .line = 3, .dash = DISPLAY_DOTTED });
	points[0] = (struct display_point){ 150, 110 };
	points[1] = (struct display_point){ 230, 110 };
	points[2] = (struct display_point){ 220, 120 };
	points[3] = (struct display_point){ 160, 120 };
	path = &display_add(page, DISPLAY_PATH)->as.path;
	*path = (struct display_path){ .points = points, .count = 4, .color = veil };
}

static const struct display_image *make_pixels(struct display *display)
{
	guint8 *rgb = g_malloc(64 * 64 * 3);
	guint8 *alpha = g_malloc(64 * 64);
	GBytes *data;
	GBytes *mask;
	const struct display_image *image;

	for (unsigned int i = 0; i < 64 * 64; i++) {
		rgb[3 * i] = (guint8)(i % 64 * 4);
		rgb[3 * i + 1] = (guint8)(i / 64 * 4);
		rgb[3 * i + 2] = 128;
		alpha[i] = (guint8)(i % 64 * 4);
	}
	data = g_bytes_new_take(rgb, 64 * 64 * 3);
	mask = g_bytes_new_take(alpha, 64 * 64);
	image = display_pixels(display, DISPLAY_RGB, 64, 64, data, mask);
	g_bytes_unref(data);
	g_bytes_unref(mask);
	return image;
}

static void put_picture(struct display_page *page, const struct display_image *image, float y,
    const char *alt)
{
	struct display_picture *picture = &display_add(page, DISPLAY_PICTURE)->as.picture;

	*picture = (struct display_picture){ 50, y, 120, 90, image, alt };
}

static bool put_pictures(struct display *display, struct display_page *page, const char *jpeg)
{
	const struct display_image *image;
	char *data;
	size_t size;
	GBytes *bytes;

	if (!g_file_get_contents(jpeg, &data, &size, NULL))
		return false;
	bytes = g_bytes_new_take(data, size);
	image = display_jpeg(display, bytes);
	g_bytes_unref(bytes);
	if (image == NULL)
		return false;
	put_picture(page, image, 180, "a photograph (of \303\244 test)");
	put_picture(page, make_pixels(display), 290, "made pixels");
	display_add(page, DISPLAY_PUSH)->as.matrix = (struct display_matrix){ 0.5f, 0.1f, -0.1f,
		0.5f, 250, 200 };
	display_add(page, DISPLAY_CLIP)->as.box = (struct display_box){ 60, 180, 90, 80, 30, { 0 },
		0, DISPLAY_SOLID, blue };
	put_picture(page, image, 180, NULL);
	display_add(page, DISPLAY_LINK)->as.link = (struct display_link){ 50, 180, 120, 90,
		"https://example.org/a?(b)" };
	display_add(page, DISPLAY_CLIP_END);
	display_add(page, DISPLAY_POP);
	return true;
}

static struct display *lay_out(struct layout_engine *engine, const char *text)
{
	struct document *document = document_new();
	struct flow *flow = flow_new();
	GString *string = g_string_new(text);
	struct layout_request request = { .document = document, .flow = flow, .pages_max = 20 };
	struct display *display;
	bool cut;

	document->head.subject = g_strdup("Display");
	text_to_flow(string, false, false, flow);
	display = layout_pages(engine, &request, &cut);
	g_string_free(string, TRUE);
	flow_free(flow);
	document_free(document);
	return display;
}

static bool write_out(struct layout_engine *engine, const struct display *display, const char *out)
{
	struct write_request request = { .display = display, .title = "Display \303\274" };
	GByteArray *pdf = g_byte_array_new();
	struct fail f;
	bool done;

	request.faces = layout_engine_faces(engine);
	request.language = "en";
	done = write_pdf(&request, pdf, &f) == SG_OK &&
	    g_file_set_contents(out, (const char *)pdf->data, (gssize)pdf->len, NULL);
	g_byte_array_unref(pdf);
	return done;
}

int main(int argc, char *argv[])
{
	struct layout_engine *engine;
	struct display *display;
	struct display_page *page;
	char *text = NULL;
	bool done;

	if (argc != 4 || !g_file_get_contents(argv[2], &text, NULL, NULL)) {
		(void)fprintf(stderr, "usage: pdf_display OUT TEXT JPEG\n");
		return EXIT_FAILURE;
	}
	engine = layout_engine_new();
	display = lay_out(engine, text);
	display_outline(display, "Text", 0, 0, 50);
	display_outline(display, "Bilder \303\244", 1, display->pages->len, 180);
	page = display_add_page(display);
	page->width = 612;
	page->height = 792;
	put_boxes(display, page);
	done = put_pictures(display, page, argv[3]) && write_out(engine, display, argv[1]);
	display_free(display);
	layout_engine_free(engine);
	g_free(text);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
