/*
 * source: a stream of numbered messages for the torture test; each is tried until it is answered.
 *
 *   source -p PORT -e EICAR-FILE [-s SESSIONS] [-r SEED] [-h] < COMMANDS > LOG
 *
 * A line of a number on standard input allows so many messages more; "end" lets the rest be
 * finished. The same seed gives the same messages. -h: some are hostile to the PDF worker. As a
 * mail client does, a message is tried again after 4xx and after a connection that broke; what
 * became of one whose connection broke behind the last dot nobody knows: "unknown". Now and then
 * the source itself cuts a connection in the middle of a message. The log, a line each:
 *
 *   M NUMBER CLASS SIZE HASH RECIPIENT[,...]   a message, its final recipients
 *   R NUMBER MILLISECONDS RESULT CODE   accepted, refused, deferred, failed, cut, unknown, left
 *
 * What is left is given up after PATIENCE_MS. Exit status 0 when nothing was.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/torture/words.h"

#define SESSIONS_MAX 64
#define RECIPIENTS_MAX 5
#define SIZE_MAX_BYTES ((size_t)5 * 1024 * 1024)
#define ROOM ((size_t)8192)
#define RETRY_MS 700
#define PATIENCE_MS 300000
#define REPLY_WAIT_S 120
#define PIECE 16384

struct job {
	unsigned long number;
	int64_t due_ms;
	int64_t first_ms;
	bool cut_once;
	struct job *next;
};

struct source {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	unsigned long allowed;
	unsigned long started;
	unsigned long done;
	unsigned long left;
	bool ended;		/* no more will be allowed */
	bool hostile;
	struct job *waiting;
	int port;
	uint64_t seed;
	char eicar[256];
	size_t eicar_size;
};

struct message {
	char class;
	char *data;
	size_t size;
	size_t header_size;
	const char *to[RECIPIENTS_MAX];
	size_t to_count;
};

/* Recipients: as written, and where the mail ends. */
static const struct {
	const char *to;
	const char *ends;
} people[] = {
	{ "e1@dane.example", NULL }, { "e2@dane.example", NULL }, { "e3@self.plain", NULL },
	{ "p1@self.plain", NULL }, { "p2@self.plain", NULL }, { "p3@self.plain", NULL },
	{ "t1@dane.example", NULL }, { "t2@dane.example", NULL }, { "t3@dane.example", NULL },
	{ "i1@inside.example", NULL }, { "i2@inside.example", NULL },
	{ "team@inside.example", "e6@dane.example,p6@self.plain" },
	{ "fwd@inside.example", "e7@self.plain" },
	/* plain mail only */
	{ "o1@self.plain", NULL }, { "o2@self.plain", NULL }, { "o3@dane.example", NULL },
};
#define PEOPLE (sizeof(people) / sizeof(people[0]))
#define PEOPLE_FLAGGED 13
#define PEOPLE_PDF 3	/* the first of three with a password alone */

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

__attribute__((format(printf, 2, 3))) static void put(struct message *m, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	m->size += (size_t)vsnprintf(m->data + m->size, ROOM, format, arguments);
	va_end(arguments);
}

/* ---- what is sent ---- */

static void put_text(struct message *m, size_t size, const char *word, uint64_t *random)
{
	while (m->size < size)
		put(m, "Line %016llx of the matter: %s, and so on.\r\n",
		    (unsigned long long)next(random), word);
}

static void put_html(struct message *m, size_t size, const char *word, uint64_t *random)
{
	put(m, "<html><body><h1>Gr=C3=BC=C3=9Fe</h1>\r\n");
	while (m->size < size)
		put(m, "<p>%012llx <b>%s</b> =E2=82=AC</p>\r\n",
		    (unsigned long long)next(random) & 0xffffffffffff, word);
	put(m, "</body></html>\r\n");
}

static void put_base64(struct message *m, const char *data, size_t size)
{
	char last[3] = { 0, 0, 0 };
	size_t column = 0;

	for (size_t i = 0; i < size; i += 3) {
		size_t left = size - i;

		if (left < 3)
			memcpy(last, data + i, left);
		words_quad(left < 3 ? last : data + i, m->data + m->size);
		if (left < 3)
			memset(m->data + m->size + left + 1, '=', 3 - left);
		m->size += 4;
		column += 4;
		if (column == 76 || left <= 3) {
			put(m, "\r\n");
			column = 0;
		}
	}
}

