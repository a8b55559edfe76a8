/*
 * clean: an HTML body as mail has it -> the part of it that is laid out, within limits. Pure.
 *
 * Known elements and attributes only: no scripts, forms, frames or metadata; style sheets apart.
 * What makes litehtml slow or endless is cut here, before it sees it: depth, spans, lengths, rules.
 */
#ifndef SG_PDFENC_HTML_CLEAN_H
#define SG_PDFENC_HTML_CLEAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define CLEAN_DEPTH_MAX 200u		/* open elements; of deeper ones the text stays */
#define CLEAN_ELEMENTS_MAX 40000u	/* of a body; above, it is shown as text */
#define CLEAN_SPAN_MAX 100u		/* colspan, rowspan */
#define CLEAN_SIZE_MAX ((size_t)4 * 1024 * 1024)	/* bytes of a body; above, text */

struct clean {
	GString *html;
	GString *css;
};

/* html is clean UTF-8. False: above a limit; there is nothing to free then. */
bool clean_html(const char *html, size_t size, struct clean *clean);
void clean_free(struct clean *clean);

#endif
