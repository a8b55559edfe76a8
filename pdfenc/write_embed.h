/*
 * write_embed: the objects of an embedded font: simple or Type 0, /ToUnicode, descriptor, program.
 */
#ifndef SG_PDFENC_WRITE_EMBED_H
#define SG_PDFENC_WRITE_EMBED_H

#include <hb.h>

#include "pdfenc/write_file.h"

struct write_font;

/* The last /ToUnicode, which the next font shares if it says the same; the caller g_frees text. */
struct embed_maps {
	char *text;
	unsigned int number;
};

/* Writes a font with a program; returns its object's number. */
unsigned int embed_font(struct write_file *file, const struct write_font *font,
    struct embed_maps *maps);
/* A simple font's program: the subset with a "cmap" from its codes; the caller hb_blob_destroys. */
hb_blob_t *embed_mapped(const struct write_font *font);
/* A TrueType font of two empty glyphs; the caller hb_blob_destroys. */
hb_blob_t *embed_carrier(void);

#endif
