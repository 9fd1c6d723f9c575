/* SPDX-License-Identifier: MIT */
/* What a list costs at 1,000,000 tasks. The test runs EXPLAIN QUERY PLAN on every statement of a
 * list. No statement may scan a table. The number of keys that it sorts and of steps of SQLite's
 * virtual machine is bounded; no time is measured. SQLite counts the steps of docket's own run; to
 * count the keys, the test runs the statement once more on a connection of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sqlite3.h>

#include "db/sqlite_bits.h"
#include "lists/lists_private.h"
#include "model/task.h"
#include "store_place.h"

#define TASKS "1000000"
#define PAGE 100

/* What a page may cost: as many keys as docket gathers after a count, each in about twenty steps,
 * and the walk that it tried before. Or, in place of the keys, sets of ids of a few hundred
 * thousand records, each in about five steps. */
#define KEYS_MAX 50000
#define STEPS_MAX 3000000

/* The account of an agency that has grown. Nearly all old tasks are complete, few cases are large,
 * and a status and a word are rare. Two filters each match many tasks, but never the same ones. `r`
 * looks random and depends on the number of the task. */
static const char *const fill[] = {
	"INSERT INTO task (account_id, id, change, casefile_id, calendar_id, subject_id, status,"
	" due_on, title, title_folded, body, unassigned, alert_at, alert_sent_at, complete_at,"
	" created_at, updated_at)"
	" WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < " TASKS "),"
	" d AS (SELECT i, i * 2654435761 % 1000003 AS r, CASE WHEN i < 900000 AND i % 97 THEN 3"
	"  WHEN i > 980000 AND i % 50 = 0 THEN 1 ELSE i % 2 * 2 END AS status FROM n)"
	" SELECT 1, i, i + 10,"
	" CASE WHEN i % 10 = 0 THEN NULL WHEN i % 20 = 1 THEN 245 ELSE 300 + r % 25000 END,"
	" CASE WHEN i % 20 = 1 THEN 2 WHEN r % 5 < 3 THEN 1 ELSE 3 + r % 9 END,"
	" CASE WHEN i % 10 = 0 OR i % 3 = 0 THEN NULL WHEN i % 20 = 1 THEN 209"
	"  ELSE 400 + r % 25000 END,"
	" status, 18000 + i / 700 + r % 60,"
	" 't', CASE WHEN i % 200000 = 7 THEN 'to zanzibar ' ELSE 'interview ' END ||"
	"  CASE r % 4 WHEN 0 THEN 'the witness ' ELSE 'a neighbour ' END || (r % 5000),"
	" '', i % 7 = 0,"
	" CASE i % 4 WHEN 1 THEN 1600000000 + r * 150 WHEN 2 THEN 1600000000 + i * 150 END,"
	" CASE i % 4 WHEN 2 THEN 1600000000 + i * 150 + r % 60 END,"
	" CASE status WHEN 3 THEN 1600000000 + i * 150 + r END,"
	" 1600000000 + i * 150, 1600000000 + i * 150 + r FROM d",
	/* Staff member 1 has a tenth of all tasks, each other one about ten thousand. */
	"INSERT INTO task_user (account_id, task_id, staff_id, status, due_on)"
	" SELECT 1, id, CASE WHEN id % 10 = 3 THEN 1 ELSE 2 + id * 2654435761 % 100 END, status,"
	" due_on FROM task WHERE unassigned = 0",
	FILL_TALLIES,
	"INSERT INTO task_words (rowid, title) SELECT account_id << 40 | id, title_folded FROM task",
};

struct place {
	char folder[PLACE_BYTES];
	struct store *store;
	sqlite3 *own;
	/* Of the current query. */
	uint64_t sorted, steps;
	bool counting, sorts_freely; /* freely: `sorted` is not counted */
	char wrong[4096];            /* what is wrong with a plan; "" */
};

static struct place *the_place;           /* a driver has no context for a test */
static _Thread_local const char *running; /* what docket runs, until it has ended; else NULL */

