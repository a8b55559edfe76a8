#include "pdfenc/pixels.h"

#include <stdint.h>
#include <string.h>

#define SLOTS 1024u	/* of the hash of colours: four times what is held */

enum filter { FILTER_NONE, FILTER_SUB, FILTER_UP, FILTERS };

struct colors {
	uint32_t keys[SLOTS];	/* colour + 1; 0: free */
	guint8 values[SLOTS];
	unsigned int count;
};

/* The colour's index, a new one if need be; -1: more than 256. */
static int color_index(struct colors *colors, GByteArray *palette, const guint8 *rgb)
{
	uint32_t key = ((uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2]) + 1;
	uint32_t slot = key * 2654435761u >> 22;

	while (colors->keys[slot] != 0 && colors->keys[slot] != key)
		slot = (slot + 1) % SLOTS;
	if (colors->keys[slot] == 0) {
		if (colors->count == 256)
			return -1;
		colors->keys[slot] = key;
		colors->values[slot] = (guint8)colors->count++;
		g_byte_array_append(palette, rgb, 3);
	}
	return colors->values[slot];
}

GByteArray *pixels_palette(const guint8 *rgb, size_t count, guint8 **indexes_out)
{
	struct colors colors;
	GByteArray *palette = g_byte_array_new();
	guint8 *indexes = g_malloc(count);
	int index = 0;

	memset(&colors, 0, sizeof(colors));
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || memcmp(rgb + 3 * i, rgb + 3 * i - 3, 3) != 0)
			index = color_index(&colors, palette, rgb + 3 * i);
		if (index < 0) {
			g_byte_array_unref(palette);
			g_free(indexes);
			*indexes_out = NULL;
			return NULL;
		}
		indexes[i] = (guint8)index;
	}
	*indexes_out = indexes;
	return palette;
}

bool pixels_opaque(const guint8 *alpha, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (alpha[i] != 255)
			return false;
	return true;
}

static void filter_row(enum filter filter, const guint8 *row, const guint8 *above, size_t width,
    size_t step, guint8 *out)
{
	switch (filter) {
	case FILTER_SUB:
		memcpy(out, row, MIN(step, width));
		for (size_t i = step; i < width; i++)
			out[i] = (guint8)(row[i] - row[i - step]);
		break;
	case FILTER_UP:
		for (size_t i = 0; i < width; i++)
			out[i] = (guint8)(row[i] - above[i]);
		break;
	case FILTER_NONE:
	case FILTERS:
		memcpy(out, row, width);
		break;
	}
}

static uint64_t weight(const guint8 *row, size_t width)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < width; i++)
		sum += row[i] < 128 ? row[i] : 256u - row[i];
	return sum;
}

guint8 *pixels_filter(const guint8 *data, size_t width, size_t height, size_t step)
{
	guint8 *out = g_malloc(height * (width + 1));
	guint8 *zero = g_malloc0(width);
	guint8 *tried = g_malloc(width);
	const guint8 *above = zero;

	for (size_t y = 0; y < height; y++) {
		guint8 *to = out + y * (width + 1);
		uint64_t best = UINT64_MAX;

		for (unsigned int filter = 0; filter < FILTERS; filter++) {
			uint64_t sum;

			filter_row((enum filter)filter, data + y * width, above, width, step,
			    tried);
			sum = weight(tried, width);
			if (sum >= best)
				continue;
			best = sum;
			to[0] = (guint8)filter;
			memcpy(to + 1, tried, width);
		}
		above = data + y * width;
	}
	g_free(tried);
	g_free(zero);
	return out;
}
