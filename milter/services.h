/*
 * services: the real table of functions for sessions: scanner, vault, PDF worker, TLS policy
 * service by their wires.
 */
#ifndef SG_MILTER_SERVICES_H
#define SG_MILTER_SERVICES_H

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "milter/session.h"

struct services {
	struct session_services table;	/* table.context is the services */
	struct envelope_cache *cache;
	struct vault vault;
	char *scan_path;
	char *pdf_path;
	char *vault_path;
	struct tls tls;
	char *tls_path;
};

/*
 * The paths follow from conf->run_directory. services must not move afterwards.
 * counters: NULL allowed.
 */
MUST_USE enum fail_code services_init(struct services *services, const struct conf *conf,
    struct counters *counters, struct fail *f);
void services_free(struct services *services);

#endif
