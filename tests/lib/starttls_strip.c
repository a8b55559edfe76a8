/*
 * starttls_strip: the man in the middle who takes STARTTLS out of the talk, for tests.
 *
 *   starttls_strip ADDRESS UPSTREAM
 *
 * Listens at ADDRESS:25, talks to UPSTREAM:25. A line of the server's that offers STARTTLS offers
 * XXXXXXXX instead; a client that asks for it all the same gets 502 from the server, which does not
 * know XXXXXXXX. Everything else passes as it is.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define BLOCK_SIZE 8192
#define WORD "STARTTLS"

static bool address_of(const char *text, struct sockaddr_in *out)
{
	memset(out, 0, sizeof *out);
	out->sin_family = AF_INET;
	out->sin_port = htons(25);
	return inet_pton(AF_INET, text, &out->sin_addr) == 1;
}

/* Replies to EHLO come in one block, as Postfix writes them. */
static void strip(char *block, size_t size)
{
	size_t at;

	for (at = 0; at + sizeof WORD - 1 <= size; at++)
		if (strncasecmp(block + at, WORD, sizeof WORD - 1) == 0)
			memset(block + at, 'X', sizeof WORD - 1);
}

/* Carries one block; false: that side is at its end. */
static bool carry(int from, int to)
{
	char block[BLOCK_SIZE];
	ssize_t size = read(from, block, sizeof block);

	if (size <= 0)
		return false;
	strip(block, (size_t)size);
	return write(to, block, (size_t)size) == size;
}

static void talk(int client, const struct sockaddr_in *upstream)
{
	struct pollfd sides[2] = { { .fd = client, .events = POLLIN }, { .events = POLLIN } };

	sides[1].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sides[1].fd < 0 ||
	    connect(sides[1].fd, (const struct sockaddr *)upstream, sizeof *upstream) != 0)
		return;
	while (poll(sides, 2, -1) > 0) {
		if (sides[0].revents != 0 && !carry(sides[0].fd, sides[1].fd))
			return;
		if (sides[1].revents != 0 && !carry(sides[1].fd, sides[0].fd))
			return;
	}
}

int main(int argc, char *argv[])
{
	struct sockaddr_in own;
	struct sockaddr_in upstream;
	int one = 1;
	int listener;
	int client;

	if (argc != 3 || !address_of(argv[1], &own) || !address_of(argv[2], &upstream)) {
		(void)fprintf(stderr, "usage: starttls_strip ADDRESS UPSTREAM\n");
		return 64;
	}
	(void)signal(SIGCHLD, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 ||
	    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(listener, (struct sockaddr *)&own, sizeof own) != 0 || listen(listener, 64) != 0) {
		perror("starttls_strip");
		return 71;
	}
	for (;;) {
		client = accept(listener, NULL, NULL);
		if (client < 0)
			continue;
		if (fork() == 0) {
			talk(client, &upstream);
			_exit(0);
		}
		(void)close(client);
	}
}
