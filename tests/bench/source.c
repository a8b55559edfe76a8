/*
 * source: sends mail as fast as the server takes it, no two messages alike.
 *
 *   source [-s SESSIONS] [-n MESSAGES] [-b BYTES] [-f FROM] [-t TO] [-S SUBJECT] [-r SEED] PORT
 *   source -w FOLDER ...    writes the messages into files instead
 *
 * Postfix's own smtp-source sends one body again and again, which a virus scanner's cache makes
 * cheap. One connection a message as smtp-source does; commands are pipelined. Prints one line of
 * JSON: messages, failed, seconds, and the median latency from connect to the last reply. Runs
 * against loopback only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/message.h"

#define SESSIONS_MAX 256
#define HEAD_MAX 1024
#define REPLY_MAX 4096

enum step { STEP_BANNER, STEP_HELLO, STEP_DATA, STEP_BODY, STEP_QUIT };

struct session {
	int fd;			/* -1: idle */
	enum step step;
	char *out;		/* what is being sent */
	size_t out_size;
	size_t out_at;
	char reply[REPLY_MAX];
	size_t reply_size;
	int replies;		/* still to come in this step */
	double start;
};

struct source {
	struct message_spec spec;
	int port;
	size_t sessions;
	size_t count;
	size_t started;
	size_t done;
	size_t failed;
	double *latency;	/* milliseconds */
	const char *folder;
};

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1e6;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void open_session(struct source *source, struct session *session)
{
	struct sockaddr_in to;

	memset(&to, 0, sizeof(to));
	to.sin_family = AF_INET;
	to.sin_port = htons((uint16_t)source->port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	session->start = now_ms();
	session->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* on loopback this is at once; what is sent afterwards never blocks for long */
	if (session->fd < 0 || connect(session->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("source: connect");
	session->step = STEP_BANNER;
	session->replies = 1;
	session->reply_size = 0;
	session->out_size = 0;
	session->out_at = 0;
	source->started++;
}

static void close_session(struct source *source, struct session *session, int ok)
{
	(void)close(session->fd);
	session->fd = -1;
	if (ok)
		source->latency[source->done++] = now_ms() - session->start;
	else
		source->failed++;
}

static void say(struct session *session, enum step step, int replies, const char *text)
{
	size_t size = strlen(text);

	memcpy(session->out, text, size);
	session->out_size = size;
	session->out_at = 0;
	session->step = step;
	session->replies = replies;
}

static void say_body(struct source *source, struct session *session)
{
	source->spec.seed++;
	session->out_size = message_write(&source->spec, session->out);
	memcpy(session->out + session->out_size, ".\r\n", 3);
	session->out_size += 3;
	session->out_at = 0;
	session->step = STEP_BODY;
	session->replies = 1;
}

/* All replies of a step are here: the next step. */
static void advance(struct source *source, struct session *session)
{
	char text[HEAD_MAX];

	switch (session->step) {
	case STEP_BANNER:
		say(session, STEP_HELLO, 1, "EHLO bench.example\r\n");
		break;
	case STEP_HELLO:
		(void)snprintf(text, sizeof(text), "MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n",
		    source->spec.from, source->spec.to);
		say(session, STEP_DATA, 3, text);
		break;
	case STEP_DATA:
		say_body(source, session);
		break;
	case STEP_BODY:
		say(session, STEP_QUIT, 0, "QUIT\r\n");
		break;
	case STEP_QUIT:
	default:
		break;
	}
}

/* Takes whole lines off the reply; false when the server said no. */
static int take_replies(struct session *session)
{
	char *line = session->reply;
	char *end;

	while ((end = memchr(line, '\n', session->reply_size -
	    (size_t)(line - session->reply))) != NULL) {
		if (line[0] != '2' && line[0] != '3') {
			(void)fprintf(stderr, "source: %.*s\n", (int)(end - line), line);
			return 0;
		}
		if (line[3] == ' ')
			session->replies--;
		line = end + 1;
	}
	session->reply_size -= (size_t)(line - session->reply);
	memmove(session->reply, line, session->reply_size);
	return 1;
}

static void on_readable(struct source *source, struct session *session)
{
	ssize_t n = read(session->fd, session->reply + session->reply_size,
	    REPLY_MAX - session->reply_size);

	if (n <= 0) {
		(void)fprintf(stderr, "source: the server closed the connection\n");
		close_session(source, session, 0);
		return;
	}
	session->reply_size += (size_t)n;
	if (!take_replies(session) || session->reply_size == REPLY_MAX) {
		close_session(source, session, 0);
		return;
	}
	if (session->replies <= 0)
		advance(source, session);
}

static void on_writable(struct source *source, struct session *session)
{
	ssize_t n = send(session->fd, session->out + session->out_at,
	    session->out_size - session->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN) {
		close_session(source, session, 0);
		return;
	}
	if (n > 0)
		session->out_at += (size_t)n;
	if (session->step == STEP_QUIT && session->out_at == session->out_size)
		close_session(source, session, 1);
}

static void one_turn(struct source *source, struct session *sessions)
{
	struct pollfd polls[SESSIONS_MAX];

	for (size_t i = 0; i < source->sessions; i++) {
		struct session *s = &sessions[i];

		if (s->fd < 0 && source->started < source->count)
			open_session(source, s);
		polls[i].fd = s->fd;
		polls[i].events = (short)(s->out_at < s->out_size ? POLLIN | POLLOUT : POLLIN);
		polls[i].revents = 0;
	}
	if (poll(polls, source->sessions, 120000) <= 0)
		die("source: nothing moves for two minutes");
	for (size_t i = 0; i < source->sessions; i++) {
		if (polls[i].fd >= 0 && (polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
			on_readable(source, &sessions[i]);
		else if (polls[i].fd >= 0 && (polls[i].revents & POLLOUT) != 0)
			on_writable(source, &sessions[i]);
	}
}

static int compare(const void *a, const void *b)
{
	double left = *(const double *)a;
	double right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int send_all(struct source *source)
{
	struct session *sessions = calloc(source->sessions, sizeof(*sessions));
	double start = now_ms();
	double end;

	if (sessions == NULL)
		die("source");
	for (size_t i = 0; i < source->sessions; i++) {
		sessions[i].fd = -1;
		sessions[i].out = malloc(source->spec.size + MESSAGE_ROOM + HEAD_MAX);
		if (sessions[i].out == NULL)
			die("source");
	}
	while (source->done + source->failed < source->count)
		one_turn(source, sessions);
	end = now_ms();
	qsort(source->latency, source->done, sizeof(double), compare);
	printf("{\"messages\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"latency_ms\": %.3f}\n",
	    source->done, source->failed, (end - start) / 1000,
	    source->done > 0 ? source->latency[source->done / 2] : 0.0);
	for (size_t i = 0; i < source->sessions; i++)
		free(sessions[i].out);
	free(sessions);
	return source->failed == 0 ? 0 : 1;
}

static int write_all(struct source *source)
{
	char *message = malloc(source->spec.size + MESSAGE_ROOM);
	char path[4096];

	if (message == NULL)
		die("source");
	for (size_t i = 0; i < source->count; i++) {
		size_t size;
		FILE *file;

		source->spec.seed++;
		size = message_write(&source->spec, message);
		(void)snprintf(path, sizeof(path), "%s/%06zu.eml", source->folder, i);
		file = fopen(path, "wb");
		if (file == NULL || fwrite(message, 1, size, file) != size || fclose(file) != 0)
			die(path);
	}
	free(message);
	return 0;
}

static void read_options(struct source *source, int argc, char *argv[])
{
	int option;

	while ((option = getopt(argc, argv, "s:n:b:f:t:S:r:w:")) != -1) {
		switch (option) {
		case 's': source->sessions = strtoul(optarg, NULL, 10); break;
		case 'n': source->count = strtoul(optarg, NULL, 10); break;
		case 'b': source->spec.size = strtoul(optarg, NULL, 10); break;
		case 'f': source->spec.from = optarg; break;
		case 't': source->spec.to = optarg; break;
		case 'S': source->spec.subject = optarg; break;
		case 'r': source->spec.seed = strtoull(optarg, NULL, 10) << 24; break;
		case 'w': source->folder = optarg; break;
		default: exit(64);
		}
	}
	if (optind < argc)
		source->port = (int)strtol(argv[optind], NULL, 10);
	if (source->sessions == 0 || source->sessions > SESSIONS_MAX || source->count == 0 ||
	    (source->port <= 0 && source->folder == NULL)) {
		(void)fprintf(stderr, "usage: source [-s SESSIONS] [-n MESSAGES] [-b BYTES] "
		    "[-f FROM] "
		    "[-t TO] [-S SUBJECT] [-r SEED] [-w FOLDER] PORT\n");
		exit(64);
	}
}

int main(int argc, char *argv[])
{
	struct source source;
	int status;

	memset(&source, 0, sizeof(source));
	source.sessions = 16;
	source.count = 100;
	source.spec.size = 10240;
	source.spec.from = "sender@inside.example";
	source.spec.to = "recipient@outside.example";
	source.spec.subject = "bench";
	read_options(&source, argc, argv);
	source.latency = calloc(source.count, sizeof(double));
	if (source.latency == NULL)
		die("source");
	status = source.folder != NULL ? write_all(&source) : send_all(&source);
	free(source.latency);
	return status;
}