/* Makes the indexes after the rows, which is much faster. */
static void fill_database(sqlite3 *db)
{
	sqlite3_stmt *indexes;
	char *drop[64], *create[64];
	int count = 0;

	assert_int_equal(sqlite3_prepare_v2(db,
					    "SELECT 'DROP INDEX ' || name, sql FROM sqlite_schema"
					    " WHERE type = 'index' AND sql IS NOT NULL",
					    -1, &indexes, NULL),
			 SQLITE_OK);
	while (sqlite3_step(indexes) == SQLITE_ROW && count < 64) {
		drop[count] = strdup((const char *)sqlite3_column_text(indexes, 0));
		create[count++] = strdup((const char *)sqlite3_column_text(indexes, 1));
	}
	sqlite3_finalize(indexes);
	assert_in_range(count, 10, 63);
	for (int i = 0; i < count; i++)
		assert_int_equal(sqlite3_exec(db, drop[i], NULL, NULL, NULL), SQLITE_OK);
	for (size_t i = 0; i < FIELD_COUNT(fill); i++)
		if (sqlite3_exec(db, fill[i], NULL, NULL, NULL))
			fail_msg("%s", sqlite3_errmsg(db));
	for (int i = 0; i < count; i++) {
		assert_int_equal(sqlite3_exec(db, create[i], NULL, NULL, NULL), SQLITE_OK);
		free(drop[i]);
		free(create[i]);
	}
}

/* SQLite calls this when a statement has ended. Those of the text index itself do not count. */
static int statement_ended(unsigned event, void *context, void *statement, void *nanoseconds)
{
	(void)event;
	(void)context;
	(void)nanoseconds;
	if (!running || strcmp(sqlite3_sql(statement), running) != 0)
		return 0;
	the_place->steps += (uint64_t)sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 1);
	if (sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_AUTOINDEX, 1))
		snprintf(the_place->wrong, sizeof(the_place->wrong), "an index for one run: %s",
			 running);
	running = NULL;
	return 0;
}

/* SQLite calls this for each new connection. */
static int connection_opened(sqlite3 *db, char **message, const struct sqlite3_api_routines *api)
{
	(void)message;
	(void)api;
	return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, statement_ended, NULL);
}

static enum err record_run(struct db *db, const struct db_call *calls, size_t count);

