/* The cache as bytes: a head, entries, and a sum that finds damage (it is no defence against who
 * can write the file: that is the same user). */
#include "gateway/tls/cache.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/tls/hop.h"

#define MAGIC UINT32_C(0x53475443)	/* SGTC */
#define VERSION 1
#define TEXT_MAX ((size_t)128 * 1024)
#define LIFE_MAX_MS (INT64_C(86400) * 1000)

static uint64_t sum_of(const unsigned char *data, size_t size)
{
	uint64_t sum = UINT64_C(14695981039346656037);
	size_t i;

	for (i = 0; i < size; i++)
		sum = (sum ^ data[i]) * UINT64_C(1099511628211);
	return sum;
}

static enum fail_code put_sts(const struct cache_sts *sts, struct buf *out)
{
	enum fail_code code = buf_put_u8(out, sts != NULL);

	if (sts == NULL)
		return code;
	if (code == SG_OK)
		code = buf_put_str(out, sts->id);
	if (code == SG_OK)
		code = buf_put_u64(out, (uint64_t)sts->fetched_ms);
	if (code == SG_OK)
		code = buf_put_str(out, sts->policy.lines);
	return code;
}

/* flags: what is known besides. */
static enum fail_code put_entry(const struct cache_entry *entry, int64_t until_wall_ms,
    int64_t wall_ms, struct buf *out)
{
	const struct cache_found *found = &entry->found;
	unsigned int flags = (found->no_domain ? 1U : 0U) | (found->null_mx ? 2U : 0U);
	enum fail_code code = buf_put_str(out, entry->key);

	if (code == SG_OK)
		code = buf_put_u64(out, (uint64_t)until_wall_ms);
	if (code == SG_OK)
		code = buf_put_u64(out, (uint64_t)entry->sts_tried_ms);
	if (code == SG_OK)
		code = buf_put_u8(out, found->dane);
	if (code == SG_OK)
		code = buf_put_u8(out, (uint8_t)flags);
	if (code == SG_OK)
		code = buf_put_str(out, found->how);
	if (code == SG_OK)
		code = buf_put_str(out, found->tlsa);
	if (code == SG_OK)
		code = put_sts(cache_sts_live(found->sts, wall_ms) ? found->sts : NULL, out);
	return code;
}

enum fail_code cache_save(const struct cache *cache, const struct clock *clock, struct buf *out,
    struct fail *f)
{
	int64_t wall_ms = clock_wall_ms(clock);
	int64_t mono_ms = clock_mono_ms(clock);
	const struct cache_entry *entry;
	size_t begin = out->size;
	enum fail_code code = buf_put_u32(out, MAGIC);

	if (code == SG_OK)
		code = buf_put_u32(out, VERSION);
	for (entry = cache->oldest; code == SG_OK && entry != NULL; entry = entry->newer) {
		bool fresh = entry->until_ms > mono_ms && entry->failures == 0 &&
		    entry->found.dane != CACHE_DANE_FAILED &&
		    entry->found.trouble == CACHE_STS_FINE;

		if (fresh || cache_sts_live(entry->found.sts, wall_ms))
			code = put_entry(entry, fresh ? wall_ms + entry->until_ms - mono_ms : 0,
			    wall_ms, out);
	}
	if (code == SG_OK)
		code = buf_put_u64(out, sum_of(out->data + begin, out->size - begin));
	if (code != SG_OK)
		return fail_set(f, code, NULL, "the policies do not fit into memory");
	return SG_OK;
}

static enum fail_code get_text(struct buf_reader *reader, char **text_out)
{
	enum fail_code code = buf_get_str(reader, TEXT_MAX, text_out);

	if (code == SG_OK && (*text_out)[0] == '\0') {
		free(*text_out);
		*text_out = NULL;
	}
	return code;
}

static enum fail_code get_sts(struct buf_reader *reader, struct cache_sts **sts_out)
{
	struct cache_sts *sts = NULL;
	char *id = NULL;
	char *lines = NULL;
	uint64_t fetched = 0;
	uint8_t there = 0;
	enum fail_code code = buf_get_u8(reader, &there);

	*sts_out = NULL;
	if (code != SG_OK || there == 0)
		return code;
	code = buf_get_str(reader, STS_ID_MAX - 1, &id);
	if (code == SG_OK)
		code = buf_get_u64(reader, &fetched);
	if (code == SG_OK)
		code = buf_get_str(reader, TEXT_MAX, &lines);
	sts = code == SG_OK ? calloc(1, sizeof *sts) : NULL;
	if (code == SG_OK && sts == NULL)
		code = SG_ENOMEM;
	if (code == SG_OK)
		code = sts_parse(lines, strlen(lines), &sts->policy, NULL);
	if (code == SG_OK) {
		memcpy(sts->id, id, strlen(id) + 1);
		sts->fetched_ms = (int64_t)(fetched & INT64_MAX);
		*sts_out = sts;
		sts = NULL;
	}
	free(id);
	free(lines);
	cache_sts_free(sts);
	return code;
}

