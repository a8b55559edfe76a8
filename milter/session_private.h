/*
 * session_private: what the files of the session share: session.c (intake and order of the steps),
 * front.c, stage.c and fallback.c (the three ways through), verdict.c (what a scan means),
 * possible.c (plans), work.c (sealing, failures), marked.c (what comes with a mark), routed.c (what
 * leaves by our transports), tell.c (letters to senders) and record.c. For these files only.
 */
#ifndef SG_MILTER_SESSION_PRIVATE_H
#define SG_MILTER_SESSION_PRIVATE_H

#include "config/phone.h"
#include "config/rules.h"
#include "milter/mark.h"
#include "milter/message.h"
#include "milter/plan.h"
#include "milter/route.h"
#include "milter/session.h"
#include "milter/spool.h"

/* Which smtpd of Postfix talks to us; the numbers stand in records. */
enum session_stage {
	STAGE_FRONT = 1,
	STAGE_SECOND = 2,
	STAGE_FALLBACK = 3
};

struct session {
	const struct session_services *services;
	char *address;			/* the client's, NULL if local */
	enum session_stage stage;
	struct routes routes;		/* that Postfix has */

	/* one message */
	const struct conf *conf;
	char *login;
	struct message message;
	char *sender;			/* normalised MAIL FROM, at the end; NULL: no address */
	struct deliveries deliveries;	/* one for each recipient of message */
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

	/* the password that the message brings for those that have none: password.c */
	struct rules_arguments arguments;	/* found in its header */
	struct secret password;
	enum vault_password_kind password_kind;
	char phone[PHONE_MAX];		/* with VAULT_SMS; else "" */
	const char *untold;		/* why its sender cannot be told one; static */
};

/* What the steps decide about a flagged message. */
struct session_flag {
	const struct conf_tenant *tenant;	/* in session->conf */
	unsigned int ways;			/* asked for */
	const char *source;
	const char *subject;			/* without tags, or NULL: as it is */
};

/* The three ways through. All fill the outcome. */
void session_front(struct session *session, struct session_outcome *outcome);
void session_second(struct session *session, struct session_outcome *outcome);
void session_fallback(struct session *session, struct session_outcome *outcome);

/* ---- work.c ---- */

/* Fills the outcome from a failure: a temporary or permanent reply; logs it. */
void session_fail(struct session *session, enum reply_stage stage, const struct fail *f,
    struct session_outcome *outcome);

/* Normalised recipients of the message; SG_EFORMAT names the one that is no address. */
MUST_USE enum fail_code session_recipients(struct session *session, struct str_list *normal_out,
    struct fail *f);

/*
 * Seals the message for one recipient by plan->way into outcome->edits. reason_out: the
 * certificate's fingerprint or the PDF's pages, for the record.
 */
MUST_USE enum fail_code session_seal(struct session *session, const struct session_flag *flag,
    const char *recipient, const struct plan *plan, struct edits *edits,
    char reason_out[VAULT_REASON_MAX], struct fail *f);

/* The refusal (SG_EIMPOSSIBLE) of a recipient whose plan is impossible, in words for the sender. */
enum fail_code session_impossible(const struct session *session, const char *recipient,
    const struct plan *plan, struct fail *f);

/* The message's body within the spool. */
const unsigned char *session_body_data(const struct session *session, size_t *size_out);

/* ---- verdict.c ---- */

/* What becomes of a message by the scanner's answer; decides = false: it goes on. */
struct session_judgement {
	bool decides;
	enum conf_action action;
	enum reply_stage stage;		/* of the refusal */
	struct fail why;
};
void session_judge(const struct conf *conf, const struct scan_result *scan,
    struct session_judgement *verdict);

/* ---- possible.c ---- */

/*
 * Plans for count normalised recipients; plans_out has room for them. A temporary failure where
 * one cannot be made now.
 */
MUST_USE enum fail_code session_plan(struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, struct plan *plans_out, struct fail *f);

