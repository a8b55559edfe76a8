#include "gateway/cmd/supervise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/clock.h"
#include "gateway/base/counters.h"
#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/cmd/memory.h"
#include "gateway/cmd/worker.h"

#define WORKERS_SINGLE 7u
#define LEAVE_SPARE_MS 8000			/* beyond the longest request */
#define ROOM_SPARE (UINT64_C(64) << 20)		/* bytes that must stay free beside two scanners */

static const unsigned int roles[] = { CONF_VAULT, CONF_SCAN, CONF_PDF, CONF_TLS, CONF_TRACE,
	CONF_NOTIFY, CONF_HEALTH, CONF_MILTER };

#define ROLES (sizeof(roles) / sizeof(roles[0]))

/* A new configuration on its way through the workers, or on its way back. */
struct reload {
	enum supervise_reload_state state;
	bool back;			/* somebody refused: who took it gets the old one back */
	bool has_begun;			/* the worker at "at" is being changed */
	size_t at;
	size_t end;			/* workers that are given one */
	bool changed[ROLES];
	struct buf others[ROLES];	/* the old ones, or on the way back the refused ones */
	enum conf_renewal renewal;
};

struct supervise {
	const struct prepare_sockets *sockets;
	struct worker workers[SUPERVISE_WORKERS_MAX];
	struct counters *counters;	/* NULL: nobody counts */
	int page;			/* the descriptor behind them */
	size_t count;
	struct buf configs[ROLES];	/* encoded for each role */
	enum supervise_state state;
	enum conf_renewal renewal;
	struct reload reload;
	struct fail why;
};

/* The last of them. */
static struct worker *filter_of(struct supervise *supervise)
{
	return &supervise->workers[supervise->count - 1];
}

static size_t role_place(unsigned int role)
{
	size_t i = 0;

	while (i < ROLES && roles[i] != role)
		i++;
	SG_BUG_IF(i == ROLES);
	return i;
}

/* In the order in which the program of that role expects them. */
static size_t sockets_of(const struct supervise *supervise, unsigned int role,
    int listeners[PROC_LISTENERS_MAX])
{
	static const struct {
		unsigned int role;
		enum prepare_socket socket;
	} table[] = {
		{ CONF_VAULT, PREPARE_VAULT }, { CONF_VAULT, PREPARE_ADMIN },
		{ CONF_VAULT, PREPARE_FACTS }, { CONF_VAULT, PREPARE_NOTICE },
		{ CONF_SCAN, PREPARE_SCAN }, { CONF_PDF, PREPARE_PDF },
		{ CONF_TLS, PREPARE_POLICY }, { CONF_TLS, PREPARE_TLS },
		{ CONF_TLS, PREPARE_METRICS }, { CONF_HEALTH, PREPARE_HEALTH },
		{ CONF_MILTER, PREPARE_FILTER },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].role == role && supervise->sockets->fds[table[i].socket] >= 0)
			listeners[count++] = supervise->sockets->fds[table[i].socket];
	return count;
}

/* The sockets of a role, and the page of counters behind them. */
static size_t listeners_of(const struct supervise *supervise, unsigned int role,
    int listeners[PROC_LISTENERS_MAX])
{
	size_t count = sockets_of(supervise, role, listeners);

	if (supervise->page >= 0)
		listeners[count++] = supervise->page;
	return count;
}

static void add_worker(struct supervise *supervise, const char *program, unsigned int role,
    bool two_may_live)
{
	struct worker *worker = &supervise->workers[supervise->count];

	SG_BUG_IF(supervise->count >= SUPERVISE_WORKERS_MAX);
	worker_init(worker, program, role, two_may_live, &supervise->configs[role_place(role)]);
	supervise->count++;
}

