/* The filter's and the command line's connections: one request at a time each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/tls/server.h"

#define IDLE_MS 30000		/* a connection that asks nothing */
#define HOP_MAX ((size_t)1024)	/* bytes of a next hop */
#define ACCEPT_MAX 64

struct caller {
	struct loop_watch watch;
	struct serve_wire *serve;
	struct caller *newer;
	struct caller *older;
	struct asked *asked;	/* what it waits for, or NULL */
	int64_t last_ms;
};

struct serve_wire {
	struct server *server;
	struct loop_watch listener;
	struct caller *newest;
	size_t count;
};

static void caller_drop(struct caller *caller)
{
	struct serve_wire *serve = caller->serve;

	if (caller->asked != NULL)
		caller->asked->caller = NULL;
	if (caller->newer != NULL)
		caller->newer->older = caller->older;
	else
		serve->newest = caller->older;
	if (caller->older != NULL)
		caller->older->newer = caller->newer;
	loop_remove(serve->server->loop, &caller->watch);
	(void)close(caller->watch.fd);
	serve->count--;
	free(caller);
}

/* --- answers --- */

static void answer_send(struct asked *asked, struct wire_message *reply)
{
	struct caller *caller = asked->caller;

	reply->request = asked->request;
	if (caller != NULL) {
		caller->asked = NULL;
		if (wire_send(caller->watch.fd, reply, 0, NULL) != SG_OK)
			caller_drop(caller);
		else
			loop_change(caller->serve->server->loop, &caller->watch, EPOLLIN);
	}
	wire_message_free(reply);
	free(asked);
}

void serve_answer(struct asked *asked, const struct buf *body)
{
	struct wire_message reply;
	struct fail f;

	wire_message_init(&reply, asked->type);
	if (body != NULL && buf_append(&reply.body, body->data, body->size) != SG_OK) {
		(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the answer");
		wire_put_fail(&reply, &f);
	}
	answer_send(asked, &reply);
}

void serve_answer_text(struct asked *asked, const struct buf *text)
{
	struct wire_message reply;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	wire_message_init(&reply, asked->type);
	code = fd_memory("sealgate-tls-answer", &reply.fd, &f);
	if (code == SG_OK)
		code = fd_write_all(reply.fd, text->data, text->size, &f);
	if (code == SG_OK)
		code = fd_seal(reply.fd, &f);
	if (code != SG_OK)
		wire_put_fail(&reply, &f);
	answer_send(asked, &reply);
}

void serve_answer_fail(struct asked *asked, const struct fail *f)
{
	struct wire_message reply;

	wire_message_init(&reply, asked->type);
	wire_put_fail(&reply, f);
	answer_send(asked, &reply);
}

/* --- requests --- */

static void answer_bad(struct asked *asked, const char *what)
{
	struct fail f;

	(void)fail_set(&f, SG_EFORMAT, NULL, "%s", what);
	serve_answer_fail(asked, &f);
}

static void handle_event(struct asked *asked, struct buf_reader *r)
{
	uint8_t event;

	if (buf_get_u8(r, &event) != SG_OK || buf_get_end(r) != SG_OK || event < TLS_FELL_BACK ||
	    event > TLS_WAITS) {
		answer_bad(asked, "no event of ours");
		return;
	}
	asked->server->counts.events[event]++;
	serve_answer(asked, NULL);
}

static void handle_check(struct asked *asked, struct buf_reader *r)
{
	char *hop = NULL;
	uint8_t connect;
	uint8_t json;

	if (buf_get_u8(r, &connect) == SG_OK && buf_get_u8(r, &json) == SG_OK &&
	    buf_get_str(r, HOP_MAX, &hop) == SG_OK && buf_get_end(r) == SG_OK)
		serve_check(asked, hop, connect != 0, json != 0);
	else
		answer_bad(asked, "a question that is too long or none of ours");
	free(hop);
}

static void handle_status(struct asked *asked, struct buf_reader *r)
{
	struct buf text;

	(void)r;
	buf_init(&text, METRICS_TEXT_MAX);
	if (server_metrics(asked->server, &text) == SG_OK)
		serve_answer_text(asked, &text);
	else
		answer_bad(asked, "no memory for the metrics");
	buf_free(&text);
}

static void handle_report(struct asked *asked, struct buf_reader *r)
{
	char *day = NULL;
	uint8_t send;

	if (buf_get_str(r, HOP_MAX, &day) == SG_OK && buf_get_u8(r, &send) == SG_OK &&
	    buf_get_end(r) == SG_OK)
		serve_report(asked, day, send != 0);
	else
		answer_bad(asked, "a question that is none of ours");
	free(day);
}

static const struct {
	uint16_t type;
	void (*handle)(struct asked *asked, struct buf_reader *r);
} handlers[] = {
	{TLS_PROOF, serve_proof},
	{TLS_EVENT, handle_event},
	{TLS_CHECK, handle_check},
	{TLS_STATUS, handle_status},
	{TLS_REPORT, handle_report},
};

static void dispatch(struct asked *asked, const struct wire_message *request)
{
	struct buf_reader r;
	size_t i;

	buf_reader_init(&r, request->body.data, request->body.size);
	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
		if (handlers[i].type != request->type)
			continue;
		handlers[i].handle(asked, &r);
		return;
	}
	answer_bad(asked, "unknown request");
}

