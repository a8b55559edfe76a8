#include "gateway/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/fd.h"

/* ---- Landlock ---- */

/* Debian 12's headers know ABI 2; newer kernels take a longer structure. */
struct landlock_rules {
	uint64_t files;
	uint64_t net;		/* from ABI 4 on */
	uint64_t scoped;	/* from ABI 6 on */
};

#define FS_TRUNCATE (1ULL << 14)	/* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)	/* ABI 5 */
#define NET_CONNECT 2ULL		/* TCP, ABI 4 */
#define RULE_NET_PORT 2			/* enum landlock_rule_type */
#define NET_TCP 3ULL			/* bind and connect, ABI 4 */
#define SCOPE_ALL 3ULL			/* abstract sockets and signals, ABI 6 */

#define FS_READ ((uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR))
#define FS_WRITE ((uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG))
#define FS_OTHER ((uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | \
	LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | \
	LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM))

int sandbox_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static uint64_t handled_files(int abi)
{
	uint64_t files = FS_READ | FS_WRITE | FS_OTHER;

	if (abi >= 2)
		files |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		files |= FS_TRUNCATE;
	if (abi >= 5)
		files |= FS_IOCTL_DEV;
	return files;
}

static enum fail_code allow_path(int ruleset, const char *path, uint64_t access, struct fail *f)
{
	struct landlock_path_beneath_attr rule;
	enum fail_code code = SG_OK;
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return SG_OK;
	if (fd < 0 || fstat(fd, &st) != 0) {
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot open %s for the sandbox", path);
		fd_close(&fd);
		return code;
	}
	if (!S_ISDIR(st.st_mode))
		access &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
		    FS_TRUNCATE;
	rule.allowed_access = access;
	rule.parent_fd = fd;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot allow %s in the sandbox", path);
	fd_close(&fd);
	return code;
}

static enum fail_code allow_paths(int ruleset, const char *const *paths, uint64_t access,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	for (; paths != NULL && *paths != NULL && code == SG_OK; paths++)
		code = allow_path(ruleset, *paths, access, f);
	return code;
}

/* As struct landlock_net_port_attr. */
struct landlock_port {
	uint64_t access;
	uint64_t port;
};

static enum fail_code allow_port(int ruleset, unsigned int port, struct fail *f)
{
	const struct landlock_port rule = { NET_CONNECT, port };

	if (syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot allow port %u in the sandbox", port);
	return SG_OK;
}

static enum fail_code restrict_paths(const struct sandbox *sandbox, int abi, struct fail *f)
{
	struct landlock_rules rules;
	size_t size = abi >= 6 ? sizeof(rules) : abi >= 4 ? 16 : 8;
	enum fail_code code;
	int ruleset;

