/* The first stage: scan every message, find what is flagged; seal, route or mark it. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/session_private.h"

/* What is known about the message before anything is done with it. */
struct front {
	struct session_flag flag;
	struct rules_flag rules;
	enum rules_origin origin;
	bool flagged;
	bool by_mark;			/* came back with a mark of ours */
	char *mark;			/* that mark */
	struct vault_decision decision;	/* of that mark */
};

static void front_free(struct front *front)
{
	rules_flag_free(&front->rules);
	vault_decision_free(&front->decision);
	free(front->mark);
}

/* ---- flagged? ---- */

static enum fail_code match_rules(struct session *session, struct rules_flag *rules,
    struct fail *f)
{
	const struct message *message = &session->message;
	struct rules_header *headers = calloc(message->header_count + 1, sizeof(*headers));
	enum fail_code code;

	if (headers == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the rules");
	for (size_t i = 0; i < message->header_count; i++) {
		headers[i].name = message->headers[i].name;
		headers[i].value = message->headers[i].value;
	}
	code = rules_match(session->conf, headers, message->header_count, rules, f);
	free(headers);
	return code;
}

static enum fail_code find_origin(struct session *session, struct front *front, struct fail *f)
{
	const char *from = message_header(&session->message, "From");
	struct rules_client client;
	char *domain = NULL;
	enum fail_code code = from == NULL ? SG_OK : rules_from_domain(from, &domain, f);

	if (code != SG_OK)
		return code;
	client.login = session->login;
	client.address = session->address;
	client.local = session->address == NULL;
	client.mail_from = session->message.sender;
	client.from_domain = domain;
	code = rules_sender(session->conf, &client, &front->origin, &front->flag.tenant, f);
	free(domain);
	return code;
}

/*
 * Marks of ours in a message at the front: an inside copy that comes back, or one that was put into
 * the queue by hand. If any is valid the message is flagged again, whoever sends it: beside it may
 * stand others, of gateways that it has passed, or forged ones.
 */
static enum fail_code look_for_mark(struct session *session, struct front *front,
    struct fail *f)
{
	const struct session_services *services = session->services;
	struct str_list marks = { NULL, 0 };
	unsigned char digest[VAULT_DIGEST_SIZE];
	const unsigned char *body;
	size_t size;
	enum fail_code code = mark_list(&session->message, MARK_HEADER, &marks, f);

	if (code == SG_OK)
		code = mark_list(&session->message, MARK_KEPT, &marks, f);
	if (code == SG_OK && marks.count > 0) {
		body = session_body_data(session, &size);
		mark_digest(body, size, digest);
	}
	for (size_t i = 0; i < marks.count && code == SG_OK && !front->by_mark; i++) {
		code = services->mark_check(services->context, marks.items[i], digest,
		    &front->decision, f);
		front->by_mark = code == SG_OK;
		if (code == SG_OK && str_set(&front->mark, marks.items[i]) != SG_OK)
			code = fail_set(f, SG_ENOMEM, NULL, "no memory for a mark");
		if (code == SG_EDENIED)
			code = SG_OK;
	}
	str_list_free(&marks);
	return code;
}

static enum fail_code use_mark(struct session *session, struct front *front, struct fail *f)
{
	const struct vault_decision *decision = &front->decision;

	front->flag.tenant = conf_tenant_named(session->conf, decision->tenant);
	if (front->flag.tenant == NULL) {
		(void)fail_set(f, SG_EPEER, "put the tenant back until its mail is delivered",
		    "marked mail of tenant %s, which is not configured", decision->tenant);
		return f->code;
	}
	front->flagged = true;
	front->flag.ways = decision->ways;
	front->flag.source = "mark";
	return SG_OK;
}

static enum fail_code find_flag(struct session *session, struct front *front, struct fail *f)
{
	enum fail_code code = match_rules(session, &front->rules, f);

