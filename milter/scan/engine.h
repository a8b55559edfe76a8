/*
 * engine: one loaded set of signatures, and scans by it.
 *
 * An engine never changes after it was loaded; a new database is for another process. Any thread
 * may scan with it. It carries its own canary.
 */
#ifndef SG_MILTER_SCAN_ENGINE_H
#define SG_MILTER_SCAN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/fail.h"
#include "milter/scan/options.h"
#include "milter/scan/scan.h"

enum engine_outcome {
	ENGINE_CLEAN,		/* all was looked at, nothing found, nothing went wrong */
	ENGINE_INFECTED,
	ENGINE_LIMIT,		/* a limit was met: not all was looked at */
	ENGINE_ENCRYPTED,	/* no virus; some needs a password; a limit may be met, too */
	ENGINE_WARNED,		/* libclamav complained: the content or this machine */
	ENGINE_TROUBLE		/* this machine: space, descriptors, memory, time */
};

struct engine_answer {
	enum engine_outcome outcome;
	char text[SCAN_NAME_MAX];	/* signature, limit, warning or trouble; "" if clean */
};

struct engine;

/* Once a process, before all else, with one thread. */
MUST_USE enum fail_code engine_start(struct fail *f);

/*
 * Loads all of the database directory and a fresh canary signature (through a file in the
 * temporary directory, removed at once). SG_EFORMAT: libclamav refuses a file; SG_ENOTFOUND: no
 * signature there.
 */
MUST_USE enum fail_code engine_load(const struct options *options, struct engine **engine_out,
    struct fail *f);
void engine_free(struct engine *engine);	/* NULL is allowed */

/* Scans size bytes, which must stay as they are. One scan; judging it is service.c's part. */
void engine_scan(const struct engine *engine, const void *data, size_t size,
    struct engine_answer *answer_out);
/* Scans the canary. True if it was found and nothing went wrong; else why is in *answer_out. */
bool engine_canary(const struct engine *engine, struct engine_answer *answer_out);

uint64_t engine_signatures(const struct engine *engine);	/* without the canary's */
/* database_newest of what was loaded. */
int64_t engine_database_time(const struct engine *engine);
/* database_print of what was loaded. */
uint64_t engine_print(const struct engine *engine);

#endif
