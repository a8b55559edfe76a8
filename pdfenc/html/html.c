#include "pdfenc/html/html.h"

#include <string.h>

#include "gateway/base/str.h"
#include "pdfenc/html/element.h"
#include "pdfenc/html/entity.h"
#include "pdfenc/html/token.h"

#define OPEN_MAX 256		/* open elements remembered; deeper ones have no effect */
#define ADDRESS_SHOWN_MAX 160	/* characters of an address printed; all of it can be clicked */
#define CELL_BETWEEN "  \342\224\202 "

struct open_element {
	const struct element *element;
	bool hidden;
};

struct writer {
	struct flow *flow;
	struct flow_block *block;	/* being written, or NULL */
	struct open_element open[OPEN_MAX];
	unsigned int open_count;
	unsigned int hidden;		/* open elements that hide */
	unsigned int counts[ELEMENT_EFFECTS];	/* how many of each effect are open */
	unsigned int numbers[FLOW_DEPTH_MAX + 1];	/* of ordered lists; 0 = bullets */
	bool space;			/* white space waits for a word */
	bool gap;			/* the next block stands apart */
	bool cell;			/* a cell ended: a mark before the next word */
	char *marker;			/* of the next block */
	size_t bold_start;
	size_t italic_start;
	char *link;			/* address of the open link, or NULL */
	size_t link_start;
	GString *link_text;
};

static unsigned int at_most(unsigned int value, unsigned int max)
{
	return value < max ? value : max;
}

/* ---- blocks ---- */

static void close_spans(struct writer *w)
{
	size_t end = w->block->text->len;

	if (w->counts[ELEMENT_BOLD] > 0)
		flow_add_span(w->block, FLOW_BOLD, w->bold_start, end, NULL);
	if (w->counts[ELEMENT_ITALIC] > 0)
		flow_add_span(w->block, FLOW_ITALIC, w->italic_start, end, NULL);
	if (w->link != NULL)
		flow_add_span(w->block, FLOW_LINK, w->link_start, end, w->link);
}

static void end_block(struct writer *w)
{
	w->space = false;
	w->cell = false;
	if (w->block == NULL)
		return;
	close_spans(w);
	w->flow->size += w->block->text->len;
	w->block = NULL;
}

static struct flow_block *open_block(struct writer *w)
{
	enum flow_kind kind = FLOW_PARAGRAPH;

	if (w->block != NULL)
		return w->block;
	if (w->counts[ELEMENT_HEADING] > 0)
		kind = FLOW_HEADING;
	else if (w->counts[ELEMENT_PRE] > 0)
		kind = FLOW_FIXED;
	w->block = flow_add(w->flow, kind);
	w->block->quote = at_most(w->counts[ELEMENT_QUOTE], FLOW_DEPTH_MAX);
	w->block->indent = at_most(w->counts[ELEMENT_LIST], FLOW_DEPTH_MAX);
	w->block->joined = !w->gap;
	w->block->marker = w->marker;
	w->marker = NULL;
	w->gap = false;
	w->bold_start = w->italic_start = w->link_start = 0;
	return w->block;
}

/* ---- text ---- */

/* Pango's cost, not the sender's wish: a very long block goes on as a new one. */
static void split_long(struct writer *w)
{
	if (w->block == NULL || w->block->text->len < FLOW_BLOCK_MAX)
		return;
	end_block(w);
	w->gap = false;
}

static void put_space(struct writer *w)
{
	struct flow_block *block = open_block(w);
	size_t size = block->text->len;

	if (w->cell && size > 0)
		g_string_append(block->text, CELL_BETWEEN);
	else if (w->space && size > 0 && block->text->str[size - 1] != '\n')
		g_string_append_c(block->text, ' ');
	w->cell = false;
	w->space = false;
}

static void put_word(struct writer *w, const char *text, size_t size)
{
	put_space(w);
	g_string_append_len(w->block->text, text, (gssize)size);
	if (w->link != NULL)
		g_string_append_len(w->link_text, text, (gssize)size);
}

static void put_collapsed(struct writer *w, const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t start = at;

		while (at < size && str_is_space(text[at]))
			at++;
		if (at > start) {
			w->space = true;
			split_long(w);
		}
		start = at;
		/* a "word" without end is cut as well */
		while (at < size && !str_is_space(text[at]) && at - start < FLOW_BLOCK_MAX)
			at++;
		while (at < size && at > start && ((unsigned char)text[at] & 0xc0) == 0x80)
			at++;
		if (at > start) {
			put_word(w, text + start, at - start);
			if (w->block->text->len > 2 * FLOW_BLOCK_MAX)
				split_long(w);
		}
	}
}

