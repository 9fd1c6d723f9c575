/* SPDX-License-Identifier: MIT */
/* Pages by number of an account whose ids fill many blocks of tallies: some whole, some in part,
 * some not at all. Each must begin with the record that a plain statement finds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "model/task.h"
#include "model/tally.h"
#include "store_place.h"

#define PAGE 3

/* Large block 0 has two whole blocks and half of a third, 2 is empty, 1 and 3 are sparse. */
static const char fill[] =
	"INSERT INTO task (account_id, id, change, calendar_id, status, due_on, title,"
	" title_folded, body, complete_at, created_at, updated_at)"
	" WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 13000),"
	" d AS (SELECT CASE WHEN i <= 10240 THEN i + 4095 WHEN i <= 11500 THEN 131072 + i % 1260 * 104"
	"  ELSE 393216 + i % 1500 * 87 END AS id, i * 7919 % 10 AS r FROM n)"
	" SELECT 1, id, 1, 1, CASE WHEN r < 6 THEN 3 ELSE r - 6 END, 0, 't', 't', '',"
	" CASE WHEN r < 6 OR r = 9 THEN 0 END, 0, 0 FROM d;" FILL_TALLIES;

struct page {
	int64_t ids[PAGE + 1];
	size_t count;
};

static enum err page_record(void *context, const void *record)
{
	struct page *page = context;

	assert_true(page->count <= PAGE);
	page->ids[page->count++] = ((const struct record *)record)->id;
	return OK;
}

static enum err page_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	return page_record(context, &(const struct record){.id = values[0].integer});
}

static void read_page(struct store_place *place, const struct condition *status, bool descending,
		      uint64_t offset)
{
	const struct list_query query = {.sort = field_of(&task_type, "id"),
					 .descending = descending,
					 .conditions = status,
					 .condition_count = status != NULL,
					 .offset = offset,
					 .limit = PAGE};
	struct page page = {.count = 0}, wanted = {.count = 0};
	const struct list_sink sink = {.on_record = page_record, .context = &page};
	const struct db_value args[] = {DB_INT_VALUE(status ? status->values[0] : -1),
					DB_INT_VALUE(PAGE), DB_INT_VALUE((int64_t)offset)};
	const struct db_call plain = {
		.sql = descending ? "SELECT id FROM task WHERE status = $1 OR $1 < 0"
				    " ORDER BY id DESC LIMIT $2 OFFSET $3"
				  : "SELECT id FROM task WHERE status = $1 OR $1 < 0"
				    " ORDER BY id LIMIT $2 OFFSET $3",
		.args = args,
		.arg_count = 3,
		.on_row = page_row,
		.context = &wanted};
	struct arena arena = {0};

	assert_int_equal(read_list(place->store, &place->scope, RECORD_TASK, &query, &arena, &sink,
				   NULL, NULL),
			 OK);
	assert_int_equal(place->store->driver->run(place->store->write_db, &plain, 1), OK);
	assert_int_equal(page.count, wanted.count);
	assert_memory_equal(page.ids, wanted.ids, page.count * sizeof(page.ids[0]));
	arena_release(&arena);
}

/* How many tasks below an id have the status; -1: any. */
static int64_t tasks_below(struct store_place *place, int64_t status, int64_t id)
{
	int64_t number = -1;
	const struct db_value args[] = {DB_INT_VALUE(status), DB_INT_VALUE(id)};
	const struct db_call call = {
		"SELECT count(*) FROM task WHERE (status = $1 OR $1 < 0) AND id < $2", args, 2,
		db_number, &number};

	assert_int_equal(place->store->driver->run(place->store->write_db, &call, 1), OK);
	return number;
}

/* Pages all over the list, at both ends of each block, and past the end. */
static void each_page(struct store_place *place, const struct condition *status)
{
	const int64_t value = status ? status->values[0] : -1;
	const int64_t count = tasks_below(place, value, INT64_MAX);
	struct list_query query = {.conditions = status, .condition_count = status != NULL};
	struct arena arena = {0};
	int64_t counted = 0;

	assert_int_equal(read_list(place->store, &place->scope, RECORD_TASK, &query, &arena, NULL,
				   NULL, &counted),
			 OK);
	assert_int_equal(counted, count);
	arena_release(&arena);
	for (int64_t offset = 2040; offset < count + PAGE; offset += 397) {
		read_page(place, status, false, (uint64_t)offset);
		read_page(place, status, true, (uint64_t)offset);
	}
	for (int64_t id = 0, last = -1; id < 5 * TALLY_LARGE_BLOCK; id += TALLY_BLOCK) {
		const int64_t before = tasks_below(place, value, id);

		if (before == last)
			continue;
		last = before;
		for (int64_t offset = before ? before - 1 : 0; offset <= before + 1; offset++) {
			read_page(place, status, false, (uint64_t)offset);
			if (offset <= count)
				read_page(place, status, true, (uint64_t)(count - offset));
		}
	}
}

static void all_tasks(void **state)
{
	each_page(*state, NULL);
}

static void tasks_of_a_status(void **state)
{
	static int64_t values[] = {TASK_COMPLETE, TASK_IN_PROGRESS};

	for (size_t i = 0; i < COUNT_OF(values); i++) {
		const struct condition condition = {.field = field_of(&task_type, "status"),
						    .op = FILTER_ANY,
						    .values = &values[i],
						    .count = 1};

		each_page(*state, &condition);
	}
}

static int make_filled(void **state)
{
	struct store_place *place;

	store_place_make(state);
	place = *state;
	assert_int_equal(place->store->driver->script(place->store->write_db, fill), OK);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_tasks),
		cmocka_unit_test(tasks_of_a_status),
	};

	return cmocka_run_group_tests(tests, make_filled, store_place_remove);
}
