#include "gateway/tls/cache.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/secret.h"
#include "gateway/base/str.h"

#define BUCKETS_FIRST ((size_t)256)

void cache_sts_free(struct cache_sts *sts)
{
	if (sts == NULL)
		return;
	sts_policy_free(&sts->policy);
	free(sts);
}

void cache_found_free(struct cache_found *found)
{
	free(found->how);
	free(found->tlsa);
	free(found->sts_why);
	cache_sts_free(found->sts);
	memset(found, 0, sizeof *found);
}

int64_t cache_sts_until_ms(const struct cache_sts *sts)
{
	return sts->fetched_ms + (int64_t)sts->policy.max_age_s * 1000;
}

/* A clock that was set back ends a policy: it must not live longer than its publisher said. */
bool cache_sts_live(const struct cache_sts *sts, int64_t wall_ms)
{
	return sts != NULL && wall_ms >= sts->fetched_ms && wall_ms < cache_sts_until_ms(sts);
}

void cache_init(struct cache *cache, size_t max)
{
	memset(cache, 0, sizeof *cache);
	cache->max = max;
	if (secret_random_bytes(&cache->seed, sizeof cache->seed) != SG_OK)
		cache->seed = 0;
}

static void entry_free(struct cache_entry *entry)
{
	cache_found_free(&entry->found);
	free(entry);
}

void cache_free(struct cache *cache)
{
	struct cache_entry *entry = cache->newest;

	while (entry != NULL) {
		struct cache_entry *older = entry->older;

		entry_free(entry);
		entry = older;
	}
	free(cache->buckets);
	memset(cache, 0, sizeof *cache);
}

/* FNV-1a with a secret start, mixed at the end. */
static uint32_t hash_key(const struct cache *cache, const char *key)
{
	uint32_t hash = UINT32_C(2166136261) ^ cache->seed;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * UINT32_C(16777619);
	hash ^= hash >> 16;
	hash *= UINT32_C(0x85ebca6b);
	return hash ^ (hash >> 13);
}

static struct cache_entry *look_up(const struct cache *cache, const char *key, uint32_t hash)
{
	struct cache_entry *entry;

	if (cache->bucket_count == 0)
		return NULL;
	entry = cache->buckets[hash & (cache->bucket_count - 1)];
	while (entry != NULL && (entry->hash != hash || strcmp(entry->key, key) != 0))
		entry = entry->next;
	return entry;
}

static void unlink_use(struct cache *cache, struct cache_entry *entry)
{
	*(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
	entry->newer = NULL;
	entry->older = NULL;
}

static void link_newest(struct cache *cache, struct cache_entry *entry)
{
	entry->older = cache->newest;
	*(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

struct cache_entry *cache_find(struct cache *cache, const char *key)
{
	struct cache_entry *entry = look_up(cache, key, hash_key(cache, key));

	if (entry != NULL && entry != cache->newest) {
		unlink_use(cache, entry);
		link_newest(cache, entry);
	}
	return entry;
}

const struct cache_entry *cache_peek(const struct cache *cache, const char *key)
{
	return look_up(cache, key, hash_key(cache, key));
}

static bool grow(struct cache *cache)
{
	size_t count = cache->bucket_count == 0 ? BUCKETS_FIRST : cache->bucket_count * 2;
	struct cache_entry **buckets = calloc(count, sizeof(void *));
	struct cache_entry *entry;

	if (buckets == NULL)
		return cache->bucket_count > 0;	/* longer chains, nothing worse */
	for (entry = cache->newest; entry != NULL; entry = entry->older) {
		entry->next = buckets[entry->hash & (count - 1)];
		buckets[entry->hash & (count - 1)] = entry;
	}
	free(cache->buckets);
	cache->buckets = buckets;
	cache->bucket_count = count;
	return true;
}

void cache_remove(struct cache *cache, struct cache_entry *entry)
{
	struct cache_entry **at = &cache->buckets[entry->hash & (cache->bucket_count - 1)];

	SG_BUG_IF(entry->run != NULL);
	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	unlink_use(cache, entry);
	cache->count--;
	entry_free(entry);
}

static void evict_to(struct cache *cache, size_t max)
{
	struct cache_entry *entry = cache->oldest;

	while (cache->count > max && entry != NULL) {
		struct cache_entry *newer = entry->newer;

		if (entry->run == NULL) {
			cache_remove(cache, entry);
			cache->evicted++;
		}
		entry = newer;
	}
}

void cache_set_max(struct cache *cache, size_t max)
{
	cache->max = max;
	evict_to(cache, max);
}

struct cache_entry *cache_put(struct cache *cache, const char *key)
{
	struct cache_entry *entry = cache_find(cache, key);
	size_t size = strlen(key) + 1;

	if (entry != NULL)
		return entry;
	if (cache->count >= cache->bucket_count && !grow(cache))
		return NULL;
	evict_to(cache, cache->max - 1);
	entry = calloc(1, sizeof *entry + size);
	if (entry == NULL)
		return NULL;
	memcpy(entry->key, key, size);
	entry->hash = hash_key(cache, key);
	entry->next = cache->buckets[entry->hash & (cache->bucket_count - 1)];
	cache->buckets[entry->hash & (cache->bucket_count - 1)] = entry;
	link_newest(cache, entry);
	cache->count++;
	return entry;
}
