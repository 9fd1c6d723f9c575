/* SPDX-License-Identifier: MIT */
/* Moves a database: copies it, and compares the copy.
 *
 * Rows are copied in the order of their keys, one page in each transaction of the target. So after
 * an interrupted run, the last key of a table in the target says how far the copy is. Nothing else
 * need be remembered. */
#include "move/move.h"

#include <time.h>

#include "move_private.h"
#include "place/schema.h"

/* Statements and bytes that are sent to the target together. */
#define CALLS_AT_ONCE 512
#define BYTES_AT_ONCE (1024 * 1024)
#define LOCK_TRIES 4 /* each waits for a second */

enum err move_fail(struct move *move, const struct side *side, enum err err, const char *what,
		   const char *table)
{
	if (!move->why->len)
		buf_printf(move->why, "the %s: cannot %s the table %s: %s: %s", side->name, what,
			   table, err_text(err), side->store->driver->message(side->db));
	return err;
}

void move_begin(struct move *move, const char *what, int64_t total)
{
	move->what = what;
	move->done = 0;
	move->total = total;
	move_step(move, 0);
}

void move_step(struct move *move, int64_t rows)
{
	move->done += rows;
	if (move->what)
		move->on_progress(move->context, move->what, move->done, move->total);
}

enum err move_blame(struct move *move, const struct side *side, enum err err, struct buf *said)
{
	if (err && said->len)
		buf_printf(move->why, "the %s: %.*s", side->name, (int)said->len, said->ptr);
	buf_release(said);
	return err;
}

/* Locks a side. If a process was killed, a PostgreSQL server first finishes its statement and then
 * releases its lock, so this tries several times. */
enum err side_lock(struct side *side, struct buf *said)
{
	struct store *store = side->store;
	enum err err = store_lock(store, said);

	for (int i = 1; i < LOCK_TRIES && err == ERR_BUSY && store->config.database; i++) {
		store->driver->close(store->write_db);
		store->write_db = NULL;
		buf_clear(said);
		err = store_lock(store, said);
	}
	return err;
}

/* The lock of a PostgreSQL database belongs to a session that is otherwise idle. If that session
 * has ended, other processes may have opened the database since. */
enum err side_hold(struct move *move, const struct side *side)
{
	struct store *store = side->store;
	const struct db_call ask = {.sql = "SELECT 1"};
	bool apart = store->write_db && store->write_db != side->db;
	enum err err = apart ? store->driver->run(store->write_db, &ask, 1) : OK;

	if (err && !move->why->len)
		buf_printf(move->why,
			   "the %s: cannot keep others away from it until the end: %s: %s",
			   side->name, err_text(err), store->driver->message(store->write_db));
	return err;
}

static enum err source_open(struct move *move)
{
	struct store *store = move->from.store;
	struct buf said = {0};
	int64_t schema = 0;
	enum err err = side_lock(&move->from, &said);

	/* Replaces the message of side_lock(), which advises to make a database. There is nothing
	 * to move from a new one. */
	if (err == ERR_NOT_FOUND && store->config.folder) {
		buf_clear(&said);
		buf_printf(&said, "there is no database in %s", store->config.folder);
	}
	if (!err)
		err = store_open_reading(store, &move->from.db, &said);
	if (!err)
		err = store_read_schema(store, move->from.db, false, &schema, &said);
	if (err == ERR_NOT_FOUND && !store->config.folder) {
		buf_clear(&said);
		buf_add_text(&said, "the database has no tables of docket");
	}
	return move_blame(move, &move->from, err, &said);
}

/* The digest of the source and its state: the rows of its small tables, which include the last
 * change numbers and a secret, and the number of rows of the others. */
static enum err source_mark(struct move *move)
{
	struct digest digest;
	enum err err = OK;

	digest_init(&digest);
	for (size_t i = 0; i < SQL_TABLES && !err; i++) {
		unsigned char rows[DIGEST_BYTES];
		struct sum sum;

		sum_begin(&sum);
		while (sql_tables[i].identifies && sum.more && !err)
			err = sum_page(move, &move->from, i, &sum);
		sum_end(&sum, rows);
		digest_add(&digest, (struct slice){(const char *)rows, sizeof(rows)});
		if (!err)
			err = rows_count(move, &move->from, i, &move->counts[i]);
		digest_add_int(&digest, move->counts[i]);
	}
	digest_final(&digest, move->mark);
	return err;
}

struct copying {
	struct move *move;
	const struct sql_table *table;
	const struct shape *shape;
	const char *insert;
	struct arena arena; /* of the statements that are not sent yet */
	struct calls calls;
	size_t bytes, rows;
};

