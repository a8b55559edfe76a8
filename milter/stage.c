/* The second stage: one marked message for one final recipient, sealed in place. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/outer.h"
#include "milter/session_private.h"

struct stage {
	struct session_flag flag;
	struct rules_flag rules;
	struct vault_decision decision;
	char *mark;
	struct str_list recipients;	/* one, normalised */
};

static void stage_free(struct stage *stage)
{
	rules_flag_free(&stage->rules);
	vault_decision_free(&stage->decision);
	free(stage->mark);
	str_list_free(&stage->recipients);
}

/*
 * The mark by which the message came. An inside copy that was requeued has only the one that it
 * keeps: its recipients are those that Postfix finds now, and may be others.
 */
static enum fail_code find_mark(struct session *session, struct stage *stage, struct fail *f)
{
	enum fail_code code = mark_find(&session->message, MARK_HEADER, &stage->mark, f);

	if (code == SG_ENOTFOUND)
		code = mark_find(&session->message, MARK_KEPT, &stage->mark, f);
	if (code == SG_ENOTFOUND)
		return fail_set(f, SG_EDENIED, NULL,
		    "Only messages that the gateway has marked are taken here");
	return code;
}

/* Only a message with a valid mark of ours, for one recipient. */
static enum fail_code check_mark(struct session *session, struct stage *stage, struct fail *f)
{
	const struct session_services *services = session->services;
	unsigned char digest[VAULT_DIGEST_SIZE];
	const unsigned char *body;
	size_t size;
	enum fail_code code = find_mark(session, stage, f);

	if (code != SG_OK)
		return code;
	body = session_body_data(session, &size);
	mark_digest(body, size, digest);
	code = services->mark_check(services->context, stage->mark, digest, &stage->decision, f);
	if (code == SG_OK && session->message.recipients.count != 1) {
		(void)fail_set(f, SG_EPEER, "run sealgate postfix attach again",
		    "%zu recipients at once: seal_destination_recipient_limit must be 1",
		    session->message.recipients.count);
		code = f->code;
	}
	return code;
}

static enum fail_code find_tenant(struct session *session, struct stage *stage, struct fail *f)
{
	stage->flag.tenant = conf_tenant_named(session->conf, stage->decision.tenant);
	if (stage->flag.tenant == NULL)
		return fail_set(f, SG_EPEER, "put the tenant back until its mail is delivered",
		    "marked mail of tenant %s, which is not configured", stage->decision.tenant);
	stage->flag.ways = stage->decision.ways;
	stage->flag.source = stage->decision.source;
	return SG_OK;
}

/* The subject without its tags, from the field as it came through the queue. */
static enum fail_code find_subject(struct session *session, struct stage *stage, struct fail *f)
{
	struct rules_header header = { "Subject", message_header(&session->message, "Subject") };
	enum fail_code code;

	if (header.value == NULL)
		return SG_OK;
	code = rules_match(session->conf, &header, 1, &stage->rules, f);
	stage->flag.subject = stage->rules.subject;
	return code;
}

/* Signatures made at the front cover the tagged subject: they cannot be true any more. */
static enum fail_code drop_signatures(const struct message *message, struct edits *edits)
{
	static const char *const names[] = {
		"DKIM-Signature", "DomainKey-Signature", "ARC-Seal", "ARC-Message-Signature",
		"ARC-Authentication-Results",
	};
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && code == SG_OK; i++)
		code = edits_delete_all(edits, message, names[i]);
	return code;
}

static enum fail_code set_value(struct edits *edits, const struct message *message,
    const char *name, const char *text)
{
	char *value = str_printf("%s%s", str_is_space(text[0]) ? "" : " ", text);
	enum fail_code code = value == NULL ? SG_ENOMEM :
	    edits_set(edits, message, name, value);

	free(value);
	return code;
}

/*
 * An own user's copy stays readable. Its mark lives on under another name, so that what is
 * forwarded through us is flagged again; what local(8) forwards asks no milter and meets the
 * backstop, which the route field is for.
 */
