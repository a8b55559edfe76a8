/*
 * layout: flow -> pages of a display list, by Pango.
 *
 * The head block on the first page, then the text; page numbers below. An engine (font map and
 * context) is made once a process and used for every message: a new font map costs 5 ms. One
 * thread.
 */
#ifndef SG_PDFENC_LAYOUT_H
#define SG_PDFENC_LAYOUT_H

#include <stdbool.h>

#include "pdfenc/display.h"
#include "pdfenc/document.h"
#include "pdfenc/faces.h"
#include "pdfenc/flow.h"

struct attachments;
struct look;
struct layout_engine;

/* NULL: no fonts at all. Loads what the common scripts need (do it before the sandbox closes). */
struct layout_engine *layout_engine_new(void);
/* Releases it; all displays made with it are gone before. */
void layout_engine_free(struct layout_engine *engine);
/* What the writer keeps of the fonts; the engine owns it. */
struct faces *layout_engine_faces(struct layout_engine *engine);

struct layout_request {
	const struct document *document;	/* its head and files are printed */
	const struct flow *flow;
	struct attachments *attachments;	/* set behind the message; NULL: none */
	const char *protection;		/* a line of the head, or NULL */
	const struct look *look;	/* above it: whose message it is; NULL: nothing */
	const char *language;		/* BCP 47: chooses between forms of Han characters */
	bool letter;			/* US Letter, else A4 */
	unsigned int pages_max;		/* at least 1; the last one says what is missing */
};

/* *cut_out: the text did not fit into pages_max. The caller display_frees. */
struct display *layout_pages(struct layout_engine *engine, const struct layout_request *request,
    bool *cut_out);

#endif
