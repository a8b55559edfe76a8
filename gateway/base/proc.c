#include "gateway/base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/str.h"

#define CONFIG_WAIT_MS 10000
#define STANDBY_OPTION "--standby"
#define HIGH_FD 100	/* descriptors are moved above this before they get their places */

/* AddressSanitizer maps terabytes: no bound on address space there. */
#ifdef SG_SANITIZE
#define PROC_BOUND_MEMORY false
#define PROC_DUMPABLE 1
/*
 * Workers start without the caller's environment, and from inside the sandbox LeakSanitizer cannot
 * look at its own process: leaks are looked for in the tests' processes, by ASAN_OPTIONS.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0:allocator_may_return_null=1";
}
#else
#define PROC_BOUND_MEMORY true
#define PROC_DUMPABLE 0
#endif

/* ---- the worker's side ---- */

static bool is_socket(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static enum fail_code check_birth(int argc, char *const argv[], struct proc_boot *boot,
    struct fail *f)
{
	uint64_t count;

	boot->stands_by = argc == 4 && strcmp(argv[3], STANDBY_OPTION) == 0;
	if (argc != (boot->stands_by ? 4 : 3) || strcmp(argv[1], "--listeners") != 0 ||
	    str_parse_u64(argv[2], 0, PROC_LISTENERS_MAX, &count) != SG_OK ||
	    !is_socket(PROC_CONTROL_FD))
		return fail_set(f, SG_EUSAGE, "start it with: sealgate run",
		    "this program is a worker of the gateway and is not started by hand");
	if (count > 0) {
		boot->counters = counters_map(PROC_LISTENER_FD + (int)count - 1);
		if (boot->counters != NULL)
			(void)close(PROC_LISTENER_FD + (int)--count);
	}
	for (size_t i = 0; i < count; i++) {
		boot->listeners[i] = PROC_LISTENER_FD + (int)i;
		if (!is_socket(boot->listeners[i]))
			return fail_set(f, SG_EUSAGE, NULL, "descriptor %d is no socket",
			    boot->listeners[i]);
		(void)fcntl(boot->listeners[i], F_SETFD, FD_CLOEXEC);
	}
	boot->listener_count = (size_t)count;
	(void)fcntl(PROC_CONTROL_FD, F_SETFD, FD_CLOEXEC);
	return SG_OK;
}

/* What no worker wants: core dumps with mail in them, and death by a closed peer. */
static void quiet_process(void)
{
	static const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, PROC_DUMPABLE, 0, 0, 0);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)umask(077);
}

enum fail_code proc_worker_start(int argc, char *const argv[], struct proc_boot *boot,
    struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	memset(boot, 0, sizeof(*boot));
	boot->control = PROC_CONTROL_FD;
	buf_init(&boot->config, PROC_CONFIG_MAX);
	code = check_birth(argc, argv, boot, f);
	if (code != SG_OK)
		return code;
	quiet_process();
	wire_message_init(&message, 0);
	code = wire_receive(boot->control, &message, CONFIG_WAIT_MS, f);
	if (code == SG_OK && (message.type != PROC_CONFIG || message.fd < 0))
		code = fail_set(f, SG_EFORMAT, NULL, "the supervisor sent no configuration");
	if (code == SG_OK && lseek(message.fd, 0, SEEK_SET) != 0)
		code = fail_errno(f, SG_ESYSTEM, NULL, "cannot read the configuration sent");
	if (code == SG_OK)
		code = fd_read_all(message.fd, &boot->config, f);
	wire_message_free(&message);
	return code;
}

void proc_boot_free(struct proc_boot *boot)
{
	buf_free(&boot->config);
}

static enum fail_code set_limit(int which, rlim_t value, const char *name, struct fail *f)
{
	struct rlimit limit;

	/* only downwards: a bound that is there already stays */
	if (getrlimit((__rlimit_resource_t)which, &limit) == 0 &&
	    limit.rlim_max != RLIM_INFINITY && value > limit.rlim_max)
		value = limit.rlim_max;
	limit.rlim_cur = value;
	limit.rlim_max = value;
	if (setrlimit((__rlimit_resource_t)which, &limit) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot bound %s", name);
	return SG_OK;
}

enum fail_code proc_limit(size_t memory_max, unsigned int files_max, unsigned int cpu_seconds_max,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	if (memory_max > 0 && PROC_BOUND_MEMORY)
		code = set_limit(RLIMIT_AS, memory_max, "memory", f);
	if (code == SG_OK && files_max > 0)
		code = set_limit(RLIMIT_NOFILE, files_max, "open files", f);
	if (code == SG_OK && cpu_seconds_max > 0)
		code = set_limit(RLIMIT_CPU, cpu_seconds_max, "CPU time", f);
	return code;
}

static enum fail_code numeric_user(const char *user, uid_t *uid_out, gid_t *gid_out)
{
	const char *colon = strchr(user, ':');
	char *first = colon == NULL ? NULL : str_dup_n(user, (size_t)(colon - user));
	uint64_t uid;
	uint64_t gid;
	enum fail_code code = SG_EFORMAT;

