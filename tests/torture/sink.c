/*
 * sink: where the mail of the torture test ends; it looks into each message and writes what it saw.
 *
 *   sink NAME ADDRESS PORT CERTIFICATE MODE-FILE [KEEP-FOLDER KEEP-EVERY] > LOG
 *
 * MODE-FILE is read at each connection and at the end of each message: "pass"; "plain" offers no
 * STARTTLS; "defer" answers 451 to recipients, "defer-data" to messages; "cut-before" closes at the
 * end of a message without taking it; "cut-after" takes it and closes without a word. The log:
 *
 *   D MS NAME NUMBER CLASS RECIPIENT tls|tcp FORM LEAK HASH said|cut   a message
 *   B MS NAME NUMBER CLASS RECIPIENT LEAK                              a bounce of one
 *   O MS NAME RECIPIENT LEAK                                           any other mail
 *
 * FORM: envelope, pdf, clear. LEAK: 1 when clear words of flagged mail are in it, in any encoding.
 * Of KEEP-EVERY sealed messages one stays as KEEP-FOLDER/NUMBER.RECIPIENT.FORM.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/torture/words.h"

#define RECIPIENTS_MAX 128
#define ADDRESS_MAX 128
#define MESSAGE_MAX ((size_t)64 * 1024 * 1024)
#define LINE_MAX_BYTES 4096
#define WAIT_S 120
#define NEEDLES 4

struct sink {
	const char *name;
	const char *mode_file;
	const char *keep;
	unsigned long keep_every;
	SSL_CTX *tls;
	char needle[NEEDLES][64];	/* the secret: as it is, and three places in base64 */
};

