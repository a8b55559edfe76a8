/*
 * write: display list -> PDF bytes. Not encrypted, without attachments: seal adds both.
 *
 * PDF 2.0, tagged. Text as Type 0 fonts, subset (hb-subset), every code with its Unicode; emoji as
 * pictures of the font's full size with their text; images, shapes, clips, links, outline. The
 * same display gives the same bytes: no dates, no names but what the display says.
 *
 * Bytes, not objects of libqpdf: these would have to be built in C++ and could not be read alone by
 * other programs in tests. What qpdf takes to read and write the 60 objects of a 10 KB text is at
 * most 1.1 ms of 12 (the difference to a text of 0.7 KB, the compression of its original included,
 * on a busy machine); building them through its interface was not measured.
 *
 * Limits: page content nests DISPLAY_NEST_MAX deep; coordinates are cut at 32767 points; 65,000
 * codes a font. Fonts that may not or cannot be embedded (variable, CFF2) are drawn as shapes, with
 * their text besides. Glyphs that no font has are not drawn; their text is there.
 */
#ifndef SG_PDFENC_WRITE_H
#define SG_PDFENC_WRITE_H

#include <glib.h>

#include "gateway/base/fail.h"
#include "pdfenc/display.h"
#include "pdfenc/faces.h"

struct write_request {
	const struct display *display;	/* at least one page */
	struct faces *faces;		/* kept over documents */
	const char *title;		/* UTF-8 */
	const char *language;		/* BCP 47, or NULL */
};

/* Appends the PDF to out, which is empty. SG_EFORMAT: no pages. */
MUST_USE enum fail_code write_pdf(const struct write_request *request, GByteArray *out,
    struct fail *f);

#endif
