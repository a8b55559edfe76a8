/* Log lines: nothing from mail starts a line, forges a key or leaks memory.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "gateway/base/fail.h"
#include "gateway/base/log.h"

static char written[3 * LOG_LINE_MAX];
static size_t written_size;

/* What log_end writes to standard error, in written. */
static void finish(struct log_line *line)
{
	int saved = dup(STDERR_FILENO);
	int ends[2];
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	log_end(line);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	(void)close(ends[1]);
	n = read(ends[0], written, sizeof(written) - 1);
	(void)close(ends[0]);
	assert_true(n >= 0);
	written_size = (size_t)n;
	written[written_size] = '\0';
}

static void one_value(const char *id, const char *value)
{
	struct log_line line;

	memset(&line, 'U', sizeof(line));	/* what an unset byte would show */
	log_begin(&line, LOG_LEVEL_NOTICE, id, "event");
	log_str(&line, "key", value);
	finish(&line);
}

static void one_event_is_one_line(void **state)
{
	(void)state;
	one_value("4Xabc", "plain");
	assert_string_equal(written, "test: 4Xabc: notice event key=plain\n");
	one_value(NULL, "two words");
	assert_string_equal(written, "test: notice event key=\"two words\"\n");
	one_value("", NULL);
	assert_string_equal(written, "test: notice event key=\"\"\n");
}

static void values_cannot_start_a_line_or_forge_a_key(void **state)
{
	(void)state;
	one_value(NULL, "x\ntest: notice forged");
	assert_string_equal(written, "test: notice event key=\"x\\x0atest: notice forged\"\n");
	one_value(NULL, "x\r\x1b[2J\x7f");
	assert_string_equal(written, "test: notice event key=x\\x0d\\x1b[2J\\x7f\n");
	one_value(NULL, "a\" verdict=\"clean");
	assert_string_equal(written, "test: notice event key=\"a\\\" verdict=\\\"clean\"\n");
	one_value(NULL, "verdict=clean\\");
	assert_string_equal(written, "test: notice event key=\"verdict=clean\\\\\"\n");
}

static void utf8_stays_and_what_is_none_is_escaped(void **state)
{
	(void)state;
	one_value(NULL, "Gr\xc3\xbc\xc3\x9f" "e");
	assert_string_equal(written, "test: notice event key=Gr\xc3\xbc\xc3\x9f" "e\n");
	one_value(NULL, "\xff\xc3");
	assert_string_equal(written, "test: notice event key=\\xff\\xc3\n");
	one_value(NULL, "\xc2\x9b" "2J");	/* a C1 control */
	assert_string_equal(written, "test: notice event key=\\xc2\\x9b2J\n");
}

static void a_strange_queue_id_is_cut(void **state)
{
	(void)state;
	one_value("4X\ntest: error forged", "v");
	assert_string_equal(written, "test: 4X: notice event key=v\n");
}

static void below_the_level_nothing_is_written(void **state)
{
	struct log_line line;

	(void)state;
	log_begin(&line, LOG_LEVEL_DEBUG, NULL, "event");
	log_str(&line, "key", "value");
	log_int(&line, "number", 1);
	finish(&line);
	assert_int_equal(written_size, 0);
}

/* Every length around the end of a line: it ends in dots or in its own last byte, never in more. */
static void lines_of_every_length_are_whole_or_cut(void **state)
{
	char value[500];

	(void)state;
	memset(value, 'v', sizeof(value));
	value[sizeof(value) - 1] = '\0';
	for (size_t last = 1; last < 500; last++) {
		struct log_line line;

		memset(&line, 'U', sizeof(line));
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "event");
		for (int i = 0; i < 4; i++)
			log_str(&line, "k", i < 3 ? value : value + sizeof(value) - last);
		log_str(&line, "k", "end");
		finish(&line);
		assert_true(written_size <= LOG_LINE_MAX);
		assert_null(strchr(written, 'U'));
		assert_ptr_equal(strchr(written, '\n'), written + written_size - 1);
		assert_true(strstr(written, "...\n") != NULL || strstr(written, "k=end\n") != NULL);
	}
	for (size_t size = 1990; size < 2100; size++) {
		struct log_line line;

		memset(&line, 'U', sizeof(line));
		log_begin(&line, LOG_LEVEL_NOTICE, NULL, "event");
		while (line.size + 100 < size)
			log_str(&line, "k", "12345678901234567890");
		while (line.size < size && line.size < LOG_LINE_MAX - 4)
			log_str(&line, "k", "");
		finish(&line);
		assert_null(strchr(written, 'U'));
		assert_int_equal(strlen(written), written_size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_event_is_one_line),
		cmocka_unit_test(values_cannot_start_a_line_or_forge_a_key),
		cmocka_unit_test(utf8_stays_and_what_is_none_is_escaped),
		cmocka_unit_test(a_strange_queue_id_is_cut),
		cmocka_unit_test(below_the_level_nothing_is_written),
		cmocka_unit_test(lines_of_every_length_are_whole_or_cut),
	};

	log_start("test", LOG_LEVEL_NOTICE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
