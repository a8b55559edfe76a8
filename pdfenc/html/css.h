/*
 * css: style sheets and style attributes of mail -> what litehtml may see. Pure.
 *
 * Known properties only; lengths in units of 1/CSS_UNIT pixel, clamped; media queries decided for
 * a light screen of CSS_VIEWPORT pixels; what hides text by trick becomes display:none. Made for
 * untrusted input: cost grows with the size only.
 */
#ifndef SG_PDFENC_HTML_CSS_H
#define SG_PDFENC_HTML_CSS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define CSS_UNIT 4			/* of a pixel: litehtml counts in whole numbers */
#define CSS_VIEWPORT 640		/* pixels, as wide as mail is read */
#define CSS_LENGTH_MAX 4000		/* pixels; 1e9px would make a million pages */
#define CSS_RULES_MAX 2000u		/* selectors; each is tried on each element */
#define CSS_SELECTOR_MAX ((size_t)200)	/* bytes */

/*
 * How an element lays out its children (css-flexbox-1, css-grid-1), which litehtml does not know:
 * from CSS_INNER_GRID on a grid of (kind - CSS_INNER_GRID) columns. It becomes rules for children.
 */
enum css_inner {
	CSS_INNER_BLOCKS = 0,
	CSS_INNER_ROW,		/* side by side */
	CSS_INNER_SPREAD,	/* the same, the last one at the other edge */
	CSS_INNER_WRAP,		/* side by side, in as many rows as it takes */
	CSS_INNER_CENTER,	/* the same, in the middle */
	CSS_INNER_GRID
};
#define CSS_INNER_COLUMNS_MAX 12u
#define CSS_INNER_MAX (CSS_INNER_GRID + CSS_INNER_COLUMNS_MAX)

/* Appends the declarations of a style attribute (its references resolved); an enum css_inner. */
unsigned int css_style(const char *text, size_t size, GString *out);
/*
 * Appends the declarations that what selector (size bytes) matches needs itself. False: there is
 * nothing to do, it lays out blocks or is a part of a table and stays one.
 */
bool css_inner_own(unsigned int inner, const char *selector, size_t size, GString *out);
/* Appends the rules for its children. */
void css_inner_rules(unsigned int inner, const char *selector, size_t size, GString *out);
/* The same for elements with the attribute inner="N", once a kind: *known is a bit set. */
void css_inner_sheet(unsigned int inner, unsigned int *known, GString *sheet);
/* Appends the rules of a style sheet; *rules counts selectors. False: more than CSS_RULES_MAX. */
bool css_sheet(const char *text, size_t size, unsigned int *rules, GString *out);
/* A length of an attribute ("600", "50%", "2px") in units; nothing is appended if it is none. */
void css_length(const char *text, size_t size, GString *out);
/* Reads digits with a fraction; the size read, 0 if it is no number. */
size_t css_number(const char *text, size_t size, double *value_out);
/* Whether a media query holds on our screen. */
bool css_media(const char *text, size_t size);

#endif
