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

/* Appends the declarations of a style attribute (its references resolved). */
void css_style(const char *text, size_t size, GString *out);
/* Appends the rules of a style sheet; *rules counts selectors. False: more than CSS_RULES_MAX. */
bool css_sheet(const char *text, size_t size, unsigned int *rules, GString *out);
/* A length of an attribute ("600", "50%", "2px") in units; nothing is appended if it is none. */
void css_length(const char *text, size_t size, GString *out);
/* Reads digits with a fraction; the size read, 0 if it is no number. */
size_t css_number(const char *text, size_t size, double *value_out);
/* Whether a media query holds on our screen. */
bool css_media(const char *text, size_t size);

#endif
