/* Postfix's connections. Questions of one are answered in turn; those of others do not wait. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/step.h"
#include "gateway/tls/server.h"
#include "gateway/tls/socketmap.h"

#define READ_MAX ((size_t)16 * 1024)	/* bytes of one connection in one round */
#define FLUSH_AT ((size_t)32 * 1024)	/* bytes of answers gathered before they are written */
#define IN_MAX (READ_MAX + SOCKETMAP_REQUEST_MAX + 16)
#define OUT_MAX (FLUSH_AT + 2 * (size_t)POLICY_TEXT_MAX + 64)
#define ACCEPT_MAX 64			/* connections in one round */
#define SLOW_MS 10000			/* half a request, or answers that nobody reads */
#define IDLE_MS 300000			/* Postfix closes after 10 s, proxymap(8) keeps longer */
#define KEY_SAID 128			/* bytes of a next hop in the log */

struct peer {
	struct loop_watch watch;
	struct serve_policy *serve;
	struct peer *newer;		/* the list of all, last used first */
	struct peer *older;
	struct peer *next_ready;
	struct socketmap reader;
	struct buf in;			/* what waits to be understood */
	struct buf out;			/* what waits to be read by Postfix */
	int64_t last_ms;
	bool asking;			/* a lookup is under way */
	bool working;			/* peer_work is below us on the stack */
	bool ready;			/* stands in the list of those to go on with */
	bool broken;
	bool gone;			/* closed while asking */
	enum policy_map map;
	bool tlsrpt;
	char key[KEY_SAID];
};

struct serve_policy {
	struct server *server;
	struct loop_watch listener;
	struct peer *newest;
	struct peer *oldest;
	struct peer *ready;
	size_t count;
	struct buf answers;		/* of the peer being worked for */
	char piece[READ_MAX];
	char hop[SOCKETMAP_REQUEST_MAX + 1];
};

/* --- the list --- */

static void list_out(struct serve_policy *serve, struct peer *peer)
{
	if (peer->newer != NULL)
		peer->newer->older = peer->older;
	else
		serve->newest = peer->older;
	if (peer->older != NULL)
		peer->older->newer = peer->newer;
	else
		serve->oldest = peer->newer;
}

static void list_in(struct serve_policy *serve, struct peer *peer)
{
	peer->newer = NULL;
	peer->older = serve->newest;
	if (serve->newest != NULL)
		serve->newest->newer = peer;
	else
		serve->oldest = peer;
	serve->newest = peer;
}

static void peer_used(struct peer *peer)
{
	peer->last_ms = peer->serve->server->now_ms;
	if (peer->serve->newest == peer)
		return;
	list_out(peer->serve, peer);
	list_in(peer->serve, peer);
}

/* --- end --- */

static void peer_free(struct peer *peer)
{
	peer->serve->count--;
	buf_free(&peer->in);
	buf_free(&peer->out);
	free(peer);
}

/* While a lookup runs, or the peer stands in the list of ready ones, its memory must stay. */
static void peer_drop(struct peer *peer)
{
	if (peer->gone)
		return;
	list_out(peer->serve, peer);
	loop_remove(peer->serve->server->loop, &peer->watch);
	(void)close(peer->watch.fd);
	peer->gone = true;
	if (!peer->asking && !peer->ready)
		peer_free(peer);
}

/* --- answers --- */

static void peer_answer(struct peer *peer, const struct policy_answer *answer)
{
	struct buf *out = peer->working ? &peer->serve->answers : &peer->out;

	if (socketmap_put_answer(out, answer, peer->tlsrpt) != SG_OK)
		peer->broken = true;
}

static void peer_refuse(struct peer *peer, const char *why)
{
	peer->serve->server->counts.requests_refused++;
	if (socketmap_put(&peer->serve->answers, SOCKETMAP_PERM, why, NULL) != SG_OK)
		peer->broken = true;
}

/* Called by the engine, at once or later. */
static void peer_answered(void *context, const struct policy_answer *answer)
{
	struct peer *peer = context;
	struct serve_policy *serve = peer->serve;

	STEP("policy-answered");
	peer->asking = false;
	serve_say_answer(serve->server, peer->map, peer->key, answer);
	if (!peer->gone)
		peer_answer(peer, answer);
	if (peer->working)
		return;
	/* not from within the engine */
	peer->ready = true;
	peer->next_ready = serve->ready;
	serve->ready = peer;
}

