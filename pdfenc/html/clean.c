#include "pdfenc/html/clean.h"

#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/html/css.h"
#include "pdfenc/html/element.h"
#include "pdfenc/html/entity.h"
#include "pdfenc/html/token.h"

#define STACK_MAX 100000u	/* open elements that we remember, cut ones too */
#define SEARCH_MAX 300u		/* how far an end tag looks for its start */
#define PADDING_MAX 100u	/* pixels of cellpadding and cellspacing */

enum kind {
	KIND_KEEP,
	KIND_VOID,	/* no content */
	KIND_DROP,	/* the tag goes, its content stays */
	KIND_SKIP	/* the content goes, too */
};

enum fence {
	FENCE_NONE,
	FENCE_TABLE,
	FENCE_CELL
};

struct tag {
	const char *name;
	enum kind kind;
	const char *as;		/* written as this instead, or NULL */
	enum fence fence;
};

/* Sorted. What is not here is unknown: written as span. */
static const struct tag tags[] = {
	{ "a", KIND_KEEP, NULL, 0 }, { "abbr", KIND_KEEP, "span", 0 },
	{ "address", KIND_KEEP, NULL, 0 }, { "applet", KIND_DROP, NULL, 0 },
	{ "area", KIND_DROP, NULL, 0 }, { "article", KIND_KEEP, "div", 0 },
	{ "aside", KIND_KEEP, "div", 0 }, { "b", KIND_KEEP, NULL, 0 },
	{ "base", KIND_DROP, NULL, 0 }, { "basefont", KIND_DROP, NULL, 0 },
	{ "big", KIND_KEEP, NULL, 0 }, { "blockquote", KIND_KEEP, NULL, 0 },
	{ "body", KIND_KEEP, NULL, 0 }, { "br", KIND_VOID, NULL, 0 },
	{ "button", KIND_KEEP, NULL, 0 }, { "caption", KIND_KEEP, NULL, 0 },
	{ "center", KIND_KEEP, NULL, 0 }, { "cite", KIND_KEEP, NULL, 0 },
	{ "code", KIND_KEEP, NULL, 0 }, { "col", KIND_DROP, NULL, 0 },
	{ "colgroup", KIND_DROP, NULL, 0 }, { "dd", KIND_KEEP, NULL, 0 },
	{ "del", KIND_KEEP, NULL, 0 }, { "details", KIND_KEEP, "div", 0 },
	{ "dfn", KIND_KEEP, "i", 0 }, { "dir", KIND_KEEP, "ul", 0 },
	{ "div", KIND_KEEP, NULL, 0 }, { "dl", KIND_KEEP, NULL, 0 },
	{ "dt", KIND_KEEP, NULL, 0 }, { "em", KIND_KEEP, NULL, 0 },
	{ "embed", KIND_DROP, NULL, 0 }, { "fieldset", KIND_KEEP, "div", 0 },
	{ "figcaption", KIND_KEEP, "div", 0 }, { "figure", KIND_KEEP, "div", 0 },
	{ "font", KIND_KEEP, NULL, 0 }, { "footer", KIND_KEEP, "div", 0 },
	{ "form", KIND_KEEP, "div", 0 }, { "frame", KIND_DROP, NULL, 0 },
	{ "frameset", KIND_DROP, NULL, 0 }, { "h1", KIND_KEEP, NULL, 0 },
	{ "h2", KIND_KEEP, NULL, 0 }, { "h3", KIND_KEEP, NULL, 0 }, { "h4", KIND_KEEP, NULL, 0 },
	{ "h5", KIND_KEEP, NULL, 0 }, { "h6", KIND_KEEP, NULL, 0 },
	{ "head", KIND_DROP, NULL, 0 }, { "header", KIND_KEEP, "div", 0 },
	{ "hr", KIND_VOID, NULL, 0 }, { "html", KIND_KEEP, NULL, 0 }, { "i", KIND_KEEP, NULL, 0 },
	{ "iframe", KIND_DROP, NULL, 0 }, { "img", KIND_VOID, NULL, 0 },
	{ "input", KIND_DROP, NULL, 0 }, { "ins", KIND_KEEP, "u", 0 },
	{ "kbd", KIND_KEEP, "code", 0 }, { "label", KIND_KEEP, "span", 0 },
	{ "legend", KIND_KEEP, "div", 0 }, { "li", KIND_KEEP, NULL, 0 },
	{ "link", KIND_DROP, NULL, 0 }, { "listing", KIND_KEEP, "pre", 0 },
	{ "main", KIND_KEEP, "div", 0 }, { "mark", KIND_KEEP, NULL, 0 },
	{ "menu", KIND_KEEP, "ul", 0 }, { "meta", KIND_DROP, NULL, 0 },
	{ "nav", KIND_KEEP, "div", 0 }, { "noframes", KIND_DROP, NULL, 0 },
	{ "noscript", KIND_KEEP, "div", 0 }, { "object", KIND_DROP, NULL, 0 },
	{ "ol", KIND_KEEP, NULL, 0 }, { "option", KIND_KEEP, "div", 0 },
	{ "p", KIND_KEEP, NULL, 0 }, { "param", KIND_DROP, NULL, 0 },
	{ "picture", KIND_DROP, NULL, 0 }, { "pre", KIND_KEEP, NULL, 0 },
	{ "q", KIND_KEEP, "span", 0 }, { "s", KIND_KEEP, "strike", 0 },
	{ "samp", KIND_KEEP, "code", 0 }, { "script", KIND_DROP, NULL, 0 },
	{ "section", KIND_KEEP, "div", 0 }, { "select", KIND_KEEP, "div", 0 },
	{ "small", KIND_KEEP, NULL, 0 }, { "source", KIND_DROP, NULL, 0 },
	{ "span", KIND_KEEP, NULL, 0 }, { "strike", KIND_KEEP, NULL, 0 },
	{ "strong", KIND_KEEP, NULL, 0 }, { "style", KIND_DROP, NULL, 0 },
	{ "sub", KIND_KEEP, NULL, 0 }, { "summary", KIND_KEEP, "div", 0 },
	{ "sup", KIND_KEEP, NULL, 0 }, { "svg", KIND_SKIP, NULL, 0 },
	{ "table", KIND_KEEP, NULL, FENCE_TABLE }, { "tbody", KIND_KEEP, NULL, 0 },
	{ "td", KIND_KEEP, NULL, FENCE_CELL }, { "template", KIND_SKIP, NULL, 0 },
	{ "tfoot", KIND_KEEP, NULL, 0 }, { "th", KIND_KEEP, NULL, FENCE_CELL },
	{ "thead", KIND_KEEP, NULL, 0 }, { "title", KIND_DROP, NULL, 0 },
	{ "tr", KIND_KEEP, NULL, 0 }, { "tt", KIND_KEEP, "code", 0 }, { "u", KIND_KEEP, NULL, 0 },
	{ "ul", KIND_KEEP, NULL, 0 }, { "var", KIND_KEEP, "i", 0 }, { "wbr", KIND_DROP, NULL, 0 },
};

