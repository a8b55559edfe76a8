/*
 * The fallback: what comes back from transports with TLS, since no peer took it there.
 *
 * Postfix falls back after every soft failure, greylisting and unknown hosts too. So a message for
 * proven TLS is taken only when the last failure was one of TLS and tls.wait has passed: it is then
 * sealed, once, and may go to any peer. Sealed mail is never taken: it waits in its queue, or its
 * sender is told. What the peer said stands in our answer, where the queue's list shows it.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/received.h"
#include "milter/session_private.h"

/* Why the message came back, as far as anybody knows. */
struct cause {
	struct received received;	/* of the queue from which the peer was tried */
	struct vault_waiting waiting;
	struct tls_proof proof;
	int64_t age_ms;			/* since it was put into that queue; -1: not known */
	bool tls;			/* the last failure was one of TLS */
};

static enum fail_code ask_waiting(struct session *session, const char *recipient,
    int64_t created_ms, struct cause *cause, struct fail *f)
{
	const struct session_services *services = session->services;
	int64_t since;

	received_parse(message_header(&session->message, "Received"), &cause->received);
	since = cause->received.time_ms != 0 ? cause->received.time_ms : created_ms;
	cause->age_ms = since == 0 ? -1 : clock_wall_ms(services->clock) - since;
	if (cause->received.queue_id[0] == '\0')
		return SG_OK;
	return services->waiting(services->context, cause->received.queue_id, recipient,
	    &cause->waiting, f);
}

/* Plan tls: a peer whose TLS cannot be proven any more is a failure of TLS, too. */
static enum fail_code find_cause(struct session *session, const struct marked *marked,
    struct cause *cause, struct fail *f)
{
	enum fail_code code = ask_waiting(session, marked->recipients.items[0],
	    marked->decision.created_ms, cause, f);

	cause->tls = cause->waiting.time_ms != 0 && cause->waiting.tls;
	if (code != SG_OK || cause->tls)
		return code;
	code = session_proof(session, &cause->proof, f);
	cause->tls = code == SG_OK && (cause->proof.answer == TLS_NOT_PROVABLE ||
	    cause->proof.answer == TLS_NO_MAIL);
	return code;
}

/* The peer's own words, or the best that is known. */
static const char *cause_words(const struct cause *cause)
{
	if (cause->waiting.time_ms != 0 && cause->waiting.answer[0] != '\0')
		return cause->waiting.answer;
	if (cause->proof.answer != TLS_PROVABLE && cause->proof.how[0] != '\0')
		return cause->proof.how;
	return "the next mail server did not take it";
}

/* Back into the queue, with the real reason. */
static enum fail_code wait_longer(struct session *session, const struct cause *cause,
    struct fail *f)
{
	const struct session_services *services = session->services;
	const char *hop = cause->waiting.time_ms != 0 ? cause->waiting.hop : "";

	services->count(services->context, TLS_WAITS);
	return fail_set(f, SG_EPEER, NULL, "%s%s%s, will be tried again: %s",
	    cause->tls ? "no proven TLS" : "not delivered", hop[0] != '\0' ? " at " : "", hop,
	    cause_words(cause));
}

/* ---- plan tls ---- */

/* For the record: what was decided, and what TLS failed for. NULL when out of memory. */
static char *reason_with(const char *decided, const struct cause *cause)
{
	return str_printf("%s; TLS failed: %s", decided, cause_words(cause));
}