static void caller_event(void *context, uint32_t events)
{
	struct caller *caller = context;
	struct server *server = caller->serve->server;
	struct wire_message request;
	struct fail f;

	fail_clear(&f);
	wire_message_init(&request, 0);
	caller->last_ms = server->now_ms;
	if ((events & EPOLLIN) == 0 || caller->asked != NULL ||
	    wire_receive(caller->watch.fd, &request, 0, &f) != SG_OK) {
		if (f.code == SG_EFORMAT)
			log_failure(LOG_LEVEL_NOTICE, NULL, "tls-packet", &f);
		caller_drop(caller);
		return;
	}
	caller->asked = calloc(1, sizeof(*caller->asked));
	if (caller->asked == NULL) {
		caller_drop(caller);
	} else {
		*caller->asked = (struct asked){server, caller, request.type, request.request};
		/* until it is answered only its end counts */
		loop_change(server->loop, &caller->watch, 0);
		dispatch(caller->asked, &request);
	}
	wire_message_free(&request);
}

/* --- connections --- */

static void caller_add(struct serve_wire *serve, int socket)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	if (caller == NULL) {
		(void)close(socket);
		return;
	}
	caller->serve = serve;
	caller->watch.fd = socket;
	caller->watch.ready = caller_event;
	caller->watch.context = caller;
	caller->last_ms = serve->server->now_ms;
	caller->older = serve->newest;
	if (serve->newest != NULL)
		serve->newest->newer = caller;
	serve->newest = caller;
	serve->count++;
	if (loop_add(serve->server->loop, &caller->watch, EPOLLIN, NULL) != SG_OK)
		caller_drop(caller);
}

static void accept_event(void *context, uint32_t events)
{
	struct serve_wire *serve = context;
	int socket;
	int i;

	(void)events;
	for (i = 0; i < ACCEPT_MAX; i++) {
		if (serve->count >= SERVER_CALLERS_MAX) {
			/* more wait in the backlog until the next second */
			loop_change(serve->server->loop, &serve->listener, 0);
			return;
		}
		if (wire_accept(serve->listener.fd, &socket, NULL) != SG_OK)
			return;
		caller_add(serve, socket);
	}
}

struct serve_wire *serve_wire_new(struct server *server)
{
	struct serve_wire *serve = calloc(1, sizeof(*serve));

	if (serve != NULL) {
		serve->server = server;
		serve->listener.fd = -1;
	}
	return serve;
}

enum fail_code serve_wire_listen(struct serve_wire *serve, int listener, struct fail *f)
{
	if (fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot use the socket of the filter");
	serve->listener.fd = listener;
	serve->listener.ready = accept_event;
	serve->listener.context = serve;
	return loop_add(serve->server->loop, &serve->listener, EPOLLIN, f);
}

void serve_wire_tend(struct serve_wire *serve)
{
	struct caller *caller;
	struct caller *older;

	for (caller = serve->newest; caller != NULL; caller = older) {
		older = caller->older;
		if (caller->asked == NULL &&
		    serve->server->now_ms - caller->last_ms >= IDLE_MS)
			caller_drop(caller);
	}
	if (serve->listener.fd >= 0)
		loop_change(serve->server->loop, &serve->listener, EPOLLIN);
}

size_t serve_wire_connections(const struct serve_wire *serve)
{
	return serve->count;
}

void serve_wire_free(struct serve_wire *serve)
{
	struct caller *caller;
	struct caller *older;

	if (serve == NULL)
		return;
	for (caller = serve->newest; caller != NULL; caller = older) {
		older = caller->older;
		caller_drop(caller);
	}
	free(serve);
}