	if (first != NULL && str_parse_u64(first, 1, INT32_MAX, &uid) == SG_OK &&
	    str_parse_u64(colon + 1, 1, INT32_MAX, &gid) == SG_OK) {
		*uid_out = (uid_t)uid;
		*gid_out = (gid_t)gid;
		code = SG_OK;
	}
	free(first);
	return code;
}

enum fail_code proc_user(const char *user, uid_t *uid_out, gid_t *gid_out, struct fail *f)
{
	char space[4096];
	struct passwd entry;
	struct passwd *found = NULL;

	if (numeric_user(user, uid_out, gid_out) == SG_OK)
		return SG_OK;
	if (getpwnam_r(user, &entry, space, sizeof(space), &found) != 0 || found == NULL)
		return fail_set(f, SG_EUSAGE,
		    "make it (useradd --system --shell /usr/sbin/nologin NAME), or name another",
		    "there is no user %s", user);
	if (entry.pw_uid == 0)
		return fail_set(f, SG_EUSAGE, "name a user without rights",
		    "user %s is root", user);
	*uid_out = entry.pw_uid;
	*gid_out = entry.pw_gid;
	return SG_OK;
}

/* capabilities(7): version 3 of the interface has two words a set. */
static bool get_capabilities(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &header, sets) == 0;
}

bool proc_may_change_user(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint32_t needed = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_CHOWN;

	if (geteuid() == 0)
		return true;
	return get_capabilities(sets) && (sets[0].effective & needed) == needed;
}

/* The kernel takes them from root that becomes another, but not from anybody else. */
static bool drop_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	memset(none, 0, sizeof(none));
	/* what is not permitted is taken out of the ambient set by the kernel */
	return syscall(SYS_capset, &header, none) == 0;
}

enum fail_code proc_drop(const char *user, struct fail *f)
{
	uid_t uid;
	gid_t gid;
	enum fail_code code;

	if (!proc_may_change_user())
		return SG_OK;
	code = proc_user(user, &uid, &gid, f);
	if (code != SG_OK)
		return code;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0 || !drop_capabilities())
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot become user %s", user);
	SG_BUG_IF(setuid(0) == 0);
	/* a change of user makes a process dumpable by the rules of the system */
	(void)prctl(PR_SET_DUMPABLE, PROC_DUMPABLE, 0, 0, 0);
	return SG_OK;
}

