#include "milter/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "milter/session_private.h"

struct session *session_new(const struct session_services *services)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->services = services;
	session->stage = STAGE_FRONT;
	message_init(&session->message);
	return session;
}

/* Drops all of one message; the connection stays. */
static void forget_message(struct session *session)
{
	free(session->login);
	session->login = NULL;
	free(session->sender);
	session->sender = NULL;
	deliveries_free(&session->deliveries);
	message_free(&session->message);
	spool_free(session->spool);
	session->spool = NULL;
	session->data = NULL;
	session->size = 0;
	session->body_at = 0;
	session->conf = NULL;
	session->open = false;
	session->header_ended = false;
	session->broken = false;
	session->scanned = false;
	secret_free(&session->password);
	rules_arguments_free(&session->arguments);
	session->password_kind = VAULT_NO_PASSWORD;
	session->phone[0] = '\0';
	session->untold = "";
	fail_clear(&session->trouble);
	memset(&session->scan, 0, sizeof(session->scan));
}

void session_free(struct session *session)
{
	if (session == NULL)
		return;
	forget_message(session);
	free(session->address);
	routes_free(&session->routes);
	free(session);
}

const char *session_sender(const struct session *session)
{
	return session->message.sender != NULL ? session->message.sender : "";
}

void session_abort(struct session *session)
{
	forget_message(session);
}

static enum session_stage stage_of(const char *daemon)
{
	if (daemon != NULL && strcmp(daemon, MARK_STAGE_DAEMON) == 0)
		return STAGE_SECOND;
	if (daemon != NULL && strcmp(daemon, MARK_FALLBACK_DAEMON) == 0)
		return STAGE_FALLBACK;
	return STAGE_FRONT;
}

enum fail_code session_connect(struct session *session, const char *address, const char *daemon,
    const char *routes)
{
	session->stage = stage_of(daemon);
	routes_free(&session->routes);
	if (routes_parse(routes, &session->routes) != SG_OK)
		return SG_ENOMEM;
	return str_set(&session->address, address);
}

/* The first trouble of the intake decides; later ones follow from it. */
static void break_intake(struct session *session, enum fail_code code, const char *what)
{
	if (code == SG_OK || session->broken)
		return;
	session->broken = true;
	if (session->trouble.code == SG_OK)
		(void)fail_set(&session->trouble, code, NULL, "%s", what);
}

void session_mail(struct session *session, const struct conf *conf, const char *sender,
    const char *login)
{
	enum fail_code code;

	forget_message(session);
	session->conf = conf;
	session->open = true;
	break_intake(session, message_set_sender(&session->message, sender),
	    "no memory for the envelope");
	break_intake(session, str_set(&session->login, login), "no memory for the envelope");
	code = spool_new(conf->spool_directory, conf->message.memory_max,
	    conf->message.size_max + conf->message.header_max, &session->spool,
	    &session->trouble);
	break_intake(session, code, "no spool");
}

void session_recipient(struct session *session, const char *address, const char *mailer,
    const char *hop)
{
	/* Postfix asks also about recipients that it refuses itself: those are not ours */
	if (session->broken || delivery_is_refused(mailer, hop))
		return;
	break_intake(session, message_add_recipient(&session->message, address),
	    "The message has too many recipients");
	break_intake(session, deliveries_add(&session->deliveries, mailer, hop),
	    "no memory for the envelope");
}

void session_header(struct session *session, const char *name, const char *value)
{
	char *clean = NULL;
	char what[FAIL_WHAT_MAX];
	enum fail_code code;

	if (session->broken)
		return;
	/* what is kept, scanned and sealed has no password and no number in it */
	code = session_take_arguments(session, name, value, &clean, &session->trouble);
	if (code == SG_OK)
		code = message_add_header(&session->message, name, clean != NULL ? clean : value,
		    session->conf->message.header_max);
	free(clean);
	if (code == SG_OK)
		return;
	(void)snprintf(what, sizeof(what), "The header of the message is too large: it may have %d "
	    "fields and %zu bytes", MESSAGE_HEADERS_MAX, session->conf->message.header_max);
	break_intake(session, code, what);
}

