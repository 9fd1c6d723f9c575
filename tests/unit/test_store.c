/* SPDX-License-Identifier: MIT */
/* The store: one process for a folder, writes that do not fail because of others, a bounded queue,
 * and a stop that loses no write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#include "model/task.h"
#include "records/patch.h"
#include "records/records.h"
#include "samples/samples.h"
#include "store_place.h"

/* One create of a task, with everything that it needs. */
struct one {
	struct arena arena;
	struct faults faults;
	struct task task;
	struct record_write create;
	sem_t done;
};

static void tell(void *context)
{
	sem_post(context);
}

static struct store_write *prepare(struct one *one, const struct store_place *place)
{
	faults_init(&one->faults, &one->arena);
	record_clear(&task_type, &one->task);
	one->task.casefile_id = 245;
	one->task.calendar_id = 1;
	one->task.due_on = 19000;
	one->task.title = SLICE("A task");
	record_write_init(&one->create, RECORD_TASK, RECORD_CREATE);
	one->create.record = &one->task;
	one->create.given = UINT64_MAX;
	one->create.write.scope = place->scope;
	one->create.write.arena = &one->arena;
	one->create.write.faults = &one->faults;
	one->create.write.done = tell;
	one->create.write.context = &one->done;
	sem_init(&one->done, 0, 0);
	return &one->create.write;
}

static enum err count_it(void *context, const void *record)
{
	(void)record;
	++*(size_t *)context;
	return OK;
}

static enum err count_row(void *context, const struct db_value *values, size_t count)
{
	(void)values;
	(void)count;
	++*(size_t *)context;
	return OK;
}

static bool has_task(const struct store_place *place, int64_t id)
{
	struct arena arena = {0};
	size_t found = 0;
	struct record_read get;

	record_read_init(&get, RECORD_TASK, &arena);
	get.scope = place->scope;
	get.id = id;
	get.on_record = count_it;
	get.record_context = &found;
	assert_int_equal(store_do(place->store, &get.read), OK);
	arena_release(&arena);
	assert_int_equal(found, get.found);
	return get.found;
}

static void one_process_a_folder(void **state)
{
	struct store_place *place = *state;

	assert_null(open_store(place->folder));
	assert_int_equal(create_store(place->folder), ERR_BUSY);
	store_close(place->store);
	assert_int_equal(create_store(place->folder), ERR_EXISTS);
	place->store = open_store(place->folder);
	assert_non_null(place->store);
	assert_null(open_store("/nowhere"));
}

/* The scope of one account must not find the records of another. */
static void scope_is_the_account(void **state)
{
	struct store_place *place = *state;
	struct one one = {0};
	struct store_write *write = prepare(&one, place);
	struct store_place other = *place;

	assert_int_equal(store_run(place->store, &write, 1), OK);
	assert_true(has_task(place, 1));
	other.scope.account_id = 2;
	assert_false(has_task(&other, 1));
	prepare(&one, &other);
	assert_int_equal(store_run(place->store, &write, 1), ERR_NOT_FOUND);
	assert_false(has_task(place, 2));
	arena_release(&one.arena);
}

/* A request that began in another era must not write. */
static void a_write_is_of_its_era(void **state)
{
	struct store_place *place = *state;
	struct one one = {0};
	struct store_write *write = prepare(&one, place);
	int64_t era = store_era(place->store) + 1;

	write->job.era = &era;
	assert_int_equal(store_run(place->store, &write, 1), ERR_UNREACHABLE);
	assert_false(has_task(place, 1));
	era--;
	assert_int_equal(store_run(place->store, &write, 1), OK);
	assert_true(has_task(place, 1));
	arena_release(&one.arena);
}

