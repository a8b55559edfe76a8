#include "pdfenc/head.h"

#include "pdfenc/wording.h"

#include <string.h>

#define LABEL_WIDTH 62.0	/* points */
#define SIZE_COLUMN 58.0
#define WHERE_COLUMN 92.0
#define CHIP_WIDTH 32.0
#define LETTERHEAD_TOP 34.0f
#define NAME_HEIGHT 16.0	/* of a line of the organisation's name */
#define LOGO_PIXEL 0.75		/* points: a small logo is not made larger than on a screen */

static const struct display_color ink = { 0.10f, 0.11f, 0.13f, 0 };
static const struct display_color title_ink = { 0.05f, 0.16f, 0.25f, 0 };
static const struct display_color faint = { 0.42f, 0.46f, 0.50f, 0 };
static const struct display_color accent = { 0.06f, 0.36f, 0.47f, 0 };
static const struct display_color ground = { 0.949f, 0.961f, 0.969f, 0 };
static const struct display_color green_ground = { 0.898f, 0.953f, 0.925f, 0 };
static const struct display_color green_ink = { 0.05f, 0.36f, 0.23f, 0 };
static const struct display_color note_ink = { 0.55f, 0.18f, 0.10f, 0 };
static const struct display_color white = { 1, 1, 1, 0 };

static double text_width(const struct setter *setter)
{
	return (double)setter->display->width - 2 * SETTER_MARGIN;
}

static void put(struct setter *setter, enum setter_font font, struct display_color color,
    double x, double width, const char *string, const char *tag)
{
	struct setter_text text;

	memset(&text, 0, sizeof(text));
	text.text = string;
	text.size = strlen(string);
	text.font = font;
	text.color = color;
	text.x = x;
	text.width = width;
	text.tag = tag;
	setter_set(setter, &text);
}

/* A label in its column and the value beside it; long lists of recipients may fill pages. */
static void put_field(struct setter *setter, double x, const char *label, const char *value)
{
	struct setter_text text;

	if (value == NULL)
		return;
	setter_need(setter, 14);
	memset(&text, 0, sizeof(text));
	text.text = label;
	text.size = strlen(label);
	text.font = SETTER_LABEL;
	text.color = faint;
	text.x = x;
	text.width = LABEL_WIDTH - 4;
	text.tag = "P";
	text.stay = true;
	setter->y += 1;		/* the smaller label on the baseline of its value */
	setter_set(setter, &text);
	setter->y -= 1;
	put(setter, SETTER_FIELD, ink, x + LABEL_WIDTH,
	    (double)setter->display->width - SETTER_MARGIN - x - LABEL_WIDTH, value, "P");
	setter_space(setter, 2.5);
}

/* ---- whose message it is ---- */

static void put_accent(struct setter *setter, struct display_color color)
{
	struct display_box box;

	memset(&box, 0, sizeof(box));
	box.x = (float)(SETTER_MARGIN - 10);
	box.y = (float)setter->y - 10;
	box.width = 46;
	box.height = 3.5f;
	box.radius = 1.5f;
	box.color = color;
	setter_box(setter, &box);
}

/* At the top right; returns its height. */
static double put_logo(struct setter *setter, const struct look *look)
{
	const struct display_image *image = look_logo(look, setter->display);
	bool lies = image != NULL && image->turn >= 5;
	double width = image == NULL ? 0 : lies ? image->height : image->width;
	double height = image == NULL ? 0 : lies ? image->width : image->height;
	struct display_picture *picture;
	double scale;

	if (image == NULL)
		return 0;
	scale = MIN(LOGO_PIXEL, MIN(LOOK_WIDTH / width, LOOK_HEIGHT / height));
	picture = &display_add(setter->page, DISPLAY_PICTURE)->as.picture;
	picture->width = (float)(width * scale);
	picture->height = (float)(height * scale);
	picture->x = setter->display->width - (float)SETTER_MARGIN + 10 - picture->width;
	picture->y = LETTERHEAD_TOP;
	picture->image = image;
	picture->alt = display_text(setter->display, look_organisation(look),
	    strlen(look_organisation(look)));
	return height * scale;
}

static void put_line(struct setter *setter, struct display_color color)
{
	struct display_box box;

	memset(&box, 0, sizeof(box));
	box.x = (float)SETTER_MARGIN - 10;
	box.y = (float)setter->y;
	box.width = setter->display->width - 2 * (float)SETTER_MARGIN + 20;
	box.height = 2.4f;
	box.radius = 1.2f;
	box.color = color;
	setter_box(setter, &box);
}

void head_set_look(struct setter *setter, const struct look *look)
{
	double height;

	if (look == NULL || look_organisation(look)[0] == '\0') {
		put_accent(setter, look == NULL ? accent : look_color(look));
		return;
	}
	height = put_logo(setter, look);
	/* its last line ends where the logo does */
	setter->y = LETTERHEAD_TOP + MAX(height - NAME_HEIGHT, 0);
	put(setter, SETTER_HEADING, ink, SETTER_MARGIN - 10, text_width(setter) + 20 -
	    (height > 0 ? LOOK_WIDTH + 20 : 0), look_organisation(look), "P");
	setter->y = MAX(setter->y, LETTERHEAD_TOP + height) + 7;
	put_line(setter, look_color(look));
	setter->y += 20;
}

