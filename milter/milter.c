#include "milter/milter.h"

#include <arpa/inet.h>
#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/log.h"
#include "gateway/base/step.h"
#include "gateway/base/str.h"
#include "milter/mark.h"
#include "milter/session.h"

#define BODY_STEP ((size_t)65535)	/* libmilter's largest body packet */
#define DRAIN_FIRST_MS 200		/* what was accepted just now has said who it is */
#define DRAIN_IDLE_MS 3000		/* for connections without a message */
#define DRAIN_LAST_MS 100		/* for libmilter to send the last answer */
#define DRAIN_MAX_MS 300000
#define DRAIN_STEP_MS 20

/* libmilter hands nothing of ours to its callbacks. Set once, before it starts its threads. */
static const struct milter_program *milter_program;

/* One connection of Postfix. */
struct connection {
	struct session *session;
	struct share_item *conf;	/* of the message that is under way */
	bool counted;			/* among the messages under way */
};

static struct connection *connection_of(SMFICTX *context)
{
	return smfi_getpriv(context);
}

static void begin_message(struct connection *connection)
{
	if (!connection->counted)
		milter_program->traffic->messages++;
	connection->counted = true;
}

static void end_message(struct connection *connection)
{
	if (connection->counted)
		milter_program->traffic->messages--;
	connection->counted = false;
}

static void release_conf(struct connection *connection)
{
	share_release(milter_program->share, connection->conf);
	connection->conf = NULL;
}

/* ---- what goes out ---- */

/* libmilter takes reply texts as formats of its own: every % must stand twice. */
static void escape_percent(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (; *text != '\0' && n + 2 < room; text++) {
		out[n++] = *text;
		if (*text == '%')
			out[n++] = '%';
	}
	out[n] = '\0';
}

