/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/table.h"

static char *table_of(const char *csv)
{
	GString *text = g_string_new(csv);
	bool table = table_to_html(text);

	return g_string_free(text, !table);
}

static void check(const char *csv, const char *expected)
{
	char *html = table_of(csv);

	assert_non_null(html);
	assert_non_null(strstr(html, expected));
	g_free(html);
}

static void the_separator_is_found(void **state)
{
	(void)state;
	check("a,b\n1,2\n", "<tr><th>a</th><th>b</th></tr>");
	check("a;b\n1,5;2\n", "<tr><td class=n>1,5</td><td class=n>2</td></tr>");
	check("a\tb\nx, y\tz\n", "<td>x, y</td><td>z</td>");
}

static void quotes_hold_separators_and_line_ends(void **state)
{
	(void)state;
	check("a,b\n\"x, \"\"y\"\"\nz\",2\n", "<td>x, &quot;y&quot;\nz</td>");
}

static void cells_are_no_markup(void **state)
{
	(void)state;
	check("a,b\n<img src=x>,&amp;\n", "<td>&lt;img src=x&gt;</td><td>&amp;amp;</td>");
}

static void what_is_no_table_stays_as_it_is(void **state)
{
	GString *many = g_string_new(NULL);

	(void)state;
	assert_null(table_of("only words\nin lines\n"));
	for (unsigned int i = 0; i < TABLE_CELLS_MAX; i++)
		g_string_append(many, "1,2\n");
	assert_null(table_of(many->str));
	g_string_free(many, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_separator_is_found),
		cmocka_unit_test(quotes_hold_separators_and_line_ends),
		cmocka_unit_test(cells_are_no_markup),
		cmocka_unit_test(what_is_no_table_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
