#include "gateway/notify/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/proc.h"
#include "gateway/base/wire.h"

#define RUNNER_FD 3		/* the only descriptor behind the three standard ones */
#define RUNNER_SLACK_MS 5000	/* for its answer behind the command's time */
#define RUNNER_WAIT_MS 5000	/* for a socket to take a packet */
#define COMMAND_FILES_MAX 256u
#define COMMAND_FILE_SIZE_MAX ((rlim_t)64 * 1024 * 1024)	/* bytes */
#define COMMAND_CPU_FACTOR 4	/* seconds of CPU for a second of its time: it may have threads */

enum runner_message { RUNNER_RUN = 1 };	/* both ways */

/* ---- a command ---- */

static void bound(int which, rlim_t value)
{
	const struct rlimit limit = {value, value};

	(void)setrlimit((__rlimit_resource_t)which, &limit);
}

/* In the child; report closes by itself when the command runs. */
static _Noreturn void command_exec(const char *command, int input, int report, int64_t timeout_ms)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGCHLD};
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char lang[] = "LANG=C.UTF-8";
	char *const environment[] = {path, lang, NULL};
	char name[] = "hook";
	char *const arguments[] = {name, NULL};
	sigset_t none;
	int nothing;
	int reason;

	(void)setsid();
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		(void)signal(signals[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	bound(RLIMIT_CPU, (rlim_t)(timeout_ms / 1000 + 1) * COMMAND_CPU_FACTOR);
	bound(RLIMIT_NOFILE, COMMAND_FILES_MAX);
	bound(RLIMIT_FSIZE, COMMAND_FILE_SIZE_MAX);
	nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (nothing >= 0 && chdir("/") == 0 && dup2(input, STDIN_FILENO) >= 0 &&
	    dup2(nothing, STDOUT_FILENO) >= 0 && dup2(nothing, STDERR_FILENO) >= 0)
		(void)execve(command, arguments, environment);
	reason = errno;
	(void)!write(report, &reason, sizeof(reason));
	_exit(EXIT_FAILURE);
}

struct command {
	pid_t pid;
	int handle;		/* pidfd */
};

/* Its end, or that of its time, or of who asked. */
static void command_wait(const struct command *command, int64_t timeout_ms,
    struct hook_answer *answer)
{
	struct pollfd ends[2] = {{command->handle, POLLIN, 0}, {RUNNER_FD, 0, 0}};
	int n = poll(ends, 2, (int)timeout_ms);
	bool ended = n > 0 && ends[0].revents != 0;
	int status = 0;

	/* and what it has left running */
	(void)kill(-command->pid, SIGKILL);
	(void)waitpid(command->pid, &status, 0);
	if (!ended)
		hook_say(answer, HOOK_AGAIN, "the command did not end within %lld seconds",
		    (long long)(timeout_ms / 1000));
	else if (WIFSIGNALED(status))
		hook_say(answer, HOOK_AGAIN, "the command was ended by signal %d",
		    WTERMSIG(status));
	else
		hook_exited(WEXITSTATUS(status), answer);
}

/* The JSON fits into the pipe, so that nobody waits for who does not read it. */
static void command_feed(const struct command *command, int input, int report, const void *json,
    size_t size, int64_t timeout_ms, struct hook_answer *answer)
{
	int reason = 0;

	(void)!write(input, json, size);
	(void)close(input);
	if (read(report, &reason, sizeof(reason)) == (ssize_t)sizeof(reason)) {
		(void)waitpid(command->pid, NULL, 0);
		hook_say(answer, HOOK_AGAIN, "the command cannot be executed: %.60s",
		    strerror(reason));
		return;
	}
	command_wait(command, timeout_ms, answer);
}

static void run(const struct conf_tenant *tenant, const void *json, size_t size,
    struct hook_answer *answer)
{
	struct command command = {-1, -1};
	int input[2] = {-1, -1};
	int report[2] = {-1, -1};

	if (pipe2(input, O_CLOEXEC) == 0 && pipe2(report, O_CLOEXEC) == 0)
		command.pid = fork();
	if (command.pid == 0)
		command_exec(tenant->hook_command, input[0], report[1], tenant->hook_timeout_ms);
	fd_close(&input[0]);
	fd_close(&report[1]);
	if (command.pid > 0) {
		command.handle = (int)syscall(SYS_pidfd_open, command.pid, 0);
		command_feed(&command, input[1], report[0], json, size, tenant->hook_timeout_ms,
		    answer);
		input[1] = -1;
	} else {
		hook_say(answer, HOOK_AGAIN, "no process could be started: %.60s",
		    strerror(errno));
	}
	fd_close(&command.handle);
	fd_close(&input[1]);
	fd_close(&report[0]);
}

/* ---- the process ---- */

static enum fail_code answer_one(const struct conf *conf, struct wire_message *request,
    struct wire_message *reply, struct fail *f)
{
	struct hook_answer answer = {HOOK_AGAIN, ""};
	const unsigned char *json = NULL;
	struct buf_reader reader;
	uint32_t place = 0;
	size_t size = 0;

	buf_reader_init(&reader, request->body.data, request->body.size);
	if (buf_get_u32(&reader, &place) != SG_OK ||
	    buf_get_bytes(&reader, &json, &size) != SG_OK || buf_get_end(&reader) != SG_OK ||
	    place >= conf->tenant_count || conf->tenants[place].hook_command[0] == '\0' ||
	    size > HOOK_JSON_MAX)
		return fail_set(f, SG_EFORMAT, NULL, "there is no such command");
	run(&conf->tenants[place], json, size, &answer);
	if (buf_put_u8(&reply->body, (uint8_t)answer.end) != SG_OK ||
	    buf_put_str(&reply->body, answer.why) != SG_OK)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	return SG_OK;
}

static _Noreturn void serve(const struct conf *conf)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK) {
		struct wire_message request;
		struct wire_message reply;
		struct fail f;

		fail_clear(&f);
		wire_message_init(&request, 0);
		wire_message_init(&reply, RUNNER_RUN);
		code = wire_receive(RUNNER_FD, &request, -1, &f);
		if (code == SG_OK && answer_one(conf, &request, &reply, &f) != SG_OK)
			wire_put_fail(&reply, &f);
		if (code == SG_OK)
			code = wire_send(RUNNER_FD, &reply, RUNNER_WAIT_MS, &f);
		wire_message_free(&request);
		wire_message_free(&reply);
	}
	_exit(EXIT_SUCCESS);
}

