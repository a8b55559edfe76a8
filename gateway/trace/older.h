/*
 * older: what a log file was rotated to, plain or compressed by gzip: NAME.1, NAME.2.gz,
 * NAME-20261124, NAME.20261124-000000.gz. One thread.
 */
#ifndef SG_GATEWAY_TRACE_OLDER_H
#define SG_GATEWAY_TRACE_OLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/fail.h"
#include "gateway/trace/place.h"

#define OLDER_FILES_MAX 1000u	/* rotated files of one log */

struct older;

/*
 * Finds the rotated file that place tells of, and those that came after it. Reading starts at byte
 * from of the first; place gets its beginning. SG_ENOTFOUND: there is none.
 */
MUST_USE enum fail_code older_find(const char *path, struct place *place, int64_t from,
    struct older **older_out, struct fail *f);
void older_free(struct older *older);	/* NULL is allowed */

/* Up to room bytes of the one that is read; *got_out 0: its end, for now. */
MUST_USE enum fail_code older_read(struct older *older, void *out, size_t room, size_t *got_out,
    struct fail *f);
/* Goes on to the one that came next and makes *place_out its beginning; false: that was all. */
bool older_next(struct older *older, struct place *place_out);

#endif
