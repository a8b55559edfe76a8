/*
 * clock: the time, as something that a test can move.
 */
#ifndef SG_BASE_CLOCK_H
#define SG_BASE_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *context);	/* milliseconds since 1970, UTC */
	int64_t (*mono_ms)(void *context);	/* milliseconds that never go back */
	void *context;
};

/* The system's clock; static storage. */
const struct clock *clock_system(void);
int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_mono_ms(const struct clock *clock);

#endif
