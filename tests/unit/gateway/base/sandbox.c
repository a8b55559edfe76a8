/* From inside each worker's rules: what is outside its role fails, what it needs works.
 * links: sealgate-vault */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/sandbox.h"
#include "gateway/base/str.h"

/* The rule sets of the four programs, as their main files have them. */
#define MILTER (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT | SANDBOX_CONNECT_UNIX | \
	SANDBOX_THREADS | SANDBOX_SOCKET_INET)
#define SCAN (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT | SANDBOX_THREADS)
#define PDF (SANDBOX_FILES_READ | SANDBOX_ACCEPT | SANDBOX_THREADS)
#define VAULT (SANDBOX_FILES_READ | SANDBOX_FILES_WRITE | SANDBOX_ACCEPT)

static char own_folder[64];	/* a folder that the rules allow */
static char own_file[80];
static char other_file[64];	/* readable by all, outside */

typedef bool attempt_fn(void);	/* true: the kernel let it */

static int setup(void **state)
{
	int fd;

	(void)state;
	(void)snprintf(own_folder, sizeof(own_folder), "/tmp/sealgate-unit-sandbox.XXXXXX");
	if (mkdtemp(own_folder) == NULL)
		return -1;
	(void)snprintf(own_file, sizeof(own_file), "%s/file", own_folder);
	(void)snprintf(other_file, sizeof(other_file), "/tmp/sealgate-unit-other.XXXXXX");
	fd = mkstemp(other_file);
	return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(own_file);
	(void)unlink(other_file);
	return rmdir(own_folder);
}