/* A padlock of boxes, 9 points wide. */
static void put_lock(struct setter *setter, double x, double y)
{
	struct display_box box;

	memset(&box, 0, sizeof(box));
	box.color = green_ink;
	box.x = (float)x + 1.9f;
	box.y = (float)y + 0.6f;
	box.width = 5.2f;
	box.height = 8;
	box.radius = 2.6f;
	box.line = 1.2f;
	setter_box(setter, &box);
	box.x = (float)x;
	box.y = (float)y + 4.6f;
	box.width = 9;
	box.height = 6.6f;
	box.radius = 1.2f;
	box.line = 0;
	setter_box(setter, &box);
	box.color = white;
	box.x = (float)x + 3.9f;
	box.y = (float)y + 6.6f;
	box.width = 1.2f;
	box.height = 2.6f;
	box.radius = 0.6f;
	setter_box(setter, &box);
}

static void put_protection(struct setter *setter, const char *protection)
{
	double y;

	if (protection == NULL || protection[0] == '\0')
		return;
	setter_space(setter, 8);
	setter_panel_begin(setter, green_ground);
	setter->y -= 3;
	y = setter->y;
	put_lock(setter, SETTER_MARGIN, y - 0.5);
	put(setter, SETTER_FIELD, green_ink, SETTER_MARGIN + 17, text_width(setter) - 17,
	    protection, "P");
	setter->y -= 3;
	setter_panel_end(setter);
}

char *head_size(size_t bytes)
{
	if (bytes == 1)
		return g_strdup("1 byte");
	if (bytes < 1000)
		return g_strdup_printf("%zu bytes", bytes);
	if (bytes < 1000000)
		return g_strdup_printf("%zu.%zu KB", bytes / 1000, bytes % 1000 / 100);
	return g_strdup_printf("%zu.%zu MB", bytes / 1000000, bytes % 1000000 / 100000);
}

static struct setter_text at_right(const char *string, double end, double width)
{
	struct setter_text text;

	memset(&text, 0, sizeof(text));
	text.text = string;
	text.size = strlen(string);
	text.font = SETTER_LABEL;
	text.color = faint;
	text.width = width;
	text.x = end - width;
	text.right = true;
	text.one_line = true;
	text.tag = "P";
	text.stay = true;
	return text;
}

/* "PDF" on a ground of its kind's colour. */
static void put_chip(struct setter *setter, const struct attachments_item *item)
{
	static const struct display_color colors[] = {
		[ATTACHMENTS_PANE] = { 0.45f, 0.50f, 0.55f, 0 },
		[ATTACHMENTS_READ] = { 0.45f, 0.50f, 0.55f, 0 },
		[ATTACHMENTS_PDF] = { 0.72f, 0.20f, 0.16f, 0 },
		[ATTACHMENTS_PICTURE] = { 0.16f, 0.48f, 0.40f, 0 },
		[ATTACHMENTS_TEXT] = { 0.22f, 0.36f, 0.62f, 0 },
		[ATTACHMENTS_TABLE] = { 0.22f, 0.36f, 0.62f, 0 },
	};
	const char *dot = strrchr(item->file->name, '.');
	char *word = dot != NULL && dot[1] != '\0' && strlen(dot) <= 5 ?
	    g_ascii_strup(dot + 1, -1) : g_strdup("FILE");
	struct display_box box;
	struct setter_text text;

	memset(&box, 0, sizeof(box));
	box.x = (float)SETTER_MARGIN;
	box.y = (float)setter->y;
	box.width = CHIP_WIDTH;
	box.height = 11.5f;
	box.radius = 2.5f;
	box.color = colors[item->kind];
	setter_box(setter, &box);
	text = at_right(word, SETTER_MARGIN + CHIP_WIDTH - 3, CHIP_WIDTH - 6);
	text.font = SETTER_SMALL;
	text.color = white;
	text.right = false;
	text.tag = NULL;
	setter->y += 1;
	setter_set(setter, &text);
	setter->y -= 1;
	g_free(word);
}

static void put_file(struct setter *setter, struct attachments_item *item)
{
	double right = (double)setter->display->width - SETTER_MARGIN;
	char *size = head_size(item->file->data->len);
	struct setter_text text = at_right(size, right - WHERE_COLUMN, SIZE_COLUMN);

	setter_need(setter, item->note != NULL ? 28 : 15);
	item->row_page = setter->display->pages->len - 1;
	item->row_y = setter->y + 1;
	put_chip(setter, item);
	setter->y += 1;
	setter_set(setter, &text);
	setter->y -= 1;
	put(setter, SETTER_FIELD, ink, SETTER_MARGIN + CHIP_WIDTH + 8, text_width(setter) -
	    WHERE_COLUMN - SIZE_COLUMN - CHIP_WIDTH - 18, item->file->name, "P");
	if (item->note != NULL)
		put(setter, SETTER_SMALL, note_ink, SETTER_MARGIN + CHIP_WIDTH + 8,
		    text_width(setter) - CHIP_WIDTH - 8, item->note, "P");
	setter_space(setter, 4);
	g_free(size);
}