/* Random bytes, between them the word again and again. */
static void put_file(struct message *m, size_t size, const char *word, uint64_t *random)
{
	size_t raw_size = m->size < size ? (size - m->size) / 4 * 3 : 300;
	size_t length = strlen(word);
	char *raw = calloc(1, raw_size + 64);

	if (raw == NULL)
		die("source");
	for (size_t i = 0; i < raw_size;) {
		for (int k = 0; k < 3; k++, i += 8) {
			uint64_t piece = next(random);

			memcpy(raw + i, &piece, 8);
		}
		memcpy(raw + i, word, length);
		i += length;
		if (i + 64 > raw_size)
			break;
	}
	put_base64(m, raw, raw_size);
	free(raw);
}

static void put_attachment(struct message *m, const char *name)
{
	put(m, "\r\n--cut\r\nContent-Type: application/octet-stream; name=%s\r\n"
	    "Content-Disposition: attachment; filename=%s\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\n", name, name);
}

static void put_hostile(struct message *m, const char *word, uint64_t *random)
{
	int deep = 200 + (int)(next(random) % 3000);

	put(m, "Content-Type: text/html; charset=utf-8\r\n\r\n");
	m->header_size = m->size;
	put(m, "<html><body>\r\n");
	for (int i = 0; i < deep; i++)
		put(m, "<table border=1><tr><td><div style='float:left;width:99%%'>%s\r\n", word);
	for (int i = 0; i < 500; i++)
		put(m, "<table><tr><td rowspan=60000 colspan=1000>%s</td></tr></table>\r\n", word);
}