static enum fail_code say(const struct proc_boot *boot, enum proc_message type, const char *text,
    struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	wire_message_init(&message, type);
	if (buf_put_str(&message.body, text) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory");
	else
		code = wire_send(boot->control, &message, CONFIG_WAIT_MS, f);
	wire_message_free(&message);
	return code;
}

enum fail_code proc_worker_ready(const struct proc_boot *boot, const char *text, struct fail *f)
{
	return say(boot, PROC_READY, text, f);
}

enum fail_code proc_worker_unwell(const struct proc_boot *boot, const char *text, struct fail *f)
{
	return say(boot, PROC_UNWELL, text, f);
}

void proc_worker_outdated(const struct proc_boot *boot)
{
	struct wire_message message;

	wire_message_init(&message, PROC_OUTDATED);
	(void)!wire_send(boot->control, &message, 0, NULL);
	wire_message_free(&message);
}

void proc_worker_failed(const struct proc_boot *boot, const struct fail *f)
{
	struct wire_message message;

	if (!is_socket(boot->control)) {
		(void)dprintf(STDERR_FILENO, "%s%s%s%s\n", f->what, f->hint[0] ? " (" : "",
		    f->hint, f->hint[0] ? ")" : "");
		return;
	}
	wire_message_init(&message, WIRE_FAILURE);
	wire_put_fail(&message, f);
	/* a parent that is gone is no news to tell */
	if (wire_send(boot->control, &message, CONFIG_WAIT_MS, NULL) != SG_OK &&
	    f->code != SG_EPEER)
		(void)dprintf(STDERR_FILENO, "%s\n", f->what);
	wire_message_free(&message);
}

/* ---- the parent's side ---- */

/* In the child, between fork and exec: only calls that are safe there. */
static void child_take_places(const int *sockets, size_t count)
{
	int moved[PROC_LISTENERS_MAX + 1];
	sigset_t none;

	for (size_t i = 0; i < count; i++)
		moved[i] = fcntl(sockets[i], F_DUPFD, HIGH_FD);
	for (size_t i = 0; i < count; i++)
		if (moved[i] < 0 || dup2(moved[i], PROC_CONTROL_FD + (int)i) < 0)
			_exit(71);
	(void)close_range((unsigned int)(PROC_CONTROL_FD + (int)count), ~0U, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_IGN);	/* the terminal's: the supervisor ends its workers */
	(void)signal(SIGCHLD, SIG_DFL);
}

static _Noreturn void child_exec(const char *program, const int *sockets, size_t count,
    char *const arguments[])
{
	/* no variable of the parent's goes on */
	char path[] = "PATH=/usr/bin:/bin";
	char lang[] = "LANG=C.UTF-8";
	char locale[] = "LC_ALL=C.UTF-8";
	char *const environment[] = { path, lang, locale, NULL };
	static const char message[] = "cannot execute a worker of the gateway\n";

	child_take_places(sockets, count);
	(void)execve(program, arguments, environment);
	(void)!write(STDERR_FILENO, message, sizeof(message) - 1);
	_exit(72);
}

enum fail_code proc_configure(const struct proc_child *child, const struct buf *config,
    struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	wire_message_init(&message, PROC_CONFIG);
	code = fd_memory("sealgate-config", &message.fd, f);
	if (code == SG_OK)
		code = fd_write_all(message.fd, config->data, config->size, f);
	if (code == SG_OK)
		code = fd_seal(message.fd, f);
	if (code == SG_OK)
		code = wire_send(child->control, &message, CONFIG_WAIT_MS, f);
	wire_message_free(&message);
	return code;
}

static enum fail_code fork_worker(const struct proc_birth *birth, const int *sockets,
    pid_t *pid_out, struct fail *f)
{
	const char *slash = strrchr(birth->program, '/');
	char name[64];
	char number[16];
	char listeners[] = "--listeners";
	char standby[] = STANDBY_OPTION;
	char *arguments[] = { name, listeners, number, birth->stands_by ? standby : NULL, NULL };

	(void)snprintf(name, sizeof(name), "%s", slash != NULL ? slash + 1 : birth->program);
	(void)snprintf(number, sizeof(number), "%zu", birth->listener_count);
	*pid_out = fork();
	if (*pid_out == 0)
		child_exec(birth->program, sockets, birth->listener_count + 1, arguments);
	if (*pid_out < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot start %s", birth->program);
	return SG_OK;
}

enum fail_code proc_spawn(const struct proc_birth *birth, struct proc_child *child_out,
    struct fail *f)
{
	int sockets[PROC_LISTENERS_MAX + 1];
	int pair[2];
	enum fail_code code;

	SG_BUG_IF(birth->listener_count > PROC_LISTENERS_MAX);
	*child_out = (struct proc_child){ -1, -1 };
	if (access(birth->program, X_OK) != 0)
		return fail_errno(f, SG_ENOTFOUND, "is the installation complete?",
		    "cannot start %s", birth->program);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a socket pair");
	sockets[0] = pair[1];
	for (size_t i = 0; i < birth->listener_count; i++)
		sockets[i + 1] = birth->listeners[i];
	code = fork_worker(birth, sockets, &child_out->pid, f);
	(void)close(pair[1]);
	child_out->control = pair[0];
	if (code == SG_OK)
		code = proc_configure(child_out, birth->config, f);
	if (code != SG_OK)
		proc_stop(child_out, 0);
	return code;
}

/* A WIRE_FAILURE from the worker, through the same unpacking as every reply. */
static enum fail_code told_failure(const struct wire_message *message, struct fail *f)
{
	struct buf_reader reader;
	uint32_t number = 0;
	uint8_t kind = 0;
	char *what = NULL;
	char *hint = NULL;
	enum fail_code code = SG_ESYSTEM;

	buf_reader_init(&reader, message->body.data, message->body.size);
	if (buf_get_u32(&reader, &number) == SG_OK && buf_get_u8(&reader, &kind) == SG_OK &&
	    buf_get_str(&reader, FAIL_WHAT_MAX, &what) == SG_OK &&
	    buf_get_str(&reader, FAIL_HINT_MAX, &hint) == SG_OK && number > 0 && number < 100)
		code = fail_set(f, (enum fail_code)-(int)number, hint, "%s", what);
	else
		code = fail_set(f, SG_ESYSTEM, NULL, "the worker failed and did not say why");
	free(what);
	free(hint);
	return code;
}

enum fail_code proc_tell(const struct proc_child *child, enum proc_message what, struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	wire_message_init(&message, (uint16_t)what);
	code = wire_send(child->control, &message, 0, f);
	wire_message_free(&message);
	return code;
}

/* PROC_READY and PROC_UNWELL carry a line. */
static enum proc_news told_ready(const struct wire_message *message, enum proc_news news,
    char **text_out)
{
	struct buf_reader reader;

	buf_reader_init(&reader, message->body.data, message->body.size);
	return buf_get_str(&reader, WIRE_BODY_MAX, text_out) == SG_OK ? news : PROC_NEWS_GONE;
}

static enum proc_news understand(const struct wire_message *message, char **text_out,
    struct fail *f)
{
	switch (message->type) {
	case WIRE_FAILURE:
		(void)told_failure(message, f);
		return PROC_NEWS_FAILED;
	case PROC_READY:
		return told_ready(message, PROC_NEWS_READY, text_out);
	case PROC_UNWELL:
		return told_ready(message, PROC_NEWS_UNWELL, text_out);
	case PROC_OUTDATED:
		return PROC_NEWS_OUTDATED;
	default:
		return PROC_NEWS_GONE;
	}
}

enum proc_news proc_hear(struct proc_child *child, char **text_out, struct fail *f)
{
	struct pollfd wait = { child->control, POLLIN, 0 };
	enum proc_news news = PROC_NEWS_GONE;
	struct wire_message message;

	*text_out = NULL;
	if (child->control < 0 || poll(&wait, 1, 0) <= 0)
		return PROC_NEWS_NONE;
	wire_message_init(&message, 0);
	if (wire_receive(child->control, &message, 0, NULL) == SG_OK)
		news = understand(&message, text_out, f);
	wire_message_free(&message);
	if (news == PROC_NEWS_GONE)
		fd_close(&child->control);
	return news;
}

enum fail_code proc_wait_ready(struct proc_child *child, int wait_ms, char **text_out,
    struct fail *f)
{
	struct pollfd wait = { child->control, POLLIN, 0 };
	char *text = NULL;
	struct fail told;
	int n;

	if (text_out != NULL)
		*text_out = NULL;
	fail_clear(&told);
	do
		n = poll(&wait, 1, wait_ms);
	while (n < 0 && errno == EINTR);
	switch (proc_hear(child, &text, &told)) {
	case PROC_NEWS_READY:
	case PROC_NEWS_UNWELL:
		if (text_out != NULL)
			*text_out = text;
		else
			free(text);
		return SG_OK;
	case PROC_NEWS_FAILED:
		if (f != NULL)
			*f = told;
		return told.code;
	case PROC_NEWS_NONE:
		return fail_set(f, SG_EPEER, NULL, "the worker is not ready after %d ms", wait_ms);
	default:
		return fail_set(f, SG_EPEER, NULL, "the worker ended before it was ready");
	}
}

/* Waits for it; after wait_ms it is killed. */
static void reap(struct proc_child *child, int wait_ms)
{
	int64_t end = clock_mono_ms(clock_system()) + wait_ms;
	int status;

	while (waitpid(child->pid, &status, WNOHANG) == 0) {
		if (clock_mono_ms(clock_system()) >= end)
			(void)kill(child->pid, SIGKILL);
		(void)poll(NULL, 0, 5);
	}
	child->pid = -1;
}

void proc_stop(struct proc_child *child, int wait_ms)
{
	fd_close(&child->control);
	if (child->pid <= 0)
		return;
	(void)kill(child->pid, wait_ms > 0 ? SIGTERM : SIGKILL);
	reap(child, wait_ms);
}

void proc_leave(struct proc_child *child, int wait_ms)
{
	fd_close(&child->control);
	if (child->pid > 0)
		reap(child, wait_ms);
}

enum fail_code proc_find(const char *name, char **path_out, struct fail *f)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	*path_out = NULL;
	if (n <= 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot find where this program is");
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (int i = 0; i < 2; i++) {
		char *path = i == 0 ? str_printf("%s/%s", self, name) :
		    str_printf("%s/../libexec/sealgate/%s", self, name);

		if (path == NULL)
			return fail_set(f, SG_ENOMEM, NULL, "no memory");
		if (access(path, X_OK) == 0) {
			*path_out = path;
			return SG_OK;
		}
		free(path);
	}
	return fail_set(f, SG_ENOTFOUND, "is the installation complete?",
	    "%s is neither beside this program nor in ../libexec/sealgate", name);
}
