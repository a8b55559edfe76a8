/*
 * write_font: the fonts of one document: which glyphs are used, their subset, what they say.
 *
 * First every run is collected, then the subsets are made (glyphs are numbered anew, so that a few
 * Chinese characters cost a few kilobytes), then pages are written with the new codes while each
 * code's text is taken down for /ToUnicode, then the fonts are written. Text that no glyph shows
 * (emoji, glyphs no font has) is carried by a font of ours whose glyphs are empty.
 *
 * A TrueType font of few glyphs is a simple font: codes of one byte, those of ASCII for ASCII, and
 * a "cmap" of ours; with that the pages of a 10 KB text take a sixth less, and it is what macOS and
 * LibreOffice write. All others are Type 0, with codes of two bytes.
 *
 * Where one glyph shows different text at different places (a no-break space) it gets a code a
 * text in TrueType fonts, which have a map from codes to glyphs; CFF fonts have none, and the
 * caller marks the text as /ActualText.
 */
#ifndef SG_PDFENC_WRITE_FONT_H
#define SG_PDFENC_WRITE_FONT_H

#include <glib.h>
#include <hb.h>
#include <stdbool.h>
#include <stdint.h>

#include "pdfenc/display.h"
#include "pdfenc/faces.h"
#include "pdfenc/write_file.h"

/* A code's text: borrowed from the display. */
struct write_code {
	const char *text;	/* NULL: none yet */
	unsigned int size;
	bool guessed;		/* part of a cluster that is marked; any other text is better */
	uint16_t glyph;		/* in the subset */
	uint16_t code;		/* of a simple font; 0: none yet */
	float width;		/* thousandths of an em */
};

/* One face of a document, of all sizes. */
struct write_font {
	struct face *face;		/* NULL: the font that carries text */
	unsigned int index;		/* "F1" among the resources */
	uint16_t *slots;		/* by the face's glyph: index in codes; 0: unused */
	hb_set_t *used;
	hb_blob_t *program;		/* NULL: none, or a simple font that is not yet written */
	hb_face_t *subset;		/* a simple font's, without "cmap"; else NULL */
	bool taken[256];		/* its codes in use */
	uint16_t *cids;			/* CFF with CIDs: by slot; NULL: codes are slots */
	GArray *codes;			/* struct write_code by slot */
	unsigned int subset_glyphs;	/* slots from here on are further codes */
};

/* A font of the display as the writer draws it. */
struct write_style {
	struct face *face;
	struct write_font *font;	/* NULL: pictures or outlines are drawn */
	hb_font_t *shaped;		/* borrowed from Pango */
	double size;			/* points */
	double slant;			/* of an oblique made by skewing, or 0 */
	bool bold;			/* made bold by a stroke */
};

struct write_fonts {
	struct faces *faces;
	GPtrArray *fonts;		/* struct write_font */
	GHashTable *styles;		/* PangoFont -> struct write_style */
	GHashTable *carried;		/* "w" or "0" for its width, text -> its slot */
	struct write_font *carrier;
	struct _PangoFont *last;	/* what was asked last, and its style */
	struct write_style *last_style;
};

/* Begins; the caller write_fonts_frees. faces are borrowed. */
void write_fonts_start(struct write_fonts *fonts, struct faces *faces);
/* Releases all. */
void write_fonts_free(struct write_fonts *fonts);

/* Takes down the glyphs of a run. */
void write_fonts_collect(struct write_fonts *fonts, const struct display_run *run);
/* Makes the subsets; a face that cannot be subset is drawn as outlines from here on. */
void write_fonts_subset(struct write_fonts *fonts);
/* How a font is drawn; borrowed. */
const struct write_style *write_style_of(struct write_fonts *fonts, struct _PangoFont *font);

/*
 * The slot of a glyph that shows text. False in *says: it has other text already and cannot have
 * two; text NULL or guess: any code will do.
 */
unsigned int write_font_slot(struct write_font *font, unsigned int glyph, const char *text,
    unsigned int size, bool guess, bool *says);
/* Codes have one byte, not two. */
bool write_font_simple(const struct write_font *font);
/* The code to write for a slot. */
unsigned int write_font_code(const struct write_font *font, unsigned int slot);
/* A slot of the carrier (made when first needed) for text; width in thousandths of an em. */
unsigned int write_fonts_carry(struct write_fonts *fonts, const char *text, unsigned int size,
    double width);

/* Writes all fonts; their entries "/F1 5 0 R" are appended to resources. */
void write_fonts_end(struct write_fonts *fonts, struct write_file *file, GString *resources);

#endif
