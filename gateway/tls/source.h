/*
 * source: where policies come from: DNS answers and MTA-STS files. Asynchronous.
 *
 * dns.c (libunbound) and https.c (libcurl) are the real ones; tests play others. Answers are
 * borrowed for the call of done. done may be called before the question returns, never twice.
 */
#ifndef SG_GATEWAY_TLS_SOURCE_H
#define SG_GATEWAY_TLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum source_dns_status {
	SOURCE_DNS_ANSWER = 0,	/* records are there */
	SOURCE_DNS_NODATA,	/* the name exists, no such record */
	SOURCE_DNS_NXDOMAIN,
	SOURCE_DNS_FAILED	/* SERVFAIL, time-out, bogus: nothing may be concluded */
};

enum { SOURCE_A = 1, SOURCE_CNAME = 5, SOURCE_MX = 15, SOURCE_TXT = 16, SOURCE_AAAA = 28,
	SOURCE_TLSA = 52 };

struct source_record {
	const unsigned char *data;	/* RDATA in wire form, names uncompressed */
	size_t size;
};

struct source_dns {
	enum source_dns_status status;
	bool secure;			/* validated; also for NODATA and NXDOMAIN */
	bool bogus;			/* with SOURCE_DNS_FAILED */
	const char *why;		/* with SOURCE_DNS_FAILED: one line */
	const char *canonical;		/* name behind CNAMEs, or NULL */
	bool canonical_secure;
	uint32_t ttl_s;			/* of the answer; of SOA's minimum for negative ones */
	const struct source_record *records;
	size_t count;
};
typedef void source_dns_fn(void *context, const struct source_dns *answer);

struct source_https {
	int status;			/* 200, or 0: no answer, why says it */
	bool untrusted;			/* no answer: its certificate is not valid for it */
	const char *why;
	const char *type;		/* Content-Type, or NULL */
	const char *body;
	size_t size;			/* at most 64 KiB; more is a failure (RFC 8461, 3.3) */
};
typedef void source_https_fn(void *context, const struct source_https *answer);

struct source {
	void *context;
	/* name without the final dot, A-labels. */
	void (*dns)(void *context, const char *name, int type, source_dns_fn *done,
	    void *done_context);
	/* GET https://HOST/PATH; certificate for HOST demanded, no redirects, own resolver. */
	void (*https)(void *context, const char *host, const char *path, source_https_fn *done,
	    void *done_context);
};

#endif
