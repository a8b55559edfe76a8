/* What leaves by our own transports, and copies that stay readable. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "milter/session_private.h"

enum routing session_routing(const struct session *session, const struct plan *plan)
{
	const struct delivery *delivery = &session->deliveries.items[0];

	if (plan->kind != PLAN_ROUTED && session->conf->tls.sealed == CONF_FLOOR_MAY)
		return ROUTING_NONE;
	if (session->routes.by == ROUTES_NONE)
		return ROUTING_NONE;
	/* recipients may become others behind the front, or are not known there */
	if (session->stage == STAGE_FRONT &&
	    (session->routes.by == ROUTES_STAGE || delivery->mailer == NULL))
		return ROUTING_LATER;
	/* where Postfix did not say, making the route tells so */
	return delivery->mailer == NULL || routes_have(&session->routes, delivery) ?
	    ROUTING_HERE : ROUTING_NONE;
}

enum fail_code session_add_route(const struct session *session, const char *kind,
    struct edits *edits, struct fail *f)
{
	char *value;
	enum fail_code code = route_value(kind, &session->deliveries.items[0],
	    session->message.recipients.items[0], &value, f);

	if (code == SG_OK && edits_add(edits, MARK_ROUTE, value) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for edits");
	free(value);
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

enum fail_code session_readable(const struct session *session, const struct session_flag *flag,
    const char *mark, struct edits *edits, struct fail *f)
{
	const struct message *message = &session->message;
	enum fail_code code = edits_delete_all(edits, message, MARK_HEADER);

	if (code == SG_OK)
		code = set_value(edits, message, MARK_KEPT, mark);
	if (code == SG_OK)
		code = edits_delete_all(edits, message, MARK_ROUTE);
	if (code == SG_OK && flag->subject != NULL)
		code = set_value(edits, message, "Subject", flag->subject);
	if (code == SG_OK)
		code = edits_delete_all(edits, message, session->conf->tags.header);
	if (code == SG_OK)
		code = edits_delete_all(edits, message, MARK_TLS_REQUIRED);
	if (code == SG_OK)
		code = drop_signatures(message, edits);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for edits");
	return SG_OK;
}

enum fail_code session_short_bounces(const struct session *session, struct edits *edits,
    struct fail *f)
{
	if (session->message.sender[0] == '\0')
		return SG_OK;
	edits->sender_arguments = str_dup("RET=HDRS");
	if (edits->sender_arguments == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for edits");
	return SG_OK;
}

enum fail_code session_route(const struct session *session, const struct session_flag *flag,
    const char *mark, struct edits *edits, struct fail *f)
{
	enum fail_code code = session_readable(session, flag, mark, edits, f);

	if (code == SG_OK)
		code = session_add_route(session, MARK_ROUTE_TLS, edits, f);
	if (code == SG_OK)
		code = session_short_bounces(session, edits, f);
	return code;
}

/* "local" is no choice of a transport: what has it waits at the backstop. */
static bool is_choice(const struct message_header *field)
{
	const char *value = field->value + strspn(field->value, " \t\r\n");

	return str_equal_case(field->name, MARK_ROUTE) && !str_starts_case(value, "local");
}

bool session_route_forged(const struct session *session, struct fail *f)
{
	const struct message *message = &session->message;
	bool forged = false;

	for (size_t i = 0; session->address == NULL && i < message->header_count; i++)
		forged = forged || is_choice(&message->headers[i]);
	if (forged)
		(void)fail_set(f, SG_EDENIED, "Take it out and send the message again",
		    "The message has a header field that is the gateway's own: %s", MARK_ROUTE);
	return forged;
}
