/*
 * door: the socket at which Postfix connects, put into libmilter and taken out again.
 *
 * The listening socket is the supervisor's: a connection waits in it while a filter is away, and
 * two filters may have it. libmilter, though, accepts only on a socket that it has opened itself:
 * it opens one that nobody knows, and ours is put over its descriptor.
 */
#ifndef SG_MILTER_DOOR_H
#define SG_MILTER_DOOR_H

#include "gateway/base/fail.h"

struct door {
	int place;	/* libmilter's descriptor */
	int wall;	/* a socket to which nobody connects */
};

/*
 * Has libmilter accept on listener (stream, listening), which is taken over. After smfi_register,
 * before rights are dropped: a socket is made in folder, for a moment. SG_ESYSTEM.
 */
MUST_USE enum fail_code door_open(struct door *door, int listener, const char *folder,
    struct fail *f);

/* From any thread: nothing is accepted any more, what has been goes on. */
void door_shut(const struct door *door);

#endif
