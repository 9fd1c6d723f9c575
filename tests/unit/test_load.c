/* SPDX-License-Identifier: MIT */
/* The budget: shares, floors, waiting. A limit of 64 MiB: an account's share is 16 MiB, a source's
 * 32 MiB, the floor 1 MiB, and all floors end at 80 MiB. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "load/load.h"

#define MIB ((size_t)1024 * 1024)
#define LONG_MS 60000 /* no test is to wait for so long */

struct test {
	struct budget *budget;
	struct charge charges[64];
	size_t count;
};

static int setup(void **state)
{
	struct test *test = calloc(1, sizeof(*test));

	*state = test;
	return !test || budget_new(64 * MIB, &test->budget);
}

static struct load_counters counted(const struct test *test)
{
	struct load_counters counters;

	budget_count(test->budget, &counters);
	return counters;
}

static void end_all(struct test *test)
{
	for (size_t i = 0; i < test->count; i++)
		charge_end(&test->charges[i]);
	test->count = 0;
}

/* Nothing is left of what was charged. */
static int teardown(void **state)
{
	struct test *test = *state;

	end_all(test);
	assert_int_equal(counted(test).held, 0);
	assert_int_equal(counted(test).charges, 0);
	assert_int_equal(counted(test).waiting, 0);
	budget_free(test->budget);
	free(test);
	return 0;
}

/* A new charge of an account from a source, which holds nothing. */
static struct charge *charge_new(struct test *test, int64_t account, unsigned source)
{
	struct charge *charge = &test->charges[test->count++];
	struct ip ip = {.bytes = {[10] = 0xff,
				  [11] = 0xff,
				  [14] = (unsigned char)(source >> 8),
				  [15] = (unsigned char)source}};

	charge_init(charge, test->budget, account, &ip);
	return charge;
}

static enum admission ask(struct test *test, int64_t account, unsigned source, size_t bytes)
{
	return charge_ask(charge_new(test, account, source), bytes);
}

static void small_ones_are_free(void **state)
{
	struct test *test = *state;

	assert_int_equal(ask(test, 1, 1, CHARGE_FREE), ADMITTED);
	assert_int_equal(counted(test).held, 0);
	assert_int_equal(ask(test, 1, 1, CHARGE_FREE + 1), ADMITTED);
	assert_int_equal(counted(test).held, CHARGE_FREE + 1);
	assert_int_equal(counted(test).charges, 1);
}

static void an_account_has_its_share(void **state)
{
	struct test *test = *state;

	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(ask(test, 1, i, MIB), ADMITTED);
	assert_int_equal(ask(test, 1, 99, MIB), SHARE_FULL);
	assert_int_equal(ask(test, 2, 99, MIB), ADMITTED);
	charge_end(&test->charges[0]);
	assert_int_equal(ask(test, 1, 99, MIB), ADMITTED);
	assert_int_equal(counted(test).held_most, 17 * MIB);
}

static void a_source_has_its_share(void **state)
{
	struct test *test = *state;

	for (int64_t account = 1; account <= 4; account++)
		assert_int_equal(ask(test, account, 7, 8 * MIB), ADMITTED);
	assert_int_equal(ask(test, 1, 7, MIB), SHARE_FULL);
	assert_int_equal(ask(test, 1, 8, MIB), ADMITTED);
	/* Whoever holds little gets in beside such a source. */
	assert_int_equal(ask(test, 5, 7, MIB), ADMITTED);
	assert_int_equal(ask(test, 5, 7, MIB), SHARE_FULL);
}

/* An IPv6 client has a network of addresses. */
static void a_source_is_a_network(void **state)
{
	static const enum admission expected[] = {ADMITTED, ADMITTED, ADMITTED,
						  ADMITTED, ADMITTED, SHARE_FULL};
	struct test *test = *state;

	for (unsigned char i = 0; i < 6; i++) {
		struct charge *charge = &test->charges[test->count++];
		struct ip ip = {.bytes = {0x20, 0x01, 0x0d, 0xb8, [15] = i}};

		charge_init(charge, test->budget, 1 + i % 4, &ip);
		assert_int_equal(charge_ask(charge, 7 * MIB), expected[i]);
	}
}

