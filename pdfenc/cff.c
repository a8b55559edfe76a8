#include "pdfenc/cff.h"

#include <stdbool.h>

#define OPERATOR_CHARSET 15
#define OPERATOR_ROS (12 << 8 | 30)

struct reader {
	const unsigned char *data;
	size_t size;
	size_t at;
	bool bad;
};

static unsigned int get(struct reader *reader, unsigned int bytes)
{
	unsigned int value = 0;

	if (reader->bad || reader->at > reader->size || bytes > reader->size - reader->at) {
		reader->bad = true;
		return 0;
	}
	while (bytes-- > 0)
		value = value << 8 | reader->data[reader->at++];
	return value;
}

/* Steps over an INDEX; the place of its first object in first_out, its end in end_out. */
static void skip_index(struct reader *reader, size_t *first_out, size_t *end_out)
{
	unsigned int count = get(reader, 2);
	unsigned int width;
	size_t start;
	unsigned int first;
	unsigned int second;

	*first_out = reader->at;
	*end_out = reader->at;
	if (count == 0)
		return;
	width = get(reader, 1);
	start = reader->at + (size_t)(count + 1) * width - 1;
	first = get(reader, width);
	second = get(reader, width);
	*first_out = start + first;
	*end_out = start + second;
	reader->at = start - width + 1;
	reader->at = start + get(reader, width);
	reader->bad = reader->bad || width < 1 || width > 4 || *end_out > reader->size;
}

/* One operand of a DICT; reals are stepped over as 0. */
static int operand(struct reader *reader, unsigned int first)
{
	if (first == 28)
		return (int16_t)get(reader, 2);
	if (first == 29)
		return (int32_t)get(reader, 4);
	if (first == 30) {
		while (!reader->bad) {
			unsigned int byte = get(reader, 1);

			if ((byte & 0xf) == 0xf || byte >> 4 == 0xf)
				break;
		}
		return 0;
	}
	if (first <= 246)
		return (int)first - 139;
	if (first <= 250)
		return ((int)first - 247) * 256 + (int)get(reader, 1) + 108;
	return -((int)first - 251) * 256 - (int)get(reader, 1) - 108;
}

static void read_top(struct reader *reader, size_t end, int *charset, bool *has_cids)
{
	int last = 0;

	while (!reader->bad && reader->at < end) {
		unsigned int byte = get(reader, 1);

		if (byte > 21) {
			last = operand(reader, byte);
			continue;
		}
		if (byte == 12)
			byte = byte << 8 | get(reader, 1);
		if (byte == OPERATOR_ROS)
			*has_cids = true;
		else if (byte == OPERATOR_CHARSET)
			*charset = last;
	}
}

static void read_charset(struct reader *reader, uint16_t *cids, unsigned int glyphs)
{
	unsigned int format = get(reader, 1);
	unsigned int at = 1;

	cids[0] = 0;
	while (!reader->bad && at < glyphs) {
		unsigned int first = get(reader, 2);
		unsigned int left = format == 0 ? 0 : get(reader, format == 1 ? 1 : 2);

		for (unsigned int i = 0; i <= left && at < glyphs; i++)
			cids[at++] = (uint16_t)(first + i);
	}
	reader->bad = reader->bad || format > 2;
}

enum cff_kind cff_cids(const void *data, size_t size, uint16_t *cids, unsigned int glyphs)
{
	struct reader reader = { data, size, 2, false };
	size_t first;
	size_t end;
	int charset = 0;
	bool has_cids = false;

	reader.at = get(&reader, 1);
	skip_index(&reader, &first, &end);
	skip_index(&reader, &first, &end);
	reader.at = first;
	if (!reader.bad)
		read_top(&reader, end, &charset, &has_cids);
	if (reader.bad)
		return CFF_BROKEN;
	if (!has_cids)
		return CFF_NAMES;
	/* 0 to 2 are charsets of the format's own, which fonts with CIDs do not have */
	if (charset <= 2)
		return CFF_BROKEN;
	reader.at = (size_t)charset;
	if (glyphs > 0)
		read_charset(&reader, cids, glyphs);
	return reader.bad ? CFF_BROKEN : CFF_CIDS;
}