/* As long as their longest request: what an old one has begun, it may finish. */
static void set_leave(struct supervise *supervise, const struct conf *conf)
{
	for (size_t i = 0; i < supervise->count; i++) {
		struct worker *worker = &supervise->workers[i];

		if (worker->role == CONF_SCAN)
			worker->leave_ms = conf->scan.timeout_ms + LEAVE_SPARE_MS;
		else if (worker->role == CONF_PDF)
			worker->leave_ms = conf->pdf.timeout_ms + LEAVE_SPARE_MS;
		else if (worker->role == CONF_MILTER)
			worker->leave_ms = LEAVE_SPARE_MS + (conf->pdf.timeout_ms >
			    conf->scan.timeout_ms ? conf->pdf.timeout_ms :
			    conf->scan.timeout_ms);
	}
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

/* Without them the gateway works as well: health shows nothing then. */
static void make_counters(struct supervise *supervise)
{
	struct fail f;

	fail_clear(&f);
	if (counters_make(&supervise->counters, &supervise->page, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "no-counters", &f);
	else
		supervise->counters->started_s = clock_wall_ms(clock_system()) / 1000;
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
	supervise->renewal = conf->scan.renewal;
	supervise->page = -1;
	code = encode_all(conf, supervise->configs, f);
	if (code != SG_OK) {
		free(supervise);
		return code;
	}
	make_counters(supervise);
	add_worker(supervise, "sealgate-vault", CONF_VAULT, false);
	add_worker(supervise, "sealgate-scan", CONF_SCAN, true);
	for (unsigned int i = 0; i < pdfs && i < SUPERVISE_WORKERS_MAX - WORKERS_SINGLE; i++)
		add_worker(supervise, "sealgate-pdf", CONF_PDF, true);
	add_worker(supervise, "sealgate-tls", CONF_TLS, true);
	add_worker(supervise, "sealgate-trace", CONF_TRACE, false);
	add_worker(supervise, "sealgate-notify", CONF_NOTIFY, false);
	if (conf->health.listen[0] != '\0')
		add_worker(supervise, "sealgate-health", CONF_HEALTH, true);
	add_worker(supervise, "sealgate-milter", CONF_MILTER, false);
	filter_of(supervise)->drains = true;
	set_leave(supervise, conf);
	*supervise_out = supervise;
	return SG_OK;
}

/* ---- start ---- */

static void give_sockets(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++) {
		struct worker *worker = &supervise->workers[i];

		worker->listener_count = listeners_of(supervise, worker->role, worker->listeners);
	}
}

void supervise_start(struct supervise *supervise)
{
	supervise->state = SUPERVISE_STARTING;
	give_sockets(supervise);
	for (size_t i = 0; i + 1 < supervise->count; i++)
		worker_fill(&supervise->workers[i]);
}

/* Those that load for long. The others are there at once, and two vaults cannot be. */
static bool warms_up(const struct worker *worker)
{
	return worker->role == CONF_SCAN || worker->role == CONF_PDF;
}

void supervise_stand_by(struct supervise *supervise)
{
	supervise->state = SUPERVISE_WARMING;
	give_sockets(supervise);
	for (size_t i = 0; i < supervise->count; i++) {
		if (!warms_up(&supervise->workers[i]))
			continue;
		supervise->workers[i].stands_by = true;
		worker_fill(&supervise->workers[i]);
	}
}

void supervise_take_over(struct supervise *supervise)
{
	supervise->state = SUPERVISE_STARTING;
	give_sockets(supervise);
	/* the filter, too: what it asks of others waits in their sockets until they are there */
	for (size_t i = 0; i < supervise->count; i++) {
		if (warms_up(&supervise->workers[i]))
			worker_serve(&supervise->workers[i]);
		else
			worker_fill(&supervise->workers[i]);
	}
}

/* True, and the state is that, when a worker cannot start. */
static bool has_failed(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++) {
		if (supervise->workers[i].outcome == SG_OK)
			continue;
		supervise->why = supervise->workers[i].why;
		supervise->state = SUPERVISE_FAILED;
		return true;
	}
	return false;
}

static void go_on_warming(struct supervise *supervise)
{
	if (has_failed(supervise))
		return;
	for (size_t i = 0; i < supervise->count; i++)
		if (warms_up(&supervise->workers[i]) && !supervise->workers[i].ready)
			return;
	supervise->state = SUPERVISE_STANDING_BY;
}

/* The filter is the last of them. */
static void go_on_starting(struct supervise *supervise)
{
	struct worker *filter = filter_of(supervise);
	bool others_ready = true;

	if (has_failed(supervise))
		return;
	for (size_t i = 0; i + 1 < supervise->count; i++)
		others_ready = others_ready && supervise->workers[i].ready;
	if (others_ready && filter->ready)
		supervise->state = SUPERVISE_RUNNING;
	else if (others_ready && filter->child.pid <= 0 && filter->change == WORKER_STEADY)
		worker_fill(filter);
}

enum supervise_state supervise_state(const struct supervise *supervise)
{
	return supervise->state;
}

const struct fail *supervise_why(const struct supervise *supervise)
{
	return &supervise->why;
}

/* ---- new signatures ---- */

static void log_renewal(const struct worker *worker, bool beside, uint64_t need,
    uint64_t available)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, "renewal");
	log_str(&line, "worker", worker->program);
	log_str(&line, "how", beside ? "beside" : "in-turn");
	log_int(&line, "need_mb", (int64_t)(need >> 20));
	if (available != UINT64_MAX)
		log_int(&line, "available_mb", (int64_t)(available >> 20));
	log_end(&line);
}

