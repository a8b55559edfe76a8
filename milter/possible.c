/* What is possible for each recipient: the vault and the TLS policy service are asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"
#include "milter/session_private.h"

/* A question about recipients: those who need it, and their answers at their own places. */
struct question {
	const struct session_flag *flag;
	const struct str_list *recipients;
	struct plan_possible *possible;
};

/* Asks the vault for those recipients that need it. */
static enum fail_code ask_vault(struct session *session, const struct question *question,
    struct fail *f)
{
	const struct session_services *services = session->services;
	const struct conf_tenant *tenant = question->flag->tenant;
	const struct str_list *recipients = question->recipients;
	const char **asked = calloc(recipients->count + 1, sizeof(*asked));
	struct vault_possible *answers = calloc(recipients->count + 1, sizeof(*answers));
	size_t count = 0;
	size_t at = 0;
	enum fail_code code = SG_OK;

	if (asked == NULL || answers == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the plan");
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		if (plan_needs_vault(tenant, recipients->items[i]))
			asked[count++] = recipients->items[i];
	if (code == SG_OK && count > 0)
		code = services->plan(services->context, tenant->name, asked, count, answers, f);
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		if (plan_needs_vault(tenant, recipients->items[i]))
			question->possible[i].vault = answers[at++];
	free(asked);
	free(answers);
	return code;
}

/* ---- TLS ---- */

static void set_tls(struct plan_possible *possible, enum plan_tls tls, const char *how)
{
	possible->tls = tls;
	(void)snprintf(possible->tls_how, sizeof(possible->tls_how), "%s", how);
	str_cut_utf8(possible->tls_how, sizeof(possible->tls_how));
}

/*
 * What can be said about TLS without asking. True: the policy service must be asked about the next
 * hop. Mail that was submitted locally comes to the front without the words of Postfix' routing.
 */
static bool must_ask(const struct session *session, const struct delivery *delivery,
    struct plan_possible *possible)
{
	if (session->routes.by == ROUTES_NONE)
		set_tls(possible, PLAN_TLS_NOT, "Postfix has no routes for it: run sealgate "
		    "postfix attach");
	else if (delivery->mailer == NULL && session->stage == STAGE_FRONT)
		set_tls(possible, PLAN_TLS_LATER, "decided where Postfix delivers");
	else if (delivery->mailer == NULL || delivery->hop == NULL)
		set_tls(possible, PLAN_TLS_UNKNOWN, "Postfix does not say how it delivers: run "
		    "sealgate postfix attach");
	else if (!routes_have(&session->routes, delivery))
		set_tls(possible, PLAN_TLS_NOT, "not delivered by SMTP to another server");
	else
		return true;
	return false;
}

static struct tls_hop hop_of(const struct session *session, size_t recipient)
{
	const struct delivery *delivery = &session->deliveries.items[recipient];
	const struct tls_hop hop = { delivery->hop,
	    !delivery_is_own(delivery, session->message.recipients.items[recipient]) };

	return hop;
}

static void take_proof(const struct tls_proof *proof, struct plan_possible *possible)
{
	set_tls(possible, proof->answer == TLS_PROVABLE ? PLAN_TLS_PROVEN :
	    proof->answer == TLS_UNKNOWN ? PLAN_TLS_UNKNOWN : PLAN_TLS_NOT, proof->how);
}

/* Is the proof of TLS for this recipient wanted and to be asked for? */
static bool wants_proof(const struct session *session, const struct question *question,
    size_t recipient)
{
	struct plan_possible *possible = &question->possible[recipient];

	return !possible->alias && plan_needs_proof(question->flag->tenant,
	    question->recipients->items[recipient], question->flag->ways, &possible->vault) &&
	    must_ask(session, &session->deliveries.items[recipient], possible);
}

/* Asks the policy service, once, for all recipients whose plan depends on it. */
static enum fail_code ask_tls(struct session *session, const struct question *question,
    struct fail *f)
{
	const struct session_services *services = session->services;
	const size_t room = question->recipients->count + 1;
	struct tls_hop *hops = calloc(room, sizeof(*hops));
	struct tls_proof *proofs = calloc(room, sizeof(*proofs));
	size_t *places = calloc(room, sizeof(*places));
	size_t count = 0;
	enum fail_code code = SG_OK;

	if (hops == NULL || proofs == NULL || places == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for the plan");
	for (size_t i = 0; i < question->recipients->count && code == SG_OK; i++) {
		if (!wants_proof(session, question, i))
			continue;
		places[count] = i;
		hops[count++] = hop_of(session, i);
	}
	if (code == SG_OK && count > 0)
		code = services->proof(services->context, hops, count, proofs, f);
	for (size_t i = 0; i < count && code == SG_OK; i++)
		take_proof(&proofs[i], &question->possible[places[i]]);
	free(hops);
	free(proofs);
	free(places);
	return code;
}

enum fail_code session_proof(struct session *session, struct tls_proof *proof_out,
    struct fail *f)
{
	const struct session_services *services = session->services;
	const struct delivery *delivery = &session->deliveries.items[0];
	struct tls_hop hop;

	memset(proof_out, 0, sizeof(*proof_out));
	if (delivery->hop == NULL || !routes_have(&session->routes, delivery))
		return SG_OK;
	hop = hop_of(session, 0);
	return services->proof(services->context, &hop, 1, proof_out, f);
}

/* ---- the plans ---- */

/* One that cannot be made now keeps the whole message waiting: nothing weaker takes its place. */
static enum fail_code check_known(const struct str_list *recipients, const struct plan *plans,
    struct fail *f)
{
	for (size_t i = 0; i < recipients->count; i++)
		if (plans[i].kind == PLAN_UNKNOWN)
			return fail_set(f, SG_EPEER, "see sealgate tls check and the domain",
			    "whether TLS is proven for %s cannot be found out now: %s",
			    recipients->items[i], plans[i].why);
	return SG_OK;
}

enum fail_code session_plan(struct session *session, const struct session_flag *flag,
    const struct str_list *recipients, struct plan *plans_out, struct fail *f)
{
	const struct question question = { flag, recipients,
	    calloc(recipients->count + 1, sizeof(*question.possible)) };
	enum fail_code code;

	if (question.possible == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the plan");
	for (size_t i = 0; i < recipients->count; i++)
		question.possible[i].alias = session->stage == STAGE_FRONT &&
		    delivery_is_alias(&session->deliveries.items[i]);
	code = ask_vault(session, &question, f);
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		plan_passwords(flag->tenant, session->password_kind, session->untold,
		    &question.possible[i]);
	if (code == SG_OK)
		code = ask_tls(session, &question, f);
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++)
		plan_make(flag->tenant, recipients->items[i], flag->ways, &question.possible[i],
		    &plans_out[i]);
	if (code == SG_OK)
		code = check_known(recipients, plans_out, f);
	free(question.possible);
	return code;
}
