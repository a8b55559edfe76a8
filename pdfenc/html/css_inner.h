/*
 * css_inner: what css.c makes of CSS that litehtml does not know at all: flexible boxes, grids,
 * gradients. Pure. For css.c alone but for css_inner_rules, which stands in css.h.
 */
#ifndef SG_PDFENC_HTML_CSS_INNER_H
#define SG_PDFENC_HTML_CSS_INNER_H

#include "pdfenc/html/css.h"

/* The declarations of one block that say how children are laid out; all false at first. */
struct css_inside {
	bool flex;
	bool grid;
	bool column;
	bool wraps;
	bool spread;
	bool centered;
	unsigned int columns;
};

/* Notes what a declaration says of the inside; others are none of its business. */
void css_inside_take(struct css_inside *inside, const char *name, const char *value);
/* An enum css_inner. */
unsigned int css_inside_kind(const struct css_inside *inside);
/* True: the declaration lets its element take the room that its neighbours leave. */
bool css_inside_grows(const char *name, const char *value);

/*
 * A background with a gradient (css-images-3): *text to *end become its first colour that can be
 * seen. White text stands on many: without any ground nobody could read it. False: there is none.
 */
bool css_gradient(const char *name, const char **text, const char **end);

#endif
