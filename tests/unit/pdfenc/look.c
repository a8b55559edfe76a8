/* A tenant's name, colour and logo above the message. links: sealgate-pdf
 * expect-error: error logo code=format
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "config/looks.h"
#include "pdfenc/layout.h"
#include "pdfenc/look.h"
#include "pdfenc/text.h"

static void put_logo(struct conf_tenant *tenant, unsigned int width, unsigned int height,
    bool broken)
{
	guint8 *pixels = g_malloc0_n((size_t)width * height, 4);
	png_alloc_size_t size = LOOKS_LOGO_MAX;
	guint8 *file = g_malloc(size);
	png_image image;
	struct fail f;

	for (size_t i = 0; i < (size_t)width * height * 4; i++)
		pixels[i] = (guint8)(i % 4 == 3 ? 200 : i / 4 / width);
	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	image.width = width;
	image.height = height;
	image.format = PNG_FORMAT_RGBA;
	assert_int_equal(png_image_write_to_memory(&image, file, &size, 0, pixels, 0, NULL), 1);
	if (broken)
		memset(file + 40, 0, size - 40);
	assert_int_equal(looks_take_logo(tenant, file, size, &f), SG_OK);
	g_free(file);
	g_free(pixels);
}

static struct conf *conf_of(const char *organisation)
{
	struct conf *conf = NULL;
	struct fail f;

	assert_int_equal(conf_default(&conf, &f), SG_OK);
	conf->tenants = calloc(1, sizeof(*conf->tenants));
	assert_non_null(conf->tenants);
	conf->tenant_count = 1;
	conf->tenants[0].name = strdup("nord");
	conf->tenants[0].organisation = strdup(organisation);
	conf->tenants[0].colour = strdup("#ff8000");
	return conf;
}

/* The first page of a message of the tenant. */
static struct display *set(struct layout_engine *engine, const struct look *look)
{
	struct document *document = document_new();
	struct flow *flow = flow_new();
	GString *string = g_string_new("text");
	struct layout_request request = { .document = document, .flow = flow, .look = look };
	struct display *display;
	bool cut;

	document->head.subject = g_strdup("subject");
	text_to_flow(string, false, false, flow);
	request.pages_max = 10;
	display = layout_pages(engine, &request, &cut);
	g_string_free(string, TRUE);
	flow_free(flow);
	document_free(document);
	return display;
}

struct found {
	const struct display_picture *picture;
	unsigned int orange;
	bool organisation;
};

static struct found look_at(const struct display *display, const char *organisation)
{
	const struct display_page *page = g_ptr_array_index(display->pages, 0);
	GString *text = g_string_new(NULL);
	struct found found = { NULL, 0, false };

	for (unsigned int i = 0; i < page->items->len; i++) {
		const struct display_item *item = &g_array_index(page->items, struct display_item,
		    i);

		if (item->kind == DISPLAY_PICTURE)
			found.picture = &item->as.picture;
		if (item->kind == DISPLAY_BOX && item->as.box.color.red > 0.99f &&
		    item->as.box.color.blue < 0.01f)
			found.orange++;
		if (item->kind == DISPLAY_RUN)
			g_string_append_len(text, item->as.run.text, item->as.run.text_size);
	}
	found.organisation = strstr(text->str, organisation) != NULL;
	g_string_free(text, TRUE);
	return found;
}

static void the_first_page_has_name_colour_and_logo(void **state)
{
	struct conf *conf = conf_of("Nord");
	struct display *display;
	struct looks *looks;
	struct found found;

	put_logo(&conf->tenants[0], 900, 300, false);
	looks = looks_new(conf);
	for (unsigned int round = 0; round < 2; round++) {
		display = set(*state, look_find(looks, "nord"));
		found = look_at(display, "Nord");
		assert_true(found.organisation);
		assert_int_equal(found.orange, 1);
		assert_non_null(found.picture);
		assert_string_equal(found.picture->alt, "Nord");
		assert_int_equal(found.picture->image->width, 450);
		assert_true((double)found.picture->width <= LOOK_WIDTH + 0.1);
		assert_true((double)found.picture->height <= LOOK_HEIGHT + 0.1);
		assert_true(found.picture->x + found.picture->width < display->width);
		display_free(display);
	}
	looks_free(looks);
	conf_free(conf);
}

static void a_logo_that_cannot_be_decoded_is_left_out(void **state)
{
	struct conf *conf = conf_of("Nord");
	struct display *display;
	struct looks *looks;
	struct found found;

	put_logo(&conf->tenants[0], 64, 64, true);
	looks = looks_new(conf);
	display = set(*state, look_find(looks, "nord"));
	found = look_at(display, "Nord");
	assert_true(found.organisation);
	assert_null(found.picture);
	display_free(display);
	looks_free(looks);
	conf_free(conf);
}

static void nobody_has_no_look(void **state)
{
	struct conf *conf = conf_of("");
	struct looks *looks = looks_new(conf);
	struct display *display;

	assert_null(look_find(looks, "other"));
	assert_null(look_find(looks, NULL));
	assert_null(look_find(NULL, "nord"));
	display = set(*state, NULL);
	assert_int_equal(look_at(display, "Nord").orange, 0);
	display_free(display);
	/* without a name the colour alone */
	display = set(*state, look_find(looks, "nord"));
	assert_int_equal(look_at(display, "Nord").orange, 1);
	display_free(display);
	looks_free(looks);
	conf_free(conf);
}

static int start(void **state)
{
	*state = layout_engine_new();
	return *state == NULL;
}

static int stop(void **state)
{
	layout_engine_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_page_has_name_colour_and_logo),
		cmocka_unit_test(a_logo_that_cannot_be_decoded_is_left_out),
		cmocka_unit_test(nobody_has_no_look),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
