/*
 * Daily reports: what the vault counted (a job), who wants it (DNS), then sending (a job). The same
 * way for "sealgate tls report", which prints and sends only if asked to.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/fd.h"
#include "gateway/base/log.h"
#include "gateway/base/secret.h"
#include "gateway/base/str.h"
#include "gateway/tls/report.h"
#include "gateway/tls/report_send.h"
#include "gateway/tls/serve_report.h"
#include "gateway/tls/server.h"

#define LOOKUPS_MAX 32		/* domains asked for at once */
#define VAULT_MS 60000
#define FILE_NAME "report.day"
#define SPREAD_MIN_S 1800	/* after midnight: the last deliveries are told by then */
#define SPREAD_MAX_S (4 * 3600)	/* RFC 8460, 4.1: not all senders at once */

struct serve_reports {
	struct server *server;
	char *path;		/* NULL: not remembered over restarts */
	uint32_t day;		/* the last one that was reported */
	int64_t spread_s;
	bool busy;
};

/* --- one domain --- */

static void domain_step(struct reporting_domain *domain);

static void address_done(void *context, const struct source_dns *answer)
{
	struct reporting_domain *domain = context;
	char text[INET6_ADDRSTRLEN];
	size_t i;

	for (i = 0; answer->status == SOURCE_DNS_ANSWER && i < answer->count; i++) {
		const struct source_record *record = &answer->records[i];

		if ((record->size == 4 || record->size == 16) &&
		    inet_ntop(record->size == 4 ? AF_INET : AF_INET6, record->data, text,
		    sizeof(text)) != NULL && str_list_add(&domain->addresses, text) != SG_OK)
			break;
	}
	domain_step(domain);
}

/* Addresses of the first https: place; one such place is enough for a domain. */
static void look_up_host(struct reporting_domain *domain)
{
	const struct source *source = source_live_source(domain->reporting->server->live);
	size_t i;

	for (i = 0; i < domain->places.count; i++)
		if (str_starts_case(domain->places.items[i], "https:"))
			break;
	domain->host = i == domain->places.count ? NULL : report_host(domain->places.items[i]);
	if (domain->host == NULL)
		return;
	domain->waiting += 2;
	source->dns(source->context, domain->host, SOURCE_A, address_done, domain);
	source->dns(source->context, domain->host, SOURCE_AAAA, address_done, domain);
}

/* The strings of a TXT record behind each other. */
static char *txt_text(const struct source_record *record)
{
	char *text = calloc(1, record->size + 1);
	size_t at = 0;
	size_t to = 0;

	while (text != NULL && at < record->size) {
		size_t size = record->data[at++];

		if (size > record->size - at)
			size = record->size - at;
		memcpy(text + to, record->data + at, size);
		to += size;
		at += size;
	}
	return text;
}

static void txt_done(void *context, const struct source_dns *answer)
{
	struct reporting_domain *domain = context;
	struct str_list places = {NULL, 0};
	size_t records = 0;
	char *text;
	size_t i;

	for (i = 0; answer->status == SOURCE_DNS_ANSWER && i < answer->count; i++) {
		text = txt_text(&answer->records[i]);
		if (text != NULL && report_places(text, &places))
			records++;
		free(text);
	}
	/* RFC 8460, 3: several are as none */
	if (records == 1)
		domain->places = places;
	else
		str_list_free(&places);
	if (domain->places.count > 0)
		look_up_host(domain);
	domain_step(domain);
}

/* Makes the report of a domain that wants one. */
static enum fail_code make_report(struct reporting_domain *domain)
{
	struct reporting *reporting = domain->reporting;
	struct policy_published published;
	bool known = policy_published(reporting->server->policy, domain->name, &published);
	struct report report = {
		.organization = reporting->organization,
		.contact = reporting->from,
		.id = domain->id,
		.domain = domain->name,
		.day = reporting->day,
		.published = known ? &published : NULL,
		.sessions = domain->sessions,
		.session_count = domain->session_count,
	};
	enum fail_code code = report_json(&report, &domain->json);

	if (known)
		policy_published_free(&published);
	if (code == SG_OK)
		code = buf_append(&reporting->lines, domain->json.data, domain->json.size);
	if (code == SG_OK)
		code = buf_append_str(&reporting->lines, "\n");
	return code;
}

static void domain_step(struct reporting_domain *domain)
{
	struct reporting *reporting = domain->reporting;

	if (--domain->waiting > 0)
		return;
	if (domain->places.count > 0 && reporting->code == SG_OK)
		reporting->code = make_report(domain);
	reporting->looking--;
	reporting_next(reporting);
}

static void domain_start(struct reporting_domain *domain)
{
	const struct source *source = source_live_source(domain->reporting->server->live);
	char name[300];

	domain->waiting = 1;
	(void)snprintf(name, sizeof(name), "_smtp._tls.%.255s", domain->name);
	source->dns(source->context, name, SOURCE_TXT, txt_done, domain);
}

/* --- all domains --- */

static void finish(struct reporting *reporting)
{
	struct serve_reports *reports = reporting->server->reports;
	struct fail f;

	if (reporting->asked == NULL) {
		reports->busy = false;
	} else if (reporting->code == SG_OK) {
		serve_answer_text(reporting->asked, &reporting->lines);
	} else {
		f = reporting->failure;
		if (f.code == SG_OK)
			(void)fail_set(&f, SG_ENOMEM, NULL, "no memory for the reports");
		serve_answer_fail(reporting->asked, &f);
	}
	reporting_free(reporting);
}

