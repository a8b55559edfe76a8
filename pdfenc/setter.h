/*
 * setter: sets text into lines on pages; the part of layout that knows Pango.
 *
 * A setter stands at a height (y) of the current page and goes down; where a line does not fit, a
 * new page begins. Past the last allowed page it draws one note and drops all else.
 */
#ifndef SG_PDFENC_SETTER_H
#define SG_PDFENC_SETTER_H

#include <pango/pango.h>
#include <stdbool.h>

#include "pdfenc/display.h"
#include "pdfenc/flow.h"
#include "pdfenc/quick.h"

#define SETTER_MARGIN 54.0	/* points left and right */
#define SETTER_TOP 50.0
#define SETTER_BOTTOM 62.0	/* the page's number stands in it */
#define SETTER_LINKS_MAX 5000u	/* of a document; more are text only, since each is an object */

enum setter_font {
	SETTER_BODY,
	SETTER_FIXED,
	SETTER_HEADING,
	SETTER_TITLE,
	SETTER_LABEL,
	SETTER_FIELD,
	SETTER_SMALL,
	SETTER_STRONG,
	SETTER_FONTS
};

/* A filled ground that grows behind what is set until it ends, page by page. */
struct setter_panel {
	bool open;
	double top;
	unsigned int at;	/* item of the page before which it is drawn */
	struct display_color color;
};

struct setter {
	struct display *display;
	struct display_page *page;
	PangoContext *context;
	PangoFontDescription *const *fonts;	/* SETTER_FONTS of them */
	struct quick *quick;		/* breaks simple text; NULL: Pango does all */
	double y;
	double bottom;
	unsigned int pages_max;
	bool full;		/* the last page is full: nothing is set any more */
	struct setter_panel panel;
	unsigned int links;	/* set so far */
	const struct flow_span *linked;	/* whose text was set last, and its element */
	struct display_element *link;
	unsigned int bars;	/* quote bars at the left of what is being set */
	double bars_top;
};

struct setter_text {
	const char *text;
	size_t size;
	const GArray *spans;		/* struct flow_span, or NULL */
	enum setter_font font;
	struct display_color color;
	double x;
	double width;
	const char *tag;		/* structure: "P", "H1"; NULL: none, as for page numbers */
	bool one_line;			/* cut with an ellipsis instead of broken */
	bool right;			/* aligned to the right */
	bool stay;			/* y does not move: something stands beside it */
};

/* The first page begins. */
void setter_start(struct setter *setter);
/* Sets text from y on down; lines break at width, pages where they are full. */
void setter_set(struct setter *setter, const struct setter_text *text);
/* Moves down, not over a page's end. */
void setter_space(struct setter *setter, double height);
/* Begins a new page unless height fits on this one. */
void setter_need(struct setter *setter, double height);
/* A filled box at the current page; y does not move. */
void setter_box(struct setter *setter, const struct display_box *box);
void setter_panel_begin(struct setter *setter, struct display_color color);
void setter_panel_end(struct setter *setter);
/* How many quote bars stand from here on. */
void setter_bars(struct setter *setter, unsigned int bars);
/* Draws on a finished page, at height y: for page numbers. */
void setter_on_page(struct setter *setter, unsigned int page, double y,
    const struct setter_text *text);

#endif
