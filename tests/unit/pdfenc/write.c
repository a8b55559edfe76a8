/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "pdfenc/cff.h"
#include "pdfenc/layout.h"
#include "pdfenc/pixels.h"
#include "pdfenc/text.h"
#include "pdfenc/write.h"
#include "pdfenc/write_crypt.h"

/* ---- a display by hand ---- */

static GByteArray *write_display(struct layout_engine *engine, const struct display *display)
{
	struct write_request request = { .display = display, .title = "a (title) \\ \303\244" };
	GByteArray *pdf = g_byte_array_new();
	struct fail f;

	request.faces = layout_engine_faces(engine);
	request.language = "en";
	assert_int_equal(write_pdf(&request, pdf, &f), SG_OK);
	return pdf;
}

static bool has(const GByteArray *pdf, const char *text)
{
	return memmem(pdf->data, pdf->len, text, strlen(text)) != NULL;
}

static GBytes *bytes_of(size_t size, unsigned char value)
{
	unsigned char *data = g_malloc(size);

	memset(data, value, size);
	return g_bytes_new_take(data, size);
}

/* The least that is a JPEG's beginning: frame and scan. */
static GBytes *jpeg_of(unsigned char frame, unsigned char components, bool adobe)
{
	static const unsigned char marker[] = { 0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100,
		0, 0, 0, 0, 2 };
	unsigned char head[] = { 0xff, 0xc0, 0, 20, 8, 0, 3, 0, 5, 4, 1, 17, 0, 2, 17, 0, 3, 17, 0,
		4, 17, 0 };
	static const unsigned char scan[] = { 0xff, 0xda, 0, 2, 1, 2, 0xff, 0xd9 };
	GByteArray *all = g_byte_array_new();

	head[1] = frame;
	head[3] = (unsigned char)(8 + 3 * components);
	head[9] = components;
	g_byte_array_append(all, (const guint8 *)"\xff\xd8", 2);
	if (adobe)
		g_byte_array_append(all, marker, sizeof(marker));
	g_byte_array_append(all, head, 10 + 3u * components);
	g_byte_array_append(all, scan, sizeof(scan));
	return g_byte_array_free_to_bytes(all);
}

static const struct display_image *take_jpeg(struct display *display, unsigned char frame,
    unsigned char components, bool adobe)
{
	GBytes *data = jpeg_of(frame, components, adobe);
	const struct display_image *image = display_jpeg(display, data);

	g_bytes_unref(data);
	return image;
}

static void a_jpeg_is_taken_if_readers_show_it(void **state)
{
	struct display *display = display_new(100, 100);
	const struct display_image *image = take_jpeg(display, 0xc0, 3, false);

	(void)state;
	assert_non_null(image);
	assert_int_equal(image->width, 5);
	assert_int_equal(image->height, 3);
	assert_int_equal(image->components, 3);
	image = take_jpeg(display, 0xc2, 4, true);
	assert_non_null(image);
	assert_true(image->inverted);
	assert_non_null(take_jpeg(display, 0xc1, 1, false));
	assert_null(take_jpeg(display, 0xc3, 3, false));
	assert_null(take_jpeg(display, 0xc9, 3, false));
	assert_null(take_jpeg(display, 0xc0, 2, false));
	display_free(display);
}

static void a_broken_jpeg_is_never_taken(void **state)
{
	GBytes *whole = jpeg_of(0xc0, 3, true);
	struct display *display = display_new(100, 100);
	size_t size;
	const void *data = g_bytes_get_data(whole, &size);

	(void)state;
	/* all of it but the scan's data */
	for (size_t cut = 0; cut + 4 < size; cut++) {
		GBytes *part = g_bytes_new(data, cut);

		assert_null(display_jpeg(display, part));
		g_bytes_unref(part);
	}
	g_bytes_unref(whole);
	display_free(display);
}

