/*
 * policy: what TLS a next hop must give, and why: rule, DANE, MTA-STS, floor, in this order.
 *
 * RFC 7672 (DANE for SMTP), RFC 8461 (MTA-STS). One thread; nothing here blocks: whoever asks gives
 * a function that is called with the answer, at once if it is cached. Lookups come through a table
 * of functions (source.h), so that scenarios can play DNS, HTTPS and time. A lookup that fails
 * gives a temporary answer, never a weaker policy.
 */
#ifndef SG_GATEWAY_TLS_POLICY_H
#define SG_GATEWAY_TLS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/tls/source.h"

/* Which of Postfix's transports asks: it decides what is answered where nothing is published. */
enum policy_map {
	POLICY_ALL = 0,		/* all mail: floor tls.floor; "may" is "not found" */
	POLICY_SEALED = 1,	/* mail that we sealed: floor tls.sealed */
	POLICY_PROVEN = 2	/* plan tls: proof, or a temporary answer */
};
#define POLICY_MAPS 3

enum policy_kind {
	POLICY_TEMPORARY = 0,	/* a lookup failed, or proof is demanded and there is none */
	POLICY_FOUND = 1,	/* text goes to Postfix */
	POLICY_NOT_FOUND = 2	/* Postfix's own settings count */
};

enum policy_source {
	POLICY_BY_NOTHING = 0,	/* the floor */
	POLICY_BY_RULE = 1,
	POLICY_BY_DANE = 2,
	POLICY_BY_STS = 3,
	POLICY_BY_FALLBACK = 4	/* our own loopback listener: TLS off, it is this host */
};

#define POLICY_TEXT_MAX 2048	/* bytes of one policy with NUL; Postfix takes 100,000 */
#define POLICY_REASON_MAX 240

struct policy_answer {
	enum policy_kind kind;
	enum policy_source source;
	bool proven;			/* delivery under it proves who the peer is */
	bool no_mail;			/* DNS is sure: no such domain, or a null MX */
	char text[POLICY_TEXT_MAX];	/* "dane-only", "secure match=mx.example ..." */
	char tlsrpt[POLICY_TEXT_MAX];	/* what Postfix 3.10 takes besides, or "" */
	char reason[POLICY_REASON_MAX];	/* one line for people: log, trace, check */
	int64_t ttl_ms;			/* how long it holds */
};

typedef void policy_done_fn(void *context, const struct policy_answer *answer);

struct policy;

/*
 * conf and source are borrowed and outlive it. NULL = no memory. After policy_free nobody who waits
 * is called; what the source still owes may come until the source ends.
 */
struct policy *policy_new(const struct conf *conf, const struct source *source,
    const struct clock *clock);
void policy_free(struct policy *policy);
/* Another configuration: rules and floors count at once, what was looked up stays. */
void policy_use_conf(struct policy *policy, const struct conf *conf);

/*
 * Asks for a next hop in Postfix's spelling. done is called exactly once, perhaps before this
 * returns, at the latest after tls.timeout. The answer is borrowed for the call.
 */
void policy_ask(struct policy *policy, enum policy_map map, const char *hop, policy_done_fn *done,
    void *context);

/*
 * For plan tls: can delivery to hop be proven? relayed: hop is a relay, only a rule with
 * "through" proves. answer: POLICY_FOUND with proven set; POLICY_NOT_FOUND: no, reason says why;
 * POLICY_TEMPORARY: not known now.
 */
void policy_prove(struct policy *policy, const char *hop, bool relayed, policy_done_fn *done,
    void *context);

/* ---- explanation, for "sealgate tls check" ---- */

#define POLICY_STEPS_MAX 200

struct policy_step {
	char *question;		/* "MX partner.example", "GET https://..." */
	char *answer;		/* "10 mx1.partner.example, 20 mx2.partner.example" */
	char *state;		/* "secure", "insecure", "bogus: ...", "200", "cached 3h ago" */
	char *meaning;		/* "DANE applies", ... */
};

struct policy_mx {
	char *name;
	int preference;
	char *addresses;	/* with commas between */
	bool secure;		/* name and addresses by DNSSEC */
	int tlsa_usable;	/* how many TLSA records can be used */
	bool sts_match;		/* fits the MTA-STS policy */
};

struct policy_explanation {
	struct policy_step *steps;
	size_t step_count;
	struct policy_mx *mxs;
	size_t mx_count;
	struct policy_answer answers[POLICY_MAPS];
};

typedef void policy_explained_fn(void *context, const struct policy_explanation *explanation);
/* Looks up everything anew, past the cache. */
void policy_explain(struct policy *policy, const char *hop, policy_explained_fn *done,
    void *context);

/* ---- care ---- */

/* Refreshes what ends soon, drops what ended; call when policy_wait_ms is over. */
void policy_tend(struct policy *policy);
int policy_wait_ms(const struct policy *policy);

/* The cache as bytes and back (a file that survives restarts). Wrong bytes: an empty cache. */
MUST_USE enum fail_code policy_save(const struct policy *policy, struct buf *out, struct fail *f);
MUST_USE enum fail_code policy_load(struct policy *policy, const void *data, size_t size,
    struct fail *f);

struct policy_counts {
	uint64_t answers[POLICY_MAPS][5];	/* by enum policy_source; temporary ones not */
	uint64_t temporary[POLICY_MAPS];
	uint64_t cache_hits;
	uint64_t cache_misses;
	uint64_t refreshed;
	uint64_t dns_failures;		/* SERVFAIL, time-out */
	uint64_t dns_bogus;
	uint64_t sts_failures;		/* fetch or syntax */
	uint64_t cached;		/* domains now */
	uint64_t evicted;
};
/* How much was answered, looked up, cached since the start. */
void policy_counts(const struct policy *policy, struct policy_counts *counts_out);

/* For TLSRPT: what is known for domain now, from the cache alone. False: nothing. */
struct policy_published {
	enum policy_source source;	/* POLICY_BY_DANE, POLICY_BY_STS or POLICY_BY_NOTHING */
	char *strings;			/* lines: the TLSA records or the policy file's lines */
	char *mx_patterns;		/* lines, for MTA-STS */
};
bool policy_published(const struct policy *policy, const char *domain,
    struct policy_published *published_out);
void policy_published_free(struct policy_published *published);

#endif
