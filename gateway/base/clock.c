#include "gateway/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t now_ms(clockid_t id)
{
	struct timespec now = { 0, 0 };

	(void)clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_wall(void *context)
{
	(void)context;
	return now_ms(CLOCK_REALTIME);
}

static int64_t system_mono(void *context)
{
	(void)context;
	return now_ms(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
	static const struct clock clock = { system_wall, system_mono, NULL };

	return &clock;
}

int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock->context);
}

int64_t clock_mono_ms(const struct clock *clock)
{
	return clock->mono_ms(clock->context);
}
