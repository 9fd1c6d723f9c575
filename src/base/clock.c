/* SPDX-License-Identifier: MIT */
/* The system's clocks. */
#include "base/clock.h"

static int64_t system_now(const struct clock *clock)
{
	struct timespec now;

	(void)clock;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

const struct clock system_clock = {.now = system_now};

static int64_t clock_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

int64_t monotonic_ms(void)
{
	return monotonic_us() / 1000;
}

int64_t system_ms(void)
{
	return clock_us(CLOCK_REALTIME) / 1000;
}

struct timespec monotonic_after(int64_t milliseconds)
{
	int64_t until = monotonic_us() + milliseconds * 1000;

	return (struct timespec){.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
}
