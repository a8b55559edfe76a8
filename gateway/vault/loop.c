#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/step.h"
#include "gateway/vault/server.h"
#include "gateway/vault/vault.h"

#define LOOP_CONNECTIONS_MAX 256	/* more wait in the listeners' backlog */
#define LOOP_REQUESTS_MAX 10000u	/* of one connection; then it has to connect again */
#define LOOP_IDLE_MS 30000		/* a connection that asks nothing is closed */
#define LOOP_TICK_MS 10000		/* how often old marks and idle peers are looked for */
#define LOOP_WAIT_MS 1000		/* and how often it shows that it goes on */
#define LOOP_WITHIN_MS 8000
#define LOOP_FINISH_MS 200		/* at the end, for those that have just connected */
#define LOOP_PURGE_MS (10 * 60 * 1000)
#define LOOP_ROUNDS_MAX 64		/* of gathering before a commit */

struct connection {
	int socket;			/* -1: this place is free */
	unsigned int listener;
	unsigned int requests;
	int64_t last_ms;
	bool waiting;			/* request waits for the commit that all share */
	struct wire_message request;
	struct wire_message reply;
};

struct loop {
	struct server *server;
	int control;
	int terminate;
	const int *listeners;		/* borrowed */
	size_t listener_count;
	size_t connection_count;
	size_t waiting_count;
	int64_t purge_ms;
	bool ended;
	struct connection connections[LOOP_CONNECTIONS_MAX];
};

#define FROM_MILTER (1u << SERVER_LISTENER_MILTER)
#define FROM_ADMIN (1u << SERVER_LISTENER_ADMIN)
#define FROM_FACTS (1u << SERVER_LISTENER_FACTS)
#define FROM_NOTICE (1u << SERVER_LISTENER_NOTICE)

/* Who may ask what. */
static const struct wire_handler handlers[] = {
	{VAULT_PLAN, FROM_MILTER, plan_handle},
	{VAULT_CERTIFICATE, FROM_MILTER, plan_certificate_handle},
	{VAULT_PASSWORD, FROM_MILTER, password_handle},
	{VAULT_MARK_MAKE, FROM_MILTER, mark_make_handle},
	{VAULT_MARK_CHECK, FROM_MILTER, mark_check_handle},
	{VAULT_RECORD, FROM_MILTER, records_handle},
	{VAULT_RECORD_ONCE, FROM_MILTER, records_once_handle},
	{VAULT_WAITING, FROM_MILTER, waiting_handle},
	{VAULT_RECORD_TOLD, FROM_MILTER, told_handle},
	{VAULT_PASSWORD_TRY, FROM_MILTER, password_try_handle},
	{VAULT_FACTS, FROM_FACTS, facts_handle},
	{VAULT_POSITION, FROM_FACTS, position_handle},
	{VAULT_SESSIONS, FROM_FACTS, sessions_handle},
	{VAULT_NOTICE_NEXT, FROM_NOTICE, notice_next_handle},
	{VAULT_NOTICE_SIGN, FROM_NOTICE, notice_sign_handle},
	{VAULT_NOTICE_DONE, FROM_NOTICE, notice_done_handle},
	{VAULT_NOTICE_AGAIN, FROM_NOTICE, notice_again_handle},
	{VAULT_NOTICE_FAILED, FROM_NOTICE, notice_failed_handle},
	{VAULT_CERT_ADD, FROM_ADMIN, cert_add_handle},
	{VAULT_CERT_LIST, FROM_ADMIN, cert_list_handle},
	{VAULT_CERT_SHOW, FROM_ADMIN, cert_show_handle},
	{VAULT_CERT_REMOVE, FROM_ADMIN, cert_remove_handle},
	{VAULT_PASSWORD_SET, FROM_ADMIN, password_set_handle},
	{VAULT_PASSWORD_LIST, FROM_ADMIN, password_list_handle},
	{VAULT_PASSWORD_REMOVE, FROM_ADMIN, password_remove_handle},
	{VAULT_TRACE, FROM_ADMIN, trace_handle},
	{VAULT_STATUS, FROM_ADMIN, status_handle},
	{VAULT_CANARY, FROM_ADMIN, canary_handle},
	{VAULT_MARK_KEY, FROM_ADMIN, keys_change_handle},
};

