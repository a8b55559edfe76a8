/*
 * event: what one line of Postfix says about a delivery. Pure.
 *
 * Services are known by the last part of the program's name ("postfix-out/sealed-tls/smtp"), since
 * syslog_name and instances change what stands before it.
 */
#ifndef SG_GATEWAY_TRACE_EVENT_H
#define SG_GATEWAY_TRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/trace/line.h"

#define EVENT_TEXT_MAX 1025	/* bytes of one text with NUL; a record takes no longer one */
#define EVENT_HOP_MAX 320	/* host name, address, port */
#define EVENT_QUEUE_ID_MAX 40

enum event_kind {
	EVENT_NONE = 0,		/* nothing of ours */
	EVENT_STATUS,		/* "QID: to=<...>, status=...": the outcome for a recipient */
	EVENT_TRIED,		/* "QID: text": a host failed, another is tried; no recipient */
	EVENT_TLS,		/* TLS to hop, no queue id */
	EVENT_CERTIFICATE,	/* that of hop is not good: result says how; no queue id */
	EVENT_NOTE,		/* a host failed, no queue id: "connect to ..." */
	EVENT_EXPIRED		/* "QID: from=<...>, status=expired": for all recipients */
};

enum event_status {
	EVENT_SENT,
	EVENT_DEFERRED,
	EVENT_BOUNCED
};

struct event {
	enum event_kind kind;
	enum event_status status;
	bool smtp;				/* by smtp(8): a peer */
	bool reused;				/* conn_use= above 1 */
	const char *result;			/* EVENT_CERTIFICATE: static */
	char queue_id[EVENT_QUEUE_ID_MAX];
	char recipient[EVENT_TEXT_MAX];
	char hop[EVENT_HOP_MAX];		/* "mx.example[192.0.2.1]:25", "local", "" */
	char tls[EVENT_HOP_MAX];		/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified" */
	char answer[EVENT_TEXT_MAX];
};

/* What line says; EVENT_NONE for all that tells nothing about a delivery. */
void event_parse(const struct line *line, struct event *event_out);

#endif
