/* SPDX-License-Identifier: MIT */
/* Which bucket of a histogram counts a value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/histogram.h"

static unsigned bucket_of(int64_t value)
{
	struct histogram histogram = {0};
	unsigned bucket = 0;

	histogram_add(&histogram, value);
	while (bucket < HISTOGRAM_BUCKETS && !histogram.counts[bucket])
		bucket++;
	assert_in_range(bucket, 0, HISTOGRAM_BUCKETS - 1);
	assert_int_equal(histogram.counts[bucket], 1);
	return bucket;
}

static void bounds(void **state)
{
	(void)state;
	for (unsigned i = 1; i + 1 < HISTOGRAM_BUCKETS; i++) {
		assert_int_equal(bucket_of(INT64_C(1) << i), i);
		assert_int_equal(bucket_of((INT64_C(1) << i) + 1), i + 1);
	}
}

static void smallest_and_largest(void **state)
{
	(void)state;
	assert_int_equal(bucket_of(INT64_MIN), 0);
	assert_int_equal(bucket_of(-1), 0);
	assert_int_equal(bucket_of(0), 0);
	assert_int_equal(bucket_of(1), 0);
	assert_int_equal(bucket_of(2), 1);
	assert_int_equal(bucket_of(INT64_MAX), HISTOGRAM_BUCKETS - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds),
		cmocka_unit_test(smallest_and_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
