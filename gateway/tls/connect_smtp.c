#include "gateway/tls/connect_smtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"

#define REPLY_MAX 8192	/* bytes of one reply; RFC 5321 allows 512 a line */

struct reply {
	char text[REPLY_MAX];
	size_t size;
	int code;
};

bool connect_wait(int socket, short events, int64_t end_ms)
{
	struct pollfd p = {socket, events, 0};
	int64_t left = end_ms - clock_mono_ms(clock_system());

	return left > 0 && poll(&p, 1, left > INT32_MAX ? INT32_MAX : (int)left) > 0;
}

/* --- connection --- */

static socklen_t make_address(const struct connect_target *target, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
	struct sockaddr_in *four = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, target->address, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(target->port);
		return sizeof(*four);
	}
	if (inet_pton(AF_INET6, target->address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(target->port);
		return sizeof(*six);
	}
	return 0;
}

static int await_connection(int s, int64_t end_ms)
{
	int failed = 0;
	socklen_t size = sizeof(failed);

	if (!connect_wait(s, POLLOUT, end_ms))
		return ETIMEDOUT;
	if (getsockopt(s, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
		return errno;
	return failed;
}

static int open_socket(const struct connect_target *target, int64_t end_ms,
    struct connect_result *result)
{
	struct sockaddr_storage to;
	socklen_t size = make_address(target, &to);
	int failed = 0;
	int s = -1;

	if (size > 0)
		s = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0)
		failed = size == 0 ? EINVAL : errno;
	else if (connect(s, (const struct sockaddr *)&to, size) != 0)
		failed = errno == EINPROGRESS ? await_connection(s, end_ms) : errno;
	if (failed == 0)
		return s;
	(void)snprintf(result->how, sizeof(result->how), "no connection: %s", strerror(failed));
	fd_close(&s);
	return -1;
}

/* --- replies --- */

/* Is there a whole reply, "250-..." lines and then "250 ..."? */
static bool reply_whole(struct reply *reply)
{
	const char *line = reply->text;
	const char *end;

	while ((end = strchr(line, '\n')) != NULL) {
		if (end - line >= 3 && line[3] != '-') {
			reply->code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
			return true;
		}
		line = end + 1;
	}
	return false;
}

static bool read_reply(int s, int64_t end_ms, struct reply *reply)
{
	ssize_t n;

	reply->size = 0;
	reply->code = 0;
	while (reply->size < REPLY_MAX - 1 && connect_wait(s, POLLIN, end_ms)) {
		n = recv(s, reply->text + reply->size, REPLY_MAX - 1 - reply->size, 0);
		if (n <= 0)
			return false;
		reply->size += (size_t)n;
		reply->text[reply->size] = '\0';
		if (reply_whole(reply))
			return true;
	}
	return false;
}

/* Does a line of the reply to EHLO offer this? */
static bool reply_offers(const struct reply *reply, const char *word)
{
	const char *line = reply->text;
	size_t size = strlen(word);

	for (; line != NULL && *line != '\0'; line = strchr(line, '\n')) {
		line += *line == '\n' ? 1 : 0;
		if (strlen(line) >= 4 + size && str_starts_case(line + 4, word) &&
		    strchr(" \r\n", line[4 + size]) != NULL)
			return true;
	}
	return false;
}

static void say_refused(struct connect_result *result, const char *at, struct reply *reply)
{
	char *c;

	reply->text[strcspn(reply->text, "\r\n")] = '\0';
	for (c = reply->text; *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 127)
			*c = '?';
	(void)snprintf(result->how, sizeof(result->how), "%s: %.200s", at,
	    reply->code == 0 ? "no reply in time" : reply->text);
}

/* Sends a command (NULL: waits for the greeting); false, with how, unless its reply is 2xx. */
static bool command(int s, const char *text, const char *name, int64_t end_ms,
    struct reply *reply, struct connect_result *result)
{
	reply->code = 0;
	reply->text[0] = '\0';
	if ((text == NULL || send(s, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text)) &&
	    read_reply(s, end_ms, reply) && reply->code >= 200 && reply->code < 300)
		return true;
	say_refused(result, name, reply);
	return false;
}

static bool talk(int s, int64_t end_ms, struct connect_result *result)
{
	struct utsname self;
	struct reply reply;
	char hello[128];

	(void)snprintf(hello, sizeof(hello), "EHLO %.100s\r\n",
	    uname(&self) == 0 ? self.nodename : "localhost");
	if (!command(s, NULL, "greeting", end_ms, &reply, result) ||
	    !command(s, hello, "EHLO", end_ms, &reply, result))
		return false;
	result->starttls = reply_offers(&reply, "STARTTLS");
	if (!result->starttls) {
		(void)snprintf(result->how, sizeof(result->how), "STARTTLS is not offered");
		return false;
	}
	return command(s, "STARTTLS\r\n", "STARTTLS", end_ms, &reply, result);
}

int connect_smtp(const struct connect_target *target, int64_t end_ms,
    struct connect_result *result)
{
	int s = open_socket(target, end_ms, result);

	if (s < 0)
		return -1;
	result->connected = true;
	if (!talk(s, end_ms, result))
		fd_close(&s);
	return s;
}
