/*
 * A message file is split, written again and split again: the fields must be the same, every line
 * end CRLF. links: sealgate-milter
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "milter/message.h"

#define HEADER_MAX ((size_t)64 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message;
	struct message again;
	struct buf out;
	size_t body_at;
	struct fail f;

	message_init(&message);
	message_init(&again);
	buf_init(&out, 4 * HEADER_MAX);
	if (message_parse(&message, (const char *)data, size, HEADER_MAX, &body_at, &f) == SG_OK) {
		SG_BUG_IF(body_at > size);
		for (size_t i = 0; i < message.header_count; i++) {
			SG_BUG_IF(message_index(&message, i) == 0);
			SG_BUG_IF(message_put_header(&message, i, &out) != SG_OK);
		}
		SG_BUG_IF(buf_append(&out, "\r\n", 2) != SG_OK);
		SG_BUG_IF(message_parse(&again, (const char *)out.data, out.size,
		    2 * HEADER_MAX, &body_at, &f) != SG_OK);
		SG_BUG_IF(again.header_count != message.header_count);
	}
	buf_free(&out);
	message_free(&again);
	message_free(&message);
	return 0;
}
