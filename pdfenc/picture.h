/*
 * picture: image files that came with a mail -> images of the display, within limits.
 *
 * What a file is is told by its first bytes, not by its name or type. JPEG is kept byte for byte,
 * PNG, GIF (the first frame) and WebP are decoded. Sizes are looked at before any pixel is made.
 */
#ifndef SG_PDFENC_PICTURE_H
#define SG_PDFENC_PICTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "pdfenc/display.h"

#define PICTURE_BYTES_MAX ((size_t)32 * 1024 * 1024)	/* of a file that is decoded */
#define PICTURE_PIXELS_MAX ((size_t)24 * 1000 * 1000)	/* of one picture: a good camera's */
#define PICTURE_PIXELS_ALL ((size_t)64 * 1000 * 1000)	/* decoded for one message */

/*
 * NULL: not a picture that can be shown, or above a limit. *pixels counts what was decoded so far.
 * The display owns the result; data is held as long as needed.
 */
const struct display_image *picture_load(struct display *display, GBytes *data, size_t *pixels);

#define PICTURE_LOGO_WIDTH 480u	/* pixels kept of a logo: 40 mm at 300 an inch */
#define PICTURE_LOGO_HEIGHT 168u

/* A PNG or JPEG, made smaller to about that unless it is a JPEG. NULL: it cannot be decoded. */
const struct display_image *picture_logo(struct display *display, GBytes *data);

#define PICTURE_PAGE_SIDE 2200u	/* pixels kept of a picture that fills a page: 260 an inch */

/* What a file's first bytes say, before anything is decoded. */
struct picture_facts {
	unsigned int width;	/* pixels */
	unsigned int height;
};

/* False: no picture of a kind that is known here. */
bool picture_look(const guint8 *data, size_t size, struct picture_facts *facts_out);

/*
 * A picture that is shown for itself: as above, and HEIC where libheif is there, and TIFF not; more
 * than PICTURE_PAGE_SIDE pixels are made fewer, photographs that were no JPEG become one. At most
 * pixels_max are decoded, four times that for one message. data outlives the display.
 */
const struct display_image *picture_page(struct display *display, const guint8 *data, size_t size,
    size_t pixels_max, size_t *pixels);

#endif
