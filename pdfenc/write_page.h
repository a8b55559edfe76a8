/*
 * write_page: the content of one page; shared by the files of the writer alone.
 *
 * Keeps what the reader of the content knows at each point (colours, font, where the next glyph
 * would stand, which element is open), so that only what changes is written.
 */
#ifndef SG_PDFENC_WRITE_PAGE_H
#define SG_PDFENC_WRITE_PAGE_H

#include <glib.h>
#include <stdbool.h>

#include "pdfenc/display.h"
#include "pdfenc/write_file.h"
#include "pdfenc/write_font.h"
#include "pdfenc/write_image.h"
#include "pdfenc/write_tree.h"

#define WRITE_CLEAR_STEPS 100u	/* shades of transparency */

/* What all pages share. */
struct write_document {
	const struct display *display;
	struct write_file file;
	struct write_fonts fonts;
	struct write_images images;
	struct write_tree tree;
	bool clears[WRITE_CLEAR_STEPS + 1];	/* shades that are used */
	unsigned int *pages;		/* numbers of their objects */
};

/* What "q" saves. */
struct write_state {
	struct display_color fill;
	struct display_color stroke;
	unsigned int clear;		/* in steps */
	double line;
	const struct write_font *font;
	double size;
	unsigned int mode;		/* of text: 0 filled, 2 filled and stroked */
	double leading;			/* from one line to the next */
	double matrix[6];		/* from what is drawn now to the page */
};

enum write_mark { WRITE_MARK_NONE, WRITE_MARK_DECORATION, WRITE_MARK_CONTENT };

struct write_page {
	struct write_document *document;
	const struct display_page *page;
	unsigned int index;
	double height;
	GString *out;
	GString *annotations;		/* references */
	struct write_state now;
	struct write_state saved[DISPLAY_NEST_MAX];
	unsigned int depth;
	unsigned int too_deep;		/* CLIP and PUSH that are not followed */
	unsigned int open[DISPLAY_NEST_MAX];	/* nodes */
	unsigned int open_count;
	unsigned int open_too_deep;
	unsigned int decoration;	/* how many "Artifact" are open */
	enum write_mark mark;
	unsigned int mark_node;
	/* text */
	bool in_text;			/* between BT and ET */
	bool marked_inside;		/* the mark began between BT and ET */
	bool in_array;			/* a line of text is being written: */
	bool in_string;			/* in one of its strings */
	bool has_gaps;			/* there are numbers between its strings */
	bool next_line;			/* it stands on the next line */
	size_t array_at;		/* where it begins in out */
	double step;			/* last move down */
	bool skewed;			/* the line's matrix is */
	double line_x;
	double line_y;
	double pen;			/* where the next glyph would stand */
};

/* Writes the content of page index; references of its annotations go to annotations. */
void write_page(struct write_document *document, unsigned int index, GString *out,
    GString *annotations);

/*
 * For write_text: marks text that follows as content of the innermost element, or as decoration,
 * inside a text object.
 */
void write_page_text(struct write_page *page);
/* Ends a text object, if one is open, and marks a picture that follows. */
void write_page_content(struct write_page *page);
/* Ends a line of text, if one is open. */
void write_page_end_line(struct write_page *page);
/* Colours and transparency of what follows. */
void write_page_fill(struct write_page *page, struct display_color color);
void write_page_stroke(struct write_page *page, struct display_color color, double line);
/* Draws image index through a matrix. */
void write_page_image(struct write_page *page, unsigned int index, const double matrix[6]);

/* In write_shapes.c: draws the glyphs of a run that cannot be embedded. */
void write_outlines(struct write_page *page, const struct display_run *run,
    const struct write_style *style);
/* In write_text.c: draws a run. */
void write_text_run(struct write_page *page, const struct display_run *run);

#endif
