/*
 * entity: character references of HTML. Pure.
 */
#ifndef SG_PDFENC_HTML_ENTITY_H
#define SG_PDFENC_HTML_ENTITY_H

#include <glib.h>
#include <stddef.h>

/*
 * Reads the reference at text (which begins with '&'), of size bytes left. Appends its character
 * to out and returns the bytes it took; 0 (nothing appended) if it is none.
 */
size_t entity_read(const char *text, size_t size, GString *out);

#endif
