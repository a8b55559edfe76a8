#include "pdfenc/layout.h"

#include <pango/pangofc-fontmap.h>
#include <pango/pangoft2.h>
#include <stdio.h>
#include <string.h>

#include "pdfenc/attachments.h"
#include "pdfenc/head.h"
#include "pdfenc/html/pages.h"
#include "pdfenc/setter.h"
#include "pdfenc/wording.h"

#define A4_WIDTH 595.276f	/* points */
#define A4_HEIGHT 841.89f
#define LETTER_WIDTH 612.0f
#define LETTER_HEIGHT 792.0f

#define PARAGRAPH_GAP 7.0
#define QUOTE_STEP 10.0
#define LIST_STEP 16.0

static const struct display_color ink = { 0.10f, 0.11f, 0.13f, 0 };
static const struct display_color quote_ink = { 0.30f, 0.35f, 0.40f, 0 };
static const struct display_color faint = { 0.42f, 0.46f, 0.50f, 0 };
static const struct display_color hairline = { 0.80f, 0.83f, 0.86f, 0 };
static const struct display_color note_ink = { 0.55f, 0.18f, 0.10f, 0 };

struct layout_engine {
	PangoFontMap *map;
	PangoContext *context;
	struct faces *faces;
	struct quick *quick;
	PangoFontDescription *fonts[SETTER_FONTS];
};

/* ---- the engine ---- */

/* Sets a word of each script, so that its font is found and loaded. */
static void warm_up(struct layout_engine *engine)
{
	static const char sample[] = "Latin \316\225\316\273 \320\232\320\270\321\200 "
	    "\327\242\327\221 \330\271\330\261\330\250\331\212 \340\244\271\340\244\277 "
	    "\340\270\202\340\271\211\340\270\255 \344\270\255\346\226\207 "
	    "\343\201\213\343\201\252 \355\225\234\352\270\200 \360\237\230\200 \342\234\223";

	for (unsigned int i = 0; i < SETTER_FONTS; i++) {
		PangoLayout *layout = pango_layout_new(engine->context);
		int height;

		pango_layout_set_font_description(layout, engine->fonts[i]);
		pango_layout_set_text(layout, sample, -1);
		pango_layout_get_size(layout, NULL, &height);
		g_object_unref(layout);
	}
}

/* Glyphs stand where the font says, at any size: pages are scaled. */
static void no_hints(FcPattern *pattern, void *data)
{
	(void)data;
	(void)FcPatternDel(pattern, FC_HINTING);
	(void)FcPatternAddBool(pattern, FC_HINTING, FcFalse);
	(void)FcPatternDel(pattern, FC_HINT_STYLE);
	(void)FcPatternAddInteger(pattern, FC_HINT_STYLE, FC_HINT_NONE);
}

struct layout_engine *layout_engine_new(void)
{
	static const char *const names[SETTER_FONTS] = {
		[SETTER_BODY] = "Liberation Sans, Noto Sans, sans-serif 10",
		[SETTER_FIXED] = "Liberation Mono, Noto Sans Mono, monospace 8.7",
		[SETTER_HEADING] = "Liberation Sans, Noto Sans, sans-serif Bold 12",
		[SETTER_TITLE] = "Liberation Sans, Noto Sans, sans-serif 19",
		[SETTER_LABEL] = "Liberation Sans, Noto Sans, sans-serif 8.5",
		[SETTER_FIELD] = "Liberation Sans, Noto Sans, sans-serif 9.5",
		[SETTER_SMALL] = "Liberation Sans, Noto Sans, sans-serif 8",
		[SETTER_STRONG] = "Liberation Sans, Noto Sans, sans-serif Bold 9.5",
	};
	struct layout_engine *engine = g_new0(struct layout_engine, 1);

	engine->map = pango_ft2_font_map_new();
	pango_ft2_font_map_set_resolution(PANGO_FT2_FONT_MAP(engine->map), 72, 72);
	pango_fc_font_map_set_default_substitute(PANGO_FC_FONT_MAP(engine->map), no_hints, NULL,
	    NULL);
	engine->context = pango_font_map_create_context(engine->map);
	engine->faces = faces_new();
	pango_context_set_round_glyph_positions(engine->context, FALSE);
	for (unsigned int i = 0; i < SETTER_FONTS; i++)
		engine->fonts[i] = pango_font_description_from_string(names[i]);
	engine->quick = quick_new(engine->context, engine->fonts, SETTER_FONTS);
	warm_up(engine);
	return engine;
}

void layout_engine_free(struct layout_engine *engine)
{
	if (engine == NULL)
		return;
	for (unsigned int i = 0; i < SETTER_FONTS; i++)
		pango_font_description_free(engine->fonts[i]);
	quick_free(engine->quick);
	/* faces hold what the fonts of the map are made of */
	faces_free(engine->faces);
	g_object_unref(engine->context);
	g_object_unref(engine->map);
	g_free(engine);
}

struct faces *layout_engine_faces(struct layout_engine *engine)
{
	return engine->faces;
}

/* ---- blocks ---- */

static double left_of(const struct flow_block *block)
{
	return SETTER_MARGIN + block->quote * QUOTE_STEP + (block->quote > 0 ? 2 : 0) +
	    block->indent * LIST_STEP;
}

static void set_marker(struct setter *setter, const struct flow_block *block)
{
	struct setter_text text;

	memset(&text, 0, sizeof(text));
	text.text = block->marker;
	text.size = strlen(block->marker);
	text.font = SETTER_BODY;
	text.color = faint;
	text.width = LIST_STEP + 14;
	text.x = left_of(block) - text.width - 4;
	text.tag = "Lbl";
	text.one_line = true;
	text.right = true;
	text.stay = true;
	setter_set(setter, &text);
}