/* Can TLS be proven where Postfix would deliver the only recipient? It must have a route. */
MUST_USE enum fail_code session_proof(struct session *session, struct tls_proof *proof_out,
    struct fail *f);

/* ---- marked.c: the second stage and the fallback take what comes with a mark ---- */

struct marked {
	struct session_flag flag;
	struct rules_flag rules;
	struct vault_decision decision;
	char *mark;
	bool kept;			/* it came as X-Sealgate-Kept: delivered before */
	struct str_list recipients;	/* one, normalised */
};

/*
 * Checks the only field of that name: marked->mark, decision and tenant. SG_ENOTFOUND: there is
 * none; SG_EDENIED: several, or not valid. More than one recipient is a temporary failure.
 */
MUST_USE enum fail_code marked_check(struct session *session, const char *name,
    struct marked *marked, struct fail *f);
/* Then its subject without tags, and the recipient. */
MUST_USE enum fail_code marked_read(struct session *session, struct marked *marked,
    struct fail *f);
void marked_free(struct marked *marked);

/* ---- routed.c ---- */

/* For a message with one recipient, which is planned as plan says. */
enum routing {
	ROUTING_NONE,	/* goes the way that Postfix chose */
	ROUTING_HERE,	/* gets a route now */
	ROUTING_LATER	/* needs one that only the second stage can give */
};
enum routing session_routing(const struct session *session, const struct plan *plan);

/* Adds the route of the only recipient, in place of any that is there. kind: MARK_ROUTE_... */
MUST_USE enum fail_code session_add_route(const struct session *session, const char *kind,
    struct edits *edits, struct fail *f);

/*
 * A copy that stays readable: without what asked for protection and what is no longer true
 * (signatures over the tagged subject). Its mark goes on as X-Sealgate-Kept; routes go.
 */
MUST_USE enum fail_code session_readable(const struct session *session,
    const struct session_flag *flag, const char *mark, struct edits *edits, struct fail *f);

/* For plan tls: such a copy that only a transport with proven TLS delivers. */
MUST_USE enum fail_code session_route(const struct session *session,
    const struct session_flag *flag, const char *mark, struct edits *edits, struct fail *f);

/*
 * Only we make routes, and no requeued or forwarded mail passes a filter: a local sender wrote this
 * one, whose refusal f is then. The header checks of pickup have followed it already, past the
 * policies of Postfix.
 */
bool session_route_forged(const struct session *session, struct fail *f);

/* A bounce must not carry home in clear what was to be protected. */
MUST_USE enum fail_code session_short_bounces(const struct session *session,
    struct edits *edits, struct fail *f);

/* ---- password.c: what senders choose and are told ---- */

/*
 * A field as it came in: passwords and numbers in it go to session->arguments, and *clean_out is
 * the value without them, NULL if it had none; the caller frees.
 */
MUST_USE enum fail_code session_take_arguments(struct session *session, const char *name,
    const char *value, char **clean_out, struct fail *f);

/*
 * Once at the front, when it is flagged by an own sender: what was chosen is checked, or one is
 * generated, if the sender may be told or there is a hook. SG_EDENIED, SG_EFORMAT: words for the
 * sender.
 */
MUST_USE enum fail_code session_password(struct session *session,
    const struct session_flag *flag, const struct rules_flag *rules,
    const struct str_list *recipients, struct fail *f);
/* The others: nothing of what stands in the message counts. */
void session_no_password(struct session *session, const char *untold);

/* A password that was chosen, or a number, does not go through the queue in the clear. */
MUST_USE enum fail_code session_hide_password(const struct session *session,
    const struct session_flag *flag, struct edits *edits, struct fail *f);

/* ---- notice.c: our own letters on their way through Postfix ---- */

/* Is it one, under its mark, to whom it was written? */
bool session_is_notice(const struct session *session, const struct vault_decision *decision);
/* Is it one with nothing secret in it, that may go as any mail does? */
bool session_is_plain(const struct vault_decision *decision);
/*
 * At the front: lets a plain one through, once. The others: to a mailbox here or over proven TLS;
 * else it is refused, and comes again.
 */
