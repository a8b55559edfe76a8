#include "pdfenc/html/element.h"

#include <stddef.h>
#include <string.h>

#define B (1u << ELEMENT_BLOCK)
#define G (1u << ELEMENT_BLOCK | 1u << ELEMENT_GAP)
#define BOLD (1u << ELEMENT_BOLD)
#define ITALIC (1u << ELEMENT_ITALIC)

/* span and font can hide: they are here so that their ends are known */
static const struct element elements[] = {
	{ "a", 1u << ELEMENT_LINK, ELEMENT_NOT_EMPTY },
	{ "address", G | ITALIC, ELEMENT_NOT_EMPTY },
	{ "article", G, ELEMENT_NOT_EMPTY },
	{ "aside", G, ELEMENT_NOT_EMPTY },
	{ "b", BOLD, ELEMENT_NOT_EMPTY },
	{ "base", 0, ELEMENT_NOTHING },
	{ "blockquote", G | 1u << ELEMENT_QUOTE, ELEMENT_NOT_EMPTY },
	{ "body", B, ELEMENT_NOT_EMPTY },
	{ "br", 0, ELEMENT_BR },
	{ "button", 0, ELEMENT_NOT_EMPTY },
	{ "caption", B | BOLD, ELEMENT_NOT_EMPTY },
	{ "center", B, ELEMENT_NOT_EMPTY },
	{ "cite", ITALIC, ELEMENT_NOT_EMPTY },
	{ "dd", B, ELEMENT_NOT_EMPTY },
	{ "details", B, ELEMENT_NOT_EMPTY },
	{ "dir", G | 1u << ELEMENT_LIST, ELEMENT_NOT_EMPTY },
	{ "div", B, ELEMENT_NOT_EMPTY },
	{ "dl", G, ELEMENT_NOT_EMPTY },
	{ "dt", B | BOLD, ELEMENT_NOT_EMPTY },
	{ "em", ITALIC, ELEMENT_NOT_EMPTY },
	{ "fieldset", G, ELEMENT_NOT_EMPTY },
	{ "figcaption", B, ELEMENT_NOT_EMPTY },
	{ "figure", G, ELEMENT_NOT_EMPTY },
	{ "font", 0, ELEMENT_NOT_EMPTY },
	{ "footer", G, ELEMENT_NOT_EMPTY },
	{ "form", G, ELEMENT_NOT_EMPTY },
	{ "h1", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "h2", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "h3", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "h4", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "h5", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "h6", G | 1u << ELEMENT_HEADING, ELEMENT_NOT_EMPTY },
	{ "header", G, ELEMENT_NOT_EMPTY },
	{ "hr", 0, ELEMENT_HR },
	{ "i", ITALIC, ELEMENT_NOT_EMPTY },
	{ "img", 0, ELEMENT_IMG },
	{ "input", 0, ELEMENT_NOTHING },
	{ "label", 0, ELEMENT_NOT_EMPTY },
	{ "legend", B | BOLD, ELEMENT_NOT_EMPTY },
	{ "li", B | 1u << ELEMENT_ITEM, ELEMENT_NOT_EMPTY },
	{ "link", 0, ELEMENT_NOTHING },
	{ "listing", G | 1u << ELEMENT_PRE, ELEMENT_NOT_EMPTY },
	{ "main", G, ELEMENT_NOT_EMPTY },
	{ "menu", G | 1u << ELEMENT_LIST, ELEMENT_NOT_EMPTY },
	{ "meta", 0, ELEMENT_NOTHING },
	{ "nav", G, ELEMENT_NOT_EMPTY },
	{ "ol", G | 1u << ELEMENT_LIST, ELEMENT_NOT_EMPTY },
	{ "option", B, ELEMENT_NOT_EMPTY },
	{ "p", G | 1u << ELEMENT_PARAGRAPH, ELEMENT_NOT_EMPTY },
	{ "pre", G | 1u << ELEMENT_PRE, ELEMENT_NOT_EMPTY },
	{ "section", G, ELEMENT_NOT_EMPTY },
	{ "span", 0, ELEMENT_NOT_EMPTY },
	{ "strong", BOLD, ELEMENT_NOT_EMPTY },
	{ "summary", B, ELEMENT_NOT_EMPTY },
	{ "table", G | 1u << ELEMENT_FENCE, ELEMENT_NOT_EMPTY },
	{ "td", 1u << ELEMENT_CELL, ELEMENT_NOT_EMPTY },
	{ "template", 1u << ELEMENT_HIDES, ELEMENT_NOT_EMPTY },
	{ "th", 1u << ELEMENT_CELL | BOLD, ELEMENT_NOT_EMPTY },
	{ "tr", B | 1u << ELEMENT_ROW, ELEMENT_NOT_EMPTY },
	{ "ul", G | 1u << ELEMENT_LIST, ELEMENT_NOT_EMPTY },
	{ "wbr", 0, ELEMENT_WBR },
};

const struct element *element_find(const char *name)
{
	size_t low = 0;
	size_t high = sizeof(elements) / sizeof(elements[0]);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, elements[middle].name);

		if (order == 0)
			return &elements[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool element_begins_line(const char *name)
{
	const unsigned int begin = 1u << ELEMENT_BLOCK | 1u << ELEMENT_CELL;
	const struct element *element = element_find(name);

	return element != NULL && (element->effects & begin) != 0;
}