static const struct tag unknown = { "span", KIND_KEEP, "span", 0 };

struct open {
	const struct tag *tag;
	char name[TOKEN_NAME_MAX];
	bool cut;		/* too deep: not written */
	bool centers;		/* blocks inside, as align=center does */
	unsigned int padding;	/* table: of its cells, pixels; 0: the usual */
	bool ruled;		/* table: its cells have borders */
};

struct cleaner {
	struct clean *out;
	GArray *stack;		/* struct open */
	unsigned int depth;	/* written and open */
	unsigned int elements;
	unsigned int rules;
	unsigned int skipping;	/* inside an element whose content goes */
	unsigned int cuts;	/* open elements that are not written */
	bool sheet;		/* in <style> for our screen */
	unsigned int inner;	/* bit set of the kinds in style attributes (enum css_inner) */
	bool fresh;		/* nothing stands in the block yet */
	bool failed;
	GString *scratch;
};

/* ---- attributes ---- */

static bool any(const struct token_attribute *a, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (token_is(a, names[i]))
			return true;
	return false;
}

static void put_escaped(GString *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			g_string_append(out, "&quot;");
		else if (text[i] == '<')
			g_string_append(out, "&lt;");
		else
			g_string_append_c(out, text[i]);
	}
}

static void put_attribute(GString *out, const char *name, const char *value, size_t size)
{
	g_string_append_printf(out, " %s=\"", name);
	put_escaped(out, value, size);
	g_string_append_c(out, '"');
}

