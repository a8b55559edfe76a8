/*
 * An HTML body becomes a display list: within its time, each line on a page.
 * links: sealgate-pdf
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/fail.h"
#include "pdfenc/charset.h"
#include "pdfenc/compose.h"
#include "pdfenc/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Fonts are read once: the engine is the only thing that outlives an input. */
static struct layout_engine *engine(void)
{
	static struct layout_engine *made;

	if (made == NULL)
		made = layout_engine_new();
	return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct document *document;
	struct layout_request request = { .pages_max = 20 };
	struct flow *flow;
	struct display *display;
	bool cut;

	if (size > 65536)
		return 0;
	document = document_new();
	(void)document_add_body(document, DOCUMENT_HTML, charset_to_utf8("utf-8", data, size));
	flow = compose_flow(document);
	request.document = document;
	request.flow = flow;
	display = layout_pages(engine(), &request, &cut);
	SG_BUG_IF(display->pages->len == 0 || display->pages->len > request.pages_max);
	display_free(display);
	flow_free(flow);
	document_free(document);
	return 0;
}
