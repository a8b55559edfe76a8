#include "gateway/cmd/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"

#define READY_WAIT_MS 240000		/* a full signature database loads for a minute */
#define STOP_WAIT_MS 8000		/* libmilter needs up to 5 s */
#define PAUSE_FIRST_MS 100		/* before a worker that died starts again */
#define PAUSE_MAX_MS 5000
#define HEALTHY_MS 60000		/* lived that long: its pause starts anew */

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

void worker_init(struct worker *worker, const char *program, unsigned int role,
    bool two_may_live, const struct buf *config)
{
	memset(worker, 0, sizeof(*worker));
	worker->program = program;
	worker->role = role;
	worker->two_may_live = two_may_live;
	worker->config = config;
	worker->leave_ms = STOP_WAIT_MS;
	worker->child = (struct proc_child){ -1, -1 };
	worker->next = worker->child;
	worker->leaving = worker->child;
	worker->pause_ms = PAUSE_FIRST_MS;
	worker->change = WORKER_STEADY;
}

/* ---- what is told ---- */

static void log_worker(const struct worker *worker, const char *event, pid_t pid,
    const char *text)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, event);
	log_str(&line, "worker", worker->program);
	log_int(&line, "pid", pid);
	if (text != NULL)
		log_str(&line, "text", text);
	log_end(&line);
}

static void log_death(const struct worker *worker, pid_t pid, int status)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_ERROR, NULL, "worker-ended");
	log_str(&line, "worker", worker->program);
	log_int(&line, "pid", pid);
	if (WIFSIGNALED(status))
		log_int(&line, "signal", WTERMSIG(status));
	else
		log_int(&line, "exit", WEXITSTATUS(status));
	log_str(&line, "hint", "it is started again; messages wait at Postfix meanwhile");
	log_end(&line);
}

/* Names the worker in the failure that it or its start gave. */
static enum fail_code name_failure(const struct worker *worker, struct fail *f)
{
	struct fail told = *f;

	return fail_set(f, told.code, told.hint, "%s: %s", worker->program, told.what);
}

static void log_said(const struct worker *worker, struct fail *f)
{
	(void)name_failure(worker, f);
	log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", f);
}

/* ---- changes ---- */

static void change_done(struct worker *worker)
{
	worker->change = WORKER_STEADY;
	worker->outcome = SG_OK;
}

static void change_failed(struct worker *worker, const struct fail *f)
{
	worker->change = WORKER_STEADY;
	worker->why = *f;
	worker->outcome = name_failure(worker, &worker->why);
}

static enum fail_code spawn(const struct worker *worker, struct proc_child *child_out,
    struct fail *f)
{
	char *path = NULL;
	enum fail_code code = proc_find(worker->program, &path, f);

	if (code == SG_OK)
		code = proc_spawn(&(struct proc_birth){ path, worker->listeners,
		    worker->listener_count, worker->config, worker->stands_by }, child_out, f);
	free(path);
	return code;
}

static enum fail_code start_child(struct worker *worker, struct fail *f)
{
	worker->ready = false;
	worker->has_outdated = false;
	worker->started_ms = now_ms();
	worker->retry_ms = 0;
	fail_clear(&worker->said);
	return spawn(worker, &worker->child, f);
}

void worker_fill(struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	worker->change = WORKER_FILLING;
	if (start_child(worker, &f) != SG_OK)
		change_failed(worker, &f);
}

