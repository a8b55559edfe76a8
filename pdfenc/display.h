/*
 * display: what stands on each page, as drawn: the seam between layout and painter.
 *
 * Knows neither mail nor PDF. Points (1/72 inch) from the top left corner. A display owns all that
 * its items point to; it keeps fonts alive. One thread; memory is GLib's.
 */
#ifndef SG_PDFENC_DISPLAY_H
#define SG_PDFENC_DISPLAY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct _PangoFont;	/* the shaper's font; the painter draws with the same */

struct display_color {
	float red;
	float green;
	float blue;
};

struct display_glyph {
	uint32_t id;
	float x;		/* from the page's corner */
	float y;		/* of the baseline */
};

/* Which bytes of the text which glyphs show, in the order of the text. */
struct display_cluster {
	uint16_t bytes;
	uint16_t glyphs;
};

/* Shaped text of one font and direction. */
struct display_run {
	struct _PangoFont *font;
	struct display_color color;
	struct display_glyph *glyphs;
	unsigned int glyph_count;
	struct display_cluster *clusters;
	unsigned int cluster_count;
	const char *text;	/* UTF-8 */
	unsigned int text_size;
	bool backward;		/* glyphs stand in the opposite order of the text */
	float width;
};

struct display_box {
	float x;
	float y;
	float width;
	float height;
	float radius;
	float line;		/* width of the outline; 0: filled */
	struct display_color color;
};

struct display_link {
	float x;
	float y;
	float width;
	float height;
	const char *uri;	/* printable ASCII without quotes and backslashes */
};

enum display_kind {
	DISPLAY_RUN,
	DISPLAY_BOX,
	DISPLAY_LINK,
	DISPLAY_BEGIN,		/* of a piece of structure; ends on the same page */
	DISPLAY_END
};

struct display_item {
	enum display_kind kind;
	union {
		struct display_run run;
		struct display_box box;
		struct display_link link;
		const char *tag;	/* BEGIN, END: "P", "H1"; static */
	} as;
};

struct display_page {
	GArray *items;		/* struct display_item, in drawing order */
};

struct display {
	float width;
	float height;
	GPtrArray *pages;	/* struct display_page */
	GStringChunk *texts;
	GPtrArray *arrays;	/* of glyphs and clusters */
	GHashTable *fonts;	/* references held */
};

/* An empty display of pages of this size, in points; the caller display_frees. */
struct display *display_new(float width, float height);
/* Releases it and all that its items point to. */
void display_free(struct display *display);

/* An empty page at the end; the display owns it. */
struct display_page *display_add_page(struct display *display);
/* A new item at the end of page, or at offset at of it (a ground below what is there). */
struct display_item *display_add(struct display_page *page, enum display_kind kind);
struct display_item *display_insert(struct display_page *page, unsigned int at,
    enum display_kind kind);
/* Memory that lives as long as the display. */
void *display_array(struct display *display, size_t count, size_t size);
const char *display_text(struct display *display, const char *text, size_t size);
void display_hold_font(struct display *display, struct _PangoFont *font);

#endif