/* The steps of a write may run more than once: a later run sees nothing of an earlier one. */
static void a_patch_runs_afresh(void **state)
{
	static const struct account account = {.country = SLICE("US"), .time_zone = SLICE("UTC")};
	struct store_place *place = *state;
	struct one one = {0};
	struct buf ignored = {0};
	struct record_write *change = &one.create;
	struct store_write *write = prepare(&one, place);
	struct record_patch patch = {.text = SLICE("{\"title\":\"Another\",\"colour\":1}"),
				     .decode = {.arena = &one.arena,
						.faults = &one.faults,
						.prefix = "task",
						.account = &account,
						.lenient = true,
						.ignored = &ignored}};

	assert_int_equal(store_run(place->store, &write, 1), OK);
	prepare(&one, place);
	record_write_init(change, RECORD_TASK, RECORD_UPDATE);
	change->id = 1;
	change->record = &one.task;
	change->patch = &patch;
	write->scope = place->scope;
	write->arena = &one.arena;
	write->faults = &one.faults;
	assert_int_equal(store_run(place->store, &write, 1), OK);
	assert_true(slice_is(one.task.title, "Another"));
	assert_non_null(write->value.ptr);
	assert_true(slice_is(buf_slice(&ignored), "task.colour"));
	assert_int_equal(store_run(place->store, &write, 1), OK);
	assert_true(change->unchanged);
	assert_null(write->value.ptr);
	assert_true(slice_is(buf_slice(&ignored), "task.colour"));
	buf_release(&ignored);
	arena_release(&one.arena);
}

static enum err fail_to_decide(struct store_write *write, struct calls *calls)
{
	write->account->changed = true;
	return calls_add(calls, "INSERT INTO account (id, name) VALUES (1, 'x')", NULL, 0, NULL,
			 NULL);
}

/* One write of a batch breaks a rule of the schema. The others are stored, and their ids have no
 * gap. */
static void a_batch_that_fails(void **state)
{
	struct store_place *place = *state;
	struct one ones[3] = {{{0}}};
	struct store_write *writes[3];
	struct write_steps steps;

	for (size_t i = 0; i < 3; i++)
		writes[i] = prepare(&ones[i], place);
	steps = *writes[1]->steps;
	steps.decide = fail_to_decide;
	writes[1]->steps = &steps;
	store_run(place->store, writes, 3);
	assert_int_equal(writes[0]->err, OK);
	assert_int_not_equal(writes[1]->err, OK);
	assert_int_equal(writes[2]->err, OK);
	assert_int_equal(ones[0].task.record.id, 1);
	assert_int_equal(ones[2].task.record.id, 2);
	assert_int_equal(ones[2].task.record.change, ones[0].task.record.change + 1);
	assert_true(has_task(place, 2) && !has_task(place, 3));
	for (size_t i = 0; i < 3; i++)
		arena_release(&ones[i].arena);
}

/* The preview of a write with faults checks its references as well, and stores nothing. */
static void previewing_stores_nothing(void **state)
{
	struct store_place *place = *state;
	struct one one = {0};
	struct store_write *write = prepare(&one, place);
	struct write_preview preview;

	one.task.subject_id = 210;
	faults_add(&one.faults, "task.title", FAULT_BLANK, "must not be only blanks");
	write_preview_init(&preview, place->store, write);
	assert_int_equal(store_do(place->store, &preview.read), OK);
	assert_int_equal(write_preview_decide(&preview), OK);
	assert_int_equal(one.faults.count, 2);
	assert_string_equal(one.faults.first->next->field, "task.subject_id");
	assert_false(has_task(place, 1));
	arena_release(&one.arena);
}

static sem_t gate, at_gate;
static enum err (*behind_gate)(struct store_write *write, struct calls *calls);

static enum err wait_at_gate(struct store_write *write, struct calls *calls)
{
	sem_post(&at_gate);
	sem_wait(&gate);
	return behind_gate(write, calls);
}

/* While the writer is blocked, the queue accepts QUEUE writes and refuses the next. A stop carries
 * out all accepted writes. */
