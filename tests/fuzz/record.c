/*
 * What decodes as a record encodes to the same bytes again: the encoding is canonical. (One of the
 * first version, which is read but not written any more, encodes to one of the second.)
 * links: sealgate-milter
 */
#include <stdint.h>
#include <string.h>

#include "gateway/vault/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record;
	struct buf out;
	struct fail f;

	buf_init(&out, (size_t)1024 * 1024);
	if (record_decode(data, size, &record, &f) == SG_OK) {
		SG_BUG_IF(record_encode(&record, &out) != SG_OK);
		SG_BUG_IF(data[0] == RECORD_VERSION &&
		    (out.size != size || memcmp(out.data, data, size) != 0));
		record_free(&record);
	}
	buf_free(&out);
	return 0;
}
