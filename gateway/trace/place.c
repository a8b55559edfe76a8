#include "gateway/trace/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/str.h"

#define PLACE_WORDS 5

/* FNV-1a: no enemy chooses what stands in a log's first line together with its hash. */
static uint64_t place_hash(const unsigned char *data, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3u;
	return hash;
}

void place_clear(struct place *place)
{
	memset(place, 0, sizeof(*place));
}

/* Only lines that were used count: a part of the last one may still change its file. */
static size_t place_head(const struct place *place)
{
	if (place->known || (int64_t)place->head_size <= place->offset)
		return place->head_size;
	return (size_t)place->offset;
}

void place_load(struct place *place, int fd)
{
	ssize_t n = pread(fd, place->head, sizeof(place->head), 0);

	place->known = false;
	place->head_size = n < 0 ? 0 : (size_t)n;
}

void place_learn(struct place *place, int64_t offset, const void *data, size_t size)
{
	size_t from;

	if (place->head_size >= PLACE_HEAD_MAX)
		return;
	if (place->known && offset == 0) {
		/* what was parsed has no bytes yet */
		place->known = false;
		place->head_size = 0;
	}
	if (place->known || offset > (int64_t)place->head_size ||
	    offset + (int64_t)size <= (int64_t)place->head_size)
		return;
	from = place->head_size - (size_t)offset;
	size -= from;
	if (size > PLACE_HEAD_MAX - place->head_size)
		size = PLACE_HEAD_MAX - place->head_size;
	memcpy(place->head + place->head_size, (const unsigned char *)data + from, size);
	place->head_size += size;
}

bool place_fits(const struct place *place, const void *data, size_t size)
{
	size_t head = place_head(place);

	if (size < head)
		return false;
	return place_hash(data, head) ==
	    (place->known ? place->hash : place_hash(place->head, head));
}

bool place_fits_fd(const struct place *place, int fd)
{
	unsigned char head[PLACE_HEAD_MAX];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n >= 0 && place_fits(place, head, (size_t)n);
}

bool place_print(const struct place *place, char *out, size_t room)
{
	size_t head = place_head(place);
	int n = snprintf(out, room, "file %" PRIu64 " %" PRId64 " %zu %" PRIu64, place->inode,
	    place->offset, head, place->known ? place->hash : place_hash(place->head, head));

	return n > 0 && (size_t)n < room;
}

bool place_parse(const char *text, struct place *place_out)
{
	char words[PLACE_WORDS][24];
	uint64_t numbers[PLACE_WORDS];
	size_t size;
	size_t i;

	memset(place_out, 0, sizeof(*place_out));
	for (i = 0; i < PLACE_WORDS; i++) {
		size = strcspn(text, " ");
		if (size == 0 || size >= sizeof(words[i]))
			return false;
		memcpy(words[i], text, size);
		words[i][size] = '\0';
		text += size + (text[size] == ' ');
	}
	if (*text != '\0' || strcmp(words[0], "file") != 0)
		return false;
	for (i = 1; i < PLACE_WORDS; i++)
		if (str_parse_u64(words[i], 0, UINT64_MAX, &numbers[i]) != SG_OK)
			return false;
	if (numbers[2] > INT64_MAX || numbers[3] > PLACE_HEAD_MAX)
		return false;
	place_out->inode = numbers[1];
	place_out->offset = (int64_t)numbers[2];
	place_out->head_size = (size_t)numbers[3];
	place_out->hash = numbers[4];
	place_out->known = true;
	return true;
}
