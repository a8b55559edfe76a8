/* What the second stage and the fallback take: a message with a valid mark of ours. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/session_private.h"

void marked_free(struct marked *marked)
{
	rules_flag_free(&marked->rules);
	vault_decision_free(&marked->decision);
	free(marked->mark);
	str_list_free(&marked->recipients);
	memset(marked, 0, sizeof(*marked));
}

static enum fail_code find_tenant(struct session *session, struct marked *marked, struct fail *f)
{
	marked->flag.tenant = conf_tenant_named(session->conf, marked->decision.tenant);
	if (marked->flag.tenant == NULL)
		return fail_set(f, SG_EPEER, "put the tenant back until its mail is delivered",
		    "marked mail of tenant %s, which is not configured", marked->decision.tenant);
	marked->flag.ways = marked->decision.ways;
	marked->flag.source = marked->decision.source;
	return SG_OK;
}

enum fail_code marked_check(struct session *session, const char *name, struct marked *marked,
    struct fail *f)
{
	const struct session_services *services = session->services;
	unsigned char digest[VAULT_DIGEST_SIZE];
	const unsigned char *body;
	size_t size;
	enum fail_code code = mark_find(&session->message, name, &marked->mark, f);

	if (code != SG_OK)
		return code;
	body = session_body_data(session, &size);
	mark_digest(body, size, digest);
	code = services->mark_check(services->context, marked->mark, digest, &marked->decision,
	    f);
	/* the vault has none of that number: for a mark the same as denied */
	if (code == SG_ENOTFOUND)
		code = fail_set(f, SG_EDENIED, NULL, "The mark is not known");
	if (code == SG_OK && session->message.recipients.count != 1)
		code = fail_set(f, SG_EPEER, "run sealgate postfix attach again",
		    "%zu recipients at once: seal_destination_recipient_limit must be 1",
		    session->message.recipients.count);
	if (code == SG_OK)
		code = find_tenant(session, marked, f);
	if (code == SG_OK) {
		secret_move(&session->password, &marked->decision.password);
		session->password_kind = marked->decision.password_kind;
		(void)snprintf(session->phone, sizeof(session->phone), "%s",
		    marked->decision.phone != NULL ? marked->decision.phone : "");
	}
	return code;
}

/* The subject without its tags, from the field as it came through the queue. */
enum fail_code marked_read(struct session *session, struct marked *marked, struct fail *f)
{
	struct rules_header header = { "Subject", message_header(&session->message, "Subject") };
	enum fail_code code = SG_OK;

	if (header.value != NULL)
		code = rules_match(session->conf, &header, 1, &marked->rules, f);
	marked->flag.subject = marked->rules.subject;
	return code == SG_OK ? session_recipients(session, &marked->recipients, f) : code;
}
