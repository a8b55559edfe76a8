/*
 * serve_report: one day's reports on their way. Private to serve_report*.c.
 */
#ifndef SG_GATEWAY_TLS_SERVE_REPORT_H
#define SG_GATEWAY_TLS_SERVE_REPORT_H

#include "gateway/tls/report.h"
#include "gateway/tls/server.h"

struct reporting;

struct reporting_domain {
	struct reporting *reporting;
	const char *name;			/* borrowed from the sessions */
	const struct vault_session *sessions;	/* borrowed */
	size_t session_count;
	char *id;
	struct str_list places;
	char *host;				/* of the first https: place */
	struct str_list addresses;		/* its */
	size_t waiting;
	struct buf json;
};

struct reporting {
	struct server *server;
	struct asked *asked;		/* NULL: the daily ones */
	uint32_t day;
	bool send;
	char *vault_path;
	char *organization;
	char *from;
	char *mail_server;
	char *ca_file;
	struct vault_session *sessions;
	size_t session_count;
	struct reporting_domain *domains;
	size_t count;
	size_t next;
	size_t looking;
	bool starting;
	struct buf lines;
	uint64_t sent;
	uint64_t failed;
	enum fail_code code;
	struct fail failure;
};

/* Copies what it needs of the configuration, so that a job may use it. SG_ENOMEM, SG_EUSAGE. */
MUST_USE enum fail_code reporting_new(struct server *server, uint32_t day, bool send,
    struct reporting **reporting_out, struct fail *f);
void reporting_free(struct reporting *reporting);
/* The sessions by domain. SG_ENOMEM. */
MUST_USE enum fail_code reporting_group(struct reporting *reporting);
/* Looks up who wants reports, then goes on with what is to be done. */
void reporting_next(struct reporting *reporting);
/* The job that sends all of them. */
void reporting_send_run(void *context);

#endif
