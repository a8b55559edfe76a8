#include "gateway/cmd/handover.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/wire.h"

#define SOCKET_NAME "handover.sock"
#define SEND_MS 1000		/* all fits into the socket's buffer: who does not read is stuck */
#define JOIN_MS 5000
#define SOCKET_NAME_MAX 32u	/* bytes, of a listening socket */

enum handover_message {
	MESSAGE_SOCKET = 1,	/* body = its name, with the descriptor */
	MESSAGE_ALL = 2,	/* that was the last */
	MESSAGE_RELOADED = 3
};

static enum fail_code send_one(int socket, enum handover_message type, const char *name, int fd,
    struct fail *f)
{
	struct wire_message message;
	enum fail_code code = SG_OK;

	wire_message_init(&message, (uint16_t)type);
	if (name != NULL && buf_put_str(&message.body, name) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	message.fd = fd;
	if (code == SG_OK)
		code = wire_send(socket, &message, SEND_MS, f);
	message.fd = -1;	/* it stays ours */
	wire_message_free(&message);
	return code;
}

/* ---- the one that runs ---- */

void handover_init(struct handover *handover)
{
	memset(handover, 0, sizeof(*handover));
	handover->listener = -1;
}

enum fail_code handover_open(const struct conf *conf, const struct prepare_sockets *sockets,
    struct handover *handover, struct fail *f)
{
	char *path = conf_run_path(conf, SOCKET_NAME);
	enum fail_code code;

	handover_init(handover);
	handover->sockets = sockets;
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	code = wire_listen(path, 0600, &handover->listener, f);
	free(path);
	return code;
}

static void log_standby(const char *event, pid_t pid)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, event);
	if (pid > 0)
		log_int(&line, "pid", pid);
	log_end(&line);
}

static enum fail_code send_all(const struct handover *handover, int socket, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (unsigned int i = 0; i < PREPARE_SOCKETS && code == SG_OK; i++)
		if (handover->sockets->fds[i] >= 0)
			code = send_one(socket, MESSAGE_SOCKET,
			    prepare_name((enum prepare_socket)i), handover->sockets->fds[i], f);
	return code == SG_OK ? send_one(socket, MESSAGE_ALL, NULL, -1, f) : code;
}

/* Whoever gets our sockets could answer Postfix in our place: nobody but ourselves. */
static enum fail_code check_peer(int socket, struct ucred *peer_out, struct fail *f)
{
	socklen_t size = sizeof(*peer_out);

	if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, peer_out, &size) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot see who wants to stand by");
	if (peer_out->uid != geteuid())
		return fail_set(f, SG_EDENIED, "start it as the same user",
		    "uid %u wants to stand by", (unsigned int)peer_out->uid);
	return SG_OK;
}

static void let_in(struct handover *handover)
{
	struct ucred peer;
	struct fail f;
	int socket;
	enum fail_code code;

	fail_clear(&f);
	if (wire_accept(handover->listener, &socket, &f) != SG_OK)
		return;
	code = check_peer(socket, &peer, &f);
	if (code == SG_OK && handover->count == HANDOVER_MAX)
		code = fail_set(&f, SG_ELIMIT, NULL, "%u stand by already", HANDOVER_MAX);
	if (code == SG_OK)
		code = send_all(handover, socket, &f);
	if (code != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "standby-refused", &f);
		fd_close(&socket);
		return;
	}
	handover->standbys[handover->count++] = socket;
	log_standby("standby-joined", peer.pid);
}

/* They never say anything: what can be read is the end. */
static void forget_gone(struct handover *handover)
{
	size_t kept = 0;

	for (size_t i = 0; i < handover->count; i++) {
		struct pollfd look = { handover->standbys[i], POLLIN, 0 };

		if (poll(&look, 1, 0) == 0) {
			handover->standbys[kept++] = handover->standbys[i];
			continue;
		}
		fd_close(&handover->standbys[i]);
		log_standby("standby-left", 0);
	}
	handover->count = kept;
}

