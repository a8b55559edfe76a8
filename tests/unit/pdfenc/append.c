/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <glib.h>
#include <string.h>

#include "pdfenc/append.h"

#define MEMORY ((size_t)64 * 1024 * 1024)
#define CATALOG "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
#define PAGES "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
#define END "trailer<</Root 1 0 R>>\n"

static enum append_result open_text(const char *pdf, unsigned int pages_max,
    struct append **append_out)
{
	struct append_limits limits = { pages_max, MEMORY, 20000 };

	return append_open(pdf, strlen(pdf), &limits, append_out);
}

static void check(const char *pdf, enum append_result expected)
{
	struct append *append;

	assert_int_equal(open_text(pdf, 10, &append), expected);
	assert_int_equal(append != NULL, expected == APPEND_OPENED);
	append_free(append);
}

static void a_page_is_as_large_as_it_is_seen(void **state)
{
	struct append *append;
	float width;
	float height;

	(void)state;
	assert_int_equal(open_text(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R/Rotate 270"
	    "/UserUnit 2/MediaBox[0 0 300 500]/CropBox[100 100 200 900]>>endobj\n" END, 10,
	    &append), APPEND_OPENED);
	append_size(append, 0, &width, &height);
	assert_int_equal((int)width, 800);
	assert_int_equal((int)height, 200);
	append_free(append);
}

static void pages_above_the_limit_are_counted(void **state)
{
	struct append *append;

	(void)state;
	assert_int_equal(open_text(CATALOG "2 0 obj<</Type/Pages/Kids[3 0 R 4 0 R 5 0 R]/Count 3"
	    "/MediaBox[0 0 9 9]>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
	    "4 0 obj<</Type/Page/Parent 2 0 R>>endobj\n5 0 obj<</Type/Page/Parent 2 0 R>>endobj\n"
	    END, 2, &append), APPEND_OPENED);
	assert_int_equal(append_count(append), 2);
	assert_int_equal(append_total(append), 3);
	append_free(append);
}

static void links_stand_where_they_are_seen(void **state)
{
	struct append *append;
	struct append_link link;

	(void)state;
	assert_int_equal(open_text(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R"
	    "/MediaBox[0 0 100 200]/Annots[<</Subtype/Link/Rect[10 150 60 190]"
	    "/A<</S/URI/URI(https://example.org/)>>>><</Subtype/Link/Rect[0 0 9 9]"
	    "/A<</S/Launch/F(x)>>>>]>>endobj\n" END, 10, &append), APPEND_OPENED);
	assert_int_equal(append_links(append, 0), 1);
	link = append_link_at(append, 0, 0);
	assert_string_equal(link.uri, "https://example.org/");
	assert_int_equal((int)(link.x * 100 + 0.5f), 10);
	assert_int_equal((int)(link.y * 200 + 0.5f), 10);
	assert_int_equal((int)(link.width * 100 + 0.5f), 50);
	assert_int_equal((int)(link.height * 200 + 0.5f), 40);
	append_free(append);
}

static void what_is_no_pdf_or_damaged_is_not_opened(void **state)
{
	(void)state;
	check("", APPEND_BROKEN);
	check("%PDF-1.7\n", APPEND_BROKEN);
	check(CATALOG END, APPEND_BROKEN);
	check(CATALOG "2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\n" END, APPEND_BROKEN);
	check(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 0]>>endobj\n" END,
	    APPEND_BROKEN);
	check(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99999999 9]>>endobj\n"
	    END, APPEND_BROKEN);
}

static void forms_inside_themselves_are_one(void **state)
{
	(void)state;
	check(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources 4 0 R>>"
	    "endobj\n4 0 obj<</XObject<</X 5 0 R>>>>endobj\n5 0 obj<</Subtype/Form/BBox[0 0 9 9]"
	    "/Resources 4 0 R/Length 0>>stream\n\nendstream endobj\n" END, APPEND_OPENED);
}

/* Each form's resources hold the next one. */
static void forms_in_forms_without_end_are_refused(void **state)
{
	GString *pdf = g_string_new(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R"
	    "/MediaBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>>>endobj\n");

	(void)state;
	for (unsigned int i = 4; i < 2000; i++)
		g_string_append_printf(pdf, "%u 0 obj<</Subtype/Form/BBox[0 0 9 9]/Resources"
		    "<</XObject<</X %u 0 R>>>>/Length 0>>stream\n\nendstream endobj\n", i, i + 1);
	g_string_append(pdf, END);
	check(pdf->str, APPEND_BROKEN);
	g_string_free(pdf, TRUE);
}

static void more_memory_than_allowed_is_not_taken(void **state)
{
	GString *pdf = g_string_new(CATALOG PAGES "3 0 obj<</Type/Page/Parent 2 0 R/X[");
	struct append_limits limits = { 10, 2 * 1024 * 1024, 20000 };
	struct append *append;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++)
		g_string_append(pdf, "(x)");
	g_string_append(pdf, "]/MediaBox[0 0 9 9]>>endobj\n" END);
	assert_int_equal(append_open(pdf->str, pdf->len, &limits, &append), APPEND_LIMIT);
	assert_null(append);
	g_string_free(pdf, TRUE);
}

static void a_form_for_one_program_only_is_not_shown(void **state)
{
	(void)state;
	check("%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/NeedsRendering true>>endobj\n" PAGES
	    "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n" END, APPEND_DYNAMIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_is_as_large_as_it_is_seen),
		cmocka_unit_test(pages_above_the_limit_are_counted),
		cmocka_unit_test(links_stand_where_they_are_seen),
		cmocka_unit_test(what_is_no_pdf_or_damaged_is_not_opened),
		cmocka_unit_test(forms_inside_themselves_are_one),
		cmocka_unit_test(forms_in_forms_without_end_are_refused),
		cmocka_unit_test(more_memory_than_allowed_is_not_taken),
		cmocka_unit_test(a_form_for_one_program_only_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