static enum fail_code make_plan(struct session *session, const struct marked *marked,
    const struct cause *cause, struct plan *plan_out, struct fail *f)
{
	const struct session_services *services = session->services;
	const char *recipient = marked->recipients.items[0];
	struct plan_possible possible;
	char *reason;
	enum fail_code code;

	memset(&possible, 0, sizeof(possible));
	code = services->plan(services->context, marked->flag.tenant->name, &recipient, 1,
	    &possible.vault, f);
	if (code != SG_OK)
		return code;
	plan_passwords(marked->flag.tenant, session->password_kind, session->untold, &possible);
	plan_make_sealed(marked->flag.tenant, marked->flag.ways, &possible.vault, plan_out);
	plan_out->password = possible.password;
	if (plan_out->kind != PLAN_IMPOSSIBLE)
		return SG_OK;
	reason = reason_with(plan_out->why, cause);
	session_refuse_marked(session, marked, VAULT_NO_TLS,
	    reason != NULL ? reason : plan_out->why);
	free(reason);
	return fail_set(f, SG_EIMPOSSIBLE, "Ask your mail administrator for a password for this "
	    "recipient, or reach it another way", "The mail server of %s does not prove its TLS, "
	    "and there is no usable certificate or password to send the message protected. It "
	    "was not sent", recipient);
}

/* Its mark is used up with the record: what would come a second time was already sent. */
static enum fail_code record_sealed(struct session *session, const struct marked *marked,
    const struct cause *cause, const struct plan *plan, struct session_decision *decision,
    struct fail *f)
{
	char *reason = reason_with(decision->reason, cause);
	bool generated = plan->way == WAY_PDF && plan->password == PLAN_PASSWORD_GENERATED;
	const struct session_telling telling = { .sender = marked->decision.sender,
		.mark = marked->mark, .used_for = decision->recipient,
		.recipients = &decision->recipient, .count = generated ? 1 : 0 };
	enum fail_code code;

	if (reason == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for records");
	decision->reason = reason;
	code = session_record_telling(session, &marked->flag, decision, 1, &telling, f);
	free(reason);
	if (code == SG_EDENIED)
		return fail_set(f, SG_EDENIED, NULL,
		    "The message to %s was already taken here once", decision->recipient);
	return code;
}

static enum reply_stage seal(struct session *session, const struct marked *marked,
    const struct cause *cause, const struct plan *plan, struct session_outcome *outcome,
    struct fail *f)
{
	const struct session_services *services = session->services;
	char sealed[VAULT_REASON_MAX];
	struct session_decision decision = { marked->recipients.items[0], RECORD_SEALED,
	    plan->way, sealed, session_note(session, plan) };
	enum fail_code code = session_seal(session, &marked->flag, decision.recipient, plan,
	    &outcome->edits, sealed, f);

	if (code == SG_OK && routes_have(&session->routes, &session->deliveries.items[0]))
		code = session_add_route(session, MARK_ROUTE_ANY, &outcome->edits, f);
	if (code != SG_OK && f->kind == FAIL_PERMANENT)
		session_refuse_marked(session, marked,
		    code == SG_ELIMIT ? VAULT_NO_ROOM : VAULT_NO_WAY, f->what);
	if (code != SG_OK)
		return REPLY_SEAL;
	if (record_sealed(session, marked, cause, plan, &decision, f) != SG_OK)
		return REPLY_MARK;
	services->count(services->context, TLS_FELL_BACK);
	outcome->verdict = SESSION_ACCEPT;
	return REPLY_SEAL;
}

static enum reply_stage take_back(struct session *session, struct marked *marked,
    struct session_outcome *outcome, struct fail *f)
{
	struct cause cause;
	struct plan plan;
	enum fail_code code = marked_check(session, MARK_KEPT, marked, f);

