/* sealgate run: the supervisor, in the foreground. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <syslog.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/str.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/prepare.h"
#include "gateway/cmd/supervise.h"

struct run {
	struct conf *conf;
	struct prepare_sockets sockets;
	struct supervise *supervise;
	int lock;
	int signals;
	int log_pipe;		/* the reading end when lines go to syslog, else -1 */
	int terminal;		/* the standard error of before, then */
	pthread_t log_thread;	/* reads log_pipe */
	bool stop;
	bool hangup;		/* a SIGHUP that is not answered yet */
	struct conf *coming;	/* on its way to the workers, else NULL */
	int watchdog_ms;	/* systemd wants a sign of life as often as that; 0: it does not */
};

/* ---- syslog: the one place that talks to it; workers write to their standard error ---- */

static void forward_line(const char *line)
{
	int level = strstr(line, ": error ") != NULL ? LOG_ERR :
	    strstr(line, ": debug ") != NULL ? LOG_DEBUG : LOG_NOTICE;

	syslog(level, "%s", line);
}

/* Sends the whole lines of size bytes in text; what is left is moved to the front. */
static size_t forward_lines(char *text, size_t size)
{
	size_t at = 0;
	char *end;

	while ((end = memchr(text + at, '\n', size - at)) != NULL) {
		*end = '\0';
		forward_line(text + at);
		at = (size_t)(end - text) + 1;
	}
	memmove(text, text + at, size - at);
	return size - at;
}

/*
 * A thread of its own: the supervisor writes lines itself, and with a full pipe nobody would read
 * while it does.
 */
static void *forward_log(void *context)
{
	const struct run *run = context;
	char text[4 * LOG_LINE_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = read(run->log_pipe, text + size, sizeof(text) - 1 - size)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		size = forward_lines(text, size + (n > 0 ? (size_t)n : 0));
		if (size == sizeof(text) - 1) {
			text[size] = '\0';
			forward_line(text);
			size = 0;
		}
	}
	return NULL;
}

/* After open_signals: the thread inherits that signals are blocked. */
static enum fail_code open_syslog(struct run *run, struct fail *f)
{
	int ends[2];

	if (run->conf->log.target != CONF_LOG_SYSLOG)
		return SG_OK;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot make a pipe for the log");
	openlog("sealgate", LOG_PID | LOG_NDELAY, LOG_MAIL);
	run->log_pipe = ends[0];
	if (pthread_create(&run->log_thread, NULL, forward_log, run) != 0 ||
	    (run->terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)) < 0 ||
	    dup2(ends[1], STDERR_FILENO) < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot carry the log to syslog");
	(void)close(ends[1]);
	return SG_OK;
}

/* When all workers have ended: the last writer goes, the thread reads the end. */
static void close_syslog(struct run *run)
{
	if (run->terminal < 0)
		return;
	(void)dup2(run->terminal, STDERR_FILENO);
	fd_close(&run->terminal);
	(void)pthread_join(run->log_thread, NULL);
	fd_close(&run->log_pipe);
}

/* ---- signals ---- */

static enum fail_code open_signals(struct run *run, struct fail *f)
{
	sigset_t wanted;

	(void)sigemptyset(&wanted);
	(void)sigaddset(&wanted, SIGTERM);
	(void)sigaddset(&wanted, SIGINT);
	(void)sigaddset(&wanted, SIGHUP);
	(void)sigaddset(&wanted, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &wanted, NULL) != 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot block signals");
	run->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return fail_errno(f, SG_ESYSTEM, NULL, "cannot wait for signals");
	(void)signal(SIGPIPE, SIG_IGN);
	return SG_OK;
}

static void log_conf_errors(const struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->count; i++) {
		struct log_line line;

		log_begin(&line, LOG_LEVEL_ERROR, NULL, "configuration");
		log_str(&line, "file", errors->items[i].file);
		log_int(&line, "line", errors->items[i].line);
		log_str(&line, "found", errors->items[i].found);
		log_str(&line, "expected", errors->items[i].expected);
		log_end(&line);
	}
}

/* Keys that only a new start can change. */
static bool needs_restart(const struct conf *old, const struct conf *new)
{
	return strcmp(old->socket, new->socket) != 0 ||
	    strcmp(old->run_directory, new->run_directory) != 0 ||
	    strcmp(old->health.listen, new->health.listen) != 0 ||
	    old->log.target != new->log.target || old->pdf.workers != new->pdf.workers ||
	    strcmp(old->users.milter, new->users.milter) != 0;
}

static void keep_old(struct run *run, const struct fail *f)
{
	log_failure(LOG_LEVEL_ERROR, NULL, "reload-failed-old-configuration-kept", f);
	conf_free(run->coming);
	run->coming = NULL;
	(void)sd_notify(0, "READY=1");
}

/* Reads the file and begins to give it to the workers. */
static void begin_reload(struct run *run)
{
	struct conf_errors errors = { NULL, 0 };
	struct fail f;
	enum fail_code code;

	run->hangup = false;
	fail_clear(&f);
	(void)sd_notify(0, "RELOADING=1");
	supervise_look(run->supervise);
	code = conf_load(cmd_conf_path(), true, &run->coming, &errors, &f);
	log_conf_errors(&errors);
	conf_errors_free(&errors);
	if (code == SG_OK)
		code = supervise_reload(run->supervise, run->coming, &f);
	if (code != SG_OK)
		keep_old(run, &f);
}

