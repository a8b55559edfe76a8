/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/bookmark.h"
#include "pdfenc/compose.h"
#include "pdfenc/layout.h"

static const struct display_outline *entry_at(const struct display *display, unsigned int i)
{
	assert_true(i < display->outline->len);
	return &g_array_index(display->outline, struct display_outline, i);
}

static void assert_entry(const struct display *display, unsigned int i, unsigned int level,
    const char *title)
{
	assert_int_equal(entry_at(display, i)->level, level);
	assert_string_equal(entry_at(display, i)->title, title);
}

static void headings_stand_below_the_mail_and_files_beside_it(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_outline file = { .title = "a.pdf", .page = 2, .level = 7 };
	struct display_outline heading = { .title = "one", .page = 1, .level = 1, .y = 9 };

	(void)state;
	bookmark_file(display, NULL, &file);
	bookmark_heading(display, "not asked any more", &heading);
	heading.level = 2;
	heading.title = "two";
	bookmark_heading(display, NULL, &heading);
	assert_int_equal(display->outline->len, 4);
	assert_entry(display, 0, 0, "Message");
	assert_entry(display, 1, 1, "one");
	assert_int_equal(entry_at(display, 1)->page, 1);
	assert_entry(display, 2, 2, "two");
	assert_entry(display, 3, 0, "a.pdf");
	display_free(display);
}

static void headings_have_a_maximum(void **state)
{
	struct display *display = display_new(100, 100);
	struct display_outline heading = { .title = "one", .level = 1 };

	(void)state;
	for (unsigned int i = 0; i < 2 * BOOKMARK_HEADINGS_MAX; i++)
		bookmark_heading(display, "subject", &heading);
	bookmark_file(display, "subject", &heading);
	assert_int_equal(display->outline->len, BOOKMARK_HEADINGS_MAX + 2);
	assert_entry(display, BOOKMARK_HEADINGS_MAX + 1, 0, "one");
	display_free(display);
}

/* ---- of HTML ---- */

static struct display *set_html(struct layout_engine *engine, const char *html)
{
	struct document *document = document_new();
	struct layout_request request = { .document = document, .pages_max = 50 };
	struct flow *flow;
	struct display *display;
	bool cut;

	document->head.subject = g_strdup("subject");
	(void)document_add_body(document, DOCUMENT_HTML, g_string_new(html));
	flow = compose_flow(document);
	request.flow = flow;
	display = layout_pages(engine, &request, &cut);
	flow_free(flow);
	document_free(document);
	return display;
}

static void headings_of_html_are_entries(void **state)
{
	struct display *display = set_html(*state, "<h2>Before\n<i>all</i> </h2><p>text</p>"
	    "<h1>One that is so long that it has a second line on the page, where it goes on with "
	    "many words</h1><div style='height:900px'></div>"
	    "<h2>Below <a href='https://example.org/'>"
	    "it</a></h2><h3>deeper</h3><h1 dir='rtl'>\327\251\327\234 25 \327\242\327\225</h1>"
	    "<h2>\344\270\255\346\226\207</h2>");

	assert_int_equal(display->outline->len, 6);
	assert_entry(display, 0, 0, "subject");
	assert_entry(display, 1, 1, "Before all");
	assert_entry(display, 2, 1, "One that is so long that it has a second line on the page, "
	    "where it goes on with many words");
	assert_int_equal(entry_at(display, 2)->page, 0);
	assert_true(entry_at(display, 2)->y > entry_at(display, 1)->y);
	assert_entry(display, 3, 2, "Below it");
	assert_int_equal(entry_at(display, 3)->page, 1);
	assert_entry(display, 4, 1, "\327\251\327\234 25 \327\242\327\225");
	assert_entry(display, 5, 2, "\344\270\255\346\226\207");
	display_free(display);
}

static void what_is_hidden_is_no_entry(void **state)
{
	struct display *display = set_html(*state, "<h1 style='display:none'>hidden</h1>"
	    "<h1 style='font-size:1px'>tiny</h1><h1> </h1><h2><img alt='A logo' width=90 height=40 "
	    "src='https://example.org/a.png'></h2>");

	assert_int_equal(display->outline->len, 2);
	assert_entry(display, 1, 1, "A logo");
	display_free(display);
	display = set_html(*state, "<p>no heading</p>");
	assert_int_equal(display->outline->len, 0);
	display_free(display);
}

static void a_long_heading_is_cut(void **state)
{
	GString *html = g_string_new("<h1>");
	struct display *display;

	for (unsigned int i = 0; i < 300; i++)
		g_string_append(html, "\303\244\303\266 ");
	display = set_html(*state, html->str);
	assert_true(strlen(entry_at(display, 1)->title) < 170);
	assert_true(g_utf8_validate(entry_at(display, 1)->title, -1, NULL));
	assert_true(g_str_has_suffix(entry_at(display, 1)->title, "\342\200\246"));
	display_free(display);
	g_string_free(html, TRUE);
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
		cmocka_unit_test(headings_stand_below_the_mail_and_files_beside_it),
		cmocka_unit_test(headings_have_a_maximum),
		cmocka_unit_test(headings_of_html_are_entries),
		cmocka_unit_test(what_is_hidden_is_no_entry),
		cmocka_unit_test(a_long_heading_is_cut),
	};

	return cmocka_run_group_tests(tests, start, end);
}
