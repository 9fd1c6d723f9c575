/* SPDX-License-Identifier: MIT */
/* The tables that a move copies are those of the schema, as the migrations leave it: a migration
 * that adds one fails here until the table is in the list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "move/move_private.h"
#include "store_place.h"

struct place {
	char folder[PLACE_BYTES];
	struct store *store;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char data[PLACE_BYTES + 8];

	place_make(place->folder);
	snprintf(data, sizeof(data), "%s/data", place->folder);
	assert_int_equal(create_store(data), OK);
	place->store = open_store(data);
	assert_non_null(place->store);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	store_close(place->store);
	place_remove(place->folder);
	free(place);
	return 0;
}

static void ask(struct store *store, const char *sql, const char *name, db_row_fn *on_row,
		void *context)
{
	const struct db_value arg = DB_TEXT_VALUE(slice_of(name));
	const struct db_call call = {sql, &arg, name ? 1 : 0, on_row, context};

	assert_int_equal(store->driver->run(store->write_db, &call, 1), OK);
}

/* MOVE_TABLES where it is not in the list. */
static size_t place_of(struct slice name)
{
	size_t i = 0;

	while (i < MOVE_TABLES && !slice_is(name, move_tables[i].name))
		i++;
	return i;
}

static enum err known_table(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	if (place_of(values[0].bytes) == MOVE_TABLES)
		print_message("%.*s is not moved\n", (int)values[0].bytes.len, values[0].bytes.ptr);
	assert_true(place_of(values[0].bytes) < MOVE_TABLES);
	++*(size_t *)context;
	return OK;
}

/* Those of the index of words are made by what writes it. */
static void every_table(void **state)
{
	struct place *place = *state;
	size_t count = 0;

	ask(place->store,
	    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	    " AND name NOT LIKE 'task\\_words%' ESCAPE '\\'",
	    NULL, known_table, &count);
	assert_int_equal(count, MOVE_TABLES);
}

struct key_seen {
	const struct move_table *table;
	size_t count;
};

static enum err key_column(void *context, const struct db_value *values, size_t count)
{
	struct key_seen *seen = context;
	const char *name = seen->count < KEY_COLUMNS ? seen->table->key[seen->count] : NULL;

	(void)count;
	assert_non_null(name);
	assert_true(slice_is(values[0].bytes, name));
	seen->count++;
	return OK;
}

static void their_keys(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < MOVE_TABLES; i++) {
		struct key_seen seen = {&move_tables[i], 0};

		ask(place->store, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
		    move_tables[i].name, key_column, &seen);
		assert_true(seen.count > 0);
		assert_null(seen.table->key[seen.count]);
	}
}

static enum err named_before(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	assert_true(place_of(values[0].bytes) < *(size_t *)context);
	return OK;
}

static void those_that_are_named_come_first(void **state)
{
	struct place *place = *state;

	for (size_t i = 0; i < MOVE_TABLES; i++)
		ask(place->store, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)",
		    move_tables[i].name, named_before, &i);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_table),
		TEST(their_keys),
		TEST(those_that_are_named_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
