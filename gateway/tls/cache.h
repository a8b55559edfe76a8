/*
 * cache: what is published for next hops: DANE and MTA-STS, never the administrator's settings.
 *
 * A hash table with a list by last use. An entry is one block besides the few texts that domains
 * with a policy have (figures: docs/benchmarks.md). Finding allocates nothing. Times
 * are of the monotonic clock, but for MTA-STS, whose policies live up to a year: those are of the
 * wall clock. One thread.
 */
#ifndef SG_GATEWAY_TLS_CACHE_H
#define SG_GATEWAY_TLS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/tls/sts.h"

enum cache_dane {
	CACHE_DANE_NONE = 0,	/* not signed, or no TLSA records */
	CACHE_DANE_USABLE,
	CACHE_DANE_UNUSABLE,	/* authentic TLSA records, none that can be used */
	CACHE_DANE_FAILED	/* a lookup failed: nothing may be concluded */
};

/* Why there is no fresh MTA-STS policy, though there may be one. */
enum cache_trouble {
	CACHE_STS_FINE = 0,
	CACHE_STS_LOOKUP,	/* the TXT record could not be looked up */
	CACHE_STS_RECORD,	/* it is malformed, or there are several */
	CACHE_STS_FETCH,	/* no file */
	CACHE_STS_TRUST,	/* the host's certificate is not valid */
	CACHE_STS_FILE		/* the file is malformed */
};

struct cache_sts {
	struct sts_policy policy;
	char id[STS_ID_MAX];
	int64_t fetched_ms;	/* wall clock */
};

struct cache_found {
	unsigned char dane;	/* enum cache_dane */
	unsigned char trouble;	/* enum cache_trouble */
	bool no_domain;		/* the name does not exist */
	bool null_mx;		/* RFC 7505 */
	char *how;		/* of DANE or a failure, in words; NULL: nothing */
	char *tlsa;		/* "mx.example: 3 1 1 ...", LF between them; NULL if none */
	char *sts_why;		/* of the trouble, in words; NULL if none */
	struct cache_sts *sts;	/* NULL if none was ever fetched or it is over */
};

struct cache_entry {
	struct cache_entry *next;	/* in its bucket */
	struct cache_entry *newer;	/* by last use */
	struct cache_entry *older;
	void *run;			/* a lookup under way, or NULL; not evicted then */
	int64_t until_ms;		/* what was found counts until then; 0: nothing yet */
	int64_t looked_ms;		/* when it was looked up */
	int64_t retry_ms;		/* no refresh before it */
	int64_t sts_tried_ms;		/* wall clock: last fetch, also in vain; 0: never */
	int64_t asked_ms;		/* when it was asked for last */
	struct cache_found found;
	uint32_t hash;
	unsigned char failures;		/* in a row */
	bool used;			/* asked for since it was looked up */
	char key[];			/* struct hop's key */
};

struct cache {
	struct cache_entry **buckets;
	size_t bucket_count;		/* a power of two */
	size_t count;
	size_t max;
	uint64_t evicted;
	uint32_t seed;			/* a stranger cannot choose names that collide */
	struct cache_entry *newest;
	struct cache_entry *oldest;
};

/* An empty cache for up to max entries. Allocates nothing yet. */
void cache_init(struct cache *cache, size_t max);
void cache_free(struct cache *cache);
/* Another maximum; evicts down to it. */
void cache_set_max(struct cache *cache, size_t max);

/* The entry, or NULL. It becomes the newest. */
struct cache_entry *cache_find(struct cache *cache, const char *key);
/* The same, without touching it. */
const struct cache_entry *cache_peek(const struct cache *cache, const char *key);
/* The entry, made if needed; evicts the oldest that no lookup holds. NULL = no memory. */
struct cache_entry *cache_put(struct cache *cache, const char *key);
/* Not for entries that a lookup holds. */
void cache_remove(struct cache *cache, struct cache_entry *entry);

/* Frees the texts and zeroes. */
void cache_found_free(struct cache_found *found);
void cache_sts_free(struct cache_sts *sts);
/* Is the policy within its max_age? NULL is not. */
bool cache_sts_live(const struct cache_sts *sts, int64_t wall_ms);
/* When it ends, by the wall clock. */
int64_t cache_sts_until_ms(const struct cache_sts *sts);

/*
 * Appends all that still counts, oldest first, with times by the wall clock, and a sum over it.
 * Failures are left out. SG_ENOMEM, SG_ELIMIT.
 */
MUST_USE enum fail_code cache_save(const struct cache *cache, const struct clock *clock,
    struct buf *out, struct fail *f);
/*
 * Adds what cache_save wrote; lives are cut to a day (DNS) and to max_age (MTA-STS). SG_EFORMAT:
 * another version or damaged; the cache is empty then.
 */
MUST_USE enum fail_code cache_load(struct cache *cache, const struct clock *clock,
    const void *data, size_t size, struct fail *f);

#endif