static _Noreturn void child(const struct conf *conf, int socket)
{
	struct fail f;

	fail_clear(&f);
	(void)prctl(PR_SET_NAME, "sealgate-hook", 0, 0, 0);
	/* it ends when sealgate-notify does, which finishes what it has begun */
	(void)signal(SIGTERM, SIG_IGN);
	/* a command need not read what it is given */
	(void)signal(SIGPIPE, SIG_IGN);
	if (dup2(socket, RUNNER_FD) < 0 || fcntl(RUNNER_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    close_range(RUNNER_FD + 1, ~0U, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    proc_drop(conf->users.hook, &f) != SG_OK)
		_exit(EXIT_FAILURE);
	serve(conf);
}

/* ---- sealgate-notify's side ---- */

static bool has_command(const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->tenant_count; i++) {
		if (conf->tenants[i].hook_command[0] != '\0')
			return true;
	}
	return false;
}

enum fail_code runner_start(const struct conf *conf, struct runner *runner, struct fail *f)
{
	int pair[2];
	uid_t uid;
	gid_t gid;
	pid_t pid;

	runner->socket = -1;
	if (!has_command(conf))
		return SG_OK;
	/* said here, where it is heard */
	if (proc_may_change_user() && proc_user(conf->users.hook, &uid, &gid, f) != SG_OK)
		return SG_EUSAGE;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a socket pair");
	pid = fork();
	if (pid == 0)
		child(conf, pair[1]);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot start a process for hooks");
	}
	runner->socket = pair[0];
	return SG_OK;
}

static enum fail_code take_answer(const struct wire_message *reply, struct hook_answer *answer,
    struct fail *f)
{
	struct buf_reader reader;
	char *why = NULL;
	uint8_t end = 0;

	buf_reader_init(&reader, reply->body.data, reply->body.size);
	if (reply->type != RUNNER_RUN || buf_get_u8(&reader, &end) != SG_OK ||
	    buf_get_str(&reader, VAULT_REASON_MAX, &why) != SG_OK || end > HOOK_FAILED) {
		free(why);
		return fail_set(f, SG_EPEER, NULL, "the process for hooks answers nonsense");
	}
	hook_say(answer, (enum hook_end)end, "%s", why);
	free(why);
	return SG_OK;
}

enum fail_code runner_run(struct runner *runner, const struct conf *conf, size_t place,
    const struct buf *json, struct hook_answer *answer, struct fail *f)
{
	const struct wire_wait wait = {
		.timeout_ms = (int)conf->tenants[place].hook_timeout_ms + RUNNER_SLACK_MS,
	};
	struct wire_message request;
	struct wire_message reply;
	enum fail_code code;

	wire_message_init(&request, RUNNER_RUN);
	wire_message_init(&reply, 0);
	if (buf_put_u32(&request.body, (uint32_t)place) != SG_OK ||
	    buf_put_bytes(&request.body, json->data, json->size) != SG_OK)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to ask for a command");
	else if (runner->socket < 0)
		code = fail_set(f, SG_EPEER, NULL, "the process for hooks is gone");
	else
		code = wire_call_on(runner->socket, &request, &wait, &reply, f);
	if (code == SG_OK)
		code = take_answer(&reply, answer, f);
	/* an answer that comes too late must not be taken for that to the next question */
	if (code != SG_OK)
		fd_close(&runner->socket);
	wire_message_free(&request);
	wire_message_free(&reply);
	return code;
}
