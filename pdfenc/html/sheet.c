#include "pdfenc/html/sheet.h"

#include <string.h>

struct sheet *sheet_new(struct display *display)
{
	struct sheet *sheet = g_new0(struct sheet, 1);

	sheet->display = display;
	sheet->grounds = g_array_new(FALSE, TRUE, sizeof(struct sheet_item));
	sheet->content = g_array_new(FALSE, TRUE, sizeof(struct sheet_item));
	sheet->elements = g_array_new(FALSE, TRUE, sizeof(struct sheet_element));
	sheet->spans = g_array_new(FALSE, TRUE, sizeof(struct sheet_span));
	return sheet;
}

void sheet_free(struct sheet *sheet)
{
	if (sheet == NULL)
		return;
	g_array_unref(sheet->grounds);
	g_array_unref(sheet->content);
	g_array_unref(sheet->elements);
	g_array_unref(sheet->spans);
	g_free(sheet);
}

static struct display_item *add(GArray *items, enum display_kind kind, float top, float bottom,
    unsigned int element)
{
	struct sheet_item *item;

	g_array_set_size(items, items->len + 1);
	item = &g_array_index(items, struct sheet_item, items->len - 1);
	item->item.kind = kind;
	item->top = top;
	item->bottom = bottom;
	item->element = element;
	return &item->item;
}

struct display_item *sheet_ground(struct sheet *sheet, enum display_kind kind, float top,
    float bottom)
{
	return add(sheet->grounds, kind, top, bottom, SHEET_NONE);
}

struct display_item *sheet_content(struct sheet *sheet, enum display_kind kind, float top,
    float bottom, unsigned int element)
{
	if (bottom > sheet->height)
		sheet->height = bottom;
	return add(sheet->content, kind, top, bottom, element);
}

unsigned int sheet_element(struct sheet *sheet, unsigned int parent, const char *tag,
    const char *alt)
{
	struct sheet_element element = { .parent = parent };

	element.element = display_element(sheet->display, tag);
	if (alt != NULL)
		element.element->alt = display_text(sheet->display, alt, strlen(alt));
	g_array_append_val(sheet->elements, element);
	return sheet->elements->len;
}

void sheet_span(struct sheet *sheet, float top, float bottom, bool line)
{
	struct sheet_span span = { top, bottom, line };

	if (bottom > top)
		g_array_append_val(sheet->spans, span);
}
