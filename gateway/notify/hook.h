/*
 * hook: what a hook says, and what it is told. Pure but for the time.
 */
#ifndef SG_GATEWAY_NOTIFY_HOOK_H
#define SG_GATEWAY_NOTIFY_HOOK_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/vault/vault.h"

#define HOOK_JSON_MAX ((size_t)32 * 1024)	/* bytes; a pipe takes twice that at once */

enum hook_end {
	HOOK_DONE,
	HOOK_AGAIN,	/* later */
	HOOK_FAILED	/* for good */
};

struct hook_answer {
	enum hook_end end;
	char why[VAULT_REASON_MAX];	/* for log and sender; nothing that the hook wrote */
};

/* Fills both; format as printf(3). */
void hook_say(struct hook_answer *answer, enum hook_end end, const char *format, ...)
    SG_PRINTF(3, 4);

/* By the exit status of a command: 0, 75 (EX_TEMPFAIL), others. */
void hook_exited(int status, struct hook_answer *answer);
/* By the status of HTTP: 2xx; 408, 429, 5xx, and 3xx, which an administrator mends; others. */
void hook_replied(long status, struct hook_answer *answer);

/*
 * Appends the JSON (docs/passwords.md) by libjansson, whose copies are wiped as they are freed once
 * hook_json_start was called, at start. SG_ENOMEM, SG_ELIMIT.
 */
void hook_json_start(void);
MUST_USE enum fail_code hook_json(const struct vault_notice *notice, struct buf *out);

#endif
