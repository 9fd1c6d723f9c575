/* SPDX-License-Identifier: MIT */
/* The one clock. Whoever needs the time of day is given one, so that a test can set it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
	/* Seconds since 1970-01-01 UTC. */
	int64_t (*now)(const struct clock *clock);
};

extern const struct clock system_clock;

static inline int64_t clock_now(const struct clock *clock)
{
	return clock->now(clock);
}

/* The time of day, or `at` where the clock is behind that. */
static inline int64_t clock_not_before(const struct clock *clock, int64_t at)
{
	int64_t now = clock_now(clock);

	return now > at ? now : at;
}

/* Milliseconds of a clock that only goes forward; for deadlines, not for the time of day. */
int64_t monotonic_ms(void);
/* The same in microseconds, for durations. */
int64_t monotonic_us(void);

/* Milliseconds since 1970-01-01 UTC by the system's clock: for lines of a log, which no rule
 * depends on. */
int64_t system_ms(void);

#endif
