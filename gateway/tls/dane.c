#include "gateway/tls/dane.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define TLSA_TEXT_MAX ((size_t)64)	/* bytes of data that are shown; a digest is no longer */

enum { USAGE_DANE_TA = 2, USAGE_DANE_EE = 3 };
enum { MATCH_FULL = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

static bool is_label(const unsigned char *label, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++) {
		if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.' || label[i] == '\\' ||
		    label[i] == '"')
			return false;
	}
	return true;
}

bool dane_name(const unsigned char *data, size_t size, char name_out[DANE_NAME_MAX],
    size_t *used_out)
{
	size_t at = 0;
	size_t out = 0;

	name_out[0] = '\0';
	while (at < size && data[at] != 0) {
		size_t label = data[at];

		if (label > 63 || label > size - at - 1 || out + label + 1 >= DANE_NAME_MAX ||
		    !is_label(data + at + 1, label))
			return false;
		if (out > 0)
			name_out[out++] = '.';
		memcpy(name_out + out, data + at + 1, label);
		out += label;
		at += label + 1;
	}
	name_out[out] = '\0';
	str_lower(name_out);
	if (used_out != NULL)
		*used_out = at + 1;
	return at < size;
}

static int by_preference(const void *a, const void *b)
{
	const struct dane_mx *left = a;
	const struct dane_mx *right = b;

	if (left->preference != right->preference)
		return left->preference < right->preference ? -1 : 1;
	return strcmp(left->name, right->name);
}

static bool parse_mx(const struct source_record *record, struct dane_mx *mx_out)
{
	size_t used;

	if (record->size < 3)
		return false;
	mx_out->preference = (uint16_t)(record->data[0] << 8 | record->data[1]);
	return dane_name(record->data + 2, record->size - 2, mx_out->name, &used) &&
	    used == record->size - 2;
}

/* Keeps the list sorted and short: a domain may have any number of exchanges. */
static size_t keep_mx(struct dane_mx *mxs, size_t count, const struct dane_mx *mx)
{
	if (count < DANE_MX_MAX)
		mxs[count++] = *mx;
	else if (by_preference(mx, &mxs[count - 1]) < 0)
		mxs[count - 1] = *mx;
	qsort(mxs, count, sizeof *mxs, by_preference);
	return count;
}

size_t dane_mxs(const struct source_dns *answer, struct dane_mx mxs_out[DANE_MX_MAX],
    bool *null_out)
{
	size_t count = 0;
	size_t i;

	*null_out = false;
	for (i = 0; i < answer->count; i++) {
		struct dane_mx mx;

		if (!parse_mx(&answer->records[i], &mx))
			continue;
		if (mx.name[0] == '\0')
			*null_out = answer->count == 1;
		else
			count = keep_mx(mxs_out, count, &mx);
	}
	return count;
}

bool dane_usable(const struct source_record *record)
{
	const unsigned char *data = record->data;
	size_t size;

	if (record->size < 4)
		return false;
	size = record->size - 3;
	if (data[0] != USAGE_DANE_TA && data[0] != USAGE_DANE_EE)
		return false;
	if (data[1] > 1)
		return false;
	switch (data[2]) {
	case MATCH_FULL:
		return data[3] == 0x30 && size > 16;	/* DER: a sequence */
	case MATCH_SHA256:
		return size == 32;
	case MATCH_SHA512:
		return size == 64;
	default:
		return false;
	}
}

enum fail_code dane_text(const struct source_record *record, struct buf *out)
{
	char hex[2 * TLSA_TEXT_MAX + 1];
	size_t head = record->size >= 3 ? 3 : 0;
	size_t size = record->size - head;
	enum fail_code code = SG_OK;

	str_hex(record->data + head, size < TLSA_TEXT_MAX ? size : TLSA_TEXT_MAX, hex);
	if (head > 0)
		code = buf_printf(out, "%u %u %u ", record->data[0], record->data[1],
		    record->data[2]);
	if (code == SG_OK)
		code = buf_printf(out, "%s%s", hex, size > TLSA_TEXT_MAX ? "..." : "");
	return code;
}
