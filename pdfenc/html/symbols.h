/*
 * symbols: text in fonts of signs (Wingdings, Symbol), as Word and Outlook write their bullets, in
 * Unicode. Pure. Where such a font is named and absent, people would read a section sign for a
 * bullet. The tables are the usual correspondences of Microsoft's two fonts.
 */
#ifndef SG_PDFENC_HTML_SYMBOLS_H
#define SG_PDFENC_HTML_SYMBOLS_H

#include <glib.h>

enum symbols {
	SYMBOLS_NONE = 0,
	SYMBOLS_WINGDINGS,
	SYMBOLS_SYMBOL
};

/* Of a list of font families: its first one counts. */
enum symbols symbols_of(const char *families);
/* Appends text; what has no sign of its own stays as it is. */
void symbols_translate(enum symbols symbols, const char *text, GString *out);

#endif
