/*
 * flow: what is to be read, in order, without a page: blocks of text with spans.
 *
 * text.c and html/ make it from bodies, layout.c breaks it into lines and pages. Text is clean
 * UTF-8; '\n' inside a block is a line break that stays. Memory is GLib's. One thread.
 */
#ifndef SG_PDFENC_FLOW_H
#define SG_PDFENC_FLOW_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define FLOW_BLOCK_MAX ((size_t)4096)	/* bytes of one block; longer text becomes several, since
					   Pango's cost grows faster than a paragraph's length */
#define FLOW_DEPTH_MAX 12		/* deeper quotes and lists are drawn at this depth */

enum flow_kind {
	FLOW_PARAGRAPH,
	FLOW_FIXED,		/* columns count: a font of one width */
	FLOW_HEADING,
	FLOW_RULE,		/* a line across; no text */
	FLOW_NOTE,		/* ours, not the sender's */
	FLOW_NESTED,		/* the head of a nested message: lines "Label: value" */
	FLOW_HTML,		/* a body to be laid out as it looks; its text form follows */
	FLOW_FILE		/* an attached file begins; no text */
};

enum flow_style {
	FLOW_LINK,
	FLOW_BOLD,
	FLOW_ITALIC
};

struct flow_span {
	enum flow_style style;
	size_t start;		/* byte offsets in the block's text */
	size_t end;
	char *uri;		/* FLOW_LINK: printable ASCII, http, https or mailto */
};

struct attachments_item;

struct flow_block {
	enum flow_kind kind;
	unsigned int quote;	/* how deep it is quoted */
	unsigned int indent;	/* how deep in lists */
	char *marker;		/* what stands before it ("1."); NESTED: its title; or NULL */
	bool joined;		/* goes on where the block before ended: no space between */
	GString *text;
	GArray *spans;		/* struct flow_span */
	const GString *html;	/* FLOW_HTML: the body, borrowed from the document */
	unsigned int count;	/* FLOW_HTML: blocks of its text form, if it cannot be drawn */
	struct attachments_item *file;	/* FLOW_FILE, borrowed */
};

struct flow {
	GPtrArray *blocks;	/* struct flow_block */
	size_t size;		/* bytes of text so far */
};

/* Without blocks; the caller flow_frees. */
struct flow *flow_new(void);
/* Releases it and its blocks. */
void flow_free(struct flow *flow);

/* A new block at the end; the flow owns it. */
struct flow_block *flow_add(struct flow *flow, enum flow_kind kind);
/*
 * Adds size bytes as blocks like *pattern (kind, quote, indent, marker on the first), cut at white
 * space below FLOW_BLOCK_MAX, with links found in the text.
 */
void flow_add_text(struct flow *flow, const struct flow_block *pattern, const char *text,
    size_t size);
/* uri NULL for bold and italic. A uri that may not be followed (flow_uri) is left out. */
void flow_add_span(struct flow_block *block, enum flow_style style, size_t start, size_t end,
    const char *uri);
/* Marks the addresses of web pages and mailboxes that stand in the text from offset start on. */
void flow_find_links(struct flow_block *block, size_t start);
/*
 * The address in the form that may stand in a PDF: http, https, mailto, tel; other bytes than
 * printable ASCII as %XX. NULL for every other scheme. The caller g_frees.
 */
char *flow_uri(const char *text, size_t size);

#endif
