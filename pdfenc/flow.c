#include "pdfenc/flow.h"

#include <string.h>

#include "gateway/base/str.h"

#define URI_MAX ((size_t)2048)	/* bytes; longer ones are text only */

static void block_free(void *data)
{
	struct flow_block *block = data;

	for (unsigned int i = 0; i < block->spans->len; i++)
		g_free(g_array_index(block->spans, struct flow_span, i).uri);
	g_array_unref(block->spans);
	g_string_free(block->text, TRUE);
	g_free(block->marker);
	g_free(block);
}

struct flow *flow_new(void)
{
	struct flow *flow = g_new0(struct flow, 1);

	flow->blocks = g_ptr_array_new_with_free_func(block_free);
	return flow;
}

void flow_free(struct flow *flow)
{
	if (flow == NULL)
		return;
	g_ptr_array_unref(flow->blocks);
	g_free(flow);
}

struct flow_block *flow_add(struct flow *flow, enum flow_kind kind)
{
	struct flow_block *block = g_new0(struct flow_block, 1);

	block->kind = kind;
	block->text = g_string_new(NULL);
	block->spans = g_array_new(FALSE, FALSE, sizeof(struct flow_span));
	g_ptr_array_add(flow->blocks, block);
	return block;
}

/* How many of size bytes make a block: all, or up to white space, or up to a character. */
static size_t piece_size(const char *text, size_t size)
{
	size_t end = FLOW_BLOCK_MAX;

	if (size <= FLOW_BLOCK_MAX)
		return size;
	while (end > FLOW_BLOCK_MAX / 2 && text[end - 1] != '\n')
		end--;
	if (text[end - 1] == '\n')
		return end;
	for (end = FLOW_BLOCK_MAX; end > FLOW_BLOCK_MAX / 2; end--)
		if (text[end - 1] == ' ')
			return end;
	end = FLOW_BLOCK_MAX;
	while (((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	return end;
}

void flow_add_text(struct flow *flow, const struct flow_block *pattern, const char *text,
    size_t size)
{
	bool first = true;

	while (size > 0) {
		struct flow_block *block = flow_add(flow, pattern->kind);
		size_t piece = piece_size(text, size);
		size_t shown = piece < size && text[piece - 1] == '\n' ? piece - 1 : piece;

		block->quote = pattern->quote;
		block->indent = pattern->indent;
		block->marker = first ? g_strdup(pattern->marker) : NULL;
		block->joined = first ? pattern->joined : true;
		g_string_append_len(block->text, text, (gssize)shown);
		flow_find_links(block, 0);
		flow->size += piece;
		text += piece;
		size -= piece;
		first = false;
	}
}

void flow_add_span(struct flow_block *block, enum flow_style style, size_t start, size_t end,
    const char *uri)
{
	struct flow_span span = { style, start, end, NULL };

	if (start >= end)
		return;
	if (style == FLOW_LINK) {
		span.uri = flow_uri(uri, strlen(uri));
		if (span.uri == NULL)
			return;
	}
	g_array_append_val(block->spans, span);
}

/* ---- addresses in text ---- */

static bool is_uri_char(char c)
{
	return c > 0x20 && c < 0x7f && strchr("<>\"{}|\\^`", c) == NULL;
}

/* Full stops and closing brackets behind an address belong to the sentence. */
static size_t trim_uri(const char *text, size_t size)
{
	while (size > 0) {
		char last = text[size - 1];

		if (strchr(".,;:!?'*_", last) != NULL)
			size--;
		else if (last == ')' && memchr(text, '(', size) == NULL)
			size--;
		else if (last == ']' && memchr(text, '[', size) == NULL)
			size--;
		else
			break;
	}
	return size;
}

static size_t web_size(const char *text, size_t left)
{
	static const char *const starts[] = { "https://", "http://", "www.", "mailto:" };
	size_t size = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
		size_t n = strlen(starts[i]);

		if (left <= n || !str_equal_case_n(text, starts[i], n))
			continue;
		while (size < left && is_uri_char(text[size]))
			size++;
		size = trim_uri(text, size);
		return size > n ? size : 0;
	}
	return 0;
}

static bool is_mailbox_char(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* The mailbox around the @ at offset at: its start and end, or false. */
static bool mailbox_at(const char *text, size_t size, size_t floor, size_t at, size_t *start_out,
    size_t *end_out)
{
	size_t start = at;
	size_t end = at + 1;

	while (start > floor && at - start < 64 && is_mailbox_char(text[start - 1]))
		start--;
	while (end < size && end - at < 254 && (g_ascii_isalnum(text[end]) || text[end] == '-' ||
	    text[end] == '.'))
		end++;
	while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '-'))
		end--;
	while (start < at && strchr(".'*/=", text[start]) != NULL)
		start++;
	*start_out = start;
	*end_out = end;
	return start < at && memchr(text + at + 1, '.', end - at - 1) != NULL;
}

static bool word_starts(const char *text, size_t at)
{
	return at == 0 || !g_ascii_isalnum(text[at - 1]);
}

void flow_find_links(struct flow_block *block, size_t start)
{
	const char *text = block->text->str;
	size_t size = block->text->len;
	size_t floor = start;

	for (size_t i = start; i < size; i++) {
		size_t from = i;
		size_t end;
		char *uri;

		if (text[i] == '@') {
			if (!mailbox_at(text, size, floor, i, &from, &end))
				continue;
			uri = g_strdup_printf("mailto:%.*s", (int)(end - from), text + from);
		} else if (strchr("hHwWmM", text[i]) != NULL && word_starts(text, i) &&
		    web_size(text + i, size - i) > 0) {
			end = i + web_size(text + i, size - i);
			uri = g_strdup_printf("%s%.*s", str_starts_case(text + i, "www.") ?
			    "http://" : "", (int)(end - i), text + i);
		} else {
			continue;
		}
		flow_add_span(block, FLOW_LINK, from, end, uri);
		g_free(uri);
		floor = end;
		i = end - 1;
	}
}

char *flow_uri(const char *text, size_t size)
{
	static const char *const schemes[] = { "https://", "http://", "mailto:", "tel:" };
	bool known = false;
	GString *uri;

	for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
		known = known || (size > strlen(schemes[i]) &&
		    str_equal_case_n(text, schemes[i], strlen(schemes[i])));
	if (!known || size > URI_MAX)
		return NULL;
	uri = g_string_sized_new(size + 1);
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c > 0x20 && c < 0x7f && strchr("<>\"{}|\\^`'", (int)c) == NULL)
			g_string_append_c(uri, (char)c);
		else
			g_string_append_printf(uri, "%%%02X", c);
	}
	return g_string_free(uri, FALSE);
}
