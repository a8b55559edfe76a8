/*
 * wire: typed messages between our own processes on this host.
 *
 * One SOCK_SEQPACKET packet = version, type, request number, body size, body, and at most one
 * descriptor. Bodies are small (WIRE_BODY_MAX); message content travels as a descriptor. The
 * receiver checks everything: a wrong packet is SG_EFORMAT and ends that connection, nothing else.
 *
 * Clients open a connection for a request (wire_call): it costs 0.02 ms, needs no pool, and a
 * worker's listening socket is then the one queue from which idle workers take. The listening
 * sockets belong to the supervisor and outlive a worker that dies.
 */
#ifndef SG_BASE_WIRE_H
#define SG_BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"

#define WIRE_VERSION 1
#define WIRE_BODY_MAX ((size_t)128 * 1024)	/* bytes; fits Linux's default socket buffer */
#define WIRE_FAILURE 0xffffu			/* type of a reply that carries a struct fail */

struct wire_message {
	uint16_t type;
	uint32_t request;
	struct buf body;
	int fd;			/* -1 if none; owned by the message */
};

/* An empty message of that type, without descriptor. */
void wire_message_init(struct wire_message *message, uint16_t type);
void wire_message_free(struct wire_message *message);	/* also closes fd */

/*
 * Sends one packet; message->fd stays the caller's. Waits at most wait_ms for room (0: not at
 * all, -1: for ever). SG_EPEER: the other side is gone or did not read in time.
 */
MUST_USE enum fail_code wire_send(int socket, const struct wire_message *message, int wait_ms,
    struct fail *f);

/*
 * Receives one packet into *message (initialised; what it held is freed). SG_EPEER: closed, or
 * nothing came within wait_ms (-1: for ever); SG_EFORMAT: not ours.
 */
MUST_USE enum fail_code wire_receive(int socket, struct wire_message *message, int wait_ms,
    struct fail *f);

/* Makes reply carry f, to be told to the other side word for word. */
void wire_put_fail(struct wire_message *reply, const struct fail *f);

/*
 * The same as the bytes of a packet, for signal handlers: takes no memory, calls nothing that could
 * wait. Returns their number, 0 if room is too small.
 */
size_t wire_fail_packet(const struct fail *f, unsigned char *packet, size_t room);

/* Called about every WIRE_PROGRESS_MS while a client waits; false gives up (SG_EPEER). */
typedef bool wire_progress_fn(void *context);
#define WIRE_PROGRESS_MS 5000

struct wire_wait {
	int timeout_ms;			/* for the whole call */
	wire_progress_fn *progress;	/* may be NULL */
	void *context;
};

/* Connects to the server at path; waits at most wait_ms where many wait already. SG_EPEER. */
MUST_USE enum fail_code wire_connect(const char *path, int wait_ms, int *socket_out,
    struct fail *f);

/*
 * Connects to the server at path, sends request, waits for its reply. A WIRE_FAILURE reply is
 * unpacked into *f and its code returned. SG_EPEER: nobody listens, died, or too late.
 */
MUST_USE enum fail_code wire_call(const char *path, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f);
/* The same on a connected socket. */
MUST_USE enum fail_code wire_call_on(int socket, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f);

/* A listening socket at path (an old one is replaced). mode: rights of the file. */
MUST_USE enum fail_code wire_listen(const char *path, unsigned int mode, int *socket_out,
    struct fail *f);
/* The next connection, CLOEXEC. Waits for ever; SG_EPEER when interrupted by a signal. */
MUST_USE enum fail_code wire_accept(int listener, int *socket_out, struct fail *f);

/* What a server may be asked, by whom. */
struct wire_handler {
	uint16_t type;
	unsigned int from;	/* bit set of the listeners (1 << index) it is allowed on */
	/* Fills *reply (initialised with type = request's type), or fails: f goes to the asker. */
	enum fail_code (*handle)(void *context, struct wire_message *request,
	    struct wire_message *reply, struct fail *f);
};

/*
 * Finds the handler, checks from, calls it, sends the reply. SG_EDENIED and SG_EFORMAT (unknown
 * type) are answered to the peer and returned: the caller ends the connection. SG_EPEER: the asker
 * has gone, most likely since its time was over, and the handler was not called; without that a
 * worker that is behind would do nothing but work that nobody waits for.
 */
MUST_USE enum fail_code wire_dispatch(const struct wire_handler *handlers, size_t count,
    unsigned int listener, void *context, int socket, struct wire_message *request,
    struct fail *f);

#endif
