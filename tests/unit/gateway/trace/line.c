/* links: sealgate-trace */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "gateway/trace/line.h"

#define SECOND ((int64_t)1000)
#define DAY (24 * 3600 * SECOND)
#define NOW_MS (1795550400 * SECOND)	/* 2026-11-24T20:00:00Z */

static void zone(const char *name)
{
	assert_int_equal(setenv("TZ", name, 1), 0);
	tzset();
}

static int64_t time_of(const char *text, int64_t now_ms)
{
	struct line line;

	return line_parse(text, now_ms, &line) ? line.time_ms : -1;
}

static void takes_a_traditional_line_apart(void **state)
{
	struct line line;

	(void)state;
	zone("UTC");
	assert_true(line_parse("Nov 24 19:41:13 gate postfix/smtp[9316]: hello: world", NOW_MS,
	    &line));
	assert_int_equal(line.time_ms, 1795549273 * SECOND);
	assert_string_equal(line.program, "postfix/smtp");
	assert_int_equal(line.pid, 9316);
	assert_string_equal(line.text, "hello: world");
}

static void finds_the_year_that_is_not_written(void **state)
{
	(void)state;
	zone("UTC");
	assert_int_equal(time_of("Dec 31 23:59:59 g a/b[1]: x", NOW_MS),
	    1767225599 * SECOND);			/* 2025 */
	assert_int_equal(time_of("Jan  1 00:00:01 g a/b[1]: x", NOW_MS),
	    1767225601 * SECOND);			/* 2026 */
	/* a clock that is a little behind makes no year of it */
	assert_int_equal(time_of("Nov 24 20:30:00 g a/b[1]: x", NOW_MS), NOW_MS + DAY / 48);
}

static void knows_local_time(void **state)
{
	(void)state;
	zone("CET-1CEST,M3.5.0,M10.5.0/3");
	assert_int_equal(time_of("Nov 24 20:41:13 g a/b[1]: x", NOW_MS), 1795549273 * SECOND);
	assert_int_equal(time_of("Jul  1 12:00:00 g a/b[1]: x", NOW_MS), 1782900000 * SECOND);
	zone("UTC");
}

static void takes_rfc_3339_times(void **state)
{
	(void)state;
	assert_int_equal(time_of("2026-11-24T19:41:13Z g a/b[1]: x", 0), 1795549273 * SECOND);
	assert_int_equal(time_of("2026-11-24T20:41:13.123456+01:00 g a/b[1]: x", 0),
	    1795549273 * SECOND + 123);
	assert_int_equal(time_of("2026-11-24T14:11:13.5-05:30 g a/b[1]: x", 0),
	    1795549273 * SECOND + 500);
}

static void refuses_what_is_no_such_line(void **state)
{
	static const char *const lines[] = {"", " ", "Nov", "Nov 24", "Nov 24 19:41:13",
	    "Nov 24 19:41:13 gate", "Nov 24 19:41:13 gate postfix/smtp",
	    "Nov 24 19:41:13 gate postfix/smtp[", "Nov 24 19:41:13 gate postfix/smtp[1]",
	    "Nov 24 19:41:13 gate postfix/smtp[1]:", "Nov 24 19:41:13 gate kernel[1]: x",
	    "Nox 24 19:41:13 gate a/b[1]: x", "Nov 24 25:41:13 gate a/b[1]: x",
	    "Nov 24 19:41:13 gate a/b[99999999999]: x", "2026-11-24T19:41:13 g a/b[1]: x",
	    "2026-11-24T19:41:13.1234567890123456789012345678901234567890",
	    "0000-00-00T00:00:00Z g a/b[1]: x"};
	struct line line;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(line_parse(lines[i], NOW_MS, &line));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_traditional_line_apart),
		cmocka_unit_test(finds_the_year_that_is_not_written),
		cmocka_unit_test(knows_local_time),
		cmocka_unit_test(takes_rfc_3339_times),
		cmocka_unit_test(refuses_what_is_no_such_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
