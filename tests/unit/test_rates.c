/* SPDX-License-Identifier: MIT */
/* How many requests the limits allow, and what they say is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "auth/rates.h"

#define SECOND INT64_C(1000000)
#define BEGIN (INT64_C(1000) * SECOND)

static unsigned take(struct rates *rates, unsigned token, int64_t account, int64_t at_us,
		     struct rate_use *use)
{
	unsigned char hash[TOKEN_HASH_BYTES] = {0};

	memcpy(hash + 1, &token, sizeof(token));
	return rates_take(rates, hash, account, BEGIN + at_us, use);
}

static unsigned allowed(struct rates *rates, unsigned token, int64_t account, int64_t at_us)
{
	struct rate_use use;
	unsigned count = 0;

	while (!take(rates, token, account, at_us, &use))
		count++;
	return count;
}

static void a_minute_has_so_many(void **state)
{
	static const uint32_t limits[] = {1, 2, 7, 59, 60, 61, 600, 100000, 1000000};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rates *rates = rates_new(limits[i], 0);

		assert_int_equal(allowed(rates, 1, 1, 0), limits[i]);
		assert_int_equal(allowed(rates, 2, 1, 0), limits[i]);
		assert_int_equal(allowed(rates, 1, 1, 60 * SECOND), limits[i]);
		rates_free(rates);
	}
}

static void they_come_back_evenly(void **state)
{
	struct rates *rates = rates_new(60, 0);
	struct rate_use use;

	(void)state;
	assert_int_equal(allowed(rates, 1, 1, 0), 60);
	assert_int_equal(take(rates, 1, 1, SECOND / 2, &use), 1);
	assert_int_equal(allowed(rates, 1, 1, SECOND), 1);
	assert_int_equal(allowed(rates, 1, 1, 11 * SECOND), 10);
	assert_int_equal(rates_refused(rates), 4);
	rates_free(rates);
	rates = rates_new(1, 0);
	assert_int_equal(take(rates, 1, 1, 0, &use), 0);
	assert_int_equal(take(rates, 1, 1, 1, &use), 60);
	assert_int_equal(take(rates, 1, 1, 20 * SECOND, &use), 40);
	assert_int_equal(take(rates, 1, 1, 60 * SECOND, &use), 0);
	rates_free(rates);
}

static void what_is_left(void **state)
{
	struct rates *rates = rates_new(60, 120);
	struct arena arena = {0};
	struct rate_use use;

	(void)state;
	assert_int_equal(take(rates, 1, 1, 0, &use), 0);
	assert_string_equal(rates_policy(&use, &arena),
			    "\"token\";q=60;w=60, \"account\";q=120;w=60");
	assert_string_equal(rates_left(&use, &arena), "\"token\";r=59;t=1, \"account\";r=119;t=1");
	assert_int_equal(allowed(rates, 1, 1, 0), 59);
	assert_int_not_equal(take(rates, 1, 1, 0, &use), 0);
	assert_string_equal(rates_left(&use, &arena), "\"token\";r=0;t=60, \"account\";r=60;t=30");
	rates_free(rates);
	rates = rates_new(0, 5);
	assert_int_equal(take(rates, 1, 1, 0, &use), 0);
	assert_string_equal(rates_policy(&use, &arena), "\"account\";q=5;w=60");
	assert_string_equal(rates_left(&use, &arena), "\"account\";r=4;t=12");
	use = (struct rate_use){0};
	assert_string_equal(rates_policy(&use, &arena), "");
	rates_free(rates);
	arena_release(&arena);
}

/* What the token's limit refuses does not count for the account. */
static void both_or_none(void **state)
{
	struct rates *rates = rates_new(10, 25);
	struct rate_use use;

	(void)state;
	assert_int_equal(allowed(rates, 1, 1, 0), 10);
	for (int i = 0; i < 100; i++) {
		assert_true(take(rates, 1, 1, 0, &use) > 0);
		assert_int_equal(use.full, RATE_TOKEN);
	}
	assert_int_equal(allowed(rates, 2, 1, 0), 10);
	assert_int_equal(allowed(rates, 3, 1, 0), 5);
	assert_true(take(rates, 3, 1, 0, &use) > 0);
	assert_int_equal(use.full, RATE_ACCOUNT);
	assert_int_equal(use.of[RATE_TOKEN].left, 5);
	assert_int_equal(allowed(rates, 4, 2, 0), 10);
	rates_free(rates);
}

/* The tables grow, and forget the buckets that are full. */
static void many_tokens(void **state)
{
	struct rates *rates = rates_new(2, 3);
	struct rate_use use;

	(void)state;
	for (unsigned token = 1; token <= 100000; token++)
		assert_int_equal(take(rates, token, token, 0, &use), 0);
	for (unsigned token = 1; token <= 100000; token++)
		assert_int_equal(allowed(rates, token, token, 1), 1);
	for (unsigned token = 1; token <= 1000000; token++)
		assert_int_equal(take(rates, token, token, token * 60 * SECOND, &use), 0);
	rates_free(rates);
	rates_free(NULL);
	assert_int_equal(rates_refused(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_has_so_many), cmocka_unit_test(they_come_back_evenly),
		cmocka_unit_test(what_is_left),         cmocka_unit_test(both_or_none),
		cmocka_unit_test(many_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
