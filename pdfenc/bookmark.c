#include "pdfenc/bookmark.h"

#include <string.h>

static void begin(struct display *display, const char *subject)
{
	if (display->outline->len == 0)
		display_outline(display, subject != NULL ? subject : "Message", 0, 0, 0);
}

void bookmark_file(struct display *display, const char *subject,
    const struct display_outline *entry)
{
	begin(display, subject);
	display_outline(display, entry->title, 0, entry->page, entry->y);
}

void bookmark_heading(struct display *display, const char *subject,
    const struct display_outline *entry)
{
	struct display_outline copy = *entry;
	unsigned int at = 1;

	begin(display, subject);
	while (at < display->outline->len &&
	    g_array_index(display->outline, struct display_outline, at).level > 0)
		at++;
	if (at > BOOKMARK_HEADINGS_MAX)
		return;
	copy.title = display_text(display, entry->title, strlen(entry->title));
	g_array_insert_val(display->outline, at, copy);
}
