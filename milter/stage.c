/* The second stage: one marked message for one final recipient, sealed or routed in place. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "milter/session_private.h"

/*
 * The mark by which the message came. An inside copy, or one of plan tls, that was requeued has
 * only the one that it keeps: its recipients are those that Postfix finds now, and may be others.
 */
static enum fail_code check_mark(struct session *session, struct marked *marked, struct fail *f)
{
	enum fail_code code = marked_check(session, MARK_HEADER, marked, f);

	if (code == SG_ENOTFOUND) {
		code = marked_check(session, MARK_KEPT, marked, f);
		marked->kept = true;
	}
	if (code == SG_ENOTFOUND)
		return fail_set(f, SG_EDENIED, NULL,
		    "Only messages that the gateway has marked are taken here");
	return code;
}

/*
 * An own user's copy stays readable. Its mark lives on under another name, so that what is
 * forwarded through us is flagged again; what local(8) forwards asks no milter and meets the
 * backstop, which the route field is for.
 */
static enum fail_code make_inside(struct session *session, const struct marked *marked,
    struct edits *edits, struct fail *f)
{
	const char *mailer = session->deliveries.items[0].mailer;
	bool local = mailer != NULL && strcmp(mailer, "local") == 0;
	enum fail_code code = session_readable(session, &marked->flag, marked->mark, edits, f);

	if (code == SG_OK && local && edits_add(edits, MARK_ROUTE, " local") != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for edits");
	return code;
}

static enum fail_code make_sealed(struct session *session, const struct marked *marked,
    const struct plan *plan, struct edits *edits, char reason_out[VAULT_REASON_MAX],
    struct fail *f)
{
	enum fail_code code = session_seal(session, &marked->flag, marked->recipients.items[0],
	    plan, edits, reason_out, f);

	if (code == SG_OK && session_routing(session, plan) != ROUTING_NONE)
		code = session_add_route(session, MARK_ROUTE_SEALED, edits, f);
	return code;
}

/*
 * The sender hears of a generated password with the record, once for each recipient. A copy that
 * was requeued is another delivery; the same mark as the front made it, twice, is none.
 */
static enum fail_code record(struct session *session, const struct marked *marked,
    const struct plan *plan, const struct session_decision *decision, struct fail *f)
{
	const char *const recipients[] = { decision->recipient };
	bool generated = plan->kind == PLAN_SEAL && plan->way == WAY_PDF &&
	    plan->password == PLAN_PASSWORD_GENERATED;
	const struct session_telling telling = { .sender = marked->decision.sender,
		.mark = marked->mark, .delivered = marked->kept ? NULL : decision->recipient,
		.recipients = recipients, .count = generated ? 1 : 0 };

	return session_record_telling(session, &marked->flag, decision, 1, &telling, f);
}

static enum fail_code deliver(struct session *session, const struct marked *marked,
    const struct plan *plan, struct session_outcome *outcome, struct fail *f)
{
	struct session_decision decision = { marked->recipients.items[0], RECORD_SEALED,
	    plan->way, plan->why, session_note(session, plan) };
	char reason[VAULT_REASON_MAX];
	enum fail_code code;

	if (plan->kind == PLAN_INSIDE) {
		decision.decision = RECORD_INSIDE;
		decision.reason = "own user";
		code = make_inside(session, marked, &outcome->edits, f);
	} else if (plan->kind == PLAN_ROUTED) {
		decision.decision = RECORD_ROUTED;
		code = session_route(session, &marked->flag, marked->mark, &outcome->edits, f);
	} else {
		decision.reason = reason;
		code = make_sealed(session, marked, plan, &outcome->edits, reason, f);
	}
	if (code != SG_OK)
		return code;
	return record(session, marked, plan, &decision, f);
}

static enum reply_stage run(struct session *session, struct marked *marked,
    struct session_outcome *outcome, struct fail *f)
{
	struct plan plan;
	enum fail_code code = check_mark(session, marked, f);

	if (code != SG_OK)
		return REPLY_MARK;
	code = marked_read(session, marked, f);
	if (code == SG_OK && session_is_notice(session, &marked->decision))
		return session_notice(session, &marked->flag, marked->mark, outcome, f);
	if (code == SG_OK)
		code = session_plan(session, &marked->flag, &marked->recipients, &plan, f);
	if (code == SG_OK && plan.kind == PLAN_IMPOSSIBLE) {
		session_refuse_marked(session, marked, session_lacking(&plan), plan.why);
		code = session_impossible(session, marked->recipients.items[0], &plan, f);
	}
	if (code != SG_OK)
		return REPLY_PLAN;
	code = deliver(session, marked, &plan, outcome, f);
	if (code == SG_OK)
		outcome->verdict = SESSION_ACCEPT;
	else if (f->kind == FAIL_PERMANENT)
		session_refuse_marked(session, marked,
		    code == SG_ELIMIT ? VAULT_NO_ROOM : VAULT_NO_WAY, f->what);
	return REPLY_SEAL;
}

void session_second(struct session *session, struct session_outcome *outcome)
{
	struct marked marked;
	enum reply_stage where;
	struct fail f;

	memset(&marked, 0, sizeof(marked));
	fail_clear(&f);
	where = run(session, &marked, outcome, &f);
	if (outcome->verdict != SESSION_ACCEPT)
		session_fail(session, where, &f, outcome);
	marked_free(&marked);
}
