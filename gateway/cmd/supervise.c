#include "gateway/cmd/supervise.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/proc.h"
#include "gateway/base/str.h"

#define WORKERS_MAX 72			/* the six single ones and at most 64 PDF workers */
#define WORKERS_SINGLE 6
#define READY_WAIT_MS 240000		/* a full signature database loads for a minute */
#define STOP_WAIT_MS 8000		/* libmilter needs up to 5 s */
#define PAUSE_FIRST_MS 100		/* before a worker that died starts again */
#define PAUSE_MAX_MS 5000
#define HEALTHY_MS 60000		/* lived that long: its pause starts anew */

static const unsigned int roles[] = { CONF_VAULT, CONF_SCAN, CONF_PDF, CONF_TLS, CONF_TRACE,
	CONF_NOTIFY, CONF_MILTER };

#define ROLES (sizeof(roles) / sizeof(roles[0]))

struct worker {
	const char *program;
	unsigned int role;		/* enum conf_role */
	bool two_may_live;		/* a new one may start beside the old one */
	struct proc_child child;
	bool ready;
	int64_t started_ms;
	int64_t retry_ms;		/* when it may start again; 0 = it runs */
	int64_t pause_ms;
};

struct supervise {
	const struct prepare_sockets *sockets;
	struct worker workers[WORKERS_MAX];
	size_t count;
	struct buf configs[ROLES];	/* encoded for each role */
};

static int64_t now_ms(void)
{
	return clock_mono_ms(clock_system());
}

static size_t role_place(unsigned int role)
{
	size_t i = 0;

	while (i < ROLES && roles[i] != role)
		i++;
	SG_BUG_IF(i == ROLES);
	return i;
}

static void add_worker(struct supervise *supervise, const char *program, unsigned int role,
    bool two_may_live)
{
	struct worker *worker = &supervise->workers[supervise->count];

	SG_BUG_IF(supervise->count >= WORKERS_MAX);
	memset(worker, 0, sizeof(*worker));
	worker->program = program;
	worker->role = role;
	worker->two_may_live = two_may_live;
	worker->child.pid = -1;
	worker->child.control = -1;
	worker->pause_ms = PAUSE_FIRST_MS;
	supervise->count++;
}

static enum fail_code encode_all(const struct conf *conf, struct buf *configs, struct fail *f)
{
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < ROLES; i++)
		buf_init(&configs[i], PROC_CONFIG_MAX);
	for (size_t i = 0; i < ROLES && code == SG_OK; i++)
		code = conf_encode(conf, roles[i], &configs[i], f);
	for (size_t i = 0; i < ROLES && code != SG_OK; i++)
		buf_free(&configs[i]);
	return code;
}

enum fail_code supervise_new(const struct conf *conf, const struct prepare_sockets *sockets,
    struct supervise **supervise_out, struct fail *f)
{
	struct supervise *supervise = calloc(1, sizeof(*supervise));
	unsigned int pdfs = conf->pdf.workers;
	enum fail_code code;

	*supervise_out = NULL;
	if (supervise == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory");
	supervise->sockets = sockets;
	code = encode_all(conf, supervise->configs, f);
	if (code != SG_OK) {
		free(supervise);
		return code;
	}
	add_worker(supervise, "sealgate-vault", CONF_VAULT, false);
	add_worker(supervise, "sealgate-scan", CONF_SCAN, true);
	for (unsigned int i = 0; i < pdfs && i < WORKERS_MAX - WORKERS_SINGLE; i++)
		add_worker(supervise, "sealgate-pdf", CONF_PDF, true);
	add_worker(supervise, "sealgate-tls", CONF_TLS, true);
	add_worker(supervise, "sealgate-trace", CONF_TRACE, false);
	add_worker(supervise, "sealgate-notify", CONF_NOTIFY, false);
	add_worker(supervise, "sealgate-milter", CONF_MILTER, false);
	*supervise_out = supervise;
	return SG_OK;
}

static size_t listeners_of(const struct supervise *supervise, unsigned int role,
    int listeners[PROC_LISTENERS_MAX])
{
	switch (role) {
	case CONF_VAULT:
		listeners[0] = supervise->sockets->vault;
		listeners[1] = supervise->sockets->admin;
		listeners[2] = supervise->sockets->facts;
		listeners[3] = supervise->sockets->notice;
		return 4;
	case CONF_SCAN:
		listeners[0] = supervise->sockets->scan;
		return 1;
	case CONF_PDF:
		listeners[0] = supervise->sockets->pdf;
		return 1;
	case CONF_TLS:
		listeners[0] = supervise->sockets->policy;
		listeners[1] = supervise->sockets->tls;
		listeners[2] = supervise->sockets->metrics;
		return supervise->sockets->metrics < 0 ? 2 : 3;
	default:
		return 0;
	}
}

static enum fail_code spawn(const struct supervise *supervise, struct worker *worker,
    struct fail *f)
{
	int listeners[PROC_LISTENERS_MAX];
	size_t count = listeners_of(supervise, worker->role, listeners);
	char *path = NULL;
	enum fail_code code = proc_find(worker->program, &path, f);

