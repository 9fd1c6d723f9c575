/* SPDX-License-Identifier: MIT */
/* What the cache of records finds and keeps, beside a writer; and how much memory it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/array.h"
#include "cache/record_cache.h"

#define MIB ((size_t)1 << 20)

static const struct record_key task_7 = {1, RECORD_TASK, 7}, task_8 = {1, RECORD_TASK, 8};

static int cache_make(void **state)
{
	*state = record_cache_new(MIB);
	return *state ? 0 : -1;
}

static int cache_free(void **state)
{
	record_cache_free(*state);
	return 0;
}

/* Keeps a version of a record that was read just now. */
static void keep(struct record_cache *cache, const struct record_key *key, int64_t change)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"change\":%lld}", (long long)change);
	record_cache_keep(cache, key, record_cache_seen(cache), change, slice_of(text));
}

/* The version that is found; 0: none. */
static int64_t found_of(struct record_cache *cache, const struct record_key *key, uint64_t seen)
{
	struct cached_record *found = record_cache_find(cache, key, seen);
	int64_t change = found ? found->change : 0;
	char text[64];

	if (!found)
		return 0;
	snprintf(text, sizeof(text), "{\"change\":%lld}", (long long)change);
	assert_true(slice_is(found->json, text));
	assert_int_equal(found->id, key->id);
	cached_record_drop(found);
	return change;
}

static int64_t found_now(struct record_cache *cache, const struct record_key *key)
{
	return found_of(cache, key, SEEN_NOW);
}

static void commit(struct record_cache *cache, const struct record_key *key)
{
	record_cache_begin_commit(cache, key, 1);
	record_cache_end_commit(cache);
}

static struct record_cache_load load_of(struct record_cache *cache)
{
	struct record_cache_load load;

	record_cache_count(cache, &load);
	return load;
}

static void what_was_kept_is_found(void **state)
{
	struct record_cache *cache = *state;

	assert_int_equal(found_now(cache, &task_7), 0);
	keep(cache, &task_7, 3);
	assert_int_equal(found_now(cache, &task_7), 3);
	assert_int_equal(load_of(cache).hits, 1);
	assert_int_equal(load_of(cache).misses, 1);
	assert_int_equal(load_of(cache).records, 1);
}

/* The account 1 has so many tasks that nearly every place of the table has one. */
static void each_part_of_the_key_counts(void **state)
{
	struct record_cache *cache = *state;

	for (int64_t id = 1; id < 5000; id++)
		keep(cache, &(struct record_key){1, RECORD_TASK, id}, id);
	for (int64_t id = 1; id < 5000; id++) {
		assert_int_equal(found_now(cache, &(struct record_key){1, RECORD_TASK, id}), id);
		for (int64_t account = 2; account < 10; account++)
			assert_int_equal(found_now(cache,
						   &(struct record_key){account, RECORD_TASK, id}),
					 0);
		for (enum record_kind kind = 0; kind < RECORD_TASK; kind++)
			assert_int_equal(found_now(cache, &(struct record_key){1, kind, id}), 0);
	}
}

static void a_change_ends_it(void **state)
{
	struct record_cache *cache = *state;

	keep(cache, &task_7, 3);
	record_cache_begin_commit(cache, &task_7, 1);
	assert_int_equal(found_now(cache, &task_7), 0);
	record_cache_end_commit(cache);
	assert_int_equal(found_now(cache, &task_7), 0);
	keep(cache, &task_7, 4);
	assert_int_equal(found_now(cache, &task_7), 4);
}

static void other_records_stay(void **state)
{
	struct record_cache *cache = *state;

	keep(cache, &task_7, 3);
	commit(cache, &task_8);
	record_cache_begin_commit(cache, NULL, 0);
	assert_int_equal(found_now(cache, &task_7), 3);
	record_cache_end_commit(cache);
	assert_int_equal(found_now(cache, &task_7), 3);
}

/* Nobody knows whether a read saw the commit. */
static void nothing_is_kept_during_a_commit(void **state)
{
	struct record_cache *cache = *state;

	record_cache_begin_commit(cache, &task_7, 1);
	keep(cache, &task_7, 3);
	assert_int_equal(found_now(cache, &task_7), 0);
	record_cache_end_commit(cache);
	assert_int_equal(found_now(cache, &task_7), 0);
}

static void a_change_during_the_read(void **state)
{
	struct record_cache *cache = *state;
	uint64_t seen = record_cache_seen(cache);

	commit(cache, &task_7);
	record_cache_keep(cache, &task_7, seen, 3, SLICE("old"));
	assert_int_equal(found_now(cache, &task_7), 0);
}