static void send_done(void *context)
{
	struct reporting *reporting = context;

	reporting->server->counts.reports_sent += reporting->sent;
	reporting->server->counts.reports_failed += reporting->failed;
	finish(reporting);
}

static void domains_done(struct reporting *reporting)
{
	if (reporting->code == SG_OK && reporting->send && reporting->lines.size > 0) {
		reporting->code = serve_job_start(reporting->server->jobs, reporting_send_run,
		    send_done, reporting, &reporting->failure);
		if (reporting->code == SG_OK)
			return;
	}
	finish(reporting);
}

/* Starts as many lookups as may run; may be called from within one. */
void reporting_next(struct reporting *reporting)
{
	if (reporting->starting)
		return;
	reporting->starting = true;
	while (reporting->next < reporting->count && reporting->looking < LOOKUPS_MAX) {
		reporting->looking++;
		domain_start(&reporting->domains[reporting->next++]);
	}
	reporting->starting = false;
	if (reporting->looking == 0 && reporting->next == reporting->count)
		domains_done(reporting);
}

static void fetch_run(void *context)
{
	struct reporting *reporting = context;
	struct vault vault = {reporting->vault_path, VAULT_MS};

	reporting->code = vault_sessions(&vault, reporting->day, &reporting->sessions,
	    &reporting->session_count, &reporting->failure);
}

static void fetch_done(void *context)
{
	struct reporting *reporting = context;

	if (reporting->code == SG_OK)
		reporting->code = reporting_group(reporting);
	if (reporting->code != SG_OK) {
		if (reporting->asked == NULL)
			log_failure(LOG_LEVEL_ERROR, NULL, "report", &reporting->failure);
		finish(reporting);
		return;
	}
	reporting_next(reporting);
}

/* --- start --- */

void serve_report(struct asked *asked, const char *day, bool send)
{
	const struct conf *conf = asked->server->conf;
	struct reporting *reporting = NULL;
	enum fail_code code;
	uint32_t number = 0;
	struct fail f;

	fail_clear(&f);
	if (report_day(day, &number) != SG_OK)
		code = fail_set(&f, SG_EUSAGE, "write it as 2026-11-23", "%.40s is no day", day);
	else if (send && !conf->tls.report)
		code = fail_set(&f, SG_EUSAGE, "write tls.report = yes in sealgate.conf",
		    "reports are not to be sent");
	else
		code = reporting_new(asked->server, number, send, &reporting, &f);
	if (code == SG_OK) {
		reporting->asked = asked;
		code = serve_job_start(asked->server->jobs, fetch_run, fetch_done, reporting, &f);
	}
	if (code == SG_OK)
		return;
	serve_answer_fail(asked, &f);
	reporting_free(reporting);
}

static void remember_day(struct serve_reports *reports, uint32_t day)
{
	char text[16];
	struct fail f;

	reports->day = day;
	(void)snprintf(text, sizeof(text), "%" PRIu32, day);
	if (reports->path != NULL &&
	    fd_replace_file(reports->path, text, strlen(text), 0600, &f) != SG_OK)
		log_failure(LOG_LEVEL_ERROR, NULL, "report", &f);
}

void serve_reports_tend(struct serve_reports *reports)
{
	int64_t now_s = clock_wall_ms(reports->server->clock) / 1000;
	uint32_t yesterday = (uint32_t)(now_s / REPORT_DAY_S) - 1;
	struct reporting *reporting = NULL;
	struct fail f;

	if (!reports->server->conf->tls.report || reports->busy || reports->day >= yesterday ||
	    now_s % REPORT_DAY_S < reports->spread_s)
		return;
	/* before sending: one lost report is better than one each minute */
	remember_day(reports, yesterday);
	fail_clear(&f);
	if (reporting_new(reports->server, yesterday, true, &reporting, &f) == SG_OK &&
	    serve_job_start(reports->server->jobs, fetch_run, fetch_done, reporting, &f) == SG_OK) {
		reports->busy = true;
		return;
	}
	log_failure(LOG_LEVEL_ERROR, NULL, "report", &f);
	reporting_free(reporting);
}

/* The day that an earlier process reported last; without a file only what begins now counts. */
static uint32_t last_day(const struct serve_reports *reports)
{
	uint32_t yesterday = (uint32_t)(clock_wall_ms(reports->server->clock) / 1000 /
	    REPORT_DAY_S) - 1;
	uint64_t day = yesterday;
	struct buf text;

	buf_init(&text, 32);
	if (reports->path != NULL && fd_read_file(reports->path, &text, NULL) == SG_OK &&
	    buf_str(&text) != NULL && str_parse_u64(buf_str(&text), 0, yesterday, &day) != SG_OK)
		day = yesterday;
	buf_free(&text);
	return (uint32_t)day;
}

struct serve_reports *serve_reports_new(struct server *server)
{
	struct serve_reports *reports = calloc(1, sizeof(*reports));
	const char *folder = server->conf->tls.cache_directory;
	uint32_t random = 0;

	if (reports == NULL)
		return NULL;
	reports->server = server;
	if (folder != NULL && folder[0] != '\0')
		reports->path = str_printf("%s/%s", folder, FILE_NAME);
	reports->day = last_day(reports);
	if (secret_random_bytes(&random, sizeof(random)) != SG_OK)
		random = 0;
	reports->spread_s = SPREAD_MIN_S + random % (SPREAD_MAX_S - SPREAD_MIN_S);
	return reports;
}

void serve_reports_free(struct serve_reports *reports)
{
	if (reports == NULL)
		return;
	free(reports->path);
	free(reports);
}
