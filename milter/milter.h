/*
 * milter: libmilter's callbacks, translated for a session; nothing else.
 */
#ifndef SG_MILTER_MILTER_H
#define SG_MILTER_MILTER_H

#include <stdatomic.h>

#include "gateway/base/fail.h"
#include "milter/door.h"
#include "milter/services.h"
#include "milter/share.h"

/* What Postfix has under way here. */
struct milter_traffic {
	_Atomic unsigned int connections;
	_Atomic unsigned int messages;	/* between their first header field and our answer */
};

/* What all connections use; borrowed until milter_run returns. */
struct milter_program {
	struct share *share;
	const struct services *services;
	struct milter_traffic *traffic;
};

/*
 * Has libmilter accept on listener, the socket that Postfix connects to, which is taken over.
 * folder: as in door.h. SG_ESYSTEM.
 */
MUST_USE enum fail_code milter_open(int listener, const char *folder, struct door *door_out,
    struct fail *f);

/* Serves until the process ends, or libmilter fails. Once a process: libmilter has one state. */
MUST_USE enum fail_code milter_run(const struct milter_program *program, struct fail *f);

/*
 * From another thread: accepts no more, and returns when what is under way has its answer, after
 * some minutes at most. A connection without a message gets a few seconds.
 */
void milter_drain(const struct milter_program *program, const struct door *door);

#endif