	if (code == SG_OK)
		code = find_origin(session, front, f);
	if (code == SG_OK)
		code = look_for_mark(session, front, f);
	if (code != SG_OK)
		return code;
	front->flag.subject = front->rules.subject;
	if (front->by_mark)
		return use_mark(session, front, f);
	front->flagged = front->rules.flagged && front->origin != RULES_OUTSIDE;
	front->flag.ways = front->rules.ways;
	front->flag.source = front->rules.source;
	return SG_OK;
}

/* ---- ends ---- */

/* Fields that only we may set: whoever sent them did not, or a new mark takes their place. */
static enum fail_code strip_marks(struct session *session, struct edits *edits, struct fail *f)
{
	enum fail_code code = edits_delete_all(edits, &session->message, MARK_HEADER);

	if (code == SG_OK)
		code = edits_delete_all(edits, &session->message, MARK_ROUTE);
	if (code == SG_OK)
		code = edits_delete_all(edits, &session->message, MARK_KEPT);
	if (code != SG_OK)
		return fail_set(f, code, NULL, "no memory for edits");
	return SG_OK;
}

static const char *tenant_name(const struct front *front)
{
	return front->flag.tenant != NULL ? front->flag.tenant->name : "";
}

static const char *flagged_by(const struct front *front)
{
	return front->flagged && front->flag.source != NULL ? front->flag.source : "";
}

/* A refusal: recorded if the vault can, and refused in any case. */
static void refuse(struct session *session, const struct front *front, enum reply_stage stage,
    const struct fail *why, struct session_outcome *outcome)
{
	struct fail f;

	fail_clear(&f);
	session_fail(session, stage, why, outcome);
	if (outcome->verdict != SESSION_REJECT && stage != REPLY_SCAN && stage != REPLY_SEAL)
		return;
	if (session_record_all(session, tenant_name(front), flagged_by(front),
	    outcome->verdict == SESSION_REJECT ? RECORD_REFUSED : RECORD_DEFERRED, why->what,
	    &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, session->queue_id, "no-record", &f);
}

/* Into Postfix's hold queue, where an administrator looks at it. */
static void hold(struct session *session, const struct front *front, const struct fail *why,
    struct session_outcome *outcome)
{
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = strip_marks(session, &outcome->edits, &f);
	if (code == SG_OK)
		code = session_record_all(session, tenant_name(front), "", RECORD_HELD,
		    why->what, &f);
	if (code != SG_OK) {
		session_fail(session, REPLY_RECORD, &f, outcome);
		return;
	}
	reply_set(&outcome->reply, "250", "2.0.0", "%s", why->what);
	outcome->verdict = SESSION_HOLD;
}

/*
 * Postfix's own bounces (null sender, no client) must not be refused: nobody would get them, and
 * Postfix would try for ever.
 */
static bool is_own_bounce(const struct session *session)
{
	return session->address == NULL && session->message.sender[0] == '\0';
}

/* ---- scan ---- */

static void scan(struct session *session)
{
	const struct session_services *services = session->services;
	struct wire_wait wait = *session->wait;

	wait.timeout_ms = (int)session->conf->scan.timeout_ms;
	services->scan(services->context, spool_fd(session->spool), session->size, &wait,
	    &session->scan);
	session->scanned = true;
}

/* True: the scanner's answer decided about the message. */
static bool scan_decides(struct session *session, const struct front *front,
    struct session_outcome *outcome)
{
	struct session_judgement verdict;

	session_judge(session->conf, &session->scan, &verdict);
	if (!verdict.decides)
		return false;
	/* what is released from hold passes no milter, so flagged mail never goes there */
	if (verdict.stage != REPLY_SCAN &&
	    ((verdict.action == CONF_HOLD && !front->flagged) || is_own_bounce(session)))
		hold(session, front, &verdict.why, outcome);
	else
		refuse(session, front, verdict.stage, &verdict.why, outcome);
	return true;
}

/* ---- not flagged ---- */

static void pass(struct session *session, const struct front *front,
    struct session_outcome *outcome)
{
	const char *reason = front->rules.flagged ? "tag of an outsider ignored" : "";
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = strip_marks(session, &outcome->edits, &f);
	if (code == SG_OK)
		code = session_record_all(session, tenant_name(front), "", RECORD_PASSED, reason,
		    &f);
	if (code != SG_OK)
		session_fail(session, REPLY_RECORD, &f, outcome);
	else
		outcome->verdict = SESSION_ACCEPT;
}

/* ---- flagged ---- */

static enum fail_code check_sender(const struct session *session, const struct front *front,
    struct fail *f)
{
	if (front->by_mark)
		return SG_OK;
	if (front->origin == RULES_UNPROVEN)
		return fail_set(f, SG_EDENIED, "Log in to send it, or ask your administrator",
		    "The message asks for protection, but its sender is not proven to be one "
		    "of ours");
	if (front->origin == RULES_FOREIGN_FROM)
		return fail_set(f, SG_EDENIED, "Use an address of your own domain",
		    "The message asks for protection, but its sender address %s is in no "
		    "domain of yours", session->message.sender);
	if (front->rules.unknown != NULL)
		return fail_set(f, SG_EDENIED, "Correct the tag and send the message again",
		    "The message asks for protection by a word that is not known here: %s",
		    front->rules.unknown);
	return SG_OK;
}

static enum fail_code check_count(const struct session *session, struct fail *f)
{
	size_t count = session->message.recipients.count;

	if (count > session->conf->recipients.max)
		return fail_set(f, SG_ELIMIT, "Send it in several messages",
		    "A protected message may have %u recipients, this one has %zu",
		    session->conf->recipients.max, count);
	return SG_OK;
}

static enum fail_code check_possible(const struct session *session,
    const struct str_list *recipients, const struct plan *plans, struct fail *f)
{
	for (size_t i = 0; i < recipients->count; i++)
		if (plans[i].kind == PLAN_IMPOSSIBLE)
			return session_impossible(session, recipients->items[i], &plans[i], f);
	return SG_OK;
}

/* Stores the decision in the vault, which makes the mark that stands for it. */
static enum fail_code make_mark(struct session *session, const struct front *front,
    char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	const struct session_services *services = session->services;
	const char *id = message_header(&session->message, "Message-ID");
	unsigned char digest[VAULT_DIGEST_SIZE];
	struct vault_decision decision;
	const unsigned char *body;
	size_t size;
	enum fail_code code;

	memset(&decision, 0, sizeof(decision));
	decision.tenant = front->flag.tenant->name;
	decision.sender = session->message.sender;
	decision.ways = front->flag.ways;
	decision.source = str_dup(flagged_by(front));
	decision.queue_id = str_dup(session->queue_id != NULL ? session->queue_id : "");
	decision.message_id = str_dup_n(id != NULL ? id : "", id != NULL ?
	    strnlen(id, RECORD_TEXT_MAX) : 0);
	decision.created_ms = clock_wall_ms(services->clock);
	decision.password_kind = session->password_kind;
	decision.password = session->password;	/* lent, as is phone */
	decision.phone = session->phone;
	body = session_body_data(session, &size);
	mark_digest(body, size, digest);
	code = decision.source == NULL || decision.queue_id == NULL ||
	    decision.message_id == NULL ? fail_set(f, SG_ENOMEM, NULL, "no memory for a mark") :
	    services->mark_make(services->context, &decision, digest,
	    session->conf->mark.life_ms, mark_out, f);
	free(decision.source);
	free(decision.queue_id);
	free(decision.message_id);
	return code;
}

static enum fail_code add_mark(struct session *session, const struct front *front,
    struct edits *edits, char mark_out[VAULT_MARK_MAX], struct fail *f)
{
	enum fail_code code = make_mark(session, front, mark_out, f);
	char *value;

	if (code != SG_OK)
		return code;
	value = str_printf(" %s", mark_out);
	if (value == NULL || edits_add(edits, MARK_HEADER, value) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for a mark");
	free(value);
	return code;
}

static enum fail_code record_marked(struct session *session, const struct front *front,
    const struct str_list *recipients, const struct plan *plans, const char *mark,
    struct fail *f)
{
	struct session_decision *decisions = calloc(recipients->count + 1, sizeof(*decisions));
	const char **told = calloc(recipients->count + 1, sizeof(*told));
	struct session_telling telling = { .sender = session->message.sender, .mark = mark,
		.recipients = told };
	enum fail_code code = SG_OK;

	if (decisions == NULL || told == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory for records");
	for (size_t i = 0; i < recipients->count && code == SG_OK; i++) {
		decisions[i].recipient = recipients->items[i];
		decisions[i].decision = RECORD_MARKED;
		decisions[i].way = plans[i].way;
		decisions[i].note = session_note(session, &plans[i]);
		decisions[i].reason = plans[i].kind == PLAN_INSIDE ? "own user" : plans[i].why;
	}
	if (code == SG_OK)
		telling.count = session_find_told(session, &front->flag, recipients, plans, told);
	if (code == SG_OK)
		code = session_record_telling(session, &front->flag, decisions,
		    recipients->count, &telling, f);
	free(told);
	free(decisions);
	return code;
}

/* Postfix expands and splits; each final recipient comes to the second stage by itself. */
static enum fail_code mark_for_stage(struct session *session, const struct front *front,
    const struct str_list *recipients, const struct plan *plans,
    struct session_outcome *outcome, struct fail *f)
{
	char mark[VAULT_MARK_MAX];
	enum fail_code code = strip_marks(session, &outcome->edits, f);

	if (code == SG_OK)
		code = session_short_bounces(session, &outcome->edits, f);
	if (code == SG_OK)
		code = session_hide_password(session, &front->flag, &outcome->edits, f);
	if (code == SG_OK)
		code = add_mark(session, front, &outcome->edits, mark, f);
	if (code == SG_OK)
		code = record_marked(session, front, recipients, plans, mark, f);
	return code;
}

/*
 * Local mail with such a field comes from a forwarder (or was requeued): the header checks of
 * pickup have already sent it to the second stage, which takes nothing without a mark.
 */
static bool is_routed(const struct session *session)
{
	const struct message *message = &session->message;

	return session->address == NULL && (message_header(message, MARK_HEADER) != NULL ||
	    message_header(message, MARK_ROUTE) != NULL ||
	    message_header(message, MARK_KEPT) != NULL);
}

/* Sealed in place, and routed where mail that we sealed has to take its own transport. */
static enum fail_code seal_now(struct session *session, const struct front *front,
    const char *recipient, const struct plan *plan, struct edits *edits, struct fail *f)
{
	char reason[VAULT_REASON_MAX];
	const struct session_decision decision = { recipient, RECORD_SEALED, plan->way, reason,
	    session_note(session, plan) };
	bool generated = plan->way == WAY_PDF && plan->password == PLAN_PASSWORD_GENERATED;
	const struct session_telling telling = { .sender = session->message.sender,
		.recipients = &recipient, .count = generated ? 1 : 0 };
	enum fail_code code = session_seal(session, &front->flag, recipient, plan, edits, reason,
	    f);

	if (code == SG_OK && session_routing(session, plan) == ROUTING_HERE)
		code = session_add_route(session, MARK_ROUTE_SEALED, edits, f);
	if (code != SG_OK)
		return code;
	return session_record_telling(session, &front->flag, &decision, 1, &telling, f);
}

/* Plan tls: it leaves as it is, by the transport that demands proven TLS. */
static enum fail_code route_now(struct session *session, const struct front *front,
    const char *recipient, const struct plan *plan, struct edits *edits, struct fail *f)
{
	const struct session_decision decision = { recipient, RECORD_ROUTED, plan->way,
	    plan->why, session_note(session, plan) };
	struct session_telling telling = { .sender = session->message.sender };
	char mark[VAULT_MARK_MAX];
	enum fail_code code = make_mark(session, front, mark, f);

	if (code == SG_OK)
		code = session_route(session, &front->flag, mark, edits, f);
	if (code != SG_OK)
		return code;
	telling.mark = mark;
	return session_record_telling(session, &front->flag, &decision, 1, &telling, f);
}

/* Is there one recipient outside, whose copy can be made here and now? */
static bool can_finish(const struct session *session, const struct str_list *recipients,
    const struct plan *plan)
{
	return recipients->count == 1 && (plan->kind == PLAN_SEAL || plan->kind == PLAN_ROUTED) &&
	    session->conf->seal_before_queue && !is_routed(session) &&
	    session_routing(session, plan) != ROUTING_LATER;
}

/* What stands in a message that came back, or of others, is nobody's choice. */
static enum fail_code take_password(struct session *session, const struct front *front,
    const struct str_list *recipients, struct fail *f)
{
	if (front->origin == RULES_OWN)
		return session_password(session, &front->flag, &front->rules, recipients, f);
	session_no_password(session, "the message came back");
	return SG_OK;
}

static enum reply_stage protect(struct session *session, const struct front *front,
    const struct str_list *recipients, struct plan *plans, struct session_outcome *outcome,
    struct fail *f)
{
	enum fail_code code = session_plan(session, &front->flag, recipients, plans, f);

	if (code == SG_OK)
		code = check_possible(session, recipients, plans, f);
	if (code != SG_OK)
		return REPLY_PLAN;
	if (!can_finish(session, recipients, &plans[0]))
		code = mark_for_stage(session, front, recipients, plans, outcome, f);
	else if (plans[0].kind == PLAN_ROUTED)
		code = route_now(session, front, recipients->items[0], &plans[0],
		    &outcome->edits, f);
	else
		code = seal_now(session, front, recipients->items[0], &plans[0],
		    &outcome->edits, f);
	if (code == SG_OK)
		outcome->verdict = SESSION_ACCEPT;
	return REPLY_SEAL;
}

static void handle_flagged(struct session *session, const struct front *front,
    struct session_outcome *outcome)
{
	struct str_list recipients = { NULL, 0 };
	enum reply_stage stage = REPLY_SENDER;
	struct plan *plans = NULL;
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	code = check_sender(session, front, &f);
	if (code == SG_OK) {
		stage = REPLY_PLAN;
		code = check_count(session, &f);
	}
	if (code == SG_OK)
		code = session_recipients(session, &recipients, &f);
	if (code == SG_OK)
		code = take_password(session, front, &recipients, &f);
	if (code == SG_OK) {
		plans = calloc(recipients.count + 1, sizeof(*plans));
		if (plans == NULL)
			(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the plan");
		else
			stage = protect(session, front, &recipients, plans, outcome, &f);
	}
	if (outcome->verdict != SESSION_ACCEPT)
		refuse(session, front, stage, &f, outcome);
	free(plans);
	str_list_free(&recipients);
}

static void handle_notice(struct session *session, const struct front *front,
    struct session_outcome *outcome)
{
	struct fail f;
	enum reply_stage where;

	fail_clear(&f);
	where = session_is_plain(&front->decision) ?
	    session_notice_plain(session, &front->flag, front->mark, outcome, &f) :
	    session_notice(session, &front->flag, front->mark, outcome, &f);
	if (outcome->verdict != SESSION_ACCEPT)
		refuse(session, front, where, &f, outcome);
}

void session_front(struct session *session, struct session_outcome *outcome)
{
	struct front front;
	struct fail f;

	memset(&front, 0, sizeof(front));
	fail_clear(&f);
	if (find_flag(session, &front, &f) != SG_OK) {
		session_fail(session, REPLY_MARK, &f, outcome);
	} else if (session_route_forged(session, &f)) {
		refuse(session, &front, REPLY_SENDER, &f, outcome);
	} else {
		scan(session);
		if (scan_decides(session, &front, outcome))
			(void)0;
		else if (front.by_mark && session_is_notice(session, &front.decision))
			handle_notice(session, &front, outcome);
		else if (front.flagged)
			handle_flagged(session, &front, outcome);
		else
			pass(session, &front, outcome);
	}
	front_free(&front);
}
