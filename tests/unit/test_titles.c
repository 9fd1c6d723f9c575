/* SPDX-License-Identifier: MIT */
/* A step of the text index ends when its time is over, the rest remains, and in the end the index
 * has every title. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sql/titles.h"
#include "store_place.h"

#define AT_ONCE 32       /* what a step brings in when it has no time */
#define AT_MOST 256      /* and with any time */
#define WAITING_MAX 1024 /* after a batch fewer wait */
#define LONG_US 60000000

static void run(struct store *store, const char *sql)
{
	assert_int_equal(store->driver->script(store->write_db, sql), OK);
}

static int64_t number(struct store *store, const char *sql)
{
	int64_t number = -1;
	const struct db_call call = {.sql = sql, .on_row = db_number, .context = &number};

	assert_int_equal(store->driver->run(store->write_db, &call, 1), OK);
	return number;
}

static int64_t waiting(struct store *store)
{
	return number(store, "SELECT count(*) FROM task_pending");
}

/* Tasks 1 to `count` whose titles wait: some 30 trigrams, most of them in no other title. */
static void make_tasks(struct store *store, const char *count)
{
	struct buf sql = {0};

	buf_printf(
		&sql,
		"INSERT INTO task (account_id, id, change, calendar_id, status, due_on, title,"
		" title_folded, body, created_at, updated_at)"
		" WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
		" SELECT 1, i, i, 1, 0, 0, 'old', 'old ' || lower(hex(randomblob(15))), '', 0, 0"
		" FROM n;"
		"INSERT INTO task_pending SELECT account_id, id, NULL FROM task",
		count);
	buf_add_char(&sql, '\0');
	assert_false(sql.failed);
	run(store, sql.ptr);
	buf_release(&sql);
}

static bool step(struct store *store, int64_t budget_us, bool *unmerged)
{
	bool more;

	assert_int_equal(titles_run_step(store->write_db, budget_us, unmerged, &more), OK);
	return more;
}

static void all_steps(struct store *store, int64_t budget_us)
{
	bool unmerged = true;

	while (step(store, budget_us, &unmerged))
		;
	assert_int_equal(waiting(store), 0);
}

/* How many tasks have a word in the index, of those whose title has it. */
static void found(struct store *store, int64_t old, int64_t new)
{
	assert_int_equal(
		number(store, "SELECT count(*) FROM task_words WHERE title MATCH '\"old \"'"), old);
	assert_int_equal(
		number(store, "SELECT count(*) FROM task_words WHERE title MATCH '\"new \"'"), new);
	run(store, "INSERT INTO task_words (task_words) VALUES ('integrity-check')");
}

static void a_step_ends_in_time(void **state)
{
	struct store_place *place = *state;
	struct store *store = place->store;
	bool unmerged = true;

	make_tasks(store, "600");
	assert_true(step(store, 0, &unmerged));
	assert_int_equal(waiting(store), 600 - AT_ONCE);
	found(store, AT_ONCE, 0);
	assert_true(step(store, LONG_US, &unmerged));
	assert_int_equal(waiting(store), 600 - AT_ONCE - AT_MOST);
	all_steps(store, 0);
	found(store, 600, 0);
	assert_false(step(store, 0, &unmerged));
}

/* Titles that were changed, changed back and deleted, in the same steps. */
static void what_has_changed(void **state)
{
	struct store_place *place = *state;
	struct store *store = place->store;

	make_tasks(store, "300");
	all_steps(store, LONG_US);
	run(store, "INSERT INTO task_pending SELECT account_id, id, title_folded FROM task"
		   " WHERE id % 3 > 0;"
		   "UPDATE task SET title_folded = 'new ' || title_folded WHERE id % 3 = 1;"
		   "UPDATE task SET title_folded = substr(title_folded, 5) WHERE id % 6 = 1;"
		   "DELETE FROM task WHERE id % 3 = 2");
	all_steps(store, 0);
	found(store, 200, 50);
}

/* Each step makes a part of the index. FTS5 itself would merge them only at 16. */
static void parts_are_merged(void **state)
{
	struct store_place *place = *state;
	struct store *store = place->store;
	const char *parts = "SELECT count(DISTINCT segid) FROM task_words_idx";
	bool unmerged = true;

	make_tasks(store, "384");
	for (int i = 0; i < 12; i++) {
		assert_true(step(store, 0, &unmerged));
		assert_true(unmerged);
	}
	assert_int_equal(waiting(store), 0);
	all_steps(store, 0);
	assert_in_range(number(store, parts), 1, 6);
	assert_int_equal(number(store, "SELECT v FROM task_words_config WHERE k = 'automerge'"), 0);
	found(store, 384, 0);
}

/* A batch that finds too many brings in as many as it must, whatever the time. */
static void after_a_batch_few_wait(void **state)
{
	struct store_place *place = *state;
	struct store *store = place->store;
	bool unmerged = true;

	make_tasks(store, "1500");
	run(store, "BEGIN");
	assert_int_equal(titles_run_part(store->write_db, 0, &unmerged), OK);
	assert_in_range(waiting(store), WAITING_MAX - AT_ONCE, WAITING_MAX - 1);
	assert_int_equal(titles_run_part(store->write_db, LONG_US, &unmerged), OK);
	assert_in_range(waiting(store), WAITING_MAX - AT_ONCE, WAITING_MAX - 1);
	run(store, "COMMIT");
	all_steps(store, LONG_US);
	found(store, 1500, 0);
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, store_place_make, store_place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_STORE(a_step_ends_in_time),
		WITH_STORE(what_has_changed),
		WITH_STORE(parts_are_merged),
		WITH_STORE(after_a_batch_few_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
