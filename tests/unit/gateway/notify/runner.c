/* Commands of hooks, really run. links: sealgate-notify */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/notify/runner.h"

#define JSON "{\"password\":\"abcd\"}\n"

struct bench {
	char folder[64];
	char command[128];
	char out[128];
	struct conf *conf;
	struct runner runner;
	struct buf json;
};

/* The script of this test; %s is where it may write. */
static void bench_command(struct bench *b, const char *script)
{
	FILE *file = fopen(b->command, "w");

	assert_non_null(file);
	(void)fprintf(file, "#!/bin/sh\nout=%s\n%s\n", b->out, script);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(b->command, 0755), 0);
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	struct conf_tenant *tenant;
	struct fail f;

	assert_non_null(b);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-runner-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	assert_int_equal(chmod(b->folder, 0777), 0);
	(void)snprintf(b->command, sizeof(b->command), "%s/command", b->folder);
	(void)snprintf(b->out, sizeof(b->out), "%s/out", b->folder);
	assert_int_equal(conf_default(&b->conf, &f), SG_OK);
	assert_int_equal(str_set(&b->conf->users.hook, "65534:65534"), SG_OK);
	b->conf->tenants = calloc(1, sizeof(*b->conf->tenants));
	b->conf->tenant_count = 1;
	tenant = &b->conf->tenants[0];
	tenant->name = strdup("acme");
	tenant->hook_command = strdup(b->command);
	tenant->hook_timeout_ms = 2000;
	buf_init(&b->json, HOOK_JSON_MAX);
	assert_int_equal(buf_append_str(&b->json, JSON), SG_OK);
	if (runner_start(b->conf, &b->runner, &f) != SG_OK)
		fail_msg("%s", f.what);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;

	fd_close(&b->runner.socket);
	(void)unlink(b->command);
	(void)unlink(b->out);
	(void)rmdir(b->folder);
	buf_free(&b->json);
	conf_free(b->conf);
	free(b);
	return 0;
}

static struct hook_answer answer_of(struct bench *b)
{
	struct hook_answer answer = {HOOK_AGAIN, ""};
	struct fail f;

	fail_clear(&f);
	if (runner_run(&b->runner, b->conf, 0, &b->json, &answer, &f) != SG_OK)
		fail_msg("%s", f.what);
	return answer;
}

static char *written(struct bench *b, struct buf *out)
{
	struct fail f;

	buf_init(out, 65536);
	if (fd_read_file(b->out, out, &f) != SG_OK)
		fail_msg("%s", f.what);
	return strdup(buf_str(out));
}

static void it_gets_the_json_and_nothing_else(void **state)
{
	struct bench *b = *state;
	struct buf out;
	char *text;

	bench_command(b, "{ cat; echo \"arguments $#\"; env; ls /proc/self/fd | wc -l; id -u; pwd;"
	    " } > $out; echo secret; echo secret >&2");
	assert_int_equal(answer_of(b).end, HOOK_DONE);
	text = written(b, &out);
	assert_int_equal(strncmp(text, JSON, strlen(JSON)), 0);
	assert_non_null(strstr(text, "arguments 0\n"));
	assert_non_null(strstr(text, "LANG=C.UTF-8\n"));
	assert_null(strstr(text, "HOME="));
	/* 0, 1, 2 and the folder that ls reads */
	assert_non_null(strstr(text, "\n4\n"));
	if (geteuid() == 0)
		assert_non_null(strstr(text, "\n65534\n/\n"));
	free(text);
	buf_free(&out);
}

static void its_end_is_told(void **state)
{
	struct bench *b = *state;
	struct hook_answer answer;

	bench_command(b, "exit 3");
	answer = answer_of(b);
	assert_int_equal(answer.end, HOOK_FAILED);
	assert_string_equal(answer.why, "the command ended with exit status 3");
	bench_command(b, "exit 75");
	assert_int_equal(answer_of(b).end, HOOK_AGAIN);
	bench_command(b, "kill -9 $$");
	answer = answer_of(b);
	assert_int_equal(answer.end, HOOK_AGAIN);
	assert_string_equal(answer.why, "the command was ended by signal 9");
	assert_int_equal(unlink(b->command), 0);
	answer = answer_of(b);
	assert_int_equal(answer.end, HOOK_AGAIN);
	assert_non_null(strstr(answer.why, "cannot be executed: No such file"));
}

static void it_is_killed_with_all_that_it_started(void **state)
{
	struct bench *b = *state;
	int64_t began = clock_mono_ms(clock_system());
	struct hook_answer answer;

	bench_command(b, "(sleep 4; echo late > $out) & sleep 60");
	answer = answer_of(b);
	assert_int_equal(answer.end, HOOK_AGAIN);
	assert_string_equal(answer.why, "the command did not end within 2 seconds");
	assert_in_range(clock_mono_ms(clock_system()) - began, 1900, 4000);
	(void)sleep(3);
	assert_int_not_equal(access(b->out, F_OK), 0);
	/* and the next one runs */
	bench_command(b, "exit 0");
	assert_int_equal(answer_of(b).end, HOOK_DONE);
}

static void only_commands_that_are_configured_run(void **state)
{
	struct bench *b = *state;
	struct hook_answer answer;
	struct fail f;

	free(b->conf->tenants[0].hook_command);
	b->conf->tenants[0].hook_command = strdup("");
	fd_close(&b->runner.socket);
	assert_int_equal(runner_start(b->conf, &b->runner, &f), SG_OK);
	assert_int_equal(b->runner.socket, -1);
	assert_int_equal(runner_run(&b->runner, b->conf, 0, &b->json, &answer, &f), SG_EPEER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_gets_the_json_and_nothing_else),
		TEST(its_end_is_told),
		TEST(it_is_killed_with_all_that_it_started),
		TEST(only_commands_that_are_configured_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
