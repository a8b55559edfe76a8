/*
 * display: what stands on each page, as drawn: the seam between layout and writer.
 *
 * Knows neither mail nor PDF. Points (1/72 inch) from the top left corner, y downwards. A display
 * owns all that its items point to; it keeps fonts alive. One thread; memory is GLib's.
 *
 * What is drawn inside BEGIN and END of an element belongs to that element for those who have the
 * page read to them. Runs and images do; boxes and paths never do, they are decoration, as is all
 * that stands in no element. CLIP, PUSH and BEGIN nest and end on their page: what goes on over
 * pages ends on each and begins again on the next, an element with the same pointer.
 */
#ifndef SG_PDFENC_DISPLAY_H
#define SG_PDFENC_DISPLAY_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISPLAY_NEST_MAX 64	/* CLIP, PUSH and BEGIN open at once; deeper ones are ignored */
#define DISPLAY_SIDE_MAX 65500	/* pixels of an image's side (JPEG's own maximum is 65535) */

struct _PangoFont;	/* the shaper's font; the writer embeds the same file */

struct display_color {
	float red;
	float green;
	float blue;
	float clear;		/* 0: opaque; 1: not seen */
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

/*
 * Shaped text of one font and direction. Fonts whose glyphs are pictures (emoji) are drawn as such
 * and ignore color. Glyph 0 draws nothing and keeps its text.
 */
struct display_run {
	struct _PangoFont *font;	/* of a context of 72 dpi; held (display_hold_font) */
	struct display_color color;
	struct display_glyph *glyphs;
	unsigned int glyph_count;
	struct display_cluster *clusters;	/* NULL: one for the whole run */
	unsigned int cluster_count;
	const char *text;	/* UTF-8 */
	unsigned int text_size;
	bool backward;		/* glyphs stand in the opposite order of the text */
	float width;
};

enum display_dash {
	DISPLAY_SOLID,
	DISPLAY_DASHED,		/* three widths of the line on and off */
	DISPLAY_DOTTED		/* round dots, two widths apart */
};

struct display_box {
	float x;
	float y;
	float width;
	float height;
	float radius;		/* of all corners */
	float corners[4];	/* if radius is 0: top left, top right, bottom right and left */
	float line;		/* width of the outline, which the edge halves; 0: filled */
	enum display_dash dash;	/* of the outline */
	struct display_color color;
};

struct display_point {
	float x;
	float y;
};

/* A polygon or a line of straight pieces: one side of a border, a rule under text. */
struct display_path {
	const struct display_point *points;
	unsigned int count;
	float line;		/* width; 0: filled, last point joined to the first */
	enum display_dash dash;
	struct display_color color;
};

enum display_image_kind {
	DISPLAY_JPEG,		/* the file's bytes, kept */
	DISPLAY_RGB,		/* 3 bytes a pixel, rows without padding, top row first */
	DISPLAY_GRAY		/* 1 byte a pixel */
};

/* One image may be drawn many times; it is written once. */
struct display_image {
	enum display_image_kind kind;
	unsigned int width;	/* pixels, of the data */
	unsigned int height;
	unsigned int components;	/* JPEG: 1, 3 or 4 */
	bool inverted;		/* JPEG of 4 components by Adobe: 0 is full ink */
	unsigned int turn;	/* Exif orientation 1 to 8; 0 as 1; 5 to 8 lie on their side */
	GBytes *data;
	GBytes *alpha;		/* 1 byte a pixel, or NULL; not for JPEG */
};

/* Into the rectangle, stretched. */
struct display_picture {
	float x;
	float y;
	float width;
	float height;
	const struct display_image *image;
	const char *alt;	/* a Figure of its own with this text; NULL: part of the element it
				   stands in, or decoration if that is none */
};

struct display_link {
	float x;
	float y;
	float width;
	float height;
	const char *uri;	/* printable ASCII; flow_uri has looked at it */
};

/* x' = xx x + xy y + x0; y' = yx x + yy y + y0: from what is drawn inside to what is around it. */
struct display_matrix {
	float xx;
	float yx;
	float xy;
	float yy;
	float x0;
	float y0;
};

/*
 * A piece of structure (ISO 32000-2 14.8.4): "Sect", "P", "H1".."H6", "L", "LI", "Lbl", "LBody",
 * "Table", "TR", "TH", "TD", "Figure", "Link", "Note", "Span", or "Artifact" for decoration.
 * Its parent is the element in which it began first.
 */
struct display_element {
	const char *tag;	/* static */
	const char *alt;	/* Figure: what it shows; else NULL */
	const char *language;	/* BCP 47 if unlike the document's; else NULL */
	unsigned int rows;	/* TH, TD: spanned; 0 as 1 */
	unsigned int columns;
	unsigned int number;	/* the writer's */
};

enum display_kind {
	DISPLAY_RUN,
	DISPLAY_BOX,
	DISPLAY_PATH,
	DISPLAY_PICTURE,
	DISPLAY_LINK,		/* inside BEGIN of a "Link" it is that one's */
	DISPLAY_BEGIN,
	DISPLAY_END,
	DISPLAY_CLIP,		/* only inside this box, rounded or not, until CLIP_END */
	DISPLAY_CLIP_END,
	DISPLAY_PUSH,		/* drawn through a matrix until POP */
	DISPLAY_POP
};

struct display_item {
	enum display_kind kind;
	union {
		struct display_run run;
		struct display_box box;		/* BOX, CLIP */
		struct display_path path;
		struct display_picture picture;
		struct display_link link;
		struct display_matrix matrix;	/* PUSH */
		struct display_element *element;	/* BEGIN, END */
	} as;
};

struct display_page {
	float width;		/* points */
	float height;
	GArray *items;		/* struct display_item, in drawing order */
};

struct display_outline {
	const char *title;	/* UTF-8 */
	unsigned int level;	/* 0: outermost; at most one more than the entry before */
	unsigned int page;	/* from 0 */
	float y;
};

struct display {
	float width;		/* of pages that are added */
	float height;
	GPtrArray *pages;	/* struct display_page */
	GArray *outline;	/* struct display_outline, in reading order */
	unsigned int elements;	/* made so far */
	GStringChunk *texts;
	GPtrArray *arrays;	/* of glyphs, clusters, points */
	GPtrArray *images;	/* struct display_image */
	GHashTable *fonts;	/* references held */
};

/* An empty display of pages of this size, in points; the caller display_frees. */
struct display *display_new(float width, float height);
/* Releases it and all that its items point to. */
void display_free(struct display *display);

/* An empty page at the end, of the display's size until that is changed; the display owns it. */
struct display_page *display_add_page(struct display *display);
/* A new item at the end of page, or at offset at of it (a ground below what is there). */
struct display_item *display_add(struct display_page *page, enum display_kind kind);
struct display_item *display_insert(struct display_page *page, unsigned int at,
    enum display_kind kind);
/* Memory (zeroed) that lives as long as the display. */
void *display_array(struct display *display, size_t count, size_t size);
/* A copy of size bytes and a NUL, for as long as the display lives. */
const char *display_text(struct display *display, const char *text, size_t size);
/* Keeps the font of a run alive. */
void display_hold_font(struct display *display, struct _PangoFont *font);

/* A new piece of structure, not yet begun; tag is static. */
struct display_element *display_element(struct display *display, const char *tag);
/* BEGIN and END of an element on page. */
void display_begin(struct display_page *page, struct display_element *element);
void display_end(struct display_page *page, struct display_element *element);
/* An entry of the outline; title is copied. */
void display_outline(struct display *display, const char *title, unsigned int level,
    unsigned int page, float y);

/*
 * A JPEG file as it is; data is held. NULL if readers of PDF would not show it: not baseline or
 * progressive, not 8 bits, not 1, 3 or 4 components, or broken before its first scan.
 */
const struct display_image *display_jpeg(struct display *display, GBytes *data);
/*
 * Pixels; data and alpha (may be NULL) are held. NULL if their sizes are not what width and height
 * want or a side is 0 or above DISPLAY_SIDE_MAX.
 */
const struct display_image *display_pixels(struct display *display, enum display_image_kind kind,
    unsigned int width, unsigned int height, GBytes *data, GBytes *alpha);

#endif