	rules.files = handled_files(abi);
	/* who may use the network connects where DNS says; Landlock knows only ports */
	rules.net = (sandbox->allow & SANDBOX_NETWORK) != 0 ? 0 : NET_TCP;
	rules.scoped = SCOPE_ALL;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
	if (ruleset < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "Landlock refuses our rules");
	code = allow_paths(ruleset, sandbox->read_paths, rules.files & FS_READ, f);
	if (code == SG_OK)
		code = allow_paths(ruleset, sandbox->write_paths,
		    rules.files & (FS_READ | FS_WRITE | FS_TRUNCATE), f);
	if (code == SG_OK && abi >= 4 && (sandbox->allow & SANDBOX_CONNECT_TCP) != 0)
		code = allow_port(ruleset, sandbox->tcp_port, f);
	if (code == SG_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "Landlock does not take effect");
	fd_close(&ruleset);
	return code;
}

/* ---- seccomp ---- */

#if defined(__x86_64__)
#define SANDBOX_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define SANDBOX_ARCH AUDIT_ARCH_AARCH64
#else
#error "the seccomp tables know x86_64 and aarch64"
#endif

/* AddressSanitizer needs calls of its own; that variant runs without the filter. */
#ifdef SG_SANITIZE
#define SANDBOX_FILTER false
#else
#define SANDBOX_FILTER true
#endif

static const int calls_always[] = {
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_pwrite64, SYS_close,
	SYS_fstat, SYS_newfstatat, SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap,
	SYS_madvise, SYS_brk, SYS_mlock, SYS_mlock2, SYS_munlock, SYS_memfd_create,
	SYS_ftruncate, SYS_fcntl, SYS_dup, SYS_dup3, SYS_ppoll, SYS_pselect6, SYS_epoll_create1,
	SYS_epoll_ctl, SYS_epoll_pwait, SYS_eventfd2, SYS_pipe2, SYS_recvmsg, SYS_sendmsg,
	SYS_recvfrom, SYS_sendto, SYS_shutdown, SYS_getsockopt, SYS_getsockname,
	SYS_getpeername, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_rt_sigtimedwait, SYS_sigaltstack, SYS_futex, SYS_set_robust_list, SYS_rseq,
	SYS_restart_syscall, SYS_sched_yield, SYS_sched_getaffinity, SYS_clock_gettime,
	SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_getrandom,
	SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	SYS_exit, SYS_exit_group, SYS_uname, SYS_sysinfo, SYS_getrusage, SYS_setitimer,
	SYS_times,
#if defined(__x86_64__)
	SYS_poll, SYS_select, SYS_epoll_wait, SYS_alarm, SYS_time,
#endif
};

static const int calls_read[] = {
	SYS_openat, SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_statfs,
	SYS_fstatfs, SYS_statx, SYS_getcwd, SYS_fadvise64,
#if defined(__x86_64__)
	SYS_open, SYS_access, SYS_readlink, SYS_stat, SYS_lstat,
#endif
};

static const int calls_write[] = {
	SYS_openat, SYS_unlinkat, SYS_mkdirat, SYS_renameat, SYS_renameat2, SYS_fsync,
	SYS_fdatasync, SYS_fchmod, SYS_fchmodat, SYS_utimensat, SYS_fallocate, SYS_flock,
	SYS_umask, SYS_fchown, SYS_truncate, SYS_copy_file_range,
#if defined(__x86_64__)
	SYS_open, SYS_unlink, SYS_mkdir, SYS_rmdir, SYS_rename, SYS_chmod,
#endif
};

static const int calls_accept[] = {
	SYS_accept4, SYS_accept, SYS_setsockopt,
};

static const int calls_connect[] = {
	SYS_connect, SYS_setsockopt,
};

/* libunbound binds its UDP sockets to random ports; libcurl and both look at interfaces. */
static const int calls_network[] = {
	SYS_connect, SYS_setsockopt, SYS_bind, SYS_sendmmsg, SYS_recvmmsg, SYS_ioctl,
	SYS_socketpair,
};

#define FILTER_MAX 512	/* instructions; the tables need about 300 */

struct filter {
	struct sock_filter code[FILTER_MAX];
	unsigned short size;
};

static void put_code(struct filter *filter, struct sock_filter instruction)
{
	SG_BUG_IF(filter->size >= FILTER_MAX);
	filter->code[filter->size++] = instruction;
}

static void put_load(struct filter *filter, size_t offset)
{
	put_code(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)offset));
}

static void put_return(struct filter *filter, uint32_t result)
{
	put_code(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, result));
}

/* Skips the next skip instructions unless the accumulator equals value. */
static void put_unless(struct filter *filter, uint32_t value, unsigned char skip)
{
	put_code(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip));
}

static void put_calls(struct filter *filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		put_unless(filter, (uint32_t)calls[i], 1);
		put_return(filter, SECCOMP_RET_ALLOW);
	}
}

#define PUT_CALLS(filter, calls) put_calls(filter, calls, sizeof(calls) / sizeof((calls)[0]))

/* A call whose first argument must be exactly value. */
static void put_call_first(struct filter *filter, int call, uint32_t value)
{
	put_unless(filter, (uint32_t)call, 4);
	put_load(filter, offsetof(struct seccomp_data, args));
	put_unless(filter, value, 1);
	put_return(filter, SECCOMP_RET_ALLOW);
	put_return(filter, SECCOMP_RET_ERRNO | EPERM);
}

/* Sockets of the internet and of this host; no raw ones, no packets. */
static void put_sockets(struct filter *filter)
{
	static const uint32_t families[] = { AF_UNIX, AF_INET, AF_INET6 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		put_unless(filter, SYS_socket, 4);
		put_load(filter, offsetof(struct seccomp_data, args));
		put_unless(filter, families[i], 1);
		put_return(filter, SECCOMP_RET_ALLOW);
		put_load(filter, offsetof(struct seccomp_data, nr));
	}
	put_unless(filter, SYS_socket, 1);
	put_return(filter, SECCOMP_RET_ERRNO | EPERM);
}

