#include "pdfenc/html/css.h"
#include "pdfenc/html/css_inner.h"

#include <math.h>
#include <string.h>

#include "gateway/base/str.h"

#define VALUE_MAX ((size_t)300000)	/* bytes of a value; pictures stand in some */
#define NAME_MAX_SIZE ((size_t)40)
#define BARE_MAX 10000.0
#define EM_MAX 100.0
#define PERCENT_MAX 1000.0
#define PX_PER_POINT (4.0 / 3.0)

/* What litehtml knows and mail needs; position, transform and their like would put text on text. */
static const char *const properties[] = { "background", "background-color", "background-image",
	"background-position", "background-repeat", "background-size", "border", "border-bottom",
	"border-bottom-color", "border-bottom-left-radius", "border-bottom-right-radius",
	"border-bottom-style", "border-bottom-width", "border-collapse", "border-color",
	"border-left", "border-left-color", "border-left-style", "border-left-width",
	"border-radius", "border-right", "border-right-color", "border-right-style",
	"border-right-width", "border-spacing", "border-style", "border-top", "border-top-color",
	"border-top-left-radius", "border-top-right-radius", "border-top-style",
	"border-top-width", "border-width", "box-sizing", "clear", "color", "direction", "display",
	"float", "font", "font-family", "font-size", "font-style", "font-weight", "height",
	"line-height", "list-style", "list-style-position", "list-style-type", "margin",
	"margin-bottom", "margin-left", "margin-right", "margin-top", "max-height", "max-width",
	"min-height", "min-width", "padding", "padding-bottom", "padding-left", "padding-right",
	"padding-top", "text-align", "text-decoration", "text-decoration-line", "text-indent",
	"text-transform", "vertical-align", "visibility", "white-space", "width" };

struct declaration {
	char name[NAME_MAX_SIZE];
	GString *value;
	bool important;
};

/* What several declarations together say: text cut to no height is hidden text. */
struct together {
	bool no_height;
	bool cut;
	bool hidden;
	bool scrolls;	/* paper cannot: what would be scrolled to is wrapped */
	bool unwrapped;
	struct css_inside inside;
};

/* ---- numbers ---- */

static double clamp(double value, double max)
{
	return value > max ? max : value < -max ? -max : value;
}

static void put_units(double px, GString *out)
{
	double units = clamp(px, CSS_LENGTH_MAX) * CSS_UNIT;

	/* a hairline stays one */
	if (units != 0 && fabs(units) < 1)
		units = units < 0 ? -1 : 1;
	g_string_append_printf(out, "%ldpx", lround(units));
}

static void put_number(double value, const char *unit, GString *out)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	g_ascii_formatd(text, sizeof(text), "%.6g", value);
	g_string_append(out, text);
	g_string_append(out, unit);
}

/* Exponents are none of CSS's habits. */
size_t css_number(const char *text, size_t size, double *value_out)
{
	size_t at = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
	size_t digits = 0;
	double value = 0;
	double place = 1;

	for (; at < size && g_ascii_isdigit(text[at]); at++, digits++)
		value = value * 10 + (text[at] - '0');
	if (at + 1 < size && text[at] == '.' && g_ascii_isdigit(text[at + 1]))
		for (at++; at < size && g_ascii_isdigit(text[at]); at++, digits++) {
			place /= 10;
			value += place * (text[at] - '0');
		}
	*value_out = clamp(text[0] == '-' ? -value : value, 1e7);
	return digits > 0 ? at : 0;
}

static double absolute(const char *unit, size_t size)
{
	static const struct {
		const char *name;
		double px;
	} units[] = { { "px", 1 }, { "pt", PX_PER_POINT }, { "pc", 16 }, { "in", 96 },
		{ "cm", 96 / 2.54 }, { "mm", 9.6 / 2.54 }, { "q", 2.4 / 2.54 }, { "rem", 16 },
		{ "vw", CSS_VIEWPORT / 100.0 }, { "vh", 8 }, { "vmin", CSS_VIEWPORT / 100.0 },
		{ "vmax", 8 } };

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (strlen(units[i].name) == size && str_equal_case_n(unit, units[i].name, size))
			return units[i].px;
	return 0;
}

/* Number and unit at text; false: a unit that nobody knows. bare: a number alone is one. */
static bool put_length(const char **text, const char *end, bool bare, GString *out)
{
	double value;
	const char *at = *text;
	const char *unit;
	double px;
	size_t size;

	at += css_number(at, (size_t)(end - at), &value);
	unit = at;
	while (at < end && (g_ascii_isalnum(*at) || *at == '%'))
		at++;
	size = (size_t)(at - unit);
	*text = at;
	px = absolute(unit, size);
	if (px > 0)
		put_units(value * px, out);
	else if (size == 1 && *unit == '%')
		put_number(clamp(value, PERCENT_MAX), "%", out);
	else if (size == 2 && str_equal_case_n(unit, "em", 2))
		put_number(clamp(value, EM_MAX), "em", out);
	else if (size == 2 && (str_equal_case_n(unit, "ex", 2) || str_equal_case_n(unit, "ch", 2)))
		put_number(clamp(value / 2, EM_MAX), "em", out);
	else if (size == 0 && (bare || value == 0))
		put_number(clamp(value, BARE_MAX), "", out);
	else if (size == 2 && str_equal_case_n(unit, "fr", 2))
		put_number(clamp(value, BARE_MAX), "fr", out);
	else if (size == 0)
		put_units(value, out);
	else
		return false;
	return true;
}

