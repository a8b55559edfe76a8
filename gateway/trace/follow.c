#include "gateway/trace/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/clock.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/step.h"

#define FOLLOW_WITHIN_MS 30000	/* a batch, and the vault's answer: then it shows that it goes on */
#define FOLLOW_POLL_MS 1000	/* for what no event tells: a file system without them */
#define FOLLOW_TROUBLE_MS 2000	/* before the next try */
#define FOLLOW_LINES_MAX 20000u	/* without a fact, before the position is kept */
#define FOLLOW_QUIET_MS (5 * 60 * 1000)	/* the same trouble is logged again after it */

/* What a run has. */
struct following {
	const struct follow *follow;
	struct join *join;
	struct join_batch batch;
	unsigned int lines;		/* read since the position was kept */
	bool placed;			/* the source stands at the vault's position */
	char kept[SOURCE_POSITION_MAX];	/* what the vault has */
	char trouble[FAIL_WHAT_MAX];
	int64_t trouble_ms;
	bool ended;
};

/* Waits for what comes first: wake (-1: nothing), the time, the end. */
static void follow_wait(struct following *following, int wake, int wait_ms)
{
	struct pollfd polls[2] = {
		{following->follow->control, POLLIN, 0},
		{wake, POLLIN, 0},
	};
	char events[4096];

	counters_beat(following->follow->counters, wait_ms + FOLLOW_WITHIN_MS);
	(void)poll(polls, 2, wait_ms);
	if (polls[0].revents != 0)
		following->ended = true;

	if (polls[1].revents != 0 && following->follow->source->drain)
		while (read(wake, events, sizeof(events)) > 0)
			continue;
}

/* Once, and again now and then: what goes on for hours must not fill the log. */
static void follow_trouble(struct following *following, const struct fail *f)
{
	int64_t now = clock_mono_ms(clock_system());

	if (strcmp(following->trouble, f->what) != 0 ||
	    now - following->trouble_ms >= FOLLOW_QUIET_MS) {
		log_failure(LOG_LEVEL_ERROR, NULL, "trace-log", f);
		memcpy(following->trouble, f->what, sizeof(following->trouble));
		following->trouble_ms = now;
	}
	follow_wait(following, -1, FOLLOW_TROUBLE_MS);
}

static enum fail_code follow_place(struct following *following, struct fail *f)
{
	const struct follow *follow = following->follow;
	char *position = NULL;
	enum fail_code code;

	code = vault_position(&follow->vault, &position, f);
	if (code == SG_OK && strlen(position) >= sizeof(following->kept))
		code = fail_set(f, SG_EFORMAT, NULL, "a position in the log that is too long");
	if (code == SG_OK) {
		memcpy(following->kept, position, strlen(position) + 1);
		code = follow->source->ops->resume(follow->source, position, f);
	}
	following->placed = code == SG_OK;
	free(position);
	return code;
}

/*
 * After a failure nobody knows whether the vault took the facts. *taken_out: it did. False: it is
 * still away.
 */
static bool follow_ask(const struct following *following, const char *position, bool *taken_out,
    struct fail *f)
{
	char *there = NULL;

	*taken_out = false;
	if (vault_position(&following->follow->vault, &there, f) != SG_OK)
		return false;
	*taken_out = strcmp(there, position) == 0;
	free(there);
	return true;
}

/* Tells the vault until it took it, or the end. */
static void follow_tell(struct following *following, const char *position)
{
	const struct follow *follow = following->follow;
	struct join_batch *batch = &following->batch;
	bool unsure = false;
	bool done = false;
	struct fail f;

	while (!done && !following->ended) {
		fail_clear(&f);
		if (unsure && !follow_ask(following, position, &done, &f)) {
			follow_trouble(following, &f);
			continue;
		}
		counters_beat(follow->counters, FOLLOW_WITHIN_MS);
		STEP("facts");
		if (done || vault_facts(&follow->vault, batch->facts, batch->count, position,
		    &f) == SG_OK)
			break;
		unsure = true;
		/* our mistake; going on is better than to stand still for ever */
		done = f.kind == FAIL_PERMANENT;
		if (done)
			log_failure(LOG_LEVEL_ERROR, NULL, "trace-facts", &f);
		else
			follow_trouble(following, &f);
	}
	if (following->ended)
		return;
	STEP("facts-told");
	following->trouble[0] = '\0';
	memcpy(following->kept, position, strlen(position) + 1);
	join_batch_clear(batch);
	following->lines = 0;
}

static enum fail_code follow_keep(struct following *following, struct fail *f)
{
	const struct follow *follow = following->follow;
	char position[SOURCE_POSITION_MAX];
	enum fail_code code = follow->source->ops->position(follow->source, position, f);

	if (code == SG_OK && (following->batch.count > 0 ||
	    strcmp(position, following->kept) != 0))
		follow_tell(following, position);
	following->lines = 0;
	return code;
}

/* Lines until a batch is full or there are no more; *more_out tells which. */
static enum fail_code follow_read(struct following *following, bool *more_out, struct fail *f)
{
	struct source *source = following->follow->source;
	enum source_got got = SOURCE_NOTHING;
	enum fail_code code = SG_OK;
	struct line line;

	while (following->batch.count < JOIN_FACTS_MAX && following->lines < FOLLOW_LINES_MAX) {
		code = source->ops->next(source, &got, &line, f);
		if (code != SG_OK || got == SOURCE_NOTHING)
			break;
		following->lines++;
		code = join_line(following->join, &line,
		    got == SOURCE_OLD ? NULL : &following->batch, f);
		if (code != SG_OK)
			return code;
	}
	*more_out = code == SG_OK && got != SOURCE_NOTHING;
	return code;
}

static void follow_once(struct following *following)
{
	enum fail_code code = SG_OK;
	bool more = false;
	struct fail f;

	fail_clear(&f);
	if (!following->placed)
		code = follow_place(following, &f);
	/* a first start: from now on nothing is lost */
	if (code == SG_OK && following->kept[0] == '\0')
		code = follow_keep(following, &f);
	if (code == SG_OK)
		code = follow_read(following, &more, &f);
	if (following->batch.count > 0 || following->lines >= FOLLOW_LINES_MAX) {
		struct fail other;

		fail_clear(&other);
		if (follow_keep(following, &other) != SG_OK && code == SG_OK) {
			code = other.code;
			f = other;
		}
	}
	if (code != SG_OK) {
		/* the source may stand anywhere: back to what the vault has */
		following->placed = false;
		follow_trouble(following, &f);
	} else if (!more && !following->ended) {
		follow_wait(following, following->follow->source->wake, FOLLOW_POLL_MS);
	}
}

enum fail_code follow_run(const struct follow *follow, struct fail *f)
{
	struct following *following = calloc(1, sizeof(*following));
	enum fail_code code = SG_OK;

	if (following == NULL)
		return fail_set(f, SG_ENOMEM, NULL, "no memory to follow the log");
	following->follow = follow;
	following->join = join_new(&follow->ports);
	if (following->join == NULL)
		code = fail_set(f, SG_ENOMEM, NULL, "no memory to follow the log");
	while (code == SG_OK && !following->ended)
		follow_once(following);
	join_batch_clear(&following->batch);
	join_free(following->join);
	free(following);
	return code;
}
