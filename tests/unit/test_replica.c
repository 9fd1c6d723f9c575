/* SPDX-License-Identifier: MIT */
/* A replica whose target is slow: no write waits for it, the queue stays small, and a new
 * generation begins when the target is fast again. A target on which some writes fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "backup/replica_restore.h"
#include "base/clock.h"
#include "model/task.h"
#include "records/records.h"
#include "replica/read.h"
#include "replica/replica.h"
#include "store_place.h"

#define SLOW_MS 10000     /* of each write to the target */
#define PATIENCE_MS 20000 /* much less than the target needs, and much more than a write */
#define WAIT_MS 60000
#define FD_PATH_BYTES 4096

static atomic_bool slow;

#define PERIOD_S 1000

/* The time of day goes on only by period_end(). So no generation begins unless a test wants it. */
static _Atomic(int64_t) now_s;

static int64_t test_now(const struct clock *clock)
{
	(void)clock;
	return atomic_load(&now_s);
}

static const struct clock test_clock = {test_now};

static void period_end(void)
{
	atomic_fetch_add(&now_s, PERIOD_S);
}

static void sleep_ms(int64_t ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Part of the path of files to which every write fails; NULL: none. */
static _Atomic(const char *) full;

static void fd_path(int fd, char path[FD_PATH_BYTES])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, FD_PATH_BYTES - 1);
	path[len < 0 ? 0 : len] = '\0';
}

/* The folder that cannot be synced; NULL: each can. */
static _Atomic(const char *) unsynced;

/* In place of the one of the C library. */
int fsync(int fd)
{
	const char *folder = atomic_load(&unsynced);
	char path[FD_PATH_BYTES];

	fd_path(fd, path);
	if (!folder || strcmp(path, folder) != 0)
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

/* Part of the path of folders that seem to have 8 MiB free; NULL: none. */
static _Atomic(const char *) scarce;

/* In place of the one of the C library. */
int statvfs(const char *path, struct statvfs *found)
{
	const char *part = atomic_load(&scarce);
	struct statfs disk;

	if (statfs(path, &disk))
		return -1;
	*found = (struct statvfs){.f_frsize = 4096,
				  .f_bavail = part && strstr(path, part) ? 2048 : 1 << 20};
	return 0;
}

static ssize_t slow_write(int fd, const void *bytes, size_t len)
{
	int64_t until = monotonic_ms() + SLOW_MS;
	const char *part = atomic_load(&full);
	char path[FD_PATH_BYTES];

	fd_path(fd, path);
	if (part && strstr(path, part)) {
		errno = ENOSPC;
		return -1;
	}
	while (atomic_load(&slow) && monotonic_ms() < until)
		sleep_ms(20);
	return write(fd, bytes, len < 512 || !atomic_load(&slow) ? len : 512);
}

static const struct replica_io slow_io = {slow_write, fsync};

static int replica_place_make(void **state)
{
	struct store_place *place;

	atomic_store(&slow, false);
	atomic_store(&full, NULL);
	atomic_store(&scarce, NULL);
	atomic_store(&unsynced, NULL);
	atomic_store(&now_s, clock_now(&system_clock));
	if (store_place_make_samples(state))
		return -1;
	place = *state;
	place->store->config.clock = &test_clock;
	return 0;
}

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
	size_t made = 0;

	place_make(dir);
	place_make(restored);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	atomic_store(&slow, true);
	for (; made < 300; made++) {
		int64_t began = monotonic_ms();

		make_task(place, made);
		assert_true(monotonic_ms() - began < PATIENCE_MS);
	}
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
		.store = place->store, .dir = dir, .keep = 2, .period_s = PERIOD_S};
	const struct replica_until until = {.kind = REPLICA_END};
	struct replica_report report = {0};
	struct replica_counters counters;
	struct replica *replica;
	struct arena arena = {0};
	struct buf why = {0};
	int64_t ended = 0;
	size_t made = 0;

	place_make(dir);
	place_make(restored);
	assert_int_equal(replica_start(&config, &replica), OK);
	do {
		make_task(place, made++);
		sleep_ms(5);
		replica_count(replica, &counters);
		if (counters.generation > ended) {
			ended = counters.generation;
			period_end();
		}
	} while (counters.generation < 4 && made < 10000);
	assert_int_equal(counters.generation, 4);
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

/* Whether the target has a file or folder whose name begins so. */
static bool has_file(const char *dir, const char *begin)
{
	DIR *files = opendir(dir);
	const struct dirent *entry;
	bool found = false;

	assert_non_null(files);
	while ((entry = readdir(files)))
		found |= strncmp(entry->d_name, begin, strlen(begin)) == 0;
	closedir(files);
	return found;
}

