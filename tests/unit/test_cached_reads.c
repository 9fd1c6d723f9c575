/* SPDX-License-Identifier: MIT */
/* The cache of records beside a real store: what every kind of write ends, what is kept while a
 * commit is under way, and that a list shows one moment. A driver in between calls the test at the
 * moments that matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "cache/record_cache.h"
#include "model/task.h"
#include "records/records.h"
#include "store/workers.h"
#include "store/writers.h"
#include "store_place.h"

#define TASKS 5

/* What the driver in between calls; NULL: nothing. */
static struct {
	struct db_driver driver;
	const struct db_driver *real;
	void (*before_commit)(void);
	void (*after_commit)(void);
	void (*after_run)(void);
	void (*before_keep)(void); /* the test itself calls it */
} between;

static void call_once(void (**function)(void))
{
	void (*call)(void) = *function;

	*function = NULL;
	if (call)
		call();
}

static enum err between_commit(struct db *db, const struct db_call *calls, size_t count)
{
	enum err err;

	call_once(&between.before_commit);
	err = between.real->commit(db, calls, count);
	call_once(&between.after_commit);
	return err;
}

static enum err between_run(struct db *db, const struct db_call *calls, size_t count)
{
	enum err err = between.real->run(db, calls, count);

	call_once(&between.after_run);
	return err;
}

static struct store_place *place;

/* The result of a read. */
struct result {
	int64_t change;
	char title[32];
	bool cached;
};

static struct result result;

static enum err take_task(void *context, const void *record)
{
	const struct task *task = record;
	const struct record_read *get = context;
	char json[64];

	result.change = task->record.change;
	snprintf(result.title, sizeof(result.title), "%.*s", (int)task->title.len, task->title.ptr);
	snprintf(json, sizeof(json), "%s", result.title);
	call_once(&between.before_keep);
	store_keep_cached(&get->read, &get->scope, get->kind, get->id, task->record.change,
			  slice_of(json));
	return OK;
}

/* Reads a task as GET does: from the cache, or from the database, and keeps it. The cache has the
 * title in place of the JSON. */
static struct result get_task(int64_t id)
{
	struct cached_record *cached =
		store_find_cached(place->store, &place->scope, RECORD_TASK, id, SEEN_NOW);
	struct arena arena = {0};
	struct record_read get;

	result = (struct result){0};
	if (cached) {
		result.cached = true;
		result.change = cached->change;
		snprintf(result.title, sizeof(result.title), "%.*s", (int)cached->json.len,
			 cached->json.ptr);
		cached_record_drop(cached);
		return result;
	}
	record_read_init(&get, RECORD_TASK, &arena);
	get.scope = place->scope;
	get.id = id;
	get.on_record = take_task;
	get.record_context = &get;
	assert_int_equal(store_do(place->store, &get.read), OK);
	arena_release(&arena);
	return result;
}

static void assert_title(int64_t id, const char *title)
{
	assert_string_equal(get_task(id).title, title);
}

/* Makes, changes (to `title`) or deletes a task. Returns its id. */
static int64_t write_task(enum record_action action, int64_t id, const char *title)
{
	struct arena arena = {0};
	struct faults faults;
	struct task task, changes;
	struct record_write write;
	struct store_write *one = &write.write;

	faults_init(&faults, &arena);
	record_clear(&task_type, &task);
	task.casefile_id = 245;
	task.calendar_id = 1;
	task.due_on = 19000;
	task.title = slice_of(title);
	changes = task;
	record_write_init(&write, RECORD_TASK, action);
	write.id = id;
	write.record = &task;
	write.changes = &changes;
	write.given = action == RECORD_CREATE ? UINT64_MAX : field_bit(&task_type, "title");
	one->scope = place->scope;
	one->arena = &arena;
	one->faults = &faults;
	assert_int_equal(store_run(place->store, &one, 1), OK);
	assert_int_equal(faults.count, 0);
	id = task.record.id;
	arena_release(&arena);
	return id;
}