static enum err copying_flush(struct copying *copying)
{
	struct move *move = copying->move;
	enum err err =
		move->to.store->driver->run(move->to.db, copying->calls.list, copying->calls.count);

	if (err)
		return move_fail(move, &move->to, err, "write", copying->table->name);
	move_step(move, (int64_t)copying->rows);
	arena_release(&copying->arena);
	copying->calls = (struct calls){.arena = &copying->arena};
	copying->bytes = copying->rows = 0;
	return OK;
}

/* Lists the insert of a row. The row's values live only until this returns, so they are copied. */
static enum err copying_row(void *context, const struct db_value *values, size_t count)
{
	struct copying *copying = context;
	const struct text_index *index = sql_dialect(copying->move->to.store->driver)->text_index;
	struct db_value *args = arena_alloc(&copying->arena, (count + 3) * sizeof(*args));
	enum err err;

	if (!args)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		args[i] = values[i];
		if (values[i].type != DB_TEXT && values[i].type != DB_BYTES)
			continue;
		args[i].bytes.ptr = arena_copy(&copying->arena, values[i].bytes);
		if (!args[i].bytes.ptr)
			return ERR_NOMEM;
		copying->bytes += values[i].bytes.len;
	}
	err = calls_add(&copying->calls, copying->insert, args, count, NULL, NULL);
	if (!err && copying->table->indexed && index) {
		args[count] = args[copying->shape->key[0]];
		args[count + 1] = args[copying->shape->key[1]];
		args[count + 2] = args[copying->shape->indexed];
		err = calls_add(&copying->calls, index->insert, args + count, 3, NULL, NULL);
	}
	copying->rows++;
	if (!err && (copying->calls.count >= CALLS_AT_ONCE || copying->bytes >= BYTES_AT_ONCE))
		err = copying_flush(copying);
	return err;
}

static char *move_insert_sql(struct move *move, size_t table)
{
	const struct shape *shape = &move->shapes[table];
	struct buf names = {0}, values = {0};
	char *sql = NULL;

	for (size_t i = 0; i < shape->count; i++) {
		buf_printf(&names, "%s%s", i ? ", " : "", shape->names[i]);
		buf_printf(&values, "%s$%zu", i ? ", " : "", i + 1);
	}
	if (!names.failed && !values.failed)
		sql = arena_printf(&move->arena, "INSERT INTO %s (%.*s) VALUES (%.*s)",
				   sql_tables[table].name, (int)names.len, names.ptr,
				   (int)values.len, values.ptr);
	buf_release(&names);
	buf_release(&values);
	return sql;
}

/* Copies a page of rows, in the open transaction. */
static enum err copying_page(struct copying *copying, struct key *key, bool *more_out)
{
	struct move *move = copying->move;
	enum err err = rows_read(move, &move->from, (size_t)(copying->table - sql_tables), key,
				 copying_row, copying, more_out);

	return !err && copying->calls.count ? copying_flush(copying) : err;
}

/* Copies a table. `alone`: each page in a transaction of its own; else in the open one. */
static enum err table_copy(struct move *move, size_t table, bool alone)
{
	const struct db_driver *driver = move->to.store->driver;
	struct copying copying = {
		.move = move,
		.table = &sql_tables[table],
		.shape = &move->shapes[table],
		.insert = move_insert_sql(move, table),
	};
	struct key key = {0};
	bool more = true;
	enum err err = copying.insert ? key_last(move, &move->to, table, &key) : ERR_NOMEM;

	copying.calls.arena = &copying.arena;
	while (more && !err) {
		if (alone)
			err = driver->begin(move->to.db);
		if (!err)
			err = copying_page(&copying, &key, &more);
		if (!err && alone)
			err = driver->commit(move->to.db, NULL, 0);
		if (err) {
			move_fail(move, &move->to, err, "write", copying.table->name);
			driver->rollback(move->to.db);
		}
	}
	arena_release(&copying.arena);
	key_release(&key);
	return err;
}

/* Reads both sides a page at a time in turn, so that neither is idle for long within its
 * transaction. */
static enum err table_compare(struct move *move, size_t table)
{
	const struct side *sides[] = {&move->from, &move->to};
	unsigned char digests[2][DIGEST_BYTES];
	struct sum sums[2];
	enum err err = OK;

	for (size_t i = 0; i < 2; i++)
		sum_begin(&sums[i]);
	while ((sums[0].more || sums[1].more) && !err)
		for (size_t i = 0; i < 2 && !err; i++)
			if (sums[i].more)
				err = sum_page(move, sides[i], table, &sums[i]);
	for (size_t i = 0; i < 2; i++)
		sum_end(&sums[i], digests[i]);
	if (err || memcmp(digests[0], digests[1], DIGEST_BYTES) == 0)
		return err;
	buf_printf(move->why, "the table %s differs: the source has %lld rows, the target %lld%s",
		   sql_tables[table].name, (long long)sums[0].rows, (long long)sums[1].rows,
		   move->was_whole ? "" : ". The target is left as it is and cannot be used");
	return ERR_CORRUPT;
}

