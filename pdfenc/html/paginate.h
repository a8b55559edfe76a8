/*
 * paginate: where a long sheet is cut into pages. Pure.
 *
 * Never through a line of text or a picture that fits on a page; not through table rows and boxes
 * up to a third of a page if there is another place.
 */
#ifndef SG_PDFENC_HTML_PAGINATE_H
#define SG_PDFENC_HTML_PAGINATE_H

#include <glib.h>

/*
 * spans: struct sheet_span, in any order. first: the height left on the first page, page: that of
 * all others. The heights where pages end, ascending; the last one is height. The caller
 * g_array_unrefs (float).
 */
GArray *paginate(const GArray *spans, float height, float first, float page);

#endif