static void put_pre(struct writer *w, const char *text, size_t size)
{
	while (size > 0) {
		const char *newline = memchr(text, '\n', size);
		size_t line = newline != NULL ? (size_t)(newline - text) : size;

		if (line > FLOW_BLOCK_MAX) {
			line = FLOW_BLOCK_MAX;
			while (((unsigned char)text[line] & 0xc0) == 0x80)
				line--;
			newline = NULL;
		}
		put_word(w, text, line);
		if (newline != NULL)
			g_string_append_c(w->block->text, '\n');
		text += line + (newline != NULL);
		size -= line + (newline != NULL);
		split_long(w);
	}
}

/* Characters for references, in a text or an attribute's value. */
static GString *decode(const char *text, size_t size)
{
	GString *out = g_string_sized_new(size + 1);
	const char *end = text + size;

	while (text < end) {
		const char *amp = memchr(text, '&', (size_t)(end - text));
		size_t taken;

		if (amp == NULL)
			amp = end;
		g_string_append_len(out, text, amp - text);
		text = amp;
		if (text == end)
			break;
		taken = entity_read(text, (size_t)(end - text), out);
		if (taken == 0) {
			g_string_append_c(out, '&');
			taken = 1;
		}
		text += taken;
	}
	return out;
}

static void put_text(struct writer *w, const struct token *token)
{
	GString *text;

	if (token->raw || w->hidden > 0)
		return;
	text = decode(token->text, token->size);
	if (w->counts[ELEMENT_PRE] > 0)
		put_pre(w, text->str, text->len);
	else
		put_collapsed(w, text->str, text->len);
	g_string_free(text, TRUE);
}

/* ---- links and images ---- */

static void begin_link(struct writer *w, const struct token *token)
{
	const char *value;
	size_t size;
	GString *address;

	if (w->link != NULL || !token_attribute(token, "href", &value, &size))
		return;
	address = decode(value, size);
	w->link = flow_uri(address->str, address->len);
	g_string_free(address, TRUE);
	g_string_truncate(w->link_text, 0);
	w->link_start = w->block != NULL ? w->block->text->len + (w->space ? 1 : 0) : 0;
}

static bool text_says(const char *text, const char *address)
{
	const char *plain = strstr(address, "//") != NULL ? strstr(address, "//") + 2 :
	    strchr(address, ':') + 1;
	size_t size = strcspn(plain, "?");

	while (size > 0 && plain[size - 1] == '/')
		size--;
	return size == 0 || memmem(text, strlen(text), plain, size) != NULL;
}

static void end_link(struct writer *w)
{
	struct flow_block *block;
	size_t size;
	size_t start;

	if (w->link == NULL)
		return;
	if (w->block != NULL)
		flow_add_span(w->block, FLOW_LINK, w->link_start, w->block->text->len, w->link);
	if (w->hidden == 0 && !text_says(w->link_text->str, w->link)) {
		block = open_block(w);
		size = strlen(w->link);
		if (w->link_text->len > 0)
			g_string_append_c(block->text, ' ');
		start = block->text->len;
		g_string_append_printf(block->text, "<%.*s%s>", (int)(size > ADDRESS_SHOWN_MAX ?
		    ADDRESS_SHOWN_MAX : size), w->link, size > ADDRESS_SHOWN_MAX ?
		    "\342\200\246" : "");
		flow_add_span(block, FLOW_LINK, start, block->text->len, w->link);
	}
	g_free(w->link);
	w->link = NULL;
}

static void put_image(struct writer *w, const struct token *token)
{
	const char *value;
	size_t size;
	GString *alt;

	if (w->hidden > 0 || !token_attribute(token, "alt", &value, &size) || size == 0)
		return;
	alt = decode(value, size);
	g_strstrip(alt->str);
	g_string_set_size(alt, strlen(alt->str));
	if (alt->len > 0) {
		g_string_prepend_c(alt, '[');
		g_string_append_c(alt, ']');
		put_collapsed(w, alt->str, alt->len);
	}
	g_string_free(alt, TRUE);
}

/* ---- elements ---- */

