/*
 * pages: an HTML body -> pages of the display, as the mail looks.
 *
 * From the setter's height on down. Laid out for a light screen of CSS_VIEWPORT pixels; what wants
 * more is laid out again as wide as it wants (PAGES_WIDTH_MAX) and made smaller.
 */
#ifndef SG_PDFENC_HTML_PAGES_H
#define SG_PDFENC_HTML_PAGES_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pdfenc/document.h"
#include "pdfenc/setter.h"

#define PAGES_WIDTH_MAX 1400		/* pixels */
#define PAGES_CPU_MS ((int64_t)2500)	/* of one body; a newsletter of 100 KB takes 60 */
#define PAGES_CPU_ALL_MS ((int64_t)8000)	/* of all bodies of a message */

/*
 * body: an HTML body of document, whose files are its pictures (cid:). False: it is above a limit
 * or litehtml failed; nothing was drawn, and the text form is to be used. *cpu_ms_left becomes
 * less.
 */
bool pages_set_html(struct setter *setter, const struct document *document, const GString *body,
    int64_t *cpu_ms_left);

#endif
