#include "gateway/trace/event.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/str.h"
#include "gateway/trace/reason.h"

/* Copies size bytes; what does not fit is cut at a character. */
static void event_copy(char *to, size_t room, const char *from, size_t size)
{
	bool cut = size >= room;

	if (cut)
		size = room - 1;
	memcpy(to, from, size);
	to[size] = '\0';
	if (cut)
		str_cut_utf8(to, room);
}

/*
 * "4FZyz123: " at the start; the text behind it, or NULL. A queue id has hexadecimal digits or, in
 * its long form, no vowels, which tells it from "warning: " and the like.
 */
static const char *event_queue_id(const char *text, struct event *event)
{
	static const char large[] = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
	size_t size = strspn(text, "0123456789ABCDEF");

	if (text[size] != ':')
		size = strspn(text, large);
	if (size < 6 || size >= sizeof(event->queue_id) || text[size] != ':' ||
	    text[size + 1] != ' ')
		return NULL;
	event_copy(event->queue_id, sizeof(event->queue_id), text, size);
	return text + size + 2;
}

/* The value behind name up to the next of stop, "" if there is none. */
static void event_field(const char *text, const char *name, const char *stop, char *to,
    size_t room)
{
	const char *at = strstr(text, name);
	const char *end;

	to[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(name);
	end = strstr(at, stop);
	if (end != NULL)
		event_copy(to, room, at, (size_t)(end - at));
}

/* The first "name[address]" or "name[address]:port" in text. */
static void event_host(const char *text, char *to, size_t room)
{
	const char *open = strchr(text, '[');
	const char *end = open == NULL ? NULL : strchr(open, ']');
	const char *start = open;

	to[0] = '\0';
	if (end == NULL)
		return;
	while (start > text && start[-1] != ' ')
		start--;
	end++;
	if (end[0] == ':' && end[1] >= '0' && end[1] <= '9')
		end += 1 + strspn(end + 1, "0123456789");
	event_copy(to, room, start, (size_t)(end - start));
}

static bool event_status_of(const char *at, struct event *event)
{
	static const struct {
		const char *name;
		enum event_status status;
	} table[] = {
		{"sent ", EVENT_SENT},
		{"deferred ", EVENT_DEFERRED},
		{"bounced ", EVENT_BOUNCED},
		{"expired ", EVENT_BOUNCED},
		{"SOFTBOUNCE ", EVENT_DEFERRED},
	};
	size_t size;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strncmp(at, table[i].name, strlen(table[i].name)) != 0)
			continue;
		event->status = table[i].status;
		at += strlen(table[i].name);
		size = strlen(at);
		if (at[0] == '(' && size >= 2 && at[size - 1] == ')')
			event_copy(event->answer, sizeof(event->answer), at + 1, size - 2);
		else
			event_copy(event->answer, sizeof(event->answer), at, size);
		return true;
	}
	return false;
}

/* What stands between recipient and status is Postfix's own; an address may hold anything. */
static void event_delivery(const char *text, struct event *event)
{
	char uses[16];
	const char *rest = strstr(text, ">, ");
	const char *status;

	if (rest == NULL)
		return;
	event_copy(event->recipient, sizeof(event->recipient), text + 4, (size_t)(rest - text) - 4);
	rest += 3;
	if (strncmp(rest, "orig_to=<", 9) == 0) {
		rest = strstr(rest, ">, ");
		if (rest == NULL)
			return;
		rest += 3;
	}
	status = strstr(rest, ", status=");
	if (strncmp(rest, "relay=", 6) != 0 || status == NULL ||
	    !event_status_of(status + 9, event))
		return;
	event_field(rest, "relay=", ", ", event->hop, sizeof(event->hop));
	if (strcmp(event->hop, "none") == 0)
		event->hop[0] = '\0';
	event_field(rest, ", conn_use=", ", ", uses, sizeof(uses));
	event->reused = uses[0] != '\0' && strcmp(uses, "1") != 0;
	event->kind = EVENT_STATUS;
}

