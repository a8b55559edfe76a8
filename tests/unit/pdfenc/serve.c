/* links: sealgate-pdf */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "pdfenc/pdfenc.h"
#include "pdfenc/serve.h"
#include "pdfenc/spent.h"
#include "pdfenc/warm.h"

static const char text[] = "From: a@example.org\nSubject: Streng geheim\n\nhello\n";

/* The text, and as many lines more behind it. */
static void put_long(struct wire_message *request, size_t lines, const char *password,
    size_t password_size)
{
	static const char line[] = "one of many lines that all have to be laid out\n";
	struct fail f;

	wire_message_init(request, PDFENC_SEAL);
	assert_int_equal(fd_memory("message", &request->fd, &f), SG_OK);
	assert_int_equal(fd_write_all(request->fd, text, sizeof(text) - 1, &f), SG_OK);
	for (size_t i = 0; i < lines; i++)
		assert_int_equal(fd_write_all(request->fd, line, sizeof(line) - 1, &f), SG_OK);
	assert_int_equal(buf_put_u64(&request->body, sizeof(text) - 1 + lines *
	    (sizeof(line) - 1)), SG_OK);
	assert_int_equal(buf_put_u8(&request->body, 0), SG_OK);
	assert_int_equal(buf_put_str(&request->body, NULL), SG_OK);
	assert_int_equal(buf_put_str(&request->body, "AES"), SG_OK);
	assert_int_equal(buf_put_str(&request->body, "tenant"), SG_OK);
	assert_int_equal(buf_put_u8(&request->body, 0), SG_OK);
	assert_int_equal(buf_put_bytes(&request->body, password, password_size), SG_OK);
	assert_int_equal(buf_put_bytes(&request->body, NULL, 0), SG_OK);
}

static void put(struct wire_message *request, const char *password, size_t password_size)
{
	put_long(request, 0, password, password_size);
}

static enum fail_code run(struct serve *serve, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	enum fail_code code;

	wire_message_init(reply, PDFENC_SEAL);
	code = serve_seal(serve, request, reply, f);
	wire_message_free(request);
	return code;
}

static void nothing_personal_is_outside_the_encryption(void **state)
{
	static const char *const words[] = { "Streng", "geheim", "hello", "example" };
	struct wire_message request;
	struct wire_message reply;
	struct fd_map map;
	struct fail f;

	put(&request, "pass-word", 9);
	assert_int_equal(run(*state, &request, &reply, &f), SG_OK);
	assert_int_equal(fd_map(reply.fd, PDFENC_SIZE_MAX, &map, &f), SG_OK);
	assert_memory_equal(map.data, "%PDF-2.0", 8);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_null(memmem(map.data, map.size, words[i], strlen(words[i])));
	assert_null(memmem(map.data, map.size, "pass-word", 9));
	assert_int_equal(write(reply.fd, "x", 1), -1);
	fd_unmap(&map);
	wire_message_free(&reply);
}

static void the_same_message_never_gives_the_same_file(void **state)
{
	struct wire_message requests[2];
	struct wire_message replies[2];
	struct fd_map maps[2];
	struct fail f;

	for (unsigned int i = 0; i < 2; i++) {
		put(&requests[i], "pass-word", 9);
		assert_int_equal(run(*state, &requests[i], &replies[i], &f), SG_OK);
		assert_int_equal(fd_map(replies[i].fd, PDFENC_SIZE_MAX, &maps[i], &f), SG_OK);
	}
	assert_true(maps[0].size != maps[1].size ||
	    memcmp(maps[0].data, maps[1].data, maps[0].size) != 0);
	for (unsigned int i = 0; i < 2; i++) {
		fd_unmap(&maps[i]);
		wire_message_free(&replies[i]);
	}
}

static void an_empty_or_odd_password_is_refused(void **state)
{
	char long_one[PDFENC_PASSWORD_MAX + 1];
	struct wire_message request;
	struct wire_message reply;
	struct fail f;

	memset(long_one, 'x', sizeof(long_one));
	put(&request, "", 0);
	assert_int_equal(run(*state, &request, &reply, &f), SG_EUSAGE);
	put(&request, long_one, sizeof(long_one));
	assert_int_equal(run(*state, &request, &reply, &f), SG_ELIMIT);
	put(&request, "a\0b", 3);
	assert_int_equal(run(*state, &request, &reply, &f), SG_EUSAGE);
	assert_int_equal(reply.fd, -1);
}

/* Every prefix of a request, and one byte too many: an error, never a crash. */
static void broken_requests_are_refused(void **state)
{
	struct wire_message request;
	struct wire_message reply;
	size_t whole;
	struct fail f;

	put(&request, "pass-word", 9);
	whole = request.body.size;
	wire_message_free(&request);
	for (size_t size = 0; size < whole; size++) {
		put(&request, "pass-word", 9);
		request.body.size = size;
		assert_int_not_equal(run(*state, &request, &reply, &f), SG_OK);
	}
	put(&request, "pass-word", 9);
	assert_int_equal(buf_put_u8(&request.body, 0), SG_OK);
	assert_int_equal(run(*state, &request, &reply, &f), SG_EFORMAT);
	put(&request, "pass-word", 9);
	fd_close(&request.fd);
	assert_int_equal(run(*state, &request, &reply, &f), SG_EFORMAT);
}

