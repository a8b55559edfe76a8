/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pango/pangoft2.h>
#include <string.h>

#include "pdfenc/quick.h"

struct fixture {
	PangoFontMap *map;
	PangoContext *context;
	PangoFontDescription *description;
	struct quick *quick;
};

static bool breaks(struct fixture *fixture, const char *text, double width,
    struct quick_text *out)
{
	return quick_break(fixture->quick, 0, text, strlen(text), width, out);
}

static void lines_fit_and_hold_all_of_the_text(void **state)
{
	static const char text[] = "The quick brown fox jumps over the well-known dog.\n\nGr"
	    "\303\274\303\237e \316\261\316\262\316\263, \320\264\320\260  two spaces "
	    "and a line's end\n";
	struct quick_text out;
	unsigned int glyphs = 0;
	unsigned int start = 0;

	for (double width = 60; width < 400; width += 7) {
		assert_true(breaks(*state, text, width, &out));
		glyphs = 0;
		start = 0;
		for (unsigned int i = 0; i < out.line_count; i++) {
			const struct quick_line *line = &out.lines[i];

			assert_int_equal(line->first, glyphs);
			for (unsigned int k = 0; k < line->count; k++) {
				const struct quick_glyph *glyph = &out.glyphs[line->first + k];

				assert_true(glyph->at >= start && glyph->at < line->end);
				assert_true(text[glyph->at] == ' ' || (double)glyph->x < width);
				start = glyph->at;
			}
			glyphs += line->count;
			start = line->end;
		}
		assert_int_equal(start, strlen(text));
	}
	/* an empty line, and what stands behind the last end */
	assert_true(breaks(*state, text, 1000, &out));
	assert_int_equal(out.line_count, 4);
}

static void a_hyphen_breaks_words_but_not_options(void **state)
{
	struct quick_text out;

	assert_true(breaks(*state, "aaaaaaaaaa-bbbbbbbbbb", 80, &out));
	assert_int_equal(out.line_count, 2);
	assert_int_equal(out.lines[0].end, 11);
	assert_false(breaks(*state, "--aaaaaaaaaaaaaaaaaaaa", 80, &out));
}

static void what_is_not_simple_is_left_to_pango(void **state)
{
	struct quick_text out;

	assert_false(breaks(*state, "\327\251\327\234\327\225\327\235", 400, &out));
	assert_false(breaks(*state, "a\314\201", 400, &out));
	assert_false(breaks(*state, "\344\270\255", 400, &out));
	assert_false(breaks(*state, "\360\237\230\200", 400, &out));
	assert_false(breaks(*state, "a\tb", 400, &out));
	assert_false(breaks(*state, "soft\302\255hyphen", 400, &out));
	assert_false(breaks(*state, "a word that is too wide: wwwwwwwwwwwwwwwwwwww", 60, &out));
	quick_forget(((struct fixture *)*state)->quick);
	assert_true(breaks(*state, "again", 400, &out));
}

static int start(void **state)
{
	struct fixture *fixture = g_new0(struct fixture, 1);

	fixture->map = pango_ft2_font_map_new();
	fixture->context = pango_font_map_create_context(fixture->map);
	fixture->description = pango_font_description_from_string("Liberation Sans 10");
	fixture->quick = quick_new(fixture->context, &fixture->description, 1);
	*state = fixture;
	return 0;
}

static int end(void **state)
{
	struct fixture *fixture = *state;

	quick_free(fixture->quick);
	pango_font_description_free(fixture->description);
	g_object_unref(fixture->context);
	g_object_unref(fixture->map);
	g_free(fixture);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_fit_and_hold_all_of_the_text),
		cmocka_unit_test(a_hyphen_breaks_words_but_not_options),
		cmocka_unit_test(what_is_not_simple_is_left_to_pango),
	};

	return cmocka_run_group_tests(tests, start, end);
}