void css_length(const char *text, size_t size, GString *out)
{
	const char *end = text + size;
	double value;

	while (text < end && str_is_space(*text))
		text++;
	if (css_number(text, (size_t)(end - text), &value) > 0 && value >= 0)
		(void)put_length(&text, end, false, out);
}

/* ---- values ---- */

static bool starts(const char *at, const char *end, const char *what)
{
	size_t size = strlen(what);

	return (size_t)(end - at) >= size && str_equal_case_n(at, what, size);
}

static const char *after_brackets(const char *at, const char *end)
{
	const char *close = memchr(at, ')', (size_t)(end - at));

	return close != NULL ? close + 1 : end;
}

/* "rgb(0 0 0 / 50%)" and its like are written the old way. */
static void put_color(const char *at, const char *end, GString *out)
{
	bool space = false;

	for (; at < end; at++) {
		if (str_is_space(*at) || *at == '/') {
			space = true;
			continue;
		}
		if (space && *at != ',' && *at != ')' && out->str[out->len - 1] != ',' &&
		    out->str[out->len - 1] != '(')
			g_string_append_c(out, ',');
		space = false;
		g_string_append_c(out, *at);
	}
}

/* A function: colours and pictures of the mail itself; false for all others. */
static bool put_function(const char **text, const char *end, GString *out)
{
	const char *at = *text;
	const char *open = memchr(at, '(', (size_t)(end - at));
	const char *inner = open + 1;

	*text = after_brackets(at, end);
	if (starts(at, end, "repeat(")) {
		g_string_append_len(out, at, *text - at);
		return true;
	}
	if (starts(at, end, "rgb")) {
		put_color(at, *text, out);
		return true;
	}
	if (!starts(at, end, "url("))
		return false;
	while (inner < *text && (*inner == '"' || *inner == '\'' || str_is_space(*inner)))
		inner++;
	/* others would be fetched: that there is one is all that is kept */
	if (starts(inner, *text, "cid:") || starts(inner, *text, "data:image/"))
		/* in quotes: the ';' of data: would end the declaration */
		g_string_append_printf(out, "url('%.*s')", (int)strcspn(inner, "'\")"), inner);
	else
		g_string_append(out, "url(remote:)");
	return true;
}

static bool put_word(const char **text, const char *end, GString *out)
{
	const char *at = *text;

	while (at < end && (g_ascii_isalnum(*at) || *at == '-' || *at == '_' ||
	    (*at & 0x80) != 0 || *at == '#'))
		at++;
	if (at < end && *at == '(')
		return put_function(text, end, out);
	if (at == *text)
		at++;
	g_string_append_len(out, *text, at - *text);
	*text = at;
	return true;
}

static bool put_quoted(const char **text, const char *end, GString *out)
{
	const char *close = memchr(*text + 1, **text, (size_t)(end - *text - 1));

	if (close == NULL)
		return false;
	g_string_append_len(out, *text, close + 1 - *text);
	*text = close + 1;
	return true;
}

static bool begins_number(const char *at, const char *end)
{
	double value;

	return css_number(at, (size_t)(end - at), &value) > 0;
}

/* False: not a value that we pass on. */
static bool put_value(const struct declaration *d, const char *at, const char *end, GString *out)
{
	bool bare = strcmp(d->name, "line-height") == 0 || strcmp(d->name, "font-weight") == 0;

	while (at < end) {
		if (*at == '<' || *at == '{' || *at == '}' || *at == '\\' || *at == ';')
			return false;
		if (*at == '"' || *at == '\'') {
			if (!put_quoted(&at, end, out))
				return false;
		} else if (begins_number(at, end)) {
			bool height = out->len > 0 && out->str[out->len - 1] == '/';

			if (!put_length(&at, end, bare || height, out))
				return false;
		} else if (str_is_space(*at)) {
			g_string_append_c(out, ' ');
			at++;
		} else if (!put_word(&at, end, out)) {
			return false;
		}
	}
	return true;
}

/* ---- declarations ---- */

static int compare_name(const void *name, const void *entry)
{
	return strcmp(name, *(const char *const *)entry);
}

static bool is_known(const char *name)
{
	return bsearch(name, properties, G_N_ELEMENTS(properties), sizeof(properties[0]),
	    compare_name) != NULL;
}

static bool is_nothing(const GString *value)
{
	double number;

	return css_number(value->str, value->len, &number) > 0 && fabs(number) < 0.01;
}

