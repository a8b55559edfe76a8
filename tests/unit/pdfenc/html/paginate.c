/* links: sealgate-pdf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pdfenc/html/paginate.h"
#include "pdfenc/html/sheet.h"

static void add(GArray *spans, float top, float bottom, bool line)
{
	struct sheet_span span = { top, bottom, line };

	g_array_append_val(spans, span);
}

static GArray *lines(unsigned int count, float height)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct sheet_span));

	for (unsigned int i = 0; i < count; i++)
		add(spans, (float)i * height, (float)(i + 1) * height, true);
	return spans;
}

static float cut_at(const GArray *cuts, unsigned int i)
{
	return g_array_index(cuts, float, i);
}

static void a_short_sheet_is_one_page(void **state)
{
	GArray *spans = lines(3, 10);
	GArray *cuts = paginate(spans, 30, 100, 100);

	(void)state;
	assert_int_equal(cuts->len, 1);
	assert_true(cut_at(cuts, 0) >= 30.0f);
	g_array_unref(cuts);
	g_array_unref(spans);
}

static void no_line_is_cut(void **state)
{
	GArray *spans = lines(100, 13);
	GArray *cuts = paginate(spans, 1300, 50, 100);

	(void)state;
	assert_true(cuts->len >= 13);
	for (unsigned int i = 0; i + 1 < cuts->len; i++) {
		int at = (int)cut_at(cuts, i);

		assert_int_equal(at % 13, 0);
		assert_true(cut_at(cuts, i) - (i > 0 ? cut_at(cuts, i - 1) : 0) <= 100.0f);
	}
	g_array_unref(cuts);
	g_array_unref(spans);
}

static void a_small_box_stays_whole_and_a_large_one_does_not(void **state)
{
	GArray *spans = lines(20, 10);
	GArray *cuts;

	(void)state;
	add(spans, 80, 110, false);
	cuts = paginate(spans, 200, 100, 100);
	assert_int_equal((int)cut_at(cuts, 0), 80);
	g_array_unref(cuts);
	add(spans, 0, 200, false);
	cuts = paginate(spans, 200, 100, 100);
	assert_int_equal((int)cut_at(cuts, 0), 80);
	g_array_unref(cuts);
	g_array_unref(spans);
}

static void a_picture_higher_than_a_page_is_cut(void **state)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct sheet_span));
	GArray *cuts;

	(void)state;
	add(spans, 0, 250, true);
	cuts = paginate(spans, 250, 100, 100);
	assert_int_equal(cuts->len, 3);
	g_array_unref(cuts);
	g_array_unref(spans);
}

static void what_does_not_fit_on_the_first_page_moves_on(void **state)
{
	GArray *spans = g_array_new(FALSE, FALSE, sizeof(struct sheet_span));
	GArray *cuts;

	(void)state;
	add(spans, 0, 90, true);
	cuts = paginate(spans, 90, 40, 100);
	assert_int_equal(cuts->len, 2);
	assert_int_equal((int)cut_at(cuts, 0), 0);
	g_array_unref(cuts);
	g_array_unref(spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_short_sheet_is_one_page),
		cmocka_unit_test(no_line_is_cut),
		cmocka_unit_test(a_small_box_stays_whole_and_a_large_one_does_not),
		cmocka_unit_test(a_picture_higher_than_a_page_is_cut),
		cmocka_unit_test(what_does_not_fit_on_the_first_page_moves_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