static void a_wrong_size_or_no_file_is_refused(void **state)
{
	struct wire_message request;
	struct wire_message reply;
	struct fail f;

	put(&request, "pass-word", 9);
	request.body.data[7]++;
	assert_int_equal(run(*state, &request, &reply, &f), SG_EFORMAT);
	put(&request, "pass-word", 9);
	fd_close(&request.fd);
	request.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(run(*state, &request, &reply, &f), SG_EFORMAT);
}

/* What a worker in a process of its own says last; how: what it runs out of. */
static enum fail_code last_words(struct serve *serve, void (*how)(struct serve *serve, int socket),
    struct fail *f)
{
	struct wire_message reply;
	struct wire_message request;
	const struct wire_wait wait = { 20000, NULL, NULL };
	enum fail_code code;
	int pair[2];
	int status;
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		if (spent_watch(f) == SG_OK)
			how(serve, pair[1]);
		_exit(0);
	}
	(void)close(pair[1]);
	put_long(&request, 20000, "pass-word", 9);	/* 0.2 s: far more than a clock's tick */
	wire_message_init(&reply, 0);
	code = wire_call_on(pair[0], &request, &wait, &reply, f);
	wire_message_free(&request);
	wire_message_free(&reply);
	(void)close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_not_equal(status, 0);
	return code;
}

/* What is left unread when a socket is closed would take the answer with it. */
static void take_request(int socket)
{
	struct wire_message request;
	struct fail f;

	wire_message_init(&request, 0);
	assert_int_equal(wire_receive(socket, &request, 5000, &f), SG_OK);
	wire_message_free(&request);
}

static void out_of_time(struct serve *serve, int socket)
{
	struct timespec now;

	take_request(socket);
	(void)serve;
	spent_begin(socket, 20);
	do
		(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while (now.tv_sec < 20);
}

static void out_of_memory(struct serve *serve, int socket)
{
	char *much = malloc(SPENT_ORDINARY);

	(void)serve;
	take_request(socket);
	assert_non_null(much);
	explicit_bzero(much, SPENT_ORDINARY);	/* as memset, but not optimised away */
	spent_begin(socket, 60000);
	g_free(g_malloc((gsize)1 << 62));
}

/* Time is over in the middle of a message, by the way that the worker goes. */
static void out_of_time_at_work(struct serve *serve, int socket)
{
	serve->cpu_ms_max = 1;
	for (;;)
		serve_connection(serve, socket);
}

static void who_asked_hears_what_a_worker_died_of(void **state)
{
	struct fail f;

	assert_int_equal(last_words(*state, out_of_time, &f), SG_ELIMIT);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.what, "processor time"));
	assert_int_equal(last_words(*state, out_of_memory, &f), SG_ELIMIT);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_non_null(strstr(f.what, "memory"));
	assert_int_equal(last_words(*state, out_of_time_at_work, &f), SG_ELIMIT);
	assert_non_null(strstr(f.what, "processor time"));
}

/* Of an asker before nothing is left: the next one does not hear of its message. */
static void who_asked_before_hears_nothing(void **state)
{
	int pair[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	spent_begin(pair[1], 60000);
	assert_true(fcntl(SPENT_SOCKET, F_GETFD) >= 0);
	spent_end();
	assert_int_equal(fcntl(SPENT_SOCKET, F_GETFD), -1);
	(void)close(pair[1]);
	assert_int_equal(read(pair[0], &byte, 1), 0);
	(void)close(pair[0]);
}

static int start(void **state)
{
	static struct serve serve;
	struct fail f;

	serve.options.pages_max = 100;
	serve.cpu_ms_max = 60000;
	serve.socket = -1;
	*state = &serve;
	if (warm_engine(&serve.options.engine, &f) == SG_OK)
		return 0;
	(void)fprintf(stderr, "%s\n", f.what);
	return 1;
}

static int end(void **state)
{
	struct serve *serve = *state;

	layout_engine_free(serve->options.engine);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_personal_is_outside_the_encryption),
		cmocka_unit_test(the_same_message_never_gives_the_same_file),
		cmocka_unit_test(an_empty_or_odd_password_is_refused),
		cmocka_unit_test(broken_requests_are_refused),
		cmocka_unit_test(a_wrong_size_or_no_file_is_refused),
		cmocka_unit_test(who_asked_hears_what_a_worker_died_of),
		cmocka_unit_test(who_asked_before_hears_nothing),
	};

	return cmocka_run_group_tests(tests, start, end);
}