/* From log_begin() to log_end() standard error goes into a file; log_end() gives it back, and the
 * text that was written. */
static int log_begin(int *kept_out)
{
	char path[] = "/tmp/docket-log-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	fflush(stderr);
	*kept_out = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	return fd;
}

static void log_end(int fd, int kept, struct buf *text)
{
	ssize_t got;

	dup2(kept, STDERR_FILENO);
	close(kept);
	assert_true(buf_reserve(text, 65536));
	got = pread(fd, text->ptr, 65535, 0);
	assert_true(got >= 0);
	text->ptr[got] = '\0';
	close(fd);
}

static size_t times(const char *text, const char *words)
{
	size_t count = 0;

	for (; (text = strstr(text, words)); text += strlen(words))
		count++;
	return count;
}

/* Ends the replica, and restores it: it must have all tasks. */
static void ends_with(struct store_place *place, struct replica *replica, const char *dir,
		      size_t made)
{
	const struct replica_until until = {.kind = REPLICA_END};
	char restored[PLACE_BYTES], path[PLACE_BYTES + 16];
	struct arena arena = {0};
	struct replica_report report = {.arena = &arena};
	struct buf why = {0};

	store_stop(place->store);
	assert_true(replica_stop(replica));
	place_make(restored);
	snprintf(path, sizeof(path), "%s/docket.db", restored);
	assert_int_equal(replica_restore(dir, &until, path, &report, &why), OK);
	assert_null(report.damage);
	assert_int_equal(count_tasks(restored), made);
	arena_release(&arena);
	buf_release(&why);
	place_remove(restored);
}

static struct replica_counters wait_for_failures(struct replica *replica, int64_t count)
{
	int64_t until = monotonic_ms() + WAIT_MS;
	struct replica_counters counters;

	do {
		assert_true(monotonic_ms() < until);
		sleep_ms(20);
		replica_count(replica, &counters);
	} while (counters.failures < count);
	return counters;
}

/* docket tries again ever more seldom, logs it once, and the old generation goes on. */
static void test_a_copy_that_does_not_fit(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES];
	struct replica_config config = {.store = place->store,
					.dir = dir,
					.keep = 9,
					.period_s = PERIOD_S,
					.retry_ms = 20,
					.io = &slow_io};
	struct replica_counters counters;
	struct replica *replica;
	struct buf log = {0};
	int64_t begun;
	int kept, fd = log_begin(&kept);

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	atomic_store(&full, "/image.zst.part");
	make_task(place, 0);
	begun = monotonic_ms();
	period_end();
	counters = wait_for_failures(replica, 8);
	/* The pauses before the last of them were 20, 40, 80, …, 1,280 ms. */
	assert_true(monotonic_ms() - begun >= 20 * 127);
	assert_int_equal(counters.generation, 1);
	make_task(place, 1);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	log_end(fd, kept, &log);
	assert_int_equal(times(log.ptr, "cannot begin a new generation"), 1);
	atomic_store(&full, NULL);
	wait_for(replica, REPLICA_FOLLOWING, 2);
	ends_with(place, replica, dir, 2);
	buf_release(&log);
	place_remove(dir);
}

/* The copy of the third generation fails, because `folder` has no room. The replica goes on. */
static void check_room(struct store_place *place, const char *folder, bool early)
{
	char dir[PLACE_BYTES], left[PLACE_BYTES + 32];
	struct replica_config config = {.store = place->store,
					.dir = dir,
					.keep = 2,
					.period_s = PERIOD_S,
					.retry_ms = 100000,
					.io = &slow_io};
	struct replica_counters counters;
	struct replica *replica;

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	period_end();
	wait_for(replica, REPLICA_FOLLOWING, 2);
	/* What a killed docket left needs room, too. */
	snprintf(left, sizeof(left), "%s/unfinished-000009", dir);
	assert_int_equal(mkdir(left, 0700), 0);
	atomic_store(&scarce, folder ? folder : dir);
	period_end();
	counters = wait_for_failures(replica, 1);
	assert_non_null(strstr(counters.error, early ? "8 MiB are free" : "less than 16 MiB free"));
	assert_false(has_file(dir, "unfinished-"));
	make_task(place, 0);
	wait_for(replica, REPLICA_FOLLOWING, 2);
	/* The oldest goes early, if that can help. */
	assert_int_equal(has_file(dir, "generation-000001"), !early);
	atomic_store(&scarce, NULL);
	ends_with(place, replica, dir, 1);
	place_remove(dir);
}

static void test_no_room_in_the_target(void **state)
{
	check_room(*state, NULL, true);
}

