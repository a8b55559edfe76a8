#include "pdfenc/html/pages.h"

#include <limits.h>
#include <string.h>
#include <time.h>

#include "pdfenc/html/clean.h"
#include "pdfenc/html/css.h"
#include "pdfenc/html/headings.h"
#include "pdfenc/html/lite.h"
#include "pdfenc/html/paginate.h"
#include "pdfenc/html/sheet.h"
#include "pdfenc/html/source.h"
#include "pdfenc/html/words.h"

#define INSET 10.0f		/* points: the body's ground begins where the head's panels do */
#define NEST_MAX 40u		/* elements inside each other; the display takes 64 */
#define WIDER 12		/* pixels that a body may stick out before it is made smaller */
#define TOP_GAP 4.0f
#define ROOM_LEAST 60.0		/* points; less is left empty */

/* ---- one page ---- */

struct page {
	struct setter *setter;
	const struct sheet *sheet;
	struct headings headings;
	float from;		/* part of the sheet */
	float to;
	float x;		/* from sheet to page */
	float y;
	unsigned int open[NEST_MAX];	/* elements begun, outermost first */
	unsigned int open_count;
};

static void close_to(struct page *page, unsigned int count)
{
	while (page->open_count > count) {
		unsigned int element = page->open[--page->open_count];

		display_end(page->setter->page, g_array_index(page->sheet->elements,
		    struct sheet_element, element - 1).element);
	}
}

/* Ends and begins what lies between the last item's element and this one. */
static void stand_in(struct page *page, unsigned int element)
{
	unsigned int path[NEST_MAX];
	unsigned int count = 0;
	unsigned int same = 0;

	for (unsigned int at = element; at != SHEET_NONE && count < NEST_MAX;
	    at = g_array_index(page->sheet->elements, struct sheet_element, at - 1).parent)
		path[count++] = at;
	while (same < count && same < page->open_count &&
	    page->open[same] == path[count - 1 - same])
		same++;
	close_to(page, same);
	for (unsigned int i = same; i < count; i++) {
		unsigned int begun = path[count - 1 - i];

		display_begin(page->setter->page, g_array_index(page->sheet->elements,
		    struct sheet_element, begun - 1).element);
		page->open[page->open_count++] = begun;
	}
}

static void put_run(struct page *page, const struct display_run *run)
{
	struct display_run *out = &display_add(page->setter->page, DISPLAY_RUN)->as.run;

	*out = *run;
	/* a run stands on one page: its glyphs are moved where they are */
	for (unsigned int i = 0; i < out->glyph_count; i++) {
		out->glyphs[i].x += page->x;
		out->glyphs[i].y += page->y;
	}
}

/* The part of a filled box that lies on this page. */
static void put_box(struct page *page, const struct sheet_item *item)
{
	struct display_box box = item->item.as.box;
	float top = MAX(box.y, page->from);
	float bottom = MIN(box.y + box.height, page->to);
	bool cut = top > box.y || bottom < box.y + box.height;

	if (bottom <= top && box.height > 0)
		return;
	if (cut && box.line > 0) {
		/* the sides of a frame that goes on over the page's end */
		float line = box.line;

		box.radius = 0;
		box.line = 0;
		box.y = top + page->y;
		box.height = bottom - top;
		box.x += page->x - line / 2;
		box.width = line;
		display_add(page->setter->page, DISPLAY_BOX)->as.box = box;
		box.x += item->item.as.box.width;
		display_add(page->setter->page, DISPLAY_BOX)->as.box = box;
		return;
	}
	if (cut)
		box.radius = 0;
	box.x += page->x;
	box.y = top + page->y;
	box.height = bottom - top;
	display_add(page->setter->page, DISPLAY_BOX)->as.box = box;
}

