/*
 * attachments: which attached files become pages, what is said about each, and those pages.
 *
 * Every file is embedded. Besides, so that it is seen where readers hide embedded files: PDFs are
 * appended, pictures and text become pages, each with its name above and an entry in the outline.
 * What the message shows already (pictures by cid:, nested messages, invitations) is not shown
 * again. Where a limit is met, or a file cannot be shown, a sentence says so.
 *
 * Planned before the layout, set by it, and alive until the PDF is sealed. One thread; GLib memory.
 */
#ifndef SG_PDFENC_ATTACHMENTS_H
#define SG_PDFENC_ATTACHMENTS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdfenc/append.h"
#include "pdfenc/document.h"
#include "pdfenc/flow.h"
#include "pdfenc/setter.h"

#define ATTACHMENTS_TEXT_MAX ((size_t)256 * 1024)	/* bytes of one text: some 70 pages */
#define ATTACHMENTS_TEXT_ALL ((size_t)1024 * 1024)
#define ATTACHMENTS_CPU_MS ((int64_t)4000)	/* of reading all attached PDFs */
#define ATTACHMENTS_MEMORY ((size_t)256 * 1024 * 1024)	/* bytes, of reading one */
#define ATTACHMENTS_PICTURE_MIN 24u	/* pixels; smaller ones are lines and dots of a design */

struct attachments_limits {
	bool pages;			/* none at all if false */
	unsigned int pages_max;		/* of all attached PDFs together */
	size_t pixels_max;		/* of one picture */
	size_t size_max;		/* bytes of a file */
};

enum attachments_kind {
	ATTACHMENTS_PANE,	/* to be opened from the reader's pane alone */
	ATTACHMENTS_READ,	/* stands in the message */
	ATTACHMENTS_PDF,
	ATTACHMENTS_PICTURE,
	ATTACHMENTS_TEXT,
	ATTACHMENTS_TABLE
};

struct attachments_item {
	const struct document_file *file;
	struct attachments *all;
	enum attachments_kind kind;
	char *note;			/* why it is not shown, or not all of it; NULL */
	struct append *pdf;		/* PDF */
	GString *text;			/* TEXT; TABLE: as HTML */
	bool placed;
	unsigned int first_page;	/* from 0, once placed */
	unsigned int page_count;	/* PDF: pages placed */
	unsigned int row_page;		/* where its row in the head stands */
	double row_y;
};

struct attachments {
	const struct document *document;
	struct attachments_limits limits;
	GPtrArray *items;		/* struct attachments_item, as the files of the document */
	GArray *places;			/* struct append_place, by token */
	size_t pixels;			/* decoded so far */
	size_t text_left;
	int64_t cpu_ms_left;
	unsigned int pages_left;
};

/* document must outlive the result; the caller attachments_frees. */
struct attachments *attachments_plan(const struct document *document,
    const struct attachments_limits *limits);
/* Releases it; the PDF has been sealed. */
void attachments_free(struct attachments *attachments);
/* Whether pages of attached PDFs were placed. */
bool attachments_appended(const struct attachments *attachments);

/* Adds what is to be shown behind the message: FLOW_FILE, and text behind it. */
void attachments_compose(struct attachments *attachments, struct flow *flow);

/* For layout: sets a FLOW_FILE block. */
void attachments_set(struct setter *setter, const struct flow_block *block);
/* On a page of an attached PDF: the document's page number; false on all other pages. */
bool attachments_set_number(const struct attachments *attachments, struct setter *setter,
    unsigned int page);

#endif
