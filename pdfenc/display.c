#include "pdfenc/display.h"

#include <pango/pango.h>
#include <string.h>

#define TEXTS_CHUNK 16384	/* bytes that texts are allocated in */

static void page_free(void *data)
{
	struct display_page *page = data;

	g_array_unref(page->items);
	g_free(page);
}

static void image_free(void *data)
{
	struct display_image *image = data;

	g_bytes_unref(image->data);
	if (image->alpha != NULL)
		g_bytes_unref(image->alpha);
	g_free(image);
}

struct display *display_new(float width, float height)
{
	struct display *display = g_new0(struct display, 1);

	display->width = width;
	display->height = height;
	display->pages = g_ptr_array_new_with_free_func(page_free);
	display->outline = g_array_new(FALSE, TRUE, sizeof(struct display_outline));
	display->texts = g_string_chunk_new(TEXTS_CHUNK);
	display->arrays = g_ptr_array_new_with_free_func(g_free);
	display->images = g_ptr_array_new_with_free_func(image_free);
	display->fonts = g_hash_table_new_full(NULL, NULL, g_object_unref, NULL);
	return display;
}

void display_free(struct display *display)
{
	if (display == NULL)
		return;
	g_ptr_array_unref(display->pages);
	g_array_unref(display->outline);
	g_string_chunk_free(display->texts);
	g_ptr_array_unref(display->arrays);
	g_ptr_array_unref(display->images);
	g_hash_table_unref(display->fonts);
	g_free(display);
}

struct display_page *display_add_page(struct display *display)
{
	struct display_page *page = g_new0(struct display_page, 1);

	page->width = display->width;
	page->height = display->height;
	page->items = g_array_sized_new(FALSE, TRUE, sizeof(struct display_item), 256);
	g_ptr_array_add(display->pages, page);
	return page;
}

struct display_item *display_insert(struct display_page *page, unsigned int at,
    enum display_kind kind)
{
	struct display_item item;

	memset(&item, 0, sizeof(item));
	item.kind = kind;
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

/* ---- structure ---- */

struct display_element *display_element(struct display *display, const char *tag)
{
	struct display_element *element = display_array(display, 1, sizeof(*element));

	element->tag = tag;
	element->number = display->elements++;
	return element;
}

void display_begin(struct display_page *page, struct display_element *element)
{
	display_add(page, DISPLAY_BEGIN)->as.element = element;
}

void display_end(struct display_page *page, struct display_element *element)
{
	display_add(page, DISPLAY_END)->as.element = element;
}

void display_outline(struct display *display, const char *title, unsigned int level,
    unsigned int page, float y)
{
	struct display_outline entry = { .level = level, .page = page, .y = y };

	entry.title = display_text(display, title, strlen(title));
	g_array_append_val(display->outline, entry);
}

/* ---- images ---- */

static unsigned int big16(const unsigned char *at)
{
	return (unsigned int)at[0] << 8 | at[1];
}

/* SOF0 to SOF2, the ones that readers of PDF decode (ITU-T T.81 B.2.2). */
static bool take_frame(struct display_image *image, const unsigned char *at, size_t size)
{
	if (size < 6 || at[0] != 8)
		return false;
	image->height = big16(at + 1);
	image->width = big16(at + 3);
	image->components = at[5];
	return image->width > 0 && image->height > 0 && image->width <= DISPLAY_SIDE_MAX &&
	    image->height <= DISPLAY_SIDE_MAX && size >= 6 + 3 * (size_t)image->components &&
	    (image->components == 1 || image->components == 3 || image->components == 4);
}

/* Up to the first scan. */
static bool read_jpeg(struct display_image *image, const unsigned char *data, size_t size)
{
	size_t at = 2;

	if (size < 4 || data[0] != 0xff || data[1] != 0xd8)
		return false;
	while (at + 4 <= size && data[at] == 0xff) {
		unsigned int marker = data[at + 1];
		size_t length;

		if (marker == 0xff) {
			at++;
			continue;
		}
		length = big16(data + at + 2);
		if (length < 2 || length > size - at - 2)
			return false;
		if (marker == 0xda)
			return image->components != 0;
		if (marker >= 0xc0 && marker <= 0xc2) {
			if (!take_frame(image, data + at + 4, length - 2))
				return false;
		} else if (marker > 0xc2 && marker < 0xd0 && marker != 0xc4 && marker != 0xcc) {
			return false;
		} else if (marker == 0xee && length >= 14 &&
		    memcmp(data + at + 4, "Adobe", 5) == 0) {
			image->inverted = true;
		}
		at += 2 + length;
	}
	return false;
}

const struct display_image *display_jpeg(struct display *display, GBytes *data)
{
	struct display_image found;
	struct display_image *image;
	size_t size;
	const unsigned char *bytes = g_bytes_get_data(data, &size);

	memset(&found, 0, sizeof(found));
	if (!read_jpeg(&found, bytes, size))
		return NULL;
	image = g_new0(struct display_image, 1);
	*image = found;
	image->kind = DISPLAY_JPEG;
	image->inverted = found.inverted && found.components == 4;
	image->data = g_bytes_ref(data);
	g_ptr_array_add(display->images, image);
	return image;
}

const struct display_image *display_pixels(struct display *display, enum display_image_kind kind,
    unsigned int width, unsigned int height, GBytes *data, GBytes *alpha)
{
	struct display_image *image;
	size_t count = (size_t)width * height;
	size_t bytes = kind == DISPLAY_RGB ? 3 : 1;

	if (width == 0 || height == 0 || width > DISPLAY_SIDE_MAX || height > DISPLAY_SIDE_MAX ||
	    kind == DISPLAY_JPEG || g_bytes_get_size(data) != count * bytes ||
	    (alpha != NULL && g_bytes_get_size(alpha) != count))
		return NULL;
	image = g_new0(struct display_image, 1);
	image->kind = kind;
	image->width = width;
	image->height = height;
	image->data = g_bytes_ref(data);
	image->alpha = alpha != NULL ? g_bytes_ref(alpha) : NULL;
	g_ptr_array_add(display->images, image);
	return image;
}
