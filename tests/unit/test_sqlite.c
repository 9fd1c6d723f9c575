/* SPDX-License-Identifier: MIT */
/* The SQLite driver: the settings that make commits durable, read-only connections, the time
 * budget, and the mapping of errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "place.h"
#include "db/db.h"

struct place {
	char folder[PLACE_BYTES];
	struct db *writer;
	struct db *reader;
};

static int make_place(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	char path[PLACE_BYTES + 8], message[256];

	place_make(place->folder);
	snprintf(path, sizeof(path), "%s/db", place->folder);
	assert_int_equal(
		sqlite_driver.open(path, DB_CREATE, &place->writer, message, sizeof(message)), OK);
	assert_int_equal(sqlite_driver.script(place->writer,
					      "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;"
					      "CREATE TABLE b (a INTEGER REFERENCES a (id))"),
			 OK);
	assert_int_equal(
		sqlite_driver.open(path, DB_READ, &place->reader, message, sizeof(message)), OK);
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	sqlite_driver.close(place->reader);
	sqlite_driver.close(place->writer);
	place_remove(place->folder);
	free(place);
	return 0;
}

static enum err take(void *context, const struct db_value *values, size_t count)
{
	assert_int_equal(count, 1);
	*(struct db_value *)context = values[0];
	if (values[0].type == DB_TEXT)
		((struct db_value *)context)->integer = (unsigned char)values[0].bytes.ptr[0];
	return OK;
}

/* One integer, or the first character of a text. */
static int64_t ask(struct db *db, const char *sql)
{
	struct db_value value = {.integer = -1};
	const struct db_call call = {.sql = sql, .on_row = take, .context = &value};

	assert_int_equal(sqlite_driver.run(db, &call, 1), OK);
	return value.integer;
}

static enum err run(struct db *db, const char *sql)
{
	const struct db_call call = {.sql = sql};

	return sqlite_driver.run(db, &call, 1);
}

static void writer_is_durable(void **state)
{
	struct place *place = *state;

	assert_int_equal(ask(place->writer, "PRAGMA synchronous"), 2); /* FULL */
	assert_int_equal(ask(place->writer, "PRAGMA journal_mode"), 'w');
	assert_int_equal(ask(place->writer, "PRAGMA foreign_keys"), 1);
	assert_int_equal(ask(place->writer, "PRAGMA trusted_schema"), 0);
	assert_int_equal(ask(place->writer, "PRAGMA secure_delete"), 1);
	assert_int_equal(run(place->writer, "INSERT INTO b VALUES (1)"), ERR_CONSTRAINT);
}

/* A WAL of 16,000 pages is copied into the database, and that is counted. A WAL of that size is not
 * cut, so it is written in place again. */
static void wal_fits_its_limit(void **state)
{
	struct place *place = *state;
	struct db_counters counters = {0};
	int64_t page = ask(place->writer, "PRAGMA page_size");

	place->writer->counters = &counters;
	assert_int_equal(page, 4096);
	assert_int_equal(run(place->writer, "CREATE TABLE large (value)"), OK);
	assert_int_equal(run(place->writer, "INSERT INTO large VALUES (zeroblob(15000 * 4096))"),
			 OK);
	assert_int_equal(counters.checkpoints, 0);
	assert_int_equal(run(place->writer, "INSERT INTO large VALUES (zeroblob(1000 * 4096))"),
			 OK);
	assert_int_equal(counters.checkpoints, 1);
	assert_true(counters.checkpoint_us > 0);
	assert_true(16100 * (page + 24) < ask(place->writer, "PRAGMA journal_size_limit"));
	place->writer->counters = NULL;
}

/* The file alone, without its WAL, has the rows. */
static void idle_writer_empties_the_wal(void **state)
{
	struct place *place = *state;
	char path[PLACE_BYTES + 8], message[256];
	struct db *alone;

	assert_int_equal(run(place->writer, "INSERT INTO a VALUES (1)"), OK);
	sqlite_driver.on_idle(place->writer);
	assert_int_equal(run(place->writer, "INSERT INTO a VALUES (2)"), OK);
	snprintf(path, sizeof(path), "%s/db", place->folder);
	assert_int_equal(sqlite_driver.open(path, DB_IMMUTABLE, &alone, message, sizeof(message)),
			 OK);
	assert_int_equal(ask(alone, "SELECT max(id) FROM a"), 1);
	sqlite_driver.close(alone);
}