static void queue_is_bounded_and_drained(void **state)
{
	struct store_place *place = *state;
	struct one *ones = calloc(QUEUE + 2, sizeof(*ones));
	struct write_steps held;
	struct store_write *write;

	sem_init(&gate, 0, 0);
	sem_init(&at_gate, 0, 0);
	for (size_t i = 0; i < QUEUE + 2; i++) {
		write = prepare(&ones[i], place);
		if (i == 0) {
			held = *write->steps;
			behind_gate = held.read;
			held.read = wait_at_gate;
			write->steps = &held;
		}
		assert_int_equal(store_submit(place->store, write), i > QUEUE ? ERR_BUSY : OK);
		if (i == 0)
			sem_wait(&at_gate);
	}
	sem_post(&gate);
	store_stop(place->store);
	for (size_t i = 0; i <= QUEUE; i++) {
		assert_int_equal(sem_trywait(&ones[i].done), 0);
		assert_int_equal(ones[i].create.write.err, OK);
	}
	assert_int_not_equal(sem_trywait(&ones[QUEUE + 1].done), 0);
	assert_int_equal(store_submit(place->store, write), ERR_STOPPED);
	for (size_t i = 0; i <= QUEUE; i++)
		assert_int_equal(ones[i].task.record.id, i + 1);
	assert_true(has_task(place, QUEUE + 1) && !has_task(place, QUEUE + 2));
	for (size_t i = 0; i < QUEUE + 2; i++)
		arena_release(&ones[i].arena);
	free(ones);
}

struct many {
	struct store_place *place;
	bool *seen; /* by id; no two threads set the same */
	bool *changes;
};

#define THREADS 8
#define EACH 200

/* Returns what went wrong. */
static void *write_many(void *context)
{
	static char refused[] = "a write was refused", lost[] = "an acknowledged write is not read",
		    twice[] = "an id was given twice";
	const struct many *many = context;

	for (size_t i = 0; i < EACH; i++) {
		struct one one = {0};
		struct store_write *write = prepare(&one, many->place);

		if (store_submit(many->place->store, write))
			return refused;
		sem_wait(&one.done);
		if (one.create.write.err || !has_task(many->place, one.task.record.id))
			return lost;
		if (one.task.record.id > THREADS * EACH || many->seen[one.task.record.id])
			return twice;
		many->seen[one.task.record.id] = true;
		many->changes[one.task.record.change] = true;
		sem_destroy(&one.done);
		arena_release(&one.arena);
	}
	return NULL;
}

static void many_at_once(void **state)
{
	struct many many = {*state, calloc(THREADS * EACH + 1, sizeof(bool)),
			    calloc(THREADS * EACH + 100, sizeof(bool))};
	pthread_t threads[THREADS];
	size_t changes = 0;

	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &many), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		if (wrong)
			fail_msg("%s", (const char *)wrong);
	}
	for (size_t i = 0; i < THREADS * EACH + 100; i++)
		changes += many.changes[i];
	assert_int_equal(changes, THREADS * EACH);
	free(many.seen);
	free(many.changes);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_place_make_samples, store_place_remove)

/* A slow read, in a store that starts slow reads again on another thread. */
static void each_row_once(void **state)
{
	struct store_place *place = *state;
	const struct store_config config = {.folder = place->folder,
					    .clock = &system_clock,
					    .readers = 1,
					    .read_threads = 1,
					    .read_budget_ms = 60000,
					    .queue_limit = QUEUE};
	struct buf why = {0};
	size_t rows = 0;
	const struct db_call call = {
		.sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500000)"
		       " SELECT i FROM n",
		.on_row = count_row,
		.context = &rows};

	store_close(place->store);
	assert_int_equal(store_open(&config, &place->store, &why), OK);
	assert_int_equal(store_read_now(place->store, &call, 1), OK);
	assert_int_equal(rows, 500000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_process_a_folder),
		TEST(scope_is_the_account),
		TEST(a_write_is_of_its_era),
		TEST(a_patch_runs_afresh),
		TEST(a_batch_that_fails),
		TEST(previewing_stores_nothing),
		TEST(queue_is_bounded_and_drained),
		TEST(many_at_once),
		TEST(each_row_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
