/*
 * Lines of a mail log: every byte may come from outside. What is made of them fits a record.
 * links: sealgate-trace
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/trace/join.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct join_batch *batch)
{
	struct buf out;
	size_t i;

	buf_init(&out, (size_t)64 * 1024);
	for (i = 0; i < batch->count; i++) {
		buf_reset(&out);
		SG_BUG_IF(record_encode(&batch->facts[i].record, &out) != SG_OK);
	}
	buf_free(&out);
	join_batch_clear(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct join_ports ports = {10225, 10226};
	struct join *join = join_new(&ports);
	char *text = malloc(size + 1);
	static struct join_batch batch;
	struct line line;
	struct fail f;
	char *at = text;
	char *next;

	if (text == NULL || join == NULL)
		goto out;
	memcpy(text, data, size);
	text[size] = '\0';
	for (; at != NULL; at = next) {
		next = strchr(at, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (line_parse(at, INT64_C(1795550400000), &line) &&
		    join_line(join, &line, &batch, &f) != SG_OK)
			break;
		if (batch.count == JOIN_FACTS_MAX)
			check(&batch);
	}
	check(&batch);
out:
	free(text);
	join_free(join);
	return 0;
}
