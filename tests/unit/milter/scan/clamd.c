/* links: sealgate-scan */
/* What clamd says, and servers that say something else. tests/postfix/clamd.sh has a real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "milter/scan/clamd.h"

static enum engine_outcome meaning(const char *reply, size_t size, bool whole,
    struct engine_answer *answer)
{
	clamd_understand(reply, size, whole, answer);
	return answer->outcome;
}

/* With its NUL. */
#define MEANING(text) meaning(text, sizeof(text), true, &answer)

static void one_answer_alone_is_clean(void **state)
{
	struct engine_answer answer;
	static const char *const others[] = { "stream: OK ", " stream: OK", "stream:OK", "OK",
		"stream: ok", "stream: OK\n", "1: stream: OK", "stream: ", "stream: ERROR",
		"stream: FOUND", "stream:  FOUND", "PONG", "UNKNOWN COMMAND",
		"stream: OK FOUND ERROR",
		"INSTREAM: Can't write to temporary file. ERROR", "COMMAND READ TIMED OUT", "",
		"Can't allocate memory ERROR", "stream: Can't open file or directory ERROR" };

	(void)state;
	assert_int_equal(MEANING("stream: OK"), ENGINE_CLEAN);
	assert_string_equal(answer.text, "");
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (meaning(others[i], strlen(others[i]) + 1, true, &answer) == ENGINE_CLEAN)
			fail_msg("clean: %s", others[i]);
}

static void what_is_cut_off_is_no_verdict(void **state)
{
	static const char ok[] = "stream: OK";
	static const char found[] = "stream: Eicar FOUND";
	struct engine_answer answer;

	(void)state;
	for (size_t size = 0; size < sizeof(ok); size++)
		assert_int_equal(meaning(ok, size, true, &answer), ENGINE_TROUBLE);
	for (size_t size = 0; size < sizeof(found); size++)
		assert_int_equal(meaning(found, size, true, &answer), ENGINE_TROUBLE);
	assert_int_equal(MEANING("stream: OK\0stream: Eicar FOUND"), ENGINE_TROUBLE);
	assert_int_equal(MEANING("stream: OK\0"), ENGINE_TROUBLE);
}

static void an_answer_before_the_end_is_no_verdict(void **state)
{
	struct engine_answer answer;

	(void)state;
	assert_int_equal(meaning("stream: OK", sizeof("stream: OK"), false, &answer),
	    ENGINE_TROUBLE);
	assert_int_equal(meaning("INSTREAM size limit exceeded. ERROR",
	    sizeof("INSTREAM size limit exceeded. ERROR"), false, &answer), ENGINE_TROUBLE);
	assert_non_null(strstr(answer.text, "StreamMaxLength"));
}

static void names_are_told_limits_and_ciphers_are_not_viruses(void **state)
{
	struct engine_answer answer;

	(void)state;
	assert_int_equal(MEANING("stream: Win.Test.EICAR_HDB-1 FOUND"), ENGINE_INFECTED);
	assert_string_equal(answer.text, "Win.Test.EICAR_HDB-1");
	assert_int_equal(MEANING("stream: Heuristics.Limits.Exceeded.MaxScanSize FOUND"),
	    ENGINE_LIMIT);
	assert_int_equal(MEANING("stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND"),
	    ENGINE_TROUBLE);
	assert_int_equal(MEANING("stream: Heuristics.Encrypted.Zip FOUND"),
	    ENGINE_ENCRYPTED);
	assert_int_equal(MEANING("stream: a\r\n250 ok FOUND"), ENGINE_TROUBLE);
}

static void addresses_are_read(void **state)
{
	static const char *const wrong[] = { "", "clamd.ctl", "localhost:3310", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "::1:3310",
		"[127.0.0.1]:3310", ":1" };
	struct clamd *clamd;
	struct fail f;

	(void)state;
	fail_clear(&f);
	assert_int_equal(clamd_open("/run/clamav/clamd.ctl", 1000, &clamd, &f), SG_OK);
	assert_int_equal(clamd_port(clamd), 0);
	clamd_close(clamd);
	assert_int_equal(clamd_open("127.0.0.1:3310", 1000, &clamd, &f), SG_OK);
	assert_int_equal(clamd_port(clamd), 3310);
	clamd_close(clamd);
	assert_int_equal(clamd_open("[::1]:3311", 1000, &clamd, &f), SG_OK);
	assert_int_equal(clamd_port(clamd), 3311);
	clamd_close(clamd);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(clamd_open(wrong[i], 1000, &clamd, &f), SG_EUSAGE);
		assert_null(clamd);
	}
}

