/*
 * step_page: what the torture test tells all programs of the variant build/torture.
 *
 * One page of a file "steps" beside the programs, mapped by each of them before it closes its door
 * (step.c) and written by "tool arm" and "tool clock". A step acts when armed falls to 0.
 */
#ifndef SG_TESTS_TORTURE_STEP_PAGE_H
#define SG_TESTS_TORTURE_STEP_PAGE_H

#include <stdatomic.h>
#include <stdint.h>

#define STEP_NAME_MAX 48
#define STEP_PAGE_SIZE ((size_t)4096)	/* bytes of the file */

enum step_action { STEP_KILL = 1, STEP_STOP = 2 };

struct step_page {
	_Atomic int32_t armed;		/* how often the step is still passed, the last time not */
	_Atomic int32_t hits;
	int32_t action;			/* enum step_action */
	_Atomic int64_t clock_s;	/* added to the time of day */
	char name[STEP_NAME_MAX];	/* "step:NAME" */
};

#endif
