/*
 * text: a plain text body -> flow. Pure.
 *
 * Lines stay as they were broken, unless the sender marked them as flowed (RFC 3676). Lines that
 * begin with ">" are quotes. Where columns were made with spaces, a font of one width keeps them.
 */
#ifndef SG_PDFENC_TEXT_H
#define SG_PDFENC_TEXT_H

#include <glib.h>
#include <stdbool.h>

#include "pdfenc/flow.h"

/* Appends to flow; text is clean UTF-8. */
void text_to_flow(const GString *text, bool flowed, bool delsp, struct flow *flow);

#endif
