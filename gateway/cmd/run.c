/* sealgate run: the supervisor, in the foreground. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/cmd/cmd.h"
#include "gateway/cmd/handover.h"
#include "gateway/cmd/kept.h"
#include "gateway/cmd/prepare.h"
#include "gateway/cmd/supervise.h"
#include "gateway/cmd/syslog.h"

#define JOIN_TRIES 100		/* of JOIN_PAUSE_MS: the other one may just be starting */
#define JOIN_PAUSE_MS 100
#define LOCK_TRIES 200		/* of LOCK_PAUSE_MS: the other one has just ended */
#define LOCK_PAUSE_MS 10

struct run {
	struct conf *conf;
	struct prepare_sockets sockets;
	struct supervise *supervise;
	int lock;
	int signals;
	struct syslog_carrier carrier;
	struct handover handover;	/* others that stand by here */
	bool may_stand_by;
	int link;		/* to the gateway that runs, while this one stands by; else -1 */
	bool stop;
	bool hangup;		/* a SIGHUP that is not answered yet */
	bool outdated;		/* stands by with a configuration that the other one may not have */
	struct conf *coming;	/* on its way to the workers, else NULL */
	int watchdog_ms;	/* systemd wants a sign of life as often as that; 0: it does not */
};

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

/* The file, as it is now. Its errors are logged. */
static enum fail_code load(struct conf **conf_out, struct fail *f)
{
	struct conf_errors errors = { NULL, 0 };
	enum fail_code code = conf_load(cmd_conf_path(), true, conf_out, &errors, f);

	log_conf_errors(&errors);
	conf_errors_free(&errors);
	if (code == SG_OK)
		code = prepare_credentials(cmd_credentials(), *conf_out, f);
	return code;
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
	struct fail f;
	enum fail_code code;

	run->hangup = false;
	fail_clear(&f);
	(void)sd_notify(0, "RELOADING=1");
	supervise_look(run->supervise);
	code = load(&run->coming, &f);
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
	handover_reloaded(&run->handover);
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

/* What others than workers do: they join here, or the one that runs ends. */
static void tend_neighbours(struct run *run)
{
	handover_tend(&run->handover);
	supervise_show_standbys(run->supervise, run->handover.count);
	if (run->link >= 0 && handover_hear(&run->link) == HANDOVER_RELOADED)
		run->outdated = true;
}

/* Until something happens: a signal, a word of a worker, the time of something planned. */
static void wait_and_tend(struct run *run)
{
	struct pollfd polls[SUPERVISE_POLL_MAX + HANDOVER_POLL_MAX + 2];
	size_t count = supervise_poll(run->supervise, polls);

	count += handover_poll(&run->handover, polls + count);
	polls[count++] = (struct pollfd){ run->link, POLLIN, 0 };
	polls[count++] = (struct pollfd){ run->signals, POLLIN, 0 };
	(void)poll(polls, (nfds_t)count, wait_ms(run));
	if (run->watchdog_ms > 0)
		(void)sd_notify(0, "WATCHDOG=1");
	take_signals(run);
	if (run->stop)
		return;
	tend_neighbours(run);
	tend(run);
}

/* ---- standing by ---- */

static void log_standing_by(const struct run *run)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "stands-by");
	log_str(&line, "socket", run->conf->socket);
	log_end(&line);
	(void)sd_notify(0, "READY=1\nSTATUS=stands by: another gateway takes the mail");
}

/*
 * Joins the gateway that runs, or has its lock because there is none any more. Tries for a while:
 * the other one may just be starting.
 */
static enum fail_code join(struct run *run, struct fail *f)
{
	enum fail_code code = SG_EPEER;

