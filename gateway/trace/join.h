/*
 * join: puts the lines of one process together and makes facts for the vault of them.
 *
 * Postfix tells about TLS in lines without a queue id; they belong to the delivery that the same
 * process reports next, at the same host. What cannot be joined safely is left out: a record then
 * says nothing about TLS rather than something wrong. One thread.
 */
#ifndef SG_GATEWAY_TRACE_JOIN_H
#define SG_GATEWAY_TRACE_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "gateway/trace/event.h"
#include "gateway/vault/vault.h"

#define JOIN_PROCESSES 512u	/* that speak at once; the longest silent one is forgotten */
#define JOIN_FACTS_MAX 200u	/* of one batch */

/* Facts on their way to the vault; zero-initialise. */
struct join_batch {
	struct vault_fact facts[JOIN_FACTS_MAX];
	size_t count;
};
void join_batch_clear(struct join_batch *batch);

struct join;

/* Loopback ports of our own smtpd listeners: what goes there has not left. */
struct join_ports {
	unsigned int stage;
	unsigned int fallback;
};

/* NULL: no memory. */
struct join *join_new(const struct join_ports *ports);
void join_free(struct join *join);

/*
 * One line. batch NULL: only remembered, for lines that were told before. Adds at most one fact;
 * the batch must have room for them. SG_ENOMEM.
 */
MUST_USE enum fail_code join_line(struct join *join, const struct line *line,
    struct join_batch *batch, struct fail *f);

#endif
