/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "pdfenc/text.h"

static struct flow *read_text(const char *text, bool flowed, bool delsp)
{
	struct flow *flow = flow_new();
	GString *string = g_string_new(text);

	text_to_flow(string, flowed, delsp, flow);
	g_string_free(string, TRUE);
	return flow;
}

static const struct flow_block *block(const struct flow *flow, unsigned int i)
{
	assert_true(i < flow->blocks->len);
	return g_ptr_array_index(flow->blocks, i);
}

static void lines_stay_as_they_were_broken(void **state)
{
	struct flow *flow = read_text("a \nb\n\n  c\n", false, false);

	(void)state;
	assert_int_equal(flow->blocks->len, 2);
	assert_string_equal(block(flow, 0)->text->str, "a\nb");
	assert_string_equal(block(flow, 1)->text->str, "  c");
	flow_free(flow);
}

static void flowed_lines_are_joined(void **state)
{
	struct flow *flow = read_text("one \ntwo\n three\n> quoted \n> text\n", true, false);
	struct flow *closed = read_text("one \ntwo\n", true, true);

	(void)state;
	assert_string_equal(block(flow, 0)->text->str, "one two\nthree");
	assert_string_equal(block(flow, 1)->text->str, "quoted text");
	assert_int_equal(block(flow, 1)->quote, 1);
	assert_string_equal(block(closed, 0)->text->str, "onetwo");
	flow_free(flow);
	flow_free(closed);
}

static void a_signature_mark_does_not_flow(void **state)
{
	struct flow *flow = read_text("bye\n-- \nme\n", true, false);

	(void)state;
	assert_string_equal(block(flow, 0)->text->str, "bye\n--\nme");
	flow_free(flow);
}

static void quotes_have_a_depth(void **state)
{
	struct flow *flow = read_text("> a\n> > b\n>>> c\n>From d\n", false, false);

	(void)state;
	assert_int_equal(block(flow, 0)->quote, 1);
	assert_int_equal(block(flow, 1)->quote, 2);
	assert_int_equal(block(flow, 2)->quote, 3);
	assert_int_equal(block(flow, 3)->quote, 0);
	assert_string_equal(block(flow, 3)->text->str, ">From d");
	flow_free(flow);
}

static void columns_get_a_font_of_one_width(void **state)
{
	struct flow *flow = read_text("Name      Amount\nApples    12\n\nplain text\n", false,
	    false);

	(void)state;
	assert_int_equal(block(flow, 0)->kind, FLOW_FIXED);
	assert_int_equal(block(flow, 1)->kind, FLOW_PARAGRAPH);
	flow_free(flow);
}

static void addresses_become_links(void **state)
{
	struct flow *flow = read_text("see https://a.example/x(1), www.b.example. or c@d.example!\n"
	    "not javascript:x or a@b\n", false, false);
	const GArray *spans = block(flow, 0)->spans;

	(void)state;
	assert_int_equal(spans->len, 3);
	assert_string_equal(g_array_index(spans, struct flow_span, 0).uri,
	    "https://a.example/x(1)");
	assert_string_equal(g_array_index(spans, struct flow_span, 1).uri, "http://www.b.example");
	assert_string_equal(g_array_index(spans, struct flow_span, 2).uri, "mailto:c@d.example");
	flow_free(flow);
}

static void only_harmless_schemes_are_followed(void **state)
{
	char *uri = flow_uri("https://a.example/'\\\303\274", 22);

	(void)state;
	assert_string_equal(uri, "https://a.example/%27%5C%C3%BC");
	assert_null(flow_uri("javascript:alert(1)", 19));
	assert_null(flow_uri("file:///etc/passwd", 18));
	g_free(uri);
}

static void a_line_without_end_is_cut_at_characters(void **state)
{
	GString *text = g_string_new(NULL);
	struct flow *flow;
	size_t size = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		g_string_append(text, "\303\274");
	flow = read_text(text->str, false, false);
	for (unsigned int i = 0; i < flow->blocks->len; i++) {
		assert_true(block(flow, i)->text->len <= FLOW_BLOCK_MAX);
		assert_true(g_utf8_validate(block(flow, i)->text->str, -1, NULL));
		size += block(flow, i)->text->len;
	}
	assert_int_equal(size, text->len);
	flow_free(flow);
	g_string_free(text, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_stay_as_they_were_broken),
		cmocka_unit_test(flowed_lines_are_joined),
		cmocka_unit_test(a_signature_mark_does_not_flow),
		cmocka_unit_test(quotes_have_a_depth),
		cmocka_unit_test(columns_get_a_font_of_one_width),
		cmocka_unit_test(addresses_become_links),
		cmocka_unit_test(only_harmless_schemes_are_followed),
		cmocka_unit_test(a_line_without_end_is_cut_at_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
