/* SPDX-License-Identifier: MIT */
/* A replica whose target is slow: no write waits for it, the queue stays small, and a new
 * generation begins when the target is fast again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "backup/replica_restore.h"
#include "base/clock.h"
#include "model/task.h"
#include "records/records.h"
#include "replica/read.h"
#include "replica/replica.h"
#include "store_place.h"

#define SLOW_MS 300      /* of each write to the target */
#define PATIENCE_MS 2000 /* much less than the target needs, and much more than a write */
#define WAIT_MS 60000

static atomic_bool slow;

static void sleep_ms(int64_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static ssize_t slow_write(int fd, const void *bytes, size_t len)
{
	if (atomic_load(&slow))
		sleep_ms(SLOW_MS);
	return write(fd, bytes, len < 512 || !atomic_load(&slow) ? len : 512);
}

static const struct replica_io slow_io = {slow_write, fsync};

static void make_task(struct store_place *place, size_t number)
{
	struct arena arena = {0};
	struct faults faults;
	struct task task;
	struct record_write write;
	struct store_write *one = &write.write;
	char title[4000];

	/* Digits that do not compress to nothing. */
	for (size_t i = 0; i < sizeof(title); i++)
		title[i] = (char)('a' + (number * 7919 + i * i * 31 + i % 17) % 26);
	faults_init(&faults, &arena);
	record_clear(&task_type, &task);
	task.casefile_id = 245;
	task.calendar_id = 1;
	task.due_on = 19000;
	task.title = SLICE("a task");
	task.body = (struct slice){title, sizeof(title)};
	record_write_init(&write, RECORD_TASK, RECORD_CREATE);
	write.record = &task;
	write.changes = &task;
	write.given = UINT64_MAX;
	one->scope = place->scope;
	one->arena = &arena;
	one->faults = &faults;
	assert_int_equal(store_run(place->store, &one, 1), OK);
	assert_int_equal(faults.count, 0);
	arena_release(&arena);
}

static struct replica_counters wait_for(struct replica *replica, enum replica_state state,
					int64_t generation)
{
	int64_t until = monotonic_ms() + WAIT_MS;
	struct replica_counters counters;

	do {
		sleep_ms(20);
		replica_count(replica, &counters);
	} while ((counters.state != state || counters.generation < generation ||
		  (state == REPLICA_FOLLOWING && counters.lag_commits)) &&
		 monotonic_ms() < until);
	assert_int_equal(counters.state, state);
	return counters;
}

static int64_t count_tasks(const char *folder)
{
	struct store *store = open_store(folder);
	const struct scope scope = {1, 1};
	const struct list_query query = {0};
	struct arena arena = {0};
	int64_t count = -1;

	assert_non_null(store);
	assert_int_equal(read_list(store, &scope, RECORD_TASK, &query, &arena, NULL, NULL, &count),
			 OK);
	arena_release(&arena);
	store_close(store);
	return count;
}

static void test_a_slow_target(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES], restored[PLACE_BYTES], path[PLACE_BYTES + 16];
	struct replica_config config = {.store = place->store,
					.dir = dir,
					.keep = 9,
					.queue_bytes = 256 << 10,
					.retry_ms = 100,
					.io = &slow_io};
	const struct replica_until until = {.kind = REPLICA_END};
	struct replica_report report = {0};
	struct replica *replica;
	struct arena arena = {0};
	struct buf why = {0};
	int64_t longest = 0;
	size_t made = 0;

	place_make(dir);
	place_make(restored);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	atomic_store(&slow, true);
	for (; made < 300; made++) {
		int64_t began = monotonic_ms(), took;

		make_task(place, made);
		took = monotonic_ms() - began;
		longest = took > longest ? took : longest;
	}
	assert_true(longest < PATIENCE_MS);
	atomic_store(&slow, false);
	wait_for(replica, REPLICA_FOLLOWING, 2);
	make_task(place, made++);
	wait_for(replica, REPLICA_FOLLOWING, 2);
	store_stop(place->store);
	replica_stop(replica);

	report.arena = &arena;
	snprintf(path, sizeof(path), "%s/docket.db", restored);
	assert_int_equal(replica_restore(dir, &until, path, &report, &why), OK);
	assert_null(report.damage);
	assert_int_equal(count_tasks(restored), made);
	arena_release(&arena);
	buf_release(&why);
	place_remove(restored);
	place_remove(dir);
}