/* A second one as large as the first has ever been, and a quarter: signatures become more. */
static bool has_room(const struct supervise *supervise, const struct worker *worker)
{
	uint64_t peak = memory_peak("", worker->child.pid);
	uint64_t need = peak + peak / 4;
	uint64_t available = memory_available("");
	bool beside = supervise->renewal == CONF_RENEWAL_BESIDE ||
	    (supervise->renewal == CONF_RENEWAL_AUTO && need + ROOM_SPARE <= available);

	log_renewal(worker, beside, need, available);
	return beside;
}

/* In turn it first looks whether the new files are sound: then it ends, and is started anew. */
static void renew(struct supervise *supervise, struct worker *worker)
{
	struct fail f;

	fail_clear(&f);
	worker->has_outdated = false;
	if (has_room(supervise, worker))
		worker_replace(worker, true);
	else if (proc_tell(&worker->child, PROC_GIVE_WAY, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "old_signatures_stay", &f);
}

/* A renewal that failed changes nothing. */
static void tell_outcome(struct worker *worker)
{
	if (worker->outcome != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "old_signatures_stay", &worker->why);
	worker->outcome = SG_OK;
}

static void renew_outdated(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++) {
		struct worker *worker = &supervise->workers[i];

		if (worker->has_outdated && worker->ready && worker->change == WORKER_STEADY)
			renew(supervise, worker);
		tell_outcome(worker);
	}
}

void supervise_look(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++) {
		const struct worker *worker = &supervise->workers[i];

		/* one that does not read is busy with looking */
		if (worker->role == CONF_SCAN && worker->ready)
			(void)!proc_tell(&worker->child, PROC_RELOAD, NULL);
	}
}

/* ---- reload ---- */

/* configs and reload.others change places; what differs is to be given to the workers. */
static void swap_configs(struct supervise *supervise)
{
	struct reload *reload = &supervise->reload;
	enum conf_renewal renewal = supervise->renewal;

	for (size_t i = 0; i < ROLES; i++) {
		struct buf old = supervise->configs[i];
		const struct buf *fresh = &reload->others[i];

		reload->changed[i] = old.size != fresh->size || (old.size > 0 &&
		    memcmp(old.data, fresh->data, old.size) != 0);
		supervise->configs[i] = *fresh;
		reload->others[i] = old;
	}
	supervise->renewal = reload->renewal;
	reload->renewal = renewal;
	reload->has_begun = false;
	reload->at = 0;
}

enum fail_code supervise_reload(struct supervise *supervise, const struct conf *conf,
    struct fail *f)
{
	struct reload *reload = &supervise->reload;
	enum fail_code code;

	SG_BUG_IF(supervise->state != SUPERVISE_RUNNING || reload->state == SUPERVISE_RELOADING);
	code = encode_all(conf, reload->others, f);
	if (code != SG_OK)
		return code;
	reload->renewal = conf->scan.renewal;
	reload->state = SUPERVISE_RELOADING;
	reload->back = false;
	reload->end = supervise->count;
	swap_configs(supervise);
	set_leave(supervise, conf);
	return SG_OK;
}

static void begin_one(struct supervise *supervise, struct worker *worker)
{
	bool beside = worker->two_may_live;

	tell_outcome(worker);
	if (worker->role != CONF_MILTER) {
		if (beside && worker->role == CONF_SCAN && worker->child.pid > 0)
			beside = has_room(supervise, worker);
		worker_replace(worker, beside);
	} else if (worker->child.control >= 0) {
		/* if it is away, it gets the new one when it starts */
		worker->outcome = proc_configure(&worker->child, worker->config, &worker->why);
	}
}

/* True while there is something to wait for at the worker whose turn it is. */
static bool change_one(struct supervise *supervise, struct worker *worker)
{
	struct reload *reload = &supervise->reload;

	if (!reload->changed[role_place(worker->role)])
		return false;
	if (!reload->has_begun) {
		/* new signatures on their way come first */
		if (worker->change != WORKER_STEADY)
			return true;
		reload->has_begun = true;
		begin_one(supervise, worker);
	}
	return worker->change != WORKER_STEADY;
}

/* A place that is empty now starts with what counts from here on. */
static void refused(struct supervise *supervise, struct worker *worker)
{
	struct reload *reload = &supervise->reload;

	if (reload->back) {
		log_failure(LOG_LEVEL_ERROR, NULL, "worker-failed", &worker->why);
	} else {
		supervise->why = worker->why;
		reload->back = true;
		reload->end = reload->at;
		swap_configs(supervise);
	}
	worker->outcome = SG_OK;
	if (worker->child.pid <= 0 && worker->retry_ms == 0)
		worker_retry(worker);
}

