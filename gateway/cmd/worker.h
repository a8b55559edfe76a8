/*
 * worker: one place of the supervisor: the process that serves, its successor, its predecessor.
 *
 * Nothing here waits. Every call does what can be done now; worker_tend is called when a signal, a
 * message or the clock says that something may have happened. A place changes its process in one of
 * two ways: beside (the successor loads while the old one serves, and takes over when it is ready)
 * or in turn (the old one ends first). Listening sockets are the supervisor's: what is asked
 * meanwhile waits in them. Used by supervise.c alone, in one thread.
 */
#ifndef SG_GATEWAY_CMD_WORKER_H
#define SG_GATEWAY_CMD_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/fail.h"
#include "gateway/base/proc.h"

enum worker_change {
	WORKER_STEADY,		/* nothing is being changed */
	WORKER_WANTED,		/* beside, when the predecessor of before has ended */
	WORKER_BESIDE,		/* the successor loads */
	WORKER_EMPTYING,	/* in turn: the old one ends */
	WORKER_FILLING		/* in turn, or at the start: the new one loads, nobody serves */
};

struct worker {
	/* set once by the supervisor */
	const char *program;
	unsigned int role;			/* enum conf_role */
	bool two_may_live;			/* two processes may have the sockets at once */
	bool drains;				/* ends when control is closed: a signal cuts off */
	int listeners[PROC_LISTENERS_MAX];
	size_t listener_count;
	const struct buf *config;		/* the supervisor's, as it is at each start */
	int64_t leave_ms;			/* for the old one to finish its work */
	bool stands_by;				/* its processes wait for worker_serve */

	struct proc_child child;		/* serves, or loads when nobody serves */
	bool ready;				/* child serves */
	bool has_outdated;			/* child said that what it loaded has changed */
	struct fail said;			/* why child could not start, as it told */
	int64_t started_ms;
	int64_t retry_ms;			/* when it may start again; 0 = it runs */
	int64_t pause_ms;
	uint64_t deaths;			/* ends that nobody had planned */

	struct proc_child next;			/* the successor that loads */
	int64_t next_started_ms;
	struct proc_child leaving;		/* the predecessor that finishes its work */
	int64_t kill_ms;			/* when whoever was told to end is killed; 0 = no */

	enum worker_change change;
	enum fail_code outcome;			/* of the last change */
	struct fail why;			/* it failed */
};

/* An empty place, for a program beside ours. config is borrowed. */
void worker_init(struct worker *worker, const char *program, unsigned int role,
    bool two_may_live, const struct buf *config);

/* Who stands by in the place serves from here on, and all that come after. */
void worker_serve(struct worker *worker);

/* Starts the first process. From here to the end of the change a failure is its outcome. */
void worker_fill(struct worker *worker);
/* Puts another process into the place; beside only if two may live. One change at a time. */
void worker_replace(struct worker *worker, bool beside);
/* An empty place after a change that failed: starts by and by, again and again. */
void worker_retry(struct worker *worker);

/* Hears, reaps, starts again, kills what is late. Logs what an administrator must know. */
void worker_tend(struct worker *worker);
/* The control sockets on which to wait for news, at most two; returns how many. */
size_t worker_sockets(const struct worker *worker, int sockets_out[2]);
/* Milliseconds until worker_tend has something to do by the clock, or -1. */
int64_t worker_wait_ms(const struct worker *worker);

/* Asks all its processes to end, without waiting. */
void worker_dismiss(struct worker *worker);
/* Ends them: waits a while for each, then kills. */
void worker_end(struct worker *worker);

#endif