static void take_new(struct run *run)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "reloaded");
	if (needs_restart(run->conf, run->coming))
		log_str(&line, "hint", "socket, run_directory, users, log.target, "
		    "health.listen and pdf.workers need a restart");
	log_end(&line);
	log_set_level((enum log_level)run->coming->log.level);
	conf_free(run->conf);
	run->conf = run->coming;
	run->coming = NULL;
	(void)sd_notify(0, "READY=1");
}

static void end_reload(struct run *run)
{
	switch (supervise_reload_state(run->supervise)) {
	case SUPERVISE_RELOADED:
		take_new(run);
		break;
	case SUPERVISE_KEPT:
		keep_old(run, supervise_why(run->supervise));
		break;
	default:
		break;
	}
}

static void take_signals(struct run *run)
{
	struct signalfd_siginfo info;

	while (read(run->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			run->stop = true;
		else if (info.ssi_signo == SIGHUP)
			run->hangup = true;
	}
}

/* A SIGHUP that came during a reload, or before all was ready, is answered behind it. */
static void tend(struct run *run)
{
	do {
		if (run->hangup && run->coming == NULL &&
		    supervise_state(run->supervise) == SUPERVISE_RUNNING)
			begin_reload(run);
		supervise_tend(run->supervise);
		end_reload(run);
	} while (run->hangup && run->coming == NULL &&
	    supervise_state(run->supervise) == SUPERVISE_RUNNING);
}

/* ---- systemd: what it is told, and that we live ---- */

/* Half of the time that is allowed: a slow machine is no reason to be ended. */
static int watchdog_interval_ms(void)
{
	uint64_t allowed_us = 0;

	if (sd_watchdog_enabled(0, &allowed_us) <= 0)
		return 0;
	return allowed_us / 2000 < 1 ? 1 : (int)(allowed_us / 2000 % INT_MAX);
}

/* The wait of the supervisor, cut short where a sign of life is due before. */
static int wait_ms(const struct run *run)
{
	int wait = supervise_wait_ms(run->supervise);

	if (run->watchdog_ms > 0 && (wait < 0 || wait > run->watchdog_ms))
		wait = run->watchdog_ms;
	return wait;
}

/* Until something happens: a signal, a word of a worker, the time of something planned. */
static void wait_and_tend(struct run *run)
{
	struct pollfd polls[SUPERVISE_POLL_MAX + 1];
	size_t count = supervise_poll(run->supervise, polls);

	polls[count] = (struct pollfd){ run->signals, POLLIN, 0 };
	(void)poll(polls, (nfds_t)count + 1, wait_ms(run));
	if (run->watchdog_ms > 0)
		(void)sd_notify(0, "WATCHDOG=1");
	take_signals(run);
	if (!run->stop)
		tend(run);
}

static void log_ready(const struct run *run)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "ready");
	log_str(&line, "socket", run->conf->socket);
	log_int(&line, "tenants", (int64_t)run->conf->tenant_count);
	log_end(&line);
	(void)sd_notifyf(0, "READY=1\nSTATUS=takes mail at %s", run->conf->socket);
}

/* Until all workers are ready, or a signal ends it before. */
static enum fail_code loop_until_running(struct run *run, struct fail *f)
{
	while (!run->stop && supervise_state(run->supervise) == SUPERVISE_STARTING)
		wait_and_tend(run);
	if (supervise_state(run->supervise) != SUPERVISE_FAILED)
		return SG_OK;
	*f = *supervise_why(run->supervise);
	return f->code;
}

static void loop(struct run *run)
{
	log_ready(run);
	while (!run->stop)
		wait_and_tend(run);
}

static enum fail_code start(struct run *run, struct fail *f)
{
	enum fail_code code = prepare_folders(run->conf, f);

	if (code == SG_OK)
		code = prepare_lock(run->conf, &run->lock, f);
	if (code == SG_OK)
		code = open_signals(run, f);
	if (code == SG_OK)
		code = open_syslog(run, f);
	if (code == SG_OK)
		code = prepare_listen(run->conf, &run->sockets, f);
	if (code == SG_OK)
		code = supervise_new(run->conf, &run->sockets, &run->supervise, f);
	if (code == SG_OK)
		supervise_start(run->supervise);
	return code;
}

static int run_gateway(struct run *run)
{
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	run->watchdog_ms = watchdog_interval_ms();
	code = start(run, &f);
	if (code == SG_OK)
		code = loop_until_running(run, &f);
	if (code != SG_OK) {
		/* the reason goes where the administrator looks, not to syslog alone */
		supervise_free(run->supervise);
		run->supervise = NULL;
		close_syslog(run);
		return cmd_fail("run", &f);
	}
	if (!run->stop)
		loop(run);
	(void)sd_notify(0, "STOPPING=1\nSTATUS=lets its workers end");
	return EX_OK;
}

static int run_command(int argc, char *argv[])
{
	struct run run = { .sockets = { -1, -1, -1, -1 }, .lock = -1, .signals = -1,
	    .log_pipe = -1, .terminal = -1 };
	int result;

	if (argc > 1 && strcmp(argv[1], "--help") == 0)
		return cmd_help(&cmd_run);
	if (argc > 1)
		return cmd_usage(&cmd_run);
	result = cmd_load_conf(&run.conf);
	if (result != 0)
		return result;
	(void)umask(022);
	log_start("sealgate", (enum log_level)run.conf->log.level);
	result = run_gateway(&run);
	supervise_free(run.supervise);
	close_syslog(&run);
	prepare_close(&run.sockets);
	fd_close(&run.signals);
	fd_close(&run.lock);
	conf_free(run.coming);
	conf_free(run.conf);
	return result;
}

const struct cmd cmd_run = {
	.name = "run",
	.usage = "run",
	.help = "start the gateway and stay in the foreground",
	.run = run_command,
};