/* A new generation begins while tasks are made, and the oldest go. */
static void test_a_generation_for_each_period(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES], restored[PLACE_BYTES], path[PLACE_BYTES + 32];
	struct replica_config config = {
		.store = place->store, .dir = dir, .keep = 2, .period_s = 1};
	const struct replica_until until = {.kind = REPLICA_END};
	struct replica_report report = {0};
	struct replica_counters counters;
	struct replica *replica;
	struct arena arena = {0};
	struct buf why = {0};
	size_t made = 0;

	place_make(dir);
	place_make(restored);
	assert_int_equal(replica_start(&config, &replica), OK);
	do {
		make_task(place, made++);
		sleep_ms(5);
		replica_count(replica, &counters);
	} while (counters.generation < 4 && made < 10000);
	assert_true(counters.generation >= 4);
	assert_int_equal(counters.failures, 0);
	store_stop(place->store);
	replica_stop(replica);
	snprintf(path, sizeof(path), "%s/generation-000002", dir);
	assert_int_not_equal(access(path, F_OK), 0);

	/* The last generation, and the one before it without the last. */
	for (int last = 1; last >= 0; last--) {
		report.arena = &arena;
		snprintf(path, sizeof(path), "%s/docket.db", restored);
		assert_int_equal(replica_restore(dir, &until, path, &report, &why), OK);
		assert_null(report.damage);
		assert_true(last ? count_tasks(restored) == (int64_t)made
				 : count_tasks(restored) > 0);
		assert_int_equal(unlink(path), 0);
		snprintf(path, sizeof(path), "%s/generation-%06lld", dir,
			 (long long)report.generation);
		place_remove(path);
	}
	arena_release(&arena);
	buf_release(&why);
	place_remove(restored);
	place_remove(dir);
}

/* Gives the second segment of a replica another end of its name, if it has the end `from`. */
static void segment_rename(const char *dir, const char *from, const char *to)
{
	char path[PLACE_BYTES + 64], new[PLACE_BYTES + 64];

	snprintf(path, sizeof(path), "%.48s/generation-000001/segment-000002%s", dir, from);
	snprintf(new, sizeof(new), "%.48s/generation-000001/segment-000002%s", dir, to);
	if (access(path, F_OK) == 0)
		assert_int_equal(rename(path, new), 0);
}

static enum err commit_end_segment(void *context, const struct frame_commit *commit)
{
	(void)commit;
	segment_rename(context, ".open", "");
	return OK;
}

/* A process that serves renames a segment after the reader has listed the files. */
static void test_a_segment_that_ends_while_it_is_read(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES];
	const struct replica_config config = {.store = place->store, .dir = dir, .keep = 2};
	struct segments_found found;
	struct generations all = {0};
	struct replica *replica;
	struct buf why = {0};

	place_make(dir);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(replica_start(&config, &replica), OK);
		wait_for(replica, REPLICA_FOLLOWING, 1);
		make_task(place, i);
		wait_for(replica, REPLICA_FOLLOWING, 1);
		store_stop(place->store);
		replica_stop(replica);
		store_close(place->store);
		place->store = open_store(place->folder);
		assert_non_null(place->store);
	}
	assert_int_equal(generations_read(dir, &all, &why), OK);
	assert_int_equal(all.count, 1);
	segment_rename(dir, "", ".open");
	assert_int_equal(segments_read(&all.list[0], commit_end_segment, dir, &found, &why), OK);
	assert_string_equal(found.damage, "");
	assert_int_equal(found.segment, 2);
	assert_false(found.open);
	generations_release(&all);
	buf_release(&why);
	place_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_slow_target, store_place_make_samples,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_generation_for_each_period,
						store_place_make_samples, store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_segment_that_ends_while_it_is_read,
						store_place_make_samples, store_place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