static void jpeg_bytes_stay_as_they_are(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_page *page = display_add_page(display);
	struct display_picture *picture = &display_add(page, DISPLAY_PICTURE)->as.picture;
	GBytes *data = jpeg_of(0xc0, 4, true);
	GByteArray *pdf;
	size_t size;
	const void *bytes = g_bytes_get_data(data, &size);

	picture->image = display_jpeg(display, data);
	picture->width = 10;
	picture->height = 10;
	picture->alt = "four (inks)";
	pdf = write_display(*state, display);
	assert_non_null(memmem(pdf->data, pdf->len, bytes, size));
	assert_true(has(pdf, "/DeviceCMYK/Decode[1 0 1 0 1 0 1 0]/Filter/DCTDecode"));
	assert_true(has(pdf, "/S/Figure"));
	assert_true(has(pdf, "/Alt(four \\(inks\\))"));
	g_byte_array_unref(pdf);
	g_bytes_unref(data);
	display_free(display);
}

static void pixels_of_wrong_size_are_no_image(void **state)
{
	struct display *display = display_new(100, 100);
	GBytes *data = bytes_of(12, 7);

	(void)state;
	assert_non_null(display_pixels(display, DISPLAY_RGB, 2, 2, data, NULL));
	assert_non_null(display_pixels(display, DISPLAY_GRAY, 3, 4, data, data));
	assert_null(display_pixels(display, DISPLAY_RGB, 2, 2, data, data));
	assert_null(display_pixels(display, DISPLAY_RGB, 2, 3, data, NULL));
	assert_null(display_pixels(display, DISPLAY_GRAY, 0, 0, data, NULL));
	g_bytes_unref(data);
	display_free(display);
}

static void an_image_is_written_once(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_page *page = display_add_page(display);
	GBytes *data = bytes_of(300, 9);
	GBytes *alpha = bytes_of(100, 100);
	const struct display_image *image = display_pixels(display, DISPLAY_RGB, 10, 10, data,
	    alpha);
	GByteArray *pdf;

	for (int i = 0; i < 3; i++) {
		struct display_picture *picture = &display_add(page, DISPLAY_PICTURE)->as.picture;

		picture->image = image;
		picture->width = 10;
		picture->height = 10;
	}
	pdf = write_display(*state, display);
	assert_true(has(pdf, "/SMask"));
	assert_true(has(pdf, "/I1 "));
	assert_false(has(pdf, "/I2 "));
	/* without alternative text and outside of any element: decoration */
	assert_false(has(pdf, "/S/Figure"));
	g_byte_array_unref(pdf);
	g_bytes_unref(data);
	g_bytes_unref(alpha);
	display_free(display);
}

/* ---- nesting ---- */

static void what_is_nested_wrongly_is_survived(void **state)
{
	static const enum display_kind kinds[] = { DISPLAY_CLIP, DISPLAY_CLIP_END, DISPLAY_PUSH,
		DISPLAY_POP, DISPLAY_BEGIN, DISPLAY_END, DISPLAY_BOX, DISPLAY_LINK, DISPLAY_PATH };
	uint32_t random = 1;

	for (unsigned int round = 0; round < 50; round++) {
		struct display *display = display_new(100, 100);
		struct display_element *element = display_element(display, "P");
		GByteArray *pdf;

		for (unsigned int i = 0; i < 300; i++) {
			struct display_page *page = i % 100 == 0 ? display_add_page(display) :
			    g_ptr_array_index(display->pages, display->pages->len - 1);
			struct display_item *item;

			random = random * 1664525 + 1013904223;
			item = display_add(page, kinds[(random >> 16) % G_N_ELEMENTS(kinds)]);
			if (item->kind == DISPLAY_BEGIN || item->kind == DISPLAY_END)
				item->as.element = element;
			if (item->kind == DISPLAY_LINK)
				item->as.link = (struct display_link){ 1, 2, 3, 4,
					"https://example.org/)(" };
		}
		pdf = write_display(*state, display);
		assert_true(has(pdf, "%%EOF"));
		g_byte_array_unref(pdf);
		display_free(display);
	}
}

static void numbers_from_outside_stay_numbers(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_box *box = &display_add(display_add_page(display), DISPLAY_BOX)->as.box;
	GByteArray *pdf;

	*box = (struct display_box){ .x = (float)NAN, .y = (float)INFINITY, .width = 1e30f,
		.height = -1e30f, .radius = (float)NAN, .line = 1e20f };
	pdf = write_display(*state, display);
	assert_false(has(pdf, "nan"));
	assert_false(has(pdf, "inf"));
	g_byte_array_unref(pdf);
	display_free(display);
}