static void put_body(struct source *source, struct message *m, size_t size, uint64_t *random)
{
	const char *word = m->class == 'f' || m->class == 'h' ? WORDS_SECRET : WORDS_PLAIN;
	unsigned int kind = (unsigned int)(next(random) % 10);
	bool several = m->class == 'v' || size > 40000 || kind > 7;

	if (m->class == 'h') {
		put_hostile(m, word, random);
		return;
	}
	if (several)
		put(m, "Content-Type: multipart/mixed; boundary=cut\r\n\r\n");
	else if (kind < 5)
		put(m, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	else
		put(m, "Content-Type: text/html; charset=utf-8\r\n"
		    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	m->header_size = m->size;
	if (several) {
		put(m, "--cut\r\nContent-Type: text/plain\r\n\r\n");
		put_text(m, m->size + 900, word, random);
		put_attachment(m, "data.bin");
		if (m->class == 'v')
			put_base64(m, source->eicar, source->eicar_size);
		else
			put_file(m, size, word, random);
		put(m, "\r\n--cut--\r\n");
	} else if (kind < 5) {
		put_text(m, size, word, random);
	} else {
		put_html(m, size, word, random);
	}
}

static size_t pick_size(uint64_t *random)
{
	unsigned int kind = (unsigned int)(next(random) % 100);

	if (kind < 72)
		return 1024 + (size_t)(next(random) % 20000);
	if (kind < 96)
		return 20000 + (size_t)(next(random) % 300000);
	return 300000 + (size_t)(next(random) % (SIZE_MAX_BYTES - 300000));
}

static char pick_class(const struct source *source, uint64_t *random)
{
	unsigned int kind = (unsigned int)(next(random) % 1000);

	if (kind < 450)
		return 'p';
	if (kind < 945)
		return 'f';
	return kind < 988 || !source->hostile ? 'v' : 'h';
}

static void pick_people(struct message *m, uint64_t *random)
{
	size_t count = 1 + (size_t)(next(random) % RECIPIENTS_MAX);
	size_t among = m->class == 'f' ? PEOPLE_FLAGGED : PEOPLE;
	size_t at = (size_t)(next(random) % among);

	/* a quarter has one, which is sealed at once */
	if (next(random) % 4 == 0)
		count = 1;
	if (m->class == 'h') {
		m->to[m->to_count++] = people[PEOPLE_PDF + next(random) % 3].to;
		return;
	}
	for (size_t i = 0; i < count; i++)
		m->to[m->to_count++] = people[(at + i * 3) % among].to;
}

static void make(struct source *source, unsigned long number, struct message *m)
{
	uint64_t random = source->seed * 1000003u + number;
	size_t size;

	memset(m, 0, sizeof(*m));
	(void)next(&random);
	m->class = pick_class(source, &random);
	size = m->class == 'v' ? 1500 : pick_size(&random);
	pick_people(m, &random);
	m->data = malloc((m->class == 'h' ? 1024 * 1024 : size + size / 8) + 8 * ROOM);
	if (m->data == NULL)
		die("source");
	put(m, "From: Alice <alice@inside.example>\r\nTo: all of them <all@inside.example>\r\n"
	    "Subject: %smatter %lu\r\nMessage-ID: <" WORDS_ID ">\r\n"
	    "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n",
	    m->class == 'f' || m->class == 'h' ? "[secure] " : "", number, number, m->class);
	put_body(source, m, size, &random);
}

static void log_message(unsigned long number, const struct message *m)
{
	char text[1024];
	int at = snprintf(text, sizeof(text), "M %lu %c %zu %016llx ", number, m->class, m->size,
	    (unsigned long long)words_hash(WORDS_HASH, m->data + m->header_size,
	    m->size - m->header_size));

	for (size_t i = 0; i < m->to_count; i++) {
		const char *ends = m->to[i];

		for (size_t k = 0; k < PEOPLE; k++)
			if (strcmp(people[k].to, ends) == 0 && people[k].ends != NULL) {
				ends = people[k].ends;
				break;
			}
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%s", i > 0 ? "," : "",
		    ends);
	}
	text[at++] = '\n';
	if (write(STDOUT_FILENO, text, (size_t)at) != at)
		die("source: log");
}

static void log_result(unsigned long number, const char *result, int code)
{
	char text[128];
	int size = snprintf(text, sizeof(text), "R %lu %lld %s %d\n", number, (long long)now_ms(),
	    result, code);

	if (write(STDOUT_FILENO, text, (size_t)size) != size)
		die("source: log");
}

/* ---- one try ---- */

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

/* The code of one reply; 0 when the connection broke. */
static int reply(int fd)
{
	char line[1024];
	size_t size = 0;

	for (;;) {
		char c;

		if (recv(fd, &c, 1, 0) != 1)
			return 0;
		if (c != '\n') {
			if (size < sizeof(line) - 1)
				line[size++] = c;
			continue;
		}
		line[size] = '\0';
		if (size < 4 || line[3] != '-')
			return (int)strtol(line, NULL, 10);
		size = 0;
	}
}

static int say(int fd, const char *text)
{
	return send_all(fd, text, strlen(text)) ? reply(fd) : 0;
}

static int open_connection(const struct source *source)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)source->port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval wait = { REPLY_WAIT_S, 0 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* Up to 354; its code, or the one that was in the way. */
static int envelope(int fd, const struct message *m)
{
	char line[256];
	int code = reply(fd);

	if (code == 220)
		code = say(fd, "EHLO client.example\r\n");
	if (code == 250)
		code = say(fd, "MAIL FROM:<alice@inside.example>\r\n");
	for (size_t i = 0; i < m->to_count && code == 250; i++) {
		(void)snprintf(line, sizeof(line), "RCPT TO:<%s>\r\n", m->to[i]);
		code = say(fd, line);
	}
	return code == 250 ? say(fd, "DATA\r\n") : code;
}

static const char *result_of(int code)
{
	return code == 0 ? "failed" : code >= 500 ? "refused" : "deferred";
}

/* One try of a message; the result as in the log. */
static const char *attempt(const struct source *source, const struct message *m, bool cut,
    int *code_out)
{
	int fd = open_connection(source);
	size_t size = cut ? m->size / 2 : m->size;
	bool sent = true;

	*code_out = fd < 0 ? 0 : envelope(fd, m);
	if (*code_out != 354) {
		if (fd >= 0)
			(void)close(fd);
		return result_of(*code_out);
	}
	for (size_t at = 0; at < size && sent; at += PIECE)
		sent = send_all(fd, m->data + at, size - at < PIECE ? size - at : PIECE);
	*code_out = 0;
	if (cut || !sent || !send_all(fd, ".\r\n", 3)) {
		(void)close(fd);
		return cut ? "cut" : "failed";
	}
	*code_out = reply(fd);
	if (*code_out != 0)
		(void)say(fd, "QUIT\r\n");
	(void)close(fd);
	if (*code_out == 0)
		return "unknown";
	return *code_out == 250 ? "accepted" : result_of(*code_out);
}

/* ---- all of them ---- */

/* The job that is due, or a new one; NULL when all is done. */
static struct job *take(struct source *source)
{
	struct job *job = NULL;

	(void)pthread_mutex_lock(&source->lock);
	for (;;) {
		struct job **at = &source->waiting;
		struct timespec until;

		while (*at != NULL && (*at)->due_ms > now_ms())
			at = &(*at)->next;
		job = *at;
		if (job != NULL) {
			*at = job->next;
			break;
		}
		if (source->started < source->allowed) {
			job = calloc(1, sizeof(*job));
			if (job == NULL)
				die("source");
			job->number = ++source->started;
			break;
		}
		if (source->ended && source->done + source->left == source->started)
			break;
		(void)clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 100000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		(void)pthread_cond_timedwait(&source->moved, &source->lock, &until);
	}
	(void)pthread_mutex_unlock(&source->lock);
	return job;
}

static void finish(struct source *source, struct job *job, bool again, bool left)
{
	(void)pthread_mutex_lock(&source->lock);
	if (again) {
		job->due_ms = now_ms() + RETRY_MS;
		job->next = source->waiting;
		source->waiting = job;
	} else {
		if (left)
			source->left++;
		else
			source->done++;
		free(job);
	}
	(void)pthread_cond_broadcast(&source->moved);
	(void)pthread_mutex_unlock(&source->lock);
}

static void *session(void *context)
{
	struct source *source = context;
	struct job *job;

	while ((job = take(source)) != NULL) {
		struct message m;
		const char *result;
		bool first = job->first_ms == 0;
		bool cut = first && job->number % 89 == 0;
		bool final;
		bool left;
		int code;

		make(source, job->number, &m);
		if (first) {
			job->first_ms = now_ms();
			log_message(job->number, &m);
		}
		result = attempt(source, &m, cut, &code);
		log_result(job->number, result, code);
		final = strcmp(result, "accepted") == 0 || strcmp(result, "refused") == 0;
		left = !final && now_ms() - job->first_ms > PATIENCE_MS;
		if (left)
			log_result(job->number, "left", code);
		finish(source, job, !final && !left, left);
		free(m.data);
	}
	return NULL;
}

static void read_commands(struct source *source)
{
	char line[64];

	while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "end\n") != 0) {
		(void)pthread_mutex_lock(&source->lock);
		source->allowed += strtoul(line, NULL, 10);
		(void)pthread_cond_broadcast(&source->moved);
		(void)pthread_mutex_unlock(&source->lock);
	}
	(void)pthread_mutex_lock(&source->lock);
	source->ended = true;
	(void)pthread_cond_broadcast(&source->moved);
	(void)pthread_mutex_unlock(&source->lock);
}

