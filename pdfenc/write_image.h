/*
 * write_image: the images of one document, each written once, when it is first drawn.
 */
#ifndef SG_PDFENC_WRITE_IMAGE_H
#define SG_PDFENC_WRITE_IMAGE_H

#include <glib.h>

#include "pdfenc/display.h"
#include "pdfenc/faces.h"
#include "pdfenc/write_file.h"

struct write_images {
	struct write_file *file;	/* borrowed */
	GHashTable *indexes;	/* what is drawn -> its index */
	GString *resources;	/* "/I1 7 0 R" */
	unsigned int count;
};

/* Begins; the caller write_images_frees. */
void write_images_start(struct write_images *images, struct write_file *file);
/* Releases all. */
void write_images_free(struct write_images *images);

/*
 * The index of an image ("I1" among the resources). JPEG bytes stay as they are; up to 256 colours
 * become a palette, other pixels are filtered as in PNG.
 */
unsigned int write_image(struct write_images *images, const struct display_image *image);
/* The same for a glyph's picture; 0 if it has none. */
unsigned int write_glyph_image(struct write_images *images, struct faces *faces,
    struct face *face, unsigned int glyph);

#endif