/* A list finds what its snapshot has. */
static void a_snapshot_from_before(void **state)
{
	struct record_cache *cache = *state;
	uint64_t seen;

	keep(cache, &task_7, 3);
	keep(cache, &task_8, 4);
	seen = record_cache_seen(cache);
	commit(cache, &task_7);
	keep(cache, &task_7, 5);
	assert_int_equal(found_of(cache, &task_7, seen), 0);
	assert_int_equal(found_now(cache, &task_7), 5);
	assert_int_equal(found_of(cache, &task_7, record_cache_seen(cache)), 5);
	assert_int_equal(found_of(cache, &task_8, seen), 4);
}

static void every_record_may_change(void **state)
{
	const struct record_key every = {.id = ID_NONE};
	struct record_cache *cache = *state;
	uint64_t seen = record_cache_seen(cache);

	keep(cache, &task_7, 3);
	commit(cache, &every);
	record_cache_keep(cache, &task_8, seen, 3, SLICE("old"));
	assert_int_equal(found_now(cache, &task_7), 0);
	assert_int_equal(found_now(cache, &task_8), 0);
}

/* A reader may use a record that is replaced meanwhile. */
static void a_record_in_use(void **state)
{
	struct record_cache *cache = *state;
	struct cached_record *found;

	keep(cache, &task_7, 3);
	found = record_cache_find(cache, &task_7, SEEN_NOW);
	commit(cache, &task_7);
	keep(cache, &task_7, 4);
	assert_int_equal(found_now(cache, &task_7), 4);
	assert_true(slice_is(found->json, "{\"change\":3}"));
	cached_record_drop(found);
	assert_int_equal(load_of(cache).records, 1);
}

static void its_memory_is_limited(void **state)
{
	static char text[64 * 1024];
	struct record_cache *cache = *state;
	struct record_cache_load load;

	memset(text, 'x', sizeof(text));
	for (int64_t id = 1; id <= 100000; id++) {
		const struct record_key key = {1, RECORD_TASK, id};

		record_cache_keep(cache, &key, 0, id,
				  (struct slice){text, (size_t)(id * 7919 % 900)});
		if (id % 1000 == 0) {
			load = load_of(cache);
			assert_true(load.bytes <= load.limit);
		}
	}
	load = load_of(cache);
	assert_int_equal(load.limit, MIB);
	assert_in_range(load.bytes, MIB * 9 / 10, MIB);
	assert_in_range(load.records, 1000, 3000);
	record_cache_keep(cache, &task_7, 0, 1, (struct slice){text, sizeof(text)});
	assert_null(record_cache_find(cache, &task_7, SEEN_NOW));
}

static void a_limit_of_nothing(void **state)
{
	struct record_cache *cache = record_cache_new(1);

	(void)state;
	keep(cache, &task_7, 3);
	assert_int_equal(load_of(cache).records, 0);
	record_cache_free(cache);
}

/* What is found again and again stays, however many others are kept once. */
static void what_is_used_stays(void **state)
{
	struct record_cache *cache = *state;
	int64_t lost = 0;

	keep(cache, &task_7, 3);
	for (int64_t id = 100; id < 100000; id++) {
		keep(cache, &(struct record_key){1, RECORD_TASK, id}, id);
		if (id % 100 == 0)
			lost += found_now(cache, &task_7) != 3;
	}
	assert_int_equal(lost, 0);
	assert_int_equal(found_now(cache, &(struct record_key){1, RECORD_TASK, 100}), 0);
}

static void no_cache(void **state)
{
	(void)state;
	keep(NULL, &task_7, 3);
	assert_int_equal(found_now(NULL, &task_7), 0);
	commit(NULL, &task_7);
	assert_int_equal(load_of(NULL).limit, 0);
	record_cache_free(NULL);
}

/* Readers beside a writer. A lock and numbers stand in for the database: the versions of a few
 * records. Each read is compared with what a database may answer. */
#define RECORDS 6
#define BATCHES 20000
#define READERS 3

struct fake {
	struct record_cache *cache;
	pthread_mutex_t lock;
	int64_t versions[RECORDS];
	_Atomic int64_t answered[RECORDS]; /* the version of the last answer to a write */
	atomic_bool ended;
};

static struct record_key fake_key(size_t number)
{
	return (struct record_key){1, RECORD_TASK, (int64_t)number + 1};
}

static void fake_snapshot(struct fake *fake, int64_t versions[RECORDS])
{
	pthread_mutex_lock(&fake->lock);
	memcpy(versions, fake->versions, sizeof(fake->versions));
	pthread_mutex_unlock(&fake->lock);
}

