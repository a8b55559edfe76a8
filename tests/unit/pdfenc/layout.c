/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/layout.h"
#include "pdfenc/text.h"
#include "pdfenc/write.h"

static struct display *set(struct layout_engine *engine, const char *text, unsigned int pages_max,
    bool *cut)
{
	struct document *document = document_new();
	struct flow *flow = flow_new();
	GString *string = g_string_new(text);
	struct layout_request request = { .document = document, .flow = flow };
	struct display *display;

	document->head.subject = g_strdup("subject");
	text_to_flow(string, false, false, flow);
	request.pages_max = pages_max;
	display = layout_pages(engine, &request, cut);
	g_string_free(string, TRUE);
	flow_free(flow);
	document_free(document);
	return display;
}

static char *long_text(unsigned int lines)
{
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < lines; i++)
		g_string_append_printf(text, "line-%u \327\251\327\234\327\225\327\235 "
		    "\344\270\255\346\226\207 \360\237\230\200%s", i, i % 5 == 4 ? "\n\n" : "\n");
	return g_string_free(text, FALSE);
}

static bool page_says(const struct display_page *page, const char *word)
{
	GString *text = g_string_new(NULL);
	bool found;

	for (unsigned int i = 0; i < page->items->len; i++) {
		const struct display_item *item = &g_array_index(page->items, struct display_item,
		    i);

		if (item->kind == DISPLAY_RUN)
			g_string_append_len(text, item->as.run.text, item->as.run.text_size);
	}
	found = strstr(text->str, word) != NULL;
	g_string_free(text, TRUE);
	return found;
}

static void check_run(const struct display *display, const struct display_run *run)
{
	unsigned int bytes = 0;
	unsigned int glyphs = 0;

	for (unsigned int i = 0; i < run->cluster_count; i++) {
		bytes += run->clusters[i].bytes;
		glyphs += run->clusters[i].glyphs;
	}
	assert_int_equal(bytes, run->text_size);
	assert_int_equal(glyphs, run->glyph_count);
	for (unsigned int i = 0; i < run->glyph_count; i++) {
		assert_true(run->glyphs[i].x >= 0 && run->glyphs[i].x <= display->width);
		assert_true(run->glyphs[i].y >= 0 && run->glyphs[i].y <= display->height);
	}
}

static void every_glyph_has_its_text_and_stands_on_the_page(void **state)
{
	char *text = long_text(200);
	bool cut;
	struct display *display = set(*state, text, 100, &cut);

	assert_false(cut);
	for (unsigned int p = 0; p < display->pages->len; p++) {
		const struct display_page *page = g_ptr_array_index(display->pages, p);
		int depth = 0;

		for (unsigned int i = 0; i < page->items->len; i++) {
			const struct display_item *item = &g_array_index(page->items,
			    struct display_item, i);

			if (item->kind == DISPLAY_RUN)
				check_run(display, &item->as.run);
			depth += item->kind == DISPLAY_BEGIN;
			depth -= item->kind == DISPLAY_END;
			assert_true(depth == 0 || depth == 1);
		}
		assert_int_equal(depth, 0);
	}
	display_free(display);
	g_free(text);
}

static void no_line_is_lost_between_pages(void **state)
{
	char *text = long_text(400);
	bool cut;
	struct display *display = set(*state, text, 100, &cut);

	assert_true(display->pages->len > 3);
	for (unsigned int i = 0; i < 400; i++) {
		char *word = g_strdup_printf("line-%u ", i);
		unsigned int found = 0;

		for (unsigned int p = 0; p < display->pages->len; p++)
			found += page_says(g_ptr_array_index(display->pages, p), word);
		assert_int_equal(found, 1);
		g_free(word);
	}
	display_free(display);
	g_free(text);
}

static void too_long_a_text_says_where_the_rest_is(void **state)
{
	char *text = long_text(400);
	bool cut;
	struct display *display = set(*state, text, 2, &cut);

	assert_true(cut);
	assert_int_equal(display->pages->len, 2);
	assert_true(page_says(g_ptr_array_index(display->pages, 1), "original.eml"));
	assert_true(page_says(g_ptr_array_index(display->pages, 1), "Page 2 of 2"));
	display_free(display);
	g_free(text);
}

/* The text of a link, and only that, stands in an element of its own, over all its lines. */
static char *text_of_link(const struct display *display)
{
	const struct display_page *page = g_ptr_array_index(display->pages, 0);
	const struct display_element *open = NULL;
	const struct display_element *link = NULL;
	unsigned int annotations = 0;
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < page->items->len; i++) {
		const struct display_item *item = &g_array_index(page->items, struct display_item,
		    i);

		if (item->kind == DISPLAY_BEGIN && strcmp(item->as.element->tag, "Link") == 0) {
			assert_true(link == NULL || link == item->as.element);
			link = open = item->as.element;
		} else if (item->kind == DISPLAY_END && item->as.element == open) {
			open = NULL;
		} else if (item->kind == DISPLAY_RUN && open != NULL) {
			g_string_append_len(text, item->as.run.text, item->as.run.text_size);
		} else if (item->kind == DISPLAY_LINK) {
			assert_non_null(open);
			annotations++;
		}
	}
	assert_true(annotations >= 2);
	return g_string_free(text, FALSE);
}

static void links_hold_their_text(void **state)
{
	static const char url[] = "https://example.org/a-long-address/that-goes-on-in-the-next-"
	    "line/because-it-has-so-many-words-in-it/until-z";
	/* Arabic is none of the simple text */
	static const char *const before[] = { "see", "\330\271\330\261" };

	for (size_t i = 0; i < G_N_ELEMENTS(before); i++) {
		char *text = g_strdup_printf("%s some words %s and after\n", before[i], url);
		bool cut;
		struct display *display = set(*state, text, 9, &cut);
		char *found = text_of_link(display);

		assert_string_equal(found, url);
		g_free(found);
		display_free(display);
		g_free(text);
	}
}

static void what_is_laid_out_can_be_written(void **state)
{
	char *text = long_text(100);
	bool cut;
	struct display *display = set(*state, text, 100, &cut);
	GByteArray *pdf = g_byte_array_new();
	struct write_request request = { .display = display, .title = "title" };
	struct fail f;

	request.faces = layout_engine_faces(*state);
	assert_int_equal(write_pdf(&request, pdf, &f), SG_OK);
	assert_true(pdf->len > 1000);
	assert_memory_equal(pdf->data, "%PDF-", 5);
	g_byte_array_unref(pdf);
	display_free(display);
	g_free(text);
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
		cmocka_unit_test(every_glyph_has_its_text_and_stands_on_the_page),
		cmocka_unit_test(no_line_is_lost_between_pages),
		cmocka_unit_test(too_long_a_text_says_where_the_rest_is),
		cmocka_unit_test(links_hold_their_text),
		cmocka_unit_test(what_is_laid_out_can_be_written),
	};

	return cmocka_run_group_tests(tests, start, end);
}
