/*
 * source: the pictures of an HTML body: cid: and data: addresses -> images of the display.
 *
 * Nothing is fetched: every other address has no picture. Each is decoded once.
 */
#ifndef SG_PDFENC_HTML_SOURCE_H
#define SG_PDFENC_HTML_SOURCE_H

#include "pdfenc/display.h"
#include "pdfenc/document.h"

#define SOURCE_PICTURES_MAX 200u	/* of a body; more are shown as boxes */

struct source;

/* document is borrowed. The caller source_frees; images stay the display's. */
struct source *source_new(struct display *display, const struct document *document);
void source_free(struct source *source);

/* A lite_picture_fn function; context is a struct source. */
const struct display_image *source_picture(void *context, const char *address);

#endif
