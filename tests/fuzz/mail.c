/*
 * Any bytes as a message: a document with a body, each attachment with a name; it fails only where
 * there are no bytes. links: sealgate-pdf
 */
#include <stdint.h>
#include <stdlib.h>

#include "pdfenc/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	struct document *document = NULL;
	struct fail f;

	if (!started)
		mime_start();
	started = true;
	if (mime_parse(data, size, NULL, &document, &f) != SG_OK)
		return 0;
	if (document == NULL)
		abort();
	document_free(document);
	return 0;
}