/* References resolved: style sheets are read, not only passed on. */
static void decode(const struct token_attribute *a, GString *out)
{
	const char *at = a->value;
	const char *end = at + a->value_size;

	g_string_truncate(out, 0);
	while (at < end) {
		size_t taken = *at == '&' ? entity_read(at, (size_t)(end - at), out) : 0;

		if (taken == 0) {
			g_string_append_c(out, *at);
			taken = 1;
		}
		at += taken;
	}
}

static unsigned int number(const struct token_attribute *a, unsigned int max)
{
	unsigned int value = 0;

	for (size_t i = 0; i < a->value_size && g_ascii_isdigit(a->value[i]); i++)
		value = MIN(value * 10 + (unsigned int)(a->value[i] - '0'), 100000u);
	return MIN(value, max);
}

static void put_number(GString *out, const char *name, unsigned int value)
{
	g_string_append_printf(out, " %s=\"%u\"", name, value);
}

static void put_style(struct cleaner *c, const struct token_attribute *a, const struct open *open)
{
	GString *style = g_string_new(NULL);
	unsigned int inner;

	decode(a, c->scratch);
	inner = css_style(c->scratch->str, c->scratch->len, style);
	if (css_inner_own(inner, open->tag->name, strlen(open->tag->name), style)) {
		css_inner_sheet(inner, &c->inner, c->out->css);
		put_number(c->out->html, "inner", inner);
	}
	if (style->len > 0)
		put_attribute(c->out->html, "style", style->str, style->len);
	g_string_free(style, TRUE);
}

static void put_length(struct cleaner *c, const struct token_attribute *a, const char *name)
{
	GString *length = g_string_new(NULL);

	css_length(a->value, a->value_size, length);
	if (length->len > 0)
		put_attribute(c->out->html, name, length->str, length->len);
	g_string_free(length, TRUE);
}

static bool value_is(const struct token_attribute *a, const char *what)
{
	return a->value_size == strlen(what) && str_equal_case_n(a->value, what, a->value_size);
}

static void put_align(struct cleaner *c, const struct token_attribute *a, struct open *open)
{
	static const char *const values[] = { "left", "center", "right", "justify" };

	open->centers = value_is(a, "center") || value_is(a, "middle");
	if (value_is(a, "middle")) {
		put_attribute(c->out->html, "align", "center", 6);
		return;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(values); i++)
		if (value_is(a, values[i]))
			put_attribute(c->out->html, "align", values[i], strlen(values[i]));
}

/* Colours without their '#', as old programs write them. */
static void put_color(struct cleaner *c, const struct token_attribute *a, const char *name)
{
	bool hex = a->value_size == 6;

	for (size_t i = 0; i < a->value_size && hex; i++)
		hex = g_ascii_isxdigit(a->value[i]);
	g_string_append_printf(c->out->html, " %s=\"%s", name, hex ? "#" : "");
	put_escaped(c->out->html, a->value, MIN(a->value_size, (size_t)64));
	g_string_append_c(c->out->html, '"');
}

static void put_list_attribute(struct cleaner *c, const struct token_attribute *a)
{
	if (token_is(a, "start") || token_is(a, "value"))
		put_number(c->out->html, token_is(a, "start") ? "start" : "value",
		    number(a, 99999));
	else if (token_is(a, "type") && a->value_size <= 8)
		put_attribute(c->out->html, "type", a->value, a->value_size);
}

