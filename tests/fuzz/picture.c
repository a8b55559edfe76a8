/*
 * Any bytes as a picture: shown within the limits, or not.
 * links: sealgate-pdf
 */
#include <stdint.h>

#include "gateway/base/fail.h"
#include "pdfenc/picture.h"

#define PIXELS ((size_t)1000 * 1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct display *display = display_new(100, 100);
	struct picture_facts facts;
	const struct display_image *image = NULL;
	size_t pixels = 0;

	if (picture_look(data, size, &facts) && (size_t)facts.width * facts.height <= PIXELS)
		image = picture_page(display, data, size, PIXELS, &pixels);
	SG_BUG_IF(pixels > 4 * PIXELS);
	SG_BUG_IF(image != NULL && (image->width == 0 || image->height == 0));
	display_free(display);
	return 0;
}
