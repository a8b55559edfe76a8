/*
 * paint: display list -> PDF bytes, by cairo. Not encrypted, without attachments: seal adds both.
 */
#ifndef SG_PDFENC_PAINT_H
#define SG_PDFENC_PAINT_H

#include <glib.h>

#include "gateway/base/fail.h"
#include "pdfenc/display.h"

/* Appends the PDF to out. */
MUST_USE enum fail_code paint_pdf(const struct display *display, GByteArray *out, struct fail *f);

#endif