	if (code != SG_OK)
		return REPLY_MARK;
	memset(&cause, 0, sizeof(cause));
	code = marked_read(session, marked, f);
	if (code == SG_OK)
		code = find_cause(session, marked, &cause, f);
	if (code != SG_OK)
		return REPLY_PLAN;
	/* our own letter with a password goes over proven TLS or not at all */
	if (!cause.tls || cause.age_ms < session->conf->tls.wait_ms ||
	    session_is_notice(session, &marked->decision)) {
		(void)wait_longer(session, &cause, f);
		return cause.tls ? REPLY_NO_TLS : REPLY_WAIT;
	}
	if (make_plan(session, marked, &cause, &plan, f) != SG_OK)
		return REPLY_PLAN;
	return seal(session, marked, &cause, &plan, outcome, f);
}

/* ---- sealed mail ---- */

/* That the sender is told goes into the record of the tenant whose sender that is. */
static void refuse_sealed(struct session *session, const char *recipient,
    const struct cause *cause, enum vault_note note, const char *why)
{
	struct session_flag flag = { NULL, 0, "", NULL };
	const struct session_refusal refusal = { .flag = &flag,
		.sender = session->message.sender, .recipient = recipient, .why = why,
		.note = note, .sent_ms = cause->received.time_ms };

	if (session->sender != NULL)
		flag.tenant = conf_tenant_of_domain(session->conf, rules_domain(session->sender));
	session_refuse(session, &refusal);
}

/* Sealed by us, and the peer has had its time: the sender is told. */
static enum fail_code tell_sender(struct session *session, const char *recipient,
    const struct cause *cause, struct fail *f)
{
	const struct session_services *services = session->services;

	refuse_sealed(session, recipient, cause, VAULT_NO_TLS, cause_words(cause));
	services->count(services->context, TLS_TOLD);
	return fail_set(f, SG_EIMPOSSIBLE, "Ask your mail administrator, or reach the recipient "
	    "another way", "The mail server of %s offers no TLS as protected mail needs it; the "
	    "message was not sent to it. What it said: %s", recipient, cause_words(cause));
}

/* Postfix would have told the sender itself, had it not come here first. */
static enum fail_code tell_no_mail(struct session *session, const char *recipient,
    const struct cause *cause, struct fail *f)
{
	refuse_sealed(session, recipient, cause, VAULT_NO_MAIL, cause->proof.how);
	return fail_set(f, SG_ENOTFOUND, "Check the address", "No mail can be sent to %s: %s",
	    recipient, cause->proof.how);
}

/* Is DNS sure that nobody takes mail there? What cannot be found out now is no. */
static bool takes_no_mail(struct session *session, struct cause *cause, struct fail *f)
{
	if (session_proof(session, &cause->proof, f) == SG_OK &&
	    cause->proof.answer == TLS_NO_MAIL)
		return true;
	fail_clear(f);
	memset(&cause->proof, 0, sizeof(cause->proof));
	return false;
}

static enum reply_stage keep_waiting(struct session *session, struct fail *f)
{
	struct str_list recipients = { NULL, 0 };
	enum reply_stage stage = REPLY_PLAN;
	struct cause cause;
	enum fail_code code;

	memset(&cause, 0, sizeof(cause));
	code = session_recipients(session, &recipients, f);
	if (code == SG_OK && recipients.count != 1)
		code = fail_set(f, SG_EPEER, "run sealgate postfix attach again",
		    "%zu recipients at once at the fallback", recipients.count);
	if (code == SG_OK)
		code = ask_waiting(session, recipients.items[0], 0, &cause, f);
	if (code == SG_OK) {
		cause.tls = cause.waiting.time_ms != 0 && cause.waiting.tls;
		stage = cause.tls ? REPLY_NO_TLS : REPLY_WAIT;
		if (cause.tls && cause.age_ms >= session->conf->tls.tell_ms)
			(void)tell_sender(session, recipients.items[0], &cause, f);
		else if (!cause.tls && takes_no_mail(session, &cause, f))
			(void)tell_no_mail(session, recipients.items[0], &cause, f);
		else
			(void)wait_longer(session, &cause, f);
	}
	str_list_free(&recipients);
	return stage;
}

void session_fallback(struct session *session, struct session_outcome *outcome)
{
	struct marked marked;
	enum reply_stage where;
	struct fail f;

	memset(&marked, 0, sizeof(marked));
	fail_clear(&f);
	where = message_count(&session->message, MARK_KEPT) > 0 ?
	    take_back(session, &marked, outcome, &f) : keep_waiting(session, &f);
	if (outcome->verdict != SESSION_ACCEPT)
		session_fail(session, where, &f, outcome);
	marked_free(&marked);
}
