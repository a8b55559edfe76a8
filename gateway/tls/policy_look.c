#include "gateway/tls/policy_look.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/str.h"

#define TTL_NONE UINT32_MAX
#define TLSA_LINES_MAX ((size_t)8192)	/* bytes of TLSA records that are kept for reports */

/* ---- questions ---- */

struct question {
	struct look *look;
	struct look_host *host;
	look_answer_fn *handle;
	int type;
	char name[DANE_NAME_MAX];
};

static void count_failure(struct look *look, const struct source_dns *answer)
{
	if (answer->status != SOURCE_DNS_FAILED)
		return;
	if (answer->bogus)
		look->result.dns_bogus++;
	else
		look->result.dns_failures++;
}

static void on_dns(void *context, const struct source_dns *answer)
{
	struct question *question = context;
	struct look *look = question->look;

	if (!look->over) {
		policy_note_dns(look->setting.notes, question->name, question->type, answer);
		count_failure(look, answer);
		if (answer->status != SOURCE_DNS_FAILED && answer->ttl_s < look->ttl_s)
			look->ttl_s = answer->ttl_s;
		question->handle(look, question->host, answer);
	}
	look->pending--;
	free(question);
	look_settle(look);
}

void look_ask(struct look *look, struct look_host *host, const char *name, int type,
    look_answer_fn *handle)
{
	static const struct source_dns no_memory = { .status = SOURCE_DNS_FAILED,
		.why = "no memory" };
	struct question *question = calloc(1, sizeof *question);
	int size;

	if (question == NULL) {
		handle(look, host, &no_memory);
		return;
	}
	question->look = look;
	question->host = host;
	question->handle = handle;
	question->type = type;
	size = snprintf(question->name, sizeof question->name, "%s", name);
	if (size < 0 || (size_t)size >= sizeof question->name)
		question->name[0] = '\0';
	look->pending++;
	look->setting.source->dns(look->setting.source->context, question->name, type, on_dns,
	    question);
}

/* ---- what DANE comes to ---- */

static void set_how(struct look *look, const char *format, ...) SG_PRINTF(2, 3);