static void look_together(const struct declaration *d, struct together *all)
{
	const char *value = d->value->str;

	if ((strcmp(d->name, "max-height") == 0 || strcmp(d->name, "height") == 0 ||
	    strcmp(d->name, "max-width") == 0) && is_nothing(d->value))
		all->no_height = true;
	if (strcmp(d->name, "overflow") == 0 && strstr(value, "hidden") != NULL)
		all->cut = true;
	if (g_str_has_prefix(d->name, "overflow") &&
	    (strstr(value, "auto") != NULL || strstr(value, "scroll") != NULL))
		all->scrolls = true;
	if (strcmp(d->name, "white-space") == 0)
		all->unwrapped = strcmp(value, "pre") == 0;
	if (strcmp(d->name, "opacity") == 0 && is_nothing(d->value))
		all->hidden = true;
	css_inside_take(&all->inside, d->name, value);
}

/* Names that are others to litehtml; what flex and grid do inside is css_inner's. */
static void translate(struct declaration *d)
{
	const char *value = d->value->str;

	/* takes what the others leave */
	if (css_inside_grows(d->name, value)) {
		(void)g_strlcpy(d->name, "width", sizeof(d->name));
		g_string_assign(d->value, "100%");
	}
	/* litehtml takes none for the usual one */
	if (strcmp(d->name, "font-size") == 0 && is_nothing(d->value))
		g_string_assign(d->value, "1px");
	if (strcmp(d->name, "text-decoration-line") == 0)
		d->name[strlen("text-decoration")] = '\0';
	if (strcmp(d->name, "text-align") == 0 && (strcmp(value, "start") == 0 ||
	    strcmp(value, "end") == 0 || value[0] == '-'))
		g_string_assign(d->value, strstr(value, "center") != NULL ? "center" :
		    strstr(value, "right") != NULL || value[0] == 'e' ? "right" : "left");
	if (strcmp(d->name, "display") != 0)
		return;
	if (strstr(value, "inline-flex") != NULL || strstr(value, "inline-grid") != NULL)
		g_string_assign(d->value, "inline-block");
	else if (strstr(value, "flex") != NULL || strstr(value, "grid") != NULL ||
	    strcmp(value, "contents") == 0 || strcmp(value, "flow-root") == 0)
		g_string_assign(d->value, "block");
	else if (strstr(value, "initial") != NULL || strstr(value, "unset") != NULL ||
	    strstr(value, "revert") != NULL)
		d->name[0] = '\0';
}

/* "name : value ! important" */
static bool read_declaration(const char *at, const char *end, struct declaration *d)
{
	const char *colon = memchr(at, ':', (size_t)(end - at));
	const char *mark;
	size_t size = 0;

	if (colon == NULL)
		return false;
	while (at < colon && str_is_space(*at))
		at++;
	while (at + size < colon && !str_is_space(at[size]))
		size++;
	if (size == 0 || size >= sizeof(d->name) || (size_t)(end - colon) > VALUE_MAX)
		return false;
	memcpy(d->name, at, size);
	d->name[size] = '\0';
	str_lower(d->name);
	for (at = colon + 1; at < end && str_is_space(*at);)
		at++;
	mark = memrchr(at, '!', (size_t)(end - at));
	d->important = mark != NULL;
	end = mark != NULL ? mark : end;
	while (end > at && str_is_space(end[-1]))
		end--;
	g_string_truncate(d->value, 0);
	if (css_gradient(d->name, &at, &end))
		(void)g_strlcpy(d->name, "background-color", sizeof(d->name));
	return end > at && put_value(d, at, end, d->value) && d->value->len > 0;
}

/* Up to the ';' that ends a declaration; those in quotes and brackets do not. */
static const char *declaration_end(const char *at, const char *end)
{
	char quote = '\0';
	unsigned int depth = 0;

	for (; at < end; at++) {
		if (quote != '\0')
			quote = *at == quote ? '\0' : quote;
		else if (*at == '"' || *at == '\'')
			quote = *at;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && depth > 0)
			depth--;
		else if (*at == ';' && depth == 0)
			return at;
	}
	return end;
}

static void put_declaration(struct declaration *d, GString *out)
{
	bool keeps_case = strcmp(d->name, "font-family") == 0 || strcmp(d->name, "font") == 0 ||
	    strstr(d->value->str, "url(") != NULL;

	translate(d);
	if (!is_known(d->name))
		return;
	if (!keeps_case)
		str_lower(d->value->str);
	g_string_append_printf(out, "%s:%s%s;", d->name, d->value->str,
	    d->important ? "!important" : "");
}

unsigned int css_style(const char *text, size_t size, GString *out)
{
	const char *end = text + size;
	struct together all = { .inside = { 0 } };
	struct declaration d = { .value = g_string_new(NULL) };

	while (text < end) {
		const char *stop = declaration_end(text, end);

		if (read_declaration(text, stop, &d)) {
			look_together(&d, &all);
			put_declaration(&d, out);
		}
		text = stop < end ? stop + 1 : end;
	}
	if (all.scrolls && all.unwrapped)
		g_string_append(out, "white-space:pre-wrap;");
	if (all.hidden || (all.no_height && all.cut))
		g_string_append(out, "display:none!important;");
	g_string_free(d.value, TRUE);
	return css_inside_kind(&all.inside);
}
