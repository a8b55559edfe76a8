#include "gateway/tls/dns.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unistd.h>

#include "gateway/base/str.h"

#define CLASS_IN 1
#define RECORDS_MAX ((size_t)256)	/* of one answer; a policy needs a handful */
#define WHY_MAX 200
#define RESOLV_CONF "/etc/resolv.conf"

struct query {
	struct dns *dns;
	struct query *next;
	struct query *previous;
	int64_t deadline_ms;
	int id;
	source_dns_fn *done;
	void *context;
};

struct dns {
	struct ub_ctx *context;
	const struct clock *clock;
	int64_t timeout_ms;
	struct query *first;	/* in the order of their deadlines */
	struct query *last;
};

/* ---- making it ---- */

static enum fail_code refuse(enum fail_code code, int error, const char *what, struct fail *f)
{
	return fail_set(f, code, "look at tls.resolvers and tls.trust_anchor", "%s: %s", what,
	    ub_strerror(error));
}

/*
 * "test." and its like are answered by libunbound itself if nothing else is said; a laboratory's
 * zones are asked for as all others. This also ends the configuration: files are read now.
 */
static int finish(struct ub_ctx *context)
{
	static const char *const zones[] = { "test.", "home.arpa." };
	int error = 0;
	size_t i;

	for (i = 0; error == 0 && i < sizeof zones / sizeof zones[0]; i++)
		error = ub_ctx_zone_add(context, zones[i], "transparent");
	return error;
}

static int set_options(struct ub_ctx *context)
{
	static const struct {
		const char *name;
		const char *value;
	} options[] = {
		{ "do-not-query-localhost:", "no" },	/* a resolver may run on this host */
		{ "harden-dnssec-stripped:", "yes" },
		{ "val-permissive-mode:", "no" },
		{ "edns-buffer-size:", "1232" },
		{ "cache-max-ttl:", "3600" },	/* seconds: lives are kept by the engine */
		{ "cache-max-negative-ttl:", "900" },
		{ "msg-cache-size:", "4m" },
		{ "rrset-cache-size:", "8m" },
		{ "use-syslog:", "no" },
		{ "verbosity:", "0" },
	};
	int error = 0;
	size_t i;

	for (i = 0; error == 0 && i < sizeof options / sizeof options[0]; i++)
		error = ub_ctx_set_option(context, options[i].name, options[i].value);
	return error;
}

/* Without that file it is the one on this host, as for all programs. resolv.conf(5). */
static int set_system_resolvers(struct ub_ctx *context)
{
	if (access(RESOLV_CONF, F_OK) != 0 && errno == ENOENT)
		return ub_ctx_set_fwd(context, "127.0.0.1");
	return ub_ctx_resolvconf(context, RESOLV_CONF);
}

static enum fail_code set_resolvers(struct ub_ctx *context, const struct conf *conf,
    struct fail *f)
{
	const struct str_list *resolvers = &conf->tls.resolvers;
	int error = 0;
	size_t i;

	if (resolvers->count == 0) {
		error = set_system_resolvers(context);
		if (error != 0)
			return refuse(SG_ESYSTEM, error, RESOLV_CONF, f);
	}
	for (i = 0; i < resolvers->count; i++) {
		error = ub_ctx_set_fwd(context, resolvers->items[i]);
		if (error != 0)
			return refuse(SG_EUSAGE, error, resolvers->items[i], f);
	}
	return SG_OK;
}

static enum fail_code set_up(struct ub_ctx *context, const struct conf *conf, struct fail *f)
{
	enum fail_code code;
	int error = set_options(context);

	(void)ub_ctx_debuglevel(context, 0);
	(void)ub_ctx_debugout(context, NULL);	/* it would write lines that are not ours */
	if (error == 0)
		error = ub_ctx_async(context, 1);
	if (error != 0)
		return refuse(SG_ESYSTEM, error, "libunbound", f);
	code = set_resolvers(context, conf, f);
	if (code != SG_OK)
		return code;
	error = ub_ctx_add_ta_file(context, conf->tls.trust_anchor);
	if (error == 0)
		error = finish(context);
	if (error != 0)
		return refuse(SG_EUSAGE, error, conf->tls.trust_anchor, f);
	return SG_OK;
}

enum fail_code dns_new(const struct conf *conf, const struct clock *clock, struct dns **dns_out,
    struct fail *f)
{
	struct dns *dns = calloc(1, sizeof *dns);
	enum fail_code code;

