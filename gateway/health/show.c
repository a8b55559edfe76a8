#include "gateway/health/show.h"

#include <inttypes.h>
#include <string.h>

#include "gateway/vault/record.h"

struct writer {
	struct buf *out;
	enum fail_code code;
};

static void put_head(struct writer *w, const char *name, const char *type, const char *help)
{
	if (w->code == SG_OK)
		w->code = buf_printf(w->out, "# HELP sealgate_%s %s\n# TYPE sealgate_%s %s\n", name,
		    help, name, type);
}

static void put_one(struct writer *w, const char *name, const char *type, const char *help,
    uint64_t value)
{
	put_head(w, name, type, help);
	if (w->code == SG_OK)
		w->code = buf_printf(w->out, "sealgate_%s %" PRIu64 "\n", name, value);
}

/* ---- workers ---- */

enum state { STATE_WELL, STATE_GONE, STATE_LOADING, STATE_HANGS };

static enum state state_of(const struct counters_worker *worker, int64_t now_ms)
{
	if (worker->pid == 0)
		return STATE_GONE;
	if (worker->ready == 0)
		return STATE_LOADING;
	return worker->deadline_ms != 0 && worker->deadline_ms < now_ms ? STATE_HANGS : STATE_WELL;
}

static uint32_t workers_of(const struct counters *counters)
{
	uint32_t count = counters->worker_count;

	return count < COUNTERS_WORKERS ? count : COUNTERS_WORKERS;
}

/* The name without what all have, and ended whatever the page holds. */
static void name_of(const struct counters_worker *worker, char name_out[COUNTERS_NAME_MAX])
{
	static const char prefix[] = "sealgate-";
	size_t at = strncmp(worker->name, prefix, sizeof(prefix) - 1) == 0 ? sizeof(prefix) - 1 : 0;
	size_t size = 0;

	for (; at < COUNTERS_NAME_MAX && worker->name[at] >= 'a' && worker->name[at] <= 'z'; at++)
		name_out[size++] = worker->name[at];
	name_out[size] = '\0';
}

/* Those of one name stand side by side: one line for them. */
static uint32_t same_name(const struct counters *counters, uint32_t from, char *name)
{
	uint32_t count = workers_of(counters);
	char other[COUNTERS_NAME_MAX];
	uint32_t i;

	name_of(&counters->workers[from], name);
	for (i = from + 1; i < count; i++) {
		name_of(&counters->workers[i], other);
		if (strcmp(other, name) != 0)
			break;
	}
	return i;
}

enum worker_figure { FIGURE_PLACES, FIGURE_WELL, FIGURE_DEATHS };

static uint64_t figure_of(const struct counters *counters, uint32_t from, uint32_t to,
    enum worker_figure figure, int64_t now_ms)
{
	uint64_t sum = 0;

	for (uint32_t i = from; i < to; i++) {
		const struct counters_worker *worker = &counters->workers[i];

		sum += figure == FIGURE_PLACES ? 1 : figure == FIGURE_DEATHS ? worker->deaths :
		    state_of(worker, now_ms) == STATE_WELL;
	}
	return sum;
}

static void put_workers(struct writer *w, const struct counters *counters, int64_t now_ms)
{
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		enum worker_figure figure;
	} rows[] = {
		{ "workers", "gauge", "Processes that there should be.", FIGURE_PLACES },
		{ "workers_well", "gauge", "Those that are ready and go on.", FIGURE_WELL },
		{ "worker_deaths_total", "counter", "Ends that were not planned.", FIGURE_DEATHS },
	};
	char name[COUNTERS_NAME_MAX];
	uint32_t next;

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		put_head(w, rows[r].name, rows[r].type, rows[r].help);
		for (uint32_t i = 0; i < workers_of(counters); i = next) {
			next = same_name(counters, i, name);
			if (w->code == SG_OK)
				w->code = buf_printf(w->out, "sealgate_%s{worker=\"%s\"} %" PRIu64
				    "\n", rows[r].name, name, figure_of(counters, i, next,
				    rows[r].figure, now_ms));
		}
	}
}

/* ---- messages ---- */

static void put_decisions(struct writer *w, const struct counters *counters)
{
	static const char *const stages[COUNTERS_STAGES] = { NULL, "front", "seal", "fallback" };

	put_head(w, "recipients_total", "counter",
	    "Recipients of messages, by stage and by what was decided.");
	for (unsigned int s = 1; s < COUNTERS_STAGES; s++) {
		for (unsigned int d = RECORD_PASSED; w->code == SG_OK && d <= RECORD_ROUTED; d++)
			w->code = buf_printf(w->out, "sealgate_recipients_total{stage=\"%s\","
			    "decision=\"%s\"} %" PRIu64 "\n", stages[s],
			    record_decision_name(d), (uint64_t)counters->decisions[s][d]);
	}
}

static void put_refused(struct writer *w, const struct counters *counters)
{
	/* in the order of enum reply_stage */
	static const char *const reasons[COUNTERS_REASONS] = { "intake", "scan", "sender", "plan",
		"seal", "mark", "record", "wait", "no_tls", NULL };
	static const char *const kinds[2] = { "temporary", "permanent" };

	put_head(w, "refused_total", "counter",
	    "Messages that were not accepted, by the step that refused and for how long.");
	for (unsigned int r = 0; r < COUNTERS_REASONS && reasons[r] != NULL; r++) {
		for (unsigned int k = 0; w->code == SG_OK && k < 2; k++)
			w->code = buf_printf(w->out, "sealgate_refused_total{reason=\"%s\","
			    "kind=\"%s\"} %" PRIu64 "\n", reasons[r], kinds[k],
			    (uint64_t)counters->refused[r][k]);
	}
}