static void an_idle_account_gets_in(void **state)
{
	struct test *test = *state;

	for (int64_t account = 1; account <= 4; account++)
		assert_int_equal(ask(test, account, (unsigned)account, 16 * MIB), ADMITTED);
	assert_int_equal(ask(test, 5, 5, MIB), ADMITTED);
	assert_int_equal(ask(test, 5, 5, MIB), BUDGET_FULL);
	assert_int_equal(ask(test, 4, 9, MIB), SHARE_FULL);
	/* But not for ever. */
	for (int64_t account = 6; account <= 20; account++)
		assert_int_equal(ask(test, account, (unsigned)account, MIB), ADMITTED);
	assert_int_equal(ask(test, 21, 21, MIB), BUDGET_FULL);
}

/* What a request holds itself does not stand in its way, however large it is. */
static void a_large_one_gets_in_alone(void **state)
{
	struct test *test = *state;
	struct charge *charge = charge_new(test, 1, 1);

	assert_int_equal(charge_ask(charge, 20 * MIB), ADMITTED);
	assert_int_equal(charge_ask(charge, 50 * MIB), ADMITTED);
	assert_int_equal(charge_ask(charge, 2 * MIB), ADMITTED);
	assert_int_equal(counted(test).held, 2 * MIB);
	assert_int_equal(ask(test, 1, 1, 15 * MIB), ADMITTED);
	assert_int_equal(ask(test, 1, 2, MIB), SHARE_FULL);
	assert_int_equal(charge_ask(charge, 3 * MIB), ADMITTED);
	/* Beside as much as the share it may take less, but not more. */
	charge_set(&test->charges[1], 16 * MIB);
	assert_int_equal(charge_ask(charge, 4 * MIB), SHARE_FULL);
	assert_int_equal(charge->bytes, 3 * MIB);
	assert_int_equal(charge_ask(charge, MIB), ADMITTED);
	charge_set(charge, 5 * MIB);
	assert_int_equal(counted(test).held, 21 * MIB);
}

/* What a waiting request got. */
struct result {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum admission admission[64];
	unsigned order[64], count;
};
static struct result result = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, {0}, {0}, 0};

static void on_result(void *context, enum admission admission)
{
	unsigned index = (unsigned)(uintptr_t)context;

	pthread_mutex_lock(&result.lock);
	result.admission[index] = admission;
	result.order[result.count++] = index;
	pthread_cond_signal(&result.changed);
	pthread_mutex_unlock(&result.lock);
}

static enum admission wait_for(struct charge *charge, size_t bytes, unsigned ms, unsigned index)
{
	return charge_wait(charge, bytes, ms, on_result, (void *)(uintptr_t)index);
}

static void await(unsigned count)
{
	pthread_mutex_lock(&result.lock);
	while (result.count < count)
		pthread_cond_wait(&result.changed, &result.lock);
	pthread_mutex_unlock(&result.lock);
}

static void who_waits_gets_in_by_turns(void **state)
{
	struct test *test = *state;
	struct charge *first = charge_new(test, 1, 1), *other;

	result.count = 0;
	assert_int_equal(charge_ask(first, 16 * MIB), ADMITTED);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(wait_for(charge_new(test, 1, 1), 9 * MIB, LONG_MS, i), WAITS);
	assert_int_equal(counted(test).waiting, 3);
	charge_end(first);
	await(2);
	assert_int_equal(result.admission[0], ADMITTED);
	assert_int_equal(result.admission[1], ADMITTED);
	assert_int_equal(result.order[0], 0);
	/* Behind those that wait. */
	charge_set(&test->charges[1], 0);
	other = charge_new(test, 1, 1);
	if (wait_for(other, MIB, 0, 9) == ADMITTED)
		assert_int_equal(counted(test).waiting, 0);
	await(3);
	assert_int_equal(result.order[2], 2);
	assert_int_equal(counted(test).waited, 3);
}