	for (unsigned int i = 0; i < JOIN_TRIES && code == SG_EPEER && !run->stop; i++) {
		struct pollfd signals = { run->signals, POLLIN, 0 };

		if (i > 0)
			(void)poll(&signals, 1, JOIN_PAUSE_MS);
		take_signals(run);
		code = prepare_lock(run->conf, &run->lock, f);
		if (code == SG_EEXIST)
			code = handover_join(run->conf, &run->sockets, &run->link, f);
	}
	if (code == SG_EPEER)
		code = fail_set(f, SG_EPEER, "restart that one: is it of a version before this?",
		    "the gateway that runs does not hand its sockets over");
	return run->stop ? SG_OK : code;
}

static enum fail_code begin_standing_by(struct run *run, struct fail *f)
{
	enum fail_code code = join(run, f);

	if (code != SG_OK || run->link < 0)
		return code;
	code = supervise_new(run->conf, &run->sockets, &run->supervise, f);
	if (code == SG_OK)
		supervise_stand_by(run->supervise);
	return code;
}

/* As long as the other one runs, and nothing is to be read anew. */
static enum fail_code go_on_standing_by(struct run *run, struct fail *f)
{
	bool told = false;

	while (!run->stop && run->link >= 0 && !run->hangup && !run->outdated) {
		wait_and_tend(run);
		if (supervise_state(run->supervise) == SUPERVISE_FAILED) {
			*f = *supervise_why(run->supervise);
			return f->code;
		}
		if (!told && supervise_state(run->supervise) == SUPERVISE_STANDING_BY) {
			log_standing_by(run);
			told = true;
		}
	}
	return SG_OK;
}

/*
 * What was loaded by the old configuration is loaded anew. A bad one is refused at a SIGHUP, and
 * the old one stays; but who cannot read what the other one has read would take over with rules of
 * yesterday, and does not stand by.
 */
static enum fail_code read_anew(struct run *run, struct fail *f)
{
	struct conf *fresh = NULL;
	enum fail_code code = load(&fresh, f);

	if (code == SG_OK) {
		conf_free(run->conf);
		run->conf = fresh;
		log_set_level((enum log_level)fresh->log.level);
	} else {
		conf_free(fresh);
		log_failure(LOG_LEVEL_ERROR, NULL, run->outdated ? "reload-failed" :
		    "reload-failed-old-configuration-kept", f);
		code = run->outdated ? code : SG_OK;
	}
	run->hangup = false;
	run->outdated = false;
	return code;
}

/* The other one has ended: its lock is free, unless a third was faster. */
static enum fail_code take_lock(struct run *run, struct fail *f)
{
	enum fail_code code = prepare_lock(run->conf, &run->lock, f);

	for (unsigned int i = 0; i < LOCK_TRIES && code == SG_EEXIST; i++) {
		(void)poll(NULL, 0, LOCK_PAUSE_MS);
		code = prepare_lock(run->conf, &run->lock, f);
	}
	return code;
}

/* Until the lock is ours, or we are to stop. */
static enum fail_code stand_by(struct run *run, struct fail *f)
{
	enum fail_code code = SG_OK;

	while (code == SG_OK && run->lock < 0 && !run->stop) {
		bool joined = false;

		code = begin_standing_by(run, f);
		if (code == SG_OK && run->link >= 0) {
			joined = true;
			code = go_on_standing_by(run, f);
		}
		if (code == SG_OK && joined && run->link < 0 && !run->stop) {
			code = take_lock(run, f);
			if (code == SG_OK)
				break;	/* with what has been warmed up */
		}
		if (code == SG_EEXIST) {
			/* another one runs, and has read the file after us */
			run->outdated = true;
			code = SG_OK;
		}
		if (code == SG_OK && (run->hangup || run->outdated))
			code = read_anew(run, f);
		fd_close(&run->link);
		supervise_free(run->supervise);
		run->supervise = NULL;
	}
	return code;
}

/* ---- from start to stop ---- */

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

/* Until the lock is ours; or we are to stop. */
static enum fail_code prepare(struct run *run, struct fail *f)
{
	enum fail_code code = prepare_credentials(cmd_credentials(), run->conf, f);

