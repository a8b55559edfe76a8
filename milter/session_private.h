/*
 * session_private: what session.c (intake and order of the steps), front.c (first stage), stage.c
 * (second stage) and work.c (sealing, recording) share. For these files only.
 */
#ifndef SG_MILTER_SESSION_PRIVATE_H
#define SG_MILTER_SESSION_PRIVATE_H

#include "config/rules.h"
#include "milter/mark.h"
#include "milter/message.h"
#include "milter/plan.h"
#include "milter/session.h"
#include "milter/spool.h"

struct session {
	const struct session_services *services;
	char *address;			/* the client's, NULL if local */
	bool second_stage;

	/* one message */
	const struct conf *conf;
	char *login;
	struct message message;
	char *mailer;			/* {rcpt_mailer} of the last recipient */
	struct spool *spool;		/* header fields, empty line, body */
	size_t body_at;			/* offset of the body in the spool */
	const unsigned char *data;	/* the spool's content, after the end of data */
	size_t size;
	bool open;			/* MAIL came, the decision is not yet given */
	bool header_ended;
	bool broken;			/* intake failed; trouble says why */
	struct fail trouble;

	/* at the end */
	const char *queue_id;
	const struct wire_wait *wait;
	struct scan_result scan;
	bool scanned;
};

/* What the steps decide about a flagged message. */
struct session_flag {
	char *tenant_name;			/* owned, set with tenant */
	const struct conf_tenant *tenant;	/* in session->conf */
	unsigned int ways;			/* asked for */
	const char *source;
	const char *subject;			/* without tags, or NULL: as it is */
};

/* The two ways through. Both fill the outcome. */
void session_front(struct session *session, struct session_outcome *outcome);
void session_second(struct session *session, struct session_outcome *outcome);

/* ---- work.c ---- */

/* Fills the outcome from a failure: a temporary or permanent reply; logs it. */
void session_fail(struct session *session, enum reply_stage stage, const struct fail *f,
    struct session_outcome *outcome);

/* Normalised recipients of the message; SG_EFORMAT names the one that is no address. */
MUST_USE enum fail_code session_recipients(struct session *session, struct str_list *normal_out,
    struct fail *f);

/* Plans for count normalised recipients; plans_out has room for them. */
MUST_USE enum fail_code session_plan(struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, struct plan *plans_out, struct fail *f);

/*
 * Seals the message for one recipient by plan->way into outcome->edits. reason_out: the
 * certificate's fingerprint or the PDF's pages, for the record.
 */
MUST_USE enum fail_code session_seal(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, struct edits *edits,
    char reason_out[VAULT_REASON_MAX], struct fail *f);

/* One decision for one recipient, for session_record. */
struct session_decision {
	const char *recipient;
	enum record_decision decision;
	unsigned int way;
	const char *reason;
};

/* Makes the decisions durable: one record each. tenant may be "". */
MUST_USE enum fail_code session_record(struct session *session, const char *tenant,
    const char *flagged_by, const struct session_decision *decisions, size_t count,
    struct fail *f);

/*
 * One decision for every recipient as the envelope has them. A refusal that cannot be recorded is
 * still a refusal.
 */
MUST_USE enum fail_code session_record_all(struct session *session, const char *tenant,
    const char *flagged_by, enum record_decision decision, const char *reason, struct fail *f);

/* The message's body within the spool. */
const unsigned char *session_body_data(const struct session *session, size_t *size_out);

#endif
