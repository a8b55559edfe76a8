/*
 * write: display list and files -> PDF, plain or encrypted.
 *
 * PDF 2.0, tagged. Text as subset fonts (hb-subset), every code with its Unicode; emoji as pictures
 * of the font's full size with their text; images, shapes, clips, links, outline. The same display
 * gives the same plain bytes: no dates, no names but what the display says.
 *
 * Encrypted here, not by libqpdf, which would have to read what was just written: for a 10 KB text
 * that and its writer are 1.7 ms of 9.7, for a newsletter of 25 pages 30 of 150. Its keys are
 * libqpdf's (qpdf_make_keys). Only where pages of attached PDFs stand among ours is the PDF
 * written plain, and sealed by libqpdf.
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
#include "pdfenc/write_files.h"

struct write_request {
	const struct display *display;	/* at least one page */
	struct faces *faces;		/* kept over documents */
	const char *title;		/* UTF-8 */
	const char *language;		/* BCP 47, or NULL */
	const struct write_attached *files;
	size_t file_count;
	const char *nonce;		/* plain, to be sealed by libqpdf: makes what that hashes
					   into the file's identifiers unguessable; or NULL */
	struct write_crypt *crypt;	/* NULL: plain, into out */
	int fd;				/* with crypt: gets the PDF */
};

/*
 * Plain: appends the PDF to out, which is empty. Encrypted: out is room for the work. SG_EFORMAT:
 * no pages; SG_ESYSTEM: it cannot be encrypted or written.
 */
MUST_USE enum fail_code write_pdf(const struct write_request *request, GByteArray *out,
    struct fail *f);

#endif
