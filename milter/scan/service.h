/*
 * service: the verdict on a message.
 *
 * Holds the engine, of our own or clamd's, and the knowledge whether it works. "Clean" is said only
 * after a scan in which nothing at all went wrong, by an engine that found its canary. Any thread
 * may scan; look, tell_age and give_way are for the main thread alone.
 */
#ifndef SG_MILTER_SCAN_SERVICE_H
#define SG_MILTER_SCAN_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/clock.h"
#include "gateway/base/fail.h"
#include "milter/scan/options.h"
#include "milter/scan/scan.h"

#define SERVICE_LOOK_MS 1000	/* between two looks at the database */
#define SERVICE_ASK_AGAIN_MS ((int64_t)60 * 60 * 1000)
#define SERVICE_TELL_AGAIN_MS ((int64_t)24 * 60 * 60 * 1000)

struct service;

/* Loads the engine, or gets ready to ask clamd. options' strings are borrowed for its life. */
MUST_USE enum fail_code service_open(const struct options *options, struct service **service_out,
    struct fail *f);
void service_close(struct service *service);

/* Scans the test messages and goes into or out of service; true = in. Logs a change. */
bool service_check(struct service *service);

/* The verdict on size bytes; never fails otherwise than by SCAN_NO_VERDICT. */
void service_scan(struct service *service, const void *data, size_t size,
    struct scan_result *result_out);

/* What SCAN_STATUS answers. */
void service_status(struct service *service, struct scan_status *status_out);

/*
 * Looks at the database: true if another process should load it now. That is once for each state
 * that differs from what was loaded and was the same at the look before (nobody writes any more),
 * and again after SERVICE_ASK_AGAIN_MS, since the cause of a refusal may have passed. A change back
 * is no change.
 */
bool service_look(struct service *service, const struct clock *clock);

/*
 * Logs an error when the signatures are older than age_max_ms, at once and then each day; true: it
 * has. Where nobody knows their age it does not.
 */
bool service_tell_age(struct service *service, const struct clock *clock, int64_t age_max_ms);

/*
 * There is no room for two: are the new files sound, each by itself? Then this process may end and
 * the next load them. Scans go on meanwhile.
 */
MUST_USE enum fail_code service_give_way(struct service *service, struct fail *f);

/* The TCP port of clamd, 0 for its unix socket; false if the engine is our own. */
bool service_asks_clamd(const struct service *service, unsigned int *port_out);

#endif
