#include "gateway/tls/server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"

#define BEAT_WITHIN_MS 8000
#define TICK_MS 1000		/* how often connections, rules and reports are looked at */
#define POLL_CONTROL 0		/* places in what a round waits for */
#define POLL_TERMINATE 1
#define POLL_LOOP 2
#define POLL_LIVE 3
#define POLLS 4

char *server_vault_path(const struct server *server)
{
	return conf_run_path(server->conf, CONF_SOCKET_FACTS);
}

enum fail_code server_metrics(struct server *server, struct buf *out)
{
	struct policy_counts counts;

	policy_counts(server->policy, &counts);
	server->counts.connections[0] = serve_policy_connections(server->peers);
	server->counts.connections[1] = serve_wire_connections(server->callers);
	return metrics_put(&server->counts, &counts, out);
}

/* --- birth and end --- */

static bool make_parts(struct server *server)
{
	server->loop = loop_new();
	if (server->loop == NULL)
		return false;
	server->peers = serve_policy_new(server);
	server->callers = serve_wire_new(server);
	server->metrics = serve_metrics_new(server);
	server->jobs = serve_jobs_new(server);
	server->say = serve_say_new();
	server->cache = serve_cache_new(server);
	server->rules = serve_rules_new(server);
	server->reports = serve_reports_new(server);
	server->policy = policy_new(server->conf, source_live_source(server->live),
	    server->clock);
	return server->peers != NULL && server->callers != NULL && server->metrics != NULL &&
	    server->jobs != NULL && server->say != NULL && server->cache != NULL &&
	    server->rules != NULL && server->reports != NULL && server->policy != NULL;
}

enum fail_code server_open(struct server *server, struct conf *conf, const struct clock *clock,
    struct fail *f)
{
	enum fail_code code;

	memset(server, 0, sizeof(*server));
	server->conf = conf;
	server->clock = clock;
	server->now_ms = clock_mono_ms(clock);
	server->counts.started_s = (uint64_t)(clock_wall_ms(clock) / 1000);
	code = source_live_new(conf, clock, &server->live, f);
	if (code != SG_OK)
		return code;
	if (!make_parts(server))
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the TLS policy service");
	serve_cache_load(server->cache);
	return SG_OK;
}

void server_close(struct server *server)
{
	/* a thread that still runs may use any of it: the process ends now anyway */
	if (server->jobs != NULL && serve_jobs_running(server->jobs) > 0)
		return;
	policy_free(server->policy);
	source_live_free(server->live);
	serve_reports_free(server->reports);
	serve_rules_free(server->rules);
	serve_cache_free(server->cache);
	serve_say_free(server->say);
	serve_metrics_free(server->metrics);
	serve_wire_free(server->callers);
	serve_policy_free(server->peers);
	serve_jobs_free(server->jobs);
	loop_free(server->loop);
	conf_free(server->conf_before);
	conf_free(server->conf);
	memset(server, 0, sizeof(*server));
}

/* --- the parent --- */

static void take_config(struct server *server, const struct wire_message *message)
{
	struct conf *conf = NULL;
	struct fd_map map;
	enum fail_code code;
	struct fail f;

	fail_clear(&f);
	code = fd_map(message->fd, PROC_CONFIG_MAX, &map, &f);
	if (code == SG_OK) {
		code = conf_decode(map.data, map.size, &conf, &f);
		fd_unmap(&map);
	}
	if (code != SG_OK) {
		log_failure(LOG_LEVEL_ERROR, NULL, "reload", &f);
		return;
	}
	log_set_level((enum log_level)conf->log.level);
	policy_use_conf(server->policy, conf);
	conf_free(server->conf_before);
	server->conf_before = server->conf;
	server->conf = conf;
}

static void take_control(struct server *server, int control)
{
	struct wire_message message;
	struct fail f;

	wire_message_init(&message, 0);
	if (wire_receive(control, &message, 0, &f) != SG_OK)
		server->ended = true;
	else if (message.type == PROC_CONFIG && message.fd >= 0)
		take_config(server, &message);
	wire_message_free(&message);
}

/* --- rounds --- */

static void tick(struct server *server)
{
	serve_policy_tend(server->peers);
	serve_wire_tend(server->callers);
	serve_metrics_tend(server->metrics);
	serve_cache_tend(server->cache);
	serve_rules_tend(server->rules);
	serve_reports_tend(server->reports);
}

static int shorter(int wait_ms, int other_ms)
{
	return other_ms >= 0 && other_ms < wait_ms ? other_ms : wait_ms;
}

/* Looks through a part of the cache: when it is time, not in each round. */
static void tend_policy(struct server *server)
{
	if (server->now_ms < server->tend_ms)
		return;
	policy_tend(server->policy);
	server->tend_ms = server->now_ms + policy_wait_ms(server->policy);
}

static void round_once(struct server *server, int control, int terminate, int64_t tick_ms)
{
	struct pollfd polls[POLLS] = {
		{control, POLLIN, 0}, {terminate, POLLIN, 0},
		{loop_fd(server->loop), POLLIN, 0}, {source_live_fd(server->live), POLLIN, 0},
	};
	int wait = tick_ms > server->now_ms ? (int)(tick_ms - server->now_ms) : 0;

	wait = shorter(wait, server->tend_ms > server->now_ms ?
	    (int)(server->tend_ms - server->now_ms) : 0);
	wait = shorter(wait, source_live_timeout_ms(server->live));
	if (poll(polls, POLLS, wait) < 0)
		return;
	server->now_ms = clock_mono_ms(server->clock);
	if (polls[POLL_LOOP].revents != 0)
		(void)loop_serve(server->loop);
	source_live_process(server->live);
	tend_policy(server);
	serve_policy_continue(server->peers);
	if (polls[POLL_CONTROL].revents != 0)
		take_control(server, control);
	if (polls[POLL_TERMINATE].revents != 0)
		server->ended = true;
}

static enum fail_code listen_all(struct server *server, const struct proc_boot *boot,
    struct fail *f)
{
	enum fail_code code = SG_OK;

	if (boot->listener_count <= SERVER_LISTENER_WIRE)
		return fail_set(f, SG_EUSAGE, NULL, "a listening socket is missing");
	code = serve_policy_listen(server->peers, boot->listeners[SERVER_LISTENER_POLICY], f);
	if (code == SG_OK)
		code = serve_wire_listen(server->callers, boot->listeners[SERVER_LISTENER_WIRE], f);
	if (code == SG_OK && boot->listener_count > SERVER_LISTENER_METRICS)
		code = serve_metrics_listen(server->metrics,
		    boot->listeners[SERVER_LISTENER_METRICS], f);
	return code;
}

enum fail_code server_run(struct server *server, const struct proc_boot *boot, int terminate,
    struct fail *f)
{
	enum fail_code code = listen_all(server, boot, f);
	int64_t tick_ms = 0;

	while (code == SG_OK && !server->ended) {
		counters_beat(boot->counters, BEAT_WITHIN_MS);
		round_once(server, boot->control, terminate, tick_ms);
		if (server->now_ms < tick_ms)
			continue;
		tick(server);
		tick_ms = server->now_ms + TICK_MS;
	}
	serve_cache_end(server->cache);
	return code;
}
