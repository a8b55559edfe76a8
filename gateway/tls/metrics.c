#include "gateway/tls/metrics.h"

#include <inttypes.h>

#include "gateway/tls/socketmap.h"
#include "gateway/tls/tls.h"

struct writer {
	struct buf *out;
	enum fail_code code;
};

static void put_head(struct writer *w, const char *name, const char *type, const char *help)
{
	if (w->code == SG_OK)
		w->code = buf_printf(w->out, "# HELP sealgate_tls_%s %s\n"
		    "# TYPE sealgate_tls_%s %s\n", name, help, name, type);
}

/* labels: NULL, or what stands between the braces. */
static void put_value(struct writer *w, const char *name, const char *labels, uint64_t value)
{
	if (w->code != SG_OK)
		return;
	if (labels == NULL)
		w->code = buf_printf(w->out, "sealgate_tls_%s %" PRIu64 "\n", name, value);
	else
		w->code = buf_printf(w->out, "sealgate_tls_%s{%s} %" PRIu64 "\n", name, labels,
		    value);
}

static void put_one(struct writer *w, const char *name, const char *type, const char *help,
    uint64_t value)
{
	put_head(w, name, type, help);
	put_value(w, name, NULL, value);
}

static void put_labelled(struct writer *w, const char *name, const char *key, const char *value,
    uint64_t count)
{
	if (w->code == SG_OK)
		w->code = buf_printf(w->out, "sealgate_tls_%s{%s=\"%s\"} %" PRIu64 "\n", name,
		    key, value, count);
}

static void put_answers(struct writer *w, const struct policy_counts *counts)
{
	static const char *const sources[] = {"floor", "rule", "dane", "sts", "fallback"};
	enum policy_map map;
	size_t i;

	put_head(w, "policy_answers_total", "counter",
	    "Policies given to Postfix, by table and by what they rest on.");
	for (map = 0; map < POLICY_MAPS; map++)
		for (i = 0; w->code == SG_OK && i < sizeof(sources) / sizeof(sources[0]); i++)
			w->code = buf_printf(w->out, "sealgate_tls_policy_answers_total"
			    "{map=\"%s\",source=\"%s\"} %" PRIu64 "\n", socketmap_name(map),
			    sources[i], counts->answers[map][i]);
	put_head(w, "policy_temporary_total", "counter",
	    "Answers that make mail wait: a lookup failed, or there is no proof.");
	for (map = 0; map < POLICY_MAPS; map++)
		put_labelled(w, "policy_temporary_total", "map", socketmap_name(map),
		    counts->temporary[map]);
}

static void put_requests(struct writer *w, const struct metrics *metrics)
{
	static const char *const answers[] = {"unknown", "provable", "not_provable"};
	enum policy_map map;
	size_t i;

	put_head(w, "requests_total", "counter", "Postfix's questions, by table.");
	for (map = 0; map < POLICY_MAPS; map++)
		put_labelled(w, "requests_total", "map", socketmap_name(map),
		    metrics->requests[map]);
	put_one(w, "requests_refused_total", "counter", "Questions that were no questions.",
	    metrics->requests_refused);
	put_head(w, "proofs_total", "counter",
	    "Can TLS be proven? The filter's questions, by answer.");
	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		put_labelled(w, "proofs_total", "answer", answers[i], metrics->proofs[i]);
}

static void put_cache(struct writer *w, const struct policy_counts *counts)
{
	put_one(w, "cache_hits_total", "counter", "Answers from the cache.", counts->cache_hits);
	put_one(w, "cache_misses_total", "counter", "Answers that needed lookups.",
	    counts->cache_misses);
	put_one(w, "cache_refreshed_total", "counter", "Entries renewed before they ended.",
	    counts->refreshed);
	put_one(w, "cache_evicted_total", "counter", "Entries that had to make room.",
	    counts->evicted);
	put_one(w, "cache_domains", "gauge", "Domains in the cache now.", counts->cached);
}

static void put_failures(struct writer *w, const struct policy_counts *counts)
{
	put_head(w, "dns_failures_total", "counter", "DNS lookups that failed, by kind.");
	put_labelled(w, "dns_failures_total", "kind", "failed", counts->dns_failures);
	put_labelled(w, "dns_failures_total", "kind", "bogus", counts->dns_bogus);
	put_one(w, "sts_failures_total", "counter",
	    "MTA-STS policies that could not be fetched or read.", counts->sts_failures);
}

static void put_events(struct writer *w, const struct metrics *metrics)
{
	put_one(w, "fallbacks_total", "counter",
	    "Messages sealed as PDF or envelope, since TLS could not be had.",
	    metrics->events[TLS_FELL_BACK]);
	put_one(w, "told_total", "counter", "Senders told that a peer has no TLS.",
	    metrics->events[TLS_TOLD]);
	put_one(w, "waits_total", "counter", "Tries at the fallback that were sent back to wait.",
	    metrics->events[TLS_WAITS]);
	put_head(w, "reports_total", "counter", "TLS reports (RFC 8460), by what became of them.");
	put_labelled(w, "reports_total", "result", "sent", metrics->reports_sent);
	put_labelled(w, "reports_total", "result", "failed", metrics->reports_failed);
}

static void put_server(struct writer *w, const struct metrics *metrics)
{
	put_head(w, "connections", "gauge", "Open connections, by socket.");
	put_labelled(w, "connections", "socket", "policy", metrics->connections[0]);
	put_labelled(w, "connections", "socket", "wire", metrics->connections[1]);
	put_one(w, "connections_dropped_total", "counter",
	    "Connections closed since they were too slow or too many.", metrics->dropped);
	put_one(w, "start_time_seconds", "gauge", "When the service started, since 1970.",
	    metrics->started_s);
}

enum fail_code metrics_put(const struct metrics *metrics, const struct policy_counts *counts,
    struct buf *out)
{
	struct writer w = {out, SG_OK};

	put_answers(&w, counts);
	put_requests(&w, metrics);
	put_cache(&w, counts);
	put_failures(&w, counts);
	put_events(&w, metrics);
	put_server(&w, metrics);
	return w.code;
}
