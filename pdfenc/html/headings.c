#include "pdfenc/html/headings.h"

#include <string.h>

#include "pdfenc/bookmark.h"

#define ABOVE 4.0f	/* points that are seen above a heading when one goes there */
#define SAME_LINE 0.5f	/* points by which lines may overlap */

void headings_start(struct headings *headings, const struct sheet *sheet, const char *subject)
{
	memset(headings, 0, sizeof(*headings));
	headings->sheet = sheet;
	headings->subject = subject;
	headings->line = g_ptr_array_new();
	headings->title = g_string_new(NULL);
}

/* The heading that an element is or stands in. */
static unsigned int heading_of(const struct sheet *sheet, unsigned int element)
{
	while (element != SHEET_NONE) {
		const struct sheet_element *at = &g_array_index(sheet->elements,
		    struct sheet_element, element - 1);

		if (strcmp(at->element->tag, "H1") == 0 || strcmp(at->element->tag, "H2") == 0)
			return element;
		element = at->parent;
	}
	return SHEET_NONE;
}

/* Any white space is one space, and none before the first word. */
static void add_text(struct headings *headings, const char *text, size_t size)
{
	GString *title = headings->title;
	const char *end = text + size;

	for (; text < end && title->len < HEADINGS_TITLE_MAX; text = g_utf8_next_char(text)) {
		gunichar c = g_utf8_get_char(text);

		if (!g_unichar_isspace(c))
			g_string_append_unichar(title, c);
		else if (title->len > 0 && title->str[title->len - 1] != ' ')
			g_string_append_c(title, ' ');
	}
}

/* Chinese and Japanese go on in the next line without a space. */
static void add_space(struct headings *headings)
{
	const GString *title = headings->title;

	if (title->len > 0 && !g_unichar_iswide(g_utf8_get_char(g_utf8_prev_char(title->str +
	    title->len))))
		add_text(headings, " ", 1);
}

/* Where the rightmost words run to the left, they are the first. */
static void end_line(struct headings *headings)
{
	GPtrArray *line = headings->line;
	bool backward = line->len > 0 &&
	    ((const struct display_run *)g_ptr_array_index(line, line->len - 1))->backward;

	for (unsigned int i = 0; i < line->len; i++) {
		const struct display_run *run = g_ptr_array_index(line, backward ?
		    line->len - 1 - i : i);

		add_text(headings, run->text, run->text_size);
	}
	g_ptr_array_set_size(line, 0);
}

/* The heading that was read is an entry, unless nothing of it is text. */
static void end_heading(struct headings *headings)
{
	struct display_outline entry = { .page = headings->page, .y = headings->y, .level = 1 };
	GString *title = headings->title;
	const struct sheet_element *element;

	if (headings->element == SHEET_NONE)
		return;
	element = &g_array_index(headings->sheet->elements, struct sheet_element,
	    headings->element - 1);
	end_line(headings);
	if (title->len >= HEADINGS_TITLE_MAX)
		g_string_append(title, "\342\200\246");
	g_strchomp(title->str);
	if (title->str[0] != '\0') {
		if (element->element->tag[1] == '2' && headings->below)
			entry.level = 2;
		headings->below = headings->below || element->element->tag[1] == '1';
		entry.title = title->str;
		bookmark_heading(headings->sheet->display, headings->subject, &entry);
	}
	g_string_truncate(title, 0);
	headings->element = SHEET_NONE;
}

static void begin_heading(struct headings *headings, unsigned int element, unsigned int page,
    float y)
{
	end_heading(headings);
	headings->element = element;
	headings->page = page;
	headings->y = MAX(y - ABOVE, 0.0f);
	headings->bottom = 0;
}

void headings_take(struct headings *headings, const struct sheet_item *item, unsigned int page,
    float y)
{
	unsigned int element = heading_of(headings->sheet, item->element);

	if (element == SHEET_NONE || (item->item.kind != DISPLAY_RUN &&
	    item->item.kind != DISPLAY_PICTURE))
		return;
	if (element != headings->element)
		begin_heading(headings, element, page, y);
	if (item->top > headings->bottom - SAME_LINE) {
		end_line(headings);
		add_space(headings);
	}
	headings->bottom = MAX(headings->bottom, item->bottom);
	if (item->item.kind == DISPLAY_RUN)
		g_ptr_array_add(headings->line, (gpointer)(guintptr)&item->item.as.run);
	else if (item->item.as.picture.alt != NULL)
		add_text(headings, item->item.as.picture.alt,
		    strlen(item->item.as.picture.alt));
}

void headings_end(struct headings *headings)
{
	end_heading(headings);
	g_ptr_array_unref(headings->line);
	g_string_free(headings->title, TRUE);
}
