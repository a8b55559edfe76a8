/*
 * proxy: stands before the second stage of the torture test and spoils what passes.
 *
 *   proxy PORT UPSTREAM-PORT MODE-FILE
 *
 * MODE-FILE is read at each connection: "pass"; "down" closes at once; "defer" says 421; "cut-data"
 * closes in the middle of a message; "cut-before" closes when the dot has come, without passing it
 * on; "cut-after" passes it on and closes when the answer is there, without a word: the client
 * cannot know that its message was taken. Loopback only.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_MS 130000

struct proxy {
	int upstream_port;
	const char *mode_file;
};

struct pair {
	struct proxy *proxy;
	int client;
	int server;
	char mode[32];
	bool in_data;		/* the server said 354 */
	bool dot_sent;
	size_t data_size;
	char tail[5];		/* the last bytes from the client */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void read_mode(const struct proxy *proxy, char mode[32])
{
	FILE *file = fopen(proxy->mode_file, "r");

	mode[0] = '\0';
	if (file == NULL)
		return;
	if (fgets(mode, 32, file) == NULL)
		mode[0] = '\0';
	(void)fclose(file);
	mode[strcspn(mode, "\n")] = '\0';
}

static bool send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static void keep_tail(struct pair *p, const char *data, size_t size)
{
	for (size_t i = size > 5 ? size - 5 : 0; i < size; i++) {
		memmove(p->tail, p->tail + 1, 4);
		p->tail[4] = data[i];
	}
}

/* False ends the connection. */
static bool from_client(struct pair *p)
{
	char data[65536];
	ssize_t n = recv(p->client, data, sizeof(data), 0);

	if (n <= 0)
		return false;
	if (p->in_data) {
		keep_tail(p, data, (size_t)n);
		p->data_size += (size_t)n;
		p->dot_sent = memcmp(p->tail, "\r\n.\r\n", 5) == 0;
		if (strcmp(p->mode, "cut-data") == 0 && (p->dot_sent || p->data_size > 1500))
			return false;
		if (strcmp(p->mode, "cut-before") == 0 && p->dot_sent)
			return false;
	}
	return send_all(p->server, data, (size_t)n);
}

static bool from_server(struct pair *p)
{
	char data[65536];
	ssize_t n = recv(p->server, data, sizeof(data), 0);

	if (n <= 0)
		return false;
	if (p->in_data && p->dot_sent) {
		if (strcmp(p->mode, "cut-after") == 0)
			return false;
		p->in_data = false;
		p->dot_sent = false;
	} else if (memmem(data, (size_t)n, "354 ", 4) != NULL) {
		p->in_data = true;
		p->data_size = 0;
		memset(p->tail, 0, sizeof(p->tail));
	}
	return send_all(p->client, data, (size_t)n);
}

static int connect_to(int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static void pass(struct pair *p)
{
	struct pollfd ends[2] = { { p->client, POLLIN, 0 }, { p->server, POLLIN, 0 } };

	while (poll(ends, 2, IDLE_MS) > 0) {
		if (ends[1].revents != 0 && !from_server(p))
			return;
		if (ends[0].revents != 0 && !from_client(p))
			return;
	}
}

static void *serve(void *context)
{
	static const char later[] = "421 4.3.0 later\r\n";
	struct pair *p = context;

	read_mode(p->proxy, p->mode);
	if (strcmp(p->mode, "defer") == 0)
		(void)send_all(p->client, later, sizeof(later) - 1);
	else if (strcmp(p->mode, "down") != 0)
		p->server = connect_to(p->proxy->upstream_port);
	if (p->server >= 0) {
		pass(p);
		(void)close(p->server);
	}
	(void)close(p->client);
	free(p);
	return NULL;
}

static int listen_at(int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 256) != 0)
		die("proxy: listen");
	return fd;
}

int main(int argc, char *argv[])
{
	static struct proxy proxy;
	pthread_attr_t detached;
	int listener;

	if (argc != 4)
		return 64;
	(void)signal(SIGPIPE, SIG_IGN);
	proxy.upstream_port = (int)strtol(argv[2], NULL, 10);
	proxy.mode_file = argv[3];
	listener = listen_at((int)strtol(argv[1], NULL, 10));
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		struct pair *p = fd < 0 ? NULL : calloc(1, sizeof(*p));
		pthread_t thread;

		if (p == NULL)
			continue;
		p->proxy = &proxy;
		p->client = fd;
		p->server = -1;
		if (pthread_create(&thread, &detached, serve, p) != 0)
			die("proxy: thread");
	}
}