/* A process that is gone is started again, and serves then. */
static void tell_serve(const struct proc_child *child)
{
	struct fail f;

	fail_clear(&f);
	if (child->control >= 0 && proc_tell(child, PROC_SERVE, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &f);
}

void worker_serve(struct worker *worker)
{
	worker->stands_by = false;
	tell_serve(&worker->child);
	tell_serve(&worker->next);
}

static void start_next(struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	worker->change = WORKER_BESIDE;
	worker->next_started_ms = now_ms();
	if (spawn(worker, &worker->next, &f) != SG_OK)
		change_failed(worker, &f);
}

/* Serves, and finishes what it has begun when its control socket is closed. */
static bool drains(const struct worker *worker, const struct proc_child *child)
{
	return worker->drains && child == &worker->child && worker->ready;
}

/* It ends by both: who loads does not listen, who waits for a signal only does. */
static void tell_end(const struct worker *worker, struct proc_child *child)
{
	fd_close(&child->control);
	if (child->pid > 0 && !drains(worker, child))
		(void)kill(child->pid, SIGTERM);
}

void worker_replace(struct worker *worker, bool beside)
{
	SG_BUG_IF(worker->change != WORKER_STEADY);
	worker->has_outdated = false;
	if (worker->child.pid <= 0) {
		worker_fill(worker);
	} else if (beside && worker->two_may_live) {
		worker->change = WORKER_WANTED;
		if (worker->leaving.pid <= 0)
			start_next(worker);
	} else {
		worker->change = WORKER_EMPTYING;
		worker->kill_ms = now_ms() + worker->leave_ms;
		tell_end(worker, &worker->child);
	}
}

/* The successor serves from here on; who went before finishes what it has begun. */
static void take_over(struct worker *worker)
{
	worker->leaving = worker->child;
	worker->child = worker->next;
	worker->next = (struct proc_child){ -1, -1 };
	worker->ready = true;
	worker->has_outdated = false;
	worker->started_ms = worker->next_started_ms;
	worker->retry_ms = 0;
	worker->pause_ms = PAUSE_FIRST_MS;
	worker->kill_ms = now_ms() + worker->leave_ms;
	tell_end(worker, &worker->leaving);
	change_done(worker);
}

/* The old one stays. What is left of the successor is reaped by proc_stop. */
static void give_up_next(struct worker *worker, const struct fail *f)
{
	proc_stop(&worker->next, 0);
	change_failed(worker, f);
}

/* ---- news ---- */

static void hear_next(struct worker *worker)
{
	struct fail f;
	char *text = NULL;

	fail_clear(&f);
	switch (proc_hear(&worker->next, &text, &f)) {
	case PROC_NEWS_READY:
		log_worker(worker, "started", worker->next.pid, text);
		take_over(worker);
		break;
	case PROC_NEWS_UNWELL:
		(void)fail_set(&f, SG_ESYSTEM, "see what it logged before", "%s", text);
		give_up_next(worker, &f);
		break;
	case PROC_NEWS_FAILED:
		give_up_next(worker, &f);
		break;
	default:	/* who is gone is reaped */
		break;
	}
	free(text);
}

static void child_ready(struct worker *worker, const char *text)
{
	worker->ready = true;
	log_worker(worker, "started", worker->child.pid, text);
	if (worker->change == WORKER_FILLING)
		change_done(worker);
}

static void hear_child(struct worker *worker)
{
	enum proc_news news;
	char *text;

	do {
		news = proc_hear(&worker->child, &text, &worker->said);
		if (news == PROC_NEWS_READY || news == PROC_NEWS_UNWELL)
			child_ready(worker, text);
		else if (news == PROC_NEWS_OUTDATED)
			worker->has_outdated = true;
		free(text);
	} while (news != PROC_NEWS_NONE && news != PROC_NEWS_GONE);
}

/* ---- ends ---- */

static bool has_ended(struct proc_child *child, int *status_out)
{
	if (child->pid <= 0 || waitpid(child->pid, status_out, WNOHANG) != child->pid)
		return false;
	child->pid = -1;
	fd_close(&child->control);
	return true;
}

void worker_retry(struct worker *worker)
{
	int64_t now = now_ms();

	if (now - worker->started_ms > HEALTHY_MS)
		worker->pause_ms = PAUSE_FIRST_MS;
	worker->retry_ms = now + worker->pause_ms;
	worker->pause_ms *= 2;
	if (worker->pause_ms > PAUSE_MAX_MS)
		worker->pause_ms = PAUSE_MAX_MS;
}

/* The change was that it should start. */
static void filling_ended(struct worker *worker, int status)
{
	struct fail f = worker->said;

	if (f.code == SG_OK && WIFSIGNALED(status))
		(void)fail_set(&f, SG_ESYSTEM, "see its lines in the log",
		    "ended by signal %d before it was ready", WTERMSIG(status));
	else if (f.code == SG_OK)
		(void)fail_set(&f, SG_ESYSTEM, "see its lines in the log",
		    "ended with status %d before it was ready", WEXITSTATUS(status));
	change_failed(worker, &f);
}

/*
 * It ended by itself, since it had worked long enough (pdf.messages_max) or made room: no mishap.
 * At once again, since it was ready: this cannot turn in circles without work.
 */
static bool has_finished(const struct worker *worker, int status)
{
	return worker->ready && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void child_ended(struct worker *worker, pid_t pid, int status)
{
	if (worker->change == WORKER_EMPTYING) {
		worker->kill_ms = 0;
		worker_fill(worker);
	} else if (worker->change == WORKER_FILLING) {
		filling_ended(worker, status);
	} else if (has_finished(worker, status)) {
		log_worker(worker, "renewed", pid, NULL);
		worker->pause_ms = PAUSE_FIRST_MS;
		worker->retry_ms = now_ms();
	} else {
		/* what it said on its way out is more use than its exit code */
		if (worker->said.code != SG_OK)
			log_said(worker, &worker->said);
		log_death(worker, pid, status);
		worker->deaths++;
		worker_retry(worker);
	}
	worker->ready = false;
}

static void reap_child(struct worker *worker)
{
	pid_t pid = worker->child.pid;
	siginfo_t info;
	int status;

	if (pid <= 0)
		return;
	info.si_pid = 0;
	/* looked at before it is heard: what it wrote before its end is then there to be read */
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != pid)
		return;
	hear_child(worker);
	if (has_ended(&worker->child, &status))
		child_ended(worker, pid, status);
}

static void reap_next(struct worker *worker)
{
	struct fail f;
	int status;

	hear_next(worker);
	if (!has_ended(&worker->next, &status))
		return;
	fail_clear(&f);
	(void)fail_set(&f, SG_ESYSTEM, "see its lines in the log", WIFSIGNALED(status) ?
	    "ended by signal %d before it was ready" : "ended with status %d before it was ready",
	    WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	give_up_next(worker, &f);
}

static void reap_leaving(struct worker *worker)
{
	pid_t pid = worker->leaving.pid;
	int status;

	if (!has_ended(&worker->leaving, &status))
		return;
	worker->kill_ms = worker->change == WORKER_EMPTYING ? now_ms() + worker->leave_ms : 0;
	log_worker(worker, "replaced", pid, NULL);
	if (worker->change == WORKER_WANTED)
		start_next(worker);
}

/* ---- the clock ---- */

static void next_is_late(struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	(void)fail_set(&f, SG_EPEER, "see its lines in the log; is the machine too busy?",
	    "was not ready after %d s", READY_WAIT_MS / 1000);
	give_up_next(worker, &f);
}

/* A child that loads for ever dies, and that is then told and answered as any death. */
static void child_is_late(struct worker *worker)
{
	if (worker->said.code == SG_OK)
		(void)fail_set(&worker->said, SG_EPEER,
		    "see its lines in the log; is the machine too busy?",
		    "was not ready after %d s", READY_WAIT_MS / 1000);
	(void)kill(worker->child.pid, SIGKILL);
}

static bool loads(const struct worker *worker)
{
	return worker->child.pid > 0 && !worker->ready && worker->change != WORKER_EMPTYING;
}

static void kill_late(struct worker *worker)
{
	const struct proc_child *late = worker->leaving.pid > 0 ? &worker->leaving :
	    worker->change == WORKER_EMPTYING ? &worker->child : NULL;
	int64_t now = now_ms();

	if (worker->kill_ms > 0 && now >= worker->kill_ms && late != NULL && late->pid > 0)
		(void)kill(late->pid, SIGKILL);
	if (worker->change == WORKER_BESIDE && now >= worker->next_started_ms + READY_WAIT_MS)
		next_is_late(worker);
	if (loads(worker) && now >= worker->started_ms + READY_WAIT_MS)
		child_is_late(worker);
}

static void start_again(struct worker *worker)
{
	struct fail f;

	/* a successor on its way is sooner there */
	if (worker->retry_ms == 0 || worker->retry_ms > now_ms() ||
	    worker->change == WORKER_BESIDE)
		return;
	fail_clear(&f);
	if (start_child(worker, &f) == SG_OK)
		return;
	log_said(worker, &f);
	worker_retry(worker);
}

void worker_tend(struct worker *worker)
{
	hear_child(worker);
	reap_child(worker);
	if (worker->next.pid > 0)
		reap_next(worker);
	if (worker->leaving.pid > 0)
		reap_leaving(worker);
	kill_late(worker);
	start_again(worker);
}

size_t worker_sockets(const struct worker *worker, int sockets_out[2])
{
	size_t count = 0;

	if (worker->child.control >= 0)
		sockets_out[count++] = worker->child.control;
	if (worker->next.control >= 0)
		sockets_out[count++] = worker->next.control;
	return count;
}

static void earlier(int64_t *wait_ms, int64_t at_ms, int64_t now)
{
	int64_t left = at_ms > now ? at_ms - now : 0;

	if (*wait_ms < 0 || left < *wait_ms)
		*wait_ms = left;
}

int64_t worker_wait_ms(const struct worker *worker)
{
	int64_t now = now_ms();
	int64_t wait = -1;

	if (worker->retry_ms > 0 && worker->change != WORKER_BESIDE)
		earlier(&wait, worker->retry_ms, now);
	/* who was killed already is waited for by SIGCHLD */
	if (worker->kill_ms > now)
		earlier(&wait, worker->kill_ms, now);
	if (worker->change == WORKER_BESIDE)
		earlier(&wait, worker->next_started_ms + READY_WAIT_MS, now);
	if (loads(worker) && worker->started_ms + READY_WAIT_MS > now)
		earlier(&wait, worker->started_ms + READY_WAIT_MS, now);
	return wait;
}

void worker_dismiss(struct worker *worker)
{
	tell_end(worker, &worker->next);
	tell_end(worker, &worker->child);
	tell_end(worker, &worker->leaving);
}

static void end(const struct worker *worker, struct proc_child *child)
{
	if (drains(worker, child))
		proc_leave(child, (int)worker->leave_ms);
	else
		proc_stop(child, STOP_WAIT_MS);
}

void worker_end(struct worker *worker)
{
	end(worker, &worker->next);
	end(worker, &worker->child);
	end(worker, &worker->leaving);
}
