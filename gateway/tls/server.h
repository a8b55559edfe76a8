/*
 * server: sealgate-tls around the policy engine. Private to that program.
 *
 * One thread serves Postfix (serve_policy.c), the filter and the command line (serve_wire.c) and
 * metrics (serve_metrics.c), and never waits for anybody. What must wait, such as trying a mail
 * server, asking the vault or sending a report, is a job: a thread of its own that touches nothing
 * of the server's (serve_job.c). Listeners: [0] policy socket, [1] wire socket, [2] metrics.
 */
#ifndef SG_GATEWAY_TLS_SERVER_H
#define SG_GATEWAY_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/conf.h"
#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "gateway/base/proc.h"
#include "gateway/base/wire.h"
#include "gateway/tls/live.h"
#include "gateway/tls/loop.h"
#include "gateway/tls/metrics.h"
#include "gateway/tls/policy.h"
#include "gateway/tls/tls.h"

#define SERVER_LISTENER_POLICY 0
#define SERVER_LISTENER_WIRE 1
#define SERVER_LISTENER_METRICS 2

#define SERVER_PEERS_MAX 6000	/* Postfix's connections: one for each smtp(8) and proxymap(8) */
#define SERVER_CALLERS_MAX 200	/* the filter's and the command line's */
#define SERVER_JOBS_MAX 8	/* threads at once */
#define SERVER_FILES_MAX 8192u	/* descriptors: connections, lookups, threads */
#define SERVER_TEXT_MAX ((size_t)64 * 1024 * 1024)	/* bytes of one long answer */
#define SERVER_CACHE_MAX ((size_t)1024 * 1024 * 1024)	/* bytes of the cache's file */

struct server {
	struct conf *conf;		/* owned */
	struct conf *conf_before;	/* owned: what the engine may still hold */
	const struct clock *clock;
	int64_t now_ms;			/* monotonic, taken once a round */
	int64_t tend_ms;		/* when the engine wants care again */
	struct loop *loop;
	struct source_live *live;
	struct policy *policy;
	struct serve_policy *peers;
	struct serve_wire *callers;
	struct serve_metrics *metrics;
	struct serve_jobs *jobs;
	struct serve_say *say;
	struct serve_cache *cache;
	struct serve_rules *rules;
	struct serve_reports *reports;
	struct metrics counts;		/* what the engine does not count */
	bool ended;
};

/* Loads conf (taken over, also on failure), cache and lookups; the listeners come later. */
MUST_USE enum fail_code server_open(struct server *server, struct conf *conf,
    const struct clock *clock, struct fail *f);
/* Starts to listen and serves until terminate is readable or control's other side is gone. */
MUST_USE enum fail_code server_run(struct server *server, const struct proc_boot *boot,
    int terminate, struct fail *f);
/* Frees all; jobs that still run are left to the end of the process. */
void server_close(struct server *server);
/* The path of the vault's socket for facts; the caller frees. NULL = no memory. */
char *server_vault_path(const struct server *server);
/* Metrics as they are now, in Prometheus' text format. */
MUST_USE enum fail_code server_metrics(struct server *server, struct buf *out);

/* --- Postfix (socketmap) --- */

struct serve_policy;
/* NULL: no memory. */
struct serve_policy *serve_policy_new(struct server *server);
void serve_policy_free(struct serve_policy *serve);
/* Accepts at listener from now on. */
MUST_USE enum fail_code serve_policy_listen(struct serve_policy *serve, int listener,
    struct fail *f);
/* Goes on with connections whose lookup has ended. */
void serve_policy_continue(struct serve_policy *serve);
/* Closes what is idle or too slow. */
void serve_policy_tend(struct serve_policy *serve);
size_t serve_policy_connections(const struct serve_policy *serve);

/* --- the filter and the command line --- */

struct serve_wire;

/* One request that waits for its answer. The asker may be gone by then. */
struct asked {
	struct server *server;
	struct caller *caller;		/* NULL: gone */
	uint16_t type;
	uint32_t request;
};

/* NULL: no memory. */
struct serve_wire *serve_wire_new(struct server *server);
void serve_wire_free(struct serve_wire *serve);
/* Accepts at listener from now on. */
MUST_USE enum fail_code serve_wire_listen(struct serve_wire *serve, int listener, struct fail *f);
/* Closes what is idle. */
void serve_wire_tend(struct serve_wire *serve);
size_t serve_wire_connections(const struct serve_wire *serve);

/* The answers; each frees asked. body may be NULL. */
void serve_answer(struct asked *asked, const struct buf *body);
/* The text travels in a descriptor, since it may be long. */
void serve_answer_text(struct asked *asked, const struct buf *text);
/* f goes to the asker word for word. */
void serve_answer_fail(struct asked *asked, const struct fail *f);

/* TLS_CHECK. */
void serve_check(struct asked *asked, const char *hop, bool connect, bool json);
/* TLS_PROOF: the hops are read from r. */
void serve_proof(struct asked *asked, struct buf_reader *r);

/* --- jobs --- */

struct serve_jobs;
typedef void job_fn(void *context);

/* NULL: no memory, or no descriptor. */
struct serve_jobs *serve_jobs_new(struct server *server);
void serve_jobs_free(struct serve_jobs *jobs);
/*
 * Runs run(context) in a thread, then done(context) in the server's. SG_ELIMIT (temporary): too
 * many run already; SG_ESYSTEM: no thread; neither function is called then.
 */
MUST_USE enum fail_code serve_job_start(struct serve_jobs *jobs, job_fn *run, job_fn *done,
    void *context, struct fail *f);
size_t serve_jobs_running(const struct serve_jobs *jobs);

/* --- the rest --- */

/* Metrics over HTTP. NULL: no memory. */
struct serve_metrics *serve_metrics_new(struct server *server);
void serve_metrics_free(struct serve_metrics *serve);
/* Serves GET /metrics at listener from now on. */
MUST_USE enum fail_code serve_metrics_listen(struct serve_metrics *serve, int listener,
    struct fail *f);
/* Ends connections that are idle for too long. */
void serve_metrics_tend(struct serve_metrics *serve);

/* What was logged lately, so that a line is not repeated for each lookup. NULL: no memory. */
struct serve_say *serve_say_new(void);
void serve_say_free(struct serve_say *say);
/* Logs an answer that is temporary or by a rule, once for each reason and while. */
void serve_say_answer(struct server *server, enum policy_map map, const char *hop,
    const struct policy_answer *answer);

/* The file that keeps the cache over restarts. NULL: no memory. */
struct serve_cache *serve_cache_new(struct server *server);
void serve_cache_free(struct serve_cache *cache);
/* Before the sandbox; a damaged file is an empty cache and a line in the log. */
void serve_cache_load(struct serve_cache *cache);
/* Saves when it is time, in a job. */
void serve_cache_tend(struct serve_cache *cache);
/* Saves now. */
void serve_cache_end(struct serve_cache *cache);

/* The rules that the vault was told of. NULL: no memory. */
struct serve_rules *serve_rules_new(struct server *server);
void serve_rules_free(struct serve_rules *rules);
/* Tells the log and the vault which rules began and ended since the last time. */
void serve_rules_tend(struct serve_rules *rules);

/* Daily reports (RFC 8460). NULL: no memory. */
struct serve_reports *serve_reports_new(struct server *server);
void serve_reports_free(struct serve_reports *reports);
/* Sends yesterday's when it is time. */
void serve_reports_tend(struct serve_reports *reports);
/* TLS_REPORT. */
void serve_report(struct asked *asked, const char *day, bool send);

#endif
