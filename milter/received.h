/*
 * received: queue id and time of a Received field as Postfix writes it (RFC 5321, 4.4).
 *
 *   from c.example (c.example [192.0.2.5]) by mx.example (Postfix) with ESMTP id 4XyZ0a1b2c
 *    for <a@b>; Tue, 24 Nov 2026 10:00:00 +0100 (CET)
 *   by mx.example (Postfix, from userid 0) id 0F1A2B3C4D; Tue, 24 Nov 2026 10:00:00 +0100 (CET)
 *
 * What stands behind "from" is what a client said: it may be "id", or several words. The last "id"
 * outside comments, brackets and quotes is Postfix' own. Pure.
 */
#ifndef SG_MILTER_RECEIVED_H
#define SG_MILTER_RECEIVED_H

#include <stdbool.h>
#include <stdint.h>

#define RECEIVED_ID_MAX 40	/* with NUL; long queue ids have below 20 characters */

struct received {
	char queue_id[RECEIVED_ID_MAX];	/* "" if there is none that could be Postfix' */
	int64_t time_ms;		/* since 1970; 0 if there is no date that can be read */
};

/* Takes the value of a field, folded or not; NULL finds nothing. */
void received_parse(const char *value, struct received *received_out);

/* A date-time (RFC 5322, 3.3) in milliseconds since 1970. false: none, or an impossible one. */
bool received_date(const char *text, int64_t *time_ms_out);

#endif
