/* links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/proc.h"

#define SUPERVISOR 64120
#define WORKER 64121
#define SETS _LINUX_CAPABILITY_U32S_3

static bool set_capabilities(uint32_t which)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[SETS];

	memset(sets, 0, sizeof(sets));
	sets[0] = (struct __user_cap_data_struct) { which, which, which };
	return syscall(SYS_capset, &header, sets) == 0;
}

static bool has_any_capability(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct sets[SETS];

	return syscall(SYS_capget, &header, sets) != 0 || sets[0].effective != 0 ||
	    sets[0].permitted != 0 || sets[0].inheritable != 0 || sets[1].permitted != 0;
}

/* As systemd starts the supervisor: a user of its own, with these ambient capabilities. */
static bool become_supervisor(uint32_t which)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 ||
	    setresgid(SUPERVISOR, SUPERVISOR, SUPERVISOR) != 0 ||
	    setresuid(SUPERVISOR, SUPERVISOR, SUPERVISOR) != 0 || !set_capabilities(which))
		return false;
	for (unsigned int i = 0; i < 32; i++)
		if ((which & 1U << i) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
			return false;
	return true;
}

/* 0, or the number of the step that went wrong. */
static int worker_under_systemd(void)
{
	struct fail f;

	if (!become_supervisor(1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_CHOWN |
	    1U << CAP_KILL))
		return 1;
	if (!proc_may_change_user())
		return 2;
	if (proc_drop("64121:64121", &f) != SG_OK || getuid() != WORKER || getegid() != WORKER)
		return 3;
	if (has_any_capability() ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SETUID, 0, 0) != 0)
		return 4;
	if (setuid(SUPERVISOR) == 0 || setuid(0) == 0 || proc_may_change_user())
		return 5;
	return 0;
}

static int supervisor_without_rights(void)
{
	struct fail f;

	if (!become_supervisor(1U << CAP_SETUID))
		return 1;
	if (proc_may_change_user())
		return 2;
	/* it stays what it is */
	return proc_drop("64121:64121", &f) == SG_OK && getuid() == SUPERVISOR ? 0 : 3;
}

static int in_a_child(int (*body)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(body());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void a_worker_keeps_no_capability_of_its_supervisor(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(worker_under_systemd), 0);
}

static void without_the_rights_nobody_changes(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(in_a_child(supervisor_without_rights), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_keeps_no_capability_of_its_supervisor),
		cmocka_unit_test(without_the_rights_nobody_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
