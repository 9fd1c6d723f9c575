/* SPDX-License-Identifier: MIT */
/* The time of day. Code that needs it is given a clock, so that a test can set the time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

struct clock {
	/* Seconds since 1970-01-01 UTC. */
	int64_t (*now)(const struct clock *clock);
};

extern const struct clock system_clock;

static inline int64_t clock_now(const struct clock *clock)
{
	return clock->now(clock);
}

/* The later of the time of day and `at`. */
static inline int64_t clock_not_before(const struct clock *clock, int64_t at)
{
	int64_t now = clock_now(clock);

	return now > at ? now : at;
}

/* Milliseconds of the monotonic clock, for deadlines. */
int64_t monotonic_ms(void);
/* The same in microseconds, for durations. */
int64_t monotonic_us(void);

/* When `milliseconds` from now have passed, for a wait by the monotonic clock. */
struct timespec monotonic_after(int64_t milliseconds);

/* Milliseconds since 1970-01-01 UTC by the system's clock; only for the log. */
int64_t system_ms(void);

#endif
