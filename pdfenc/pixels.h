/*
 * pixels: pixel data made smaller before it is compressed. Pure.
 */
#ifndef SG_PDFENC_PIXELS_H
#define SG_PDFENC_PIXELS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * The colours of count RGB pixels if there are at most 256, and each pixel's index into them (the
 * caller frees both); NULL and *indexes_out NULL otherwise.
 */
GByteArray *pixels_palette(const guint8 *rgb, size_t count, guint8 **indexes_out);
/* Whether every value is 255. */
bool pixels_opaque(const guint8 *alpha, size_t count);
/*
 * Rows of width bytes (step bytes a pixel) as PNG filters them: each with its filter's number
 * before it, the one of None, Sub and Up whose differences are smallest. The caller g_frees;
 * the size is height * (width + 1).
 */
guint8 *pixels_filter(const guint8 *data, size_t width, size_t height, size_t step);

#endif
