/* links: sealgate-pdf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pdfenc/html/clean.h"
#include "pdfenc/html/css.h"

static char *cleaned(const char *html)
{
	struct clean clean;
	char *out;

	assert_true(clean_html(html, strlen(html), &clean));
	out = g_strdup(clean.html->str);
	clean_free(&clean);
	return out;
}

static void expect(const char *html, const char *wanted)
{
	char *out = cleaned(html);

	assert_string_equal(out, wanted);
	g_free(out);
}

static char *styled(const char *css)
{
	GString *out = g_string_new(NULL);

	css_style(css, strlen(css), out);
	return g_string_free(out, FALSE);
}

static void expect_style(const char *css, const char *wanted)
{
	char *out = styled(css);

	assert_string_equal(out, wanted);
	g_free(out);
}

static void scripts_frames_and_handlers_are_left_out(void **state)
{
	(void)state;
	expect("<p onclick=\"x()\">a<script>evil()</script><iframe src=x>b</iframe></p>",
	    "<p>a</p>");
	expect("<svg><text>x</text></svg>y", "y");
	expect("<unknown x=1>t</unknown>", "<span>t</span>");
}

static void empty_lines_of_replies_keep_their_height(void **state)
{
	(void)state;
	expect("<div>a</div><div><br></div><div>b</div>",
	    "<div>a</div><div>&nbsp;<br></div><div>b</div>");
	expect("<div><span> <br></span></div>", "<div><span> &nbsp;<br></span></div>");
	expect("<div>a<br><br>b</div><br><p><img><br></p>",
	    "<div>a<br><br>b</div><br><p><img><br></p>");
}

static void spans_are_clamped(void **state)
{
	(void)state;
	expect("<td colspan=100000000>", "<td colspan=\"100\">");
	expect("<td rowspan=0>", "<td rowspan=\"1\">");
}

static void quotes_in_attributes_cannot_break_out(void **state)
{
	(void)state;
	expect("<a href='x\"><b>'>t</a>", "<a href=\"x&quot;>&lt;b>\">t</a>");
}

static void depth_is_limited_and_text_stays(void **state)
{
	GString *html = g_string_new(NULL);
	char *out;
	unsigned int count = 0;

	(void)state;
	for (unsigned int i = 0; i < 20000; i++)
		g_string_append(html, "<div>");
	g_string_append(html, "deep");
	out = cleaned(html->str);
	for (const char *p = out; (p = strstr(p, "<div>")) != NULL; p++)
		count++;
	assert_int_equal(count, CLEAN_DEPTH_MAX);
	assert_non_null(strstr(out, "deep"));
	g_free(out);
	g_string_free(html, TRUE);
}

static void too_many_elements_are_refused(void **state)
{
	GString *html = g_string_new(NULL);
	struct clean clean;

	(void)state;
	for (unsigned int i = 0; i <= CLEAN_ELEMENTS_MAX; i++)
		g_string_append(html, "<b>x</b>");
	assert_false(clean_html(html->str, html->len, &clean));
	g_string_free(html, TRUE);
}

static void lengths_are_units_and_clamped(void **state)
{
	(void)state;
	expect_style("height:1e9px", "");
	expect_style("height:999999999px", "height:16000px;");
	expect_style("margin:0 -5px 1.5pt auto", "margin:0 -20px 8px auto;");
	expect_style("line-height:1.4;font-weight:700", "line-height:1.4;font-weight:700;");
	expect_style("width:50%", "width:50%;");
}

static void hidden_by_trick_is_hidden(void **state)
{
	char *out = styled("max-height:0;overflow:hidden");

	(void)state;
	assert_non_null(strstr(out, "display:none!important"));
	g_free(out);
	out = styled("opacity:0");
	assert_non_null(strstr(out, "display:none!important"));
	g_free(out);
}

static void nothing_is_fetched_by_style(void **state)
{
	(void)state;
	expect_style("background:url(https://t.example/x.png) #fff",
	    "background:url(remote:) #fff;");
	expect_style("position:fixed;behavior:url(x)", "");
}

static void dark_mode_and_small_screens_are_others(void **state)
{
	static const char css[] = "@media (prefers-color-scheme:dark){p{color:#fff}}"
	    "@media only screen and (max-width:480px){p{color:red}}"
	    "@media screen and (max-width:700px){b{color:blue}}@media print{i{color:lime}}"
	    "@font-face{font-family:x}a:hover{color:red}u{color:green}";
	GString *out = g_string_new(NULL);
	unsigned int rules = 0;

	(void)state;
	assert_true(css_sheet(css, sizeof(css) - 1, &rules, out));
	assert_string_equal(out->str, "b{color:blue;}\nu{color:green;}\n");
	g_string_free(out, TRUE);
}

static void expect_sheet(const char *css, const char *wanted)
{
	GString *out = g_string_new(NULL);
	unsigned int rules = 0;

	assert_true(css_sheet(css, strlen(css), &rules, out));
	assert_string_equal(out->str, wanted);
	g_string_free(out, TRUE);
}

static void white_text_on_a_gradient_keeps_a_ground(void **state)
{
	(void)state;
	expect_style("background:linear-gradient(90deg, #6d28d9 10%, #db2777)",
	    "background-color:#6d28d9;");
	expect_style("background-image: -webkit-radial-gradient(circle at top, rgb(1 2 3 / 50%), "
	    "red)", "background-color:rgb(1,2,3,50%);");
	expect_style("background:linear-gradient(to right, transparent, navy), url(x.png)",
	    "background-color:navy;");
	expect_style("background:linear-gradient(", "");
}

static void flexible_boxes_stand_side_by_side(void **state)
{
	(void)state;
	expect_sheet(".r, b > i{display:flex}", ".r,b > i{display:block;}\n"
	    ".r{display:table;}\n.r>*{display:table-cell;vertical-align:middle}\n"
	    "b > i{display:table;}\nb > i>*{display:table-cell;vertical-align:middle}\n");
	expect_sheet(".r{display:flex;justify-content:space-between}", ".r{display:block;}\n"
	    ".r{display:table;width:100%;}\n.r>*{display:table-cell;vertical-align:middle}\n"
	    ".r>*:last-child{text-align:right}\n");
	expect_sheet(".g{display:grid;grid-template-columns:repeat(3, 1fr)}", ".g{display:block;}\n"
	    ".g>*{display:inline-block;vertical-align:top}\n"
	    ".g>*{box-sizing:border-box;width:31%}\n");
	expect_sheet(".c{display:flex;flex-direction:column}", ".c{display:block;}\n");
	expect_sheet("table.x td{display:flex}", "table.x td{display:block;}\n");
	expect("<div style=\"display:flex\">a</div>",
	    "<div inner=\"1\" style=\"display:block;display:table;\">a</div>");
	expect("<td style=\"display:flex\">a", "<td style=\"display:block;\">a");
}

static void what_scrolls_is_wrapped(void **state)
{
	(void)state;
	expect_style("white-space:pre;overflow:auto", "white-space:pre;white-space:pre-wrap;");
	expect_style("white-space:pre", "white-space:pre;");
}

static void too_many_rules_are_refused(void **state)
{
	GString *css = g_string_new(NULL);
	GString *out = g_string_new(NULL);
	unsigned int rules = 0;

	(void)state;
	for (unsigned int i = 0; i < 10000; i++)
		g_string_append(css, "a{color:red}");
	assert_false(css_sheet(css->str, css->len, &rules, out));
	assert_true(rules <= CSS_RULES_MAX + 1);
	g_string_free(css, TRUE);
	g_string_free(out, TRUE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_frames_and_handlers_are_left_out),
		cmocka_unit_test(empty_lines_of_replies_keep_their_height),
		cmocka_unit_test(spans_are_clamped),
		cmocka_unit_test(quotes_in_attributes_cannot_break_out),
		cmocka_unit_test(depth_is_limited_and_text_stays),
		cmocka_unit_test(too_many_elements_are_refused),
		cmocka_unit_test(lengths_are_units_and_clamped),
		cmocka_unit_test(hidden_by_trick_is_hidden),
		cmocka_unit_test(nothing_is_fetched_by_style),
		cmocka_unit_test(dark_mode_and_small_screens_are_others),
		cmocka_unit_test(white_text_on_a_gradient_keeps_a_ground),
		cmocka_unit_test(flexible_boxes_stand_side_by_side),
		cmocka_unit_test(what_scrolls_is_wrapped),
		cmocka_unit_test(too_many_rules_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
