#include "gateway/base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"

#define HEADER_SIZE ((size_t)12)	/* version u8, zero u8, type u16, request u32, size u32 */
#define WIRE_BACKLOG 1024		/* requests that may wait for an idle worker */

union control {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(int) * 4)];
};

void wire_message_init(struct wire_message *message, uint16_t type)
{
	message->type = type;
	message->request = 0;
	buf_init(&message->body, WIRE_BODY_MAX);
	message->fd = -1;
}

void wire_message_free(struct wire_message *message)
{
	buf_free(&message->body);
	fd_close(&message->fd);
}

static void put_header(unsigned char *header, const struct wire_message *message)
{
	uint32_t size = (uint32_t)message->body.size;

	header[0] = WIRE_VERSION;
	header[1] = 0;
	header[2] = (unsigned char)(message->type >> 8);
	header[3] = (unsigned char)message->type;
	for (unsigned int i = 0; i < 4; i++) {
		header[4 + i] = (unsigned char)(message->request >> (24 - 8 * i));
		header[8 + i] = (unsigned char)(size >> (24 - 8 * i));
	}
}

static uint32_t get_u32(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	    bytes[3];
}

/* Waits until the socket is ready; false when the time is over. */
static bool wait_for(int socket, short events, int wait_ms)
{
	struct pollfd p = { socket, events, 0 };
	int n;

	do
		n = poll(&p, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

static void attach_descriptor(struct msghdr *packet, union control *control, int fd)
{
	struct cmsghdr *header;

	memset(control, 0, sizeof(*control));
	packet->msg_control = control->bytes;
	packet->msg_controllen = CMSG_SPACE(sizeof(int));
	header = CMSG_FIRSTHDR(packet);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
}

enum fail_code wire_send(int socket, const struct wire_message *message, int wait_ms,
    struct fail *f)
{
	unsigned char header[HEADER_SIZE];
	struct iovec parts[2];
	union control control;
	struct msghdr packet;
	ssize_t n;

	SG_BUG_IF(message->body.size > WIRE_BODY_MAX);
	put_header(header, message);
	parts[0].iov_base = header;
	parts[0].iov_len = sizeof(header);
	parts[1].iov_base = message->body.data;
	parts[1].iov_len = message->body.size;
	memset(&packet, 0, sizeof(packet));
	packet.msg_iov = parts;
	packet.msg_iovlen = 2;
	if (message->fd >= 0)
		attach_descriptor(&packet, &control, message->fd);
	for (;;) {
		n = sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			return SG_OK;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return fail_errno(f, SG_EPEER, NULL, "the other side is gone");
		if (!wait_for(socket, POLLOUT, wait_ms))
			return fail_set(f, SG_EPEER, NULL, "the other side does not read");
	}
}

/* Takes the descriptors of a packet: one is kept, more are an error; none leaks. */
static enum fail_code take_descriptors(struct msghdr *packet, int *fd_out)
{
	enum fail_code code = SG_OK;
	int count = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(packet); h != NULL; h = CMSG_NXTHDR(packet, h)) {
		size_t size;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size = h->cmsg_len - CMSG_LEN(0);
		for (size_t i = 0; i + sizeof(int) <= size; i += sizeof(int), count++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i, sizeof(fd));
			if (count == 0)
				*fd_out = fd;
			else
				(void)close(fd);
		}
	}
	if (count > 1 || (packet->msg_flags & MSG_CTRUNC) != 0)
		code = SG_EFORMAT;
	return code;
}

/* How large the body of the next packet is, so that small packets cost small buffers. */
static enum fail_code next_body_size(int socket, size_t *size_out, struct fail *f)
{
	unsigned char nothing;
	ssize_t n;

	do
		n = recv(socket, &nothing, 0, MSG_PEEK | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail_set(f, SG_EPEER, NULL, "the other side closed the connection");
	if ((size_t)n < HEADER_SIZE || (size_t)n > HEADER_SIZE + WIRE_BODY_MAX)
		return fail_set(f, SG_EFORMAT, NULL, "a packet that is not ours");
	*size_out = (size_t)n - HEADER_SIZE;
	return SG_OK;
}

static enum fail_code check_header(const unsigned char *header, size_t size,
    struct wire_message *message)
{
	if (size < HEADER_SIZE || header[0] != WIRE_VERSION || header[1] != 0)
		return SG_EFORMAT;
	if (get_u32(header + 8) != size - HEADER_SIZE)
		return SG_EFORMAT;
	message->type = (uint16_t)(header[2] << 8 | header[3]);
	message->request = get_u32(header + 4);
	message->body.size = size - HEADER_SIZE;
	return SG_OK;
}

enum fail_code wire_receive(int socket, struct wire_message *message, int wait_ms,
    struct fail *f)
{
	unsigned char header[HEADER_SIZE];
	struct iovec parts[2];
	union control control;
	struct msghdr packet;
	unsigned char *room;
	enum fail_code code;
	size_t size;
	ssize_t n;

