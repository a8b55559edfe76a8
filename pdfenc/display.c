#include "pdfenc/display.h"

#include <pango/pango.h>

#define TEXTS_CHUNK 16384	/* bytes that texts are allocated in */

static void page_free(void *data)
{
	struct display_page *page = data;

	g_array_unref(page->items);
	g_free(page);
}

struct display *display_new(float width, float height)
{
	struct display *display = g_new0(struct display, 1);

	display->width = width;
	display->height = height;
	display->pages = g_ptr_array_new_with_free_func(page_free);
	display->texts = g_string_chunk_new(TEXTS_CHUNK);
	display->arrays = g_ptr_array_new_with_free_func(g_free);
	display->fonts = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
	return display;
}

void display_free(struct display *display)
{
	if (display == NULL)
		return;
	g_ptr_array_unref(display->pages);
	g_string_chunk_free(display->texts);
	g_ptr_array_unref(display->arrays);
	g_hash_table_unref(display->fonts);
	g_free(display);
}

struct display_page *display_add_page(struct display *display)
{
	struct display_page *page = g_new0(struct display_page, 1);

	page->items = g_array_sized_new(FALSE, TRUE, sizeof(struct display_item), 256);
	g_ptr_array_add(display->pages, page);
	return page;
}

struct display_item *display_insert(struct display_page *page, unsigned int at,
    enum display_kind kind)
{
	struct display_item item = { .kind = kind };

	g_array_insert_val(page->items, at, item);
	return &g_array_index(page->items, struct display_item, at);
}

struct display_item *display_add(struct display_page *page, enum display_kind kind)
{
	return display_insert(page, page->items->len, kind);
}

void *display_array(struct display *display, size_t count, size_t size)
{
	void *array = g_malloc0_n(count > 0 ? count : 1, size);

	g_ptr_array_add(display->arrays, array);
	return array;
}

const char *display_text(struct display *display, const char *text, size_t size)
{
	return g_string_chunk_insert_len(display->texts, text, (gssize)size);
}

void display_hold_font(struct display *display, struct _PangoFont *font)
{
	if (!g_hash_table_contains(display->fonts, font))
		g_hash_table_add(display->fonts, g_object_ref(font));
}
