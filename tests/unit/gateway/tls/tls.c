/*
 * The client and Postfix's protocol against the real sealgate-tls, started as the supervisor starts
 * it. No DNS server is there: rules and the fallback are known, all else is temporary.
 *
 * links: sealgate
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/conf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/tls/tls.h"

#define USER "65534:65534"
#define READY_MS 20000
#define ANSWER_MS 10000
#define IDLE_COUNT 1200	/* connections beside the one that asks */

struct bench {
	char folder[64];
	char policy_path[96];
	char wire_path[96];
	char cache_path[96];
	char program[PATH_MAX];
	struct conf *conf;
	int listeners[3];
	uint16_t metrics_port;
	struct proc_child child;
	struct tls tls;
};

/* --- start and stop --- */

static void find_program(struct bench *b)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *unit;

	assert_true(n > 0);
	self[n] = '\0';
	unit = strstr(self, "/unit/gateway/tls/");
	assert_non_null(unit);
	*unit = '\0';
	assert_true(snprintf(b->program, sizeof(b->program), "%.3000s/sealgate-tls", self) > 0);
}

static void add_rule(struct bench *b, const char *name, enum conf_level level, const char *match)
{
	struct conf_hop *hop = &b->conf->hops[b->conf->hop_count++];

	hop->name = strdup(name);
	hop->tls = level;
	hop->reason = strdup("agreed");
	hop->through = name[0] == '[';
	assert_non_null(hop->name);
	assert_non_null(hop->reason);
	if (match != NULL)
		assert_int_equal(str_list_add(&hop->match, match), SG_OK);
}

static void configure(struct bench *b)
{
	struct fail f;

	assert_int_equal(conf_default(&b->conf, &f), SG_OK);
	assert_int_equal(str_set(&b->conf->run_directory, b->folder), SG_OK);
	assert_int_equal(str_set(&b->conf->tls.cache_directory, b->folder), SG_OK);
	assert_int_equal(str_set(&b->conf->users.tls, USER), SG_OK);
	assert_int_equal(str_list_add(&b->conf->tls.resolvers, "127.0.0.1@1"), SG_OK);
	b->conf->tls.timeout_ms = 2000;
	b->conf->sandbox = CONF_SANDBOX_REDUCED;
	b->conf->log.level = 0;	/* error */
	b->conf->hops = calloc(4, sizeof(*b->conf->hops));
	assert_non_null(b->conf->hops);
	add_rule(b, "rule.example", CONF_LEVEL_SECURE, "mx.rule.example");
	add_rule(b, "[relay.example]:587", CONF_LEVEL_VERIFY, NULL);
	add_rule(b, "loose.example", CONF_LEVEL_ENCRYPT, NULL);
}

static int listen_stream(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, 1024), 0);
	return fd;
}

static int listen_tcp(uint16_t *port_out)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&to, &size), 0);
	assert_int_equal(listen(fd, 16), 0);
	*port_out = ntohs(to.sin_port);
	return fd;
}

static void start(struct bench *b)
{
	enum fail_code code;
	struct buf config;
	struct fail f;

	fail_clear(&f);
	buf_init(&config, PROC_CONFIG_MAX);
	code = conf_encode(b->conf, CONF_TLS, &config, &f);
	if (code == SG_OK)
		code = proc_spawn(&(struct proc_birth){ b->program, b->listeners, 3,
		    &config, false }, &b->child, &f);
	if (code == SG_OK)
		code = proc_wait_ready(&b->child, READY_MS, NULL, &f);
	if (code != SG_OK)
		fail_msg("%s (%s)", f.what, f.hint);
	buf_free(&config);
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct fail f;

	assert_non_null(b);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-tls-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(chmod(b->folder, 0777), 0);
	(void)snprintf(b->policy_path, sizeof(b->policy_path), "%s/policy.sock", b->folder);
	(void)snprintf(b->wire_path, sizeof(b->wire_path), "%s/tls.sock", b->folder);
	(void)snprintf(b->cache_path, sizeof(b->cache_path), "%s/policies.cache", b->folder);
	b->listeners[0] = listen_stream(b->policy_path);
	assert_int_equal(wire_listen(b->wire_path, 0600, &b->listeners[1], &f), SG_OK);
	b->listeners[2] = listen_tcp(&b->metrics_port);
	b->tls = (struct tls){b->wire_path, ANSWER_MS};
	find_program(b);
	configure(b);
	start(b);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	static const char *const names[] = {"policy.sock", "tls.sock", "policies.cache",
		"rules.told", "report.day"};
	struct bench *b = *state;
	char path[128];
	size_t i;

	proc_stop(&b->child, 5000);
	for (i = 0; i < 3; i++)
		fd_close(&b->listeners[i]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(b->folder), 0);
	conf_free(b->conf);
	free(b);
	return 0;
}

