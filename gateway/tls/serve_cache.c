/* The cache's file: written whole by a job, since writing waits for the disk. */
#include <stdlib.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/tls/server.h"

#define SAVE_MS (5 * 60 * 1000)
#define FILE_NAME "policies.cache"

struct serve_cache {
	struct server *server;
	char *path;		/* NULL: none is kept */
	int64_t save_ms;
	bool saving;
	struct buf bytes;	/* the job's while saving */
	enum fail_code code;
	struct fail failure;
};

struct serve_cache *serve_cache_new(struct server *server)
{
	struct serve_cache *cache = calloc(1, sizeof(*cache));
	const char *folder = server->conf->tls.cache_directory;

	if (cache == NULL)
		return NULL;
	cache->server = server;
	cache->save_ms = clock_mono_ms(server->clock) + SAVE_MS;
	buf_init(&cache->bytes, SERVER_CACHE_MAX);
	if (folder != NULL && folder[0] != '\0') {
		cache->path = str_printf("%s/%s", folder, FILE_NAME);
		if (cache->path == NULL) {
			free(cache);
			return NULL;
		}
	}
	return cache;
}

void serve_cache_free(struct serve_cache *cache)
{
	if (cache == NULL || cache->saving)
		return;
	buf_free(&cache->bytes);
	free(cache->path);
	free(cache);
}

void serve_cache_load(struct serve_cache *cache)
{
	enum fail_code code;
	struct buf bytes;
	struct fail f;

	if (cache->path == NULL)
		return;
	fail_clear(&f);
	buf_init(&bytes, SERVER_CACHE_MAX);
	code = fd_read_file(cache->path, &bytes, &f);
	if (code == SG_OK)
		code = policy_load(cache->server->policy, bytes.data, bytes.size, &f);
	if (code != SG_OK && code != SG_ENOTFOUND)
		log_failure(LOG_LEVEL_NOTICE, NULL, "cache-empty", &f);
	buf_free(&bytes);
}

static void save_run(void *context)
{
	struct serve_cache *cache = context;

	cache->code = fd_replace_file(cache->path, cache->bytes.data, cache->bytes.size, 0600,
	    &cache->failure);
}

static void save_done(void *context)
{
	struct serve_cache *cache = context;

	if (cache->code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "cache-file", &cache->failure);
	buf_free(&cache->bytes);
	cache->saving = false;
}

/* The cache as bytes into cache->bytes. */
static enum fail_code save_prepare(struct serve_cache *cache)
{
	buf_reset(&cache->bytes);
	fail_clear(&cache->failure);
	cache->code = policy_save(cache->server->policy, &cache->bytes, &cache->failure);
	if (cache->code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "cache-file", &cache->failure);
	return cache->code;
}

void serve_cache_tend(struct serve_cache *cache)
{
	struct fail f;

	if (cache->path == NULL || cache->saving || cache->server->now_ms < cache->save_ms)
		return;
	cache->save_ms = cache->server->now_ms + SAVE_MS;
	if (save_prepare(cache) != SG_OK)
		return;
	cache->saving = true;
	if (serve_job_start(cache->server->jobs, save_run, save_done, cache, &f) != SG_OK)
		cache->saving = false;	/* the next time is soon enough */
}

void serve_cache_end(struct serve_cache *cache)
{
	if (cache->path == NULL || cache->saving || save_prepare(cache) != SG_OK)
		return;
	save_run(cache);
	save_done(cache);
}