static void event_given_up(const char *text, struct event *event)
{
	const char *status = strstr(text, ">, status=");

	if (status == NULL || strstr(status, "expired") == NULL)
		return;
	event_copy(event->answer, sizeof(event->answer), status + 10, strlen(status + 10));
	event->kind = EVENT_EXPIRED;
}

/* "Verified TLS connection established to HOP: TLSv1.3 with cipher NAME (...) ..." */
static void event_tls(const char *text, struct event *event)
{
	static const char *const trusts[][2] = {
		{"Verified", "verified"},
		{"Trusted", "trusted"},
		{"Untrusted", "untrusted"},
		{"Anonymous", "anonymous"},
	};
	char version[32];
	char cipher[96];
	const char *hop = strstr(text, " to ");
	const char *rest = hop == NULL ? NULL : strstr(hop, ": ");
	size_t i = 0;

	while (i < 4 && strncmp(text, trusts[i][0], strlen(trusts[i][0])) != 0)
		i++;
	if (i == 4 || rest == NULL ||
	    strncmp(text + strlen(trusts[i][0]), " TLS connection ", 16) != 0)
		return;
	event_copy(event->hop, sizeof(event->hop), hop + 4, (size_t)(rest - hop) - 4);
	event_field(rest, ": ", " with cipher ", version, sizeof(version));
	event_field(rest, " with cipher ", " ", cipher, sizeof(cipher));
	(void)snprintf(event->tls, sizeof(event->tls), "%s %s %s", version, cipher, trusts[i][1]);
	event->kind = EVENT_TLS;
}

/* Lines of smtp(8) without a queue id. */
static void event_of_process(const char *text, struct event *event)
{
	const char *host = NULL;
	const char *at;
	unsigned int size = 0;

	event->result = reason_of_certificate(text, &host, &size);
	if (event->result != NULL) {
		event_copy(event->hop, sizeof(event->hop), host, size);
		event->kind = EVENT_CERTIFICATE;
		return;
	}
	if (strncmp(text, "warning: ", 9) == 0)
		text += 9;
	if (strncmp(text, "connect to ", 11) == 0) {
		event_copy(event->answer, sizeof(event->answer), text, strlen(text));
		event_field(text, "connect to ", ": ", event->hop, sizeof(event->hop));
		event->kind = EVENT_NOTE;
	} else if (strncmp(text, "TLS policy lookup ", 18) == 0) {
		at = strstr(text, ": ");
		if (at == NULL)
			return;
		event_copy(event->answer, sizeof(event->answer), at + 2, strlen(at + 2));
		event_field(text, "/", ": ", event->hop, sizeof(event->hop));
		event->kind = EVENT_NOTE;
	} else {
		event_tls(text, event);
	}
}

static void event_of_message(const char *text, const char *service, struct event *event)
{
	if (strncmp(text, "to=<", 4) == 0) {
		event_delivery(text, event);
	} else if (event->smtp && reason_is_failure(text)) {
		event_copy(event->answer, sizeof(event->answer), text, strlen(text));
		event_host(text, event->hop, sizeof(event->hop));
		event->status = EVENT_DEFERRED;
		event->kind = EVENT_TRIED;
	} else if (strcmp(service, "qmgr") == 0 && strncmp(text, "from=<", 6) == 0) {
		event_given_up(text, event);
	}
}

void event_parse(const struct line *line, struct event *event_out)
{
	static const char *const services[] = {"smtp", "lmtp", "local", "virtual", "pipe",
	    "discard", "error", "qmgr"};
	const char *service = strrchr(line->program, '/');
	const char *text;
	size_t i = 0;

	memset(event_out, 0, sizeof(*event_out));
	if (service == NULL)
		return;
	service++;
	while (i < sizeof(services) / sizeof(services[0]) && strcmp(service, services[i]) != 0)
		i++;
	if (i == sizeof(services) / sizeof(services[0]))
		return;
	event_out->smtp = i == 0;
	text = event_queue_id(line->text, event_out);
	if (text != NULL)
		event_of_message(text, service, event_out);
	else if (event_out->smtp)
		event_of_process(line->text, event_out);
}
