/* SPDX-License-Identifier: MIT */
/* The limit on guesses at tokens: when it applies, to whom it does not apply, and that its memory
 * is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "accounts/accounts.h"
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

/* A different token for each number. */
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
	unsigned wait = guesses_begin(guesses, &guess);

	if (!wait)
		guesses_dropped(guesses, &guess);
	return wait;
}

static void refuse(struct guesses *guesses, const char *account, const char *source, unsigned times,
		   int64_t now_ms)
{
	for (unsigned i = 0; i < times; i++) {
		struct guess guess = attempt(account, source, 1000 + i, now_ms);

		assert_int_equal(guesses_begin(guesses, &guess), 0);
		assert_int_equal(guesses_refused(guesses, &guess), 0);
	}
}

static void pass(struct guesses *guesses, const char *account, const char *source, unsigned number,
		 int64_t now_ms)
{
	struct guess guess = attempt(account, source, number, now_ms);

	assert_int_equal(guesses_begin(guesses, &guess), 0);
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
	/* Attempts beyond the limit did not count. */
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + GUESSES_WINDOW_MS);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + GUESSES_WINDOW_MS), 60);
	assert_int_equal(guesses_limited(guesses), 4);
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
	/* The token is good at that account only. */
	refuse(guesses, "b", "192.0.2.1", GUESSES_MAX, START);
	assert_true(ask(guesses, "b", "192.0.2.1", 1, START) > 0);
	/* It is still good much later. */
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + 1000 * GUESSES_WINDOW_MS);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 1000 * GUESSES_WINDOW_MS), 0);
}

/* The table has room for all tokens of a large agency. */
static void many_tokens(void **state)
{
	struct guesses *guesses = *state;
	unsigned known = 0;

	for (unsigned i = 0; i < 50000; i++)
		pass(guesses, "a", "192.0.2.1", i, START + i);
	for (unsigned i = 0; i < 50000; i++) {
		struct guess guess = attempt("a", "192.0.2.1", i, START + 50000);

		if (!guesses_begin(guesses, &guess))
			guesses_dropped(guesses, &guess);
		known += guess.known;
	}
	assert_true(known > 49000); /* some sets of the table overflow */
}

/* So many sources and tokens fill both tables many times over: the newest rows stay. */
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
			/* The first token is used now and then, so it is never the oldest. */
			assert_int_equal(ask(guesses, "a", address, 1, START + 1 + i / 1000), 0);
	}
	/* A token that was good long ago does not replace a newer one. */
	pass(guesses, "b", "198.51.100.1", 2, START - 1000);
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + 2000);
	refuse(guesses, "b", "192.0.2.1", GUESSES_MAX, START + 2000);
	assert_true(ask(guesses, "b", "192.0.2.1", 2, START + 2000) > 0);
	assert_true(ask(guesses, "a", "192.0.2.1", 2, START + 2000) > 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 2000), 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 10 + LAST - 1, START + 2000), 0);
}

/* The table is full of old rows. So many new rows come that they would replace each other if the
 * newest row made room, but not if the oldest does. */
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

#define AT_ONCE 64U

/* Begins AT_ONCE attempts with the tokens from `first` on, or with that one only. Returns how many
 * may be looked up. */
static unsigned begin_all(struct guesses *guesses, struct guess *all, unsigned first, bool one)
{
	static unsigned char hashes[AT_ONCE][TOKEN_HASH_BYTES];
	unsigned begun = 0;

	for (unsigned i = 0; i < AT_ONCE; i++) {
		memcpy(hashes[i], token(one ? first : first + i), TOKEN_HASH_BYTES);
		all[begun] = attempt("a", "192.0.2.1", first, START);
		all[begun].token_hash = hashes[i];
		begun += guesses_begin(guesses, &all[begun]) == 0;
	}
	return begun;
}

/* At most as many attempts are looked up at the same time as may be refused. */
static void at_once(void **state)
{
	struct guesses *guesses = *state;
	struct guess all[AT_ONCE + 1];

	assert_int_equal(begin_all(guesses, all, 0, false), GUESSES_MAX);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1000, START), 1);
	assert_int_equal(ask(guesses, "b", "192.0.2.1", 1000, START), 0);
	for (unsigned i = 0; i < GUESSES_MAX; i++)
		assert_int_equal(guesses_refused(guesses, &all[i]), 0);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1000, START), 60);
}

/* Attempts with one token at the same time are one guess. As many of them learn that it is wrong as
 * if they came one after the other. */
static void one_wrong_token_at_once(void **state)
{
	struct guesses *guesses = *state;
	struct guess all[AT_ONCE + 1];
	unsigned refused = 0, limited = 0;

	assert_int_equal(begin_all(guesses, all, 7, true), AT_ONCE);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		unsigned wait;

		all[i].now_ms += i == 0 ? 1001 : 0; /* the first to end began last */
		wait = guesses_refused(guesses, &all[i]);
		refused += wait == 0;
		limited += wait > 0;
		wait = ask(guesses, "a", "192.0.2.1", 7, START);
		assert_true(wait <= 60);
		limited += wait > 0;
	}
	assert_int_equal(refused, GUESSES_MAX);
	assert_int_equal(guesses_limited(guesses), limited);
}

/* A new good token that comes over many connections at the same time is refused on none. */
static void one_good_token_at_once(void **state)
{
	struct guesses *guesses = *state;
	struct guess all[AT_ONCE + 1];

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(begin_all(guesses, all, i, true), AT_ONCE);
		for (unsigned j = 0; j < AT_ONCE; j++)
			guesses_passed(guesses, &all[j]);
	}
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START);
}

/* An attempt that was good, or that could not be looked up, no longer counts, even if it took
 * longer than the window. */
static void what_is_given_back(void **state)
{
	struct guesses *guesses = *state;
	struct guess all[AT_ONCE + 1];

	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(begin_all(guesses, all, i * AT_ONCE, false), GUESSES_MAX);
		for (unsigned j = 0; j < GUESSES_MAX; j++)
			(i % 2 ? guesses_passed : guesses_dropped)(guesses, &all[j]);
	}
	assert_int_equal(begin_all(guesses, all, 20000, false), GUESSES_MAX);
	assert_int_equal(ask(guesses, "a", "192.0.2.1", 1, START + 2 * GUESSES_WINDOW_MS), 1);
	for (unsigned j = 0; j < GUESSES_MAX; j++)
		guesses_dropped(guesses, &all[j]);
	refuse(guesses, "a", "192.0.2.1", GUESSES_MAX, START + 2 * GUESSES_WINDOW_MS);
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
		cmocka_unit_test_setup_teardown(at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_wrong_token_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_good_token_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_given_back, set_up, tear_down),
		cmocka_unit_test(nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