static void *fake_write(void *context)
{
	struct fake *fake = context;
	unsigned random = 1;

	for (int64_t version = 1; version <= BATCHES; version++) {
		size_t first = (size_t)rand_r(&random) % RECORDS;
		size_t second = (size_t)rand_r(&random) % RECORDS;
		const struct record_key keys[] = {fake_key(first), fake_key(second)};

		record_cache_begin_commit(fake->cache, keys, 2);
		if (version % 4 == 0)
			sched_yield();
		pthread_mutex_lock(&fake->lock);
		fake->versions[first] = fake->versions[second] = version;
		pthread_mutex_unlock(&fake->lock);
		if (version % 4 == 1)
			sched_yield();
		record_cache_end_commit(fake->cache);
		atomic_store(&fake->answered[first], version);
		atomic_store(&fake->answered[second], version);
		if (version % 16 == 0)
			sched_yield();
	}
	atomic_store(&fake->ended, true);
	return NULL;
}

/* Reads one record as a GET does. `last`: the version that this reader saw before. */
static const char *fake_get(struct fake *fake, size_t number, int64_t *last, bool slow)
{
	const struct record_key key = fake_key(number);
	int64_t least = atomic_load(&fake->answered[number]), versions[RECORDS], version;
	struct cached_record *found = record_cache_find(fake->cache, &key, SEEN_NOW);
	uint64_t seen;

	if (found) {
		memcpy(&version, found->json.ptr, sizeof(version));
		cached_record_drop(found);
	} else {
		seen = record_cache_seen(fake->cache);
		fake_snapshot(fake, versions);
		version = versions[number];
		if (slow)
			sched_yield();
		record_cache_keep(fake->cache, &key, seen, version,
				  (struct slice){(const char *)&version, sizeof(version)});
	}
	if (version < least)
		return "a read shows a version from before an answered write";
	if (version < *last)
		return "a read shows a version from before another read";
	*last = version;
	return NULL;
}

/* Reads all records as a list does. */
static const char *fake_list(struct fake *fake, bool slow)
{
	uint64_t seen = record_cache_seen(fake->cache);
	int64_t versions[RECORDS];

	fake_snapshot(fake, versions);
	if (slow)
		sched_yield();
	for (size_t i = 0; i < RECORDS; i++) {
		const struct record_key key = fake_key(i);
		struct cached_record *found = record_cache_find(fake->cache, &key, seen);
		int64_t version = versions[i];

		if (!found) {
			record_cache_keep(fake->cache, &key, seen, version,
					  (struct slice){(const char *)&version, sizeof(version)});
			continue;
		}
		memcpy(&version, found->json.ptr, sizeof(version));
		cached_record_drop(found);
		if (version != versions[i])
			return "a list shows another version than its snapshot has";
	}
	return NULL;
}

static void *fake_read(void *context)
{
	struct fake *fake = context;
	int64_t last[RECORDS] = {0};
	unsigned random = 7;
	const char *wrong = NULL;

	while (!atomic_load(&fake->ended) && !wrong) {
		int choice = rand_r(&random);
		size_t number = (size_t)choice / 8 % RECORDS;

		wrong = choice % 8 == 0 ? fake_list(fake, choice % 3 == 0)
					: fake_get(fake, number, &last[number], choice % 3 == 0);
	}
	return (void *)wrong;
}

static void readers_beside_a_writer(void **state)
{
	struct fake fake = {.cache = *state, .lock = PTHREAD_MUTEX_INITIALIZER};
	pthread_t writer, readers[READERS];
	const char *wrong = NULL;
	struct record_cache_load load;

	assert_int_equal(pthread_create(&writer, NULL, fake_write, &fake), 0);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i], NULL, fake_read, &fake), 0);
	for (size_t i = 0; i < READERS; i++) {
		void *said;

		pthread_join(readers[i], &said);
		wrong = said ? said : wrong;
	}
	atomic_store(&fake.ended, true);
	pthread_join(writer, NULL);
	if (wrong)
		fail_msg("%s", wrong);
	load = load_of(fake.cache);
	assert_true(load.hits > 100 && load.misses > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cache_make, cache_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_is_found),
		TEST(each_part_of_the_key_counts),
		TEST(a_change_ends_it),
		TEST(other_records_stay),
		TEST(nothing_is_kept_during_a_commit),
		TEST(a_change_during_the_read),
		TEST(a_snapshot_from_before),
		TEST(every_record_may_change),
		TEST(a_record_in_use),
		TEST(its_memory_is_limited),
		cmocka_unit_test(a_limit_of_nothing),
		TEST(what_is_used_stays),
		cmocka_unit_test(no_cache),
		TEST(readers_beside_a_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
