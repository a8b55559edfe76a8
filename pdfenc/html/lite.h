/*
 * lite: what pages need of litehtml, which speaks C++ only: cleaned HTML -> a sheet.
 *
 * No exception leaves it. litehtml 0.6 is made good for mail here: tables inside tables, columns
 * that run from right to left, breaks in all scripts, alignment by attributes. It never fetches.
 */
#ifndef SG_PDFENC_HTML_LITE_H
#define SG_PDFENC_HTML_LITE_H

#include <stdbool.h>
#include <stdint.h>

#include "pdfenc/display.h"
#include "pdfenc/html/sheet.h"
#include "pdfenc/html/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The picture behind a cid: or data: address, or NULL: then a box with its text is drawn. */
typedef const struct display_image *lite_picture_fn(void *context, const char *address);

struct lite_request {
	const char *html;	/* cleaned */
	const char *css;
	struct words *words;
	float scale;		/* points a unit */
	int width;		/* units */
	lite_picture_fn *picture;
	void *context;
	int64_t cpu_ms_max;
};

enum lite_result {
	LITE_DRAWN,
	LITE_WIDE,		/* nothing drawn: it wants *width_out units */
	LITE_FAILED		/* too much work, or litehtml gave up */
};

/* tolerance: units that it may be wider than width. */
enum lite_result lite_draw(const struct lite_request *request, int tolerance,
    struct sheet *sheet, int *width_out);

#ifdef __cplusplus
}
#endif

#endif