static bool is_part_of_body(const struct attachments_item *item)
{
	return item->kind == ATTACHMENTS_READ && !item->file->read;
}

/* Pictures that the message shows are many and small: they are counted. */
static void put_pictures(struct setter *setter, unsigned int count)
{
	char *line = count == 1 ? g_strdup(wording("1 picture that the message shows")) :
	    g_strdup_printf(wording("%u pictures that the message shows"), count);

	put(setter, SETTER_LABEL, faint, SETTER_MARGIN, text_width(setter), line, "P");
	g_free(line);
}

static void put_files(struct setter *setter, const struct attachments *attachments)
{
	const GPtrArray *items = attachments->items;
	unsigned int pictures = 0;
	char *title;

	for (unsigned int i = 0; i < items->len; i++)
		pictures += is_part_of_body(g_ptr_array_index(items, i));
	setter_space(setter, 8);
	setter_need(setter, 60);
	setter_panel_begin(setter, ground);
	setter->y -= 2;
	title = items->len == 1 ? g_strdup(wording("1 attached file, inside this document")) :
	    g_strdup_printf(wording("%u attached files, inside this document"), items->len);
	put(setter, SETTER_LABEL, accent, SETTER_MARGIN, text_width(setter), title, "P");
	setter_space(setter, 5);
	for (unsigned int i = 0; i < items->len; i++)
		if (!is_part_of_body(g_ptr_array_index(items, i)))
			put_file(setter, g_ptr_array_index(items, i));
	if (pictures > 0)
		put_pictures(setter, pictures);
	setter->y -= 4;
	setter_panel_end(setter);
	g_free(title);
}

static char *where_of(const struct attachments_item *item)
{
	if (item->placed && item->page_count > 1)
		return g_strdup_printf(wording("pages %u to %u"), item->first_page + 1,
		    item->first_page + item->page_count);
	if (item->placed)
		return g_strdup_printf(wording("page %u"), item->first_page + 1);
	return g_strdup(item->kind == ATTACHMENTS_READ ? wording("in the message") :
	    wording("attachments pane"));
}

void head_set_pages(struct setter *setter, const struct attachments *attachments)
{
	double right = (double)setter->display->width - SETTER_MARGIN;

	for (unsigned int i = 0; attachments != NULL && i < attachments->items->len; i++) {
		const struct attachments_item *item = g_ptr_array_index(attachments->items, i);
		struct setter_text text;
		char *where;

		if (item->row_y <= 0)
			continue;
		where = where_of(item);
		text = at_right(where, right, WHERE_COLUMN - 8);
		text.color = item->placed ? accent : faint;
		setter_on_page(setter, item->row_page, item->row_y, &text);
		g_free(where);
	}
}

void head_set(struct setter *setter, const struct document *document,
    struct attachments *attachments, const char *protection)
{
	const struct document_head *head = &document->head;

	put(setter, SETTER_TITLE, title_ink, SETTER_MARGIN, text_width(setter),
	    head->subject != NULL ? head->subject : wording("(no subject)"), "H1");
	setter_space(setter, 10);
	setter_panel_begin(setter, ground);
	put_field(setter, SETTER_MARGIN, wording("From"), head->from);
	put_field(setter, SETTER_MARGIN, wording("To"), head->to);
	put_field(setter, SETTER_MARGIN, wording("Cc"), head->cc);
	put_field(setter, SETTER_MARGIN, wording("Date"),
	    head->date != NULL ? head->date : wording("(not stated)"));
	setter->y -= 3;
	setter_panel_end(setter);
	if (attachments != NULL && attachments->items->len > 0)
		put_files(setter, attachments);
	put_protection(setter, protection);
	setter_space(setter, 16);
}

/* The value with the lines behind it that begin with a tab; *line is moved to the last of them. */
static char *join_lines(const char *value, char ***line)
{
	GString *whole = g_string_new(value);

	for (; (*line)[1] != NULL && (*line)[1][0] == '\t'; (*line)++)
		g_string_append_printf(whole, "\n%s", (*line)[1] + 1);
	return g_string_free(whole, FALSE);
}

void head_set_nested(struct setter *setter, const struct flow_block *block)
{
	char **lines = g_strsplit(block->text->str, "\n", -1);

	setter_space(setter, 8);
	setter_need(setter, 70);
	setter_panel_begin(setter, ground);
	put(setter, SETTER_LABEL, accent, SETTER_MARGIN, text_width(setter),
	    block->marker != NULL ? block->marker : wording("Attached message"), "P");
	setter_space(setter, 4);
	for (char **line = lines; *line != NULL; line++) {
		char *label = *line;
		char *value = strstr(*line, ": ");

		if (value == NULL)
			continue;
		*value = '\0';
		value = join_lines(value + 2, &line);
		put_field(setter, SETTER_MARGIN, label, value);
		g_free(value);
	}
	setter->y -= 3;
	setter_panel_end(setter);
	setter_space(setter, 6);
	g_strfreev(lines);
}
