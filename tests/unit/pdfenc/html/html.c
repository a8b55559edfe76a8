/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/html/html.h"

/* The text of all blocks: marker, text, newline. The caller g_frees. */
static char *read_html(const char *html)
{
	struct flow *flow = flow_new();
	GString *text = g_string_new(NULL);

	html_to_flow(html, strlen(html), flow);
	for (unsigned int i = 0; i < flow->blocks->len; i++) {
		const struct flow_block *block = g_ptr_array_index(flow->blocks, i);

		g_string_append_printf(text, "%s%s%s\n", block->marker != NULL ? block->marker : "",
		    block->marker != NULL ? " " : "", block->text->str);
	}
	flow_free(flow);
	return g_string_free(text, FALSE);
}

static void reads(const char *html, const char *expected)
{
	char *text = read_html(html);

	assert_string_equal(text, expected);
	g_free(text);
}

static void white_space_collapses_and_blocks_part(void **state)
{
	(void)state;
	reads("<p>a  b\n c</p><p>d</p>e<div>f</div>", "a b c\nd\ne\nf\n");
	reads("a<br>b", "a\nb\n");
	reads("un<b>believ</b>able", "unbelievable\n");
}

static void hidden_things_scripts_and_styles_are_left_out(void **state)
{
	(void)state;
	reads("<style>p{}</style><p style=\"Display: None\">x</p>a<script>if (a<b) x</script>"
	    "<div hidden>y</div><title>t</title>", "a\n");
	reads("<div style='display:none'><p>x</div>y", "y\n");
	reads("<!-- <p>x</p> -->a<!doctype x>", "a\n");
}

static void links_are_followed_by_their_address(void **state)
{
	(void)state;
	reads("<a href=\"https://a.example/x?y=1&amp;z\">here</a>",
	    "here <https://a.example/x?y=1&z>\n");
	reads("<a href='https://a.example/'>a.example</a>", "a.example\n");
	reads("<a href='javascript:alert(1)'>x</a>", "x\n");
}

static void rows_of_tables_are_lines_and_lists_are_numbered(void **state)
{
	(void)state;
	reads("<table><tr><td>a<td>b<tr><td>c</td></tr></table>", "a  \342\224\202 b\nc\n");
	reads("<ol start=3><li>x<li>y</ol><ul><li>z</ul>", "3. x\n4. y\n\342\200\242 z\n");
}

static void references_become_characters(void **state)
{
	(void)state;
	reads("&lt;&amp;&euro;&#8364;&#x20AC;&#128;&nosuch;&copy;",
	    "<&\342\202\254\342\202\254\342\202\254\342\202\254&nosuch;\302\251\n");
	reads("&#0;&#xd800;&#99999999;", "\357\277\275\357\277\275\357\277\275\n");
}

static void preformatted_text_keeps_its_white_space(void **state)
{
	(void)state;
	reads("<pre>a   b\n  c</pre>", "a   b\n  c\n");
}

static void damaged_markup_loses_no_word(void **state)
{
	(void)state;
	reads("<p>a < b <b>c", "a < b c\n");
	reads("<p title=\"x>a</p>", "a\n");
	reads("a</p></div></zzz>b", "ab\n");
}

static void hostile_markup_costs_no_more_than_its_size(void **state)
{
	GString *html = g_string_new(NULL);
	char *text;

	(void)state;
	for (unsigned int i = 0; i < 200000; i++)
		g_string_append(html, "<div><table><a =\"> \" <!-- ");
	g_string_append(html, "word");
	text = read_html(html->str);
	assert_non_null(text);
	g_free(text);
	g_string_free(html, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(white_space_collapses_and_blocks_part),
		cmocka_unit_test(hidden_things_scripts_and_styles_are_left_out),
		cmocka_unit_test(links_are_followed_by_their_address),
		cmocka_unit_test(rows_of_tables_are_lines_and_lists_are_numbered),
		cmocka_unit_test(references_become_characters),
		cmocka_unit_test(preformatted_text_keeps_its_white_space),
		cmocka_unit_test(damaged_markup_loses_no_word),
		cmocka_unit_test(hostile_markup_costs_no_more_than_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
