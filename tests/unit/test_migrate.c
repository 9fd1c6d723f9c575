/* SPDX-License-Identifier: MIT */
/* Migrations run in order, once each, whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"
#include "place/migrate.h"

static const struct migration list[] = {
	{1, "init",
	 "CREATE TABLE a (id {int} NOT NULL PRIMARY KEY, text TEXT) {table};"
	 "INSERT INTO a VALUES (1, 'kept');"},
	{2, "second", "ALTER TABLE a ADD COLUMN more {bytes}; CREATE TABLE b (id {int}) {table};"},
};

static const struct migration broken[] = {
	{1, "init", "CREATE TABLE a (id {int}) {table};"},
	{2, "broken", "CREATE TABLE b (id {int}) {table}; INSERT INTO missing VALUES (1);"},
};

static const struct migration marked[] = {{1, "marked", "CREATE TABLE a (id {integer});"}};

struct place {
	char folder[PLACE_BYTES];
	char database[80];
	struct db *db;
	struct buf why;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char message[256];

	place_make(place->folder);
	snprintf(place->database, sizeof(place->database), "%s/db", place->folder);
	assert_int_equal(sqlite_driver.open(place->database, DB_CREATE, &place->db, message,
					    sizeof(message)),
			 OK);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	sqlite_driver.close(place->db);
	place_remove(place->folder);
	buf_release(&place->why);
	free(place);
	return 0;
}

static int64_t ask(struct db *db, const char *sql)
{
	int64_t answer = -1;
	const struct db_call call = {.sql = sql, .on_row = db_number, .context = &answer};

	assert_int_equal(sqlite_driver.run(db, &call, 1), OK);
	return answer;
}

static enum err go_up(struct place *place, const struct migration *to, size_t count, int64_t now)
{
	return migrate(place->db, to, count, &(struct migrate_how){.now = now}, &place->why);
}

static void go_up_once_each(void **state)
{
	struct place *place = *state;

	assert_int_equal(go_up(place, list, 1, 10), OK);
	assert_int_equal(go_up(place, list, 1, 11), OK);
	assert_int_equal(ask(place->db, "SELECT count(*) FROM a"), 1);
	assert_int_equal(go_up(place, list, 2, 12), OK);
	assert_int_equal(ask(place->db, "SELECT count(*) FROM b"), 0);
	assert_int_equal(ask(place->db, "SELECT sum(number * applied_at) FROM migration"),
			 1 * 10 + 2 * 12);
}

static void newer_is_refused(void **state)
{
	struct place *place = *state;

	assert_int_equal(go_up(place, list, 2, 10), OK);
	assert_int_equal(go_up(place, list, 1, 11), ERR_SCHEMA);
	assert_int_equal(ask(place->db, "SELECT max(number) FROM migration"), 2);
}

static void whole_or_not_at_all(void **state)
{
	struct place *place = *state;

	assert_int_not_equal(go_up(place, broken, 2, 10), OK);
	buf_add_char(&place->why, '\0');
	assert_non_null(strstr(place->why.ptr, "broken"));
	assert_int_equal(ask(place->db, "SELECT count(*) FROM migration"), 0);
	assert_int_equal(
		ask(place->db, "SELECT count(*) FROM sqlite_schema WHERE name IN ('a', 'b')"), 0);
}

static void unknown_marker(void **state)
{
	struct place *place = *state;

	assert_int_not_equal(go_up(place, marked, 1, 10), OK);
	assert_int_equal(ask(place->db, "SELECT count(*) FROM migration"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(go_up_once_each),
		TEST(newer_is_refused),
		TEST(whole_or_not_at_all),
		TEST(unknown_marker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
