/* links: sealgate-scan */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "milter/scan/watch.h"

static void a_disk_that_is_full_is_noticed_when_the_file_is_closed(void **state)
{
	struct watch watch;
	FILE *file = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(file);
	watch_begin(&watch);
	assert_true(fputs("late", file) >= 0);
	assert_int_not_equal(fclose(file), 0);
	watch_end();
	assert_non_null(strstr(watch.trouble, "No space left"));
}

static void a_write_that_fails_is_noticed(void **state)
{
	struct watch watch;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	watch_begin(&watch);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	watch_end();
	assert_non_null(strstr(watch.trouble, "No space left"));
	(void)close(fd);
}

static void looking_for_a_file_that_is_not_there_is_no_trouble(void **state)
{
	struct watch watch;

	(void)state;
	watch_begin(&watch);
	assert_int_equal(open64("/nonexistent", O_RDONLY | O_CLOEXEC), -1);
	watch_end();
	assert_string_equal(watch.trouble, "");
	assert_string_equal(watch.warning, "");
}

static void a_folder_that_is_gone_is_trouble(void **state)
{
	struct watch watch;

	(void)state;
	watch_begin(&watch);
	assert_int_equal(open64("/nonexistent/a", O_CREAT | O_WRONLY | O_CLOEXEC, 0600), -1);
	watch_end();
	assert_string_not_equal(watch.trouble, "");
}

static void a_name_that_is_too_long_is_the_contents_fault(void **state)
{
	struct watch watch;
	char name[400];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name, "/tmp/", 5);
	name[sizeof(name) - 1] = '\0';
	watch_begin(&watch);
	assert_int_equal(open64(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), -1);
	watch_end();
	assert_string_equal(watch.trouble, "");
	assert_string_not_equal(watch.warning, "");
}

static void outside_of_a_scan_nothing_is_kept(void **state)
{
	struct watch watch;
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	watch_begin(&watch);
	watch_end();
	assert_int_equal(write(fd, "x", 1), -1);
	assert_string_equal(watch.trouble, "");
	(void)close(fd);
}

static void warnings_are_compared_without_random_names(void **state)
{
	(void)state;
	assert_true(watch_same_warning("cannot open /tmp/a1: bad", "cannot open /tmp/b22: bad"));
	assert_true(watch_same_warning("at 0x17 bad", "at  99 bad"));
	assert_false(watch_same_warning("bad header", "bad trailer"));
	assert_false(watch_same_warning("bad", "bad header"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_is_full_is_noticed_when_the_file_is_closed),
		cmocka_unit_test(a_write_that_fails_is_noticed),
		cmocka_unit_test(looking_for_a_file_that_is_not_there_is_no_trouble),
		cmocka_unit_test(a_folder_that_is_gone_is_trouble),
		cmocka_unit_test(a_name_that_is_too_long_is_the_contents_fault),
		cmocka_unit_test(outside_of_a_scan_nothing_is_kept),
		cmocka_unit_test(warnings_are_compared_without_random_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
