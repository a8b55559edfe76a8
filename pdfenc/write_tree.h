/*
 * write_tree: the structure of a document (ISO 32000-2 14.7): what belongs to which heading,
 * paragraph, table, and in which order it is read.
 *
 * Nodes stand for elements of the display; pages mark their content with numbers (MCIDs) that
 * belong to nodes. Nodes without content are left out.
 */
#ifndef SG_PDFENC_WRITE_TREE_H
#define SG_PDFENC_WRITE_TREE_H

#include <glib.h>

#include "pdfenc/display.h"
#include "pdfenc/write_file.h"

#define WRITE_TREE_ROOT 0u	/* the node of the whole document */

struct write_tree {
	struct write_file *file;	/* borrowed */
	GArray *nodes;
	unsigned int *of_element;	/* node by element's number; 0: none yet */
	GPtrArray *marks;		/* by page: GArray of nodes, by MCID */
	GArray *links;			/* nodes, by number of the link */
};

/* Begins; the caller write_tree_frees. */
void write_tree_start(struct write_tree *tree, struct write_file *file,
    const struct display *display);
/* Releases all. */
void write_tree_free(struct write_tree *tree);

/* The node of an element, made as the last child of parent if it has none. */
unsigned int write_tree_node(struct write_tree *tree, const struct display_element *element,
    unsigned int parent);
/* A new node of this tag (static) without an element; alt may be NULL. */
unsigned int write_tree_add(struct write_tree *tree, const char *tag, const char *alt,
    unsigned int parent);
/* The tag under which a node's content is marked; static. */
const char *write_tree_tag(const struct write_tree *tree, unsigned int node);
/* Where a Figure stands: left, bottom, right, top. */
void write_tree_box(struct write_tree *tree, unsigned int node, const double box[4]);
/* The number of the next piece of content on page that belongs to node. */
unsigned int write_tree_mark(struct write_tree *tree, unsigned int node, unsigned int page);
/* An annotation belongs to node; returns its /StructParent. */
unsigned int write_tree_link(struct write_tree *tree, unsigned int node, unsigned int page,
    unsigned int annotation);

/* Writes all; pages are the numbers of their objects. Returns the number of the root. */
unsigned int write_tree_end(struct write_tree *tree, const unsigned int *pages);

#endif
