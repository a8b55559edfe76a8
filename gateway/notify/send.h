/*
 * send: one message to an SMTP server, by libcurl. Blocks for at most SEND_MS.
 */
#ifndef SG_GATEWAY_NOTIFY_SEND_H
#define SG_GATEWAY_NOTIFY_SEND_H

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define SEND_MS 120000L		/* the filter at the server scans the message */
#define SEND_REPLY_MAX ((size_t)512)	/* characters of a reply that are kept */

/*
 * From the null sender to one recipient; server is "HOST:PORT", domain the EHLO name. SG_OK: the
 * server said 250 to the message. reply_out: the last line it said. A failure is
 * permanent if the server said 5xx; an administrator may mend that all the same.
 */
MUST_USE enum fail_code send_message(const char *server, const char *domain, const char *to,
    const struct buf *message, char reply_out[SEND_REPLY_MAX], struct fail *f);

#endif