/* TCP as our code opens it, and nothing else. */
static void put_tcp(struct filter *filter)
{
	static const uint32_t families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		put_unless(filter, SYS_socket, 6);
		put_load(filter, offsetof(struct seccomp_data, args));
		put_unless(filter, families[i], 3);
		put_load(filter, offsetof(struct seccomp_data, args) + sizeof(uint64_t));
		put_unless(filter, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 1);
		put_return(filter, SECCOMP_RET_ALLOW);
		put_load(filter, offsetof(struct seccomp_data, nr));
	}
	put_unless(filter, SYS_socket, 1);
	put_return(filter, SECCOMP_RET_ERRNO | EPERM);
}

/* clone(2) for threads only; clone3 hides its flags, so libc is told to fall back on clone. */
static void put_threads(struct filter *filter)
{
	put_unless(filter, SYS_clone3, 1);
	put_return(filter, SECCOMP_RET_ERRNO | ENOSYS);
	put_unless(filter, SYS_clone, 4);
	put_load(filter, offsetof(struct seccomp_data, args));
	put_code(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD,
	    0, 1));
	put_return(filter, SECCOMP_RET_ALLOW);
	put_return(filter, SECCOMP_RET_ERRNO | EPERM);
}

static void put_head(struct filter *filter)
{
	put_load(filter, offsetof(struct seccomp_data, arch));
	put_code(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SANDBOX_ARCH,
	    1, 0));
	put_return(filter, SECCOMP_RET_KILL_PROCESS);
	put_load(filter, offsetof(struct seccomp_data, nr));
}

static void build_filter(struct filter *filter, unsigned int allow)
{
	filter->size = 0;
	put_head(filter);
	PUT_CALLS(filter, calls_always);
	if ((allow & SANDBOX_FILES_READ) != 0)
		PUT_CALLS(filter, calls_read);
	if ((allow & SANDBOX_FILES_WRITE) != 0)
		PUT_CALLS(filter, calls_write);
	if ((allow & (SANDBOX_ACCEPT | SANDBOX_SOCKET_INET)) != 0)
		PUT_CALLS(filter, calls_accept);
	if ((allow & SANDBOX_CONNECT_UNIX) != 0) {
		PUT_CALLS(filter, calls_connect);
		/* the network's list of families has it, and the first list that fits decides */
		if ((allow & SANDBOX_NETWORK) == 0)
			put_call_first(filter, SYS_socket, AF_UNIX);
	}
	if ((allow & SANDBOX_CONNECT_TCP) != 0) {
		PUT_CALLS(filter, calls_connect);
		put_tcp(filter);
	}
	if ((allow & SANDBOX_NETWORK) != 0) {
		PUT_CALLS(filter, calls_network);
		put_sockets(filter);
	}
	/* signals to ourselves alone: abort(3), pthread_kill(3) */
	put_call_first(filter, SYS_tgkill, (uint32_t)getpid());
	if ((allow & SANDBOX_THREADS) != 0)
		put_threads(filter);
	put_return(filter, SECCOMP_RET_ERRNO | EPERM);
}

static enum fail_code restrict_calls(unsigned int allow, struct fail *f)
{
	struct filter filter;
	struct sock_fprog program;

	build_filter(&filter, allow);
	program.len = filter.size;
	program.filter = filter.code;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
	    &program) != 0)
		return fail_errno(f, SG_ESYSTEM, "does this kernel have seccomp filters?",
		    "seccomp refuses our filter");
	return SG_OK;
}

enum fail_code sandbox_enter(const struct sandbox *sandbox, struct fail *f)
{
	enum fail_code code = SG_OK;
	int abi = sandbox_landlock_abi();

	if (abi == 0 && !sandbox->reduced)
		return fail_set(f, SG_ESYSTEM,
		    "use a kernel with Landlock (a container must be allowed to call it), or write "
		    "sandbox = reduced in sealgate.conf",
		    "this kernel has no Landlock");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot give up new privileges");
	if (abi > 0)
		code = restrict_paths(sandbox, abi, f);
	if (code == SG_OK && SANDBOX_FILTER)
		code = restrict_calls(sandbox->allow, f);
	return code;
}
