#include <string.h>

#include "pdfenc/attachments.h"
#include "pdfenc/bookmark.h"
#include "pdfenc/flow.h"
#include "pdfenc/head.h"
#include "pdfenc/picture.h"
#include "pdfenc/wording.h"

#define BAND 26.0f		/* points above an attached PDF's page: its name stands there */
#define BAND_WIDTH 220.0f	/* least width of such a page */
#define PIXEL 0.75		/* points: a screen's 96 an inch */
#define ROOM_LEAST 150.0	/* points; a picture with less goes to the next page */

static const struct display_color faint = { 0.42f, 0.46f, 0.50f, 0 };
static const struct display_color accent = { 0.06f, 0.36f, 0.47f, 0 };
static const struct display_color ground = { 0.949f, 0.961f, 0.969f, 0 };
static const struct display_color hairline = { 0.80f, 0.83f, 0.86f, 0 };
static const struct display_color note_ink = { 0.55f, 0.18f, 0.10f, 0 };

static unsigned int last_page(const struct setter *setter)
{
	return setter->display->pages->len - 1;
}

static void place(struct setter *setter, struct attachments_item *item, double y)
{
	struct display_outline entry = { .title = item->file->name, .page = last_page(setter),
		.y = (float)y };

	bookmark_file(setter->display, item->all->document->head.subject, &entry);
	item->placed = true;
	item->first_page = last_page(setter);
}

/* ---- a heading ---- */

static struct setter_text text_of(const char *string, enum setter_font font,
    struct display_color color)
{
	struct setter_text text;

	memset(&text, 0, sizeof(text));
	text.text = string;
	text.size = strlen(string);
	text.font = font;
	text.color = color;
	text.x = SETTER_MARGIN;
	return text;
}

static void set_heading(struct setter *setter, struct attachments_item *item)
{
	double width = (double)setter->display->width - 2 * SETTER_MARGIN;
	char *size = head_size(item->file->data->len);
	struct setter_text text = text_of(size, SETTER_LABEL, faint);

	place(setter, item, setter->y);
	setter_panel_begin(setter, ground);
	setter->y -= 3;
	text.x += width - 70;
	text.width = 70;
	text.right = true;
	text.stay = true;
	text.tag = "P";
	setter->y += 1;
	setter_set(setter, &text);
	setter->y -= 1;
	text = text_of(item->file->name, SETTER_STRONG, accent);
	text.width = width - 80;
	text.tag = "H2";
	setter_set(setter, &text);
	setter->y -= 3;
	setter_panel_end(setter);
	setter_space(setter, 10);
	g_free(size);
	if (item->note == NULL)
		return;
	text = text_of(item->note, SETTER_FIELD, note_ink);
	text.width = width;
	text.tag = "P";
	setter_set(setter, &text);
	setter_space(setter, 6);
}

static void begin_page(struct setter *setter)
{
	setter_need(setter, setter->bottom);
}

/* ---- pictures ---- */

static void put_picture(struct setter *setter, const struct attachments_item *item,
    const struct display_image *image)
{
	bool lies = image->turn >= 5;
	double width = PIXEL * (lies ? image->height : image->width);
	double height = PIXEL * (lies ? image->width : image->height);
	double room = (double)setter->display->width - 2 * SETTER_MARGIN;
	double scale = MIN(1.0, MIN(room / width, (setter->bottom - setter->y) / height));
	struct display_picture *picture;

	if (setter->full)
		return;
	picture = &display_add(setter->page, DISPLAY_PICTURE)->as.picture;
	picture->x = (float)SETTER_MARGIN;
	picture->y = (float)setter->y;
	picture->width = (float)(width * scale);
	picture->height = (float)(height * scale);
	picture->image = image;
	picture->alt = display_text(setter->display, item->file->name, strlen(item->file->name));
	setter->y += height * scale;
}

static void set_picture(struct setter *setter, struct attachments_item *item)
{
	const struct display_image *image = picture_page(setter->display, item->file->data->data,
	    item->file->data->len, item->all->limits.pixels_max, &item->all->pixels);
	double height = 46;

	if (image == NULL && item->note == NULL)
		item->note = g_strdup(wording("This picture cannot be shown here; open the "
		    "attached file."));
	if (image != NULL)
		height += MIN(PIXEL * (image->turn >= 5 ? image->width : image->height),
		    setter->bottom - SETTER_TOP - 46);
	/* small pictures share a page, large ones have one */
	setter_need(setter, MAX(height, ROOM_LEAST));
	set_heading(setter, item);
	if (image != NULL)
		put_picture(setter, item, image);
	setter_space(setter, 18);
}

/* ---- pages of PDFs ---- */

/* A picture that append_put changes into the page. */
static const struct display_image *stand_in(struct display *display, struct attachments *all,
    const struct append_place *where)
{
	struct display_image *image = g_new0(struct display_image, 1);
	char token[APPEND_TOKEN_SIZE];

	append_token(all->places->len, token);
	g_array_append_vals(all->places, where, 1);
	image->kind = DISPLAY_JPEG;
	image->width = 1;
	image->height = 1;
	image->components = 3;
	image->data = g_bytes_new(token, sizeof(token));
	g_ptr_array_add(display->images, image);
	return image;
}