static int cached_place_make(void **state)
{
	store_place_make_samples(state);
	place = *state;
	between.real = place->store->driver;
	between.driver = *between.real;
	between.driver.commit = between_commit;
	between.driver.run = between_run;
	/* The writer reads both members, so it begins anew. */
	workers_free(place->store->writers);
	place->store->record_cache = record_cache_new((size_t)1 << 20);
	place->store->driver = &between.driver;
	assert_int_equal(writers_start(place->store, 1), OK);
	for (int64_t id = 1; id <= TASKS; id++)
		assert_int_equal(write_task(RECORD_CREATE, ID_NONE, "old"), id);
	return 0;
}

static int cached_place_remove(void **state)
{
	store_stop(place->store);
	place->store->driver = between.real;
	return store_place_remove(state);
}

static void a_second_read_is_cached(void **state)
{
	struct result first = get_task(1), second = get_task(1);

	(void)state;
	assert_false(first.cached);
	assert_true(second.cached);
	assert_int_equal(second.change, first.change);
	assert_string_equal(second.title, "old");
}

static void an_update_ends_it(void **state)
{
	(void)state;
	get_task(1);
	get_task(2);
	write_task(RECORD_UPDATE, 1, "new");
	assert_title(1, "new");
	assert_false(result.cached);
	assert_title(2, "old");
	assert_true(result.cached);
	assert_title(1, "new");
	assert_true(result.cached);
}

static void a_delete_ends_it(void **state)
{
	(void)state;
	get_task(1);
	write_task(RECORD_DELETE, 1, "");
	assert_int_equal(get_task(1).change, 0);
	assert_int_equal(get_task(1).change, 0);
}

static void a_bulk_ends_it(void **state)
{
	struct arena arena = {0};
	struct faults faults, own[2];
	struct record_write operations[2];
	struct task tasks[2], changes;
	struct bulk_write bulk;
	struct store_write *one = &bulk.write;

	(void)state;
	faults_init(&faults, &arena);
	record_clear(&task_type, &changes);
	changes.title = SLICE("new");
	for (size_t i = 0; i < 2; i++) {
		faults_init(&own[i], &arena);
		record_clear(&task_type, &tasks[i]);
		record_write_init(&operations[i], RECORD_TASK, RECORD_UPDATE);
		operations[i].id = (int64_t)i + 1;
		operations[i].record = &tasks[i];
		operations[i].changes = &changes;
		operations[i].given = field_bit(&task_type, "title");
		operations[i].write.faults = &own[i];
		get_task(operations[i].id);
	}
	bulk_write_init(&bulk, operations, 2);
	one->scope = place->scope;
	one->arena = &arena;
	one->faults = &faults;
	assert_int_equal(store_run(place->store, &one, 1), OK);
	assert_title(1, "new");
	assert_title(2, "new");
	arena_release(&arena);
}

/* Another account has no record of that id, whatever the cache has. */
static void another_account(void **state)
{
	const struct scope own = place->scope;

	(void)state;
	get_task(1);
	place->scope.account_id = 2;
	assert_int_equal(get_task(1).change, 0);
	place->scope = own;
	assert_true(get_task(1).cached);
}

static void see_old(void)
{
	assert_title(1, "old");
	assert_title(1, "old");
}

static void see_new(void)
{
	assert_title(1, "new");
	assert_title(1, "new");
}

/* A read that begins before the commit keeps nothing that a later read finds. */
static void a_read_before_the_commit(void **state)
{
	(void)state;
	between.before_commit = see_old;
	write_task(RECORD_UPDATE, 1, "new");
	assert_title(1, "new");
}

/* Once somebody has seen the change, everybody does, also before the writer has noticed that the
 * commit ended. */
static void a_read_after_the_commit(void **state)
{
	(void)state;
	get_task(1);
	between.before_commit = see_old;
	between.after_commit = see_new;
	write_task(RECORD_UPDATE, 1, "new");
	see_new();
	assert_true(result.cached);
}