/* --- Postfix's side --- */

static int dial(const struct bench *b)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", b->policy_path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until size bytes are there, or the other side closes. */
static void get(int fd, char *text, size_t size)
{
	struct pollfd p = {fd, POLLIN, 0};
	size_t at = 0;
	ssize_t n;

	while (at < size && poll(&p, 1, ANSWER_MS) > 0) {
		n = recv(fd, text + at, size - at, 0);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	text[at] = '\0';
}

static void expect(int fd, const char *want)
{
	char text[4096];

	get(fd, text, strlen(want));
	assert_string_equal(text, want);
}

/* The answer to one question; temporary ones have many words. */
static void ask(const struct bench *b, const char *question, char *answer, size_t room)
{
	char request[512];
	struct pollfd p = {dial(b), POLLIN, 0};
	ssize_t n;

	(void)snprintf(request, sizeof(request), "%zu:%s,", strlen(question), question);
	put(p.fd, request);
	assert_int_equal(poll(&p, 1, ANSWER_MS), 1);
	n = recv(p.fd, answer, room - 1, 0);
	assert_true(n > 0);
	answer[n] = '\0';
	(void)close(p.fd);
}

static void postfix_gets_the_policy_of_a_rule(void **state)
{
	char answer[4096];

	ask(*state, "all rule.example", answer, sizeof(answer));
	assert_non_null(strstr(answer, ":OK secure match=mx.rule.example"));
	ask(*state, "QUERYwithTLSRPT loose.example", answer, sizeof(answer));
	assert_non_null(strstr(answer, ":OK encrypt"));
}

static void a_lookup_that_fails_is_temporary(void **state)
{
	char answer[4096];

	ask(*state, "all unknown.example", answer, sizeof(answer));
	assert_non_null(strstr(answer, ":TEMP "));
	ask(*state, "proven unknown.example", answer, sizeof(answer));
	assert_non_null(strstr(answer, ":TEMP "));
}

static void an_unknown_table_is_permanent(void **state)
{
	char answer[4096];

	ask(*state, "relay_domains rule.example", answer, sizeof(answer));
	assert_non_null(strstr(answer, ":PERM "));
}

static void our_own_fallback_needs_no_tls(void **state)
{
	char answer[4096];

	ask(*state, "sealed [127.0.0.1]:10226", answer, sizeof(answer));
	assert_string_equal(answer, "7:OK none,");
	ask(*state, "proven [127.0.0.1]:10226", answer, sizeof(answer));
	assert_string_equal(answer, "7:OK none,");
}

static void questions_behind_each_other_are_answered_in_turn(void **state)
{
	struct bench *b = *state;
	int fd = dial(b);
	int i;

	for (i = 0; i < 200; i++)
		put(fd, "17:all loose.example,24:sealed [127.0.0.1]:10226,");
	(void)close(fd);
	fd = dial(b);
	put(fd, "17:all loose.example,24:sealed [127.0.0.1]:10226,17:all loose.example,");
	expect(fd, "10:OK encrypt,7:OK none,10:OK encrypt,");
	/* in single bytes, too */
	for (i = 0; i < 21; i++) {
		char one[2] = {"17:all loose.example,"[i], '\0'};

		put(fd, one);
	}
	expect(fd, "10:OK encrypt,");
	(void)close(fd);
}

/* One connection's slow lookup does not hold up another's answer. */
static void a_slow_lookup_holds_up_nobody(void **state)
{
	struct bench *b = *state;
	int slow = dial(b);
	int fd = dial(b);

	put(slow, "19:all waiting.example,");
	put(fd, "17:all loose.example,");
	expect(fd, "10:OK encrypt,");
	(void)close(slow);
	put(fd, "17:all loose.example,");
	expect(fd, "10:OK encrypt,");
	(void)close(fd);
}

static void who_speaks_no_netstrings_is_closed(void **state)
{
	struct bench *b = *state;
	char text[16];
	int fd = dial(b);

	put(fd, "GET / HTTP/1.1\r\n\r\n");
	get(fd, text, sizeof(text) - 1);
	assert_string_equal(text, "");
	(void)close(fd);
}

/* Asks much and reads nothing: its own connection stops, no memory grows, others are served. */
static void who_reads_no_answers_stops_itself(void **state)
{
	static const char questions[] = "17:all loose.example,17:all loose.example,"
		"17:all loose.example,17:all loose.example,17:all loose.example,";
	struct bench *b = *state;
	int hostile = dial(b);
	int fd = dial(b);
	size_t sent = 0;
	ssize_t n;

	assert_int_equal(fcntl(hostile, F_SETFL, O_NONBLOCK), 0);
	for (;;) {
		struct pollfd p = {hostile, POLLOUT, 0};

		if (poll(&p, 1, 500) <= 0)
			break;
		n = send(hostile, questions, sizeof(questions) - 1, MSG_NOSIGNAL);
		assert_true(n > 0);
		sent += (size_t)n;
		assert_true(sent < (size_t)64 * 1024 * 1024);
	}
	put(fd, "17:all loose.example,");
	expect(fd, "10:OK encrypt,");
	(void)close(fd);
	(void)close(hostile);
}

static void a_thousand_idle_connections_are_no_trouble(void **state)
{
	struct rlimit limit = {4096, 4096};
	struct bench *b = *state;
	int fds[IDLE_COUNT];
	size_t i;

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		skip();
	for (i = 0; i < IDLE_COUNT; i++)
		fds[i] = dial(b);
	for (i = 0; i < IDLE_COUNT; i += 100) {
		put(fds[i], "17:all loose.example,");
		expect(fds[i], "10:OK encrypt,");
	}
	for (i = 0; i < IDLE_COUNT; i++)
		(void)close(fds[i]);
}

/* --- the filter's side --- */

static void proofs_come_back_in_order(void **state)
{
	static const struct tls_hop hops[] = {{"unknown.example", false}, {"rule.example", false},
		{"[relay.example]:587", true}, {"loose.example", false}, {"rule.example", true}};
	struct bench *b = *state;
	struct tls_proof proofs[5];
	struct fail f;

	if (tls_proof(&b->tls, hops, 5, proofs, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_int_equal(proofs[0].answer, TLS_UNKNOWN);
	assert_int_equal(proofs[1].answer, TLS_PROVABLE);
	assert_int_equal(proofs[2].answer, TLS_PROVABLE);
	assert_int_equal(proofs[3].answer, TLS_NOT_PROVABLE);
	/* a relay without "through" proves nothing */
	assert_int_equal(proofs[4].answer, TLS_NOT_PROVABLE);
	assert_int_not_equal(proofs[0].how[0], '\0');
	assert_int_not_equal(proofs[1].how[0], '\0');
}

static void many_hops_are_asked_in_several_packets(void **state)
{
	struct bench *b = *state;
	struct tls_proof proofs[450];
	struct tls_hop hops[450];
	struct fail f;
	size_t i;

	for (i = 0; i < 450; i++)
		hops[i] = (struct tls_hop){i % 2 == 0 ? "rule.example" : "loose.example", false};
	assert_int_equal(tls_proof(&b->tls, hops, 450, proofs, &f), SG_OK);
	for (i = 0; i < 450; i++)
		assert_int_equal(proofs[i].answer, i % 2 == 0 ? TLS_PROVABLE : TLS_NOT_PROVABLE);
}

static void no_service_is_a_temporary_failure(void **state)
{
	static const struct tls_hop hop = {"rule.example", false};
	struct bench *b = *state;
	struct tls_proof proof;
	struct fail f;

	proc_stop(&b->child, 5000);
	b->tls.timeout_ms = 200;
	assert_int_not_equal(tls_proof(&b->tls, &hop, 1, &proof, &f), SG_OK);
	assert_int_equal(f.kind, FAIL_TEMPORARY);
	assert_int_equal(proof.answer, TLS_UNKNOWN);
}

static void an_explanation_has_its_verdict_first(void **state)
{
	struct bench *b = *state;
	struct buf text;
	struct fail f;
	const char *line;
	size_t size;

	buf_init(&text, 1024 * 1024);
	if (tls_check(&b->tls, "rule.example", false, false, &text, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_int_equal(strncmp(buf_str(&text),
	    "Mail to rule.example goes over TLS with proof", 45),
	    0);
	for (line = buf_str(&text); *line != '\0'; line += size + 1) {
		size = strcspn(line, "\n");
		if (size > 79)
			fail_msg("%zu columns: %.*s", size, (int)size, line);
	}
	buf_reset(&text);
	assert_int_equal(tls_check(&b->tls, "rule.example", false, true, &text, &f), SG_OK);
	assert_non_null(strstr(buf_str(&text), "\"source\": \"rule\""));
	buf_free(&text);
}

static void a_trial_says_what_it_met(void **state)
{
	struct bench *b = *state;
	struct buf text;
	struct fail f;

	buf_init(&text, 1024 * 1024);
	/* nobody listens there */
	if (tls_check(&b->tls, "[127.0.0.1]:1", true, false, &text, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_non_null(strstr(buf_str(&text), "127.0.0.1 port 1: not reached"));
	buf_reset(&text);
	assert_int_equal(tls_check(&b->tls, "[127.0.0.1]:1", true, true, &text, &f), SG_OK);
	assert_non_null(strstr(buf_str(&text), "\"connected\": false"));
	buf_free(&text);
}

static void events_show_up_in_the_counters(void **state)
{
	struct bench *b = *state;
	char answer[4096];
	struct buf text;
	struct fail f;

	buf_init(&text, 1024 * 1024);
	tls_count(&b->tls, TLS_TOLD);
	tls_count(&b->tls, TLS_TOLD);
	ask(b, "sealed loose.example", answer, sizeof(answer));
	if (tls_status(&b->tls, &text, &f) != SG_OK)
		fail_msg("%s", f.what);
	assert_non_null(strstr(buf_str(&text), "\nsealgate_tls_told_total 2\n"));
	assert_non_null(strstr(buf_str(&text),
	    "\nsealgate_tls_policy_answers_total{map=\"sealed\",source=\"rule\"} 1\n"));
	buf_free(&text);
}

static void http_get(const struct bench *b, const char *path, char *answer, size_t room)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[128];

	to.sin_port = htons(b->metrics_port);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	(void)snprintf(request, sizeof(request), "%s HTTP/1.1\r\nHost: localhost\r\n"
	    "Connection: close\r\n\r\n", path);
	put(fd, request);
	get(fd, answer, room - 1);
	(void)close(fd);
}

static void prometheus_gets_metrics_and_nothing_else(void **state)
{
	static char answer[128 * 1024];

	http_get(*state, "GET /metrics", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 200 OK"));
	assert_non_null(strstr(answer, "sealgate_tls_cache_domains "));
	http_get(*state, "GET /", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 404 "));
	http_get(*state, "POST /metrics", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 405 "));
}

static void a_report_needs_a_day_and_the_vault(void **state)
{
	struct bench *b = *state;
	struct buf lines;
	struct fail f;

	buf_init(&lines, 1024 * 1024);
	assert_int_equal(tls_report(&b->tls, "someday", false, &lines, &f), SG_EUSAGE);
	assert_int_equal(tls_report(&b->tls, "2026-11-23", true, &lines, &f), SG_EUSAGE);
	/* nobody is at the vault's socket */
	assert_int_equal(tls_report(&b->tls, "2026-11-23", false, &lines, &f), SG_EPEER);
	buf_free(&lines);
}

/* --- life --- */

static void a_damaged_cache_is_an_empty_one(void **state)
{
	struct bench *b = *state;
	char answer[4096];
	struct fail f;

	proc_stop(&b->child, 5000);
	assert_int_equal(fd_replace_file(b->cache_path, "rubbish", 7, 0644, &f), SG_OK);
	start(b);
	ask(b, "all loose.example", answer, sizeof(answer));
	assert_string_equal(answer, "10:OK encrypt,");
}

static void the_end_saves_the_cache_and_is_clean(void **state)
{
	struct bench *b = *state;
	int status = -1;

	(void)unlink(b->cache_path);
	assert_int_equal(kill(b->child.pid, SIGTERM), 0);
	assert_int_equal(waitpid(b->child.pid, &status, 0), b->child.pid);
	b->child.pid = -1;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(access(b->cache_path, F_OK), 0);
	proc_stop(&b->child, 0);
}

static void a_new_configuration_counts_at_once(void **state)
{
	struct bench *b = *state;
	struct wire_message message;
	char answer[4096];
	struct buf config;
	struct fail f;

	b->conf->hops[2].tls = CONF_LEVEL_NONE;
	wire_message_init(&message, PROC_CONFIG);
	buf_init(&config, PROC_CONFIG_MAX);
	assert_int_equal(conf_encode(b->conf, CONF_TLS, &config, &f), SG_OK);
	assert_int_equal(fd_memory("test", &message.fd, &f), SG_OK);
	assert_int_equal(fd_write_all(message.fd, config.data, config.size, &f), SG_OK);
	assert_int_equal(fd_seal(message.fd, &f), SG_OK);
	assert_int_equal(wire_send(b->child.control, &message, 1000, &f), SG_OK);
	wire_message_free(&message);
	buf_free(&config);
	/* the control socket is looked at after what waits in the same round */
	do
		ask(b, "all loose.example", answer, sizeof(answer));
	while (strcmp(answer, "10:OK encrypt,") == 0);
	assert_string_equal(answer, "7:OK none,");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(postfix_gets_the_policy_of_a_rule),
		TEST(a_lookup_that_fails_is_temporary),
		TEST(an_unknown_table_is_permanent),
		TEST(our_own_fallback_needs_no_tls),
		TEST(questions_behind_each_other_are_answered_in_turn),
		TEST(a_slow_lookup_holds_up_nobody),
		TEST(who_speaks_no_netstrings_is_closed),
		TEST(who_reads_no_answers_stops_itself),
		TEST(a_thousand_idle_connections_are_no_trouble),
		TEST(proofs_come_back_in_order),
		TEST(many_hops_are_asked_in_several_packets),
		TEST(no_service_is_a_temporary_failure),
		TEST(an_explanation_has_its_verdict_first),
		TEST(a_trial_says_what_it_met),
		TEST(events_show_up_in_the_counters),
		TEST(prometheus_gets_metrics_and_nothing_else),
		TEST(a_report_needs_a_day_and_the_vault),
		TEST(a_damaged_cache_is_an_empty_one),
		TEST(the_end_saves_the_cache_and_is_clean),
		TEST(a_new_configuration_counts_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
