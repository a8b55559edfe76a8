/*
 * tempdir: where libclamav unpacks.
 *
 * The configured directory, else a tmpfs of our own in a mount namespace of our own (root only),
 * else the system's. In a directory that others use too a fresh one is made, which belongs to the
 * scanner alone; what died scanners left there is swept. The verdict's safety does not depend on
 * which it is.
 */
#ifndef SG_MILTER_SCAN_TEMPDIR_H
#define SG_MILTER_SCAN_TEMPDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/fail.h"

#define TEMPDIR_NAME "sealgate-scan."	/* and six random characters */

struct tempdir_wish {
	const char *configured;		/* "" = choose */
	const char *visible;		/* a directory that must stay reachable: the signatures */
	uint64_t size;			/* bytes of a tmpfs: all that may be needed at once */
	uint64_t room_min;		/* bytes free elsewhere: what one message may need */
	uid_t uid;			/* who will own it */
	gid_t gid;
};

struct tempdir {
	char *base;	/* NULL when it is a tmpfs of our own */
	char *path;
	int lock;	/* held while we live, so that nobody sweeps it; -1 for a tmpfs */
};

/*
 * Makes one. SG_ESYSTEM: cannot, or too little free space in the system's directory (in a
 * configured one that is only logged). Call it before proc_drop, with one thread.
 */
MUST_USE enum fail_code tempdir_make(const struct tempdir_wish *wish, struct tempdir *dir_out,
    struct fail *f);
/* Removes directories of scanners that have died. Only one's own can be: call after proc_drop. */
void tempdir_sweep(const struct tempdir *dir);
/* Removes what can be removed, and releases. */
void tempdir_free(struct tempdir *dir);

/* Free bytes for its owner, 0 when it cannot be told. */
uint64_t tempdir_room(const char *path);

#endif
