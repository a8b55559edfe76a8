/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <png.h>
#include <string.h>
#include <webp/encode.h>

#include "pdfenc/picture.h"
#include "pdfenc/picture_raster.h"

#define PIXELS ((size_t)4000 * 4000)

static const struct display_image *show(struct display *display, const guint8 *data, size_t size)
{
	size_t pixels = 0;

	return picture_page(display, data, size, PIXELS, &pixels);
}

static guint8 *make_pixels(unsigned int width, unsigned int height)
{
	guint8 *rgba = g_malloc((gsize)width * height * 4);

	for (size_t i = 0; i < (size_t)width * height; i++) {
		rgba[4 * i] = (guint8)(i % 251);
		rgba[4 * i + 1] = (guint8)(i / width % 256);
		rgba[4 * i + 2] = 90;
		rgba[4 * i + 3] = 255;
	}
	return rgba;
}

static GByteArray *make_png(unsigned int width, unsigned int height)
{
	guint8 *rgba = make_pixels(width, height);
	GByteArray *out = g_byte_array_new();
	png_alloc_size_t size = 0;
	png_image image;

	memset(&image, 0, sizeof(image));
	image.version = PNG_IMAGE_VERSION;
	image.width = width;
	image.height = height;
	image.format = PNG_FORMAT_RGBA;
	assert_true(png_image_write_to_memory(&image, NULL, &size, 0, rgba, 0, NULL));
	g_byte_array_set_size(out, (guint)size);
	assert_true(png_image_write_to_memory(&image, out->data, &size, 0, rgba, 0, NULL));
	g_free(rgba);
	return out;
}

static GBytes *make_jpeg(unsigned int width, unsigned int height)
{
	struct raster raster = { .width = width, .height = height };
	GBytes *jpeg;

	raster.rgba = make_pixels(width, height);
	jpeg = raster_to_jpeg(&raster);
	g_free(raster.rgba);
	return jpeg;
}

static void a_jpeg_keeps_its_bytes_and_is_turned(void **state)
{
	static const guint8 exif[] = { 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42,
		0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0 };
	struct display *display = display_new(100, 100);
	GBytes *jpeg = make_jpeg(40, 30);
	GByteArray *turned = g_byte_array_new();
	const struct display_image *image;
	gsize size;
	const guint8 *data = g_bytes_get_data(jpeg, &size);

	(void)state;
	g_byte_array_append(turned, data, 2);
	g_byte_array_append(turned, exif, sizeof(exif));
	g_byte_array_append(turned, data + 2, (guint)size - 2);
	image = show(display, turned->data, turned->len);
	assert_non_null(image);
	assert_int_equal(image->turn, 6);
	assert_int_equal(image->width, 40);
	assert_int_equal(g_bytes_get_size(image->data), turned->len);
	assert_memory_equal(g_bytes_get_data(image->data, NULL), turned->data, turned->len);
	display_free(display);
	g_byte_array_unref(turned);
	g_bytes_unref(jpeg);
}

static void a_jpeg_without_its_end_is_not_shown(void **state)
{
	struct display *display = display_new(100, 100);
	GBytes *jpeg = make_jpeg(40, 30);
	gsize size;
	const guint8 *data = g_bytes_get_data(jpeg, &size);

	(void)state;
	assert_non_null(show(display, data, size));
	assert_null(show(display, data, size - 2));
	display_free(display);
	g_bytes_unref(jpeg);
}

static void more_pixels_than_a_page_shows_are_made_fewer(void **state)
{
	struct display *display = display_new(100, 100);
	GByteArray *png = make_png(PICTURE_PAGE_SIDE * 2, 50);
	const struct display_image *image = show(display, png->data, png->len);

	(void)state;
	assert_non_null(image);
	assert_int_equal(image->width, PICTURE_PAGE_SIDE);
	assert_int_equal(image->height, 25);
	display_free(display);
	g_byte_array_unref(png);
}

static void a_photograph_in_webp_becomes_a_jpeg(void **state)
{
	struct display *display = display_new(100, 100);
	guint8 *rgba = make_pixels(64, 48);
	guint8 *webp;
	size_t size = WebPEncodeRGBA(rgba, 64, 48, 256, 80, &webp);
	const struct display_image *image = show(display, webp, size);

	(void)state;
	assert_non_null(image);
	assert_int_equal(image->kind, DISPLAY_JPEG);
	assert_int_equal(image->height, 48);
	display_free(display);
	WebPFree(webp);
	g_free(rgba);
}

static void sizes_are_known_before_anything_is_decoded(void **state)
{
	GByteArray *png = make_png(33, 44);
	GBytes *jpeg = make_jpeg(55, 66);
	struct picture_facts facts;

	(void)state;
	assert_true(picture_look(png->data, png->len, &facts));
	assert_int_equal(facts.width, 33);
	assert_int_equal(facts.height, 44);
	assert_true(picture_look(g_bytes_get_data(jpeg, NULL), g_bytes_get_size(jpeg), &facts));
	assert_int_equal(facts.width, 55);
	assert_int_equal(facts.height, 66);
	assert_false(picture_look((const guint8 *)"no picture, but long enough to be looked at", 43,
	    &facts));
	g_byte_array_unref(png);
	g_bytes_unref(jpeg);
}

static void too_many_pixels_are_never_decoded(void **state)
{
	struct display *display = display_new(100, 100);
	GByteArray *png = make_png(50, 50);
	size_t pixels = 0;

	(void)state;
	assert_null(picture_page(display, png->data, png->len, 2499, &pixels));
	for (unsigned int i = 0; i < 4; i++)
		assert_non_null(picture_page(display, png->data, png->len, 2500, &pixels));
	assert_null(picture_page(display, png->data, png->len, 2500, &pixels));
	display_free(display);
	g_byte_array_unref(png);
}

/* Damage at every place: shown or not, never a crash. */
static void damaged_files_are_survived(void **state)
{
	GByteArray *png = make_png(20, 20);
	GBytes *jpeg = make_jpeg(20, 20);
	size_t sizes[2] = { png->len, g_bytes_get_size(jpeg) };
	guint8 *files[2] = { g_memdup2(png->data, png->len),
		g_memdup2(g_bytes_get_data(jpeg, NULL), g_bytes_get_size(jpeg)) };

	(void)state;
	for (unsigned int n = 0; n < 2; n++)
		for (size_t i = 0; i < sizes[n]; i++) {
			struct display *display = display_new(100, 100);

			(void)show(display, files[n], i);
			files[n][i] ^= 0xff;
			(void)show(display, files[n], sizes[n]);
			files[n][i] ^= 0xff;
			display_free(display);
		}
	g_free(files[0]);
	g_free(files[1]);
	g_byte_array_unref(png);
	g_bytes_unref(jpeg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jpeg_keeps_its_bytes_and_is_turned),
		cmocka_unit_test(a_jpeg_without_its_end_is_not_shown),
		cmocka_unit_test(more_pixels_than_a_page_shows_are_made_fewer),
		cmocka_unit_test(a_photograph_in_webp_becomes_a_jpeg),
		cmocka_unit_test(sizes_are_known_before_anything_is_decoded),
		cmocka_unit_test(too_many_pixels_are_never_decoded),
		cmocka_unit_test(damaged_files_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