const struct wire_handler *server_handlers(size_t *count_out)
{
	*count_out = sizeof(handlers) / sizeof(handlers[0]);
	return handlers;
}

/* What the milter writes shares a commit. */
static bool loop_shares_commit(const struct connection *c)
{
	return c->listener == SERVER_LISTENER_MILTER &&
	    (c->request.type == VAULT_MARK_MAKE || c->request.type == VAULT_RECORD ||
	    c->request.type == VAULT_RECORD_ONCE || c->request.type == VAULT_RECORD_TOLD);
}

/* --- connections --- */

static void loop_drop(struct loop *loop, struct connection *c)
{
	fd_close(&c->socket);
	wire_message_free(&c->request);
	wire_message_free(&c->reply);
	if (c->waiting)
		loop->waiting_count--;
	c->waiting = false;
	loop->connection_count--;
}

static void loop_add(struct loop *loop, int socket, unsigned int listener)
{
	struct connection *c = loop->connections;

	while (c->socket >= 0)
		c++;
	c->socket = socket;
	c->listener = listener;
	c->requests = 0;
	c->last_ms = clock_mono_ms(loop->server->clock);
	c->waiting = false;
	wire_message_init(&c->request, 0);
	wire_message_init(&c->reply, 0);
	loop->connection_count++;
}

static void loop_accept(struct loop *loop, unsigned int listener)
{
	struct pollfd ready = {loop->listeners[listener], POLLIN, 0};
	struct fail f;
	int socket;

	while (loop->connection_count < LOOP_CONNECTIONS_MAX && poll(&ready, 1, 0) > 0) {
		if (wire_accept(ready.fd, &socket, &f) != SG_OK)
			return;
		loop_add(loop, socket, listener);
	}
}

/* --- one request --- */

static void loop_refuse(struct loop *loop, struct connection *c, const struct fail *why)
{
	struct wire_message reply;

	wire_message_init(&reply, WIRE_FAILURE);
	reply.request = c->request.request;
	wire_put_fail(&reply, why);
	if (wire_send(c->socket, &reply, 0, NULL) != SG_OK)
		loop_drop(loop, c);
	wire_message_free(&reply);
}

static void loop_answer(struct loop *loop, struct connection *c)
{
	struct fail f;

	fail_clear(&f);
	if (server_ready(loop->server, &f) != SG_OK) {
		loop_refuse(loop, c, &f);
		return;
	}
	if (wire_dispatch(handlers, sizeof(handlers) / sizeof(handlers[0]), c->listener,
	    loop->server, c->socket, &c->request, &f) != SG_OK) {
		log_failure(LOG_LEVEL_DEBUG, NULL, "vault-request", &f);
		loop_drop(loop, c);
	} else {
		wire_message_free(&c->request);
	}
	server_settle(loop->server);
}

static void loop_read(struct loop *loop, struct connection *c)
{
	struct fail f;

	fail_clear(&f);
	if (++c->requests > LOOP_REQUESTS_MAX ||
	    wire_receive(c->socket, &c->request, 0, &f) != SG_OK) {
		if (f.code == SG_EFORMAT)
			log_failure(LOG_LEVEL_NOTICE, NULL, "vault-packet", &f);
		loop_drop(loop, c);
		return;
	}
	STEP("vault-asked");
	c->last_ms = clock_mono_ms(loop->server->clock);
	if (loop_shares_commit(c)) {
		c->waiting = true;
		loop->waiting_count++;
	} else {
		loop_answer(loop, c);
	}
}

/* --- the shared commit --- */

static const struct wire_handler *loop_handler(uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].type == type)
			return &handlers[i];
	SG_BUG_IF(true);
	return NULL;
}

/* What the asker did wrong is told to it alone; trouble of ours ends the transaction. */
static enum fail_code loop_apply(struct loop *loop, struct connection *c, struct fail *f)
{
	struct fail own;
	enum fail_code code;

	fail_clear(&own);
	wire_message_free(&c->reply);
	wire_message_init(&c->reply, c->request.type);
	c->reply.request = c->request.request;
	code = loop_handler(c->request.type)->handle(loop->server, &c->request, &c->reply, &own);
	if (code == SG_OK)
		return SG_OK;
	wire_put_fail(&c->reply, &own);
	if (own.kind == FAIL_PERMANENT)
		return SG_OK;
	*f = own;
	return code;
}