/* Whether a style attribute hides its element; spaces inside do not matter. */
static bool style_hides(const char *style, size_t size)
{
	GString *plain = g_string_sized_new(size + 1);
	bool hides;

	for (size_t i = 0; i < size; i++)
		if (!str_is_space(style[i]))
			g_string_append_c(plain, str_lower_char(style[i]));
	hides = strstr(plain->str, "display:none") != NULL ||
	    strstr(plain->str, "visibility:hidden") != NULL ||
	    strstr(plain->str, "mso-hide:all") != NULL;
	g_string_free(plain, TRUE);
	return hides;
}

static bool is_hidden(const struct token *token, const struct element *element)
{
	const char *value;
	size_t size;

	if ((element->effects & 1u << ELEMENT_HIDES) != 0 ||
	    token_attribute(token, "hidden", &value, &size))
		return true;
	return token_attribute(token, "style", &value, &size) && style_hides(value, size);
}

static void begin_item(struct writer *w)
{
	unsigned int depth = at_most(w->counts[ELEMENT_LIST], FLOW_DEPTH_MAX);

	end_block(w);
	g_free(w->marker);
	w->marker = w->numbers[depth] > 0 ? g_strdup_printf("%u.", w->numbers[depth]++) :
	    g_strdup("\342\200\242");
}

static void begin_list(struct writer *w, const struct token *token)
{
	unsigned int depth = at_most(w->counts[ELEMENT_LIST], FLOW_DEPTH_MAX);
	const char *value;
	size_t size;

	w->numbers[depth] = strcmp(token->name, "ol") == 0 ? 1 : 0;
	if (w->numbers[depth] == 0 || !token_attribute(token, "start", &value, &size))
		return;
	w->numbers[depth] = 0;
	for (size_t i = 0; i < size && i < 6 && g_ascii_isdigit(value[i]); i++)
		w->numbers[depth] = w->numbers[depth] * 10 + (unsigned int)(value[i] - '0');
	if (w->numbers[depth] == 0)
		w->numbers[depth] = 1;
}

/* Effects that begin or end with an element; spans end before their count falls. */
static void apply(struct writer *w, const struct element *element, bool start)
{
	if (w->block != NULL && (element->effects & 1u << ELEMENT_BOLD) != 0) {
		if (start && w->counts[ELEMENT_BOLD] == 0)
			w->bold_start = w->block->text->len;
		else if (!start && w->counts[ELEMENT_BOLD] == 1)
			flow_add_span(w->block, FLOW_BOLD, w->bold_start, w->block->text->len,
			    NULL);
	}
	if (w->block != NULL && (element->effects & 1u << ELEMENT_ITALIC) != 0) {
		if (start && w->counts[ELEMENT_ITALIC] == 0)
			w->italic_start = w->block->text->len;
		else if (!start && w->counts[ELEMENT_ITALIC] == 1)
			flow_add_span(w->block, FLOW_ITALIC, w->italic_start,
			    w->block->text->len, NULL);
	}
	for (unsigned int i = 0; i < ELEMENT_EFFECTS; i++)
		if ((element->effects & 1u << i) != 0)
			w->counts[i] += start ? 1u : (unsigned int)-1;
}

static void leave(struct writer *w, const struct open_element *open)
{
	const struct element *element = open->element;

	if ((element->effects & 1u << ELEMENT_LINK) != 0)
		end_link(w);
	if ((element->effects & 1u << ELEMENT_BLOCK) != 0)
		end_block(w);
	if ((element->effects & 1u << ELEMENT_GAP) != 0)
		w->gap = true;
	if ((element->effects & 1u << ELEMENT_CELL) != 0 && w->block != NULL)
		w->cell = true;
	if ((element->effects & 1u << ELEMENT_ITEM) != 0) {
		g_free(w->marker);
		w->marker = NULL;
	}
	apply(w, element, false);
	if (open->hidden)
		w->hidden--;
}

static void close_to(struct writer *w, unsigned int count)
{
	while (w->open_count > count)
		leave(w, &w->open[--w->open_count]);
}

/* Ends the element of this name and all inside it; not through a table, as browsers do. */
static void end_element(struct writer *w, const struct element *element)
{
	for (unsigned int i = w->open_count; i > 0; i--) {
		const struct element *open = w->open[i - 1].element;

		if (open == element) {
			close_to(w, i - 1);
			return;
		}
		if ((open->effects & 1u << ELEMENT_FENCE) != 0 &&
		    (element->effects & 1u << ELEMENT_FENCE) == 0)
			return;
	}
}