/* ---- servers ---- */

struct server {
	int listener;
	char where[32];
	size_t take;		/* bytes that it reads before it answers */
	const char *reply;	/* NULL: none, and it keeps the connection */
	size_t reply_size;
	pthread_t thread;
	int kept;
};

static void *serve(void *context)
{
	struct server *server = context;
	char bytes[4096];
	size_t taken = 0;
	int client = accept(server->listener, NULL, NULL);

	while (client >= 0 && taken < server->take) {
		ssize_t n = read(client, bytes, sizeof(bytes));

		if (n <= 0)
			break;
		taken += (size_t)n;
	}
	if (client >= 0 && server->reply != NULL)
		(void)!write(client, server->reply, server->reply_size);
	if (server->reply != NULL)
		(void)close(client);
	else
		server->kept = client;
	return NULL;
}

static void open_server(struct server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	server->kept = -1;
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(server->listener, 1), 0);
	assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
	(void)snprintf(server->where, sizeof(server->where), "127.0.0.1:%d",
	    ntohs(address.sin_port));
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* One scan of size bytes by such a server. */
static enum engine_outcome scan_by(struct server *server, size_t size,
    struct engine_answer *answer)
{
	char *data = calloc(1, size);
	struct clamd *clamd;
	struct fail f;

	assert_non_null(data);
	fail_clear(&f);
	open_server(server);
	assert_int_equal(clamd_open(server->where, 500, &clamd, &f), SG_OK);
	clamd_scan(clamd, data, size, answer);
	(void)shutdown(server->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(server->thread, NULL), 0);
	fd_close(&server->listener);
	fd_close(&server->kept);
	clamd_close(clamd);
	free(data);
	return answer->outcome;
}

#define FRAMES (sizeof("zINSTREAM") + 4 + 4)

static void a_server_that_speaks_right_is_understood(void **state)
{
	struct server server = { .take = 1000 + FRAMES, .reply = "stream: OK", .reply_size = 11 };
	struct engine_answer answer;

	(void)state;
	assert_int_equal(scan_by(&server, 1000, &answer), ENGINE_CLEAN);
	server.reply = "stream: X FOUND";
	server.reply_size = 16;
	assert_int_equal(scan_by(&server, 1000, &answer), ENGINE_INFECTED);
}

static void a_server_that_misbehaves_gives_no_verdict(void **state)
{
	struct server cases[] = {
		{ .take = 1000 + FRAMES, .reply = "stream: OK", .reply_size = 10 },
		{ .take = 1000 + FRAMES, .reply = "", .reply_size = 0 },
		{ .take = 1000 + FRAMES, .reply = NULL },
		{ .take = 0, .reply = NULL },
		{ .take = 10, .reply = "", .reply_size = 0 },
	};
	struct engine_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (scan_by(&cases[i], 1000, &answer) != ENGINE_TROUBLE)
			fail_msg("case %zu: %d %s", i, (int)answer.outcome, answer.text);
}

static void clean_in_the_middle_of_a_message_is_no_verdict(void **state)
{
	struct server server = { .take = 1000, .reply = "stream: OK", .reply_size = 11 };
	struct engine_answer answer;

	(void)state;
	assert_int_equal(scan_by(&server, (size_t)32 * 1024 * 1024, &answer), ENGINE_TROUBLE);
}

static void nobody_there_is_no_verdict(void **state)
{
	struct engine_answer answer;
	struct clamd *clamd;
	struct fail f;

	(void)state;
	fail_clear(&f);
	assert_int_equal(clamd_open("/nonexistent/clamd.ctl", 500, &clamd, &f), SG_OK);
	clamd_scan(clamd, "x", 1, &answer);
	assert_int_equal(answer.outcome, ENGINE_TROUBLE);
	assert_false(clamd_probe(clamd, &answer));
	clamd_close(clamd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_answer_alone_is_clean),
		cmocka_unit_test(what_is_cut_off_is_no_verdict),
		cmocka_unit_test(an_answer_before_the_end_is_no_verdict),
		cmocka_unit_test(names_are_told_limits_and_ciphers_are_not_viruses),
		cmocka_unit_test(addresses_are_read),
		cmocka_unit_test(a_server_that_speaks_right_is_understood),
		cmocka_unit_test(a_server_that_misbehaves_gives_no_verdict),
		cmocka_unit_test(clean_in_the_middle_of_a_message_is_no_verdict),
		cmocka_unit_test(nobody_there_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