/* One transaction over the waiting requests in [from, to). */
static enum fail_code loop_transaction(struct loop *loop, size_t from, size_t to, struct fail *f)
{
	struct server *server = loop->server;
	enum fail_code code;
	size_t i;

	code = server_ready(server, f);
	if (code == SG_OK)
		code = server->store->ops->begin(server->store, f);
	if (code != SG_OK)
		return code;
	for (i = from; code == SG_OK && i < to; i++)
		if (loop->connections[i].waiting)
			code = loop_apply(loop, &loop->connections[i], f);
	STEP("vault-applied");
	return server_end(server, code, f);
}

static void loop_fail_all(struct loop *loop, size_t from, size_t to, const struct fail *f)
{
	struct connection *c;
	size_t i;

	for (i = from; i < to; i++) {
		c = &loop->connections[i];
		if (!c->waiting)
			continue;
		c->reply.request = c->request.request;
		wire_put_fail(&c->reply, f);
	}
}

/* When together they fail, each gets a transaction of its own: one must not spoil the others. */
static void loop_one_by_one(struct loop *loop)
{
	struct fail f;
	size_t i;

	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++) {
		if (!loop->connections[i].waiting)
			continue;
		fail_clear(&f);
		if (loop_transaction(loop, i, i + 1, &f) != SG_OK)
			loop_fail_all(loop, i, i + 1, &f);
		server_settle(loop->server);
	}
}

static void loop_commit(struct loop *loop)
{
	struct connection *c;
	struct fail f;
	size_t i;

	if (loop->waiting_count == 0)
		return;
	fail_clear(&f);
	if (loop_transaction(loop, 0, LOOP_CONNECTIONS_MAX, &f) != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "vault-commit", &f);
		server_settle(loop->server);
		if (loop->waiting_count > 1)
			loop_one_by_one(loop);
		else
			loop_fail_all(loop, 0, LOOP_CONNECTIONS_MAX, &f);
	}
	STEP("vault-committed");
	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++) {
		c = &loop->connections[i];
		if (!c->waiting)
			continue;
		c->waiting = false;
		loop->waiting_count--;
		if (wire_send(c->socket, &c->reply, 0, NULL) != SG_OK)
			loop_drop(loop, c);
		STEP("vault-answered");
		wire_message_free(&c->request);
		wire_message_free(&c->reply);
	}
}

/* --- the parent --- */

static enum fail_code loop_configure(struct loop *loop, struct wire_message *message,
    struct fail *f)
{
	struct conf *conf = NULL;
	enum fail_code code;
	struct buf bytes;