static void nobody_overtakes(void **state)
{
	struct test *test = *state;
	struct charge *waits;

	result.count = 0;
	/* It waits for its source alone. */
	assert_int_equal(ask(test, 2, 1, 16 * MIB), ADMITTED);
	assert_int_equal(ask(test, 3, 1, 16 * MIB), ADMITTED);
	assert_int_equal(ask(test, 1, 2, 2 * MIB), ADMITTED);
	waits = charge_new(test, 1, 1);
	assert_int_equal(wait_for(waits, MIB, LONG_MS, 0), WAITS);
	assert_int_equal(wait_for(charge_new(test, 1, 2), MIB, 0, 9), SHARE_FULL);
	/* An answer may. */
	assert_int_equal(ask(test, 1, 2, MIB), ADMITTED);
	/* Where the source is another, it does not wait for long. */
	assert_int_equal(wait_for(charge_new(test, 1, 2), MIB, LONG_MS, 1), WAITS);
	await(1);
	assert_int_equal(result.order[0], 1);
	assert_int_equal(result.admission[1], ADMITTED);
	charge_end(&test->charges[0]);
	await(2);
	assert_int_equal(result.admission[0], ADMITTED);
}

static void nobody_waits_for_ever(void **state)
{
	struct test *test = *state;
	int64_t began = monotonic_ms();

	result.count = 0;
	assert_int_equal(ask(test, 1, 1, 16 * MIB), ADMITTED);
	assert_int_equal(wait_for(charge_new(test, 1, 1), MIB, 50, 0), WAITS);
	await(1);
	assert_true(monotonic_ms() - began >= 50);
	assert_int_equal(result.admission[0], SHARE_FULL);
	assert_int_equal(test->charges[1].bytes, 0);
	assert_int_equal(charge_refuse(&test->charges[1], SHARE_FULL), RETRY_MAX);
	assert_int_equal(counted(test).refused_share, 1);
	assert_int_equal(counted(test).refused_full, 0);
}

static void the_end_refuses_all(void **state)
{
	struct test *test = *state;

	result.count = 0;
	assert_int_equal(ask(test, 1, 1, 16 * MIB), ADMITTED);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(wait_for(charge_new(test, 1, 1), MIB, LONG_MS, i), WAITS);
	budget_stop(test->budget);
	assert_int_equal(result.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(result.admission[i], SHARE_FULL);
	/* From now on nobody waits. */
	assert_int_equal(wait_for(charge_new(test, 1, 1), MIB, LONG_MS, 5), SHARE_FULL);
}

/* What is given back each second says how long it will take. */
static void a_client_is_told_when_to_come(void **state)
{
	struct test *test = *state;
	struct charge *charge = charge_new(test, 1, 1);

	assert_int_equal(ask(test, 1, 1, 16 * MIB), ADMITTED);
	assert_int_equal(charge_refuse(charge_new(test, 2, 2), SHARE_FULL), 1);
	assert_int_equal(ask(test, 1, 1, MIB), SHARE_FULL);
	assert_int_equal(charge_refuse(&test->charges[3], SHARE_FULL), RETRY_MAX);
	charge_set(charge, 4 * MIB);
	charge_set(charge, 0);
	/* 8 MiB too much, at 1 or 2 MiB a second. */
	assert_in_range(charge_refuse(&test->charges[3], SHARE_FULL), 4, 8);
}

static void *use(void *context)
{
	struct test *test = context;
	static atomic_uint next = 1;
	unsigned seed = next++;

	for (unsigned i = 0; i < 20000; i++) {
		struct charge charge;
		struct ip ip = {.bytes = {[15] = (unsigned char)(rand_r(&seed) % 5)}};

		charge_init(&charge, test->budget, 1 + rand_r(&seed) % 7, &ip);
		charge_ask(&charge, (size_t)rand_r(&seed) % (4 * MIB));
		charge_ask(&charge, (size_t)rand_r(&seed) % (4 * MIB));
		charge_set(&charge, (size_t)rand_r(&seed) % (4 * MIB));
		charge_end(&charge);
	}
	return NULL;
}

static void threads_leave_nothing(void **state)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, *state), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_ones_are_free, setup, teardown),
		cmocka_unit_test_setup_teardown(an_account_has_its_share, setup, teardown),
		cmocka_unit_test_setup_teardown(a_source_has_its_share, setup, teardown),
		cmocka_unit_test_setup_teardown(a_source_is_a_network, setup, teardown),
		cmocka_unit_test_setup_teardown(an_idle_account_gets_in, setup, teardown),
		cmocka_unit_test_setup_teardown(a_large_one_gets_in_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(who_waits_gets_in_by_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_overtakes, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_waits_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(the_end_refuses_all, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_is_told_when_to_come, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_leave_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