static void set_how(struct look *look, const char *format, ...)
{
	char text[POLICY_REASON_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	str_cut_utf8(text, sizeof text);
	policy_set_text(&look->result.found.how, text);
}

static void dns_failed(struct look *look, const char *what, const char *name,
    const struct source_dns *answer)
{
	if (look->result.found.dane != CACHE_DANE_FAILED)
		set_how(look, "the lookup of %s %s %s: %s", what, name,
		    answer->bogus ? "is bogus (DNSSEC)" : "failed",
		    answer->why == NULL ? "no answer" : answer->why);
	look->result.found.dane = CACHE_DANE_FAILED;
}

static void dane_found(struct look *look, const struct look_host *first, size_t hosts)
{
	look->result.found.dane = CACHE_DANE_USABLE;
	if (hosts == look->host_count && hosts == 1)
		set_how(look, "DANE: %d usable TLSA at %s", first->usable, first->name);
	else
		set_how(look, "DANE: %d usable TLSA at %s, %zu of %zu hosts have some",
		    first->usable, first->name, hosts, look->host_count);
}

/*
 * RFC 7672 is about each host; Postfix's policy is about the domain. One host with usable records
 * makes it dane-only, which then leaves out hosts without: never a weaker way (2.2, 2.2.1).
 */
static void dane_conclude(struct look *look)
{
	const struct look_host *usable = NULL;
	const struct look_host *unusable = NULL;
	size_t hosts = 0;
	size_t i;

	for (i = 0; i < look->host_count; i++) {
		const struct look_host *host = &look->hosts[i];

		if (host->usable > 0) {
			usable = usable == NULL ? host : usable;
			hosts++;
		} else if (host->unusable > 0) {
			unusable = unusable == NULL ? host : unusable;
		}
	}
	if (usable != NULL) {
		free(look->result.found.how);
		look->result.found.how = NULL;
		dane_found(look, usable, hosts);
	} else if (unusable != NULL && look->result.found.dane != CACHE_DANE_FAILED) {
		look->result.found.dane = CACHE_DANE_UNUSABLE;
		set_how(look, "DANE: no TLSA record at %s can be used: TLS without proof",
		    unusable->name);
	}
	look_sts(look);
}

/* ---- one host ---- */

static void host_end(struct look *look)
{
	if (--look->hosts_left == 0)
		dane_conclude(look);
}

static void keep_tlsa(struct look *look, const struct look_host *host,
    const struct source_dns *answer)
{
	char *old = look->result.found.tlsa;
	enum fail_code code = SG_OK;
	struct buf text;
	size_t i;

	buf_init(&text, TLSA_LINES_MAX);
	if (old != NULL)
		code = buf_append_str(&text, old);
	for (i = 0; code == SG_OK && i < answer->count; i++) {
		code = buf_printf(&text, "%s%s: ", text.size > 0 ? "\n" : "", host->name);
		if (code == SG_OK)
			code = dane_text(&answer->records[i], &text);
	}
	if (code == SG_OK)
		policy_set_text(&look->result.found.tlsa, buf_str(&text));
	buf_free(&text);
}

static void ask_tlsa(struct look *look, struct look_host *host, const char *base);

static void on_tlsa(struct look *look, struct look_host *host, const struct source_dns *answer)
{
	struct policy_notes *notes = look->setting.notes;
	size_t i;

	if (answer->status == SOURCE_DNS_FAILED) {
		dns_failed(look, "TLSA of", host->base, answer);
		policy_note_meaning(notes, "not known: mail waits");
	} else if (answer->status == SOURCE_DNS_ANSWER && answer->secure) {
		for (i = 0; i < answer->count; i++) {
			if (dane_usable(&answer->records[i]))
				host->usable++;
			else
				host->unusable++;
		}
		keep_tlsa(look, host, answer);
		policy_note_meaning(notes, "%d of %zu can be used", host->usable, answer->count);
	} else if (strcmp(host->base, host->name) != 0) {
		/* RFC 7672, 2.2.3: then at the name before CNAMEs */
		policy_note_meaning(notes, "none: %s is tried", host->name);
		ask_tlsa(look, host, host->name);
		return;
	} else {
		policy_note_meaning(notes, "no DANE at %s", host->name);
	}
	host_end(look);
}

static void ask_tlsa(struct look *look, struct look_host *host, const char *base)
{
	char name[DANE_NAME_MAX + 16];

	if (base != host->base)
		(void)snprintf(host->base, sizeof host->base, "%s", base);
	(void)snprintf(name, sizeof name, "_%u._tcp.%s", (unsigned int)look->hop.port, base);
	if (strlen(name) > ADDRESS_DOMAIN_MAX) {
		host_end(look);	/* no such name can exist */
		return;
	}
	look_ask(look, host, name, SOURCE_TLSA, on_tlsa);
}

/* RFC 7672, 2.2.2: an alias that is itself signed, to a zone that is not: TLSA at the alias. */
static void on_cname(struct look *look, struct look_host *host, const struct source_dns *answer)
{
	if (answer->status == SOURCE_DNS_FAILED) {
		dns_failed(look, "CNAME of", host->name, answer);
		host_end(look);
	} else if (answer->status == SOURCE_DNS_ANSWER && answer->secure) {
		policy_note_meaning(look->setting.notes, "the alias is signed, its target is not");
		ask_tlsa(look, host, host->name);
	} else {
		policy_note_meaning(look->setting.notes, "not signed: no DANE");
		host_end(look);
	}
}

/* Without signed addresses TLSA must not even be asked for (2.2.2: servers that break on it). */
static void addresses_done(struct look *look, struct look_host *host)
{
	bool wanted = look->setting.dane && look->result.mx_secure;

	if (host->failed || host->address_count == 0 || !wanted)
		host_end(look);
	else if (!host->insecure)
		ask_tlsa(look, host, host->canonical);
	else if (strcmp(host->canonical, host->name) != 0)
		look_ask(look, host, host->name, SOURCE_CNAME, on_cname);
	else
		host_end(look);
}

static void keep_address(struct look_host *host, const struct source_record *record)
{
	char text[INET6_ADDRSTRLEN];
	int family = record->size == 4 ? AF_INET : AF_INET6;
	size_t at = strlen(host->addresses);

	if ((record->size != 4 && record->size != 16) ||
	    inet_ntop(family, record->data, text, sizeof text) == NULL)
		return;
	host->address_count++;
	if (sizeof host->addresses - at > sizeof text + 2)
		(void)snprintf(host->addresses + at, sizeof host->addresses - at, "%s%s",
		    at > 0 ? ", " : "", text);
}

static void on_address(struct look *look, struct look_host *host, const struct source_dns *answer)
{
	size_t i;

	if (answer->status == SOURCE_DNS_FAILED) {
		host->failed = true;
		if (look->setting.dane && look->result.mx_secure)
			dns_failed(look, "addresses of", host->name, answer);
		policy_note_meaning(look->setting.notes, "not known: mail waits");
	} else if (answer->status == SOURCE_DNS_ANSWER) {
		if (!answer->secure)
			host->insecure = true;
		if (answer->canonical != NULL)
			(void)snprintf(host->canonical, sizeof host->canonical, "%s",
			    answer->canonical);
		for (i = 0; i < answer->count; i++)
			keep_address(host, &answer->records[i]);
		policy_note_meaning(look->setting.notes, "%s", answer->secure ?
		    "TLSA is looked for" : "not signed: no DANE at this host");
	}
	if (--host->waiting == 0)
		addresses_done(look, host);
}

/* ---- the domain ---- */

static void start_hosts(struct look *look)
{
	size_t i;

	look->result.hosts = look->hosts;
	look->result.host_count = look->host_count;
	look->hosts_left = look->host_count;
	for (i = 0; i < look->host_count; i++) {
		struct look_host *host = &look->hosts[i];

		host->waiting = 2;
		look_ask(look, host, host->name, SOURCE_A, on_address);
		look_ask(look, host, host->name, SOURCE_AAAA, on_address);
	}
}

static bool make_hosts(struct look *look, const struct dane_mx *mxs, size_t count)
{
	size_t i;

	look->hosts = calloc(count, sizeof(*look->hosts));
	if (look->hosts == NULL) {
		look->result.found.dane = CACHE_DANE_FAILED;
		return false;
	}
	look->host_count = count;
	for (i = 0; i < count; i++) {
		struct look_host *host = &look->hosts[i];

		host->look = look;
		host->preference = mxs[i].preference;
		memcpy(host->name, mxs[i].name, sizeof host->name);
		memcpy(host->canonical, mxs[i].name, sizeof host->canonical);
	}
	return true;
}

/* No exchange: the name itself takes the mail (RFC 5321, 5.1). */
static void start_self(struct look *look)
{
	struct dane_mx self = { .preference = 0 };

	(void)snprintf(self.name, sizeof self.name, "%s", look->hop.name);
	if (make_hosts(look, &self, 1))
		start_hosts(look);
	else
		look_finish(look);
}

/* hosts: they matter. */
static void start_exchanges(struct look *look, const struct source_dns *answer, bool hosts)
{
	struct dane_mx mxs[DANE_MX_MAX];
	bool null_mx;
	size_t count = dane_mxs(answer, mxs, &null_mx);

	if (null_mx) {
		look->result.found.null_mx = true;
		policy_note_meaning(look->setting.notes, "takes no mail (RFC 7505)");
		look_finish(look);
	} else if (count == 0) {
		look->result.found.dane = CACHE_DANE_FAILED;
		set_how(look, "the MX records of %s are malformed", look->hop.name);
		look_finish(look);
	} else if (!hosts) {
		look_sts(look);
	} else if (make_hosts(look, mxs, count)) {
		start_hosts(look);
	} else {
		look_finish(look);
	}
}

static void on_mx(struct look *look, struct look_host *host, const struct source_dns *answer)
{
	bool self = answer->status == SOURCE_DNS_NODATA;
	bool go_on = answer->secure || look->setting.everything;
	struct policy_notes *notes = look->setting.notes;

	(void)host;
	look->result.mx_secure = answer->secure && answer->status != SOURCE_DNS_FAILED;
	if (answer->status == SOURCE_DNS_FAILED) {
		if (look->setting.dane)
			dns_failed(look, "MX", look->hop.name, answer);
		policy_note_meaning(notes, "not known: mail waits");
		look_sts(look);
		return;
	}
	if (answer->status == SOURCE_DNS_NXDOMAIN) {
		look->result.found.no_domain = true;
		policy_note_meaning(notes, "there is no such domain");
		look_sts(look);
		return;
	}
	policy_note_meaning(notes, "%s%s", self ? "the domain itself takes its mail; " : "",
	    answer->secure ? "signed: DANE is looked for" : "not signed: no DANE");
	if (self && go_on)
		start_self(look);
	else if (!self)
		start_exchanges(look, answer, go_on);
	else
		look_sts(look);
}

/* ---- begin and end ---- */

void look_settle(struct look *look)
{
	if (!look->over || look->pending > 0)
		return;
	cache_found_free(&look->result.found);
	free(look->hosts);
	free(look);
}

void look_finish(struct look *look)
{
	if (look->over)
		return;
	look->over = true;
	look->result.ttl_ms = look->ttl_s == TTL_NONE ? INT64_C(3600000) :
	    (int64_t)look->ttl_s * 1000;
	look->done(look->context, &look->result);
}

void look_abandon(struct look *look)
{
	look->over = true;
	look_settle(look);
}

enum fail_code look_start(const struct look_setting *setting, const struct hop *hop,
    look_done_fn *done, void *context, struct look **look_out)
{
	struct look *look = calloc(1, sizeof *look);

	*look_out = look;
	if (look == NULL)
		return SG_ENOMEM;
	look->setting = *setting;
	look->hop = *hop;
	look->done = done;
	look->context = context;
	look->ttl_s = TTL_NONE;
	look->pending = 1;
	if (hop->direct && (setting->dane || setting->everything)) {
		look->result.mx_secure = true;	/* a name that the administrator wrote */
		start_self(look);
	} else if (!hop->direct && (setting->dane || setting->everything)) {
		look_ask(look, NULL, hop->name, SOURCE_MX, on_mx);
	} else {
		look_sts(look);
	}
	look->pending--;
	look_settle(look);
	return SG_OK;
}
