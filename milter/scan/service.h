/*
 * service: the verdict on a message.
 *
 * Holds the engine in use and the knowledge whether it works. "Clean" is said only after a scan in
 * which nothing at all went wrong, by an engine that found its canary. Any thread may scan; reload
 * and tick are for the main thread alone.
 */
#ifndef SG_MILTER_SCAN_SERVICE_H
#define SG_MILTER_SCAN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "milter/scan/options.h"
#include "milter/scan/scan.h"

struct service;

/* Loads the first engine. options' strings are borrowed for the service's life. */
MUST_USE enum fail_code service_open(const struct options *options, struct service **service_out,
    struct fail *f);
void service_close(struct service *service);

/* Scans the canary and goes into or out of service; true = in. Logs a change. */
bool service_check(struct service *service);

/* The verdict on size bytes; never fails otherwise than by SCAN_NO_VERDICT. */
void service_scan(struct service *service, const void *data, size_t size,
    struct scan_result *result_out);

/* What SCAN_STATUS answers. */
void service_status(struct service *service, struct scan_status *status_out);

/*
 * Loads the database again; scans go on with the old engine meanwhile. The new one is taken if it
 * loads and finds its canary, else the old one stays and the failure is returned.
 */
MUST_USE enum fail_code service_reload(struct service *service, struct fail *f);

/* Once a minute: the canary; a reload when database files changed. Logs failures itself. */
void service_tick(struct service *service);

#endif
