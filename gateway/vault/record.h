/*
 * record: what was decided for one recipient of one message, and why; in canonical bytes.
 *
 * The encoding is versioned and has one form only (fields in order, counted strings, big-endian),
 * since records will be chained by hashes. Pure.
 */
#ifndef SG_GATEWAY_VAULT_RECORD_H
#define SG_GATEWAY_VAULT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define RECORD_VERSION 2	/* version 1 (no hop, tls, answer) is still read */
/* Message-IDs of our own TLSRPT reports begin so: their sessions are not reported. */
#define RECORD_REPORT_ID "sealgate-tlsrpt."
#define RECORD_TEXT_MAX 1024	/* bytes of one field; longer ones are cut by whoever fills it */

enum record_decision {
	RECORD_PASSED = 1,	/* not flagged: accepted as it was */
	RECORD_SEALED = 2,
	RECORD_MARKED = 3,	/* accepted for the second stage */
	RECORD_INSIDE = 4,	/* flagged, to an own user, in clear inside */
	RECORD_REFUSED = 5,	/* permanent */
	RECORD_DEFERRED = 6,	/* temporary failure */
	RECORD_HELD = 7,	/* in Postfix's hold queue */
	RECORD_ROUTED = 8,	/* plan tls: accepted, to leave over proven TLS only */
	/* from Postfix's log, by sealgate-trace */
	RECORD_DELIVERED = 9,
	RECORD_WAITING = 10,	/* a try failed; told once for each new reason */
	RECORD_BOUNCED = 11,
	/* from sealgate-tls */
	RECORD_RULE = 12	/* an administrator's TLS rule came into force, or ended */
};

struct record {
	int64_t time_ms;	/* since 1970 */
	char *tenant;		/* "" for outsiders' mail */
	uint8_t stage;		/* 1 front, 2 seal, 3 fallback, 4 Postfix's log, 5 TLS rules */
	char *queue_id;
	char *message_id;	/* with angle brackets, "" if none */
	char *sender;
	char *recipient;
	uint8_t decision;	/* enum record_decision */
	uint8_t way;		/* enum conf_way bit if sealed, else 0 */
	char *flagged_by;	/* "subject", "header", "sensitivity", "" */
	char *verdict;		/* "clean", "infected NAME", "unscannable WHY", "none ..." */
	char *reason;		/* why this decision: the certificate, or what was impossible */
	uint64_t size;		/* bytes as received */
	/* of deliveries; NULL counts as "" */
	char *hop;		/* "mx1.partner.example[192.0.2.1]:25" */
	char *tls;		/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", "" if none */
	char *answer;		/* the peer's words, or Postfix's: "250 2.0.0 Ok: queued as 4X" */
};

const char *record_decision_name(unsigned int decision);	/* "sealed"; never NULL */
/* Appends the bytes; SG_ELIMIT (a long text), SG_EFORMAT (a wrong value): appends nothing. */
MUST_USE enum fail_code record_encode(const struct record *record, struct buf *out);
/* SG_EFORMAT: not exactly one record of this version. record_free releases what is in it. */
MUST_USE enum fail_code record_decode(const void *data, size_t size, struct record *record_out,
    struct fail *f);
void record_free(struct record *record);	/* its strings, not itself */
/* The array, and what is in each. */
void records_free(struct record *records, size_t count);

#endif
