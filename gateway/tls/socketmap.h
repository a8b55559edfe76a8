/*
 * socketmap: Postfix's table lookups over a stream (socketmap_table(5)). Pure.
 *
 * A request is a netstring "NAME KEY", an answer is one too: "OK text", "NOTFOUND ", "TEMP reason",
 * "PERM reason". Several requests may stand behind each other.
 */
#ifndef SG_GATEWAY_TLS_SOCKETMAP_H
#define SG_GATEWAY_TLS_SOCKETMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/tls/policy.h"

#define SOCKETMAP_NETSTRING_MAX ((size_t)100000) /* bytes; Postfix's own limit */
#define SOCKETMAP_REQUEST_MAX ((size_t)4096)	/* bytes; a next hop is far below */

/* Between two pieces of one connection. Zero-initialise. */
struct socketmap {
	size_t skip;		/* bytes left of a request that is too long, with its comma */
};

struct socketmap_request {
	const char *name;	/* all borrowed from the bytes given */
	size_t name_size;
	const char *key;
	size_t key_size;
};

enum socketmap_step {
	SOCKETMAP_MORE = 0,	/* no whole request there yet */
	SOCKETMAP_REQUEST,	/* one */
	SOCKETMAP_REFUSED,	/* one that is too long or has no key: answer "PERM" */
	SOCKETMAP_BROKEN	/* no netstring: close the connection */
};

/*
 * Takes the first request off size bytes. *used_out says how many bytes are done with, also with
 * SOCKETMAP_MORE; the others must be given again, with what follows.
 */
enum socketmap_step socketmap_take(struct socketmap *reader, const char *data, size_t size,
    size_t *used_out, struct socketmap_request *request_out);

/*
 * What the table's name means: "all", "sealed", "proven", "QUERY", each perhaps with "withTLSRPT"
 * behind it. False: no table of ours.
 */
bool socketmap_map(const char *name, size_t size, enum policy_map *map_out, bool *tlsrpt_out);
/* "all", "sealed", "proven". */
const char *socketmap_name(enum policy_map map);

enum socketmap_status { SOCKETMAP_OK = 0, SOCKETMAP_NOTFOUND, SOCKETMAP_TEMP, SOCKETMAP_PERM };

/*
 * Appends an answer; more (NULL or "" = nothing) stands behind text after a space. Control
 * characters become "?": Postfix logs reasons.
 */
MUST_USE enum fail_code socketmap_put(struct buf *out, enum socketmap_status status,
    const char *text, const char *more);
/* The answer to an engine's answer; tlsrpt: the form that Postfix 3.10 takes besides. */
MUST_USE enum fail_code socketmap_put_answer(struct buf *out, const struct policy_answer *answer,
    bool tlsrpt);

#endif