enum reply_stage session_notice_plain(struct session *session, const struct session_flag *flag,
    const char *mark, struct session_outcome *outcome, struct fail *f);
enum reply_stage session_notice(struct session *session, const struct session_flag *flag,
    const char *mark, struct session_outcome *outcome, struct fail *f);

/* ---- record.c ---- */

/* One decision for one recipient, for session_record. */
struct session_decision {
	const char *recipient;
	enum record_decision decision;
	unsigned int way;
	const char *reason;
	enum vault_note note;	/* for the sender, who may want to hear it */
};

/* Makes the decisions durable: one record each. tenant may be "". */
MUST_USE enum fail_code session_record(struct session *session, const char *tenant,
    const char *flagged_by, const struct session_decision *decisions, size_t count,
    struct fail *f);

/*
 * One decision, and the note that this mark was used up for its recipient. SG_EDENIED: before.
 */
MUST_USE enum fail_code session_record_used(struct session *session,
    const struct session_flag *flag, const char *mark, const struct session_decision *decision,
    struct fail *f);

/* The same with what the vault is told besides, in one commit. */
MUST_USE enum fail_code session_record_told(struct session *session,
    const struct session_flag *flag, const struct session_decision *decisions, size_t count,
    const struct vault_told *told, struct fail *f);

/*
 * One decision for every recipient as the envelope has them. A refusal that cannot be recorded is
 * still a refusal.
 */
MUST_USE enum fail_code session_record_all(struct session *session, const char *tenant,
    const char *flagged_by, enum record_decision decision, const char *reason, struct fail *f);

/* ---- tell.c: what senders are told by mail ---- */

/* What goes with the record of a message. */
struct session_telling {
	const char *sender;		/* MAIL FROM at the front */
	const char *mark;		/* NULL: sealed here and now */
	const char *used_for;		/* it is used up for this recipient; or NULL */
	const char *delivered;		/* the second stage delivers it to this one; or NULL */
	const char *const *recipients;	/* for whom a password was generated */
	size_t count;
};

/* How the message goes, for a notice; VAULT_NO_NOTE where the front does not know yet. */
enum vault_note session_note(const struct session *session, const struct plan *plan);
/* What an impossible one lacks. */
enum vault_note session_lacking(const struct plan *plan);

/* Those that get a PDF with the password of the message; borrowed, in room for all. */
size_t session_find_told(const struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, const struct plan *plans, const char **told_out);
/*
 * Records, and in the same commit a letter where a password was generated for somebody, and a
 * notice of how the message goes where senders get such. SG_EDENIED: the mark was used up before.
 */
MUST_USE enum fail_code session_record_telling(struct session *session,
    const struct session_flag *flag, const struct session_decision *decisions, size_t count,
    const struct session_telling *telling, struct fail *f);

/* A refusal behind the front. */
struct session_refusal {
	const struct session_flag *flag;	/* its tenant may be NULL */
	const char *sender;			/* MAIL FROM at the front */
	const char *mark;			/* or NULL */
	const char *recipient;
	const char *why;			/* exactly, for the record */
	enum vault_note note;			/* in kind, for the sender */
	int64_t sent_ms;			/* when it came to the front; 0: not known */
};
/*
 * Records it, in the same commit with a notice to the sender if it gets such; what hinders that is
 * logged, and it is refused all the same.
 */
void session_refuse(struct session *session, const struct session_refusal *refusal);
/* For good, though the front said yes: Postfix tells the sender, and so do we. */
void session_refuse_marked(struct session *session, const struct marked *marked,
    enum vault_note note, const char *why);

/* A refusal of one recipient; what hinders the record is logged. */
void session_record_refused(struct session *session, const char *tenant, const char *flagged_by,
    const char *recipient, const char *reason);

#endif