/* What one entry of the file says. */
struct saved {
	char *key;
	uint64_t until_wall_ms;
	uint64_t tried_ms;
	struct cache_found found;
};

static enum fail_code get_saved(struct buf_reader *reader, struct saved *saved)
{
	uint8_t flags = 0;
	enum fail_code code = buf_get_str(reader, HOP_TEXT_MAX - 1, &saved->key);

	if (code == SG_OK)
		code = buf_get_u64(reader, &saved->until_wall_ms);
	if (code == SG_OK)
		code = buf_get_u64(reader, &saved->tried_ms);
	if (code == SG_OK)
		code = buf_get_u8(reader, &saved->found.dane);
	if (code == SG_OK)
		code = buf_get_u8(reader, &flags);
	if (code == SG_OK)
		code = get_text(reader, &saved->found.how);
	if (code == SG_OK)
		code = get_text(reader, &saved->found.tlsa);
	if (code == SG_OK)
		code = get_sts(reader, &saved->found.sts);
	saved->found.no_domain = (flags & 1) != 0;
	saved->found.null_mx = (flags & 2) != 0;
	if (code == SG_OK && saved->found.dane >= CACHE_DANE_FAILED)
		code = SG_EFORMAT;
	return code;
}

static enum fail_code keep(struct cache *cache, const struct clock *clock, struct saved *saved)
{
	int64_t wall_ms = clock_wall_ms(clock);
	int64_t left_ms = (int64_t)(saved->until_wall_ms & INT64_MAX) - wall_ms;
	struct cache_entry *entry;

	if (left_ms > LIFE_MAX_MS)
		left_ms = LIFE_MAX_MS;
	if (left_ms <= 0 && !cache_sts_live(saved->found.sts, wall_ms))
		return SG_OK;
	entry = cache_put(cache, saved->key);
	if (entry == NULL)
		return SG_ENOMEM;
	if (entry->until_ms > 0 || entry->run != NULL)
		return SG_OK;	/* known better by now */
	entry->looked_ms = clock_mono_ms(clock);
	entry->asked_ms = entry->looked_ms;
	entry->until_ms = left_ms > 0 ? entry->looked_ms + left_ms : 1;
	entry->sts_tried_ms = (int64_t)(saved->tried_ms & INT64_MAX);
	cache_found_free(&entry->found);
	entry->found = saved->found;
	memset(&saved->found, 0, sizeof saved->found);
	return SG_OK;
}

static enum fail_code load_one(struct cache *cache, const struct clock *clock,
    struct buf_reader *reader)
{
	struct saved saved;
	enum fail_code code;

	memset(&saved, 0, sizeof saved);
	code = get_saved(reader, &saved);
	if (code == SG_OK)
		code = keep(cache, clock, &saved);
	free(saved.key);
	cache_found_free(&saved.found);
	return code;
}

static enum fail_code check_frame(const unsigned char *data, size_t size)
{
	struct buf_reader reader;
	uint64_t sum = 0;

	if (size < 16)
		return SG_EFORMAT;
	buf_reader_init(&reader, data + size - 8, 8);
	if (buf_get_u64(&reader, &sum) != SG_OK || sum != sum_of(data, size - 8))
		return SG_EFORMAT;
	return SG_OK;
}

enum fail_code cache_load(struct cache *cache, const struct clock *clock, const void *data,
    size_t size, struct fail *f)
{
	struct buf_reader reader;
	uint32_t magic = 0;
	uint32_t version = 0;
	enum fail_code code = check_frame(data, size);

	if (code == SG_OK) {
		buf_reader_init(&reader, data, size - 8);
		code = buf_get_u32(&reader, &magic);
		if (code == SG_OK)
			code = buf_get_u32(&reader, &version);
		if (code == SG_OK && (magic != MAGIC || version != VERSION))
			code = SG_EFORMAT;
		while (code == SG_OK && buf_get_end(&reader) != SG_OK)
			code = load_one(cache, clock, &reader);
	}
	if (code == SG_ENOMEM)
		return fail_set(f, code, NULL, "no memory for kept policies");
	if (code != SG_OK)
		return fail_set(f, SG_EFORMAT, "nothing to do: all is looked up again",
		    "kept policies are damaged or of another version");
	return SG_OK;
}