	if (code == SG_OK)
		code = prepare_folders(run->conf, f);
	if (code == SG_OK)
		code = open_signals(run, f);
	if (code == SG_OK && run->conf->log.target == CONF_LOG_SYSLOG)
		code = syslog_open(&run->carrier, f);
	if (code != SG_OK)
		return code;
	kept_take(run->conf, &run->sockets);
	code = prepare_lock(run->conf, &run->lock, f);
	return code == SG_EEXIST && run->may_stand_by ? stand_by(run, f) : code;
}

/* With the workers that stood by, where there are any. */
static enum fail_code start(struct run *run, struct fail *f)
{
	enum fail_code code = prepare_listen(run->conf, &run->sockets, f);

	if (code == SG_OK)
		code = handover_open(run->conf, &run->sockets, &run->handover, f);
	if (code != SG_OK)
		return code;
	kept_give(&run->sockets);
	if (run->supervise != NULL) {
		supervise_take_over(run->supervise);
		return SG_OK;
	}
	code = supervise_new(run->conf, &run->sockets, &run->supervise, f);
	if (code == SG_OK)
		supervise_start(run->supervise);
	return code;
}

/* Why it cannot start, for "systemctl status"; what came from a file has no say in other lines. */
static void tell_systemd(const struct fail *f)
{
	(void)sd_notifyf(0, "STATUS=cannot start: %.*s", (int)strcspn(f->what, "\n"), f->what);
}

static int run_gateway(struct run *run)
{
	struct fail f;
	enum fail_code code;

	fail_clear(&f);
	run->watchdog_ms = watchdog_interval_ms();
	code = prepare(run, &f);
	if (code == SG_OK && !run->stop)
		code = start(run, &f);
	if (code == SG_OK && !run->stop)
		code = loop_until_running(run, &f);
	if (code != SG_OK) {
		tell_systemd(&f);
		/* the reason goes where the administrator looks, not to syslog alone */
		supervise_free(run->supervise);
		run->supervise = NULL;
		syslog_close(&run->carrier);
		return cmd_fail("run", &f);
	}
	if (!run->stop)
		loop(run);
	(void)sd_notify(0, "STOPPING=1\nSTATUS=lets its workers end");
	return EX_OK;
}

/* Who stands by does not wait until the last message here is done. */
static void hand_over(struct run *run)
{
	struct log_line line;

	if (run->supervise == NULL || run->handover.count == 0)
		return;
	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "hands-over");
	log_end(&line);
	supervise_hand_over(run->supervise);
	fd_close(&run->lock);
	handover_close(&run->handover);
}

static int run_command(int argc, char *argv[])
{
	struct run run = { .lock = -1, .signals = -1, .carrier = { .pipe = -1, .terminal = -1 },
	    .link = -1 };
	int result;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return cmd_help(&cmd_run);
	run.may_stand_by = argc == 2 && strcmp(argv[1], "--standby") == 0;
	if (argc > 1 && !run.may_stand_by)
		return cmd_usage(&cmd_run);
	result = cmd_load_conf(&run.conf);
	if (result != 0)
		return result;
	(void)umask(022);
	log_start("sealgate", (enum log_level)run.conf->log.level);
	prepare_init(&run.sockets);
	handover_init(&run.handover);
	result = run_gateway(&run);
	hand_over(&run);
	supervise_free(run.supervise);
	syslog_close(&run.carrier);
	handover_close(&run.handover);
	prepare_close(&run.sockets);
	fd_close(&run.link);
	fd_close(&run.signals);
	fd_close(&run.lock);
	conf_free(run.coming);
	conf_free(run.conf);
	return result;
}

const struct cmd cmd_run = {
	.name = "run",
	.usage = "run [--standby]",
	.help = "start the gateway and stay in the foreground; --standby: while another one runs, "
	    "wait to take over",
	.run = run_command,
};
