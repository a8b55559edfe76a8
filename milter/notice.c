/*
 * Our own letters on their way through Postfix: to a mailbox here, or over proven TLS, and once.
 *
 * sealgate-notify hands a letter to Postfix under a mark of the vault. The front uses the mark up
 * with its record: a try whose 250 nobody read is known again. Where recipients may change behind
 * the front, the second stage looks at where the letter really goes.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/session_private.h"

bool session_is_plain(const struct vault_decision *decision)
{
	return decision->source != NULL && strcmp(decision->source, VAULT_NOTICE_PLAIN) == 0;
}

bool session_is_notice(const struct session *session, const struct vault_decision *decision)
{
	const struct str_list *recipients = &session->message.recipients;

	if (decision->source == NULL || (strcmp(decision->source, VAULT_NOTICE) != 0 &&
	    !session_is_plain(decision)) || session->message.sender[0] != '\0' ||
	    recipients->count != 1)
		return false;
	if (session->stage != STAGE_FRONT)
		return true;	/* an alias may have made another address of it */
	return rules_is_address(recipients->items[0], decision->sender);
}

/* Into the queue for the second stage, with the mark that it came with. */
static enum fail_code pass_on(const struct session *session, const char *mark,
    struct edits *edits)
{
	const struct message *message = &session->message;
	enum fail_code code = edits_delete_all(edits, message, MARK_ROUTE);
	char *value = str_printf(" %s", mark);

	if (value == NULL)
		return SG_ENOMEM;
	if (code == SG_OK)
		code = edits_delete_all(edits, message, MARK_KEPT);
	if (code == SG_OK)
		code = edits_delete_all(edits, message, MARK_HEADER);
	/* the tables of attach look at fields that a filter has added */
	if (code == SG_OK)
		code = edits_add(edits, MARK_HEADER, value);
	free(value);
	return code;
}

static enum fail_code check_proof(struct session *session, struct fail *f)
{
	const struct delivery *delivery = &session->deliveries.items[0];
	struct tls_proof proof;
	enum fail_code code = session_proof(session, &proof, f);

	if (code == SG_OK && proof.answer == TLS_UNKNOWN)
		code = fail_set(f, SG_EPEER, "see sealgate tls check and the domain",
		    "whether TLS is proven for %s cannot be found out now: %s", delivery->hop,
		    proof.how);
	else if (code == SG_OK && proof.answer != TLS_PROVABLE)
		code = fail_set(f, SG_EPEER,
		    "write a hop rule that proves TLS there, or deliver own mail on this host",
		    "A letter with a password does not go to %s without proven TLS: %s",
		    delivery->hop, proof.how);
	return code;
}

/* Where it is delivered here, what local(8) forwards must meet the backstop. */
static enum fail_code keep_here(const struct session *session, const struct session_flag *flag,
    const char *mark, struct edits *edits, struct fail *f)
{
	const char *mailer = session->deliveries.items[0].mailer;
	enum fail_code code;

	if (strcmp(mailer, "error") == 0 || strcmp(mailer, "retry") == 0)
		return fail_set(f, SG_EPEER, NULL, "Postfix has no mailbox for %s",
		    session->message.recipients.items[0]);
	code = session_readable(session, flag, mark, edits, f);
	if (code == SG_OK && strcmp(mailer, "local") == 0 &&
	    edits_add(edits, MARK_ROUTE, " local") != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for edits");
	return code;
}

static enum fail_code find_way(struct session *session, const struct session_flag *flag,
    const char *mark, struct session_decision *decision, struct edits *edits, struct fail *f)
{
	const struct delivery *delivery = &session->deliveries.items[0];
	enum fail_code code;

	if (session->routes.by == ROUTES_NONE)
		return fail_set(f, SG_EPEER, "run sealgate postfix attach",
		    "Postfix has no routes for letters with passwords");
	if (session->stage == STAGE_FRONT && session->routes.by == ROUTES_STAGE) {
		decision->decision = RECORD_MARKED;
		return pass_on(session, mark, edits) == SG_OK ? SG_OK :
		    fail_set(f, SG_ENOMEM, NULL, "no memory for edits");
	}
	if (delivery->mailer == NULL)
		return fail_set(f, SG_EPEER, "run sealgate postfix attach",
		    "Postfix does not say how it delivers");
	if (!routes_have(&session->routes, delivery))
		return keep_here(session, flag, mark, edits, f);
	code = check_proof(session, f);
	decision->decision = RECORD_ROUTED;
	decision->way = WAY_TLS;
	return code == SG_OK ? session_route(session, flag, mark, edits, f) : code;
}

/*
 * Later, with the reason in the queue: a refusal behind the front would be the end of a letter
 * without a sender.
 */
static enum reply_stage wait_for_way(const struct session *session, struct fail *f)
{
	log_failure(LOG_LEVEL_ERROR, session->queue_id, "password-not-told-yet", f);
	(void)fail_set_kind(f, FAIL_TEMPORARY);
	return REPLY_NO_TLS;
}

enum reply_stage session_notice_plain(struct session *session, const struct session_flag *flag,
    const char *mark, struct session_outcome *outcome, struct fail *f)
{
	static const char *const ours[] = { MARK_ROUTE, MARK_KEPT, MARK_HEADER };
	const struct session_decision decision = { .recipient =
		session->message.recipients.items[0], .decision = RECORD_PASSED,
		.reason = "notice to a sender" };
	enum fail_code code = SG_OK;

	for (size_t i = 0; code == SG_OK && i < sizeof(ours) / sizeof(ours[0]); i++)
		code = edits_delete_all(&outcome->edits, &session->message, ours[i]);
	code = code != SG_OK ? fail_set(f, code, NULL, "no memory for edits") :
	    session_record_used(session, flag, mark, &decision, f);
	if (code == SG_EDENIED)
		(void)fail_set(f, SG_EDENIED, NULL, "%s", VAULT_NOTICE_TAKEN);
	if (code == SG_OK)
		outcome->verdict = SESSION_ACCEPT;
	return REPLY_MARK;
}

enum reply_stage session_notice(struct session *session, const struct session_flag *flag,
    const char *mark, struct session_outcome *outcome, struct fail *f)
{
	struct session_decision decision = { .recipient = session->message.recipients.items[0],
		.decision = RECORD_INSIDE, .reason = "letter with a password" };
	enum fail_code code = find_way(session, flag, mark, &decision, &outcome->edits, f);

	if (code != SG_OK)
		return wait_for_way(session, f);
	if (session->stage == STAGE_FRONT)
		code = session_record_used(session, flag, mark, &decision, f);
	else
		code = session_record(session, flag->tenant->name, flag->source, &decision, 1, f);
	if (code == SG_EDENIED)
		(void)fail_set(f, SG_EDENIED, NULL, "%s", VAULT_NOTICE_TAKEN);
	if (code == SG_OK)
		outcome->verdict = SESSION_ACCEPT;
	return REPLY_MARK;
}
