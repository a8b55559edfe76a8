/*
 * html: an HTML body -> flow: all of its words in reading order, without its looks. Pure.
 *
 * Links are followed by their address, rows of tables are lines, lists keep their numbers. What
 * the sender hid (display:none), scripts and styles are left out. Made for untrusted input: cost
 * grows with the size only.
 */
#ifndef SG_PDFENC_HTML_HTML_H
#define SG_PDFENC_HTML_HTML_H

#include <stdbool.h>
#include <stddef.h>

#include "pdfenc/flow.h"

/* html is clean UTF-8. */
void html_to_flow(const char *html, size_t size, struct flow *flow);
/* Whether anything would be read. */
bool html_has_text(const char *html, size_t size);

#endif