/* A <p> ends the <p> before, an <li> the <li> before: HTML lets their ends out. */
static void end_implied(struct writer *w, const struct element *element)
{
	const struct element *last;

	if ((element->effects & 1u << ELEMENT_BLOCK) != 0 && w->open_count > 0) {
		last = w->open[w->open_count - 1].element;
		if ((last->effects & 1u << ELEMENT_PARAGRAPH) != 0)
			close_to(w, w->open_count - 1);
	}
	if ((element->effects & (1u << ELEMENT_ITEM | 1u << ELEMENT_ROW |
	    1u << ELEMENT_CELL)) == 0)
		return;
	for (unsigned int i = w->open_count; i > 0; i--) {
		last = w->open[i - 1].element;
		if (last == element) {
			close_to(w, i - 1);
			return;
		}
		if ((last->effects & (1u << ELEMENT_FENCE | 1u << ELEMENT_LIST)) != 0)
			return;
	}
}

static void put_void(struct writer *w, const struct token *token, const struct element *element)
{
	if (w->hidden > 0)
		return;
	switch (element->empty) {
	case ELEMENT_BR:
		/* a break at a block's end is none; two of them are an empty line */
		if (w->block == NULL)
			w->gap = true;
		end_block(w);
		break;
	case ELEMENT_HR:
		end_block(w);
		(void)flow_add(w->flow, FLOW_RULE);
		break;
	case ELEMENT_IMG:
		put_image(w, token);
		break;
	case ELEMENT_WBR:
		if (w->block != NULL)
			g_string_append(w->block->text, "\342\200\213");
		break;
	case ELEMENT_NOT_EMPTY:
	case ELEMENT_NOTHING:
		break;
	}
}

static void begin_element(struct writer *w, const struct token *token,
    const struct element *element)
{
	struct open_element open = { element, false };

	end_implied(w, element);
	if ((element->effects & 1u << ELEMENT_BLOCK) != 0)
		end_block(w);
	if ((element->effects & 1u << ELEMENT_GAP) != 0)
		w->gap = true;
	if (w->open_count >= OPEN_MAX)
		return;
	open.hidden = is_hidden(token, element);
	w->hidden += open.hidden ? 1 : 0;
	apply(w, element, true);
	w->open[w->open_count++] = open;
	if ((element->effects & 1u << ELEMENT_LIST) != 0)
		begin_list(w, token);
	if ((element->effects & 1u << ELEMENT_ITEM) != 0 && w->hidden == 0)
		begin_item(w);
	if ((element->effects & 1u << ELEMENT_LINK) != 0)
		begin_link(w, token);
}

static void take_tag(struct writer *w, const struct token *token)
{
	const struct element *element = element_find(token->name);

	if (element == NULL)
		return;
	if (element->empty != ELEMENT_NOT_EMPTY)
		put_void(w, token, element);
	else if (token->kind == TOKEN_START)
		begin_element(w, token, element);
	else
		end_element(w, element);
}

void html_to_flow(const char *html, size_t size, struct flow *flow)
{
	struct writer w;
	struct token_reader reader;
	struct token token;

	memset(&w, 0, sizeof(w));
	w.flow = flow;
	w.gap = true;
	w.link_text = g_string_new(NULL);
	token_start(&reader, html, size);
	for (token_next(&reader, &token); token.kind != TOKEN_EOF; token_next(&reader, &token)) {
		if (token.kind == TOKEN_TEXT)
			put_text(&w, &token);
		else
			take_tag(&w, &token);
	}
	close_to(&w, 0);
	end_link(&w);
	end_block(&w);
	g_free(w.marker);
	g_string_free(w.link_text, TRUE);
}

bool html_has_text(const char *html, size_t size)
{
	struct flow *flow = flow_new();
	bool found = false;

	html_to_flow(html, size, flow);
	for (unsigned int i = 0; i < flow->blocks->len && !found; i++) {
		const struct flow_block *block = g_ptr_array_index(flow->blocks, i);

		for (const char *p = block->text->str; *p != '\0' && !found;
		    p = g_utf8_next_char(p)) {
			gunichar c = g_utf8_get_char(p);

			found = !g_unichar_isspace(c) && !g_unichar_iszerowidth(c) && c != 0xad;
		}
	}
	flow_free(flow);
	return found;
}
