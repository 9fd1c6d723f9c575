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

int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
