/*
 * The administrator's texts: what is taken can be filled, and nothing of a message comes out of
 * HTML as anything but text. The first byte chooses the name.
 * links: sealgate
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { TEMPLATE_PASSWORD, TEMPLATE_KEPT, TEMPLATE_UNHANDED,
		TEMPLATE_OUTER, TEMPLATE_OUTER_HTML, TEMPLATE_WORDS, TEMPLATE_REFUSED,
		TEMPLATE_SEALED };
	static const struct template_value values[] = { { "file", "message.pdf", 11 },
		{ "how", "by letter", 9 }, { "subject", "Grüße", 7 }, { "password", "x", 1 } };
	const size_t count = sizeof(values) / sizeof(values[0]);
	const char *name;
	struct buf out;
	char *text;
	struct fail f;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (text == NULL)
		abort();
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
	if (template_check(name, text, &f) == SG_OK) {
		buf_init(&out, (size_t)1024 * 1024);
		if (template_fill(text, values, count, &out) != SG_OK)
			abort();
		buf_reset(&out);
		if (template_fill_lines(text, values, count, &out) != SG_OK)
			abort();
		buf_free(&out);
	}
	free(text);
	return 0;
}