	wire_message_free(message);
	if (wait_ms >= 0 && !wait_for(socket, POLLIN, wait_ms))
		return fail_set(f, SG_EPEER, NULL, "no answer within %d ms", wait_ms);
	code = next_body_size(socket, &size, f);
	if (code != SG_OK)
		return code;
	if (buf_reserve(&message->body, size, &room) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for a packet");
	parts[0].iov_base = header;
	parts[0].iov_len = sizeof(header);
	parts[1].iov_base = room;
	parts[1].iov_len = size;
	memset(&packet, 0, sizeof(packet));
	packet.msg_iov = parts;
	packet.msg_iovlen = 2;
	packet.msg_control = control.bytes;
	packet.msg_controllen = sizeof(control.bytes);
	do
		n = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return fail_set(f, SG_EPEER, NULL, "the other side closed the connection");
	if (take_descriptors(&packet, &message->fd) != SG_OK ||
	    (packet.msg_flags & MSG_TRUNC) != 0 ||
	    check_header(header, (size_t)n, message) != SG_OK) {
		wire_message_free(message);
		return fail_set(f, SG_EFORMAT, NULL, "a packet that is not ours");
	}
	return SG_OK;
}

void wire_put_fail(struct wire_message *reply, const struct fail *f)
{
	reply->type = WIRE_FAILURE;
	fd_close(&reply->fd);
	buf_reset(&reply->body);
	if (buf_put_u32(&reply->body, (uint32_t)-(int)f->code) != SG_OK ||
	    buf_put_u8(&reply->body, (uint8_t)f->kind) != SG_OK ||
	    buf_put_str(&reply->body, f->what) != SG_OK ||
	    buf_put_str(&reply->body, f->hint) != SG_OK)
		buf_reset(&reply->body);	/* no memory: the asker reads "not ours" */
}

static void put_u32(unsigned char *bytes, uint32_t number)
{
	for (unsigned int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(number >> (24 - 8 * i));
}

size_t wire_fail_packet(const struct fail *f, unsigned char *packet, size_t room)
{
	size_t what = strlen(f->what);
	size_t hint = strlen(f->hint);
	size_t size = 4 + 1 + 4 + what + 4 + hint;
	unsigned char *body = packet + HEADER_SIZE;
	struct wire_message reply = { .type = WIRE_FAILURE, .body = { .size = size } };

	if (room < HEADER_SIZE + size)
		return 0;
	put_header(packet, &reply);
	put_u32(body, (uint32_t)-(int)f->code);
	body[4] = (unsigned char)f->kind;
	put_u32(body + 5, (uint32_t)what);
	memcpy(body + 9, f->what, what);
	put_u32(body + 9 + what, (uint32_t)hint);
	memcpy(body + 13 + what, f->hint, hint);
	return HEADER_SIZE + size;
}

/* A borrowed counted text into fail's array, cut where it is too long. */
static enum fail_code get_text(struct buf_reader *reader, char *text, size_t room)
{
	const unsigned char *data;
	size_t size;
	enum fail_code code = buf_get_bytes(reader, &data, &size);

	if (code != SG_OK)
		return code;
	if (size >= room)
		size = room - 1;
	memcpy(text, data, size);
	text[size] = '\0';
	return SG_OK;
}

static enum fail_code unpack_fail(const struct wire_message *reply, struct fail *f)
{
	struct buf_reader reader;
	struct fail told;
	uint32_t number;
	uint8_t kind;

	fail_clear(&told);
	buf_reader_init(&reader, reply->body.data, reply->body.size);
	if (buf_get_u32(&reader, &number) != SG_OK || buf_get_u8(&reader, &kind) != SG_OK ||
	    get_text(&reader, told.what, sizeof(told.what)) != SG_OK ||
	    get_text(&reader, told.hint, sizeof(told.hint)) != SG_OK ||
	    buf_get_end(&reader) != SG_OK || number == 0 || number > 99 || kind > 1)
		return fail_set(f, SG_EPEER, NULL, "the other side failed and could not say why");
	told.code = (enum fail_code)-(int)number;
	told.kind = kind == 1 ? FAIL_PERMANENT : FAIL_TEMPORARY;
	if (f != NULL)
		*f = told;
	return told.code;
}

/* Waits in slices so that the asker can show that it lives. */
static enum fail_code await_reply(int socket, const struct wire_wait *wait, struct fail *f)
{
	int64_t end = clock_mono_ms(clock_system()) + wait->timeout_ms;

	for (;;) {
		int64_t left = end - clock_mono_ms(clock_system());

		if (left <= 0)
			return fail_set(f, SG_EPEER, NULL, "no answer within %d ms",
			    wait->timeout_ms);
		if (left > WIRE_PROGRESS_MS)
			left = WIRE_PROGRESS_MS;
		if (wait_for(socket, POLLIN, (int)left))
			return SG_OK;
		if (wait->progress != NULL && !wait->progress(wait->context))
			return fail_set(f, SG_EPEER, NULL, "given up while waiting");
	}
}

enum fail_code wire_call_on(int socket, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f)
{
	enum fail_code code = wire_send(socket, request, wait->timeout_ms, f);

	if (code == SG_OK)
		code = await_reply(socket, wait, f);
	if (code == SG_OK)
		code = wire_receive(socket, reply, 0, f);
	if (code != SG_OK)
		return code;
	if (reply->type == WIRE_FAILURE)
		return unpack_fail(reply, f);
	if (reply->type != request->type || reply->request != request->request) {
		wire_message_free(reply);
		return fail_set(f, SG_EPEER, NULL, "an answer to another question");
	}
	return SG_OK;
}

static enum fail_code make_address(const char *path, struct sockaddr_un *address, struct fail *f)
{
	int n;

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	n = snprintf(address->sun_path, sizeof(address->sun_path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(address->sun_path))
		return fail_set(f, SG_ELIMIT, "choose a shorter run_directory",
		    "the socket path %s has more than %zu characters", path,
		    sizeof(address->sun_path) - 1);
	return SG_OK;
}

enum fail_code wire_connect(const char *path, int wait_ms, int *socket_out, struct fail *f)
{
	struct timeval limit = { wait_ms / 1000, (wait_ms % 1000) * 1000 };
	struct sockaddr_un address;
	enum fail_code code = make_address(path, &address, f);
	int s;

	*socket_out = -1;
	if (code != SG_OK)
		return code;
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a socket");
	/* connect(2) waits in a full backlog; SO_SNDTIMEO bounds that */
	(void)setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(s, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		code = fail_errno(f, SG_EPEER, "is the gateway running? see sealgate doctor",
		    "cannot reach %s", path);
		(void)close(s);
		return code;
	}
	*socket_out = s;
	return SG_OK;
}

enum fail_code wire_call(const char *path, const struct wire_message *request,
    const struct wire_wait *wait, struct wire_message *reply, struct fail *f)
{
	int socket;
	enum fail_code code = wire_connect(path, wait->timeout_ms, &socket, f);

	if (code == SG_OK)
		code = wire_call_on(socket, request, wait, reply, f);
	fd_close(&socket);
	return code;
}

enum fail_code wire_listen(const char *path, unsigned int mode, int *socket_out, struct fail *f)
{
	struct sockaddr_un address;
	enum fail_code code = make_address(path, &address, f);
	int s;

	*socket_out = -1;
	if (code != SG_OK)
		return code;
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a socket");
	(void)unlink(path);
	if (bind(s, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(path, mode) != 0 || listen(s, WIRE_BACKLOG) != 0) {
		code = fail_errno(f, SG_ESYSTEM, "is there another gateway, or no such folder?",
		    "cannot listen on %s", path);
		(void)close(s);
		return code;
	}
	*socket_out = s;
	return SG_OK;
}

enum fail_code wire_accept(int listener, int *socket_out, struct fail *f)
{
	*socket_out = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*socket_out < 0)
		return fail_errno(f, errno == EINTR || errno == ECONNABORTED || errno == EAGAIN ?
		    SG_EPEER : SG_ESYSTEM, NULL, "cannot accept a connection");
	return SG_OK;
}

static const struct wire_handler *find_handler(const struct wire_handler *handlers, size_t count,
    uint16_t type)
{
	for (size_t i = 0; i < count; i++)
		if (handlers[i].type == type)
			return &handlers[i];
	return NULL;
}

/* True: the request waited for so long that nobody wants its answer any more. */
static bool asker_left(int socket)
{
	char byte;
	ssize_t n = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

enum fail_code wire_dispatch(const struct wire_handler *handlers, size_t count,
    unsigned int listener, void *context, int socket, struct wire_message *request,
    struct fail *f)
{
	const struct wire_handler *handler = find_handler(handlers, count, request->type);
	struct wire_message reply;
	struct fail answer;
	enum fail_code code = SG_OK;
	enum fail_code result = SG_OK;

	wire_message_init(&reply, request->type);
	reply.request = request->request;
	fail_clear(&answer);
	if (asker_left(socket))
		return fail_set(f, SG_EPEER, NULL, "whoever asked did not wait for the answer");
	if (handler == NULL)
		result = code = fail_set(&answer, SG_EFORMAT, NULL, "unknown request %u",
		    (unsigned int)request->type);
	else if ((handler->from & 1u << listener) == 0)
		result = code = fail_set(&answer, SG_EDENIED, NULL,
		    "request %u is not for this socket", (unsigned int)request->type);
	else
		code = handler->handle(context, request, &reply, &answer);
	if (code != SG_OK)
		wire_put_fail(&reply, &answer);
	if (result != SG_OK && f != NULL)
		*f = answer;
	code = wire_send(socket, &reply, 1000, result == SG_OK ? f : NULL);
	wire_message_free(&reply);
	return result != SG_OK ? result : code;
}
