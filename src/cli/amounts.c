/* SPDX-License-Identifier: MIT */
/* Durations and sizes, in the unit that suits them. */
#include "cli/amounts.h"

#include <stdio.h>

void amount_duration(int64_t seconds, char text[AMOUNT_BYTES])
{
	int64_t minutes = seconds / 60, hours = minutes / 60;

	if (seconds < 0)
		snprintf(text, AMOUNT_BYTES, "over");
	else if (seconds < 60)
		snprintf(text, AMOUNT_BYTES, "%lld s", (long long)seconds);
	else if (minutes < 60)
		snprintf(text, AMOUNT_BYTES, "%lld min %lld s", (long long)minutes,
			 (long long)seconds % 60);
	else if (hours < 24)
		snprintf(text, AMOUNT_BYTES, "%lld h %lld min", (long long)hours,
			 (long long)minutes % 60);
	else
		snprintf(text, AMOUNT_BYTES, "%lld d %lld h", (long long)hours / 24,
			 (long long)hours % 24);
}

static void amount_scaled(int64_t number, int64_t step, const char *const *units,
			  char text[AMOUNT_BYTES])
{
	double value = (double)number;

	if (number < step) {
		snprintf(text, AMOUNT_BYTES, "%lld %s", (long long)number, *units);
		return;
	}
	for (; value >= (double)step && units[1]; units++)
		value /= (double)step;
	snprintf(text, AMOUNT_BYTES, "%.1f %s", value, *units);
}

static const char *const times[] = {"us", "ms", "s", NULL};

void amount_bytes(int64_t bytes, char text[AMOUNT_BYTES])
{
	static const char *const sizes[] = {"B", "KiB", "MiB", "GiB", "TiB", NULL};

	amount_scaled(bytes, 1024, sizes, text);
}

void amount_us(int64_t us, char text[AMOUNT_BYTES])
{
	amount_scaled(us, 1000, times, text);
}

void amount_ms(int64_t ms, char text[AMOUNT_BYTES])
{
	amount_scaled(ms, 1000, times + 1, text);
}
