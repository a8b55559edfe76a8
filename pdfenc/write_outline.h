/*
 * write_outline: the document's table of contents beside its pages (ISO 32000-2 12.3.3).
 */
#ifndef SG_PDFENC_WRITE_OUTLINE_H
#define SG_PDFENC_WRITE_OUTLINE_H

#include "pdfenc/display.h"
#include "pdfenc/write_file.h"

/* Writes it; pages are the numbers of their objects. Returns its number, 0 if it has no entry. */
unsigned int write_outline(struct write_file *file, const struct display *display,
    const unsigned int *pages);

#endif