struct client {
	struct sink *sink;
	int fd;
	SSL *ssl;
	char input[65536];
	size_t input_size;
	size_t input_at;
	bool null_sender;
	char to[RECIPIENTS_MAX][ADDRESS_MAX];
	size_t to_count;
	char *data;
	size_t size;
	size_t room;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static long long now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool mode_is(const struct sink *sink, const char *mode)
{
	char text[32] = "";
	FILE *file = fopen(sink->mode_file, "r");

	if (file == NULL)
		return false;
	if (fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	(void)fclose(file);
	text[strcspn(text, "\n")] = '\0';
	return strcmp(text, mode) == 0;
}

/* ---- bytes ---- */

static bool fill(struct client *c)
{
	ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, c->input, sizeof(c->input)) :
	    recv(c->fd, c->input, sizeof(c->input), 0);

	if (n <= 0)
		return false;
	c->input_size = (size_t)n;
	c->input_at = 0;
	return true;
}

static bool reply(struct client *c, const char *text)
{
	size_t size = strlen(text);

	return c->ssl != NULL ? SSL_write(c->ssl, text, (int)size) == (int)size :
	    send(c->fd, text, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static bool get_line(struct client *c, char *line)
{
	size_t size = 0;

	for (;;) {
		if (c->input_at == c->input_size && !fill(c))
			return false;
		if (size < LINE_MAX_BYTES - 1)
			line[size++] = c->input[c->input_at];
		if (c->input[c->input_at++] == '\n')
			break;
	}
	line[size] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

/* The message up to the dot, dots taken off. */
static bool get_data(struct client *c)
{

	c->size = 0;
	for (;;) {
		char byte;

		if (c->input_at == c->input_size && !fill(c))
			return false;
		byte = c->input[c->input_at++];
		if (c->size + 8 > c->room) {
			c->room = c->room == 0 ? 65536 : c->room * 2;
			c->data = c->room > MESSAGE_MAX ? NULL : realloc(c->data, c->room);
			if (c->data == NULL)
				die("sink: message");
		}
		c->data[c->size++] = byte;
		if (byte != '\n')
			continue;
		/* back to the start of this line */
		{
			size_t at = c->size - 1;

			while (at > 0 && c->data[at - 1] != '\n')
				at--;
			if (c->data[at] == '.' && c->size - at == 3) {
				c->size = at;
				return true;
			}
			if (c->data[at] == '.') {
				memmove(c->data + at, c->data + at + 1, c->size - at - 1);
				c->size--;
			}
		}
	}
}

/* ---- what is in a message ---- */

static bool has(const char *data, size_t size, const char *needle)
{
	return memmem(data, size, needle, strlen(needle)) != NULL;
}

static bool leaks(const struct client *c)
{
	for (int i = 0; i < NEEDLES; i++)
		if (has(c->data, c->size, c->sink->needle[i]))
			return true;
	return false;
}

static size_t header_size(const struct client *c)
{
	const char *end = memmem(c->data, c->size, "\r\n\r\n", 4);

	return end == NULL ? c->size : (size_t)(end - c->data) + 4;
}

static const char *form_of(const struct client *c)
{
	size_t head = header_size(c);

	if (has(c->data, head, "application/pkcs7-mime"))
		return "envelope";
	if (has(c->data, head, "multipart/mixed") &&
	    (has(c->data + head, c->size - head, "application/pdf") ||
	    has(c->data + head, c->size - head, "Application/PDF")))
		return "pdf";
	return "clear";
}

static bool find_id(const char *data, size_t size, unsigned long *number_out, char *class_out)
{
	const char *at = memmem(data, size, "Message-ID: <t.", 15);
	char text[64];

	if (at == NULL)
		at = memmem(data, size, "Message-Id: <t.", 15);
	if (at == NULL || (size_t)(data + size - at) < sizeof(text))
		return false;
	memcpy(text, at, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return sscanf(text + 13, "t.%lu.%c@", number_out, class_out) == 2;
}

static void write_line(const char *text)
{
	if (write(STDOUT_FILENO, text, strlen(text)) != (ssize_t)strlen(text))
		die("sink: log");
}

/* A line for each recipient that a bounce tells of. */
static void log_bounce(const struct client *c)
{
	static const char field[] = "\nFinal-Recipient: rfc822; ";
	unsigned long number = 0;
	const char *at = c->data;
	char class = '-';
	char line[512];

	(void)find_id(c->data, c->size, &number, &class);
	/* a delay notice is no end */
	while (has(c->data, c->size, "\nAction: failed") &&
	    (at = memmem(at, c->size - (size_t)(at - c->data), field, sizeof(field) - 1)) != NULL) {
		at += sizeof(field) - 1;
		(void)snprintf(line, sizeof(line), "B %lld %s %lu %c %.*s %d\n", now_ms(),
		    c->sink->name, number, class, (int)strcspn(at, "\r\n"), at, leaks(c));
		write_line(line);
	}
}

static void keep(const struct client *c, unsigned long number, const char *to, const char *form)
{
	char path[512];
	FILE *file;

	if (c->sink->keep == NULL || number % c->sink->keep_every != 0 ||
	    strcmp(form, "clear") == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/%lu.%s.%s", c->sink->keep, number, to, form);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(c->data, 1, c->size, file) != c->size || fclose(file) != 0)
		die(path);
}

static void look(const struct client *c, bool cut)
{
	size_t head = header_size(c);
	const char *form = form_of(c);
	bool leak = leaks(c);
	unsigned long number;
	char class;
	char line[512];

	if (c->null_sender) {
		log_bounce(c);
		return;
	}
	for (size_t i = 0; i < c->to_count; i++) {
		if (!find_id(c->data, head, &number, &class)) {
			(void)snprintf(line, sizeof(line), "O %lld %s %s %d\n", now_ms(),
			    c->sink->name, c->to[i], leak);
			write_line(line);
			continue;
		}
		(void)snprintf(line, sizeof(line), "D %lld %s %lu %c %s %s %s %d %016llx %s\n",
		    now_ms(), c->sink->name, number, class, c->to[i],
		    c->ssl != NULL ? "tls" : "tcp", form, leak,
		    (unsigned long long)words_hash(WORDS_HASH, c->data + head, c->size - head),
		    cut ? "cut" : "said");
		write_line(line);
		keep(c, number, c->to[i], form);
	}
}

/* ---- SMTP ---- */

static bool end_of_data(struct client *c)
{
	if (mode_is(c->sink, "cut-before"))
		return false;
	if (mode_is(c->sink, "defer-data"))
		return reply(c, "451 4.3.0 later\r\n");
	if (mode_is(c->sink, "cut-after")) {
		look(c, true);
		return false;
	}
	look(c, false);
	c->to_count = 0;
	return reply(c, "250 2.0.0 taken\r\n");
}

static bool on_rcpt(struct client *c, const char *line)
{
	const char *start = strchr(line, '<');
	const char *end = start == NULL ? NULL : strchr(start, '>');

	if (mode_is(c->sink, "defer"))
		return reply(c, "451 4.3.0 later\r\n");
	if (end == NULL || end - start >= ADDRESS_MAX || c->to_count == RECIPIENTS_MAX)
		return reply(c, "550 5.5.0 what?\r\n");
	memcpy(c->to[c->to_count], start + 1, (size_t)(end - start - 1));
	c->to[c->to_count][end - start - 1] = '\0';
	c->to_count++;
	return reply(c, "250 2.1.5 ok\r\n");
}

static bool start_tls(struct client *c)
{
	if (!reply(c, "220 2.0.0 go\r\n"))
		return false;
	c->input_size = 0;
	c->input_at = 0;
	c->ssl = SSL_new(c->sink->tls);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1)
		die("sink: TLS");
	return SSL_accept(c->ssl) == 1;
}

static bool on_ehlo(struct client *c)
{
	bool offer = c->ssl == NULL && !mode_is(c->sink, "plain");

	return reply(c, offer ?
	    "250-sink.example\r\n250-PIPELINING\r\n250-STARTTLS\r\n250-8BITMIME\r\n250 DSN\r\n" :
	    "250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 DSN\r\n");
}

static bool command(struct client *c, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0)
		return on_ehlo(c);
	if (strncasecmp(line, "STARTTLS", 8) == 0)
		return start_tls(c);
	if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
		c->to_count = 0;
		c->null_sender = strncmp(line + 10, "<>", 2) == 0;
		return reply(c, "250 2.1.0 ok\r\n");
	}
	if (strncasecmp(line, "RCPT TO:", 8) == 0)
		return on_rcpt(c, line);
	if (strncasecmp(line, "DATA", 4) == 0) {
		if (c->to_count == 0)
			return reply(c, "554 5.5.1 no recipients\r\n");
		return reply(c, "354 go\r\n") && get_data(c) && end_of_data(c);
	}
	if (strncasecmp(line, "QUIT", 4) == 0) {
		(void)reply(c, "221 2.0.0 bye\r\n");
		return false;
	}
	return reply(c, "250 2.0.0 ok\r\n");
}

static void *serve(void *context)
{
	struct client *c = context;
	char line[LINE_MAX_BYTES];

	if (reply(c, "220 sink.example ESMTP\r\n"))
		while (get_line(c, line) && command(c, line))
			continue;
	SSL_free(c->ssl);
	(void)close(c->fd);
	free(c->data);
	free(c);
	return NULL;
}

static int listen_at(const char *address, int port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 512) != 0)
		die("sink: listen");
	return fd;
}

static void make_needles(struct sink *sink)
{
	static const char secret[] = WORDS_SECRET;

	memcpy(sink->needle[0], secret, sizeof(secret));
	for (size_t skip = 0; skip < 3; skip++) {
		char *out = sink->needle[1 + skip];

		/* whole triples alone: they look the same whatever stands around them */
		for (size_t i = skip; i + 3 <= sizeof(secret) - 1; i += 3, out += 4)
			words_quad(secret + i, out);
		*out = '\0';
	}
}

static SSL_CTX *make_tls(const char *certificate)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

	if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey_file(tls, certificate, SSL_FILETYPE_PEM) != 1)
		die("sink: certificate");
	return tls;
}

int main(int argc, char *argv[])
{
	static struct sink sink;
	struct timeval wait = { WAIT_S, 0 };
	pthread_attr_t detached;
	int listener;

	if (argc != 6 && argc != 8)
		return 64;
	(void)signal(SIGPIPE, SIG_IGN);
	sink.name = argv[1];
	sink.tls = make_tls(argv[4]);
	sink.mode_file = argv[5];
	sink.keep = argc == 8 ? argv[6] : NULL;
	sink.keep_every = argc == 8 ? strtoul(argv[7], NULL, 10) : 1;
	make_needles(&sink);
	listener = listen_at(argv[2], (int)strtol(argv[3], NULL, 10));
	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		struct client *c = fd < 0 ? NULL : calloc(1, sizeof(*c));
		pthread_t thread;

		if (c == NULL)
			continue;
		c->sink = &sink;
		c->fd = fd;
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
		if (pthread_create(&thread, &detached, serve, c) != 0)
			die("sink: thread");
	}
}