static void an_element_goes_on_over_pages(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_element *element = display_element(display, "Figure");
	GBytes *data = bytes_of(1, 0);
	const struct display_image *image = display_pixels(display, DISPLAY_GRAY, 1, 1, data, NULL);
	GByteArray *pdf;

	for (int i = 0; i < 2; i++) {
		struct display_page *page = display_add_page(display);
		struct display_picture *picture;

		display_begin(page, element);
		picture = &display_add(page, DISPLAY_PICTURE)->as.picture;
		picture->image = image;
		picture->width = 1;
		picture->height = 1;
		display_end(page, element);
	}
	display_outline(display, "one", 0, 0, 10);
	display_outline(display, "two", 5, 1, 10);
	pdf = write_display(*state, display);
	assert_true(has(pdf, "/K[ 0<</Type/MCR/MCID 0/Pg"));
	assert_true(has(pdf, "/Outlines"));
	assert_true(has(pdf, "/Title(two)"));
	assert_true(has(pdf, "/Title(\376\377"));
	g_byte_array_unref(pdf);
	g_bytes_unref(data);
	display_free(display);
}

static void the_same_display_gives_the_same_bytes(void **state)
{
	struct document *document = document_new();
	struct flow *flow = flow_new();
	GString *text = g_string_new("fi \330\271\331\216\330\261\330\250\331\212 \360\237\230\200 "
	    "\340\244\271\340\244\277 \344\270\255 \302\240-\302\255 https://example.org/\n");
	struct layout_request request = { .document = document, .flow = flow, .pages_max = 9 };
	GByteArray *first = NULL;
	bool cut;

	document->head.subject = g_strdup("subject");
	text_to_flow(text, false, false, flow);
	for (int i = 0; i < 3; i++) {
		struct display *display = layout_pages(*state, &request, &cut);
		GByteArray *pdf = write_display(*state, display);

		if (first == NULL) {
			first = g_byte_array_ref(pdf);
			assert_true(has(pdf, "SealgateText"));
			assert_true(has(pdf, "/CIDFontType0C"));
		}
		assert_int_equal(pdf->len, first->len);
		assert_memory_equal(pdf->data, first->data, first->len);
		g_byte_array_unref(pdf);
		display_free(display);
	}
	g_byte_array_unref(first);
	g_string_free(text, TRUE);
	flow_free(flow);
	document_free(document);
}

static void strings_have_no_zero_byte_and_no_bracket(void **state)
{
	GString *out = g_string_new(NULL);

	(void)state;
	put_bytes(out, "a\0(b\r", 5);
	assert_string_equal(out->str, "(a\\000\\(b\\r)");
	assert_int_equal(out->len, strlen(out->str));
	g_string_free(out, TRUE);
}

static void a_sealed_pdf_is_all_cipher(void **state)
{
	static const char *const hidden[] = { "the file", "a title", "(en)", "D:2026",
		"/MediaBox" };
	struct qpdf_keys keys;
	struct display *display = display_new(100, 100);
	static const unsigned char content[] = "the file's content";
	struct write_attached file = { "n\303\244me.txt", "text/plain", "D:20260101000000Z",
		"Unspecified", content, sizeof(content) - 1, false };
	struct write_request request = { .display = display, .title = "a title", .language = "en" };
	GByteArray *room = g_byte_array_new();
	char *all = NULL;
	struct fail f;
	char error[QPDF_ERROR_MAX];
	ssize_t size;

	(void)display_add_page(display);
	request.faces = layout_engine_faces(*state);
	request.files = &file;
	request.file_count = 1;
	assert_true(qpdf_make_keys("user", "owner", &keys, error));
	assert_int_equal(write_crypt_new(&keys, &request.crypt, &f), SG_OK);
	assert_int_equal(fd_memory("sealed", &request.fd, &f), SG_OK);
	assert_int_equal(write_pdf(&request, room, &f), SG_OK);
	all = g_malloc0(65536);
	size = pread(request.fd, all, 65536, 0);
	assert_true(size > 1000 && size < 65536);
	for (size_t i = 0; i < G_N_ELEMENTS(hidden); i++)
		assert_null(memmem(all, (size_t)size, hidden[i], strlen(hidden[i])));
	assert_non_null(memmem(all, (size_t)size, "/V 5/R 6", 8));
	fd_close(&request.fd);
	g_free(all);
	write_crypt_free(request.crypt);
	g_byte_array_unref(room);
	display_free(display);
}

