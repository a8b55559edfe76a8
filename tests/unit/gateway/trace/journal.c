/*
 * Journal files as systemd writes them (by systemd-journal-remote, from the export format).
 *
 * links: sealgate-trace
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/base/fd.h"
#include "gateway/trace/source.h"

#define WRITER "/lib/systemd/systemd-journal-remote"
#define FIRST_US 1795549273000000u	/* 2026-11-24T19:41:13Z */

struct bench {
	char folder[64];
	char input[96];
	char output[96];
	struct source *source;
	char position[SOURCE_POSITION_MAX];
	unsigned int written;
};

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-journal-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	(void)snprintf(b->input, sizeof(b->input), "%s/export", b->folder);
	(void)snprintf(b->output, sizeof(b->output), "--output=%s/remote.journal", b->folder);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;
	int folder = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	source_close(b->source);
	fd_empty_folder(folder);
	(void)rmdir(b->folder);
	free(b);
	return 0;
}

static void run_writer(const struct bench *b)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
		execl(WRITER, WRITER, b->output, b->input, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Adds count entries of Postfix, each behind one of another program. */
static void write_entries(struct bench *b, unsigned int count)
{
	static const char *const programs[] = {"sshd", "postfix-out/sealed/smtp"};
	FILE *out = fopen(b->input, "w");
	unsigned int i;
	int which;

	assert_non_null(out);
	for (i = 0; i < count; i++, b->written++)
		for (which = 0; which < 2; which++)
			(void)fprintf(out, "__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%u\n"
			    "_BOOT_ID=0123456789abcdef0123456789abcdef\nSYSLOG_IDENTIFIER=%s\n"
			    "SYSLOG_PID=%u\nMESSAGE=entry %u\n\n",
			    (unsigned long long)FIRST_US + b->written * 1000000ull +
			    (unsigned int)which, b->written * 1000000 + (unsigned int)which + 1,
			    programs[which], b->written + 1, b->written);
	assert_int_equal(fclose(out), 0);
	run_writer(b);
}

static void start(struct bench *b)
{
	struct fail f;

	source_close(b->source);
	b->source = NULL;
	if (source_journal(b->folder, &b->source, &f) != SG_OK) {
		fail_msg("%s", f.what);
		return;
	}
	SG_BUG_IF(b->source == NULL);
	if (b->source->ops->resume(b->source, b->position, &f) != SG_OK)
		fail_msg("%s", f.what);
}

/* At most count new entries; the number of the last in *last. Gives how many there were. */
static unsigned int take(struct bench *b, unsigned int count, unsigned int *last, unsigned int *old)
{
	enum source_got got;
	unsigned int n = 0;
	struct line line;
	struct fail f;

	*old = 0;
	SG_BUG_IF(b->source == NULL);
	while (n < count) {
		assert_int_equal(b->source->ops->next(b->source, &got, &line, &f), SG_OK);
		if (got == SOURCE_NOTHING)
			break;
		assert_string_equal(line.program, "postfix-out/sealed/smtp");
		if (got == SOURCE_OLD) {
			++*old;
			continue;
		}
		n++;
		*last = line.pid - 1;
		assert_int_equal(line.time_ms, (int64_t)(FIRST_US / 1000) + *last * 1000);
	}
	assert_int_equal(b->source->ops->position(b->source, b->position, &f), SG_OK);
	return n;
}

static void reads_only_postfix_and_goes_on_at_the_cursor(void **state)
{
	struct bench *b = *state;
	unsigned int last = 0;
	unsigned int old;

	if (access(WRITER, X_OK) != 0)
		skip();
	write_entries(b, 5);
	start(b);
	/* a first start: from the end on */
	assert_int_equal(take(b, 100, &last, &old), 0);
	write_entries(b, 10);
	assert_int_equal(take(b, 4, &last, &old), 4);
	assert_int_equal(last, 8);
	start(b);
	assert_int_equal(take(b, 100, &last, &old), 6);
	assert_int_equal(last, 14);
	assert_in_range(old, 1, 9);
	start(b);
	assert_int_equal(take(b, 100, &last, &old), 0);
	write_entries(b, 3);
	assert_int_equal(take(b, 100, &last, &old), 3);
	assert_int_equal(last, 17);
}

static void begins_at_the_head_of_a_journal_that_was_empty(void **state)
{
	struct bench *b = *state;
	unsigned int last = 0;
	unsigned int old;

	if (access(WRITER, X_OK) != 0)
		skip();
	start(b);
	assert_int_equal(take(b, 100, &last, &old), 0);
	write_entries(b, 3);
	start(b);
	assert_int_equal(take(b, 100, &last, &old), 3);
	assert_int_equal(last, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)
	const struct CMUnitTest tests[] = {
		TEST(reads_only_postfix_and_goes_on_at_the_cursor),
		TEST(begins_at_the_head_of_a_journal_that_was_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