static const char *step_name(unsigned int step)
{
	static const char *const names[COUNTERS_STEPS] = { "front", "seal", "fallback", "scan",
		"plan", "pdf", "proof", "record" };

	return names[step];
}

static void put_bucket(struct writer *w, unsigned int step, unsigned int bucket, uint64_t count)
{
	uint64_t bound = counters_bound(bucket);

	if (w->code != SG_OK)
		return;
	if (bound == 0)
		w->code = buf_printf(w->out, "sealgate_step_seconds_bucket{step=\"%s\","
		    "le=\"+Inf\"} %" PRIu64 "\n", step_name(step), count);
	else
		w->code = buf_printf(w->out, "sealgate_step_seconds_bucket{step=\"%s\","
		    "le=\"%g\"} %" PRIu64 "\n", step_name(step), (double)bound / 1e6, count);
}

static void put_steps(struct writer *w, const struct counters *counters)
{
	put_head(w, "step_seconds", "histogram",
	    "Time that a message, and each question to another program, takes.");
	for (unsigned int s = 0; s < COUNTERS_STEPS; s++) {
		const struct counters_histogram *step = &counters->steps[s];
		uint64_t count = 0;

		for (unsigned int b = 0; b < COUNTERS_BUCKETS; b++) {
			count += step->buckets[b];
			put_bucket(w, s, b, count);
		}
		if (w->code == SG_OK)
			w->code = buf_printf(w->out, "sealgate_step_seconds_sum{step=\"%s\"} "
			    "%.6f\nsealgate_step_seconds_count{step=\"%s\"} %" PRIu64 "\n",
			    step_name(s), (double)step->sum_us / 1e6, step_name(s), count);
	}
	put_head(w, "step_running", "gauge",
	    "Messages and questions under way now: what waits for each program, too.");
	for (unsigned int s = 0; w->code == SG_OK && s < COUNTERS_STEPS; s++)
		w->code = buf_printf(w->out, "sealgate_step_running{step=\"%s\"} %" PRId64 "\n",
		    step_name(s), (int64_t)counters->steps[s].running);
}

static void put_canary(struct writer *w, const struct counters *counters)
{
	static const char *const results[COUNTERS_CANARIES] = { "sealed", "clear", "missing" };

	put_head(w, "canaries_total", "counter", "Canaries, by how they came back.");
	for (unsigned int i = 0; w->code == SG_OK && i < COUNTERS_CANARIES; i++)
		w->code = buf_printf(w->out, "sealgate_canaries_total{result=\"%s\"} %" PRIu64
		    "\n", results[i], (uint64_t)counters->canaries[i]);
	put_one(w, "canary_time_seconds", "gauge",
	    "When a canary last came back sealed, since 1970; 0 if none did.",
	    (uint64_t)counters->canary_s);
}

enum fail_code show_metrics(const struct counters *counters, int64_t now_ms, struct buf *out)
{
	struct writer w = { out, SG_OK };
	struct buf unused;
	bool ready = false;

	buf_init(&unused, SHOW_TEXT_MAX);
	w.code = show_ready(counters, now_ms, &ready, &unused);
	buf_free(&unused);
	put_one(&w, "ready", "gauge", "1 if the gateway takes mail and every worker goes on.",
	    ready);
	put_one(&w, "start_time_seconds", "gauge", "When the gateway started, since 1970.",
	    (uint64_t)counters->started_s);
	put_workers(&w, counters, now_ms);
	put_decisions(&w, counters);
	put_refused(&w, counters);
	put_steps(&w, counters);
	put_one(&w, "record_commits_total", "counter", "Commits of the vault's database.",
	    counters->commits);
	put_one(&w, "record_commits_failed_total", "counter", "Commits that failed.",
	    counters->commits_failed);
	put_one(&w, "repeated_total", "counter",
	    "Recipients that the second stage has sealed a second time: its answer was lost.",
	    counters->repeated);
	put_one(&w, "signatures_time_seconds", "gauge",
	    "Of when the virus signatures are, since 1970; 0 if nobody knows.",
	    (uint64_t)counters->signatures_s);
	put_one(&w, "standbys", "gauge", "Gateways that stand by and would take over.",
	    counters->standbys);
	put_canary(&w, counters);
	return w.code;
}

enum fail_code show_ready(const struct counters *counters, int64_t now_ms, bool *ready_out,
    struct buf *out)
{
	static const char *const words[] = { "", "is not there", "loads", "does not go on" };
	enum fail_code code = SG_OK;
	char name[COUNTERS_NAME_MAX];

	*ready_out = counters->running != 0;
	if (!*ready_out)
		code = buf_append_str(out, "the gateway is starting\n");
	for (uint32_t i = 0; code == SG_OK && i < workers_of(counters); i++) {
		enum state state = state_of(&counters->workers[i], now_ms);

		if (state == STATE_WELL)
			continue;
		*ready_out = false;
		name_of(&counters->workers[i], name);
		code = buf_printf(out, "%s %s\n", name, words[state]);
	}
	return code == SG_OK && *ready_out ? buf_append_str(out, "ready\n") : code;
}