static void a_document_without_pages_is_refused(void **state)
{
	struct display *display = display_new(100, 100);
	struct write_request request = { .display = display, .title = "" };
	GByteArray *pdf = g_byte_array_new();
	struct fail f;

	request.faces = layout_engine_faces(*state);
	assert_int_equal(write_pdf(&request, pdf, &f), SG_EFORMAT);
	g_byte_array_unref(pdf);
	display_free(display);
}

/* ---- parts ---- */

static void few_colours_become_a_palette(void **state)
{
	guint8 rgb[300 * 3];
	guint8 *indexes;
	GByteArray *palette;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rgb); i++)
		rgb[i] = (guint8)(i / 3 % 256);
	palette = pixels_palette(rgb, 300, &indexes);
	assert_non_null(palette);
	assert_int_equal(palette->len, 256 * 3);
	for (unsigned int i = 0; i < 300; i++)
		assert_memory_equal(palette->data + 3 * indexes[i], rgb + 3 * i, 3);
	g_byte_array_unref(palette);
	g_free(indexes);
	rgb[0] = 77;
	assert_null(pixels_palette(rgb, 300, &indexes));
	assert_null(indexes);
}

static void broken_cff_is_never_read_past_its_end(void **state)
{
	/* header; empty name index; one DICT "1 0 0 ROS 40 charset"; charset of format 2 */
	static const unsigned char cff[] = { 1, 0, 4, 1, 0, 0, 0, 1, 1, 1, 9, 140, 139, 139, 12, 30,
		159, 15, 0, 0, 2, 0, 5, 0, 9 };
	unsigned char copy[sizeof(cff)];
	uint16_t cids[8];

	(void)state;
	memcpy(copy, cff, sizeof(cff));
	assert_int_equal(cff_cids(copy, sizeof(copy), cids, 8), CFF_CIDS);
	assert_int_equal(cids[0], 0);
	assert_int_equal(cids[1], 5);
	assert_int_equal(cids[7], 11);
	for (size_t size = 0; size < sizeof(cff); size++)
		assert_int_not_equal(cff_cids(copy, size, cids, 8), CFF_CIDS);
	for (size_t i = 0; i < sizeof(cff); i++)
		for (unsigned int value = 0; value < 256; value++) {
			memcpy(copy, cff, sizeof(cff));
			copy[i] = (unsigned char)value;
			(void)cff_cids(copy, sizeof(copy), cids, 8);
		}
}

static int start(void **state)
{
	*state = layout_engine_new();
	return *state == NULL;
}

static int end(void **state)
{
	layout_engine_free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_jpeg_is_taken_if_readers_show_it),
		cmocka_unit_test(a_broken_jpeg_is_never_taken),
		cmocka_unit_test(jpeg_bytes_stay_as_they_are),
		cmocka_unit_test(pixels_of_wrong_size_are_no_image),
		cmocka_unit_test(an_image_is_written_once),
		cmocka_unit_test(what_is_nested_wrongly_is_survived),
		cmocka_unit_test(numbers_from_outside_stay_numbers),
		cmocka_unit_test(an_element_goes_on_over_pages),
		cmocka_unit_test(the_same_display_gives_the_same_bytes),
		cmocka_unit_test(strings_have_no_zero_byte_and_no_bracket),
		cmocka_unit_test(a_sealed_pdf_is_all_cipher),
		cmocka_unit_test(a_document_without_pages_is_refused),
		cmocka_unit_test(few_colours_become_a_palette),
		cmocka_unit_test(broken_cff_is_never_read_past_its_end),
	};

	return cmocka_run_group_tests(tests, start, end);
}
