/*
 * faces: what the writer knows of each font file, kept over all documents of a process.
 *
 * A face is the file behind fonts of any size. Its tables stay in memory (the file is mapped), its
 * metrics, widths and pictures are looked up once. Nothing of a message stays in it but which
 * emoji were ever used. One thread.
 */
#ifndef SG_PDFENC_FACES_H
#define SG_PDFENC_FACES_H

#include <glib.h>
#include <hb.h>
#include <stdbool.h>
#include <stdint.h>

#define FACES_PICTURES_MAX 400u	/* kept of a face; about 3 KB each */

enum face_kind {
	FACE_TRUETYPE,
	FACE_CFF,
	FACE_PICTURES,		/* PNG pictures: CBDT or sbix */
	FACE_OUTLINES		/* not to be embedded (variable, CFF2, forbidden): drawn */
};

/* One glyph that is a picture, ready for the file. */
struct face_picture {
	unsigned int width;	/* pixels; 0: there is none */
	unsigned int height;
	GByteArray *color;	/* compressed RGB or, with a palette, indexes */
	GByteArray *palette;	/* RGB, or NULL */
	GByteArray *alpha;	/* compressed, or NULL */
};

struct face {
	hb_face_t *face;
	hb_face_t *prepared;	/* for subsetting */
	hb_font_t *font;	/* of units_per_em points */
	enum face_kind kind;
	double unit;		/* thousandths of an em for one unit of the face */
	int ascent;		/* thousandths of an em, as all below */
	int descent;
	int cap_height;
	int box[4];
	double slope;		/* italic angle */
	bool fixed;
	unsigned int weight;
	char name[64];		/* PostScript name: letters, digits, '-' */
	float *widths;		/* by glyph; below 0: not looked up */
	unsigned int glyphs;
	GHashTable *pictures;	/* glyph -> struct face_picture */
};

struct faces;
struct write_packer;
struct _PangoFont;

/* The caller faces_frees. */
struct faces *faces_new(void);
/* Releases it and what it keeps. */
void faces_free(struct faces *faces);

/* The face of a font; the faces own it. Never NULL. */
struct face *faces_find(struct faces *faces, struct _PangoFont *font);
/* What streams are compressed with; the faces own it. */
const struct write_packer *faces_packer(const struct faces *faces);

/* The advance of a glyph in thousandths of an em. */
double face_width(struct face *face, unsigned int glyph);
/* A glyph's picture (width 0: it has none), borrowed until the next call. */
const struct face_picture *face_picture(struct faces *faces, struct face *face,
    unsigned int glyph);

#endif