static void put_links(struct display_page *page, struct setter *setter,
    const struct append_place *where, const struct display_picture *picture)
{
	unsigned int count = append_links(where->pdf, where->page);

	for (unsigned int i = 0; i < count && setter->links < SETTER_LINKS_MAX; i++) {
		struct append_link from = append_link_at(where->pdf, where->page, i);
		char *uri = flow_uri(from.uri, strlen(from.uri));
		struct display_link *link;

		if (uri == NULL)
			continue;
		setter->links++;
		link = &display_add(page, DISPLAY_LINK)->as.link;
		link->x = picture->x + from.x * picture->width;
		link->y = picture->y + from.y * picture->height;
		link->width = from.width * picture->width;
		link->height = from.height * picture->height;
		link->uri = display_text(setter->display, uri, strlen(uri));
		g_free(uri);
	}
}

static void put_band(struct setter *setter, const struct display_page *page,
    const struct attachments_item *item, unsigned int index, const char *title)
{
	struct setter_text text = text_of(title, SETTER_SMALL, faint);

	text.x = 10;
	text.width = (double)page->width - 20 - 90;
	text.one_line = true;
	text.tag = index == 0 ? "H2" : NULL;
	setter_on_page(setter, last_page(setter), 9, &text);
	/* what is said of the whole stands on its first page, above the line */
	if (index != 0 || item->note == NULL)
		return;
	text = text_of(item->note, SETTER_SMALL, note_ink);
	text.x = 10;
	text.width = (double)page->width - 20;
	text.tag = "P";
	setter_on_page(setter, last_page(setter), (double)BAND - 3, &text);
}

static void put_foreign(struct setter *setter, struct attachments_item *item,
    const struct append_place *where)
{
	struct display_page *page = display_add_page(setter->display);
	struct display_picture *picture;
	struct display_picture drawn;
	struct display_box *line;
	char *title = g_strdup_printf("%s, page %u of %u", item->file->name, where->page + 1,
	    append_total(item->pdf));
	float band = where->page == 0 && item->note != NULL ? BAND + 14 : BAND;

	memset(&drawn, 0, sizeof(drawn));
	append_size(item->pdf, where->page, &drawn.width, &drawn.height);
	page->width = MAX(drawn.width, BAND_WIDTH);
	page->height = drawn.height + band;
	drawn.x = (page->width - drawn.width) / 2;
	drawn.y = band;
	drawn.image = stand_in(setter->display, item->all, where);
	drawn.alt = display_text(setter->display, title, strlen(title));
	line = &display_add(page, DISPLAY_BOX)->as.box;
	line->y = band - 0.6f;
	line->width = page->width;
	line->height = 0.6f;
	line->color = hairline;
	if (!item->placed)
		place(setter, item, 0);
	put_band(setter, page, item, where->page, title);
	picture = &display_add(page, DISPLAY_PICTURE)->as.picture;
	*picture = drawn;
	put_links(page, setter, where, &drawn);
	item->page_count++;
	g_free(title);
}

/* What follows begins on a page of our own. */
static void set_pdf(struct setter *setter, struct attachments_item *item)
{
	for (unsigned int i = 0; i < append_count(item->pdf); i++) {
		struct append_place where = { item->pdf, i };

		if (setter->display->pages->len >= setter->pages_max) {
			setter->full = true;
			break;
		}
		put_foreign(setter, item, &where);
	}
	setter->y = setter->bottom;
}

void attachments_set(struct setter *setter, const struct flow_block *block)
{
	struct attachments_item *item = block->file;

	if (setter->full)
		return;
	switch (item->kind) {
	case ATTACHMENTS_PDF:
		set_pdf(setter, item);
		break;
	case ATTACHMENTS_PICTURE:
		set_picture(setter, item);
		break;
	case ATTACHMENTS_TEXT:
	case ATTACHMENTS_TABLE:
		begin_page(setter);
		if (!setter->full)
			set_heading(setter, item);
		break;
	case ATTACHMENTS_PANE:
	case ATTACHMENTS_READ:
		break;
	}
}

bool attachments_set_number(const struct attachments *attachments, struct setter *setter,
    unsigned int page)
{
	for (unsigned int i = 0; attachments != NULL && i < attachments->items->len; i++) {
		const struct attachments_item *item = g_ptr_array_index(attachments->items, i);
		const struct display_page *on;
		struct setter_text text;
		char *number;

		if (!item->placed || item->page_count == 0 || page < item->first_page ||
		    page >= item->first_page + item->page_count)
			continue;
		on = g_ptr_array_index(setter->display->pages, page);
		number = g_strdup_printf(wording("Page %u of %u"), page + 1,
		    setter->display->pages->len);
		text = text_of(number, SETTER_SMALL, faint);
		text.x = (double)on->width - 100;
		text.width = 90;
		text.right = true;
		text.one_line = true;
		setter_on_page(setter, page, 9, &text);
		g_free(number);
		return true;
	}
	return false;
}
