/*
 * session: the state machine of one message, from MAIL to the decision at the end of data.
 *
 * No libmilter type here: milter.c feeds it, and tests play scenarios against it. What it needs
 * from other processes comes through a table of functions. Its result is an outcome that is
 * complete (all edits, the new body in a descriptor, records durable) before anything is told to
 * Postfix. Every verdict is given at the end of the message. One thread.
 *
 * Order at the front: intake, scan, flag, plan, seal, route or mark, record. At the second stage:
 * mark, plan, seal or route, record. At the fallback, where mail comes back that TLS could not
 * carry: mark, reason, plan, seal, record. Whatever fails on the way ends in a reply that keeps the
 * mail with the client; nothing flagged is accepted but sealed, routed, marked, or inside.
 */
#ifndef SG_MILTER_SESSION_H
#define SG_MILTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/counters.h"
#include "gateway/base/fail.h"
#include "gateway/base/secret.h"
#include "gateway/base/wire.h"
#include "gateway/tls/tls.h"
#include "gateway/vault/vault.h"
#include "milter/edits.h"
#include "milter/envelope.h"
#include "milter/reply.h"
#include "milter/scan/scan.h"
#include "pdfenc/pdfenc.h"

/* What other processes do for a session; each function as in the header of its client. */
struct session_services {
	void *context;
	void (*scan)(void *context, int fd, size_t size, const struct wire_wait *wait,
	    struct scan_result *result_out);
	enum fail_code (*plan)(void *context, const char *tenant, const char *const *recipients,
	    size_t count, struct vault_possible *possible_out, struct fail *f);
	enum fail_code (*certificate)(void *context, const char *tenant, const char *recipient,
	    struct buf *der_out, struct fail *f);
	enum fail_code (*password)(void *context, const char *tenant, const char *recipient,
	    struct secret *password_out, struct fail *f);
	enum fail_code (*mark_make)(void *context, const struct vault_decision *decision,
	    const unsigned char digest[VAULT_DIGEST_SIZE], int64_t life_ms,
	    char mark_out[VAULT_MARK_MAX], struct fail *f);
	enum fail_code (*mark_check)(void *context, const char *mark,
	    const unsigned char digest[VAULT_DIGEST_SIZE], struct vault_decision *decision_out,
	    struct fail *f);
	enum fail_code (*record)(void *context, const struct record *records, size_t count,
	    struct fail *f);
	enum fail_code (*pdf)(void *context, const struct pdfenc_request *request,
	    const struct wire_wait *wait, struct pdfenc_result *result_out, struct fail *f);
	enum fail_code (*record_once)(void *context, const char *mark, const char *recipient,
	    const struct record *records, size_t count, struct fail *f);
	enum fail_code (*password_try)(void *context, const char *tenant,
	    const struct secret *password, const char *const *addresses, size_t count,
	    struct fail *f);
	enum fail_code (*record_told)(void *context, const struct vault_told *told,
	    const struct record *records, size_t count, struct fail *f);
	enum fail_code (*waiting)(void *context, const char *queue_id, const char *recipient,
	    struct vault_waiting *waiting_out, struct fail *f);
	enum fail_code (*proof)(void *context, const struct tls_hop *hops, size_t count,
	    struct tls_proof *proofs_out, struct fail *f);
	void (*count)(void *context, enum tls_event event);
	struct envelope_cache *cache;	/* parsed certificates; NULL: none are kept */
	struct counters *counters;	/* NULL: nobody counts */
	const struct clock *clock;
};

enum session_verdict {
	SESSION_TEMPFAIL = 0,	/* the default: the client keeps the mail */
	SESSION_ACCEPT,
	SESSION_REJECT,
	SESSION_HOLD		/* accept into Postfix's hold queue; reply.text is the reason */
};

struct session_outcome {
	enum session_verdict verdict;
	struct reply reply;	/* for TEMPFAIL and REJECT; text for HOLD */
	struct edits edits;	/* for ACCEPT and HOLD */
};

struct session;

/* services is borrowed and outlives the session. NULL when out of memory. */
struct session *session_new(const struct session_services *services);
void session_free(struct session *session);

/*
 * Once a connection. address: NULL when submitted locally. daemon: {daemon_name}, routes:
 * {sealgate_routes} (milter/mark.h), or NULL.
 */
MUST_USE enum fail_code session_connect(struct session *session, const char *address,
    const char *daemon, const char *routes);

/*
 * A new message; what an earlier one left is dropped. conf is borrowed until the next one or
 * session_free. login: {auth_authen} or NULL. Failures of this and the next calls are kept and
 * decide at the end: nothing is refused before.
 */
void session_mail(struct session *session, const struct conf *conf, const char *sender,
    const char *login);
/*
 * mailer: {rcpt_mailer}, hop: {rcpt_host}, or NULL. A recipient that Postfix refuses itself is not
 * one of the message's.
 */
void session_recipient(struct session *session, const char *address, const char *mailer,
    const char *hop);
void session_header(struct session *session, const char *name, const char *value);
void session_header_end(struct session *session);
void session_body(struct session *session, const void *data, size_t size);

/*
 * The decision. queue_id may be NULL. wait->progress is called during long work; its timeout is
 * not used. *outcome_out is filled always; the caller frees with session_outcome_free.
 */
void session_end(struct session *session, const char *queue_id, const struct wire_wait *wait,
    struct session_outcome *outcome_out);
void session_outcome_free(struct session_outcome *outcome);

/* MAIL FROM of the message under way; borrowed, "" if there is none. */
const char *session_sender(const struct session *session);

/* The message goes no further (RSET, a new MAIL, a lost connection). */
void session_abort(struct session *session);

#endif
