/*
 * words_private: what the files of words share.
 */
#ifndef SG_PDFENC_HTML_WORDS_PRIVATE_H
#define SG_PDFENC_HTML_WORDS_PRIVATE_H

#include <hb.h>
#include <stdbool.h>

#include "pdfenc/html/words.h"

/* Shaped text of one font, from x = 0. */
struct words_part {
	PangoFont *font;
	struct display_glyph *glyphs;
	struct display_cluster *clusters;
	unsigned int glyph_count;
	unsigned int cluster_count;
	unsigned int start;	/* bytes of the word's text */
	unsigned int size;
	bool backward;
	float width;
};

struct words_word {
	char *text;
	unsigned int font;
	struct words_part *parts;
	unsigned int part_count;
	float width;		/* points */
	bool mixed;		/* has letters that run from right to left */
};

struct words_font {
	PangoFontDescription *description;
	PangoFont *font;
	hb_font_t *shaper;	/* borrowed from font */
	struct words_metrics metrics;
	float size;		/* points */
	unsigned int decoration;
};

struct words {
	PangoContext *context;
	float scale;
	GArray *fonts;		/* struct words_font */
	GHashTable *names;	/* style as text -> number + 1 */
	GHashTable *cache;	/* struct words_word */
	hb_buffer_t *buffer;
};

/* The font of a number that words_font gave. */
struct words_font *words_font_at(const struct words *words, unsigned int font);
/* A word, shaped now or before; it lives as long as words. */
const struct words_word *words_word(struct words *words, const char *text, unsigned int font);
/* What Pango shaped, as it is drawn; part is released by words_part_clear. */
void words_part_take(PangoGlyphItem *item, const char *text, struct words_part *part);
/* Releases what part points to. */
void words_part_clear(struct words_part *part);

#endif
