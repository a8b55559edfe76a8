/*
 * headings: the text of an HTML body's h1 and h2 as it is drawn, for the outline.
 *
 * Fed with the content of the sheet in its order, so that what is hidden is no title.
 */
#ifndef SG_PDFENC_HTML_HEADINGS_H
#define SG_PDFENC_HTML_HEADINGS_H

#include <glib.h>
#include <stdbool.h>

#include "pdfenc/html/sheet.h"

#define HEADINGS_TITLE_MAX 160u	/* bytes; longer ones are cut */

struct headings {
	const struct sheet *sheet;	/* borrowed, as the subject */
	const char *subject;
	unsigned int element;	/* the heading that is being read, or SHEET_NONE */
	unsigned int page;	/* where it begins */
	float y;
	bool below;		/* there was an h1: an h2 stands below it */
	float bottom;		/* of the line that is being read */
	GPtrArray *line;	/* its runs, from left to right: struct display_run */
	GString *title;
};

/* Begins; the caller headings_ends. */
void headings_start(struct headings *headings, const struct sheet *sheet, const char *subject);
/* Looks at an item, which stands on page with its top at y. */
void headings_take(struct headings *headings, const struct sheet_item *item, unsigned int page,
    float y);
/* Takes down the last one and releases all. */
void headings_end(struct headings *headings);

#endif