	worker->ready = false;
	worker->started_ms = now_ms();
	worker->retry_ms = 0;
	if (code == SG_OK)
		code = proc_spawn(path, listeners, count,
		    &supervise->configs[role_place(worker->role)], &worker->child, f);
	free(path);
	return code;
}

static void log_worker(const struct worker *worker, const char *event, const char *text)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, event);
	log_str(&line, "worker", worker->program);
	log_int(&line, "pid", worker->child.pid);
	if (text != NULL)
		log_str(&line, "text", text);
	log_end(&line);
}

/* Names the worker in the failure that it or its start gave. */
static enum fail_code worker_failed(const struct worker *worker, enum fail_code code,
    struct fail *f)
{
	struct fail told = *f;

	return fail_set(f, code, told.hint, "%s: %s", worker->program, told.what);
}

static enum fail_code await(struct worker *worker, int wait_ms, struct fail *f)
{
	char *text = NULL;
	enum fail_code code = proc_wait_ready(&worker->child, wait_ms, &text, f);

	if (code == SG_OK) {
		worker->ready = true;
		log_worker(worker, "started", text);
	} else {
		code = worker_failed(worker, code, f);
	}
	free(text);
	return code;
}

/* All but the filter start side by side; it opens its door when the others are ready. */
enum fail_code supervise_start(struct supervise *supervise, struct fail *f)
{
	size_t last = supervise->count - 1;
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < last && code == SG_OK; i++)
		code = spawn(supervise, &supervise->workers[i], f);
	for (size_t i = 0; i < last && code == SG_OK; i++)
		code = await(&supervise->workers[i], READY_WAIT_MS, f);
	if (code == SG_OK)
		code = spawn(supervise, &supervise->workers[last], f);
	if (code == SG_OK)
		code = await(&supervise->workers[last], READY_WAIT_MS, f);
	return code;
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

static void plan_retry(struct worker *worker)
{
	int64_t now = now_ms();

	if (now - worker->started_ms > HEALTHY_MS)
		worker->pause_ms = PAUSE_FIRST_MS;
	worker->retry_ms = now + worker->pause_ms;
	worker->pause_ms *= 2;
	if (worker->pause_ms > PAUSE_MAX_MS)
		worker->pause_ms = PAUSE_MAX_MS;
	worker->child.pid = -1;
	fd_close(&worker->child.control);
}

/* A PDF worker that made as many PDFs as it should (pdf.messages_max): no mishap. */
static bool has_served(const struct worker *worker, int status)
{
	return worker->role == CONF_PDF && worker->ready && WIFEXITED(status) &&
	    WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* At once: it was ready and worked, so that this cannot turn in circles without work. */
static void plan_renewal(struct worker *worker)
{
	worker->pause_ms = PAUSE_FIRST_MS;
	worker->retry_ms = now_ms();
	worker->child.pid = -1;
	fd_close(&worker->child.control);
}

static void reap(struct worker *worker)
{
	pid_t pid = worker->child.pid;
	struct fail f;
	int status;

	if (pid <= 0 || waitpid(pid, &status, WNOHANG) != pid)
		return;
	fail_clear(&f);
	/* what it said on its way out is more use than its exit code */
	if (!worker->ready && proc_wait_ready(&worker->child, 0, NULL, &f) != SG_OK &&
	    f.code != SG_EPEER) {
		(void)worker_failed(worker, f.code, &f);
		log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &f);
	}
	if (has_served(worker, status)) {
		log_worker(worker, "renewed", NULL);
		plan_renewal(worker);
		return;
	}
	log_death(worker, pid, status);
	plan_retry(worker);
}

/* Ready is noticed in passing: one worker that loads must not hold up the watch on the others. */
static void notice_ready(struct worker *worker)
{
	struct fail f;

	if (worker->child.pid <= 0 || worker->ready)
		return;
	fail_clear(&f);
	if (await(worker, 0, &f) != SG_OK && f.code != SG_EPEER)
		log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &f);
}

static void start_again(struct supervise *supervise, struct worker *worker)
{
	struct fail f;

	if (worker->retry_ms == 0 || worker->retry_ms > now_ms())
		return;
	fail_clear(&f);
	if (spawn(supervise, worker, &f) == SG_OK)
		return;
	log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &f);
	plan_retry(worker);
}

