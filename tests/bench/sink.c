/*
 * sink PORT FILE: takes all mail at a loopback port and counts it in FILE.
 *
 * FILE holds "COUNT MICROSECONDS": how many messages have been taken and when the last one was, by
 * the clock that the shell's EPOCHREALTIME shows. It stays for the whole benchmark: a sink that
 * ends after the last message (smtp-sink -M) may take the last reply with it, and Postfix then
 * tries that message again and remembers a dead destination. Ends by a signal.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 512
#define BUFFER_MAX 65536

struct client {
	int data;		/* inside a message */
	size_t size;		/* bytes kept in buffer */
	char *buffer;
};

struct sink {
	int count_fd;
	unsigned long long count;
	size_t used;		/* entries of polls; the first is the listener */
	struct pollfd polls[CLIENTS_MAX];
	struct client clients[CLIENTS_MAX];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int listen_at(int port)
{
	struct sockaddr_in at;
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_port = htons((uint16_t)port);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 256) != 0)
		die("sink: listen");
	return fd;
}

static void reply(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		perror("sink: send");
}

static void count_one(struct sink *sink)
{
	char text[64];
	struct timespec t;
	int size;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	size = snprintf(text, sizeof(text), "%llu %lld\n", ++sink->count,
	    (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000);
	if (pwrite(sink->count_fd, text, (size_t)size, 0) != size)
		die("sink: count");
}

/* One command line; false ends the connection. */
static int command(struct client *client, int fd, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0) {
		reply(fd, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 DSN\r\n");
	} else if (strncasecmp(line, "DATA", 4) == 0) {
		client->data = 1;
		reply(fd, "354 go\r\n");
	} else if (strncasecmp(line, "QUIT", 4) == 0) {
		reply(fd, "221 bye\r\n");
		return 0;
	} else {
		reply(fd, "250 ok\r\n");
	}
	return 1;
}

/* Drops size bytes from the front of what is kept. */
static void consume(struct client *client, size_t size)
{
	client->size -= size;
	memmove(client->buffer, client->buffer + size, client->size);
}

/* Works off what is kept; false ends the connection. */
static int work(struct sink *sink, struct client *client, int fd)
{
	for (;;) {
		char *end;

		if (client->data) {
			end = memmem(client->buffer, client->size, "\r\n.\r\n", 5);
			if (end == NULL) {
				if (client->size > 4)
					consume(client, client->size - 4);
				return 1;
			}
			consume(client, (size_t)(end - client->buffer) + 5);
			client->data = 0;
			count_one(sink);
			reply(fd, "250 taken\r\n");
			continue;
		}
		end = memchr(client->buffer, '\n', client->size);
		if (end == NULL)
			return client->size < BUFFER_MAX;
		*end = '\0';
		if (!command(client, fd, client->buffer))
			return 0;
		consume(client, (size_t)(end - client->buffer) + 1);
	}
}

static void add_client(struct sink *sink)
{
	int fd = accept4(sink->polls[0].fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (sink->used == CLIENTS_MAX) {
		(void)close(fd);
		return;
	}
	sink->polls[sink->used].fd = fd;
	sink->polls[sink->used].events = POLLIN;
	sink->polls[sink->used].revents = 0;
	sink->clients[sink->used].data = 0;
	sink->clients[sink->used].size = 0;
	sink->clients[sink->used].buffer = malloc(BUFFER_MAX);
	if (sink->clients[sink->used].buffer == NULL)
		die("sink");
	sink->used++;
	reply(fd, "220 sink ESMTP\r\n");
}

static void remove_client(struct sink *sink, size_t i)
{
	(void)close(sink->polls[i].fd);
	free(sink->clients[i].buffer);
	sink->used--;
	sink->polls[i] = sink->polls[sink->used];
	sink->clients[i] = sink->clients[sink->used];
}

static int serve(struct sink *sink, size_t i)
{
	struct client *client = &sink->clients[i];
	ssize_t n = read(sink->polls[i].fd, client->buffer + client->size,
	    BUFFER_MAX - client->size);

	if (n <= 0)
		return 0;
	client->size += (size_t)n;
	return work(sink, client, sink->polls[i].fd);
}

int main(int argc, char *argv[])
{
	static struct sink sink;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: sink PORT FILE\n");
		return 64;
	}
	sink.count_fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (sink.count_fd < 0)
		die(argv[2]);
	sink.polls[0].fd = listen_at((int)strtol(argv[1], NULL, 10));
	sink.polls[0].events = POLLIN;
	sink.used = 1;
	if (pwrite(sink.count_fd, "0 0\n", 4, 0) != 4)
		die(argv[2]);
	for (;;) {
		if (poll(sink.polls, sink.used, -1) < 0)
			continue;
		/* from the end, since removing moves the last one into the gap */
		for (size_t i = sink.used; i-- > 1;) {
			if (sink.polls[i].revents != 0 && !serve(&sink, i))
				remove_client(&sink, i);
		}
		if (sink.polls[0].revents != 0)
			add_client(&sink);
	}
}