	*dns_out = NULL;
	if (dns == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the resolver");
	dns->clock = clock;
	dns->timeout_ms = conf->tls.timeout_ms / 4 * 3;
	dns->context = ub_ctx_create();
	if (dns->context == NULL) {
		free(dns);
		return fail_set(f, SG_ENOMEM, NULL, "no memory for the resolver");
	}
	code = set_up(dns->context, conf, f);
	if (code != SG_OK) {
		dns_free(dns);
		return code;
	}
	*dns_out = dns;
	return SG_OK;
}

/* ---- answers ---- */

static void query_unlink(struct query *query)
{
	struct dns *dns = query->dns;

	SG_BUG_IF((query->previous == NULL) != (dns->first == query));
	if (query->previous != NULL)
		query->previous->next = query->next;
	else
		dns->first = query->next;
	if (query->next != NULL)
		query->next->previous = query->previous;
	else
		dns->last = query->previous;
}

static void query_fail(struct query *query, const char *why)
{
	struct source_dns answer = { .status = SOURCE_DNS_FAILED, .why = why };

	query_unlink(query);
	query->done(query->context, &answer);
	free(query);
}

static const char *rcode_text(int rcode)
{
	static const char *const names[] = { "no error", "FORMERR", "SERVFAIL", "NXDOMAIN",
		"NOTIMP", "REFUSED" };

	return rcode >= 0 && rcode < 6 ? names[rcode] : "an error of the server";
}

static enum source_dns_status status_of(const struct ub_result *result)
{
	if (result->bogus)
		return SOURCE_DNS_FAILED;
	if (result->nxdomain && result->rcode == 3)
		return SOURCE_DNS_NXDOMAIN;
	if (result->rcode != 0)
		return SOURCE_DNS_FAILED;
	return result->havedata ? SOURCE_DNS_ANSWER : SOURCE_DNS_NODATA;
}

static size_t take_records(const struct ub_result *result,
    struct source_record records[RECORDS_MAX])
{
	size_t count = 0;

	while (result->data != NULL && result->data[count] != NULL && count < RECORDS_MAX) {
		records[count].data = (const unsigned char *)result->data[count];
		records[count].size = (size_t)result->len[count];
		count++;
	}
	return count;
}

/* libunbound says "name." or "name"; the name that was asked for is none. */
static const char *take_canonical(const struct ub_result *result, char name[256])
{
	size_t size;

	if (result->canonname == NULL)
		return NULL;
	size = strlen(result->canonname);
	if (size > 1 && result->canonname[size - 1] == '.')
		size--;
	if (size >= 256)
		return NULL;
	memcpy(name, result->canonname, size);
	name[size] = '\0';
	str_lower(name);
	size = strlen(result->qname);
	if (size > 1 && result->qname[size - 1] == '.')
		size--;
	return strlen(name) == size && str_equal_case_n(name, result->qname, size) ? NULL : name;
}

static void give(const struct query *query, const struct ub_result *result)
{
	struct source_record records[RECORDS_MAX];
	char canonical[256];
	char why[WHY_MAX];
	struct source_dns answer = { .status = status_of(result) };

	answer.secure = result->secure && !result->bogus;
	answer.bogus = result->bogus;
	answer.ttl_s = result->ttl > 0 ? (uint32_t)result->ttl : 0;
	answer.canonical = take_canonical(result, canonical);
	answer.canonical_secure = answer.canonical != NULL && answer.secure;
	if (answer.status == SOURCE_DNS_FAILED) {
		(void)snprintf(why, sizeof why, "%s", result->bogus && result->why_bogus != NULL ?
		    result->why_bogus : rcode_text(result->rcode));
		answer.why = why;
	} else if (answer.status == SOURCE_DNS_ANSWER) {
		answer.records = records;
		answer.count = take_records(result, records);
	}
	query->done(query->context, &answer);
}

static void on_result(void *context, int error, struct ub_result *result)
{
	struct query *query = context;

	if (error != 0 || result == NULL) {
		query_fail(query, error != 0 ? ub_strerror(error) : "no answer");
	} else {
		query_unlink(query);
		give(query, result);
		free(query);
	}
	ub_resolve_free(result);
}

void dns_ask(struct dns *dns, const char *name, int type, source_dns_fn *done, void *context)
{
	struct query *query = calloc(1, sizeof *query);
	struct source_dns failed = { .status = SOURCE_DNS_FAILED, .why = "no memory" };
	int error;

	if (query == NULL) {
		done(context, &failed);
		return;
	}
	query->dns = dns;
	query->done = done;
	query->context = context;
	query->deadline_ms = clock_mono_ms(dns->clock) + dns->timeout_ms;
	query->previous = dns->last;
	*(dns->last != NULL ? &dns->last->next : &dns->first) = query;
	dns->last = query;
	error = ub_resolve_async(dns->context, name, type, CLASS_IN, query, on_result, &query->id);
	if (error != 0)
		query_fail(query, ub_strerror(error));
}

/* ---- the loop ---- */

int dns_fd(const struct dns *dns)
{
	return ub_fd(dns->context);
}

int dns_timeout_ms(const struct dns *dns)
{
	int64_t left_ms;

	if (dns->first == NULL)
		return -1;
	left_ms = dns->first->deadline_ms - clock_mono_ms(dns->clock);
	return left_ms > 0 ? (int)left_ms : 0;
}

void dns_process(struct dns *dns)
{
	int64_t now_ms = clock_mono_ms(dns->clock);
	struct query *query;

	(void)ub_process(dns->context);
	query = dns->first;
	while (query != NULL && query->deadline_ms <= now_ms) {
		struct query *next = query->next;

		/* after a cancel libunbound never calls back */
		(void)ub_cancel(dns->context, query->id);
		query_fail(query, "no answer in time");
		query = next;
	}
}

void dns_free(struct dns *dns)
{
	struct query *query;

	if (dns == NULL)
		return;
	query = dns->first;
	while (query != NULL) {
		struct query *next = query->next;

		(void)ub_cancel(dns->context, query->id);
		query_fail(query, "the service ends");
		query = next;
	}
	if (dns->context != NULL)
		ub_ctx_delete(dns->context);
	free(dns);
}
