/*
 * handover: between two gateways with one run_directory. The one runs; the other stands by, has the
 * same listening sockets, and takes over when the first ends, however it ends.
 *
 * "handover.sock" below run_directory. Who stands by connects; the one that runs looks whether it
 * is the same user, sends its listening sockets, one packet each (wire.h), and keeps the connection
 * until its end. Nothing is refused in between: a connection waits in a socket that both have.
 */
#ifndef SG_GATEWAY_CMD_HANDOVER_H
#define SG_GATEWAY_CMD_HANDOVER_H

#include <poll.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/cmd/prepare.h"

#define HANDOVER_MAX 4u				/* that stand by at a time */
#define HANDOVER_POLL_MAX (HANDOVER_MAX + 1)

/* ---- the one that runs ---- */

struct handover {
	int listener;
	int standbys[HANDOVER_MAX];
	size_t count;
	const struct prepare_sockets *sockets;	/* borrowed */
};

/* None. */
void handover_init(struct handover *handover);
/* From here on others may stand by. sockets is borrowed until handover_close. SG_ESYSTEM. */
MUST_USE enum fail_code handover_open(const struct conf *conf,
    const struct prepare_sockets *sockets, struct handover *handover, struct fail *f);
/* Lets in who knocks, forgets who has gone; waits for nothing. */
void handover_tend(struct handover *handover);
size_t handover_poll(const struct handover *handover, struct pollfd polls[HANDOVER_POLL_MAX]);
/* The configuration was read anew here: who stands by reads it, too. */
void handover_reloaded(struct handover *handover);
/* One that stands by takes over now. */
void handover_close(struct handover *handover);

/* ---- the one that stands by ---- */

enum handover_news {
	HANDOVER_NONE,
	HANDOVER_RELOADED,
	HANDOVER_GONE		/* the one that ran has ended; *link is closed */
};

/*
 * Joins the gateway that runs: what of its sockets fits conf replaces those in sockets. *link_out
 * stays open while it runs. SG_EPEER: it does not answer, or is of a version that cannot.
 */
MUST_USE enum fail_code handover_join(const struct conf *conf, struct prepare_sockets *sockets,
    int *link_out, struct fail *f);
/* Without waiting. */
enum handover_news handover_hear(int *link);

#endif