static void put_path(struct page *page, const struct display_path *path)
{
	struct display_path *out = &display_add(page->setter->page, DISPLAY_PATH)->as.path;
	struct display_point *points = display_array(page->setter->display, path->count,
	    sizeof(*points));

	*out = *path;
	for (unsigned int i = 0; i < path->count; i++) {
		points[i].x = path->points[i].x + page->x;
		points[i].y = CLAMP(path->points[i].y, page->from, page->to) + page->y;
	}
	out->points = points;
}

/* Higher than a page, or a ground: what is on other pages is clipped. */
static void put_picture(struct page *page, const struct sheet_item *item)
{
	struct display_picture picture = item->item.as.picture;
	bool cut = picture.y < page->from || picture.y + picture.height > page->to + 1;

	if (cut) {
		struct display_box *clip = &display_add(page->setter->page, DISPLAY_CLIP)->as.box;

		clip->x = picture.x + page->x;
		clip->y = MAX(picture.y, page->from) + page->y;
		clip->width = picture.width;
		clip->height = MIN(picture.y + picture.height, page->to) + page->y - clip->y;
	}
	picture.x += page->x;
	picture.y += page->y;
	display_add(page->setter->page, DISPLAY_PICTURE)->as.picture = picture;
	if (cut)
		(void)display_add(page->setter->page, DISPLAY_CLIP_END);
}

static void put_link(struct page *page, const struct display_link *link)
{
	struct display_link *out;

	if (page->setter->links >= SETTER_LINKS_MAX)
		return;
	page->setter->links++;
	out = &display_add(page->setter->page, DISPLAY_LINK)->as.link;
	*out = *link;
	out->x += page->x;
	out->y += page->y;
}

static void put_item(struct page *page, const struct sheet_item *item)
{
	switch (item->item.kind) {
	case DISPLAY_RUN:
		put_run(page, &item->item.as.run);
		break;
	case DISPLAY_BOX:
		put_box(page, item);
		break;
	case DISPLAY_PATH:
		put_path(page, &item->item.as.path);
		break;
	case DISPLAY_PICTURE:
		put_picture(page, item);
		break;
	case DISPLAY_LINK:
		put_link(page, &item->item.as.link);
		break;
	case DISPLAY_BEGIN:
	case DISPLAY_END:
	case DISPLAY_CLIP:
	case DISPLAY_CLIP_END:
	case DISPLAY_PUSH:
	case DISPLAY_POP:
		break;
	}
}

static bool is_on(const struct page *page, const struct sheet_item *item)
{
	float middle = (item->top + item->bottom) / 2;

	if (item->item.kind == DISPLAY_PICTURE)
		return item->bottom > page->from + 1 && item->top < page->to - 1;
	return middle >= page->from && middle < page->to;
}

static void put_page(struct page *page)
{
	for (unsigned int i = 0; i < page->sheet->grounds->len; i++) {
		const struct sheet_item *item = &g_array_index(page->sheet->grounds,
		    struct sheet_item, i);

		if (item->bottom >= page->from && item->top <= page->to)
			put_item(page, item);
	}
	for (unsigned int i = 0; i < page->sheet->content->len; i++) {
		const struct sheet_item *item = &g_array_index(page->sheet->content,
		    struct sheet_item, i);

		if (!is_on(page, item))
			continue;
		headings_take(&page->headings, item, page->setter->display->pages->len - 1,
		    item->top + page->y);
		stand_in(page, item->element);
		put_item(page, item);
	}
	close_to(page, 0);
}

/* Whether the page would show more than backgrounds. */
static bool has_content(const struct page *page)
{
	for (unsigned int i = 0; i < page->sheet->content->len; i++) {
		const struct sheet_item *item = &g_array_index(page->sheet->content,
		    struct sheet_item, i);

		if (is_on(page, item) && (item->item.kind == DISPLAY_PICTURE ||
		    (item->item.kind == DISPLAY_RUN && item->item.as.run.glyph_count > 0 &&
		    strspn(item->item.as.run.text, " \n\t") < item->item.as.run.text_size)))
			return true;
	}
	return false;
}

/* ---- all pages ---- */

