/* links: sealgate */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/cmd/memory.h"

#define MIB (UINT64_C(1) << 20)

/* A folder that looks like the kernel's files. */
static char root[64];

static void put(const char *path, const char *text)
{
	char whole[256];

	for (const char *slash = path; (slash = strchr(slash, '/')) != NULL; slash++) {
		(void)snprintf(whole, sizeof(whole), "%s/%.*s", root, (int)(slash - path), path);
		(void)mkdir(whole, 0700);
	}
	(void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
	assert_int_equal(fd_replace_file(whole, text, strlen(text), 0600, NULL), SG_OK);
}

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(root, sizeof(root), "/tmp/sealgate-test.XXXXXX");
	assert_non_null(mkdtemp(root));
	put("proc/meminfo", "MemTotal:       24683796 kB\nMemFree:        100 kB\n"
	    "MemAvailable:    2097152 kB\n");
	return 0;
}

static int tear_down(void **state)
{
	int folder = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_true(folder >= 0);
	fd_empty_folder(folder);
	assert_int_equal(rmdir(root), 0);
	return 0;
}

static void without_control_groups_it_is_what_the_machine_has(void **state)
{
	(void)state;
	assert_int_equal(memory_available(root), 2048 * MIB);
}

static void the_tightest_control_group_counts(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/system.slice/sealgate.service\n");
	put("sys/fs/cgroup/system.slice/sealgate.service/memory.max", "max\n");
	put("sys/fs/cgroup/system.slice/sealgate.service/memory.current", "4096\n");
	assert_int_equal(memory_available(root), 2048 * MIB);
	put("sys/fs/cgroup/system.slice/memory.max", "1048576000\n");
	put("sys/fs/cgroup/system.slice/memory.current", "943718400\n");
	assert_int_equal(memory_available(root), 100 * MIB);
	/* file cache can be dropped */
	put("sys/fs/cgroup/system.slice/memory.stat", "anon 1\ninactive_file 52428800\n");
	assert_int_equal(memory_available(root), 150 * MIB);
}

static void a_group_over_its_bound_has_nothing_left(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/memory.max", "1000\n");
	put("sys/fs/cgroup/memory.current", "2000\n");
	assert_int_equal(memory_available(root), 0);
}

static void what_cannot_be_told_is_no_bound(void **state)
{
	(void)state;
	assert_int_equal(memory_available("/nonexistent"), UINT64_MAX);
	assert_int_equal(memory_peak(root, 1), 0);
}

static void the_peak_of_a_process_is_known(void **state)
{
	(void)state;
	put("proc/77/status", "Name:\tsealgate-scan\nVmPeak:\t 9999 kB\nVmHWM:\t    2048 kB\n");
	assert_int_equal(memory_peak(root, 77), 2 * MIB);
	assert_true(memory_peak("", getpid()) > 0);
}

static void a_hidden_process_counts_as_its_whole_group(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/system.slice/sealgate.service\n");
	put("sys/fs/cgroup/system.slice/sealgate.service/memory.current", "4096\n");
	assert_int_equal(memory_peak(root, 78), 4096);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_control_groups_it_is_what_the_machine_has),
		CASE(the_tightest_control_group_counts),
		CASE(a_group_over_its_bound_has_nothing_left),
		CASE(what_cannot_be_told_is_no_bound),
		CASE(the_peak_of_a_process_is_known),
		CASE(a_hidden_process_counts_as_its_whole_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
