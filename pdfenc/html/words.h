/*
 * words: fonts, widths and shaped lines of text for HTML, by HarfBuzz and Pango.
 *
 * Sizes and widths come and go in units (css.h); what is drawn is in points, scale points a unit.
 * A word is shaped once a document. Lines with letters that run from right to left are shaped
 * again as a whole when they are drawn. One thread.
 */
#ifndef SG_PDFENC_HTML_WORDS_H
#define SG_PDFENC_HTML_WORDS_H

#include <pango/pango.h>
#include <stdbool.h>

#include "pdfenc/html/sheet.h"

#define WORDS_PIECE_MAX ((size_t)60)	/* bytes, then a break is made: long addresses */

#ifdef __cplusplus
extern "C" {
#endif

struct words;

enum words_decoration {
	WORDS_UNDERLINE = 1,
	WORDS_STRIKE = 2,
	WORDS_OVERLINE = 4
};

struct words_style {
	const char *family;	/* as in CSS */
	int size;		/* units */
	int weight;		/* 100 to 900 */
	bool italic;
	unsigned int decoration;
};

struct words_metrics {		/* units */
	int ascent;
	int descent;
	int x_height;
};

/* A word as laid out, in one line with others. */
struct words_piece {
	const char *text;
	unsigned int font;
	struct display_color color;
	float x;		/* points */
	float width;
	unsigned int element;
	const char *uri;	/* link, or NULL; the same pointer is the same link */
};

typedef void words_text_fn(void *context, const char *text);

/* context's language chooses between forms of Han characters. The caller words_frees. */
struct words *words_new(PangoContext *context, float scale);
void words_free(struct words *words);

/* A font's number; the same for the same style. */
unsigned int words_font(struct words *words, const struct words_style *style,
    struct words_metrics *metrics_out);
int words_width(struct words *words, const char *text, unsigned int font);
/* Calls word and space for each piece of text between which a line may break. */
void words_split(const char *text, words_text_fn *word, words_text_fn *space, void *context);

/*
 * Draws count pieces of one line. backward: the paragraph runs from right to left. top, bottom: of
 * the line, points.
 */
void words_line(struct words *words, struct sheet *sheet, const struct words_piece *pieces,
    unsigned int count, float baseline, bool backward);
/* A font's height above and below the baseline, points; its size. */
void words_extent(const struct words *words, unsigned int font, float *ascent_out,
    float *descent_out, float *size_out);
unsigned int words_decoration(const struct words *words, unsigned int font);

#ifdef __cplusplus
}
#endif

#endif
