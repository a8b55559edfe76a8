/*
 * sheet: what an HTML body draws, on one endless page, before it is cut into pages.
 *
 * Points from the top left corner of the body. Grounds (backgrounds, borders, rules) lie below all
 * content (text, pictures, links). One thread; memory is GLib's and the display's.
 */
#ifndef SG_PDFENC_HTML_SHEET_H
#define SG_PDFENC_HTML_SHEET_H

#include <glib.h>
#include <stdbool.h>

#include "pdfenc/display.h"

#define SHEET_NONE 0u	/* no element: decoration */

#ifdef __cplusplus
extern "C" {
#endif

struct sheet_item {
	struct display_item item;
	float top;
	float bottom;
	unsigned int element;	/* 1 + index of the element it stands in, or SHEET_NONE */
};

struct sheet_element {
	struct display_element *element;
	unsigned int parent;	/* as sheet_item's */
};

/* What should stay on one page. */
struct sheet_span {
	float top;
	float bottom;
	bool line;	/* text or a picture: must not be cut; else it only looks better */
};

struct sheet {
	struct display *display;
	GArray *grounds;	/* struct sheet_item */
	GArray *content;
	GArray *elements;	/* struct sheet_element */
	GArray *spans;		/* struct sheet_span */
	float width;
	float height;
};

/* Items point to what display owns. The caller sheet_frees. */
struct sheet *sheet_new(struct display *display);
void sheet_free(struct sheet *sheet);

/* A new item; item of kind, standing from top to bottom. */
struct display_item *sheet_ground(struct sheet *sheet, enum display_kind kind, float top,
    float bottom);
struct display_item *sheet_content(struct sheet *sheet, enum display_kind kind, float top,
    float bottom, unsigned int element);
/* A new element inside parent; alt may be NULL. */
unsigned int sheet_element(struct sheet *sheet, unsigned int parent, const char *tag,
    const char *alt);
void sheet_span(struct sheet *sheet, float top, float bottom, bool line);

#ifdef __cplusplus
}
#endif

#endif