static void reader_cannot_write(void **state)
{
	struct place *place = *state;

	assert_int_equal(ask(place->reader, "PRAGMA query_only"), 1);
	assert_int_not_equal(run(place->reader, "INSERT INTO a VALUES (1)"), OK);
	assert_int_equal(sqlite_driver.script(place->reader, "PRAGMA query_only = OFF"), OK);
	assert_int_not_equal(run(place->reader, "INSERT INTO a VALUES (1)"), OK);
	assert_int_equal(ask(place->writer, "SELECT count(*) FROM a"), 0);
}

static void budget_ends_a_statement(void **state)
{
	static const char endless[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
				      " FROM n) SELECT count(*) FROM n";
	struct place *place = *state;

	sqlite_driver.set_budget(place->reader, 20);
	assert_int_equal(run(place->reader, endless), ERR_TIMEOUT);
	sqlite_driver.set_budget(place->reader, 0);
	assert_int_equal(ask(place->reader, "SELECT count(*) FROM a"), 0);
}

/* A transaction that finds the database full stores nothing, and the next one succeeds when there
 * is room again. */
static void full_is_told(void **state)
{
	static const char fill[] = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1"
				   " FROM n LIMIT 100000) INSERT INTO a SELECT i FROM n";
	struct place *place = *state;

	ask(place->writer, "PRAGMA max_page_count = 8");
	assert_int_equal(sqlite_driver.begin(place->writer), OK);
	assert_int_equal(run(place->writer, fill), ERR_FULL);
	sqlite_driver.rollback(place->writer);
	assert_int_equal(ask(place->reader, "SELECT count(*) FROM a"), 0);
	ask(place->writer, "PRAGMA max_page_count = 10000");
	assert_int_equal(sqlite_driver.begin(place->writer), OK);
	assert_int_equal(run(place->writer, fill), OK);
	assert_int_equal(ask(place->reader, "SELECT count(*) FROM a"), 0);
	assert_int_equal(sqlite_driver.commit(place->writer, NULL, 0), OK);
	assert_int_equal(ask(place->reader, "SELECT count(*) FROM a"), 100000);
}

/* $2 before $1 in the text, and one of them twice. */
static void arguments_go_by_number(void **state)
{
	const struct db_value args[] = {DB_INT_VALUE(10), DB_INT_VALUE(3)};
	struct db_value value = {0};
	const struct db_call call = {.sql = "SELECT $2 - $1 + $2",
				     .args = args,
				     .arg_count = 2,
				     .on_row = take,
				     .context = &value};
	struct place *place = *state;

	assert_int_equal(sqlite_driver.run(place->reader, &call, 1), OK);
	assert_int_equal(value.integer, -4);
}

/* The example of use in db/db.h. */
static void example_commits(void **state)
{
	const struct db_driver *driver = &sqlite_driver;
	const struct db_value args[] = {DB_INT_VALUE(7), DB_TEXT_VALUE(SLICE("seven"))};
	const struct db_call insert = {.sql = "INSERT INTO prime (id, name) VALUES ($1, $2)",
				       .args = args,
				       .arg_count = 2};
	int64_t count = -1;
	const struct db_call count_all = {
		.sql = "SELECT count(*) FROM prime", .on_row = db_number, .context = &count};
	struct place *place = *state;
	struct db *db = place->writer;

	assert_int_equal(driver->script(db, "CREATE TABLE prime (id INTEGER, name TEXT)"), OK);
	assert_int_equal(driver->begin(db), OK);
	assert_int_equal(driver->run(db, &count_all, 1), OK);
	assert_int_equal(count, 0);
	assert_int_equal(driver->commit(db, &insert, 1), OK);
	driver->rollback(db);
	assert_int_equal(driver->run(place->reader, &count_all, 1), OK);
	assert_int_equal(count, 1);
}

/* A row of NULL leaves the number as it is. */
static void number_ignores_null(void **state)
{
	int64_t number = 5;
	const struct db_call ask = {.sql = "SELECT NULL", .on_row = db_number, .context = &number};
	struct place *place = *state;

	assert_int_equal(sqlite_driver.run(place->reader, &ask, 1), OK);
	assert_int_equal(number, 5);
}

/* Sets of ids: a set has each id once, also ids that make it grow. */
static void sets_have_their_ids(void **state)
{
	static const struct row {
		const char *sql;
		int64_t value;
	} rows[] = {
		/* A part has its number and 4,096 bits. */
		{"SELECT hex(docket_bits(v)) = '00000000000000000201' || hex(zeroblob(510))"
		 " FROM (SELECT 1 AS v UNION ALL SELECT 8 UNION ALL SELECT 1)",
		 1},
		{"SELECT length(docket_bits(a)) FROM b WHERE a = 1", 0},
		{"SELECT length(docket_bits(v)) FROM (SELECT -1 AS v UNION ALL SELECT 4095"
		 " UNION ALL SELECT 4096 UNION ALL SELECT 8191 UNION ALL SELECT 0)",
		 3 * 520},
		{"SELECT docket_bit(x'', 0) + docket_bit(x'02', 1)", 0},
		/* Numbers in many parts, with large gaps and in no order, and their neighbours. */
		{"WITH RECURSIVE n (i, v) AS (SELECT 0, 0 UNION ALL SELECT i + 1,"
		 " (i + 1) * 2047 + (i % 7) * 1000000000000 FROM n WHERE i < 2000),"
		 " s (bits) AS (SELECT docket_bits(v) FROM (SELECT v FROM n ORDER BY v % 1009)),"
		 " near (v) AS (SELECT v FROM n UNION SELECT v - 1 FROM n UNION SELECT v + 1 FROM n"
		 " UNION SELECT v + 4096 FROM n)"
		 " SELECT sum(docket_bit((SELECT bits FROM s), v) <> (v IN (SELECT v FROM n)))"
		 " + 10000 * (count(*) < 7000) FROM near",
		 0},
		/* Every third number up to a million, by the set and one by one. */
		{"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000),"
		 " s (bits) AS (SELECT docket_bits(i) FROM n WHERE i % 3 = 0)"
		 " SELECT count(*) FROM n WHERE docket_bit((SELECT bits FROM s), i) <> (i % 3 = 0)",
		 0},
	};
	struct place *place = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(ask(place->reader, rows[i].sql), rows[i].value);
}

#define TABLES                                                                              \
	"CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, name TEXT UNIQUE, price REAL," \
	" picture BLOB, count INTEGER) STRICT;"                                             \
	"CREATE TABLE place (item INTEGER NOT NULL REFERENCES item (id) ON DELETE CASCADE," \
	" name TEXT NOT NULL, value, PRIMARY KEY (name, item)) WITHOUT ROWID;"              \
	"CREATE TABLE word (note TEXT, word TEXT NOT NULL PRIMARY KEY, later TEXT) STRICT;" \
	"CREATE TABLE left_out (id INTEGER PRIMARY KEY) STRICT;"                            \
	"WITH RECURSIVE number (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number"         \
	" WHERE i < 11) INSERT INTO word (word) SELECT 'old' || i FROM number;"             \
	"ALTER TABLE word ADD COLUMN more INTEGER DEFAULT 7; PRAGMA synchronous = OFF;"

/* All rows as one text. */
#define STATE                                                                                \
	"SELECT (SELECT ifnull(group_concat(quote(id) || quote(name) || quote(price) ||"     \
	" quote(substr(picture, 1, 20)) || ifnull(length(picture), 0) || quote(count)), '')" \
	" FROM (SELECT * FROM item ORDER BY id)) || '/' ||"                                  \
	" (SELECT ifnull(group_concat(quote(item) || quote(name) || quote(value)), '')"      \
	" FROM (SELECT * FROM place ORDER BY name, item)) || '/' ||"                         \
	" (SELECT group_concat(quote(CAST(note AS BLOB)) || quote(word) || quote(later) ||"  \
	" quote(more)) FROM (SELECT * FROM word ORDER BY word))"

/* What the transactions do: %1$u is a small random number, %2$u another. */
static const char *const changes[] = {
	("INSERT INTO item VALUES (%1$u, 'name %2$u', %2$u.5, randomblob(%2$u %% 9), NULL)"
	 " ON CONFLICT DO NOTHING"),
	("INSERT INTO item (id, name, count) VALUES (%1$u, NULL, %2$u - 6)"
	 " ON CONFLICT (id) DO UPDATE SET count = count + 1"),
	"INSERT OR REPLACE INTO item VALUES (%1$u, 'name %2$u', 1, zeroblob(300), 1 << 40)",
	"UPDATE OR IGNORE item SET id = %2$u WHERE id = %1$u AND id NOT IN (SELECT item FROM place)",
	"UPDATE item SET name = NULL, price = -price WHERE id < %1$u",
	"UPDATE item SET count = count WHERE id > %1$u",
	"UPDATE item SET picture = CAST(zeroblob(20000) AS BLOB), price = 1e300 WHERE id = %1$u",
	"DELETE FROM item WHERE id = %1$u",
	("INSERT INTO place SELECT id, 'p%2$u', CASE %2$u %% 3 WHEN 0 THEN 'text' WHEN 1 THEN 1.25"
	 " ELSE x'00ff' END FROM item WHERE id < %1$u ON CONFLICT DO NOTHING"),
	"UPDATE place SET value = %2$u WHERE item = %1$u",
	"UPDATE OR REPLACE place SET name = 'p%1$u' WHERE name = 'p%2$u'",
	"DELETE FROM place WHERE item = %1$u OR name = 'p%2$u'",
	"INSERT OR IGNORE INTO word (word, note) VALUES ('é%1$u', char(0) || 'b')",
	"UPDATE word SET note = later, later = word, more = NULL WHERE word > 'é%1$u'",
	"UPDATE word SET more = NULL WHERE word = 'old%1$u'",
	"UPDATE word SET more = 7 WHERE word = 'old%1$u'",
	"DELETE FROM word WHERE word = 'é%1$u'",
	"INSERT OR IGNORE INTO left_out VALUES (%1$u)",
};

static enum err take_text(void *context, const struct db_value *values, size_t count)
{
	assert_int_equal(count, 1);
	buf_add_slice(context, values[0].bytes);
	return OK;
}

static void assert_same_state(struct db *a, struct db *b)
{
	struct buf texts[2] = {0};
	struct db *const dbs[] = {a, b};

	for (size_t i = 0; i < 2; i++) {
		const struct db_call call = {
			.sql = STATE, .on_row = take_text, .context = &texts[i]};

		assert_int_equal(sqlite_driver.run(dbs[i], &call, 1), OK);
		buf_add_char(&texts[i], '\0');
	}
	assert_string_equal(texts[0].ptr, texts[1].ptr);
	buf_release(&texts[0]);
	buf_release(&texts[1]);
}

/* A transaction of a few random changes. */
static void change_at_random(struct db *db, unsigned *seed)
{
	char sql[512];

	for (int left = 1 + rand_r(seed) % 6; left; left--) {
		const char *form =
			changes[(size_t)rand_r(seed) % (sizeof(changes) / sizeof(*changes))];
		unsigned a = (unsigned)rand_r(seed) % 12, b = (unsigned)rand_r(seed) % 12;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(sql, sizeof(sql), form, a, b);
#pragma GCC diagnostic pop
		assert_int_equal(sqlite_driver.script(db, sql), OK);
	}
}

/* A database to which the recorded changes of another are applied has the same rows. */
static void changes_repeat(void **state)
{
	struct place *place = *state;
	struct db *from = place->writer, *to;
	char path[PLACE_BYTES + 8], message[256];
	struct buf recorded = {0};
	unsigned seed = 1;

	snprintf(path, sizeof(path), "%s/to", place->folder);
	assert_int_equal(sqlite_driver.open(path, DB_CREATE, &to, message, sizeof(message)), OK);
	assert_int_equal(sqlite_driver.script(from, TABLES), OK);
	assert_int_equal(sqlite_driver.script(to, TABLES "PRAGMA foreign_keys = OFF"), OK);
	assert_int_equal(sqlite_driver.record(from, true, "left_out"), OK);
	for (int i = 0; i < 400; i++) {
		assert_int_equal(sqlite_driver.begin(from), OK);
		change_at_random(from, &seed);
		if (i % 5 == 0) {
			sqlite_driver.rollback(from);
			continue;
		}
		assert_int_equal(sqlite_driver.commit(from, NULL, 0), OK);
		buf_clear(&recorded);
		assert_int_equal(sqlite_driver.take_changes(from, &recorded), OK);
		assert_int_equal(sqlite_driver.begin(to), OK);
		assert_int_equal(sqlite_driver.apply(to, buf_slice(&recorded)), OK);
		assert_int_equal(sqlite_driver.commit(to, NULL, 0), OK);
		assert_same_state(from, to);
	}
	assert_int_equal(ask(to, "SELECT count(*) FROM left_out"), 0);
	assert_true(ask(from, "SELECT count(*) FROM left_out") > 0);
	buf_release(&recorded);
	sqlite_driver.close(to);
}

struct told {
	struct slow_watch watch;
	int count;
	const char *sql;
	int64_t ms;
};

static void tell(struct slow_watch *watch, const struct db *db, const struct db_call *call,
		 int64_t ms)
{
	struct told *told = (struct told *)(void *)watch;

	(void)db;
	told->count++;
	told->sql = call->sql;
	told->ms = ms;
}

/* Only the statement that takes long is told, also if it stands among others. */
static void slow_statements_are_told(void **state)
{
	static const char slow[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
				   " WHERE i < 3000000) SELECT count(*) FROM n";
	struct place *place = *state;
	struct told told = {.watch = {.bound_ms = 60, .tell = tell}};
	const struct db_call calls[] = {{.sql = "SELECT 1"}, {.sql = slow}, {.sql = "SELECT 2"}};

	place->reader->slow = &told.watch;
	/* With other work on the machine another statement may be slow, but not each time. */
	for (int i = 0; i < 5 && told.count != 1; i++) {
		told.count = 0;
		assert_int_equal(sqlite_driver.run(place->reader, calls, 3), OK);
	}
	assert_int_equal(told.count, 1);
	assert_ptr_equal(told.sql, slow);
	assert_true(told.ms >= 60);
	place->reader->slow = NULL;
	assert_int_equal(sqlite_driver.run(place->reader, calls, 3), OK);
	assert_int_equal(told.count, 1);
}

static void plans_have_no_values(void **state)
{
	struct place *place = *state;
	const struct db_value args[] = {DB_INT_VALUE(7), DB_NULL_VALUE};
	const struct db_call calls[] = {
		{.sql = "SELECT id FROM a WHERE id = $1", .args = args, .arg_count = 1},
		{.sql = "INSERT INTO b (a) SELECT id FROM a WHERE id > $1 AND $2 IS NULL",
		 .args = args,
		 .arg_count = 2},
		{.sql = "SELECT * FROM b, a WHERE a.id = b.a"},
		{.sql = "COMMIT"},
	};
	static const char *const plans[] = {
		"SEARCH a USING INTEGER PRIMARY KEY (rowid=?)",
		"SEARCH a USING INTEGER PRIMARY KEY (rowid>?)",
		"SCAN b; SEARCH a USING INTEGER PRIMARY KEY (rowid=?)",
		"",
	};

	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct buf plan = {0};

		assert_int_equal(sqlite_driver.explain(place->reader, &calls[i], &plan), OK);
		buf_add_char(&plan, '\0');
		assert_string_equal(plan.ptr, plans[i]);
		buf_release(&plan);
	}
	assert_int_equal(ask(place->writer, "SELECT count(*) FROM b"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writer_is_durable),
		TEST(wal_fits_its_limit),
		TEST(idle_writer_empties_the_wal),
		TEST(reader_cannot_write),
		TEST(budget_ends_a_statement),
		TEST(full_is_told),
		TEST(arguments_go_by_number),
		TEST(example_commits),
		TEST(number_ignores_null),
		TEST(sets_have_their_ids),
		TEST(changes_repeat),
		TEST(slow_statements_are_told),
		TEST(plans_have_no_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
