/*
 * bookmark: the outline of a mail: its subject, the headings of its bodies below it, its files.
 *
 * There is none unless a mail has a heading or a file with pages: a single entry leads nowhere.
 */
#ifndef SG_PDFENC_BOOKMARK_H
#define SG_PDFENC_BOOKMARK_H

#include "pdfenc/display.h"

#define BOOKMARK_HEADINGS_MAX 200u	/* of a mail: more than that nobody looks through */

/* A file whose pages begin at entry's page, beside the mail; its level is ignored. */
void bookmark_file(struct display *display, const char *subject,
    const struct display_outline *entry);
/*
 * A heading of a body; entry's level is 1, or 2 below the one before. It stands below the subject
 * (NULL: there is none), before all files. Dropped if there are BOOKMARK_HEADINGS_MAX.
 */
void bookmark_heading(struct display *display, const char *subject,
    const struct display_outline *entry);

#endif