static void test_no_room_in_the_target_during_the_copy(void **state)
{
	check_room(*state, "/unfinished-", false);
}

/* The new generation does not stay as the newest, while changes go into the one before. */
static void test_a_target_that_cannot_be_synced(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES];
	struct replica_config config = {.store = place->store,
					.dir = dir,
					.keep = 9,
					.period_s = PERIOD_S,
					.retry_ms = 100000,
					.io = &slow_io};
	struct replica_counters counters;
	struct replica *replica;

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	atomic_store(&unsynced, dir);
	period_end();
	wait_for_failures(replica, 1);
	atomic_store(&unsynced, NULL);
	make_task(place, 0);
	counters = wait_for(replica, REPLICA_FOLLOWING, 1);
	assert_int_equal(counters.generation, 1);
	assert_false(has_file(dir, "generation-000002"));
	ends_with(place, replica, dir, 1);
	place_remove(dir);
}

static void test_an_old_generation_that_cannot_be_ended(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES];
	struct replica_config config = {
		.store = place->store, .dir = dir, .keep = 9, .period_s = PERIOD_S, .io = &slow_io};
	struct replica_counters counters;
	struct replica *replica;
	struct buf log = {0};
	int kept, fd = log_begin(&kept);

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	atomic_store(&full, "/generation-000001/segment-");
	period_end();
	counters = wait_for(replica, REPLICA_FOLLOWING, 2);
	atomic_store(&full, NULL);
	log_end(fd, kept, &log);
	assert_int_equal(counters.failures, 0);
	assert_int_equal(times(log.ptr, "could not end the last segment of the generation before"),
			 1);
	make_task(place, 0);
	ends_with(place, replica, dir, 1);
	buf_release(&log);
	place_remove(dir);
}

/* What cannot be removed is no generation any more, and stops nothing. */
static void test_a_removal_that_fails(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES], path[PLACE_BYTES + 64];
	struct replica_config config = {
		.store = place->store, .dir = dir, .keep = 1, .period_s = PERIOD_S};
	struct replica_counters counters;
	struct replica *replica;

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	snprintf(path, sizeof(path), "%s/generation-000001/kept", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	for (int generation = 2; generation <= 3; generation++) {
		period_end();
		counters = wait_for(replica, REPLICA_FOLLOWING, generation);
	}
	assert_int_equal(counters.failures, 0);
	make_task(place, 0);
	ends_with(place, replica, dir, 1);
	assert_false(has_file(dir, "generation-000001"));
	assert_true(has_file(dir, "unfinished-000001"));
	snprintf(path, sizeof(path), "%s/unfinished-000001/kept", dir);
	assert_int_equal(rmdir(path), 0);
	place_remove(dir);
}

static void test_no_room_in_the_data_folder(void **state)
{
	check_room(*state, ((struct store_place *)*state)->folder, false);
}

static void test_an_idle_target_that_is_removed(void **state)
{
	struct store_place *place = *state;
	char dir[PLACE_BYTES];
	struct replica_config config = {.store = place->store, .dir = dir, .keep = 9};
	struct replica_counters counters;
	struct replica *replica;

	place_make(dir);
	assert_int_equal(replica_start(&config, &replica), OK);
	wait_for(replica, REPLICA_FOLLOWING, 1);
	place_remove(dir);
	counters = wait_for(replica, REPLICA_FAILING, 1);
	assert_int_equal(counters.commits, 0);
	store_stop(place->store);
	replica_stop(replica);
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
	struct replica_config config = {.dir = dir, .keep = 2};
	struct segments_found found;
	struct generations all = {0};
	struct replica *replica;
	struct buf why = {0};

	place_make(dir);
	for (size_t i = 0; i < 2; i++) {
		config.store = place->store;
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
		cmocka_unit_test_setup_teardown(test_a_slow_target, replica_place_make,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_generation_for_each_period,
						replica_place_make, store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_copy_that_does_not_fit, replica_place_make,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_no_room_in_the_target, replica_place_make,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_no_room_in_the_target_during_the_copy,
						replica_place_make, store_place_remove),
		cmocka_unit_test_setup_teardown(test_no_room_in_the_data_folder, replica_place_make,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_target_that_cannot_be_synced,
						replica_place_make, store_place_remove),
		cmocka_unit_test_setup_teardown(test_an_old_generation_that_cannot_be_ended,
						replica_place_make, store_place_remove),
		cmocka_unit_test_setup_teardown(test_an_idle_target_that_is_removed,
						replica_place_make, store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_removal_that_fails, replica_place_make,
						store_place_remove),
		cmocka_unit_test_setup_teardown(test_a_segment_that_ends_while_it_is_read,
						replica_place_make, store_place_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
