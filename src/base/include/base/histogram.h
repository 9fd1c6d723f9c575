/* SPDX-License-Identifier: MIT */
/* Counts values by size: how long something took, or how large it was. The caller has a lock. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 24

/* Bucket i counts the values that are at most 2^i and did not fit into the bucket before; the last
 * one counts all that are larger. */
struct histogram {
	uint64_t counts[HISTOGRAM_BUCKETS];
};

/* A negative value counts as 0. */
static inline void histogram_add(struct histogram *histogram, int64_t value)
{
	unsigned bucket = value > 1 ? 64 - (unsigned)__builtin_clzll((uint64_t)value - 1) : 0;

	histogram->counts[bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1]++;
}

#endif
