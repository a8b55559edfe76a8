/*
 * quick: breaks simple text into lines: one font, left to right, no marks; most of all mail.
 *
 * HarfBuzz shapes each word once a message; Pango, which finds fonts and directions for all
 * scripts, takes four times as long and sets what is refused here. Words are forgotten with
 * quick_forget, so that none of a message waits in memory for the next one. One thread.
 */
#ifndef SG_PDFENC_QUICK_H
#define SG_PDFENC_QUICK_H

#include <glib.h>
#include <pango/pango.h>
#include <stdbool.h>
#include <stdint.h>

#define QUICK_WORD_MAX 200u	/* bytes; longer words are left to Pango, which breaks them */

struct quick;

struct quick_glyph {
	uint32_t id;
	float x;		/* points from the line's start, as all below */
	float dx;		/* where it is drawn from there */
	float dy;		/* upwards */
	unsigned int at;	/* offset of its text */
};

struct quick_line {
	unsigned int first;	/* of the glyphs */
	unsigned int count;
	unsigned int end;	/* of its text; spaces where it was broken belong to it */
	float width;
};

/* Valid until the next quick_break. */
struct quick_text {
	PangoFont *font;
	float ascent;		/* of a line */
	float height;
	const struct quick_line *lines;
	unsigned int line_count;
	const struct quick_glyph *glyphs;
};

/* The caller quick_frees; context and count descriptions live longer. */
struct quick *quick_new(PangoContext *context, PangoFontDescription *const *descriptions,
    unsigned int count);
/* Releases it. */
void quick_free(struct quick *quick);
/* Drops all words: between messages. */
void quick_forget(struct quick *quick);
/* False: not that simple, or the font lacks a letter. font: index of the descriptions. */
bool quick_break(struct quick *quick, unsigned int font, const char *text, size_t size,
    double width, struct quick_text *text_out);

#endif
