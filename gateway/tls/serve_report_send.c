/* One day's reports as data, and the job that sends them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/secret.h"
#include "gateway/tls/report_send.h"
#include "gateway/tls/serve_report.h"

#define LINES_MAX ((size_t)64 * 1024 * 1024)	/* bytes of all reports of a day */

/* NULL: nobody wrote an address. */
static char *sender_of(const struct conf *conf)
{
	const char *from = conf->tls.report_from;

	return from != NULL && strchr(from, '@') != NULL ? str_dup(from) : NULL;
}

enum fail_code reporting_new(struct server *server, uint32_t day, bool send,
    struct reporting **reporting_out, struct fail *f)
{
	struct reporting *reporting = calloc(1, sizeof(*reporting));
	const struct conf *conf = server->conf;

	*reporting_out = NULL;
	if (reporting == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory for reports");
	reporting->server = server;
	reporting->day = day;
	reporting->send = send;
	buf_init(&reporting->lines, LINES_MAX);
	fail_clear(&reporting->failure);
	reporting->vault_path = server_vault_path(server);
	reporting->organization = str_dup(conf->tls.report_organization == NULL ? "" :
	    conf->tls.report_organization);
	reporting->from = sender_of(conf);
	reporting->mail_server = str_dup(conf->tls.report_server == NULL ? "" :
	    conf->tls.report_server);
	reporting->ca_file = str_dup(conf->tls.ca_file == NULL ? "" : conf->tls.ca_file);
	if (reporting->from == NULL && !send)
		reporting->from = str_dup("postmaster@localhost");
	if (reporting->vault_path != NULL && reporting->organization != NULL &&
	    reporting->from != NULL && reporting->mail_server != NULL &&
	    reporting->ca_file != NULL) {
		*reporting_out = reporting;
		return SG_OK;
	}
	(void)fail_set(f, reporting->from == NULL ? SG_EUSAGE : SG_ENOMEM,
	    "write an address of yours into tls.report_from", "nobody would send the reports");
	reporting_free(reporting);
	return f == NULL ? SG_ENOMEM : f->code;
}

void reporting_free(struct reporting *reporting)
{
	size_t i;

	if (reporting == NULL)
		return;
	for (i = 0; i < reporting->count; i++) {
		struct reporting_domain *domain = &reporting->domains[i];

		free(domain->id);
		free(domain->host);
		str_list_free(&domain->places);
		str_list_free(&domain->addresses);
		buf_free(&domain->json);
	}
	free(reporting->domains);
	vault_sessions_free(reporting->sessions, reporting->session_count);
	buf_free(&reporting->lines);
	free(reporting->vault_path);
	free(reporting->organization);
	free(reporting->from);
	free(reporting->mail_server);
	free(reporting->ca_file);
	free(reporting);
}

/* --- by domain --- */

/* "20261123.0123456789abcdef@own.example" */
static char *make_id(const struct reporting *reporting)
{
	unsigned char random[8];
	char hex[2 * sizeof(random) + 1];
	const char *domain = strrchr(reporting->from, '@');

	if (secret_random_bytes(random, sizeof(random)) != SG_OK)
		return NULL;
	str_hex(random, sizeof(random), hex);
	return str_printf("%" PRIu32 ".%s@%s", reporting->day, hex,
	    domain == NULL ? "localhost" : domain + 1);
}

static int compare(const void *a, const void *b)
{
	const struct vault_session *one = a;
	const struct vault_session *other = b;

	return strcmp(one->domain, other->domain);
}

enum fail_code reporting_group(struct reporting *reporting)
{
	struct reporting_domain *domain = NULL;
	size_t i;

	reporting->domains = calloc(reporting->session_count + 1, sizeof(*reporting->domains));
	if (reporting->domains == NULL)
		return SG_ENOMEM;
	if (reporting->session_count > 0)
		qsort(reporting->sessions, reporting->session_count, sizeof(reporting->sessions[0]),
		    compare);
	for (i = 0; i < reporting->session_count; i++) {
		const struct vault_session *session = &reporting->sessions[i];

		if (domain == NULL || strcmp(domain->name, session->domain) != 0) {
			domain = &reporting->domains[reporting->count++];
			domain->reporting = reporting;
			domain->name = session->domain;
			domain->sessions = session;
			buf_init(&domain->json, REPORT_TEXT_MAX);
			domain->id = make_id(reporting);
			if (domain->id == NULL)
				return SG_ENOMEM;
		}
		domain->session_count++;
	}
	return SG_OK;
}

/* --- sending --- */

static enum fail_code send_mail(const struct reporting_domain *domain, const char *to,
    const struct buf *zipped, struct fail *f)
{
	const struct reporting *reporting = domain->reporting;
	struct report report = {.contact = reporting->from, .id = domain->id,
		.domain = domain->name, .day = reporting->day};
	enum fail_code code;
	struct buf message;

	buf_init(&message, 2 * REPORT_TEXT_MAX);
	code = report_mail(&report, to, clock_wall_ms(clock_system()) / 1000, zipped, &message);
	if (code == SG_OK)
		code = report_submit(reporting->mail_server, reporting->from, to, &message, f);
	else
		(void)fail_set(f, code, NULL, "no memory for a report");
	buf_free(&message);
	return code;
}

/* Addresses were looked up for one https: place. */
static bool host_known(const struct reporting_domain *domain, const char *place)
{
	char *host = report_host(place);
	bool known = host != NULL && domain->host != NULL && str_equal_case(host, domain->host);

	free(host);
	return known;
}

static enum fail_code send_to(const struct reporting_domain *domain, const char *place,
    const struct buf *zipped, struct fail *f)
{
	char address[256];

	if (report_address(place, address, sizeof(address)))
		return send_mail(domain, address, zipped, f);
	if (!host_known(domain, place))
		return fail_set(f, SG_ELIMIT, NULL, "one https: host a domain is served");
	return report_post(place, &domain->addresses, domain->reporting->ca_file, zipped, f);
}

static void say_sent(const struct reporting_domain *domain, const char *place,
    const struct fail *f)
{
	struct log_line line;

	log_begin(&line, LOG_LEVEL_NOTICE, NULL, f->code == SG_OK ? "report-sent" :
	    "report-failed");
	log_str(&line, "domain", domain->name);
	log_str(&line, "to", place);
	log_str(&line, "id", domain->id);
	if (f->code != SG_OK)
		log_fail(&line, f);
	log_end(&line);
}

/* To every place that the domain names (RFC 8460, 3). */
static void send_one(struct reporting *reporting, const struct reporting_domain *domain)
{
	struct buf zipped;
	struct fail f;
	size_t i;

	buf_init(&zipped, REPORT_TEXT_MAX);
	if (report_gzip(domain->json.data, domain->json.size, &zipped) != SG_OK) {
		buf_free(&zipped);
		reporting->failed++;
		return;
	}
	for (i = 0; i < domain->places.count; i++) {
		fail_clear(&f);
		if (send_to(domain, domain->places.items[i], &zipped, &f) == SG_OK)
			reporting->sent++;
		else
			reporting->failed++;
		say_sent(domain, domain->places.items[i], &f);
	}
	buf_free(&zipped);
}

void reporting_send_run(void *context)
{
	struct reporting *reporting = context;
	size_t i;

	for (i = 0; i < reporting->count; i++)
		if (reporting->domains[i].json.size > 0)
			send_one(reporting, &reporting->domains[i]);
}
