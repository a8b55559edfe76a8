#include "pdfenc/html/css_inner.h"

#include <string.h>

#include "gateway/base/str.h"

#define GAP_PERCENT 2.0			/* between the columns of a grid */

/* ---- flexible boxes and grids ---- */

/* "1fr 2fr auto", "repeat(3, 1fr)"; 0: as many as fit, or none that can be counted. */
static unsigned int count_columns(const char *value)
{
	const char *repeat = strstr(value, "repeat(");
	unsigned int columns = 0;
	unsigned int depth = 0;
	bool word = false;
	double number;

	if (repeat != NULL) {
		repeat += strlen("repeat(");
		return css_number(repeat, strlen(repeat), &number) > 0 && number > 0 &&
		    number <= CSS_INNER_COLUMNS_MAX ? (unsigned int)number : 0;
	}
	if (strcmp(value, "none") == 0 || strcmp(value, "subgrid") == 0)
		return 0;
	for (; *value != '\0'; value++) {
		bool space = str_is_space(*value) && depth == 0;

		if (!space && !word)
			columns++;
		word = !space;
		depth += *value == '(' ? 1u : *value == ')' && depth > 0 ? -1u : 0u;
	}
	return columns;
}

void css_inside_take(struct css_inside *inside, const char *name, const char *value)
{
	if (strcmp(name, "display") == 0) {
		inside->flex = strstr(value, "flex") != NULL;
		inside->grid = strstr(value, "grid") != NULL;
	} else if (strcmp(name, "flex-direction") == 0) {
		inside->column = strstr(value, "column") != NULL;
	} else if (strcmp(name, "flex-wrap") == 0) {
		inside->wraps = strcmp(value, "nowrap") != 0;
	} else if (strcmp(name, "flex-flow") == 0) {
		inside->column = strstr(value, "column") != NULL;
		inside->wraps = strstr(value, "wrap") != NULL && strstr(value, "nowrap") == NULL;
	} else if (strcmp(name, "justify-content") == 0) {
		inside->spread = g_str_has_prefix(value, "space-");
		inside->centered = strcmp(value, "center") == 0;
	} else if (strcmp(name, "grid-template-columns") == 0) {
		inside->columns = count_columns(value);
	}
}

unsigned int css_inside_kind(const struct css_inside *inside)
{
	if (inside->grid && inside->columns > 1)
		return CSS_INNER_GRID + MIN(inside->columns, CSS_INNER_COLUMNS_MAX);
	if (!inside->flex || inside->column)
		return CSS_INNER_BLOCKS;
	if (inside->centered)
		return CSS_INNER_CENTER;
	if (inside->wraps)
		return CSS_INNER_WRAP;
	return inside->spread ? CSS_INNER_SPREAD : CSS_INNER_ROW;
}

bool css_inside_grows(const char *name, const char *value)
{
	return (strcmp(name, "flex") == 0 || strcmp(name, "flex-grow") == 0) &&
	    g_ascii_isdigit(value[0]) && value[0] != '0';
}

/* Cells of tables stay what they are: as a row of their own they would leave theirs. */
static bool is_of_table(const char *selector, size_t size)
{
	static const char *const names[] = { "table", "tbody", "tr", "td", "th" };
	size_t start = size;
	size_t end;

	while (start > 0 && strchr(" >+~", selector[start - 1]) == NULL)
		start--;
	for (end = start; end < size && g_ascii_isalnum(selector[end]); end++)
		;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (strlen(names[i]) == end - start &&
		    str_equal_case_n(selector + start, names[i], end - start))
			return true;
	return false;
}

bool css_inner_own(unsigned int inner, const char *selector, size_t size, GString *out)
{
	if (inner == CSS_INNER_BLOCKS || is_of_table(selector, size))
		return false;
	if (inner == CSS_INNER_ROW || inner == CSS_INNER_SPREAD)
		g_string_append(out, "display:table;");
	if (inner == CSS_INNER_SPREAD)
		g_string_append(out, "width:100%;");
	if (inner == CSS_INNER_CENTER)
		g_string_append(out, "text-align:center;");
	return true;
}

void css_inner_rules(unsigned int inner, const char *selector, size_t size, GString *out)
{
	int length = (int)size;

	if (inner == CSS_INNER_ROW || inner == CSS_INNER_SPREAD)
		g_string_append_printf(out, "%.*s>*{display:table-cell;vertical-align:middle}\n",
		    length, selector);
	else
		g_string_append_printf(out, "%.*s>*{display:inline-block;vertical-align:top}\n",
		    length, selector);
	if (inner == CSS_INNER_SPREAD)
		g_string_append_printf(out, "%.*s>*:last-child{text-align:right}\n", length,
		    selector);
	if (inner > CSS_INNER_GRID)
		g_string_append_printf(out, "%.*s>*{box-sizing:border-box;width:%u%%}\n", length,
		    selector, (unsigned int)(100.0 / (inner - CSS_INNER_GRID) - GAP_PERCENT));
}

void css_inner_sheet(unsigned int inner, unsigned int *known, GString *sheet)
{
	char *selector = g_strdup_printf("[inner=\"%u\"]", inner);

	if ((*known & 1u << inner) == 0)
		css_inner_rules(inner, selector, strlen(selector), sheet);
	*known |= 1u << inner;
	g_free(selector);
}

/* ---- gradients ---- */

static bool is_color(const char *at, size_t size)
{
	static const char *const ways[] = { "to ", "at ", "from ", "circle", "ellipse", "closest",
		"farthest", "in ", "transparent" };

	for (size_t i = 0; i < G_N_ELEMENTS(ways); i++)
		if (size >= strlen(ways[i]) && str_equal_case_n(at, ways[i], strlen(ways[i])))
			return false;
	return size > 0 && (*at == '#' || g_ascii_isalpha(*at));
}

/* Behind the colour that an argument begins with: "#fff 10%", "rgb(1, 2, 3) 20px". */
static const char *color_end(const char *at, const char *end)
{
	while (at < end && (g_ascii_isalnum(*at) || *at == '#'))
		at++;
	if (at < end && *at == '(') {
		while (at < end && *at != ')')
			at++;
		at += at < end;
	}
	return at;
}

bool css_gradient(const char *name, const char **text, const char **end)
{
	static const char mark[] = "gradient(";
	const char *at = NULL;
	unsigned int depth = 0;
	bool begins = true;

	if (strcmp(name, "background") == 0 || strcmp(name, "background-image") == 0)
		at = memmem(*text, (size_t)(*end - *text), mark, sizeof(mark) - 1);
	if (at == NULL)
		return false;
	for (at += sizeof(mark) - 1; at < *end && (*at != ')' || depth > 0); at++) {
		if (begins && !str_is_space(*at) && is_color(at, (size_t)(*end - at))) {
			*text = at;
			*end = color_end(at, *end);
			return true;
		}
		if (!str_is_space(*at))
			begins = *at == ',' && depth == 0;
		depth += *at == '(' ? 1u : *at == ')' ? -1u : 0u;
	}
	return false;
}