/* Runs one attempt in a child within the rules: 1 allowed, 0 denied, -1 trouble. */
static int inside(unsigned int allow, bool write_path, attempt_fn *attempt)
{
	const char *paths[] = { own_folder, NULL };
	struct sandbox sandbox = { .allow = allow, .reduced = true };
	struct fail f;
	int status;
	pid_t pid;

	sandbox.read_paths = write_path ? NULL : paths;
	sandbox.write_paths = write_path ? paths : NULL;
	pid = fork();
	if (pid == 0) {
		if (sandbox_enter(&sandbox, &f) != SG_OK)
			_exit(2);
		_exit(attempt() ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : -1;
}

static bool open_for(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	return fd >= 0 && close(fd) == 0;
}

static bool open_passwd(void)
{
	return open_for("/etc/passwd", O_RDONLY);
}

static bool open_other(void)
{
	return open_for(other_file, O_RDONLY);
}

static bool open_other_to_write(void)
{
	return open_for(other_file, O_WRONLY);
}

static bool open_proc(void)
{
	return open_for("/proc/self/mem", O_RDWR);
}

static bool write_own(void)
{
	return open_for(own_file, O_WRONLY | O_CREAT);
}

static bool read_own(void)
{
	return open_for(own_folder, O_RDONLY | O_DIRECTORY);
}

static bool socket_of(int family, int type)
{
	int s = socket(family, type, 0);

	return s >= 0 && close(s) == 0;
}

static bool socket_inet(void)
{
	return socket_of(AF_INET, SOCK_STREAM) || socket_of(AF_INET, SOCK_DGRAM);
}

static bool socket_inet6(void)
{
	return socket_of(AF_INET6, SOCK_STREAM);
}

static bool socket_netlink(void)
{
	return socket_of(AF_NETLINK, SOCK_RAW) || socket_of(AF_PACKET, SOCK_RAW);
}

static bool socket_unix(void)
{
	return socket_of(AF_UNIX, SOCK_SEQPACKET);
}

static bool execute(void)
{
	char name[] = "true";
	char *const arguments[] = { name, NULL };
	char *const environment[] = { NULL };

	/* if it is let, "true" answers 0, which must not look like a denial */
	(void)execve("/bin/false", arguments, environment);
	return errno != EPERM && errno != EACCES;
}

static bool trace_parent(void)
{
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0 ||
	    (errno != EPERM && errno != EACCES) || ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool signal_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool make_process(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static bool call_refused(long result)
{
	return result < 0 && errno == EPERM;
}

/* Ways around or up: new namespaces, mounts, users, kernel interfaces. */
static bool climb(void)
{
	return !(call_refused(syscall(SYS_unshare, 0x10000000)) &&
	    call_refused(syscall(SYS_mount, "none", own_folder, "tmpfs", 0, NULL)) &&
	    call_refused(syscall(SYS_setuid, 0)) &&
	    call_refused(syscall(SYS_chroot, own_folder)) &&
	    call_refused(syscall(SYS_bpf, 0, NULL, 0)) &&
	    call_refused(syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0)) &&
	    call_refused(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0)) &&
	    call_refused(syscall(SYS_pidfd_open, getppid(), 0)) &&
	    call_refused(syscall(SYS_io_uring_setup, 1, NULL)) &&
	    call_refused(syscall(SYS_keyctl, 0, 0, 0, 0, 0)) &&
	    call_refused(syscall(SYS_userfaultfd, 0)));
}

static const unsigned int roles[] = { MILTER, SCAN, PDF, VAULT };

#define ROLES (sizeof(roles) / sizeof(roles[0]))

/* The sanitizers' variant runs without the filter. */
#ifdef SG_SANITIZE
#define HAS_FILTER false
#else
#define HAS_FILTER true
#endif

static void denied_to_all(attempt_fn *attempt)
{
	if (!HAS_FILTER)
		skip();
	for (size_t i = 0; i < ROLES; i++)
		assert_int_equal(inside(roles[i], roles[i] != PDF, attempt), 0);
}

static void files_outside_cannot_be_opened(void **state)
{
	(void)state;
	if (sandbox_landlock_abi() == 0)
		skip();
	for (size_t i = 0; i < ROLES; i++) {
		assert_int_equal(inside(roles[i], roles[i] != PDF, open_passwd), 0);
		assert_int_equal(inside(roles[i], roles[i] != PDF, open_other), 0);
		assert_int_equal(inside(roles[i], roles[i] != PDF, open_other_to_write), 0);
		assert_int_equal(inside(roles[i], roles[i] != PDF, open_proc), 0);
	}
}

static void own_folder_is_what_the_role_says(void **state)
{
	(void)state;
	assert_int_equal(inside(MILTER, true, write_own), 1);
	assert_int_equal(inside(SCAN, true, write_own), 1);
	assert_int_equal(inside(VAULT, true, write_own), 1);
	assert_int_equal(inside(PDF, false, read_own), 1);
	if (sandbox_landlock_abi() > 0)
		assert_int_equal(inside(PDF, false, write_own), 0);
}

static void without_files_nothing_can_be_opened(void **state)
{
	(void)state;
	if (!HAS_FILTER)
		skip();
	assert_int_equal(inside(SANDBOX_ACCEPT, true, read_own), 0);
	assert_int_equal(inside(SANDBOX_ACCEPT, true, write_own), 0);
}

static void no_network_socket(void **state)
{
	(void)state;
	denied_to_all(socket_inet);
	denied_to_all(socket_inet6);
	denied_to_all(socket_netlink);
}

static void only_the_filter_makes_unix_sockets(void **state)
{
	(void)state;
	if (!HAS_FILTER)
		skip();
	assert_int_equal(inside(MILTER, true, socket_unix), 1);
	assert_int_equal(inside(SCAN, true, socket_unix), 0);
	assert_int_equal(inside(PDF, false, socket_unix), 0);
	assert_int_equal(inside(VAULT, true, socket_unix), 0);
}

static void no_program_can_be_executed(void **state)
{
	(void)state;
	denied_to_all(execute);
}

static void no_process_can_be_traced_or_signalled(void **state)
{
	(void)state;
	denied_to_all(trace_parent);
	denied_to_all(signal_parent);
}

static void no_process_can_be_made(void **state)
{
	(void)state;
	denied_to_all(make_process);
}

static void no_way_up(void **state)
{
	(void)state;
	denied_to_all(climb);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_outside_cannot_be_opened),
		cmocka_unit_test(own_folder_is_what_the_role_says),
		cmocka_unit_test(without_files_nothing_can_be_opened),
		cmocka_unit_test(no_network_socket),
		cmocka_unit_test(only_the_filter_makes_unix_sockets),
		cmocka_unit_test(no_program_can_be_executed),
		cmocka_unit_test(no_process_can_be_traced_or_signalled),
		cmocka_unit_test(no_process_can_be_made),
		cmocka_unit_test(no_way_up),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