static void put_table_attribute(struct cleaner *c, const struct token_attribute *a,
    struct open *open)
{
	GString *out = c->out->html;

	if (token_is(a, "colspan") || token_is(a, "rowspan")) {
		put_number(out, token_is(a, "colspan") ? "colspan" : "rowspan",
		    MAX(number(a, CLEAN_SPAN_MAX), 1u));
	} else if (token_is(a, "cellpadding")) {
		open->padding = number(a, PADDING_MAX) + 1;
	} else if (token_is(a, "cellspacing") || token_is(a, "border")) {
		g_string_append_printf(out, " %s=\"%upx\"", token_is(a, "border") ? "border" :
		    "cellspacing", MIN(a->value_size == 0 ? 1 : number(a, PADDING_MAX),
		    PADDING_MAX) * CSS_UNIT);
		if (token_is(a, "border") && (number(a, 1) > 0 || a->value_size == 0)) {
			g_string_append(out, " ruled=\"1\"");
			open->ruled = true;
		}
	} else if (token_is(a, "nowrap")) {
		g_string_append(out, " nowrap=\"1\"");
	}
}

static void put_plain(struct cleaner *c, const struct token_attribute *a)
{
	static const char *const names[] = { "class", "id", "href", "src", "alt", "valign", "face",
		"size", "dir", "lang", "role" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (token_is(a, names[i]))
			put_attribute(c->out->html, names[i], a->value, a->value_size);
}

static void put_one(struct cleaner *c, const struct token_attribute *a, struct open *open)
{
	static const char *const listed[] = { "start", "value", "type" };
	static const char *const tabled[] = { "colspan", "rowspan", "cellpadding", "cellspacing",
		"border", "nowrap" };

	if (token_is(a, "style"))
		put_style(c, a, open);
	else if (token_is(a, "width") || token_is(a, "height"))
		put_length(c, a, token_is(a, "width") ? "width" : "height");
	else if (token_is(a, "align"))
		put_align(c, a, open);
	else if (token_is(a, "bgcolor") || token_is(a, "color") || token_is(a, "text"))
		put_color(c, a, token_is(a, "bgcolor") ? "bgcolor" :
		    token_is(a, "text") ? "text" : "color");
	else if (token_is(a, "hidden") || token_is(a, "background"))
		put_attribute(c->out->html, token_is(a, "hidden") ? "hidden" : "background", "1",
		    1);
	else if (any(a, listed, G_N_ELEMENTS(listed)))
		put_list_attribute(c, a);
	else if (any(a, tabled, G_N_ELEMENTS(tabled)))
		put_table_attribute(c, a, open);
	else
		put_plain(c, a);
}

/* ---- elements ---- */

static int compare_tag(const void *name, const void *tag)
{
	return strcmp(name, ((const struct tag *)tag)->name);
}

static const struct tag *find_tag(const char *name)
{
	const struct tag *tag = bsearch(name, tags, G_N_ELEMENTS(tags), sizeof(tags[0]),
	    compare_tag);

	return tag != NULL ? tag : &unknown;
}

static struct open *top(struct cleaner *c)
{
	return c->stack->len > 0 ? &g_array_index(c->stack, struct open, c->stack->len - 1) : NULL;
}

static void pop(struct cleaner *c)
{
	const struct open *last = top(c);

	if (last == NULL)
		return;
	if (!last->cut)
		c->depth--;
	else
		c->cuts--;
	if (last->tag->kind == KIND_SKIP)
		c->skipping--;
	g_array_set_size(c->stack, c->stack->len - 1);
}

/* Elements that begin where another of their kind ends: unclosed, they are no depth. */
static const char *const implied[][2] = { { "li", "li" }, { "p", "p" }, { "tr", "tr" },
	{ "tr", "td" }, { "tr", "th" }, { "td", "td" }, { "td", "th" }, { "th", "td" },
	{ "th", "th" }, { "dt", "dd" }, { "dt", "dt" }, { "dd", "dt" }, { "dd", "dd" },
	{ "option", "option" }, { "tbody", "tbody" }, { "tbody", "tr" } };

static void close_implied(struct cleaner *c, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(implied); i++)
		if (strcmp(implied[i][0], name) == 0 && c->stack->len > 0 &&
		    strcmp(top(c)->name, implied[i][1]) == 0) {
			pop(c);
			i = (size_t)-1;
		}
}

