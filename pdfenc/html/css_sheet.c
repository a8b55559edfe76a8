#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/html/css.h"

#define DEPTH_MAX 4u		/* of @media in @media */

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

/* ---- media queries ---- */

static bool feature_holds(const char *at, const char *end)
{
	const char *colon = memchr(at, ':', (size_t)(end - at));
	GString *length;
	double value = 0;
	bool holds;

	if (colon == NULL)
		return starts(at, end, "color");
	if (starts(at, end, "orientation"))
		return memmem(colon, (size_t)(end - colon), "portrait", 8) != NULL;
	if (starts(at, end, "prefers-color-scheme"))
		return memmem(colon, (size_t)(end - colon), "light", 5) != NULL;
	length = g_string_new(NULL);
	css_length(colon + 1, (size_t)(end - colon - 1), length);
	(void)css_number(length->str, length->len, &value);
	g_string_free(length, TRUE);
	value /= CSS_UNIT;
	holds = (starts(at, end, "min-width") && value <= CSS_VIEWPORT) ||
	    (starts(at, end, "max-width") && value >= CSS_VIEWPORT) ||
	    (starts(at, end, "min-device-width") && value <= 1024) ||
	    (starts(at, end, "max-device-width") && value >= 1024);
	return holds;
}

static bool query_holds(const char *at, const char *end)
{
	bool negate = false;
	bool holds = true;

	while (at < end) {
		if (str_is_space(*at)) {
			at++;
		} else if (*at == '(') {
			const char *close = after_brackets(at, end);

			for (at++; at < close && str_is_space(*at);)
				at++;
			holds = holds && feature_holds(at, close - (close[-1] == ')'));
			at = close;
		} else {
			const char *word = at;

			while (at < end && !str_is_space(*at) && *at != '(')
				at++;
			if (starts(word, at, "not"))
				negate = true;
			else if (!starts(word, at, "and") && !starts(word, at, "only") &&
			    !starts(word, at, "screen") && !starts(word, at, "all"))
				holds = false;
		}
	}
	return holds != negate;
}

bool css_media(const char *text, size_t size)
{
	const char *end = text + size;

	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma != NULL ? comma : end;

		if (query_holds(text, stop))
			return true;
		text = comma != NULL ? comma + 1 : end;
	}
	return size == 0;
}

/* ---- sheets ---- */

/* Behind the '}' that closes the '{' at at. */
static const char *block_end(const char *at, const char *end)
{
	unsigned int depth = 0;

	for (; at < end; at++) {
		if (*at == '{')
			depth++;
		else if (*at == '}' && --depth == 0)
			return at + 1;
	}
	return end;
}

/* States that paper has not, and what marks rules for one program's dark mode. */
static bool selector_ok(const char *at, const char *end)
{
	static const char *const never[] = { ":hover", ":active", ":focus", ":visited", ":checked",
		":target", ":not", ":has", ":is", ":where", "::", "data-ogs", "[lang", ":before",
		":after", "\\", "<", "@", "*|", ":nth", "(" };

	if (end == at || (size_t)(end - at) > CSS_SELECTOR_MAX)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(never); i++)
		if (memmem(at, (size_t)(end - at), never[i], strlen(never[i])) != NULL)
			return false;
	return true;
}

static bool put_selectors(const char *at, const char *end, unsigned int *rules, GString *out)
{
	size_t before = out->len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;
		const char *last = stop;

		while (at < stop && str_is_space(*at))
			at++;
		while (last > at && str_is_space(last[-1]))
			last--;
		if (selector_ok(at, last)) {
			if (out->len > before)
				g_string_append_c(out, ',');
			g_string_append_len(out, at, last - at);
			(*rules)++;
		}
		at = comma != NULL ? comma + 1 : end;
	}
	return out->len > before;
}

/* What a rule says of the inside of what it matches: for each of its selectors alone. */
static void put_inner_rules(unsigned int inner, const char *selectors, unsigned int *rules,
    GString *out)
{
	GString *own = g_string_new(NULL);
	size_t size;

	for (const char *at = selectors; inner != CSS_INNER_BLOCKS && *at != '\0'; at += size) {
		at += *at == ',';
		size = strcspn(at, ",");
		g_string_truncate(own, 0);
		if (!css_inner_own(inner, at, size, own))
			continue;
		if (own->len > 0)
			g_string_append_printf(out, "%.*s{%s}\n", (int)size, at, own->str);
		css_inner_rules(inner, at, size, out);
		*rules += 3;
	}
	g_string_free(own, TRUE);
}

static const char *put_rule(const char *at, const char *end, unsigned int *rules, GString *out)
{
	const char *open = memchr(at, '{', (size_t)(end - at));
	const char *close;
	size_t before = out->len;

	if (open == NULL)
		return end;
	close = memchr(open, '}', (size_t)(end - open));
	if (close == NULL)
		close = end;
	if (put_selectors(at, open, rules, out)) {
		char *selectors = g_strdup(out->str + before);
		size_t declarations;
		unsigned int inner;

		g_string_append_c(out, '{');
		declarations = out->len;
		inner = css_style(open + 1, (size_t)(close - open - 1), out);
		if (out->len == declarations)
			g_string_truncate(out, before);
		else
			g_string_append(out, "}\n");
		put_inner_rules(inner, selectors, rules, out);
		g_free(selectors);
	}
	return close < end ? close + 1 : end;
}

static void put_rules(const char *at, const char *end, unsigned int depth, unsigned int *rules,
    GString *out);

static const char *put_at_rule(const char *at, const char *end, unsigned int depth,
    unsigned int *rules, GString *out)
{
	const char *open = at;
	const char *stop;

	while (open < end && *open != '{' && *open != ';')
		open++;
	if (open == end || *open == ';')
		return open < end ? open + 1 : end;
	stop = block_end(open, end);
	if (starts(at, end, "@media") && depth < DEPTH_MAX &&
	    css_media(at + 6, (size_t)(open - at - 6)))
		put_rules(open + 1, stop - (stop[-1] == '}'), depth + 1, rules, out);
	return stop;
}

static void put_rules(const char *at, const char *end, unsigned int depth, unsigned int *rules,
    GString *out)
{
	while (at < end && *rules <= CSS_RULES_MAX) {
		if (str_is_space(*at) || *at == '}' || *at == ';')
			at++;
		else if (starts(at, end, "<!--") || starts(at, end, "-->"))
			at += *at == '<' ? 4 : 3;
		else if (*at == '@')
			at = put_at_rule(at, end, depth, rules, out);
		else
			at = put_rule(at, end, rules, out);
	}
}

static GString *without_comments(const char *at, size_t size)
{
	const char *end = at + size;
	GString *out = g_string_sized_new(size + 1);

	while (at < end) {
		const char *open = memmem(at, (size_t)(end - at), "/*", 2);
		const char *close;

		g_string_append_len(out, at, (open != NULL ? open : end) - at);
		if (open == NULL)
			break;
		close = memmem(open + 2, (size_t)(end - open - 2), "*/", 2);
		at = close != NULL ? close + 2 : end;
	}
	return out;
}

bool css_sheet(const char *text, size_t size, unsigned int *rules, GString *out)
{
	GString *plain = without_comments(text, size);

	put_rules(plain->str, plain->str + plain->len, 0, rules, out);
	g_string_free(plain, TRUE);
	return *rules <= CSS_RULES_MAX;
}