	buf_init(&bytes, PROC_CONFIG_MAX);
	if (lseek(message->fd, 0, SEEK_SET) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot read the configuration sent");
	else
		code = fd_read_all(message->fd, &bytes, f);
	if (code == SG_OK)
		code = conf_decode(bytes.data, bytes.size, &conf, f);
	if (code == SG_OK)
		code = server_reload(loop->server, conf, f);
	buf_free(&bytes);
	return code;
}

static void loop_control(struct loop *loop)
{
	struct wire_message message;
	struct fail f;

	fail_clear(&f);
	wire_message_init(&message, 0);
	if (wire_receive(loop->control, &message, 0, &f) != SG_OK)
		loop->ended = true;
	else if (message.type == PROC_CONFIG && message.fd >= 0 &&
	    loop_configure(loop, &message, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "vault-configuration", &f);
	wire_message_free(&message);
}

/* --- rounds --- */

/*
 * What a round waits for: control, terminate, listeners, then one entry a connection in use; places
 * tells which. Connections that wait for the commit are left alone.
 */
#define LOOP_FIXED (2 + PROC_LISTENERS_MAX)

static nfds_t loop_collect(const struct loop *loop, struct pollfd *polls, size_t *places)
{
	bool room = loop->connection_count < LOOP_CONNECTIONS_MAX && !loop->ended;
	nfds_t count = LOOP_FIXED;
	size_t i;

	polls[0] = (struct pollfd){loop->ended ? -1 : loop->control, POLLIN, 0};
	polls[1] = (struct pollfd){loop->ended ? -1 : loop->terminate, POLLIN, 0};
	for (i = 0; i < PROC_LISTENERS_MAX; i++)
		polls[2 + i] = (struct pollfd){
			i < loop->listener_count && room ? loop->listeners[i] : -1, POLLIN, 0};
	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++) {
		if (loop->connections[i].socket < 0 || loop->connections[i].waiting)
			continue;
		places[count] = i;
		polls[count++] = (struct pollfd){loop->connections[i].socket, POLLIN, 0};
	}
	return count;
}

/* False when nothing was there within wait_ms. */
static bool loop_round(struct loop *loop, int wait_ms)
{
	struct pollfd polls[LOOP_FIXED + LOOP_CONNECTIONS_MAX];
	size_t places[LOOP_FIXED + LOOP_CONNECTIONS_MAX];
	nfds_t count = loop_collect(loop, polls, places);
	nfds_t i;
	int n = poll(polls, count, wait_ms);

	if (n <= 0)
		return n < 0 && errno == EINTR;
	if (polls[0].revents != 0)
		loop_control(loop);
	if (polls[1].revents != 0)
		loop->ended = true;
	for (i = LOOP_FIXED; i < count; i++)
		if (polls[i].revents != 0)
			loop_read(loop, &loop->connections[places[i]]);
	for (i = 0; i < loop->listener_count && !loop->ended; i++)
		if (polls[2 + i].revents != 0)
			loop_accept(loop, (unsigned int)i);
	return true;
}

static void loop_close_idle(struct loop *loop)
{
	int64_t now = clock_mono_ms(loop->server->clock);
	struct connection *c;
	size_t i;

	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++) {
		c = &loop->connections[i];
		if (c->socket >= 0 && now - c->last_ms >= LOOP_IDLE_MS)
			loop_drop(loop, c);
	}
}

static void loop_housekeep(struct loop *loop)
{
	int64_t now = clock_mono_ms(loop->server->clock);

	if (now < loop->purge_ms)
		return;
	facts_purge(loop->server);
	keys_tend(loop->server);
	/* a full batch means that there is more: go on with the next tick */
	loop->purge_ms = now + (mark_purge(loop->server) ? LOOP_TICK_MS : LOOP_PURGE_MS);
}

/*
 * What is not accepted yet waits for the vault after us; whoever was accepted gets an answer. The
 * clients of a message ask once a connection and close it.
 */
static void loop_finish(struct loop *loop)
{
	int64_t end = clock_mono_ms(loop->server->clock) + LOOP_FINISH_MS;
	int64_t left = LOOP_FINISH_MS;

	while (loop->connection_count > 0 && left > 0) {
		(void)loop_round(loop, (int)left);
		loop_commit(loop);
		left = end - clock_mono_ms(loop->server->clock);
	}
}

enum fail_code loop_run(struct server *server, int control, int terminate, const int *listeners,
    size_t listener_count, struct fail *f)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	enum fail_code code = SG_OK;
	int rounds;
	size_t i;

	if (loop == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to serve");
	loop->server = server;
	loop->control = control;
	loop->terminate = terminate;
	loop->listeners = listeners;
	loop->listener_count = listener_count;
	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++)
		loop->connections[i].socket = -1;
	while (!loop->ended && code == SG_OK) {
		counters_beat(server->counters, LOOP_WITHIN_MS);
		/* the first round waits; the others gather what else is there for the commit */
		for (rounds = 0; rounds < LOOP_ROUNDS_MAX && !loop->ended; rounds++)
			if (!loop_round(loop, rounds == 0 ? LOOP_WAIT_MS : 0))
				break;
		loop_commit(loop);
		loop_close_idle(loop);
		loop_housekeep(loop);
		if (server_lost(server))
			code = fail_set(f, SG_ESYSTEM, NULL,
			    "the state directory %s was replaced: starting again",
			    server->conf->state_directory);
	}
	if (code == SG_OK)
		loop_finish(loop);
	for (i = 0; i < LOOP_CONNECTIONS_MAX; i++)
		if (loop->connections[i].socket >= 0)
			loop_drop(loop, &loop->connections[i]);
	free(loop);
	return code;
}
