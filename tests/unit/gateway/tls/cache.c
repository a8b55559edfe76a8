/* The cache: a random walk beside a simple model, its file, damage to it.
 * links: sealgate-tls */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/base/str.h"
#include "gateway/tls/cache.h"

#define KEYS 40
#define MAX 16

static int64_t now_ms = 1000000;

static int64_t read_clock(void *context)
{
	(void)context;
	return now_ms;
}

static const struct clock test_clock = { read_clock, read_clock, NULL };

static void key_of(unsigned int n, char key[32])
{
	(void)snprintf(key, 32, "domain%u.example", n);
}

/* The model: a list of keys, newest first. */
struct model {
	unsigned int keys[KEYS];
	size_t count;
};

static bool model_take(struct model *model, unsigned int key)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->keys[i] == key) {
			memmove(&model->keys[i], &model->keys[i + 1],
			    (model->count - i - 1) * sizeof model->keys[0]);
			model->count--;
			return true;
		}
	return false;
}

static void model_push(struct model *model, unsigned int key)
{
	memmove(&model->keys[1], &model->keys[0], model->count * sizeof model->keys[0]);
	model->keys[0] = key;
	model->count++;
	if (model->count > MAX)
		model->count = MAX;
}

static void check_same(const struct cache *cache, const struct model *model)
{
	const struct cache_entry *entry = cache->newest;
	char key[32];

	assert_int_equal(cache->count, model->count);
	for (size_t i = 0; i < model->count; i++) {
		key_of(model->keys[i], key);
		assert_string_equal(entry->key, key);
		assert_ptr_equal(cache_peek(cache, key), entry);
		entry = entry->older;
	}
	assert_null(entry);
}

static void a_random_walk_keeps_order_and_bound(void **state)
{
	struct model model = { .count = 0 };
	struct cache cache;
	uint32_t random = 1;
	char key[32];

	(void)state;
	cache_init(&cache, MAX);
	for (int step = 0; step < 20000; step++) {
		unsigned int n;
		struct cache_entry *entry;

		random = random * UINT32_C(1664525) + UINT32_C(1013904223);
		n = (random >> 16) % KEYS;
		key_of(n, key);
		if ((random >> 8) % 4 == 0) {
			entry = cache_find(&cache, key);
			assert_int_equal(entry != NULL, model_take(&model, n));
			if (entry != NULL)
				cache_remove(&cache, entry);
		} else if ((random >> 8) % 4 == 1) {
			entry = cache_find(&cache, key);
			assert_int_equal(entry != NULL, model_take(&model, n));
			if (entry != NULL)
				model_push(&model, n);
		} else {
			assert_non_null(cache_put(&cache, key));
			(void)model_take(&model, n);
			model_push(&model, n);
		}
		check_same(&cache, &model);
	}
	cache_free(&cache);
}

static void entries_that_a_lookup_holds_stay(void **state)
{
	struct cache cache;
	struct cache_entry *held;

	(void)state;
	cache_init(&cache, 2);
	held = cache_put(&cache, "held.example");
	assert_non_null(held);
	held->run = &cache;
	assert_non_null(cache_put(&cache, "a.example"));
	assert_non_null(cache_put(&cache, "b.example"));
	assert_ptr_equal(cache_find(&cache, "held.example"), held);
	assert_null(cache_find(&cache, "a.example"));
	held->run = NULL;
	cache_set_max(&cache, 1);
	assert_int_equal(cache.count, 1);
	cache_free(&cache);
}

static void fill(struct cache *cache)
{
	static const char body[] = "version: STSv1\nmode: enforce\nmx: *.b.example\nmax_age: 86400";
	struct cache_entry *entry = cache_put(cache, "a.example");

	assert_non_null(entry);
	entry->until_ms = now_ms + 500000;
	entry->found.dane = CACHE_DANE_USABLE;
	entry->found.how = str_dup("DANE: 2 usable TLSA");
	entry->found.tlsa = str_dup("mx.a.example: 3 1 1 ab");
	entry = cache_put(cache, "b.example");
	assert_non_null(entry);
	entry->until_ms = now_ms - 1;
	entry->found.sts = calloc(1, sizeof *entry->found.sts);
	assert_non_null(entry->found.sts);
	memcpy(entry->found.sts->id, "7", 2);
	entry->found.sts->fetched_ms = now_ms - 1000;
	assert_int_equal(sts_parse(body, sizeof body - 1, &entry->found.sts->policy, NULL), SG_OK);
	entry = cache_put(cache, "over.example");
	assert_non_null(entry);
	entry->until_ms = now_ms - 1;
}

static void what_counts_is_saved_and_loaded(void **state)
{
	struct cache cache;
	struct cache other;
	struct buf bytes;
	const struct cache_entry *entry;

	(void)state;
	cache_init(&cache, 100);
	cache_init(&other, 100);
	buf_init(&bytes, 100000);
	fill(&cache);
	assert_int_equal(cache_save(&cache, &test_clock, &bytes, NULL), SG_OK);
	assert_int_equal(cache_load(&other, &test_clock, bytes.data, bytes.size, NULL), SG_OK);
	assert_int_equal(other.count, 2);
	entry = cache_peek(&other, "a.example");
	assert_non_null(entry);
	assert_int_equal(entry->until_ms, now_ms + 500000);
	assert_int_equal(entry->found.dane, CACHE_DANE_USABLE);
	assert_string_equal(entry->found.tlsa, "mx.a.example: 3 1 1 ab");
	entry = cache_peek(&other, "b.example");
	assert_non_null(entry);
	assert_string_equal(entry->found.sts->policy.mxs, "*.b.example");
	assert_string_equal(entry->found.sts->id, "7");
	assert_true(cache_sts_live(entry->found.sts, now_ms));
	assert_false(cache_sts_live(entry->found.sts, now_ms + 86400000));
	buf_free(&bytes);
	cache_free(&other);
	cache_free(&cache);
}

static void damage_is_found(void **state)
{
	struct cache cache;
	struct cache other;
	struct buf bytes;

	(void)state;
	cache_init(&cache, 100);
	buf_init(&bytes, 100000);
	fill(&cache);
	assert_int_equal(cache_save(&cache, &test_clock, &bytes, NULL), SG_OK);
	for (size_t i = 0; i < bytes.size; i++) {
		cache_init(&other, 100);
		bytes.data[i] ^= 0x55;
		assert_int_equal(cache_load(&other, &test_clock, bytes.data, bytes.size, NULL),
		    SG_EFORMAT);
		bytes.data[i] ^= 0x55;
		assert_int_equal(cache_load(&other, &test_clock, bytes.data, i, NULL), SG_EFORMAT);
		assert_int_equal(other.count, 0);
		cache_free(&other);
	}
	buf_free(&bytes);
	cache_free(&cache);
}

static void a_clock_that_was_set_back_ends_policies(void **state)
{
	struct cache_sts sts = { .policy = { .max_age_s = 100 }, .fetched_ms = now_ms };

	(void)state;
	assert_true(cache_sts_live(&sts, now_ms));
	assert_false(cache_sts_live(&sts, now_ms - 1));
	assert_false(cache_sts_live(&sts, now_ms + 100000));
	assert_false(cache_sts_live(NULL, now_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_random_walk_keeps_order_and_bound),
		cmocka_unit_test(entries_that_a_lookup_holds_stay),
		cmocka_unit_test(what_counts_is_saved_and_loaded),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(a_clock_that_was_set_back_ends_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
