#include "pdfenc/compose.h"

#include "pdfenc/html/html.h"
#include "pdfenc/language.h"
#include "pdfenc/text.h"
#include "pdfenc/wording.h"

#define SAMPLE_MAX 4000		/* characters looked at for the language */

static void put_line(GString *text, const char *label, const char *value)
{
	if (value != NULL)
		g_string_append_printf(text, "%s: %s\n", label, value);
}

static void add_nested(struct flow *flow, const struct document_head *head)
{
	struct flow_block *block = flow_add(flow, FLOW_NESTED);

	put_line(block->text, wording("Subject"), head->subject);
	put_line(block->text, wording("From"), head->from);
	put_line(block->text, wording("To"), head->to);
	put_line(block->text, wording("Cc"), head->cc);
	put_line(block->text, wording("Date"), head->date);
	flow->size += block->text->len;
}

static void add_card(struct flow *flow, const struct document_body *body)
{
	struct flow_block *block = flow_add(flow, FLOW_NESTED);

	block->marker = g_strdup(body->title);
	g_string_append_len(block->text, body->text->str, (gssize)body->text->len);
	flow->size += block->text->len;
}

static void add_note(struct flow *flow, const char *text)
{
	struct flow_block *block = flow_add(flow, FLOW_NOTE);

	g_string_append(block->text, text);
}

/* As it looks, and the text form behind it for when that cannot be drawn. */
static void add_html(struct flow *flow, const GString *html)
{
	struct flow_block *block = flow_add(flow, FLOW_HTML);
	unsigned int before = flow->blocks->len;

	html_to_flow(html->str, html->len, flow);
	block->html = html;
	block->count = flow->blocks->len - before;
}

static bool ends_with_rule(const struct flow *flow)
{
	const struct flow_block *last = flow->blocks->len > 0 ?
	    g_ptr_array_index(flow->blocks, flow->blocks->len - 1) : NULL;

	return last != NULL && last->kind == FLOW_RULE;
}

static void add_rule(struct flow *flow)
{
	if (!ends_with_rule(flow))
		(void)flow_add(flow, FLOW_RULE);
}

/* Bodies that follow each other are parted by a line across. */
static void add_body(struct flow *flow, const struct document_body *body, bool after_text)
{
	if (after_text && (body->kind == DOCUMENT_TEXT || body->kind == DOCUMENT_HTML) &&
	    body->text->len > 0)
		add_rule(flow);
	switch (body->kind) {
	case DOCUMENT_TEXT:
		text_to_flow(body->text, body->flowed, body->delsp, flow);
		break;
	case DOCUMENT_HTML:
		add_html(flow, body->text);
		break;
	case DOCUMENT_NESTED:
		add_nested(flow, body->head);
		break;
	case DOCUMENT_NESTED_END:
		add_rule(flow);
		break;
	case DOCUMENT_CARD:
		add_card(flow, body);
		break;
	case DOCUMENT_NOTE:
		add_note(flow, body->text->str);
		break;
	}
}

struct flow *compose_flow(const struct document *document)
{
	struct flow *flow = flow_new();
	bool after_text = false;

	for (unsigned int i = 0; i < document->bodies->len; i++) {
		const struct document_body *body = g_ptr_array_index(document->bodies, i);

		add_body(flow, body, after_text);
		after_text = body->kind == DOCUMENT_TEXT || body->kind == DOCUMENT_HTML;
	}
	/* at the end it parts nothing, and might stand alone on a page */
	if (ends_with_rule(flow))
		g_ptr_array_set_size(flow->blocks, (int)flow->blocks->len - 1);
	if (document->truncated)
		add_note(flow, wording("This message has more parts than are shown here. All of "
		    "them are in the attached file original.eml, which a mail program opens."));
	return flow;
}

/* ---- language ---- */

static const char *language_of(GUnicodeScript script)
{
	switch (script) {
	case G_UNICODE_SCRIPT_HIRAGANA:
	case G_UNICODE_SCRIPT_KATAKANA:
		return "ja";
	case G_UNICODE_SCRIPT_HANGUL:
		return "ko";
	case G_UNICODE_SCRIPT_HAN:
		return "zh";
	case G_UNICODE_SCRIPT_CYRILLIC:
		return "ru";
	case G_UNICODE_SCRIPT_ARABIC:
		return "ar";
	case G_UNICODE_SCRIPT_HEBREW:
		return "he";
	case G_UNICODE_SCRIPT_GREEK:
		return "el";
	case G_UNICODE_SCRIPT_THAI:
		return "th";
	case G_UNICODE_SCRIPT_DEVANAGARI:
		return "hi";
	default:
		return NULL;
	}
}

/* Letters that have weight: kana decide over Han, and both over single foreign words. */
static void count_scripts(const struct flow *flow, unsigned int *counts, size_t count_max)
{
	unsigned int seen = 0;

	for (unsigned int i = 0; i < flow->blocks->len && seen < SAMPLE_MAX; i++) {
		const struct flow_block *block = g_ptr_array_index(flow->blocks, i);

		for (const char *p = block->text->str; *p != '\0' && seen < SAMPLE_MAX;
		    p = g_utf8_next_char(p), seen++) {
			gunichar c = g_utf8_get_char(p);
			GUnicodeScript script = c < 0x80 ? G_UNICODE_SCRIPT_LATIN :
			    g_unichar_get_script(c);

			if ((size_t)script < count_max && (c >= 0x80 || g_ascii_isalpha((char)c)))
				counts[script]++;
		}
	}
}

/* Latin letters; our own words on the page are English. */
static const char *language_of_latin(const struct flow *flow)
{
	struct language_votes votes = { { 0 } };
	const char *found;
	size_t seen = 0;

	for (unsigned int i = 0; i < flow->blocks->len && seen < SAMPLE_MAX; i++) {
		const struct flow_block *block = g_ptr_array_index(flow->blocks, i);
		size_t size = MIN(block->text->len, SAMPLE_MAX);

		/* no half letter */
		while (size < block->text->len && (block->text->str[size] & 0xc0) == 0x80)
			size++;
		language_count(&votes, block->text->str, size);
		seen += size;
	}
	found = language_best(&votes);
	return found != NULL ? found : "en";
}

const char *compose_language(const struct document *document, const struct flow *flow)
{
	const char *found;

	unsigned int counts[200] = { 0 };
	GUnicodeScript best = G_UNICODE_SCRIPT_LATIN;

	if (document->language != NULL)
		return document->language;
	count_scripts(flow, counts, G_N_ELEMENTS(counts));
	if (counts[G_UNICODE_SCRIPT_HIRAGANA] + counts[G_UNICODE_SCRIPT_KATAKANA] > 3)
		return "ja";
	for (unsigned int i = 0; i < G_N_ELEMENTS(counts); i++)
		if (counts[i] > counts[best] && language_of((GUnicodeScript)i) != NULL)
			best = (GUnicodeScript)i;
	found = language_of(best);
	return found != NULL ? found : language_of_latin(flow);
}