static enum fail_code make_inside(struct session *session, struct stage *stage,
    struct edits *edits, struct fail *f)
{
	const struct message *message = &session->message;
	bool local = session->mailer != NULL && strcmp(session->mailer, "local") == 0;
	enum fail_code code = edits_delete_all(edits, message, MARK_HEADER);

	if (code == SG_OK)
		code = set_value(edits, message, MARK_KEPT, stage->mark);
	if (code == SG_OK && local)
		code = set_value(edits, message, MARK_ROUTE, "local");
	else if (code == SG_OK)
		code = edits_delete_all(edits, message, MARK_ROUTE);
	if (code == SG_OK && stage->flag.subject != NULL)
		code = set_value(edits, message, "Subject", stage->flag.subject);
	if (code == SG_OK)
		code = edits_delete_all(edits, message, session->conf->tags.header);
	if (code == SG_OK)
		code = drop_signatures(message, edits);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for edits");
	return SG_OK;
}

static enum fail_code deliver(struct session *session, struct stage *stage,
    const struct plan *plan, struct session_outcome *outcome, struct fail *f)
{
	struct session_decision decision;
	char reason[VAULT_REASON_MAX] = "own user";
	enum fail_code code;

	if (plan->kind == PLAN_INSIDE)
		code = make_inside(session, stage, &outcome->edits, f);
	else
		code = session_seal(session, &stage->flag, stage->recipients.items[0], plan,
		    &outcome->edits, reason, f);
	if (code != SG_OK)
		return code;
	decision.recipient = stage->recipients.items[0];
	decision.decision = plan->kind == PLAN_INSIDE ? RECORD_INSIDE : RECORD_SEALED;
	decision.way = plan->way;
	decision.reason = reason;
	return session_record(session, stage->flag.tenant->name, stage->flag.source, &decision, 1,
	    f);
}

/* Became impossible since the front said yes: Postfix tells the sender. */
static enum fail_code refuse_impossible(struct session *session, const struct stage *stage,
    const struct plan *plan, struct fail *f)
{
	struct session_decision decision;
	struct fail lost;
	enum fail_code code;

	decision.recipient = stage->recipients.items[0];
	decision.decision = RECORD_REFUSED;
	decision.way = 0;
	decision.reason = plan->why;
	fail_clear(&lost);
	code = session_record(session, stage->flag.tenant->name, stage->flag.source, &decision, 1,
	    &lost);
	if (code != SG_OK)
		log_failure(LOG_LEVEL_ERROR, session->queue_id, "no-record", &lost);
	return fail_set(f, SG_EIMPOSSIBLE, "Ask your mail administrator to add one",
	    "No protection is possible for this recipient: there is no usable certificate or "
	    "password. The message was not sent to it");
}

static enum reply_stage run(struct session *session, struct stage *stage,
    struct session_outcome *outcome, struct fail *f)
{
	struct plan plan;
	enum fail_code code = check_mark(session, stage, f);

	if (code == SG_OK)
		code = find_tenant(session, stage, f);
	if (code != SG_OK)
		return REPLY_MARK;
	code = find_subject(session, stage, f);
	if (code == SG_OK)
		code = session_recipients(session, &stage->recipients, f);
	if (code == SG_OK)
		code = session_plan(session, &stage->flag, &stage->recipients, &plan, f);
	if (code == SG_OK && plan.kind == PLAN_IMPOSSIBLE)
		code = refuse_impossible(session, stage, &plan, f);
	if (code != SG_OK)
		return REPLY_PLAN;
	code = deliver(session, stage, &plan, outcome, f);
	if (code == SG_OK)
		outcome->verdict = SESSION_ACCEPT;
	return REPLY_SEAL;
}

void session_second(struct session *session, struct session_outcome *outcome)
{
	struct stage stage;
	enum reply_stage where;
	struct fail f;

	memset(&stage, 0, sizeof(stage));
	fail_clear(&f);
	where = run(session, &stage, outcome, &f);
	if (outcome->verdict != SESSION_ACCEPT)
		session_fail(session, where, &f, outcome);
	stage_free(&stage);
}