void supervise_tend(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++) {
		struct worker *worker = &supervise->workers[i];

		reap(worker);
		notice_ready(worker);
		start_again(supervise, worker);
	}
}

int supervise_wait_ms(const struct supervise *supervise)
{
	int64_t now = now_ms();
	int64_t wait = -1;

	for (size_t i = 0; i < supervise->count; i++) {
		const struct worker *worker = &supervise->workers[i];
		int64_t left = -1;

		if (worker->retry_ms > 0)
			left = worker->retry_ms > now ? worker->retry_ms - now : 0;
		else if (worker->child.pid > 0 && !worker->ready)
			left = 100;
		if (left >= 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return (int)wait;
}

/* ---- reload ---- */

static enum fail_code send_config(struct worker *worker, const struct buf *config,
    struct fail *f)
{
	struct wire_message message;
	enum fail_code code;

	if (worker->child.control < 0)
		return SG_OK;	/* it gets the new one when it starts */
	wire_message_init(&message, PROC_CONFIG);
	code = fd_memory("sealgate-config", &message.fd, f);
	if (code == SG_OK)
		code = fd_write_all(message.fd, config->data, config->size, f);
	if (code == SG_OK)
		code = fd_seal(message.fd, f);
	if (code == SG_OK)
		code = wire_send(worker->child.control, &message, 1000, f);
	wire_message_free(&message);
	return code;
}

/*
 * The new worker is ready before the old one goes, where both can live. If it does not start, the
 * old one stays, or starts again with the configuration that is kept.
 */
static enum fail_code replace(struct supervise *supervise, struct worker *worker, struct fail *f)
{
	struct proc_child old = worker->child;
	bool was_ready = worker->ready;
	enum fail_code code;

	if (!worker->two_may_live)
		proc_stop(&old, STOP_WAIT_MS);
	worker->child = (struct proc_child){ -1, -1 };
	code = spawn(supervise, worker, f);
	if (code == SG_OK)
		code = await(worker, READY_WAIT_MS, f);
	if (code == SG_OK) {
		proc_stop(&old, STOP_WAIT_MS);
		return SG_OK;
	}
	proc_stop(&worker->child, 0);
	worker->child = old;
	worker->ready = was_ready;
	if (old.pid <= 0)
		plan_retry(worker);
	return code;
}

static enum fail_code reload_worker(struct supervise *supervise, struct worker *worker,
    bool changed, struct fail *f)
{
	if (!changed)
		return SG_OK;
	if (worker->role == CONF_MILTER)
		return send_config(worker, &supervise->configs[role_place(CONF_MILTER)], f);
	return replace(supervise, worker, f);
}

/* Gives the first count workers the configurations in fresh; count_out: how many took it. */
static enum fail_code give_configs(struct supervise *supervise, struct buf *fresh, size_t count,
    size_t *count_out, struct fail *f)
{
	bool changed[ROLES];
	enum fail_code code = SG_OK;

	for (size_t i = 0; i < ROLES; i++) {
		struct buf old = supervise->configs[i];

		changed[i] = old.size != fresh[i].size || (old.size > 0 &&
		    memcmp(old.data, fresh[i].data, old.size) != 0);
		supervise->configs[i] = fresh[i];
		fresh[i] = old;
	}
	for (*count_out = 0; *count_out < count; (*count_out)++) {
		struct worker *worker = &supervise->workers[*count_out];

		code = reload_worker(supervise, worker, changed[role_place(worker->role)], f);
		if (code != SG_OK)
			break;
	}
	return code;
}

enum fail_code supervise_reload(struct supervise *supervise, const struct conf *conf,
    struct fail *f)
{
	struct buf configs[ROLES];
	struct fail back;
	size_t taken;
	enum fail_code code = encode_all(conf, configs, f);

	if (code != SG_OK)
		return code;
	code = give_configs(supervise, configs, supervise->count, &taken, f);
	fail_clear(&back);
	/* configs holds the old ones now: who took the new one gets the old one back */
	if (code != SG_OK && give_configs(supervise, configs, taken, &taken, &back) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &back);
	for (size_t i = 0; i < ROLES; i++)
		buf_free(&configs[i]);
	return code;
}

void supervise_free(struct supervise *supervise)
{
	if (supervise == NULL)
		return;
	for (size_t i = supervise->count; i > 0; i--)
		proc_stop(&supervise->workers[i - 1].child, STOP_WAIT_MS);
	for (size_t i = 0; i < ROLES; i++)
		buf_free(&supervise->configs[i]);
	free(supervise);
}