/* Marks are between us and Postfix: no worker sees one, no copy of the message carries one. */
static bool is_mark(const char *name)
{
	return str_equal_case(name, MARK_HEADER) || str_equal_case(name, MARK_KEPT) ||
	    str_equal_case(name, MARK_ROUTE);
}

/* The header goes to the spool in one piece: worker and filter share the whole message. */
void session_header_end(struct session *session)
{
	struct buf header;
	enum fail_code code = SG_OK;

	if (session->broken || session->header_ended)
		return;
	session->header_ended = true;
	/* names and folding may grow by a CR a line */
	buf_init(&header, 2 * session->conf->message.header_max + 2);
	for (size_t i = 0; i < session->message.header_count && code == SG_OK; i++)
		if (!is_mark(session->message.headers[i].name))
			code = message_put_header(&session->message, i, &header);
	if (code == SG_OK)
		code = buf_append(&header, "\r\n", 2);
	break_intake(session, code, "no memory for the header");
	if (!session->broken) {
		code = spool_append(session->spool, header.data, header.size, &session->trouble);
		break_intake(session, code, "the header cannot be spooled");
		session->body_at = header.size;
	}
	buf_free(&header);
}

void session_body(struct session *session, const void *data, size_t size)
{
	enum fail_code code;

	session_header_end(session);
	if (session->broken)
		return;
	code = spool_append(session->spool, data, size, &session->trouble);
	break_intake(session, code, "the body cannot be spooled");
	if (code == SG_OK &&
	    spool_size(session->spool) - session->body_at > session->conf->message.size_max) {
		(void)fail_set(&session->trouble, SG_ELIMIT, NULL,
		    "The message has more than %zu bytes", session->conf->message.size_max);
		session->broken = true;
	}
}

const unsigned char *session_body_data(const struct session *session, size_t *size_out)
{
	*size_out = session->size - session->body_at;
	return session->data + session->body_at;
}

static enum fail_code know_sender(struct session *session, struct fail *f)
{
	if (rules_address(session->message.sender, &session->sender, NULL) == SG_ENOMEM)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the sender");
	return SG_OK;
}

static enum fail_code close_intake(struct session *session, struct fail *f)
{
	enum fail_code code;

	session_header_end(session);
	if (session->broken) {
		*f = session->trouble;
		return f->code;
	}
	code = spool_finish(session->spool, f);
	if (code == SG_OK)
		code = spool_map(session->spool, &session->data, &session->size, f);
	if (code == SG_OK)
		code = know_sender(session, f);
	return code;
}

static enum counters_step step_of(enum session_stage stage)
{
	return stage == STAGE_FALLBACK ? COUNTERS_FALLBACK : stage == STAGE_SECOND ?
	    COUNTERS_SECOND : COUNTERS_FRONT;
}

void session_end(struct session *session, const char *queue_id, const struct wire_wait *wait,
    struct session_outcome *outcome_out)
{
	struct counters *counters = session->services->counters;
	int64_t began = counters_begin(counters, step_of(session->stage));
	struct fail f;
	enum fail_code code;

	memset(outcome_out, 0, sizeof(*outcome_out));
	edits_init(&outcome_out->edits);
	outcome_out->verdict = SESSION_TEMPFAIL;
	fail_clear(&f);
	session->queue_id = queue_id;
	session->wait = wait;
	code = session->open ? close_intake(session, &f) :
	    fail_set(&f, SG_ESYSTEM, NULL, "an end of data without a message");
	if (code != SG_OK)
		session_fail(session, REPLY_INTAKE, &f, outcome_out);
	else if (session->stage == STAGE_FALLBACK)
		session_fallback(session, outcome_out);
	else if (session->stage == STAGE_SECOND)
		session_second(session, outcome_out);
	else
		session_front(session, outcome_out);
	if (outcome_out->verdict != SESSION_ACCEPT && outcome_out->verdict != SESSION_HOLD)
		edits_free(&outcome_out->edits);
	counters_end(counters, step_of(session->stage), began);
	session->queue_id = NULL;
	session->wait = NULL;
	forget_message(session);
}

void session_outcome_free(struct session_outcome *outcome)
{
	edits_free(&outcome->edits);
}