static void read_eicar(struct source *source, const char *path)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		die(path);
	source->eicar_size = fread(source->eicar, 1, sizeof(source->eicar), file);
	(void)fclose(file);
}

int main(int argc, char *argv[])
{
	static struct source source = { .lock = PTHREAD_MUTEX_INITIALIZER,
	    .moved = PTHREAD_COND_INITIALIZER, .seed = 1 };
	pthread_t threads[SESSIONS_MAX];
	size_t sessions = 12;
	int option;

	while ((option = getopt(argc, argv, "p:e:s:r:h")) != -1) {
		switch (option) {
		case 'p': source.port = (int)strtol(optarg, NULL, 10); break;
		case 'e': read_eicar(&source, optarg); break;
		case 's': sessions = strtoul(optarg, NULL, 10); break;
		case 'r': source.seed = strtoull(optarg, NULL, 10); break;
		case 'h': source.hostile = true; break;
		default: return 64;
		}
	}
	if (source.port == 0 || source.eicar_size == 0 || sessions > SESSIONS_MAX)
		return 64;
	for (size_t i = 0; i < sessions; i++)
		if (pthread_create(&threads[i], NULL, session, &source) != 0)
			die("source: thread");
	read_commands(&source);
	for (size_t i = 0; i < sessions; i++)
		(void)pthread_join(threads[i], NULL);
	return source.left == 0 ? 0 : 1;
}
