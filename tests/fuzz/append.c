/*
 * An attached PDF is opened within its limits, or not at all; what it says of itself can be drawn.
 * links: sealgate-pdf
 */
#include <math.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "pdfenc/append.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct append_limits limits = { 20, (size_t)32 * 1024 * 1024, 20000 };
	struct append *append;

	if (append_open(data, size, &limits, &append) != APPEND_OPENED) {
		SG_BUG_IF(append != NULL);
		return 0;
	}
	SG_BUG_IF(append_count(append) == 0 || append_count(append) > limits.pages_max);
	for (unsigned int page = 0; page < append_count(append); page++) {
		float width;
		float height;

		append_size(append, page, &width, &height);
		SG_BUG_IF(!isfinite(width) || !isfinite(height) || width <= 0 || height <= 0 ||
		    width > APPEND_SIDE_MAX || height > APPEND_SIDE_MAX);
		for (unsigned int i = 0; i < append_links(append, page); i++)
			SG_BUG_IF(append_link_at(append, page, i).uri == NULL);
	}
	append_free(append);
	return 0;
}
