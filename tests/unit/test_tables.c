/* SPDX-License-Identifier: MIT */
/* sql_tables and the field tables have all that the newest schema has. If a migration adds a table,
 * or a column to the table of a record or of its list, this test fails until the rows have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/records.h"
#include "sql/tables.h"
#include "store_place.h"

static void ask(struct store *store, const char *sql, const char *name, db_row_fn *on_row,
		void *context)
{
	const struct db_value arg = DB_TEXT_VALUE(slice_of(name));
	const struct db_call call = {sql, &arg, name ? 1 : 0, on_row, context};

	assert_int_equal(store->driver->run(store->write_db, &call, 1), OK);
}

/* The table's index; SQL_TABLES if it is not in sql_tables. */
static size_t table_index(struct slice name)
{
	size_t i = 0;

	while (i < SQL_TABLES && !slice_is(name, sql_tables[i].name))
		i++;
	return i;
}

static enum err known_table(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	if (table_index(values[0].bytes) == SQL_TABLES)
		print_message("%.*s is not in sql_tables\n", (int)values[0].bytes.len,
			      values[0].bytes.ptr);
	assert_true(table_index(values[0].bytes) < SQL_TABLES);
	++*(size_t *)context;
	return OK;
}

/* The text index has tables of its own. SQLite makes all but one of them. */
static void every_table(void **state)
{
	struct store_place *place = *state;
	size_t count = 0;

	ask(place->store,
	    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	    " AND name NOT LIKE 'task\\_words%' ESCAPE '\\' AND name <> 'task_pending'",
	    NULL, known_table, &count);
	assert_int_equal(count, SQL_TABLES);
}

struct key_seen {
	const struct sql_table *table;
	size_t count;
};

static enum err key_column(void *context, const struct db_value *values, size_t count)
{
	struct key_seen *seen = context;
	const char *name = seen->count < SQL_KEY_COLUMNS ? seen->table->key[seen->count] : NULL;

	(void)count;
	assert_non_null(name);
	assert_true(slice_is(values[0].bytes, name));
	seen->count++;
	return OK;
}

static void their_keys(void **state)
{
	struct store_place *place = *state;

	for (size_t i = 0; i < SQL_TABLES; i++) {
		struct key_seen seen = {&sql_tables[i], 0};

		ask(place->store, "SELECT name FROM pragma_table_info($1) WHERE pk > 0 ORDER BY pk",
		    sql_tables[i].name, key_column, &seen);
		assert_true(seen.count > 0);
		assert_null(seen.table->key[seen.count]);
	}
}

static enum err named_before(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	assert_true(table_index(values[0].bytes) < *(size_t *)context);
	return OK;
}

static void those_that_are_named_come_first(void **state)
{
	struct store_place *place = *state;

	for (size_t i = 0; i < SQL_TABLES; i++)
		ask(place->store, "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list($1)",
		    sql_tables[i].name, named_before, &i);
}

/* The names of the columns that a table must have. */
struct columns_wanted {
	struct arena arena;
	const char *names[64];
	size_t count, seen;
};

static void want(struct columns_wanted *wanted, const char *prefix, const char *name)
{
	const char *copy = arena_printf(&wanted->arena, "%s%s", prefix, name);

	assert_non_null(copy);
	wanted->names[wanted->count++] = copy;
}

static enum err wanted_column(void *context, const struct db_value *values, size_t count)
{
	struct columns_wanted *wanted = context;
	size_t i = 0;

	(void)count;
	while (i < wanted->count && !slice_is(values[0].bytes, wanted->names[i]))
		i++;
	if (i == wanted->count)
		print_message("no row has the column %.*s\n", (int)values[0].bytes.len,
			      values[0].bytes.ptr);
	assert_true(i < wanted->count);
	wanted->seen++;
	return OK;
}

/* The table has these columns and no others. */
static void columns_are(struct store *store, const char *table, struct columns_wanted *wanted)
{
	ask(store, "SELECT name FROM pragma_table_info($1)", table, wanted_column, wanted);
	assert_int_equal(wanted->seen, wanted->count);
	arena_release(&wanted->arena);
}

static const struct sql_table *table_of(const char *name)
{
	size_t index = table_index(slice_of(name));

	assert_true(index < SQL_TABLES);
	return &sql_tables[index];
}

/* The key and the columns of the table behind a list of a record. */
static void check_link(struct store *store, const struct record_type *type,
		       const struct field_link *link)
{
	const struct sql_table *table = table_of(link->table);
	struct columns_wanted wanted = {0};

	assert_string_equal(table->parent, type->table);
	assert_string_equal(table->key[1], link->owner);
	assert_string_equal(table->key[2], link->member);
	for (size_t i = 0; table->key[i]; i++)
		want(&wanted, "", table->key[i]);
	for (size_t i = 0; link->copies[i]; i++)
		want(&wanted, "", link->copies[i]);
	columns_are(store, link->table, &wanted);
}

static void columns_of_records(void **state)
{
	struct store_place *place = *state;
	size_t parents = 0;

	for (size_t i = 0; i < RECORD_KINDS; i++) {
		const struct record_type *type = record_types[i];
		const struct sql_table *table = table_of(type->table);
		const char *indexed = NULL;
		struct columns_wanted wanted = {0};

		want(&wanted, "", "account_id");
		want(&wanted, "", "change");
		for (size_t j = 0; j < type->field_count; j++) {
			const struct field *field = &type->fields[j];

			if (field->flags & FIELD_SEARCHED)
				indexed = field->column;
			if (field->link) {
				check_link(place->store, type, field->link);
				parents++;
			} else if (field->type == FIELD_ADDRESS) {
				for (size_t k = 0; k < ADDRESS_PARTS; k++)
					want(&wanted, field->column, address_parts[k].column);
			} else {
				want(&wanted, "", field->column);
			}
		}
		columns_are(place->store, type->table, &wanted);
		assert_true(table->counted && !table->parent);
		assert_int_equal(!table->indexed, !indexed);
		if (indexed)
			assert_string_equal(table->indexed, indexed);
	}
	for (size_t i = 0; i < SQL_TABLES; i++)
		parents -= sql_tables[i].parent != NULL;
	assert_int_equal(parents, 0);
}

/* The removal of an account relies on it: see "Invariants" in ARCHITECTURE.md. */
static void account_comes_first(void **state)
{
	struct store_place *place = *state;

	for (size_t i = 0; i < SQL_TABLES; i++) {
		bool named = false;

		ask(place->store,
		    "SELECT 1 FROM pragma_table_info($1) WHERE name = 'account_id' AND pk = 1",
		    sql_tables[i].name, any_row, &named);
		assert_int_equal(named || i == 0, !sql_tables[i].global);
	}
	assert_string_equal(sql_tables[0].name, "account");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, store_place_make, store_place_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_table),
		TEST(their_keys),
		TEST(those_that_are_named_come_first),
		TEST(columns_of_records),
		TEST(account_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
