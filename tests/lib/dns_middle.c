/*
 * dns_middle: stands between a resolver and a DNS server, UDP only, for tests.
 *
 *   dns_middle ADDRESS UPSTREAM MODE-FILE LIE-ADDRESS
 *
 * Listens at ADDRESS:53, asks UPSTREAM:53. MODE-FILE is read for each question: "pass"; "drop";
 * "slow MILLISECONDS"; "servfail"; "lie": unsigned answers of its own: A is LIE-ADDRESS, MX is
 * mx.liar.plain, everything else has no records; the AD bit is set, as a liar would.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKET_MAX 4096 /* bytes; what resolvers announce at most */
#define HEADER_SIZE 12
#define ANSWER_WAIT_S 20
#define MODE_SIZE 16
#define TYPE_A 1
#define TYPE_MX 15

struct middle {
	int socket;
	struct sockaddr_in upstream;
	struct in_addr lie;
	const char *mode_file;
};

struct question {
	unsigned char packet[PACKET_MAX];
	size_t size;
	size_t end; /* of the question section's first entry */
	unsigned int type;
	struct sockaddr_in from;
};

static bool address_of(const char *text, struct sockaddr_in *out)
{
	memset(out, 0, sizeof *out);
	out->sin_family = AF_INET;
	out->sin_port = htons(53);
	return inet_pton(AF_INET, text, &out->sin_addr) == 1;
}

static void read_mode(const char *path, char mode[MODE_SIZE], unsigned int *ms)
{
	FILE *file = fopen(path, "r");

	(void)snprintf(mode, MODE_SIZE, "pass");
	*ms = 0;
	if (file == NULL)
		return;
	(void)fscanf(file, "%15s %u", mode, ms);
	(void)fclose(file);
}

/* Finds the end of the question and its type; false: not a question that we understand. */
static bool look_at(struct question *question)
{
	size_t at = HEADER_SIZE;

	if (question->size < HEADER_SIZE + 5)
		return false;
	while (at < question->size && question->packet[at] != 0)
		at += (size_t)question->packet[at] + 1;
	if (at + 5 > question->size)
		return false;
	question->type = (unsigned int)question->packet[at + 1] << 8 | question->packet[at + 2];
	question->end = at + 5;
	return true;
}

static void reply(const struct middle *middle, const struct question *question,
    const unsigned char *packet, size_t size)
{
	(void)sendto(middle->socket, packet, size, 0, (const struct sockaddr *)&question->from,
	    sizeof question->from);
}

/* The header of an answer of our own: no records but the question. */
static size_t start_answer(const struct question *question, unsigned char *out, unsigned char rcode)
{
	memcpy(out, question->packet, question->end);
	out[2] = (unsigned char)(0x80 | (out[2] & 0x01));
	out[3] = (unsigned char)(0xa0 | rcode);
	memset(out + 6, 0, 6);
	return question->end;
}

static void servfail(const struct middle *middle, const struct question *question)
{
	unsigned char out[PACKET_MAX];

	reply(middle, question, out, start_answer(question, out, 2));
}

static void lie(const struct middle *middle, const struct question *question)
{
	static const unsigned char head[] = { 0xc0, 12, 0, 0, 0, 1, 0, 0, 0, 5 };
	static const unsigned char mx[] = { 0, 10, 2, 'm', 'x', 4, 'l', 'i', 'a', 'r', 5, 'p', 'l',
		'a', 'i', 'n', 0 };
	unsigned char out[PACKET_MAX + 64];
	size_t size = start_answer(question, out, 0);
	const unsigned char *data = (const unsigned char *)&middle->lie;
	size_t data_size = sizeof middle->lie;

	if (question->type == TYPE_MX) {
		data = mx;
		data_size = sizeof mx;
	}
	if (question->type == TYPE_A || question->type == TYPE_MX) {
		memcpy(out + size, head, sizeof head);
		out[size + 3] = (unsigned char)question->type;
		size += sizeof head;
		out[size++] = 0;
		out[size++] = (unsigned char)data_size;
		memcpy(out + size, data, data_size);
		size += data_size;
		out[7] = 1;
	}
	reply(middle, question, out, size);
}

static void pass(const struct middle *middle, const struct question *question)
{
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	unsigned char out[65536];
	ssize_t size;
	int upstream = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (upstream < 0)
		return;
	(void)setsockopt(upstream, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (connect(upstream, (const struct sockaddr *)&middle->upstream,
	        sizeof middle->upstream) == 0 &&
	    send(upstream, question->packet, question->size, 0) > 0) {
		size = recv(upstream, out, sizeof out, 0);
		if (size > 0)
			reply(middle, question, out, (size_t)size);
	}
	(void)close(upstream);
}

static void answer(const struct middle *middle, const struct question *question)
{
	char mode[MODE_SIZE];
	unsigned int ms;

	read_mode(middle->mode_file, mode, &ms);
	if (strcmp(mode, "drop") == 0)
		return;
	if (strcmp(mode, "servfail") == 0) {
		servfail(middle, question);
	} else if (strcmp(mode, "lie") == 0) {
		lie(middle, question);
	} else {
		(void)poll(NULL, 0, (int)ms);
		pass(middle, question);
	}
}

/* A process a question: slow answers do not hold up others. */
static void serve(const struct middle *middle)
{
	struct question question;
	socklen_t from_size;
	ssize_t size;

	for (;;) {
		from_size = sizeof question.from;
		size = recvfrom(middle->socket, question.packet, sizeof question.packet, 0,
		    (struct sockaddr *)&question.from, &from_size);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (size <= 0)
			continue;
		question.size = (size_t)size;
		if (look_at(&question) && fork() == 0) {
			answer(middle, &question);
			_exit(0);
		}
	}
}

int main(int argc, char *argv[])
{
	struct middle middle = { .socket = -1 };
	struct sockaddr_in own;

	if (argc != 5 || !address_of(argv[1], &own) || !address_of(argv[2], &middle.upstream) ||
	    inet_pton(AF_INET, argv[4], &middle.lie) != 1) {
		(void)fprintf(stderr, "usage: dns_middle ADDRESS UPSTREAM MODE-FILE LIE-ADDRESS\n");
		return 64;
	}
	middle.mode_file = argv[3];
	middle.socket = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (middle.socket < 0 || bind(middle.socket, (struct sockaddr *)&own, sizeof own) != 0) {
		perror("dns_middle");
		return 71;
	}
	serve(&middle);
}
