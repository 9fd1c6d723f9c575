/* SPDX-License-Identifier: MIT */
/* The limit on guesses at tokens: when it holds, whom it leaves alone, and that it stays bounded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/guesses.h"

#define START INT64_C(1000000)
#define LAST 500000U /* attempts that fill both tables many times over */

static int set_up(void **state)
{
	if (auth_init())
		return -1;
	*state = guesses_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	guesses_free(*state);
	return 0;
}

/* Tokens that differ. */
static const unsigned char *token(unsigned number)
{
	static unsigned char hash[TOKEN_HASH_BYTES];

	token_hash((struct slice){(const char *)&number, sizeof(number)}, hash);
	return hash;
}

static struct guess attempt(const char *account, const char *source, unsigned number,
			    int64_t now_ms)
{
	struct guess guess = {
		.account = slice_of(account), .token_hash = token(number), .now_ms = now_ms};

	assert_true(ip_parse(slice_of(source), &guess.source));
	return guess;
}

static unsigned ask(struct guesses *guesses, const char *account, const char *source,
		    unsigned number, int64_t now_ms)
{
	struct guess guess = attempt(account, source, number, now_ms);

	return guesses_wait(guesses, &guess);
}

static void refuse(struct guesses *guesses, const char *account, const char *source, unsigned times,
		   int64_t now_ms)
{
	for (unsigned i = 0; i < times; i++) {
		struct guess guess = attempt(account, source, 1000 + i, now_ms);

		assert_int_equal(guesses_wait(guesses, &guess), 0);
		guesses_refused(guesses, &guess);
	}
}

static void pass(struct guesses *guesses, const char *account, const char *source, unsigned number,
		 int64_t now_ms)
{
	struct guess guess = attempt(account, source, number, now_ms);

	assert_int_equal(guesses_wait(guesses, &guess), 0);
	guesses_passed(guesses, &guess);
}

static void the_minute(void **state)
{
	struct guesses *guesses = *state;

	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX - 1, START);
	refuse(guesses, "a", "192.0.2.1", 1, START + 20000);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 20000), 40);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 20001), 40);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + GUESSES_WINDOW_MS - 1), 1);
	/* What was not looked at did not count. */
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + GUESSES_WINDOW_MS);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + GUESSES_WINDOW_MS), 60);
}

static void few_are_forgotten(void **state)
{
	struct guesses *guesses = *state;

	for (int i = 0; i < 10; i++)
		refuse(guesses, "a", "192.0.2.1", GUESSES_MAX - 1, START + i * GUESSES_WINDOW_MS);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 10 * GUESSES_WINDOW_MS), 0);
}

static void others_are_left_alone(void **state)
{
	struct guesses *guesses = *state;

	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START);
	refuse(guesses, "", "192.0.2.1", GUESSES_MAX, START);
	assert_true(ask(guesses, "a", "192.0.2.1", 1, START) > 0);
	assert_true(ask(guesses, "", "192.0.2.1", 1, START) > 0);
	assert_int_equal(ask(guesses, "b", "192.0.2.1", 1, START), 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.2", 1, START), 0);
	assert_int_equal(ask(guesses, "a", "::1", 1, START), 0);
}

static void a_subscriber_has_a_network(void **state)
{
	struct guesses *guesses = *state;

	refuse(guesses, "a", "2001:db8::1", GUESSES_MAX, START);
	assert_true(ask(guesses, "a", "2001:db8:0:0:ffff::2", 1, START) > 0);
	assert_int_equal(ask(guesses, "a", "2001:db8:0:1::1", 1, START), 0);
}

static void a_source_at_many_accounts(void **state)
{
	struct guesses *guesses = *state;
	char name[16];

	for (unsigned i = 0; i < GUESSES_SOURCE_MAX; i++) {
		snprintf(name, sizeof(name), "a%u", i);
		refuse(guesses, name, "192.0.2.1", 1, START + i);
	}
	assert_int_equal(ask(guesses, "another", "192.0.2.1", 1, START), 60);
	assert_int_equal(ask(guesses, "another", "192.0.2.2", 1, START), 0);
	assert_int_equal(ask(guesses, "another", "192.0.2.1", 1, START + GUESSES_WINDOW_MS), 0);
}

