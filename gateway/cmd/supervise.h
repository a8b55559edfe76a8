/*
 * supervise: the gateway's workers, started, watched, started again, replaced, stopped in order.
 *
 * One thread, which never waits here but in supervise_free: the caller polls the descriptors of
 * supervise_poll and SIGCHLD, for at most supervise_wait_ms, and calls supervise_tend. The
 * listening sockets are the supervisor's: while a worker is away, requests wait in them.
 */
#ifndef SG_GATEWAY_CMD_SUPERVISE_H
#define SG_GATEWAY_CMD_SUPERVISE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/conf.h"
#include "gateway/base/fail.h"
#include "gateway/cmd/prepare.h"

#define SUPERVISE_WORKERS_MAX 72u	/* the single ones and at most 64 PDF workers */
#define SUPERVISE_POLL_MAX (2 * SUPERVISE_WORKERS_MAX)

enum supervise_state {
	SUPERVISE_STARTING,
	SUPERVISE_RUNNING,
	SUPERVISE_WARMING,	/* scanner and PDF workers load, to stand by */
	SUPERVISE_STANDING_BY,
	SUPERVISE_FAILED	/* a worker cannot start: supervise_why */
};

enum supervise_reload_state {
	SUPERVISE_NO_RELOAD,
	SUPERVISE_RELOADING,
	SUPERVISE_RELOADED,
	SUPERVISE_KEPT		/* a worker refused it; all have the old one: supervise_why */
};

struct supervise;

/* sockets is borrowed until supervise_free. */
MUST_USE enum fail_code supervise_new(const struct conf *conf,
    const struct prepare_sockets *sockets, struct supervise **supervise_out, struct fail *f);
/*
 * Stops all workers, those that load too: the filter first, so that nothing new comes in, then the
 * others at once, the vault last.
 */
void supervise_free(struct supervise *supervise);

/*
 * Another gateway takes over as soon as this returns: the filter takes no more and finishes what it
 * has, with the workers of both; the vault has ended. Then comes supervise_free.
 */
void supervise_hand_over(struct supervise *supervise);

/* Starts all side by side; the filter opens its door when the others are ready. */
void supervise_start(struct supervise *supervise);
/* Starts those that load for long, and has them wait: another gateway serves. */
void supervise_stand_by(struct supervise *supervise);
/*
 * The other has ended, and the lock is ours: who stands by serves, the rest is started. May be
 * called while it still warms up. sockets may have become more.
 */
void supervise_take_over(struct supervise *supervise);
enum supervise_state supervise_state(const struct supervise *supervise);

/* Does what is due. */
void supervise_tend(struct supervise *supervise);
/* Fills polls with the sockets of the workers, for POLLIN; how many. */
size_t supervise_poll(const struct supervise *supervise, struct pollfd polls[SUPERVISE_POLL_MAX]);
/* Milliseconds until supervise_tend has something to do by the clock, or -1. */
int supervise_wait_ms(const struct supervise *supervise);

/*
 * Begins a new configuration: the filter gets it without a pause; the other workers are replaced
 * one after another if their part changed, the new one ready before the old one ends where two can
 * live side by side. Only while running, and one at a time. conf is not kept.
 */
MUST_USE enum fail_code supervise_reload(struct supervise *supervise, const struct conf *conf,
    struct fail *f);
/* How it stands; the end of one is told once. */
enum supervise_reload_state supervise_reload_state(struct supervise *supervise);
/* Why the start or the last reload failed. */
const struct fail *supervise_why(const struct supervise *supervise);

/* How many stand by here, for sealgate-health. */
void supervise_show_standbys(struct supervise *supervise, size_t count);

/* Has the scanner look now whether its signatures have changed; by itself it does so by and by. */
void supervise_look(struct supervise *supervise);

#endif