/* Empty space above the first thing that is seen is none of the mail's looks. */
static float top_of(const struct sheet *sheet)
{
	const GArray *lists[] = { sheet->grounds, sheet->content };
	float top = sheet->height;

	for (size_t k = 0; k < G_N_ELEMENTS(lists); k++)
		for (unsigned int i = 0; i < lists[k]->len; i++)
			top = MIN(top, g_array_index(lists[k], struct sheet_item, i).top);
	return MAX(top - TOP_GAP, 0.0f);
}

static void put_sheet(struct setter *setter, const struct sheet *sheet, const char *subject)
{
	float first;
	float whole = (float)((double)setter->display->height - SETTER_BOTTOM - SETTER_TOP);
	struct page page = { .setter = setter, .sheet = sheet };
	GArray *cuts;

	if (setter->bottom - setter->y < ROOM_LEAST)
		setter_need(setter, whole * 2.0);
	if (setter->full)
		return;
	first = (float)(setter->bottom - setter->y);
	cuts = paginate(sheet->spans, sheet->height, first + top_of(sheet), whole);
	headings_start(&page.headings, sheet, subject);
	page.x = (float)SETTER_MARGIN - INSET;
	page.to = top_of(sheet);
	for (unsigned int i = 0; i < cuts->len && !setter->full; i++) {
		page.from = page.to;
		page.to = g_array_index(cuts, float, i);
		/* space that the mail leaves over pages is not printed */
		if (i > 0 && !has_content(&page))
			continue;
		if (i > 0) {
			setter->y += (double)whole * 2;
			setter_need(setter, 1);
			if (setter->full)
				break;
		}
		page.y = (float)setter->y - page.from;
		put_page(&page);
		setter->y += (double)(page.to - page.from);
	}
	headings_end(&page.headings);
	g_array_unref(cuts);
}

struct attempt {
	struct sheet *sheet;
	struct words *words;
};

static void attempt_end(struct attempt *attempt)
{
	sheet_free(attempt->sheet);
	words_free(attempt->words);
	attempt->sheet = NULL;
	attempt->words = NULL;
}

static enum lite_result try_width(struct setter *setter, struct lite_request *request, int width,
    int tolerance, struct attempt *attempt, int *wanted_out)
{
	float points = setter->display->width - 2 * ((float)SETTER_MARGIN - INSET);

	request->width = width;
	request->scale = points / (float)width;
	attempt->sheet = sheet_new(setter->display);
	attempt->words = words_new(setter->context, request->scale);
	request->words = attempt->words;
	return lite_draw(request, tolerance, attempt->sheet, wanted_out);
}

static int64_t cpu_ms(void)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool pages_set_html(struct setter *setter, const struct document *document, const GString *body,
    int64_t *cpu_ms_left)
{
	struct clean clean = { NULL, NULL };
	struct source *source;
	struct lite_request request = { .cpu_ms_max = MIN(PAGES_CPU_MS, *cpu_ms_left) };
	struct attempt attempt = { NULL, NULL };
	int64_t start = cpu_ms();
	enum lite_result result;
	int wanted;

	if (!clean_html(body->str, body->len, &clean))
		return false;
	source = source_new(setter->display, document);
	request.html = clean.html->str;
	request.css = clean.css->str;
	request.picture = source_picture;
	request.context = source;
	result = try_width(setter, &request, CSS_VIEWPORT * CSS_UNIT, WIDER * CSS_UNIT, &attempt,
	    &wanted);
	if (result == LITE_WIDE) {
		attempt_end(&attempt);
		result = try_width(setter, &request, MIN(wanted, PAGES_WIDTH_MAX * CSS_UNIT),
		    INT_MAX / 2, &attempt, &wanted);
	}
	if (result == LITE_DRAWN)
		put_sheet(setter, attempt.sheet, document->head.subject);
	attempt_end(&attempt);
	source_free(source);
	clean_free(&clean);
	*cpu_ms_left -= MIN(cpu_ms() - start, *cpu_ms_left);
	return result == LITE_DRAWN;
}