static void peer_ask(struct peer *peer, const struct socketmap_request *request)
{
	struct serve_policy *serve = peer->serve;

	if (!socketmap_map(request->name, request->name_size, &peer->map, &peer->tlsrpt)) {
		peer_refuse(peer, "there is no such table: all, sealed and proven are");
		return;
	}
	STEP("policy-asked");
	serve->server->counts.requests[peer->map]++;
	memcpy(serve->hop, request->key, request->key_size);
	serve->hop[request->key_size] = '\0';
	(void)snprintf(peer->key, sizeof(peer->key), "%.*s", KEY_SAID - 1, serve->hop);
	peer->asking = true;
	policy_ask(serve->server->policy, peer->map, serve->hop, peer_answered, peer);
}

/* --- bytes --- */

/* Writes what was gathered; what Postfix does not take now waits. */
static void peer_flush(struct peer *peer)
{
	struct buf *answers = &peer->serve->answers;
	ssize_t n = 0;

	if (answers->size == 0 || peer->broken) {
		buf_reset(answers);
		return;
	}
	if (peer->out.size == 0)
		n = send(peer->watch.fd, answers->data, answers->size,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		n = 0;
	if (n < 0 || ((size_t)n < answers->size &&
	    buf_append(&peer->out, answers->data + n, answers->size - (size_t)n) != SG_OK))
		peer->broken = true;
	buf_reset(answers);
}

/* Understands as much of data as can be answered now; returns how many bytes. */
static size_t peer_understand(struct peer *peer, const char *data, size_t size)
{
	struct socketmap_request request;
	enum socketmap_step step = SOCKETMAP_REQUEST;
	size_t at = 0;
	size_t used;

	while (step != SOCKETMAP_MORE && !peer->asking && !peer->broken && peer->out.size == 0) {
		step = socketmap_take(&peer->reader, data + at, size - at, &used, &request);
		at += used;
		if (step == SOCKETMAP_REQUEST)
			peer_ask(peer, &request);
		else if (step == SOCKETMAP_REFUSED)
			peer_refuse(peer, "a request is NAME KEY, of at most 4096 bytes");
		else if (step == SOCKETMAP_BROKEN)
			peer->broken = true;
		if (peer->serve->answers.size >= FLUSH_AT)
			peer_flush(peer);
	}
	return at;
}

/* What this connection waits for next. */
static void peer_wait(struct peer *peer)
{
	uint32_t events = EPOLLIN;

	if (peer->out.size > 0)
		events = EPOLLOUT;
	else if (peer->asking)
		events = 0;	/* only its end */
	loop_change(peer->serve->server->loop, &peer->watch, events);
}

static void keep_rest(struct peer *peer, const char *data, size_t size)
{
	if (size == 0) {
		/* thousands of idle connections hold no memory */
		buf_free(&peer->in);
		return;
	}
	if ((const unsigned char *)data >= peer->in.data && peer->in.size > 0) {
		memmove(peer->in.data, data, size);
		peer->in.size = size;
	} else if (buf_append(&peer->in, data, size) != SG_OK) {
		peer->broken = true;
	}
}

/* data: peer->in's, or a piece just read while peer->in is empty. */
static void peer_work(struct peer *peer, const char *data, size_t size)
{
	size_t used;

	peer->working = true;
	used = peer_understand(peer, data, size);
	peer_flush(peer);
	peer->working = false;
	if (!peer->broken && (peer->in.size > 0 || used < size))
		keep_rest(peer, data + used, size - used);
	if (peer->broken)
		peer_drop(peer);
	else
		peer_wait(peer);
}

static void peer_readable(struct peer *peer)
{
	struct serve_policy *serve = peer->serve;
	ssize_t n = recv(peer->watch.fd, serve->piece, sizeof(serve->piece), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		peer_drop(peer);
		return;
	}
	peer_used(peer);
	if (peer->in.size == 0) {
		peer_work(peer, serve->piece, (size_t)n);
		return;
	}
	if (buf_append(&peer->in, serve->piece, (size_t)n) != SG_OK)
		peer_drop(peer);
	else
		peer_work(peer, (const char *)peer->in.data, peer->in.size);
}

/* Writes what waits; then what was asked meanwhile is looked at. */
static void peer_writable(struct peer *peer)
{
	ssize_t n = send(peer->watch.fd, peer->out.data, peer->out.size,
	    MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN) {
		peer_drop(peer);
		return;
	}
	if (n > 0) {
		peer->out.size -= (size_t)n;
		memmove(peer->out.data, peer->out.data + n, peer->out.size);
		peer_used(peer);
	}
	if (peer->out.size > 0) {
		peer_wait(peer);
		return;
	}
	buf_free(&peer->out);
	peer_work(peer, (const char *)peer->in.data, peer->in.size);
}

static void peer_event(void *context, uint32_t events)
{
	struct peer *peer = context;

	if ((peer->watch.events & EPOLLOUT) != 0 && (events & (EPOLLOUT | EPOLLERR)) != 0)
		peer_writable(peer);
	else if ((peer->watch.events & EPOLLIN) != 0)
		peer_readable(peer);
	else
		peer_drop(peer);
}

void serve_policy_continue(struct serve_policy *serve)
{
	while (serve->ready != NULL) {
		struct peer *peer = serve->ready;

		serve->ready = peer->next_ready;
		peer->ready = false;
		if (peer->gone)
			peer_free(peer);
		else if (peer->broken)
			peer_drop(peer);
		else
			peer_writable(peer);
	}
}

/* --- new ones --- */

/* Room for one more: the one that was not used for longest goes. False: all are asking. */
static bool make_room(struct serve_policy *serve)
{
	struct peer *peer;

	if (serve->count < SERVER_PEERS_MAX)
		return true;
	for (peer = serve->oldest; peer != NULL && peer->asking; peer = peer->newer)
		;
	if (peer == NULL)
		return false;
	serve->server->counts.dropped++;
	peer_drop(peer);
	return true;
}

static void peer_add(struct serve_policy *serve, int socket)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int on = 1;

	if (peer == NULL) {
		(void)close(socket);
		return;
	}
	/* for TCP; a unix socket does not know it */
	(void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	peer->serve = serve;
	peer->watch.fd = socket;
	peer->watch.ready = peer_event;
	peer->watch.context = peer;
	peer->last_ms = serve->server->now_ms;
	buf_init(&peer->in, IN_MAX);
	buf_init(&peer->out, OUT_MAX);
	serve->count++;
	list_in(serve, peer);
	if (loop_add(serve->server->loop, &peer->watch, EPOLLIN, NULL) != SG_OK)
		peer_drop(peer);
}

/* Not now: the listener rests until serve_policy_tend, since it would stay readable. */
static void rest(struct serve_policy *serve)
{
	loop_change(serve->server->loop, &serve->listener, 0);
}

static void accept_event(void *context, uint32_t events)
{
	struct serve_policy *serve = context;
	int socket;
	int i;

	(void)events;
	for (i = 0; i < ACCEPT_MAX; i++) {
		if (!make_room(serve)) {
			rest(serve);
			return;
		}
		socket = accept4(serve->listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (socket < 0) {
			if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				rest(serve);
			return;
		}
		peer_add(serve, socket);
	}
}

struct serve_policy *serve_policy_new(struct server *server)
{
	struct serve_policy *serve = calloc(1, sizeof(*serve));

	if (serve == NULL)
		return NULL;
	serve->server = server;
	serve->listener.fd = -1;
	buf_init(&serve->answers, OUT_MAX);
	return serve;
}

enum fail_code serve_policy_listen(struct serve_policy *serve, int listener, struct fail *f)
{
	/* another worker may share it: a connection that it took must not hold us up */
	if (fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot use the policy socket");
	serve->listener.fd = listener;
	serve->listener.ready = accept_event;
	serve->listener.context = serve;
	return loop_add(serve->server->loop, &serve->listener, EPOLLIN, f);
}

void serve_policy_tend(struct serve_policy *serve)
{
	int64_t now = serve->server->now_ms;
	struct peer *peer;
	struct peer *newer;
	bool slow;

	for (peer = serve->oldest; peer != NULL; peer = newer) {
		newer = peer->newer;
		slow = !peer->asking && now - peer->last_ms >= SLOW_MS &&
		    (peer->in.size > 0 || peer->out.size > 0 || peer->reader.skip > 0);
		if (slow)
			serve->server->counts.dropped++;
		if (slow || (!peer->asking && now - peer->last_ms >= IDLE_MS))
			peer_drop(peer);
	}
	if (serve->listener.fd >= 0)
		loop_change(serve->server->loop, &serve->listener, EPOLLIN);
}

size_t serve_policy_connections(const struct serve_policy *serve)
{
	return serve->count;
}

void serve_policy_free(struct serve_policy *serve)
{
	struct peer *peer;
	struct peer *newer;

	if (serve == NULL)
		return;
	for (peer = serve->oldest; peer != NULL; peer = newer) {
		newer = peer->newer;
		peer->asking = false;
		peer_drop(peer);
	}
	serve_policy_continue(serve);
	buf_free(&serve->answers);
	free(serve);
}
