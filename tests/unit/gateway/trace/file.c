/*
 * A log that grows and is rotated in every way, read by sources that are stopped and started at
 * every moment: each line is given exactly once.
 *
 * links: sealgate-trace
 */
/* A log that is really gone is told of:
 * expect-error: trace-gap
 */
#include <dirent.h>
#include <fcntl.h>
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
#include <zlib.h>

#include "gateway/base/buf.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/trace/source.h"

#define LINES_MAX 4000u

struct bench {
	char folder[64];
	char path[96];
	struct source *source;
	char position[SOURCE_POSITION_MAX];
	int out;			/* where the logger writes */
	unsigned int written;
	unsigned int rotated;
	unsigned int seen[LINES_MAX];	/* how often each line was given as new */
};

static void logger_open(struct bench *b)
{
	fd_close(&b->out);
	b->out = open(b->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(b->out >= 0);
}

static void logger_write(struct bench *b, unsigned int count)
{
	char text[256];
	int n;

	for (; count > 0; count--, b->written++) {
		assert_true(b->written < LINES_MAX);
		n = snprintf(text, sizeof(text), "Nov 24 19:41:%02u gate postfix/smtp[%u]: line %u "
		    "of the log\n", b->written % 60, b->written + 1, b->written);
		assert_int_equal(write(b->out, text, (size_t)n), n);
	}
}

static int bench_make(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->out = -1;
	(void)snprintf(b->folder, sizeof(b->folder), "/tmp/sealgate-trace-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	(void)snprintf(b->path, sizeof(b->path), "%s/mail.log", b->folder);
	logger_open(b);
	*state = b;
	return 0;
}

static int bench_drop(void **state)
{
	struct bench *b = *state;
	int folder = open(b->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	source_close(b->source);
	fd_close(&b->out);
	fd_empty_folder(folder);
	(void)rmdir(b->folder);
	free(b);
	return 0;
}

static void start(struct bench *b)
{
	struct fail f;

	if (source_file(b->path, &b->source, &f) != SG_OK) {
		fail_msg("%s", f.what);
		return;
	}
	SG_BUG_IF(b->source == NULL);
	if (b->source->ops->resume(b->source, b->position, &f) != SG_OK)
		fail_msg("%s", f.what);
}

/* As after kill -9: only what was kept as position counts. */
static void crash(struct bench *b)
{
	source_close(b->source);
	b->source = NULL;
}

static void keep(struct bench *b)
{
	struct fail f;

	SG_BUG_IF(b->source == NULL);
	assert_int_equal(b->source->ops->position(b->source, b->position, &f), SG_OK);
}

/* Reads at most count lines, and keeps the position. */
static void take(struct bench *b, unsigned int count)
{
	enum source_got got = SOURCE_NOTHING;
	struct line line;
	struct fail f;

	SG_BUG_IF(b->source == NULL);
	while (count > 0) {
		if (b->source->ops->next(b->source, &got, &line, &f) != SG_OK)
			fail_msg("%s", f.what);
		if (got == SOURCE_NOTHING)
			break;
		if (got == SOURCE_OLD)
			continue;
		assert_true(line.pid >= 1 && line.pid <= b->written);
		b->seen[line.pid - 1]++;
		count--;
	}
	keep(b);
}

static void check_all(const struct bench *b)
{
	unsigned int i;

	for (i = 0; i < b->written; i++)
		if (b->seen[i] != 1)
			fail_msg("line %u of %u was given %u times", i, b->written, b->seen[i]);
}

/* --- rotations --- */

static void name_of(const struct bench *b, const char *suffix, char out[128])
{
	(void)snprintf(out, 128, "%s%s", b->path, suffix);
}

static void move(const struct bench *b, const char *from, const char *to)
{
	char old[128];
	char new[128];

	name_of(b, from, old);
	name_of(b, to, new);
	assert_int_equal(rename(old, new), 0);
}

/* Rotations here follow each other faster than the file system's clock ticks. */
static void age(struct bench *b, const char *suffix)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1795549273 + b->rotated++}};
	char path[128];

	name_of(b, suffix, path);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void shift(const struct bench *b)
{
	char path[128];

	name_of(b, ".2", path);
	if (access(path, F_OK) == 0)
		move(b, ".2", ".3");
	name_of(b, ".1", path);
	if (access(path, F_OK) == 0)
		move(b, ".1", ".2");
}

/* As logrotate: rename, create; the logger opens the new one later. */
static void rotate_rename(struct bench *b)
{
	shift(b);
	move(b, "", ".1");
	logger_write(b, 3);
	age(b, ".1");
	logger_open(b);
}

static void copy(const struct bench *b, const char *to, bool compress)
{
	struct buf bytes;
	char path[128];
	struct fail f;
	gzFile gz;
	int fd;

	buf_init(&bytes, (size_t)1024 * 1024);
	assert_int_equal(fd_read_file(b->path, &bytes, &f), SG_OK);
	name_of(b, to, path);
	if (compress) {
		gz = gzopen(path, "wb");
		assert_non_null(gz);
		assert_int_equal(gzwrite(gz, bytes.data, (unsigned int)bytes.size), bytes.size);
		assert_int_equal(gzclose(gz), Z_OK);
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		assert_int_equal(fd_write_all(fd, bytes.data, bytes.size, &f), SG_OK);
		fd_close(&fd);
	}
	buf_free(&bytes);
}

static void rotate_copytruncate(struct bench *b)
{
	shift(b);
	copy(b, ".1", false);
	age(b, ".1");
	assert_int_equal(truncate(b->path, 0), 0);
}

/* As "postfix logrotate": a name with the date, compressed at once. */
static void rotate_gzip(struct bench *b)
{
	char suffix[32];

	(void)snprintf(suffix, sizeof(suffix), ".20261124-%06u.gz", b->written);
	copy(b, suffix, true);
	age(b, suffix);
	assert_int_equal(unlink(b->path), 0);
	logger_open(b);
}

/* --- tests --- */

static void starts_at_the_end_of_an_old_log(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	logger_write(b, 10);
	start(b);
	take(b, 100);
	logger_write(b, 5);
	take(b, 100);
	for (i = 0; i < 15; i++)
		assert_int_equal(b->seen[i], i < 10 ? 0 : 1);
}

static void reads_a_log_that_appears_later(void **state)
{
	struct bench *b = *state;

	fd_close(&b->out);
	assert_int_equal(unlink(b->path), 0);
	start(b);
	take(b, 100);
	logger_open(b);
	logger_write(b, 5);
	take(b, 100);
	check_all(b);
}

static void goes_on_where_it_was(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	start(b);
	keep(b);
	for (i = 0; i < 200; i++) {
		logger_write(b, i % 17);
		take(b, i % 23);
		if (i % 5 == 0) {
			crash(b);
			logger_write(b, i % 3);
			start(b);
		}
	}
	take(b, LINES_MAX);
	check_all(b);
}

static void waits_for_the_rest_of_a_line(void **state)
{
	struct bench *b = *state;
	static const char first[] = "Nov 24 19:41:14 gate postfix/sm";
	static const char rest[] = "tp[1]: line\n";

	start(b);
	keep(b);
	b->written = 1;
	assert_int_equal(write(b->out, first, sizeof(first) - 1), sizeof(first) - 1);
	take(b, 10);
	crash(b);
	start(b);
	take(b, 10);
	assert_int_equal(write(b->out, rest, sizeof(rest) - 1), sizeof(rest) - 1);
	take(b, 10);
	check_all(b);
}

static void skips_a_line_that_is_too_long(void **state)
{
	struct bench *b = *state;
	char *junk = malloc(5 * LINE_MAX_SIZE);

	assert_non_null(junk);
	memset(junk, 'x', 5 * LINE_MAX_SIZE);
	junk[5 * LINE_MAX_SIZE - 1] = '\n';
	start(b);
	keep(b);
	logger_write(b, 2);
	assert_int_equal(write(b->out, junk, 5 * LINE_MAX_SIZE), 5 * LINE_MAX_SIZE);
	logger_write(b, 2);
	take(b, 10);
	check_all(b);
	free(junk);
}

typedef void rotate_fn(struct bench *b);

/* Rotations, several in a row, while it runs and while it does not, with lines at every moment. */
static void rotate_often(struct bench *b, rotate_fn *rotate, bool running)
{
	unsigned int i;

	start(b);
	keep(b);
	logger_write(b, 5);
	take(b, 3);
	for (i = 0; i < 12; i++) {
		logger_write(b, 2 + i % 4);
		/* a truncation loses what nobody copied: that is the rotation's, not ours */
		if (!running)
			crash(b);
		rotate(b);
		if (i % 4 == 3)
			logger_write(b, 1);
		if (i % 4 == 3)
			rotate(b);
		if (!running)
			start(b);
		if (i % 3 != 0)
			take(b, 4);
		logger_write(b, i % 3);
		take(b, 1);
		take(b, LINES_MAX);
	}
	logger_write(b, 1);
	take(b, LINES_MAX);
	check_all(b);
}

static void loses_nothing_when_renamed_while_it_runs(void **state)
{
	rotate_often(*state, rotate_rename, true);
}

static void loses_nothing_when_renamed_while_it_is_down(void **state)
{
	rotate_often(*state, rotate_rename, false);
}

static void loses_nothing_when_copied_while_it_runs(void **state)
{
	rotate_often(*state, rotate_copytruncate, true);
}

static void loses_nothing_when_copied_while_it_is_down(void **state)
{
	rotate_often(*state, rotate_copytruncate, false);
}

static void loses_nothing_when_compressed_while_it_runs(void **state)
{
	rotate_often(*state, rotate_gzip, true);
}

static void loses_nothing_when_compressed_while_it_is_down(void **state)
{
	rotate_often(*state, rotate_gzip, false);
}

static void notices_a_truncation_after_which_the_log_grew_longer(void **state)
{
	struct bench *b = *state;

	start(b);
	keep(b);
	logger_write(b, 20);
	take(b, 15);
	rotate_copytruncate(b);
	logger_write(b, 40);
	take(b, LINES_MAX);
	check_all(b);
}

static void crashes_inside_an_old_file(void **state)
{
	struct bench *b = *state;
	unsigned int i;

	start(b);
	keep(b);
	logger_write(b, 20);
	take(b, 5);
	crash(b);
	rotate_gzip(b);
	logger_write(b, 20);
	rotate_rename(b);
	logger_write(b, 20);
	for (i = 0; i < 30; i++) {
		start(b);
		take(b, 3);
		crash(b);
	}
	start(b);
	check_all(b);
}

static void reads_a_renamed_log_until_the_new_one_has_lines(void **state)
{
	struct bench *b = *state;

	start(b);
	keep(b);
	logger_write(b, 3);
	take(b, 2);
	crash(b);
	move(b, "", ".1");
	start(b);
	take(b, 10);
	/* the logger has not noticed yet */
	logger_write(b, 4);
	take(b, 10);
	logger_write(b, 4);
	logger_open(b);
	take(b, 3);
	logger_write(b, 4);
	take(b, 10);
	check_all(b);
}

static void goes_on_with_what_there_is_when_the_old_log_is_gone(void **state)
{
	struct bench *b = *state;

	start(b);
	keep(b);
	logger_write(b, 5);
	take(b, 10);
	crash(b);
	assert_int_equal(unlink(b->path), 0);
	logger_open(b);
	logger_write(b, 5);
	start(b);
	take(b, 10);
	check_all(b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_make, bench_drop)
	const struct CMUnitTest tests[] = {
		TEST(starts_at_the_end_of_an_old_log),
		TEST(reads_a_log_that_appears_later),
		TEST(goes_on_where_it_was),
		TEST(waits_for_the_rest_of_a_line),
		TEST(skips_a_line_that_is_too_long),
		TEST(loses_nothing_when_renamed_while_it_runs),
		TEST(loses_nothing_when_renamed_while_it_is_down),
		TEST(loses_nothing_when_copied_while_it_runs),
		TEST(loses_nothing_when_copied_while_it_is_down),
		TEST(loses_nothing_when_compressed_while_it_runs),
		TEST(loses_nothing_when_compressed_while_it_is_down),
		TEST(notices_a_truncation_after_which_the_log_grew_longer),
		TEST(crashes_inside_an_old_file),
		TEST(reads_a_renamed_log_until_the_new_one_has_lines),
		TEST(goes_on_with_what_there_is_when_the_old_log_is_gone),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
