/*
 * milter: libmilter's callbacks, translated for a session; nothing else.
 */
#ifndef SG_MILTER_MILTER_H
#define SG_MILTER_MILTER_H

#include "gateway/base/fail.h"
#include "milter/services.h"
#include "milter/share.h"

/* What all connections use; borrowed until milter_run returns. */
struct milter_program {
	struct share *share;
	const struct services *services;
};

/*
 * Opens the socket that Postfix connects to ("local:/path", "inet:port@host"); before rights are
 * dropped. mode and group (may be "") are for a local socket. SG_EUSAGE: wrong spelling or no such
 * group; SG_ESYSTEM: another gateway listens there, no such folder.
 */
MUST_USE enum fail_code milter_open(const char *socket, unsigned int mode, const char *group,
    struct fail *f);

/* Serves until milter_stop or a signal. Once a process: libmilter has one state. */
MUST_USE enum fail_code milter_run(const struct milter_program *program, struct fail *f);

/* From any thread: no new connections, then milter_run returns. */
void milter_stop(void);

#endif
