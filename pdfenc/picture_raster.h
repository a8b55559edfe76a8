/*
 * picture_raster: decoded pixels; shared by the files of picture alone.
 */
#ifndef SG_PDFENC_PICTURE_RASTER_H
#define SG_PDFENC_PICTURE_RASTER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "pdfenc/picture.h"

/* RGBA rows, top first. */
struct raster {
	unsigned int width;
	unsigned int height;
	guint8 *rgba;		/* g_freed by who made the raster */
	size_t pixels_max;	/* of this one */
	size_t pixels_all;	/* of a message */
	size_t *pixels;		/* decoded so far */
};

/* Room (zeroed) for a picture of this size; counted. False: it is above a limit. */
bool raster_make_room(struct raster *raster, size_t width, size_t height);
/* Whether nothing of it is transparent. */
bool raster_is_opaque(const struct raster *raster);
/* As a JPEG of good quality; the caller g_bytes_unrefs. NULL: no memory. */
GBytes *raster_to_jpeg(const struct raster *raster);

/* HEIF (HEIC, AVIF): picture_heif.c, or picture_no_heif.c where libheif is missing. */
bool heif_look(const guint8 *data, size_t size, struct picture_facts *facts_out);
/* Decodes the file's main picture, turned as it should be seen. */
bool heif_decode(const guint8 *data, size_t size, struct raster *raster);

#endif
