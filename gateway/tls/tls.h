/*
 * tls: the client of sealgate-tls, which knows what TLS a next hop must and can give.
 *
 * The filter asks whether delivery over proven TLS is possible, the command line asks for
 * explanations. Postfix itself asks over a socketmap (socketmap.h). Called from any thread.
 */
#ifndef SG_GATEWAY_TLS_TLS_H
#define SG_GATEWAY_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/wire.h"

enum tls_message_type {
	TLS_PROOF = 1,		/* u16 n, n times hop, u8 relayed -> n times u8 answer, how */
	TLS_EVENT = 2,		/* u8 enum tls_event -> empty */
	TLS_CHECK = 32,		/* u8 connect, u8 json, hop -> descriptor: the text to print */
	TLS_STATUS = 33,	/* empty -> descriptor: metrics in Prometheus' text format */
	TLS_REPORT = 34		/* day (YYYY-MM-DD), u8 send -> descriptor: JSON lines */
};

#define TLS_HOPS_MAX 200	/* a packet; tls_proof asks as often as needed */
#define TLS_HOW_MAX 240		/* bytes of one reason, with NUL */

/* The gateway's TLS policy service at one socket. */
struct tls {
	const char *path;	/* borrowed */
	int timeout_ms;
};

/*
 * A next hop in Postfix's spelling: "partner.example", "[relay.example]:587". relayed: it is not
 * the recipient's own domain, so that proof would end there: a rule must say that it is enough.
 */
struct tls_hop {
	const char *name;
	bool relayed;
};

enum tls_answer {
	TLS_UNKNOWN = 0,	/* a lookup failed: ask again later, promise nothing */
	TLS_PROVABLE = 1,	/* DANE, MTA-STS enforce, or an administrator's rule */
	TLS_NOT_PROVABLE = 2,
	TLS_NO_MAIL = 3		/* nor will it be: no such domain, or a null MX, says DNS */
};

struct tls_proof {
	enum tls_answer answer;
	char how[TLS_HOW_MAX];	/* "DANE: 2 usable TLSA at mx1.partner.example", or why not */
};

/* One answer for each of count hops into proofs_out[count]. Failures are temporary. */
MUST_USE enum fail_code tls_proof(const struct tls *tls, const struct tls_hop *hops, size_t count,
    struct tls_proof *proofs_out, struct fail *f);

/* What the filter did, for the metrics. */
enum tls_event {
	TLS_FELL_BACK = 1,	/* sealed as pdf or envelope, since TLS could not be had */
	TLS_TOLD = 2,		/* a peer without TLS: the sender was told */
	TLS_WAITS = 3		/* at the fallback, sent back to wait */
};
/* Best effort; never waits long. */
void tls_count(const struct tls *tls, enum tls_event event);

/* The explanation of what would happen for a domain or next hop, as text or JSON. */
MUST_USE enum fail_code tls_check(const struct tls *tls, const char *hop, bool connect, bool json,
    struct buf *text_out, struct fail *f);
MUST_USE enum fail_code tls_status(const struct tls *tls, struct buf *text_out, struct fail *f);
/* The TLSRPT reports of one UTC day ("2026-11-23"), a line of JSON each; send: also sends them. */
MUST_USE enum fail_code tls_report(const struct tls *tls, const char *day, bool send,
    struct buf *lines_out, struct fail *f);

#endif