static void go_on_reloading(struct supervise *supervise)
{
	struct reload *reload = &supervise->reload;

	while (reload->at < reload->end) {
		struct worker *worker = &supervise->workers[reload->at];
		bool was_back = reload->back;

		if (change_one(supervise, worker))
			return;
		if (reload->has_begun && worker->outcome != SG_OK)
			refused(supervise, worker);
		if (reload->back == was_back)
			reload->at++;
		reload->has_begun = false;
	}
	for (size_t i = 0; i < ROLES; i++)
		buf_free(&reload->others[i]);
	reload->state = reload->back ? SUPERVISE_KEPT : SUPERVISE_RELOADED;
}

enum supervise_reload_state supervise_reload_state(struct supervise *supervise)
{
	enum supervise_reload_state state = supervise->reload.state;

	if (state == SUPERVISE_RELOADED || state == SUPERVISE_KEPT)
		supervise->reload.state = SUPERVISE_NO_RELOAD;
	return state;
}

/* ---- all the time ---- */

/* What sealgate-health shows of the workers. */
static void publish(const struct supervise *supervise)
{
	struct counters *counters = supervise->counters;

	if (counters == NULL)
		return;
	for (size_t i = 0; i < supervise->count && i < COUNTERS_WORKERS; i++) {
		const struct worker *worker = &supervise->workers[i];
		struct counters_worker *place = &counters->workers[i];
		int32_t pid = worker->child.pid > 0 ? (int32_t)worker->child.pid : 0;

		(void)snprintf(place->name, sizeof(place->name), "%s", worker->program);
		/* the deadline was another process's */
		if (place->pid != pid)
			place->deadline_ms = 0;
		place->pid = pid;
		place->ready = worker->ready;
		place->deaths = worker->deaths;
	}
	counters->worker_count = (uint32_t)supervise->count;
	counters->running = supervise->state == SUPERVISE_RUNNING;
}

void supervise_tend(struct supervise *supervise)
{
	for (size_t i = 0; i < supervise->count; i++)
		worker_tend(&supervise->workers[i]);
	if (supervise->state == SUPERVISE_STARTING)
		go_on_starting(supervise);
	else if (supervise->state == SUPERVISE_WARMING)
		go_on_warming(supervise);
	else if (supervise->reload.state == SUPERVISE_RELOADING)
		go_on_reloading(supervise);
	if (supervise->state == SUPERVISE_STANDING_BY || (supervise->state == SUPERVISE_RUNNING &&
	    supervise->reload.state != SUPERVISE_RELOADING))
		renew_outdated(supervise);
	publish(supervise);
}

size_t supervise_poll(const struct supervise *supervise, struct pollfd polls[SUPERVISE_POLL_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < supervise->count; i++) {
		int sockets[2];
		size_t found = worker_sockets(&supervise->workers[i], sockets);

		for (size_t s = 0; s < found; s++)
			polls[count++] = (struct pollfd){ sockets[s], POLLIN, 0 };
	}
	return count;
}

int supervise_wait_ms(const struct supervise *supervise)
{
	int64_t wait = -1;

	for (size_t i = 0; i < supervise->count; i++) {
		int64_t left = worker_wait_ms(&supervise->workers[i]);

		if (left >= 0 && (wait < 0 || left < wait))
			wait = left;
	}
	return (int)wait;
}

static void end_role(struct supervise *supervise, unsigned int role)
{
	for (size_t i = 0; i < supervise->count; i++)
		if (supervise->workers[i].role == role)
			worker_end(&supervise->workers[i]);
}

void supervise_hand_over(struct supervise *supervise)
{
	for (size_t i = supervise->count; i > 1; i--)
		worker_dismiss(&supervise->workers[i - 1]);
	end_role(supervise, CONF_NOTIFY);
	end_role(supervise, CONF_TRACE);
	end_role(supervise, CONF_VAULT);
}

void supervise_show_standbys(struct supervise *supervise, size_t count)
{
	if (supervise->counters != NULL)
		supervise->counters->standbys = (uint32_t)count;
}

void supervise_free(struct supervise *supervise)
{
	if (supervise == NULL)
		return;
	/* what it has cannot be answered by workers that did not start */
	if (supervise->state == SUPERVISE_FAILED)
		filter_of(supervise)->drains = false;
	worker_end(filter_of(supervise));
	for (size_t i = 1; i < supervise->count; i++)
		worker_dismiss(&supervise->workers[i]);
	for (size_t i = supervise->count; i > 0; i--)
		worker_end(&supervise->workers[i - 1]);
	fd_close(&supervise->page);
	for (size_t i = 0; i < ROLES; i++) {
		buf_free(&supervise->configs[i]);
		if (supervise->reload.state == SUPERVISE_RELOADING)
			buf_free(&supervise->reload.others[i]);
	}
	free(supervise);
}