static int make_place(void **state)
{
	static struct db_driver recording;
	struct place *place = calloc(1, sizeof(*place));
	char path[PLACE_BYTES + 16];
	sqlite3 *db;

	place_make(place->folder);
	snprintf(path, sizeof(path), "%s/docket.db", place->folder);
	assert_int_equal(create_store(place->folder), OK);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	/* Without a journal, each page is written once. */
	assert_int_equal(sqlite3_exec(db,
				      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
				      "PRAGMA cache_size = -500000; BEGIN",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	fill_database(db);
	assert_int_equal(sqlite3_exec(db, "COMMIT; PRAGMA journal_mode = WAL", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(sqlite3_auto_extension((void (*)(void))connection_opened), SQLITE_OK);
	place->store = open_store(place->folder);
	assert_non_null(place->store);
	/* Under sanitizers or on a slow disk a read may take longer than a server allows. */
	place->store->config.read_budget_ms = 0;
	assert_int_equal(sqlite3_open_v2(path, &place->own, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(sqlite_add_bits(place->own), SQLITE_OK);
	recording = sqlite_driver;
	recording.run = record_run;
	place->store->driver = &recording;
	the_place = place;
	*state = place;
	return 0;
}

static int remove_place(void **state)
{
	struct place *place = *state;

	sqlite3_close(place->own);
	store_close(place->store);
	place_remove(place->folder);
	free(place);
	return 0;
}

static sqlite3_stmt *prepare(const char *format, const struct db_call *call)
{
	char *sql = sqlite3_mprintf(format, call->sql);
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(the_place->own, sql, -1, &statement, NULL))
		fail_msg("%s: %s", sql, sqlite3_errmsg(the_place->own));
	for (size_t i = 0; i < call->arg_count; i++) {
		const struct db_value *arg = &call->args[i];
		char name[24];
		int at;

		snprintf(name, sizeof(name), "$%zu", i + 1);
		at = sqlite3_bind_parameter_index(statement, name);
		if (arg->type == DB_INT)
			sqlite3_bind_int64(statement, at, arg->integer);
		else if (arg->type == DB_BYTES)
			sqlite3_bind_blob(statement, at, arg->bytes.len ? arg->bytes.ptr : "",
					  (int)arg->bytes.len, SQLITE_TRANSIENT);
		else
			sqlite3_bind_text(statement, at, arg->bytes.len ? arg->bytes.ptr : "",
					  (int)arg->bytes.len, SQLITE_TRANSIENT);
	}
	sqlite3_free(sql);
	return statement;
}

/* A statement may scan only what it makes itself, such as a JSON array of ids or a part of a UNION
 * ALL, and the text index, in which MATCH looks up words. */
static bool may_be_scanned(const char *what, const char *sql)
{
	static const char *const made[] = {"json_each ", "k ", "q", "(", "f VIRTUAL", "CONSTANT"};

	if (strcmp(what, "u") == 0)
		return strstr(sql, "DISTINCT") != NULL;
	for (size_t i = 0; i < FIELD_COUNT(made); i++)
		if (strncmp(what, made[i], strlen(made[i])) == 0)
			return true;
	return false;
}

/* Checks the plan of a statement; true if the statement sorts. */
static bool check_plan(const struct db_call *call)
{
	sqlite3_stmt *plan = prepare("EXPLAIN QUERY PLAN %s", call);
	bool sorts = false;

	while (sqlite3_step(plan) == SQLITE_ROW) {
		const unsigned char *text = sqlite3_column_text(plan, 3);
		const char *detail = text ? (const char *)text : "";

		bool scans =
			strncmp(detail, "SCAN ", 5) == 0 && !may_be_scanned(detail + 5, call->sql);
		/* A count must not read the tasks' rows: a covering index has all that it needs, or
		 * the tallies, which are few. But it reads the titles that wait for the text
		 * index. */
		bool looks = the_place->counting && strstr(detail, "(account_id=?)") &&
			     !strstr(detail, "COVERING") && !strstr(detail, "task_tally") &&
			     !strstr(detail, "SEARCH p ") && !strstr(detail, "task_pending");

		/* A test that failed here would leave the reading connection taken. */
		if (scans || looks || strstr(detail, "AUTOMATIC"))
			snprintf(the_place->wrong, sizeof(the_place->wrong), "%s: %s", detail,
				 call->sql);
		sorts |= strstr(detail, "TEMP B-TREE FOR ORDER BY") != NULL;
	}
	sqlite3_finalize(plan);
	return sorts;
}

/* How many rows came before the limit: the last arguments are the limit and the offset. */
static uint64_t rows_sorted(const struct db_call *call)
{
	struct db_value args[64] = {{0}};
	struct db_call all = *call;
	bool offset = strstr(call->sql, " OFFSET ") != NULL;
	sqlite3_stmt *statement;
	uint64_t rows;

	memcpy(args, call->args, call->arg_count * sizeof(*args));
	args[call->arg_count - 1] = DB_INT_VALUE(offset ? 0 : INT64_MAX);
	if (offset)
		args[call->arg_count - 2] = DB_INT_VALUE(INT64_MAX);
	all.args = args;
	statement = prepare("SELECT count(*) FROM (%s)", &all);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	rows = (uint64_t)sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return rows;
}

static enum err record_run(struct db *db, const struct db_call *calls, size_t count)
{
	enum err err = OK;

	for (size_t i = 0; !err && i < count; i++) {
		if (check_plan(&calls[i]) && !the_place->counting && !the_place->sorts_freely)
			the_place->sorted += rows_sorted(&calls[i]);
		running = calls[i].sql;
		err = sqlite_driver.run(db, &calls[i], 1);
		if (running)
			snprintf(the_place->wrong, sizeof(the_place->wrong), "not counted: %s",
				 running);
		running = NULL;
	}
	return err;
}

#define VALUES 40

struct with {
	const char *field;
	enum filter_op op;
	int64_t value; /* or the bound */
	size_t more;   /* how many values follow, each greater by one */
	const char *text;
	bool none;
};

#define ANY(f, v)                                            \
	{                                                    \
		.field = (f), .op = FILTER_ANY, .value = (v) \
	}
#define SOME(f, v, n)                                                       \
	{                                                                   \
		.field = (f), .op = FILTER_ANY, .value = (v), .more = (n)-1 \
	}
#define OR_NONE(f, v)                                                                 \
	{                                                                             \
		.field = (f), .op = FILTER_ANY, .value = (v), .more = 1, .none = true \
	}
#define NONE(f)                                              \
	{                                                    \
		.field = (f), .op = FILTER_ANY, .none = true \
	}
#define FROM(f, v)                                            \
	{                                                     \
		.field = (f), .op = FILTER_FROM, .value = (v) \
	}
#define TO(f, v)                                            \
	{                                                   \
		.field = (f), .op = FILTER_TO, .value = (v) \
	}
#define HAS(t)                                                              \
	{                                                                   \
		.field = "title_folded", .op = FILTER_CONTAINS, .text = (t) \
	}
#define AT(task) (INT64_C(1600000000) + INT64_C(150) * (task))

/* `rare`: no task matches, and docket has to read each task to find that out. */
static const struct row {
	const char *what;
	struct with with[3];
	bool rare;
} rows[] = {
	{"nothing", {{0}}},
	{"id", {ANY("id", 500000)}},
	{"a calendar", {ANY("calendar_id", 5)}},
	{"the commonest calendar", {ANY("calendar_id", 1)}},
	{"a case", {ANY("casefile_id", 777)}},
	{"a large case", {ANY("casefile_id", 245)}},
	{"no case", {NONE("casefile_id")}},
	{"a subject", {ANY("subject_id", 777)}},
	{"no subject", {NONE("subject_id")}},
	{"a user", {ANY("users_list", 50)}},
	{"the busiest user", {ANY("users_list", 1)}},
	{"no user", {NONE("users_list")}},
	{"status complete", {ANY("status", TASK_COMPLETE)}},
	{"a rare status", {ANY("status", TASK_NEEDS_ACTION)}},
	{"a common word", {HAS("witness")}},
	{"a rare word", {HAS("zanzibar")}},
	{"no such word", {HAS("qqqq")}},
	{"two characters", {HAS("wi")}},
	{"two characters of no title", {HAS("qq")}, .rare = true},
	{"several cases", {SOME("casefile_id", 700, 5)}},
	{"many cases", {SOME("casefile_id", 700, 30)}},
	{"a case or none", {OR_NONE("casefile_id", 777)}},
	{"several users", {SOME("users_list", 40, 4)}},
	{"many users", {SOME("users_list", 40, 20)}},
	{"a user or none", {OR_NONE("users_list", 50)}},
	{"several statuses", {SOME("status", TASK_NEEDS_ACTION, 3)}},
	{"several users by status", {SOME("users_list", 40, 4), ANY("status", TASK_COMPLETE)}},
	{"due from", {FROM("due_on", 19400)}},
	{"due to", {TO("due_on", 18030)}},
	{"due in a month", {FROM("due_on", 18700), TO("due_on", 18730)}},
	{"complete from", {FROM("complete_at", AT(500000))}},
	{"complete to", {TO("complete_at", AT(500000))}},
	{"complete in a month", {FROM("complete_at", AT(500000)), TO("complete_at", AT(517000))}},
	{"alert from", {FROM("alert_at", AT(500000))}},
	{"alert to", {TO("alert_at", AT(500000))}},
	{"alert sent from", {FROM("alert_sent_at", AT(500000))}},
	{"alert sent to", {TO("alert_sent_at", AT(500000))}},
	{"created from", {FROM("created_at", AT(500000))}},
	{"created to", {TO("created_at", AT(500000))}},
	{"created in a month", {FROM("created_at", AT(500000)), TO("created_at", AT(517000))}},
	{"updated from", {FROM("updated_at", AT(500000))}},
	{"updated to", {TO("updated_at", AT(500000))}},
	{"a user's by status", {ANY("users_list", 50), ANY("status", TASK_COMPLETE)}},
	{"the busiest user's by status", {ANY("users_list", 1), ANY("status", TASK_IN_PROGRESS)}},
	{"a user's due", {ANY("users_list", 50), TO("due_on", 19000)}},
	{"status and due", {ANY("status", TASK_NONE), FROM("due_on", 19400), TO("due_on", 19430)}},
	{"status and overdue", {ANY("status", TASK_IN_PROGRESS), TO("due_on", 19500)}},
	{"a case's by status", {ANY("casefile_id", 777), ANY("status", TASK_COMPLETE)}},
	{"a large case's by status", {ANY("casefile_id", 245), ANY("status", TASK_IN_PROGRESS)}},
	{"a calendar's due", {ANY("calendar_id", 5), FROM("due_on", 19400)}},
	{"a calendar's by status", {ANY("calendar_id", 1), ANY("status", TASK_NEEDS_ACTION)}},
	{"a subject's by status", {ANY("subject_id", 777), ANY("status", TASK_COMPLETE)}},
	{"a case and a word", {ANY("casefile_id", 245), HAS("witness")}},
	{"a status and updated", {ANY("status", TASK_NONE), FROM("updated_at", AT(990000))}},
	{"a user's alerts", {ANY("users_list", 50), FROM("alert_at", AT(900000))}},
	{"never together", {ANY("users_list", 1), ANY("status", TASK_NONE)}, .rare = true},
};

/* The sorts that every row is tested with, and those that only the row without filters is tested
 * with. */
static const char *const common_sorts[] = {"id", "due_on"};
static const char *const sorts[] = {"id",         "due_on",   "title_folded", "created_at",
				    "updated_at", "alert_at", "complete_at"};

struct question {
	struct condition conditions[3];
	int64_t values[3][VALUES];
	size_t count;
};

static void question_of(const struct row *row, struct question *question)
{
	size_t count = 0;

	for (; count < 3 && row->with[count].field; count++) {
		const struct with *with = &row->with[count];

		for (size_t i = 0; i <= with->more; i++)
			question->values[count][i] = with->value + (int64_t)i;
		question->conditions[count] = (struct condition){
			.field = field_of(&task_type, with->field),
			.op = with->op,
			.values = question->values[count],
			.count = with->op == FILTER_ANY && with->value ? with->more + 1 : 0,
			.none = with->none,
			.bound = with->value,
			.text = slice_of(with->text),
		};
		/* The status none is 0. */
		if (with->op == FILTER_ANY && !with->none && !with->value)
			question->conditions[count].count = 1;
	}
	question->count = count;
}

struct page {
	const struct field *sort;
	size_t count;
	struct list_position last;
	char text[256];
};

static enum err page_record(void *context, const void *record)
{
	struct page *page = context;

	page->count++;
	page->last = list_position_of(record, page->sort);
	snprintf(page->text, sizeof(page->text), "%.*s", (int)page->last.text.len,
		 page->last.text.ptr ? page->last.text.ptr : "");
	page->last.text = slice_of(page->text);
	return OK;
}

static void begin(struct place *place, bool counting)
{
	place->sorted = place->steps = 0;
	place->counting = counting;
	place->sorts_freely = false;
}

/* Whether the only filters are ranges on other fields than the sort. Then docket sorts all keys in
 * the range, unless a walk in the order of the sort finds the page soon. */
static bool range_meets_order(const struct list_query *query)
{
	for (size_t i = 0; i < query->condition_count; i++)
		if (query->conditions[i].op == FILTER_ANY ||
		    query->conditions[i].op == FILTER_CONTAINS ||
		    query->conditions[i].field == query->sort)
			return false;
	return query->condition_count > 0;
}

/* Reads one page; `page` then has its last record's position. */
static void read_page(struct place *place, struct list_query *query, struct page *page)
{
	const struct scope scope = {1, 1};
	const struct list_sink sink = {.on_record = page_record, .context = page};
	struct arena arena = {0};
	bool more;

	page->count = 0;
	page->sort = query->sort;
	assert_int_equal(read_list(place->store, &scope, RECORD_TASK, query, &arena, &sink, &more,
				   NULL),
			 OK);
	arena_release(&arena);
	assert_string_equal(place->wrong, "");
}

/* The same for the query of a row, whose costs are bounded. */
static void ask(struct place *place, const struct row *row, struct list_query *query,
		struct page *page)
{
	begin(place, false);
	place->sorts_freely = row->rare || range_meets_order(query);
	read_page(place, query, page);
	if (place->sorts_freely)
		return;
	if (place->sorted > KEYS_MAX)
		fail_msg("%s by %s%s: %" PRIu64 " keys sorted", row->what, query->sort->name,
			 query->descending ? " desc" : "", place->sorted);
	if (place->steps > STEPS_MAX)
		fail_msg("%s by %s%s: %" PRIu64 " steps", row->what, query->sort->name,
			 query->descending ? " desc" : "", place->steps);
}

/* The first page, the one behind it and one far behind, as a cursor asks for them. */
static void walk(struct place *place, const struct row *row, const char *sort, bool descending)
{
	struct question question;
	struct page page;
	struct list_position after;
	struct list_query query = {
		.conditions = question.conditions,
		.sort = field_of(&task_type, sort),
		.descending = descending,
		.limit = PAGE,
	};

	question_of(row, &question);
	query.condition_count = question.count;
	ask(place, row, &query, &page);
	query.offset = PAGE;
	ask(place, row, &query, &page);
	query.offset = 0;
	if (page.count == 0)
		return;
	after = page.last;
	query.after = &after;
	ask(place, row, &query, &page);
}

static void no_page_costs_more(void **state)
{
	for (size_t i = 0; i < FIELD_COUNT(rows); i++)
		for (size_t j = 0; j < FIELD_COUNT(common_sorts); j++) {
			walk(*state, &rows[i], common_sorts[j], false);
			walk(*state, &rows[i], common_sorts[j], true);
		}
}

static void no_sort_costs_more(void **state)
{
	for (size_t i = 0; i < FIELD_COUNT(sorts); i++) {
		walk(*state, &rows[0], sorts[i], false);
		walk(*state, &rows[0], sorts[i], true);
	}
}

/* Two large sets of ids without a common one: an empty page in every order. */
static void nothing_in_common(void **state)
{
	for (size_t i = 0; i < FIELD_COUNT(rows); i++)
		for (size_t j = 0; j < FIELD_COUNT(sorts) && rows[i].rare; j++)
			walk(*state, &rows[i], sorts[j], false);
}

/* Deep pages: the records of a cursor's page cost the same wherever they are. */
static void depth_costs_nothing(void **state)
{
	struct place *place = *state;
	struct list_position after = {.id = 900000, .integer = 19285};
	struct page page;

	for (size_t i = 0; i < FIELD_COUNT(common_sorts); i++) {
		struct list_query query = {
			.sort = field_of(&task_type, common_sorts[i]),
			.limit = PAGE,
			.after = &after,
		};

		ask(place, &rows[0], &query, &page);
		assert_int_equal(page.count, PAGE);
		assert_int_equal(place->sorted, 0);
		assert_in_range(place->steps, 1, 20000);
	}
}

static enum err any_related(void *context, size_t expansion, const void *record)
{
	(void)context;
	(void)expansion;
	(void)record;
	return OK;
}

/* The records that a page expands are looked up by their ids. */
static void expansions_look_up(void **state)
{
	struct place *place = *state;
	const struct scope scope = {1, 1};
	struct page page = {.sort = field_of(&task_type, "id")};
	const struct list_sink sink = {
		.on_record = page_record, .on_related = any_related, .context = &page};
	const struct list_query query = {
		.sort = page.sort,
		.limit = PAGE,
		.expansions = (UINT32_C(1) << task_type.lists->expansion_count) - 1,
	};
	struct arena arena = {0};
	bool more;

	begin(place, false);
	assert_int_equal(read_list(place->store, &scope, RECORD_TASK, &query, &arena, &sink, &more,
				   NULL),
			 OK);
	arena_release(&arena);
	assert_int_equal(page.count, PAGE);
	assert_in_range(place->steps, 1, 100000);
}

/* For a page by number, docket walks over the earlier pages, and does not sort them. */
static void pages_are_walked(void **state)
{
	static const struct row row = {"a range", {FROM("complete_at", AT(1))}};
	struct question question;
	struct page page;
	struct list_query query = {
		.conditions = question.conditions,
		.sort = field_of(&task_type, "title_folded"),
		.offset = 100 * PAGE,
		.limit = PAGE,
	};
	struct place *place = *state;

	question_of(&row, &question);
	query.condition_count = question.count;
	begin(place, false);
	read_page(place, &query, &page);
	assert_int_equal(page.count, PAGE);
	assert_in_range(place->sorted, 0, KEYS_MAX);
	assert_in_range(place->steps, 1, STEPS_MAX);
}

/* Deep pages by number cost little where the tallies have the number of the records: docket jumps
 * over whole blocks of ids, and in other orders walks from the nearer end. */
static void tallies_spare_walks(void **state)
{
	static const struct row few[] = {
		{"nothing", {{0}}},
		{"status complete", {ANY("status", TASK_COMPLETE)}},
		{"the commonest calendar", {ANY("calendar_id", 1)}},
		{"several statuses", {SOME("status", TASK_NEEDS_ACTION, 3)}},
	};
	struct place *place = *state;
	struct question question;
	struct page page;

	for (size_t i = 0; i < FIELD_COUNT(few) * 2; i++) {
		struct list_query query = {
			.conditions = question.conditions,
			.sort = field_of(&task_type, "id"),
			.descending = i % 2,
			.offset = i / 2 == 0 ? 500000 : 400000,
			.limit = PAGE,
		};

		question_of(&few[i / 2], &question);
		query.condition_count = question.count;
		ask(place, &few[i / 2], &query, &page);
		assert_int_equal(page.count, PAGE);
		assert_in_range(place->steps, 1, 250000);
	}
	for (size_t i = 0; i < FIELD_COUNT(sorts); i++) {
		struct list_query query = {
			.sort = field_of(&task_type, sorts[i]), .offset = 999900, .limit = PAGE};

		ask(place, &few[0], &query, &page);
		assert_int_equal(page.count, PAGE);
		assert_in_range(place->steps, 1, 250000);
	}
}

/* No query has more arguments than a statement accepts. */
static void everything_at_once(void **state)
{
	struct place *place = *state;
	const struct scope scope = {1, 1};
	struct list_position after = {.id = 5, .text = SLICE("a")};
	struct condition conditions[32];
	int64_t values[LIST_BRANCHES_MAX], count;
	struct page page = {.sort = field_of(&task_type, "title_folded")};
	const struct list_sink sink = {.on_record = page_record, .context = &page};
	struct list_query query = {.conditions = conditions,
				   .sort = page.sort,
				   .offset = 1,
				   .limit = 1,
				   .after = &after};
	struct arena arena = {0};
	bool more;

	for (size_t i = 0; i < LIST_BRANCHES_MAX; i++)
		values[i] = (int64_t)i + 1;
	for (size_t i = 0; i < task_type.lists->filter_count; i++) {
		const struct filter *filter = &task_type.lists->filters[i];

		conditions[query.condition_count++] = (struct condition){
			.field = field_of(&task_type, filter->field),
			.op = filter->op,
			.values = values,
			.count = filter->op == FILTER_ANY ? LIST_BRANCHES_MAX : 0,
			.none = filter->none,
			.bound = filter->op == FILTER_TO ? INT64_C(4000000000) : 1,
			.text = SLICE(
				"a needle of more than sixty-four characters, which is looked at"
				" again where it was found"),
		};
	}
	for (size_t i = 0; i < FIELD_COUNT(sorts); i++) {
		begin(place, false);
		query.sort = page.sort = field_of(&task_type, sorts[i]);
		assert_int_equal(read_list(place->store, &scope, RECORD_TASK, &query, &arena, &sink,
					   &more, NULL),
				 OK);
		assert_int_equal(read_list(place->store, &scope, RECORD_TASK, &query, &arena, NULL,
					   NULL, &count),
				 OK);
	}
	arena_release(&arena);
}

/* A count reads a covering index. */
static void counts_look_at_indexes(void **state)
{
	struct place *place = *state;
	const struct scope scope = {1, 1};

	for (size_t i = 0; i < FIELD_COUNT(rows); i++) {
		struct question question;
		struct list_query query = {.conditions = question.conditions};
		struct arena arena = {0};
		int64_t count;

		question_of(&rows[i], &question);
		query.condition_count = question.count;
		begin(place, true);
		assert_int_equal(read_list(place->store, &scope, RECORD_TASK, &query, &arena, NULL,
					   NULL, &count),
				 OK);
		arena_release(&arena);
		assert_string_equal(place->wrong, "");
	}
}

/* Many titles wait for the text index, as under load: all tests of words again. */
static void words_cost_no_more_while_titles_wait(void **state)
{
	struct place *place = *state;
	char path[PLACE_BYTES + 16];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/docket.db", place->folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db,
			 "INSERT INTO task_pending SELECT account_id, id, title_folded FROM task"
			 " WHERE account_id = 1 ORDER BY id DESC LIMIT 1024",
			 NULL, NULL, NULL))
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
	for (size_t i = 0; i < FIELD_COUNT(rows); i++) {
		bool searches = false;

		for (size_t j = 0; j < FIELD_COUNT(rows[i].with); j++)
			searches |= rows[i].with[j].op == FILTER_CONTAINS;
		for (size_t j = 0; j < FIELD_COUNT(common_sorts) && searches; j++) {
			walk(place, &rows[i], common_sorts[j], false);
			walk(place, &rows[i], common_sorts[j], true);
		}
	}
	counts_look_at_indexes(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_page_costs_more),
		cmocka_unit_test(no_sort_costs_more),
		cmocka_unit_test(nothing_in_common),
		cmocka_unit_test(depth_costs_nothing),
		cmocka_unit_test(expansions_look_up),
		cmocka_unit_test(pages_are_walked),
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(counts_look_at_indexes),
		cmocka_unit_test(tallies_spare_walks),
		cmocka_unit_test(words_cost_no_more_while_titles_wait),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
