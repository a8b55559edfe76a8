/*
 * element: what each element of HTML does to text. Pure; a table.
 */
#ifndef SG_PDFENC_HTML_ELEMENT_H
#define SG_PDFENC_HTML_ELEMENT_H

#include <stdbool.h>

enum element_effect {
	ELEMENT_BLOCK,		/* begins and ends a line */
	ELEMENT_GAP,		/* stands apart from what is around it */
	ELEMENT_PARAGRAPH,	/* ends where the next block begins */
	ELEMENT_HEADING,
	ELEMENT_PRE,		/* white space counts */
	ELEMENT_QUOTE,
	ELEMENT_LIST,
	ELEMENT_ITEM,
	ELEMENT_ROW,
	ELEMENT_CELL,
	ELEMENT_FENCE,		/* tables: an end tag inside does not reach out of it */
	ELEMENT_BOLD,
	ELEMENT_ITALIC,
	ELEMENT_LINK,
	ELEMENT_HIDES,
	ELEMENT_EFFECTS
};

enum element_empty {
	ELEMENT_NOT_EMPTY,
	ELEMENT_BR,
	ELEMENT_HR,
	ELEMENT_IMG,
	ELEMENT_WBR,
	ELEMENT_NOTHING		/* no content, no effect: meta, link, input */
};

struct element {
	const char *name;
	unsigned int effects;	/* bits 1 << enum element_effect */
	enum element_empty empty;
};

/* By lower-case name; NULL for those without any effect (span, font and all unknown ones). */
const struct element *element_find(const char *name);

/* Whether what stands in it begins a line of its own. */
bool element_begins_line(const char *name);

#endif
