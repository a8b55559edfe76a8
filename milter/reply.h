/*
 * reply: the one place where a failure becomes an SMTP reply (RFC 5321, RFC 3463).
 *
 * The rule: what nobody foresaw is temporary, so that the client keeps the mail. Permanent only
 * where the same message would be refused again.
 */
#ifndef SG_MILTER_REPLY_H
#define SG_MILTER_REPLY_H

#include "gateway/base/fail.h"

#define REPLY_TEXT_MAX 480	/* bytes; SMTP lines end at 512 */

/* Where in the way of a message it happened. */
enum reply_stage {
	REPLY_INTAKE,		/* envelope, header, body */
	REPLY_SCAN,
	REPLY_SENDER,		/* who may flag */
	REPLY_PLAN,
	REPLY_SEAL,
	REPLY_MARK,
	REPLY_RECORD,
	REPLY_WAIT,		/* a peer did not take it: our answer tells the queue why */
	REPLY_NO_TLS		/* the same, for want of TLS */
};

struct reply {
	char code[4];			/* "451" */
	char status[8];			/* "4.7.1" */
	char text[REPLY_TEXT_MAX];	/* printable ASCII or UTF-8, one line */
};

/* The reply for f in stage. */
void reply_from_fail(enum reply_stage stage, const struct fail *f, struct reply *reply_out);
/* A reply of our own words; control characters become "?". */
void reply_set(struct reply *reply_out, const char *code, const char *status, const char *format,
    ...) SG_PRINTF(4, 5);

#endif