static void set_rule(struct setter *setter)
{
	struct display_box box;

	setter_need(setter, 16);
	memset(&box, 0, sizeof(box));
	box.x = (float)SETTER_MARGIN;
	box.y = (float)setter->y + 7;
	box.width = setter->display->width - 2 * (float)SETTER_MARGIN;
	box.height = 0.7f;
	box.color = hairline;
	setter_box(setter, &box);
	setter_space(setter, 14);
}

static void style_of(const struct flow_block *block, struct setter_text *text)
{
	text->font = SETTER_BODY;
	text->tag = "P";
	text->color = block->quote > 0 ? quote_ink : ink;
	switch (block->kind) {
	case FLOW_FIXED:
		text->font = SETTER_FIXED;
		break;
	case FLOW_HEADING:
		text->font = SETTER_HEADING;
		text->tag = "H2";
		break;
	case FLOW_NOTE:
		text->font = SETTER_STRONG;
		text->color = note_ink;
		break;
	case FLOW_PARAGRAPH:
	case FLOW_RULE:
	case FLOW_NESTED:
	case FLOW_HTML:
	case FLOW_FILE:
		break;
	}
}

static void set_block(struct setter *setter, const struct flow_block *block)
{
	struct setter_text text;

	if (block->quote < setter->bars)
		setter_bars(setter, block->quote);
	if (!block->joined)
		setter_space(setter, block->kind == FLOW_HEADING ? PARAGRAPH_GAP + 4 :
		    PARAGRAPH_GAP);
	setter_bars(setter, block->quote);
	if (block->kind == FLOW_RULE) {
		set_rule(setter);
		return;
	}
	if (block->kind == FLOW_NESTED) {
		head_set_nested(setter, block);
		return;
	}
	memset(&text, 0, sizeof(text));
	text.text = block->text->str;
	text.size = block->text->len;
	text.spans = block->spans;
	text.x = left_of(block);
	text.width = (double)setter->display->width - SETTER_MARGIN - text.x;
	style_of(block, &text);
	/* a heading alone at a page's end belongs to the next one */
	setter_need(setter, block->kind == FLOW_HEADING ? 48 : 14);
	if (block->marker != NULL)
		set_marker(setter, block);
	setter_set(setter, &text);
}

/* ---- pages ---- */

static void set_footer(struct setter *setter, unsigned int page, const char *subject)
{
	struct setter_text text;
	char number[64];
	double y = (double)setter->display->height - 38;

	memset(&text, 0, sizeof(text));
	text.font = SETTER_SMALL;
	text.color = faint;
	text.x = SETTER_MARGIN;
	text.width = (double)setter->display->width - 2 * SETTER_MARGIN - 90;
	text.one_line = true;
	text.text = subject;
	text.size = strlen(subject);
	setter_on_page(setter, page, y, &text);
	(void)snprintf(number, sizeof(number), wording("Page %u of %u"), page + 1,
	    setter->display->pages->len);
	text.x = (double)setter->display->width - SETTER_MARGIN - 90;
	text.width = 90;
	text.right = true;
	text.text = number;
	text.size = strlen(number);
	setter_on_page(setter, page, y, &text);
}

/* How many blocks of the text form are to be skipped: all of them if the pages could be drawn. */
static unsigned int set_html(struct setter *setter, const struct layout_request *request,
    const struct flow_block *block, int64_t *cpu_ms_left)
{
	const char *note = wording("This message could not be shown as it was designed; this is "
	    "its text. The original is in the attached file original.eml.");
	struct flow *own;

	setter_bars(setter, 0);
	if (pages_set_html(setter, request->document, block->html, cpu_ms_left))
		return block->count;
	own = flow_new();
	g_string_append(flow_add(own, FLOW_NOTE)->text, note);
	set_block(setter, g_ptr_array_index(own->blocks, 0));
	flow_free(own);
	return 0;
}

static void set_flow(struct setter *setter, const struct layout_request *request)
{
	const GPtrArray *blocks = request->flow->blocks;
	int64_t cpu_ms_left = PAGES_CPU_ALL_MS;

	for (unsigned int i = 0; i < blocks->len && !setter->full; i++) {
		const struct flow_block *block = g_ptr_array_index(blocks, i);

		if (block->kind == FLOW_HTML)
			i += set_html(setter, request, block, &cpu_ms_left);
		else if (block->kind == FLOW_FILE)
			attachments_set(setter, block);
		else
			set_block(setter, block);
	}
	setter_bars(setter, 0);
}

struct display *layout_pages(struct layout_engine *engine, const struct layout_request *request,
    bool *cut_out)
{
	struct setter setter;
	const char *subject = request->document->head.subject;

	memset(&setter, 0, sizeof(setter));
	setter.display = display_new(request->letter ? LETTER_WIDTH : A4_WIDTH,
	    request->letter ? LETTER_HEIGHT : A4_HEIGHT);
	setter.context = engine->context;
	setter.fonts = engine->fonts;
	setter.quick = engine->quick;
	quick_forget(engine->quick);
	setter.pages_max = request->pages_max > 0 ? request->pages_max : 1;
	pango_context_set_language(engine->context,
	    pango_language_from_string(request->language != NULL ? request->language : "en"));
	setter_start(&setter);
	head_set_look(&setter, request->look);
	head_set(&setter, request->document, request->attachments, request->protection);
	set_flow(&setter, request);
	for (unsigned int i = 0; i < setter.display->pages->len; i++)
		if (!attachments_set_number(request->attachments, &setter, i))
			set_footer(&setter, i, subject != NULL ? subject : "");
	head_set_pages(&setter, request->attachments);
	*cut_out = setter.full;
	return setter.display;
}