static const struct open *table_around(const struct cleaner *c)
{
	for (unsigned int i = c->stack->len; i > 0 && c->stack->len - i < SEARCH_MAX; i--) {
		const struct open *open = &g_array_index(c->stack, struct open, i - 1);

		if (open->tag->fence == FENCE_TABLE)
			return open;
	}
	return NULL;
}

/* What the table says about all of its cells. */
static void put_cell(struct cleaner *c)
{
	const struct open *table = table_around(c);

	if (table != NULL && table->padding > 0)
		g_string_append_printf(c->out->html, " pad=\"%upx\"",
		    (table->padding - 1) * CSS_UNIT);
	if (table != NULL && table->ruled)
		g_string_append(c->out->html, " cell=\"1\"");
}

static void put_attributes(struct cleaner *c, const struct token *token, struct open *open)
{
	const char *at = token->attributes;
	const char *end = at + token->attributes_size;
	struct token_attribute a;

	for (unsigned int i = 0;
	    i < TOKEN_ATTRIBUTES_MAX && token_next_attribute(&at, end, &a); i++)
		put_one(c, &a, open);
}

static void put_start(struct cleaner *c, const struct token *token, struct open *open,
    bool centered)
{
	GString *out = c->out->html;
	size_t before;

	g_string_append_printf(out, "<%s", open->tag->as != NULL ? open->tag->as :
	    open->tag->name);
	before = out->len;
	put_attributes(c, token, open);
	if (open->tag->fence == FENCE_CELL)
		put_cell(c);
	if (open->tag->fence == FENCE_TABLE) {
		if (centered && strstr(out->str + before, " align=\"") == NULL)
			g_string_append(out, " align=\"center\"");
		open->centers = false;
	}
	g_string_append_c(out, '>');
}

static void begin_style(struct cleaner *c, const struct token *token)
{
	const char *value;
	size_t size;

	c->sheet = !token_attribute(token, "media", &value, &size) || css_media(value, size);
}

static void start(struct cleaner *c, const struct token *token)
{
	const struct tag *tag = find_tag(token->name);
	struct open open = { .tag = tag };
	bool centered;

	if (strcmp(tag->name, "style") == 0)
		begin_style(c, token);
	if (tag->kind == KIND_DROP || (c->skipping > 0 && tag->kind == KIND_VOID))
		return;
	close_implied(c, token->name);
	centered = top(c) != NULL && top(c)->centers;
	open.centers = centered || strcmp(tag->name, "center") == 0;
	memcpy(open.name, token->name, sizeof(open.name));
	open.cut = c->skipping > 0 || tag->kind == KIND_SKIP || c->depth >= CLEAN_DEPTH_MAX;
	c->failed = c->failed || ++c->elements > CLEAN_ELEMENTS_MAX || c->stack->len >= STACK_MAX;
	/* <div><br></div> parts paragraphs in replies; litehtml gives it no height */
	if (!open.cut && c->fresh && strcmp(token->name, "br") == 0)
		g_string_append(c->out->html, "&nbsp;");
	c->fresh = element_begins_line(token->name) || (c->fresh && tag->kind != KIND_VOID);
	if (!open.cut)
		put_start(c, token, &open, centered);
	if (tag->kind == KIND_VOID)
		return;
	if (!open.cut)
		c->depth++;
	else
		c->cuts++;
	c->skipping += tag->kind == KIND_SKIP ? 1 : 0;
	g_array_append_val(c->stack, open);
}