static sfsistat send_reply(SMFICTX *context, const struct session_outcome *outcome)
{
	struct reply reply = outcome->reply;
	char text[2 * REPLY_TEXT_MAX];

	escape_percent(reply.text, text, sizeof(text));
	if (smfi_setreply(context, reply.code, reply.status, text) != MI_SUCCESS)
		log_failure(LOG_LEVEL_DEBUG, NULL, "reply", &(struct fail){ .code = SG_ESYSTEM,
		    .what = "libmilter does not take the reply" });
	return reply.code[0] == '5' ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

static bool send_edit(SMFICTX *context, const struct edit *edit)
{
	switch (edit->kind) {
	case EDIT_ADD:
		return smfi_addheader(context, edit->name, edit->value) == MI_SUCCESS;
	case EDIT_CHANGE:
	case EDIT_DELETE:
		return smfi_chgheader(context, edit->name, (int)edit->index,
		    edit->kind == EDIT_CHANGE ? edit->value : NULL) == MI_SUCCESS;
	}
	return false;
}

static bool send_body(SMFICTX *context, struct spool *body)
{
	const unsigned char *data;
	size_t size;
	struct fail f;

	if (spool_map(body, &data, &size, &f) != SG_OK)
		return false;
	while (size > 0) {
		size_t step = size < BODY_STEP ? size : BODY_STEP;
		union {
			const unsigned char *view;
			unsigned char *bytes;	/* libmilter's prototype; it only reads */
		} at = { data };

		STEP("body");
		if (smfi_replacebody(context, at.bytes, (int)step) != MI_SUCCESS)
			return false;
		data += step;
		size -= step;
	}
	return true;
}

static bool send_sender(SMFICTX *context, const struct edits *edits, const char *sender)
{
	char *address;
	bool sent;

	if (edits->sender_arguments == NULL)
		return true;
	address = str_printf("<%s>", sender);
	sent = address != NULL &&
	    smfi_chgfrom(context, address, edits->sender_arguments) == MI_SUCCESS;
	free(address);
	return sent;
}

/* All edits lie ready. One that Postfix does not take makes the whole a temporary failure. */
static bool send_edits(SMFICTX *context, const struct edits *edits, const char *sender)
{
	STEP("edits");
	for (size_t i = 0; i < edits->count; i++)
		if (!send_edit(context, &edits->items[i]))
			return false;
	if (!send_sender(context, edits, sender))
		return false;
	return edits->body == NULL || send_body(context, edits->body);
}

static sfsistat send_outcome(SMFICTX *context, const struct session_outcome *outcome,
    const char *queue_id, const char *sender)
{
	struct fail f;

	if (outcome->verdict == SESSION_TEMPFAIL || outcome->verdict == SESSION_REJECT)
		return send_reply(context, outcome);
	if (!send_edits(context, &outcome->edits, sender)) {
		(void)fail_set(&f, SG_EPEER, NULL, "Postfix does not take the changes");
		log_failure(LOG_LEVEL_ERROR, queue_id, "deferred", &f);
		return SMFIS_TEMPFAIL;
	}
	if (outcome->verdict == SESSION_HOLD) {
		union {
			const char *view;
			char *text;	/* libmilter's prototype; it only reads */
		} reason = { outcome->reply.text };

		return smfi_quarantine(context, reason.text) == MI_SUCCESS ? SMFIS_CONTINUE :
		    SMFIS_TEMPFAIL;
	}
	return SMFIS_CONTINUE;
}

/* ---- callbacks ---- */

static const char *macro(SMFICTX *context, const char *name)
{
	union {
		const char *view;
		char *text;	/* libmilter's prototype; it only reads */
	} symbol = { name };

	return smfi_getsymval(context, symbol.text);
}

/*
 * Postfix shows locally submitted mail as a client on 127.0.0.1 with port 0 (MILTER_README): that
 * is no client. address_out has room for INET6_ADDRSTRLEN.
 */
static const char *client_address(const _SOCK_ADDR *peer, char *address_out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (peer == NULL)
		return NULL;
	if (peer->sa_family == AF_INET) {
		memcpy(&v4, peer, sizeof(v4));
		if (v4.sin_port == 0 && v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
			return NULL;
		return inet_ntop(AF_INET, &v4.sin_addr, address_out, INET6_ADDRSTRLEN);
	}
	if (peer->sa_family != AF_INET6)
		return NULL;
	memcpy(&v6, peer, sizeof(v6));
	return inet_ntop(AF_INET6, &v6.sin6_addr, address_out, INET6_ADDRSTRLEN);
}

static sfsistat on_connect(SMFICTX *context, char *host, _SOCK_ADDR *peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	char address[INET6_ADDRSTRLEN];

	(void)host;
	if (connection != NULL)
		connection->session = session_new(&milter_program->services->table);
	if (connection == NULL || connection->session == NULL ||
	    session_connect(connection->session, client_address(peer, address),
	    macro(context, "{daemon_name}"), macro(context, MARK_ROUTES_MACRO)) != SG_OK ||
	    smfi_setpriv(context, connection) != MI_SUCCESS) {
		if (connection != NULL)
			session_free(connection->session);
		free(connection);
		return SMFIS_TEMPFAIL;
	}
	milter_program->traffic->connections++;
	return SMFIS_CONTINUE;
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	session_abort(connection->session);
	release_conf(connection);
	end_message(connection);
	connection->conf = share_acquire(milter_program->share);
	session_mail(connection->session, share_conf(connection->conf), arguments[0],
	    macro(context, "{auth_authen}"));
	return SMFIS_CONTINUE;
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	session_recipient(connection->session, arguments[0], macro(context, "{rcpt_mailer}"),
	    macro(context, "{rcpt_host}"));
	return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	begin_message(connection);
	session_header(connection->session, name, value);
	return SMFIS_NOREPLY;
}

static sfsistat on_header_end(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	begin_message(connection);
	session_header_end(connection->session);
	return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *context, unsigned char *data, size_t size)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	session_body(connection->session, data, size);
	return SMFIS_NOREPLY;
}

static bool on_progress(void *context)
{
	return smfi_progress(context) == MI_SUCCESS;
}

static sfsistat on_end(SMFICTX *context)
{
	struct connection *connection = connection_of(context);
	const char *queue_id = macro(context, "i");
	struct wire_wait wait = { 0, on_progress, context };
	struct session_outcome outcome;
	char *sender;
	sfsistat answer;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	sender = str_dup(session_sender(connection->session));
	STEP("taken");
	session_end(connection->session, queue_id, &wait, &outcome);
	STEP("decided");
	answer = sender == NULL ? SMFIS_TEMPFAIL :
	    send_outcome(context, &outcome, queue_id, sender);
	STEP("edited");
	session_outcome_free(&outcome);
	free(sender);
	release_conf(connection);
	end_message(connection);
	return answer;
}

static sfsistat on_abort(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	session_abort(connection->session);
	release_conf(connection);
	end_message(connection);
	return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	session_free(connection->session);
	release_conf(connection);
	end_message(connection);
	milter_program->traffic->connections--;
	free(connection);
	(void)smfi_setpriv(context, NULL);
	return SMFIS_CONTINUE;
}

/* The macros that we read, so that Postfix does not send the others. */
static void ask_macros(SMFICTX *context)
{
	static const struct {
		int stage;
		const char *names;
	} wanted[] = {
		{ SMFIM_CONNECT, "{daemon_name} " MARK_ROUTES_MACRO },
		{ SMFIM_ENVFROM, "{auth_authen}" },
		{ SMFIM_ENVRCPT, "{rcpt_mailer} {rcpt_host}" }, { SMFIM_EOM, "i" },
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char names[64];

		(void)snprintf(names, sizeof(names), "%s", wanted[i].names);
		(void)smfi_setsymlist(context, wanted[i].stage, names);
	}
}

/*
 * Header fields and body need no answer (half of the round trips); leading white space of fields
 * is wanted, so that what is sealed keeps it. A server that cannot do one of these is too old.
 */
/* NOLINTNEXTLINE(readability-function-size): libmilter's ten parameters */
static sfsistat on_negotiate(SMFICTX *context, unsigned long f0, unsigned long f1,
    unsigned long f2, unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	const unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY |
	    SMFIF_QUARANTINE | SMFIF_CHGFROM;
	const unsigned long steps = SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOUNKNOWN |
	    SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_HDR_LEADSPC;
	struct fail f;

	(void)f2;
	(void)f3;
	if ((f0 & actions) != actions || (f1 & steps) != steps) {
		(void)fail_set(&f, SG_EPEER, "Postfix 2.6 or later is needed: is "
		    "milter_protocol below 6?", "the mail server cannot do what a filter needs");
		log_failure(LOG_LEVEL_ERROR, NULL, "negotiate", &f);
		return SMFIS_REJECT;
	}
	*pf0 = actions | (f0 & SMFIF_SETSYMLIST);
	*pf1 = steps;
	*pf2 = 0;
	*pf3 = 0;
	if ((f0 & SMFIF_SETSYMLIST) != 0)
		ask_macros(context);
	return SMFIS_CONTINUE;
}

/* ---- start and stop ---- */

static enum fail_code register_callbacks(struct fail *f)
{
	char name[] = "sealgate";
	struct smfiDesc description = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_CHGBODY | SMFIF_QUARANTINE |
		    SMFIF_CHGFROM | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_recipient,
		.xxfi_header = on_header,
		.xxfi_eoh = on_header_end,
		.xxfi_body = on_body,
		.xxfi_eom = on_end,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	if (smfi_register(description) != MI_SUCCESS)
		return fail_set(f, SG_ESYSTEM, NULL, "libmilter does not start");
	return SG_OK;
}

enum fail_code milter_open(int listener, const char *folder, struct door *door_out,
    struct fail *f)
{
	enum fail_code code = register_callbacks(f);

	return code == SG_OK ? door_open(door_out, listener, folder, f) : code;
}

enum fail_code milter_run(const struct milter_program *program, struct fail *f)
{
	milter_program = program;
	if (smfi_main() != MI_SUCCESS)
		return fail_set(f, SG_ESYSTEM, NULL, "libmilter ended with an error");
	return SG_OK;
}

static bool is_drained(const struct milter_traffic *traffic, int waited_ms)
{
	return waited_ms >= DRAIN_MAX_MS || traffic->connections == 0 ||
	    (traffic->messages == 0 && waited_ms >= DRAIN_IDLE_MS);
}

void milter_drain(const struct milter_program *program, const struct door *door)
{
	int waited_ms = DRAIN_FIRST_MS;

	door_shut(door);
	(void)poll(NULL, 0, DRAIN_FIRST_MS);
	while (!is_drained(program->traffic, waited_ms)) {
		(void)poll(NULL, 0, DRAIN_STEP_MS);
		waited_ms += DRAIN_STEP_MS;
	}
	(void)poll(NULL, 0, DRAIN_LAST_MS);
}
