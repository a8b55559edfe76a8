/*
 * canary: what came back, looked at. Pure, but for canary_hear.
 */
#ifndef SG_GATEWAY_CMD_CANARY_H
#define SG_GATEWAY_CMD_CANARY_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define CANARY_MESSAGE_MAX ((size_t)4 * 1024 * 1024)	/* bytes of a message that is taken */

enum canary_result {
	CANARY_SEALED = 0,	/* it came, and is an envelope or an encrypted PDF */
	CANARY_CLEAR = 1,	/* it came, and is neither, or its word can be read */
	CANARY_MISSING = 2	/* it did not come in time */
};

/* Is it the message with this Message-ID? */
int canary_is(const struct buf *message, const char *id);
/* How it came: word stood in its body. */
enum canary_result canary_judge(const struct buf *message, const char *word);

/*
 * Takes SMTP connections at a listening socket until a message with that Message-ID has come, for
 * at most wait_ms. SG_ENOTFOUND: none came.
 */
MUST_USE enum fail_code canary_hear(int listener, const char *id, int64_t wait_ms,
    struct buf *message_out, struct fail *f);

#endif