static void the_owner_comes_in(void **state)
{
	struct guesses *guesses = *state;

	pass(guesses, "a", "192.0.2.9", 1, START);
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START), 0);
	assert_true(ask(guesses, "a", "192.0.2.1", 2, START) > 0);
	/* It is good at that account alone. */
	refuse(guesses, "b", "192.0.2.1", GUESSES_MAX, START);
	assert_true(ask(guesses, "b", "192.0.2.1", 1, START) > 0);
	/* And still is much later. */
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + 1000 * GUESSES_WINDOW_MS);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 1000 * GUESSES_WINDOW_MS), 0);
}

/* All the tokens of a large house have a place. */
static void many_tokens(void **state)
{
	struct guesses *guesses = *state;
	unsigned known = 0;

	for (unsigned i = 0; i < 50000; i++)
		pass(guesses, "a", "192.0.2.1", i, START + i);
	for (unsigned i = 0; i < 50000; i++) {
		struct guess guess = attempt("a", "192.0.2.1", i, START + 50000);

		guesses_wait(guesses, &guess);
		known += guess.known;
	}
	assert_true(known > 49000); /* some sets have more than their share */
}

/* So many sources and tokens that both tables are full many times over: what is newest counts. */
static void full_tables(void **state)
{
	struct guesses *guesses = *state;
	char address[32];

	pass(guesses, "a", "192.0.2.1", 1, START);
	for (unsigned i = 0; i < LAST; i++) {
		struct guess guess;

		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		guess = attempt("a", address, 10 + i, START + 1 + i / 1000);
		guesses_refused(guesses, &guess);
		guesses_passed(guesses, &guess);
		if (i % 1000 == 0)
			/* Used now and then, the first token is never the oldest. */
			assert_int_equal(ask(guesses, "a", address, 1, START + 1 + i / 1000), 0);
	}
	/* One that was good long ago takes no other's place. */
	pass(guesses, "b", "198.51.100.1", 2, START - 1000);
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + 2000);
	refuse(guesses, "b", "192.0.2.1", GUESSES_MAX, START + 2000);
	assert_true(ask(guesses, "b", "192.0.2.1", 2, START + 2000) > 0);
	assert_true(ask(guesses, "a", "192.0.2.1", 2, START + 2000) > 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 2000), 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 10 + LAST - 1, START + 2000), 0);
}

/* Enough that others would push out what is newest, and too few to push out what is not oldest. */
static void the_oldest_makes_room(void **state)
{
	struct guesses *guesses = *state;
	char address[32];

	for (unsigned i = 0; i < 100000; i++) {
		struct guess guess;

		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		guess = attempt("a", address, 1, START);
		guesses_refused(guesses, &guess);
	}
	for (unsigned i = 0; i < 320; i++) {
		snprintf(address, sizeof(address), "192.0.%u.%u", 2 + i / 256, i & 255);
		refuse(guesses, "a", address, i < 20 ? GUESSES_MAX : 1, START + 1 + i);
	}
	for (unsigned i = 0; i < 20; i++) {
		snprintf(address, sizeof(address), "192.0.2.%u", i);
		assert_true(ask(guesses, "a", address, 1, START + 400) > 0);
	}
}

static void nothing(void **state)
{
	(void)state;
	guesses_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_minute, set_up, tear_down),
		cmocka_unit_test_setup_teardown(few_are_forgotten, set_up, tear_down),
		cmocka_unit_test_setup_teardown(others_are_left_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_subscriber_has_a_network, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_source_at_many_accounts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_owner_comes_in, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_tables, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_oldest_makes_room, set_up, tear_down),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
