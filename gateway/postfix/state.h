/*
 * state: what an attach remembers, in one file beside our tables: both files as they were before
 * Sealgate, as they were right before the last change, and as we left them; and what we changed.
 * Written before main.cf and master.cf are, so that an interrupted attach can be mended.
 */
#ifndef SG_GATEWAY_POSTFIX_STATE_H
#define SG_GATEWAY_POSTFIX_STATE_H

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/postfix/plan.h"

#define STATE_VERSION 2 /* 1 had nothing of TLS; it can still be read */
#define STATE_TEXT_MAX ((size_t)1024 * 1024) /* bytes of main.cf or master.cf; real ones: 30 KB */
#define STATE_SIZE_MAX (8 * STATE_TEXT_MAX)

struct state_file {
	char *original; /* without us */
	char *before; /* when the last change began: any difference to original is ours */
	char *after; /* when it was done */
};

struct state {
	bool draining; /* detached but for the services that carry marked mail */
	unsigned int port;
	char *milter;
	unsigned int fallback_port;
	char *policy; /* "" in a record of version 1 */
	char *ca_file;
	struct state_file main;
	struct state_file master;
	struct plan plan;
};

/* Appends the bytes of the record. SG_ELIMIT, SG_ENOMEM. */
MUST_USE enum fail_code state_encode(const struct state *state, struct buf *out, struct fail *f);
/* SG_EFORMAT: damaged, or by another version. state_free releases. */
MUST_USE enum fail_code state_decode(
    const void *data, size_t size, struct state *out, struct fail *f);
void state_free(struct state *state);

/* Reads folder/state; SG_ENOTFOUND when there is none. */
MUST_USE enum fail_code state_load(const char *folder, struct state *out, struct fail *f);
/* Writes it durably, for root's eyes only. */
MUST_USE enum fail_code state_save(const char *folder, const struct state *state, struct fail *f);

#endif