/* What is open inside is closed with it, but a table or cell keeps its own (fence). */
static void end(struct cleaner *c, const char *name)
{
	unsigned int stop = c->stack->len > SEARCH_MAX ? c->stack->len - SEARCH_MAX : 0;

	for (unsigned int i = c->stack->len; i > stop; i--) {
		const struct open *open = &g_array_index(c->stack, struct open, i - 1);
		const struct tag *tag = open->tag;
		bool cut = open->cut;

		if (strcmp(open->name, name) == 0) {
			while (c->stack->len >= i)
				pop(c);
			if (!cut)
				g_string_append_printf(c->out->html, "</%s>", tag->as != NULL ?
				    tag->as : tag->name);
			return;
		}
		if (tag->fence == FENCE_TABLE || (tag->fence == FENCE_CELL &&
		    find_tag(name)->fence == FENCE_NONE && strcmp(name, "tr") != 0 &&
		    strcmp(name, "tbody") != 0))
			break;
	}
	/* out of order: the parser knows what browsers make of it */
	if (c->cuts == 0 && find_tag(name) != &unknown)
		g_string_append_printf(c->out->html, "</%s>", find_tag(name)->as != NULL ?
		    find_tag(name)->as : name);
}

static void text(struct cleaner *c, const struct token *token)
{
	if (token->raw) {
		if (c->sheet && !css_sheet(token->text, token->size, &c->rules, c->out->css))
			c->failed = true;
		return;
	}
	if (c->skipping > 0)
		return;
	for (size_t i = 0; i < token->size; i++) {
		c->fresh = c->fresh && str_is_space(token->text[i]);
		if (token->text[i] == '<')
			g_string_append(c->out->html, "&lt;");
		else
			g_string_append_c(c->out->html, token->text[i]);
	}
}

/* ---- the whole ---- */

static bool starts_with_doctype(const char *html, size_t size)
{
	while (size > 0 && str_is_space(*html)) {
		html++;
		size--;
	}
	return size >= 9 && str_equal_case_n(html, "<!doctype", 9);
}

static void walk(struct cleaner *c, const char *html, size_t size)
{
	struct token_reader reader;
	struct token token;

	token_start(&reader, html, size);
	/* without a doctype tables do not take over alignment, as old programs knew it */
	if (!starts_with_doctype(html, size))
		g_string_append(c->out->css,
		    "table{text-align:left}[dir=rtl] table{text-align:right}\n");
	for (token_next(&reader, &token); token.kind != TOKEN_EOF && !c->failed;
	    token_next(&reader, &token)) {
		switch (token.kind) {
		case TOKEN_TEXT:
			text(c, &token);
			break;
		case TOKEN_START:
			start(c, &token);
			break;
		case TOKEN_END:
			if (strcmp(token.name, "style") == 0)
				c->sheet = false;
			else if (find_tag(token.name)->kind != KIND_DROP)
				end(c, token.name);
			break;
		case TOKEN_EOF:
			break;
		}
	}
}

bool clean_html(const char *html, size_t size, struct clean *clean)
{
	struct cleaner c = { .out = clean };

	clean->html = g_string_sized_new(size + 64);
	clean->css = g_string_new(NULL);
	if (size > CLEAN_SIZE_MAX) {
		clean_free(clean);
		return false;
	}
	c.stack = g_array_new(FALSE, FALSE, sizeof(struct open));
	c.scratch = g_string_new(NULL);
	walk(&c, html, size);
	g_array_unref(c.stack);
	g_string_free(c.scratch, TRUE);
	if (c.failed)
		clean_free(clean);
	return !c.failed;
}

void clean_free(struct clean *clean)
{
	if (clean->html != NULL)
		g_string_free(clean->html, TRUE);
	if (clean->css != NULL)
		g_string_free(clean->css, TRUE);
	clean->html = NULL;
	clean->css = NULL;
}
