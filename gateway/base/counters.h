/*
 * counters: one page of numbers that all programs of the gateway share, for sealgate-health.
 *
 * The supervisor makes it; each worker gets it at birth (proc.h) and adds to it; it outlives
 * them, so that a counter goes on where a program ended. Numbers alone: nothing of a message is in
 * it, nor any name but those of programs. Whoever is broken into can spoil numbers, nothing else:
 * readers take them as they are and divide by none. Adding takes no lock, any thread.
 *
 * NULL stands for "nobody counts" in every function: a program that runs alone, or a test.
 */
#ifndef SG_GATEWAY_BASE_COUNTERS_H
#define SG_GATEWAY_BASE_COUNTERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/fail.h"

#define COUNTERS_STAGES 4	/* enum session_stage: 1 front, 2 seal, 3 fallback */
#define COUNTERS_DECISIONS 16	/* enum record_decision */
#define COUNTERS_REASONS 10	/* enum reply_stage, as many as it has */
#define COUNTERS_BUCKETS 16	/* of a histogram; the last has no upper bound */
#define COUNTERS_WORKERS 72
#define COUNTERS_CANARIES 3	/* how they came back: sealed, clear, not at all */
#define COUNTERS_NAME_MAX 24	/* bytes of a program's name, with NUL */

/* What takes time. */
enum counters_step {
	COUNTERS_FRONT,		/* all of a message at the end of its data, by stage */
	COUNTERS_SECOND,
	COUNTERS_FALLBACK,
	COUNTERS_SCAN,
	COUNTERS_PLAN,
	COUNTERS_PDF,
	COUNTERS_PROOF,
	COUNTERS_RECORD,
	COUNTERS_STEPS
};

struct counters_histogram {
	_Atomic uint64_t buckets[COUNTERS_BUCKETS];	/* not cumulative */
	_Atomic uint64_t sum_us;
	_Atomic int64_t running;	/* of those steps, how many are under way */
};

/* One place of the supervisor; it writes all but the deadline. */
struct counters_worker {
	char name[COUNTERS_NAME_MAX];
	_Atomic int32_t pid;		/* 0: it does not run */
	_Atomic uint32_t ready;
	_Atomic uint64_t deaths;	/* unplanned ends */
	_Atomic int64_t deadline_ms;	/* monotonic: it looks again before; 0: it says nothing */
};

struct counters {
	_Atomic uint64_t decisions[COUNTERS_STAGES][COUNTERS_DECISIONS];	/* recipients */
	_Atomic uint64_t refused[COUNTERS_REASONS][2];	/* messages: temporary, permanent */
	struct counters_histogram steps[COUNTERS_STEPS];
	_Atomic uint64_t commits;	/* of the vault */
	_Atomic uint64_t commits_failed;
	_Atomic uint64_t repeated;	/* deliveries that the second stage had made before */
	_Atomic int64_t signatures_s;	/* since 1970: of the scanner's signatures; 0: not known */
	_Atomic uint64_t canaries[COUNTERS_CANARIES];
	_Atomic int64_t canary_s;	/* since 1970: the last that came back sealed; 0: none */
	_Atomic uint32_t canary_last;	/* how the last one came back, and 1 more; 0: none flew */
	_Atomic uint32_t running;	/* the supervisor has started all */
	_Atomic uint32_t standbys;	/* gateways that would take over */
	_Atomic int64_t started_s;	/* since 1970 */
	_Atomic uint32_t worker_count;
	struct counters_worker workers[COUNTERS_WORKERS];
};

/* Makes the page; *fd_out stays open and goes to workers. It lives as long as the process. */
MUST_USE enum fail_code counters_make(struct counters **counters_out, int *fd_out,
    struct fail *f);
/* The page behind fd; NULL if there is none, or it is none of ours. */
struct counters *counters_map(int fd);

/*
 * Worker: its loop goes on, and will do so again within that time. Who is later than that hangs.
 * Costs as much as a look at the clock.
 */
void counters_beat(struct counters *counters, int64_t within_ms);

/* The clock for steps, in microseconds; 0 if nobody counts. counters_begin notes one under way. */
int64_t counters_begin(struct counters *counters, enum counters_step step);
void counters_end(struct counters *counters, enum counters_step step, int64_t began_us);
/* Upper bound of a bucket in microseconds; 0: it has none. */
uint64_t counters_bound(unsigned int bucket);

/* A recipient was decided about, durably; a message was not accepted. */
void counters_decided(struct counters *counters, unsigned int stage, unsigned int decision);
/* reason: enum reply_stage. */
void counters_refused(struct counters *counters, unsigned int reason, bool permanent);
/* The vault: a commit, and what came of it; a delivery that was one before. */
void counters_committed(struct counters *counters, bool failed);
void counters_repeated(struct counters *counters);
/* The vault is told how a canary came back (gateway/cmd/canary.h). */
void counters_canary(struct counters *counters, unsigned int result, int64_t time_s);
/* The scanner: of when its signatures are, in seconds since 1970. */
void counters_signatures(struct counters *counters, int64_t time_s);

#endif
