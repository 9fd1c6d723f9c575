/* SPDX-License-Identifier: MIT */
/* What the cache of access finds, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "accounts/access_cache.h"
#include "base/timefmt.h"
#include "store/state.h"

#define EXPIRES 5000

static int64_t now_of_test;

static int64_t test_now(const struct clock *clock)
{
	(void)clock;
	return now_of_test;
}

static const struct clock test_clock = {test_now};

struct place {
	struct store *store;
	struct access_cache *cache;
	struct arena arena;
};

static int place_open(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	place->store = calloc(1, sizeof(*place->store));
	place->store->config.clock = &test_clock;
	place->cache = access_cache_new(place->store);
	now_of_test = 1000;
	*state = place;
	return 0;
}

static int place_close(void **state)
{
	struct place *place = *state;

	access_cache_free(place->cache);
	arena_release(&place->arena);
	free(place->store);
	free(place);
	return 0;
}

static struct access_read lookup_of(struct place *place, const char *account, const char *username,
				    unsigned char token)
{
	struct access_read lookup;

	access_read_init(&lookup, &place->arena);
	lookup.account = slice_of(account);
	lookup.username = slice_of(username);
	memset(lookup.hash, token, sizeof(lookup.hash));
	return lookup;
}

/* Puts into the lookup what the database has: token 1 of the staff member 7 of the account "main".
 */
static void lookup_read(struct access_read *lookup)
{
	lookup->access = (struct access){
		.account = {.id = 3,
			    .name = SLICE("main"),
			    .country = SLICE("US"),
			    .expand = SLICE("case"),
			    .time_zone = SLICE("UTC")},
		.staff_id = 7,
		.level = STAFF_FULL,
		.token_known = true,
		.token = {.label = SLICE("label"),
			  .expires_at = EXPIRES,
			  .last_used_at = TIME_NONE},
	};
	memset(lookup->access.token.hash, 1, TOKEN_HASH_BYTES);
}

static bool finds(struct place *place, const char *account, const char *username,
		  unsigned char token)
{
	struct access_read lookup = lookup_of(place, account, username, token);

	return access_cache_find(place->cache, &lookup);
}

static void keep(struct place *place)
{
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	assert_false(access_cache_find(place->cache, &lookup));
	lookup_read(&lookup);
	access_cache_keep(place->cache, &lookup);
}

static void test_what_was_kept_is_found(void **state)
{
	struct place *place = *state;
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	keep(place);
	assert_true(access_cache_find(place->cache, &lookup));
	assert_int_equal(lookup.access.account.id, 3);
	assert_true(slice_is(lookup.access.account.name, "main"));
	assert_true(slice_is(lookup.access.account.country, "US"));
	assert_true(slice_is(lookup.access.account.expand, "case"));
	assert_string_equal(lookup.access.account.time_zone.ptr, "UTC");
	assert_int_equal(lookup.access.staff_id, 7);
	assert_int_equal(lookup.access.level, STAFF_FULL);
	assert_true(lookup.access.token_known);
	assert_true(slice_is(lookup.access.token.label, "label"));
}

static void test_each_part_must_be_the_same(void **state)
{
	struct place *place = *state;

	keep(place);
	assert_false(finds(place, "other", "admin", 1));
	assert_false(finds(place, "main", "Admin", 1));
	assert_false(finds(place, "main", "admin", 2));
	assert_true(finds(place, "main", "admin", 1));
}

static void test_tokens_that_share_a_place(void **state)
{
	struct place *place = *state;
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	lookup.hash[TOKEN_HASH_BYTES - 1] = 9; /* the place depends on the first bytes */
	keep(place);
	assert_false(access_cache_find(place->cache, &lookup));
	lookup_read(&lookup);
	memcpy(lookup.access.token.hash, lookup.hash, TOKEN_HASH_BYTES);
	access_cache_keep(place->cache, &lookup);
	assert_false(finds(place, "main", "admin", 1));
	assert_true(access_cache_find(place->cache, &lookup));
}

static void test_a_change_ends_it(void **state)
{
	struct place *place = *state;

	keep(place);
	atomic_fetch_add(&place->store->access_changes, 1);
	assert_false(finds(place, "main", "admin", 1));
}

/* A change is committed while the read is under way, so nobody knows which of them came first. */
static void test_a_change_during_the_read(void **state)
{
	struct place *place = *state;
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	assert_false(access_cache_find(place->cache, &lookup));
	lookup_read(&lookup);
	atomic_fetch_add(&place->store->access_changes, 1);
	access_cache_keep(place->cache, &lookup);
	assert_false(finds(place, "main", "admin", 1));
}

static void test_while_a_change_is_committed(void **state)
{
	struct place *place = *state;

	atomic_fetch_add(&place->store->access_changes, 1);
	keep(place);
	assert_false(finds(place, "main", "admin", 1));
}

/* The use is stored once, and then counts from the entry. */
static void test_the_last_use(void **state)
{
	struct place *place = *state;
	struct access_read first = lookup_of(place, "main", "admin", 1), second = first;

	keep(place);
	assert_true(access_cache_find(place->cache, &first));
	assert_true(first.access.token.last_used_at == TIME_NONE);
	now_of_test += 59;
	assert_true(access_cache_find(place->cache, &second));
	assert_int_equal(second.access.token.last_used_at, 1000);
	now_of_test += 1;
	assert_true(access_cache_find(place->cache, &second));
	assert_int_equal(second.access.token.last_used_at, 1000);
	assert_true(access_cache_find(place->cache, &second));
	assert_int_equal(second.access.token.last_used_at, now_of_test);
}

static void test_an_expired_token(void **state)
{
	struct place *place = *state;

	keep(place);
	now_of_test = EXPIRES - 1;
	assert_true(finds(place, "main", "admin", 1));
	now_of_test = EXPIRES;
	assert_false(finds(place, "main", "admin", 1));
}

static void test_what_gives_no_access_is_not_kept(void **state)
{
	struct place *place = *state;
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	for (int missing = 0; missing < 3; missing++) {
		assert_false(access_cache_find(place->cache, &lookup));
		lookup_read(&lookup);
		if (missing == 0)
			lookup.access.staff_id = ID_NONE;
		else if (missing == 1)
			lookup.access.token_known = false;
		else
			lookup.access.level = STAFF_DISABLED;
		access_cache_keep(place->cache, &lookup);
		assert_false(finds(place, "main", "admin", 1));
	}
}

static void test_no_cache(void **state)
{
	struct place *place = *state;
	struct access_read lookup = lookup_of(place, "main", "admin", 1);

	assert_false(access_cache_find(NULL, &lookup));
	lookup_read(&lookup);
	access_cache_keep(NULL, &lookup);
	access_cache_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_was_kept_is_found),
		TEST(test_each_part_must_be_the_same),
		TEST(test_tokens_that_share_a_place),
		TEST(test_a_change_ends_it),
		TEST(test_a_change_during_the_read),
		TEST(test_while_a_change_is_committed),
		TEST(test_the_last_use),
		TEST(test_an_expired_token),
		TEST(test_what_gives_no_access_is_not_kept),
		TEST(test_no_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