static void change_task_1(void)
{
	write_task(RECORD_UPDATE, 1, "new");
}

/* The change is committed after the read has got its row. */
static void a_commit_during_the_read(void **state)
{
	(void)state;
	between.before_keep = change_task_1;
	assert_title(1, "old");
	assert_title(1, "new");
}

/* A list of the tasks by id, or by title. */
struct listing {
	struct list_read read;
	size_t count, cached;
	char titles[TASKS][32];
};

static void listing_begin(void *context)
{
	struct listing *listing = context;

	listing->count = listing->cached = 0;
}

static enum err listing_add(struct listing *listing, int64_t id, struct slice title)
{
	assert_int_equal(id, listing->count + 1);
	snprintf(listing->titles[listing->count++], 32, "%.*s", (int)title.len, title.ptr);
	return OK;
}

static enum err listing_on_record(void *context, const void *record)
{
	const struct task *task = record;

	return listing_add(context, task->record.id, task->title);
}

static enum err listing_on_cached(void *context, const struct cached_record *cached)
{
	((struct listing *)context)->cached++;
	return listing_add(context, cached->id, cached->json);
}

static struct listing list_tasks(const char *sort)
{
	const struct list_query query = {.sort = field_of(&task_type, sort), .limit = TASKS};
	struct arena arena = {0};
	struct listing listing = {0};

	list_read_init(&listing.read, RECORD_TASK, &arena);
	listing.read.scope = place->scope;
	listing.read.query = &query;
	listing.read.sink = (struct list_sink){.begin = listing_begin,
					       .on_record = listing_on_record,
					       .on_cached = listing_on_cached,
					       .context = &listing};
	assert_int_equal(store_do(place->store, &listing.read.read), OK);
	assert_int_equal(listing.count, TASKS);
	arena_release(&arena);
	return listing;
}

/* The records come in order, whether they are cached or read. */
static void a_list_of_both(void **state)
{
	struct listing listing;

	(void)state;
	assert_int_equal(list_tasks("id").cached, 0);
	get_task(2);
	get_task(4);
	assert_int_equal(list_tasks("id").cached, 2);
	get_task(5);
	get_task(1);
	get_task(3);
	listing = list_tasks("id");
	assert_int_equal(listing.cached, TASKS);
	for (size_t i = 0; i < TASKS; i++)
		assert_string_equal(listing.titles[i], "old");
	/* The caller needs the title of the last record. */
	assert_int_equal(list_tasks("title_folded").cached, TASKS - 1);
}

/* After the list has read its ids: changes a task, and a reader keeps the new version. */
static void change_and_keep(void)
{
	const struct record_key key = {place->scope.account_id, RECORD_TASK, 2};

	write_task(RECORD_UPDATE, 2, "new");
	record_cache_keep(place->store->record_cache, &key,
			  record_cache_seen(place->store->record_cache), 99, SLICE("new"));
}

static void a_list_is_of_one_moment(void **state)
{
	struct listing listing;

	(void)state;
	for (int64_t id = 1; id <= TASKS; id++)
		get_task(id);
	between.after_run = change_and_keep;
	listing = list_tasks("id");
	assert_int_equal(listing.cached, TASKS - 1);
	for (size_t i = 0; i < TASKS; i++)
		assert_string_equal(listing.titles[i], "old");
	listing = list_tasks("id");
	assert_int_equal(listing.cached, TASKS);
	assert_string_equal(listing.titles[1], "new");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, cached_place_make, cached_place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_read_is_cached), TEST(an_update_ends_it),
		TEST(a_delete_ends_it),        TEST(a_bulk_ends_it),
		TEST(another_account),         TEST(a_read_before_the_commit),
		TEST(a_read_after_the_commit), TEST(a_commit_during_the_read),
		TEST(a_list_of_both),          TEST(a_list_is_of_one_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