void handover_tend(struct handover *handover)
{
	struct pollfd knock = { handover->listener, POLLIN, 0 };

	forget_gone(handover);
	while (handover->listener >= 0 && poll(&knock, 1, 0) > 0)
		let_in(handover);
}

size_t handover_poll(const struct handover *handover, struct pollfd polls[HANDOVER_POLL_MAX])
{
	size_t count = 0;

	if (handover->listener >= 0)
		polls[count++] = (struct pollfd){ handover->listener, POLLIN, 0 };
	for (size_t i = 0; i < handover->count; i++)
		polls[count++] = (struct pollfd){ handover->standbys[i], POLLIN, 0 };
	return count;
}

void handover_reloaded(struct handover *handover)
{
	struct fail f;

	fail_clear(&f);
	for (size_t i = 0; i < handover->count; i++)
		if (send_one(handover->standbys[i], MESSAGE_RELOADED, NULL, -1, &f) != SG_OK) {
			/* it comes back, and reads the file then */
			log_failure(LOG_LEVEL_ERROR, NULL, "standby", &f);
			(void)shutdown(handover->standbys[i], SHUT_RDWR);
		}
}

void handover_close(struct handover *handover)
{
	fd_close(&handover->listener);
	for (size_t i = 0; i < handover->count; i++)
		fd_close(&handover->standbys[i]);
	handover->count = 0;
}

/* ---- the one that stands by ---- */

/* One that is not where our configuration has it is not used: we open our own. */
static enum fail_code take_one(const struct conf *conf, struct wire_message *message,
    struct prepare_sockets *sockets, struct fail *f)
{
	struct buf_reader reader;
	struct log_line line;
	char *name;

	buf_reader_init(&reader, message->body.data, message->body.size);
	if (message->type != MESSAGE_SOCKET || message->fd < 0 ||
	    buf_get_str(&reader, SOCKET_NAME_MAX, &name) != SG_OK)
		return fail_set(f, SG_EPEER, "restart it: is it of another version?",
		    "the gateway that runs sends something else than its sockets");
	if (prepare_take(conf, name, message->fd, sockets)) {
		message->fd = -1;
	} else {
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "standby");
		log_str(&line, "socket", name);
		log_str(&line, "hint", "the gateway that runs has it at another place than "
		    "this configuration; it is opened when this one takes over");
		log_end(&line);
	}
	free(name);
	return SG_OK;
}

static enum fail_code take_all(const struct conf *conf, int socket,
    struct prepare_sockets *sockets, struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	wire_message_init(&message, 0);
	for (;;) {
		code = wire_receive(socket, &message, JOIN_MS, f);
		if (code != SG_OK || message.type == MESSAGE_ALL)
			break;
		code = take_one(conf, &message, sockets, f);
		if (code != SG_OK)
			break;
	}
	wire_message_free(&message);
	return code;
}

enum fail_code handover_join(const struct conf *conf, struct prepare_sockets *sockets,
    int *link_out, struct fail *f)
{
	char *path = conf_run_path(conf, SOCKET_NAME);
	struct prepare_sockets fresh;
	enum fail_code code;

	*link_out = -1;
	if (path == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	prepare_init(&fresh);
	code = wire_connect(path, JOIN_MS, link_out, f);
	free(path);
	if (code == SG_OK)
		code = take_all(conf, *link_out, &fresh, f);
	if (code != SG_OK) {
		fd_close(link_out);
		prepare_close(&fresh);
		return code;
	}
	prepare_close(sockets);
	*sockets = fresh;
	return SG_OK;
}

enum handover_news handover_hear(int *link)
{
	struct pollfd look = { *link, POLLIN, 0 };
	enum handover_news news = HANDOVER_GONE;
	struct wire_message message;

	if (poll(&look, 1, 0) == 0)
		return HANDOVER_NONE;
	wire_message_init(&message, 0);
	if (wire_receive(*link, &message, 0, NULL) == SG_OK && message.type == MESSAGE_RELOADED)
		news = HANDOVER_RELOADED;
	wire_message_free(&message);
	if (news == HANDOVER_GONE)
		fd_close(link);
	return news;
}
