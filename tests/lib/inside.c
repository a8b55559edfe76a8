/*
 * inside PID: makes system calls inside a running process, as its own code would, and prints what
 * the kernel says, a line each: "open EPERM", "socket-inet ok".
 *
 * By ptrace(2): the process stops, its registers and the bytes at its instruction pointer are put
 * aside, each call is made by a "syscall" instruction there, and all is put back. So what is proved
 * is the door of this very process, whatever its program would do. x86-64; elsewhere it ends with
 * status 77.
 * Calls that succeed are undone (close). The first thread is used: seccomp holds for all of them,
 * Landlock for those that started behind the door.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__)
int main(void)
{
	return 77;
}
#else

#define PATH_AT 512	/* bytes below the stack pointer, under the red zone */

struct target {
	pid_t pid;
	struct user_regs_struct before;
	long code;		/* what stood at the instruction pointer */
	unsigned long room;	/* where a text may be put */
};

static void die(const char *what)
{
	perror(what);
	exit(70);
}

static void put_text(const struct target *target, unsigned long at, const char *text)
{
	char bytes[64] = "";

	(void)snprintf(bytes, sizeof(bytes), "%s", text);
	for (size_t i = 0; i < sizeof(bytes); i += sizeof(long)) {
		long word;

		memcpy(&word, bytes + i, sizeof(word));
		if (ptrace(PTRACE_POKEDATA, target->pid, at + i, word) != 0)
			die("inside: poke");
	}
}

/* The result, or -errno. */
static long call(const struct target *target, long number, unsigned long a, unsigned long b,
    unsigned long c, unsigned long d)
{
	struct user_regs_struct regs = target->before;
	int status;

	regs.rax = (unsigned long)number;
	regs.orig_rax = (unsigned long)-1;	/* no call that is begun again */
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	regs.r10 = d;
	regs.r8 = 0;
	regs.r9 = 0;
	if (ptrace(PTRACE_SETREGS, target->pid, 0, &regs) != 0 ||
	    ptrace(PTRACE_SINGLESTEP, target->pid, 0, 0) != 0)
		die("inside: step");
	if (waitpid(target->pid, &status, __WALL) != target->pid || !WIFSTOPPED(status))
		die("inside: the process is gone");
	if (ptrace(PTRACE_GETREGS, target->pid, 0, &regs) != 0)
		die("inside: registers");
	return (long)regs.rax;
}

static void say(const char *name, long result)
{
	(void)printf("%s %s\n", name, result >= 0 ? "ok" : strerrorname_np((int)-result));
}

static void try_open(const struct target *target, const char *name, const char *path, int flags)
{
	long fd;

	put_text(target, target->room, path);
	fd = call(target, SYS_openat, (unsigned long)AT_FDCWD, target->room, (unsigned long)flags,
	    0600);
	say(name, fd);
	if (fd >= 0)
		(void)call(target, SYS_close, (unsigned long)fd, 0, 0, 0);
}

static void try_socket(const struct target *target, const char *name, int family, int type)
{
	long fd = call(target, SYS_socket, (unsigned long)family, (unsigned long)type,
	    family == AF_INET && type == SOCK_RAW ? IPPROTO_ICMP : 0, 0);

	say(name, fd);
	if (fd >= 0)
		(void)call(target, SYS_close, (unsigned long)fd, 0, 0, 0);
}

static void try_all(const struct target *target)
{
	try_open(target, "open", "/etc/passwd", O_RDONLY);
	try_open(target, "create", "/tmp/inside.was.here", O_WRONLY | O_CREAT);
	try_socket(target, "socket-unix", AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
	try_socket(target, "socket-inet", AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
	try_socket(target, "socket-raw", AF_INET, SOCK_RAW);
	try_socket(target, "socket-packet", AF_PACKET, SOCK_RAW);
	try_socket(target, "socket-netlink", AF_NETLINK, SOCK_RAW);
	put_text(target, target->room, "/bin/true");
	say("exec", call(target, SYS_execve, target->room, 0, 0, 0));
	say("ptrace", call(target, SYS_ptrace, PTRACE_ATTACH, (unsigned long)getppid(), 0, 0));
	say("kill", call(target, SYS_kill, (unsigned long)getppid(), 0, 0, 0));
	say("fork", call(target, SYS_fork, 0, 0, 0, 0));
	say("clone", call(target, SYS_clone, SIGCHLD, 0, 0, 0));
	say("unshare", call(target, SYS_unshare, CLONE_NEWUSER, 0, 0, 0));
	say("setuid", call(target, SYS_setuid, 0, 0, 0, 0));
	say("memory-of-others", call(target, SYS_process_vm_readv, (unsigned long)getppid(), 0, 0,
	    0));
}

static void attach(struct target *target)
{
	int status;

	if (ptrace(PTRACE_SEIZE, target->pid, 0, 0) != 0 ||
	    ptrace(PTRACE_INTERRUPT, target->pid, 0, 0) != 0)
		die("inside: cannot attach");
	if (waitpid(target->pid, &status, __WALL) != target->pid || !WIFSTOPPED(status))
		die("inside: the process does not stop");
	if (ptrace(PTRACE_GETREGS, target->pid, 0, &target->before) != 0)
		die("inside: registers");
	errno = 0;
	target->code = ptrace(PTRACE_PEEKTEXT, target->pid, target->before.rip, 0);
	if (errno != 0)
		die("inside: code");
	/* 0f 05: syscall */
	if (ptrace(PTRACE_POKETEXT, target->pid, target->before.rip,
	    (long)((unsigned long)target->code & ~0xffffUL) | 0x050f) != 0)
		die("inside: code");
	target->room = (target->before.rsp - PATH_AT) & ~15UL;
}

static void detach(const struct target *target)
{
	struct user_regs_struct regs = target->before;

	/*
	 * A call that we interrupted ends as if by a signal: the kernel does not begin it again
	 * for us, since our own calls came between.
	 */
	if ((long)regs.orig_rax >= 0 && (long)regs.rax >= -516 && (long)regs.rax <= -512)
		regs.rax = (unsigned long)-EINTR;
	regs.orig_rax = (unsigned long)-1;
	if (ptrace(PTRACE_POKETEXT, target->pid, target->before.rip, target->code) != 0 ||
	    ptrace(PTRACE_SETREGS, target->pid, 0, &regs) != 0 ||
	    ptrace(PTRACE_DETACH, target->pid, 0, 0) != 0)
		die("inside: cannot detach");
}

int main(int argc, char *argv[])
{
	struct target target = { .pid = argc == 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0 };

	if (target.pid <= 0) {
		(void)fprintf(stderr, "inside PID\n");
		return 64;
	}
	attach(&target);
	try_all(&target);
	detach(&target);
	return 0;
}
#endif