/* Fills the table `migration`. Once this is committed, the target is a database of docket. */
static enum err target_mark(struct move *move)
{
	enum err err = schema_mark(move->to.db);

	if (!err)
		err = same_columns(move, SQL_TABLE_MIGRATION);
	return err ? err : table_copy(move, SQL_TABLE_MIGRATION, false);
}

/* Compares the target, and makes it a database of docket in the same transaction. So nobody can
 * change it in between. */
static enum err move_complete(struct move *move)
{
	const struct db_driver *driver = move->to.store->driver;
	const struct db_call drop = {.sql = "DROP TABLE moving", .once = true};
	enum err err = driver->begin(move->to.db);

	for (size_t i = 0; i < SQL_TABLES && !err; i++) {
		if (i == SQL_TABLE_MIGRATION && !move->complete)
			err = target_mark(move);
		if (!err)
			err = table_compare(move, i);
	}
	if (!err)
		err = side_hold(move, &move->from);
	if (!err)
		err = driver->commit(move->to.db, &drop, move->complete ? 0 : 1);
	if (err == ERR_COMMIT_UNKNOWN)
		buf_printf(move->why,
			   "the target: %s: run the same command again to learn whether everything "
			   "was moved",
			   driver->message(move->to.db));
	if (err) {
		move_fail(move, &move->to, err, "end", "moving");
		driver->rollback(move->to.db);
	}
	return err;
}

static enum err move_copy_and_compare(struct move *move)
{
	int64_t total = 0;
	enum err err = OK;

	for (size_t i = 0; i < SQL_TABLES; i++)
		total += move->counts[i];
	move_begin(move, "rows copied", total);
	move_step(move, move->resumed);
	for (size_t i = 0; i < SQL_TABLE_MIGRATION && !err && !move->complete; i++)
		err = table_copy(move, i, true);
	if (err)
		return err;
	move_begin(move, "rows compared", 2 * total);
	err = move_complete(move);
	if (!err)
		store_analyze(move->to.store);
	return err;
}

static enum err target_refuse(struct move *move)
{
	struct buf difference = *move->why;

	*move->why = (struct buf){0};
	buf_printf(
		move->why,
		"the target: it already has a database of docket that is not a copy of this source: %.*s",
		(int)difference.len, difference.ptr);
	buf_release(&difference);
	return ERR_EXISTS;
}

/* Runs a move. All reads of the source after begin() see one snapshot. It begins after
 * target_open(), which may take long, because the server ends a transaction that is idle for a
 * minute. */
static enum err move_run(struct move *move)
{
	enum err err = source_open(move);

	if (!err)
		err = shapes_read(move);
	if (!err)
		err = target_open(move);
	if (!err)
		err = move->from.store->driver->begin(move->from.db);
	if (!err)
		err = source_mark(move);
	if (!err)
		err = target_begin(move);
	for (size_t i = 0; i < SQL_TABLE_MIGRATION && !err; i++)
		err = same_columns(move, i);
	if (!err)
		err = move_copy_and_compare(move);
	if (move->was_whole && (err == ERR_SCHEMA || err == ERR_CORRUPT))
		err = target_refuse(move);
	return err ? err : target_publish(move);
}

enum err store_move(const struct store_config *from, const struct store_config *to,
		    struct arena *arena, move_progress_fn *on_progress, void *context,
		    struct move_report *report_out, struct buf *why)
{
	struct move move = {
		.from = {"source", store_at(from), NULL},
		.to = {"target", store_at(to), NULL},
		.why = why,
		.on_progress = on_progress,
		.context = context,
	};
	struct move_count *counts = arena_alloc(arena, SQL_TABLES * sizeof(*counts));
	enum err err = move.from.store && move.to.store && counts ? move_run(&move) : ERR_NOMEM;

	if (err && !why->len)
		buf_printf(why, "cannot move the database: %s", err_text(err));
	if (!err) {
		*report_out = (struct move_report){
			.counts = counts, .resumed = move.resumed, .before = move.was_whole};
		for (size_t i = 0; i < SQL_TABLES; i++)
			if (sql_tables[i].shown)
				counts[report_out->count++] =
					(struct move_count){sql_tables[i].shown, move.counts[i]};
	}
	if (move.from.store)
		move.from.store->driver->close(move.from.db);
	store_close(move.from.store);
	store_close(move.to.store);
	arena_release(&move.arena);
	return err;
}
