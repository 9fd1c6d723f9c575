/* SPDX-License-Identifier: MIT */
/* Moving a database: the copy, and the comparison of all that was copied.
 *
 * The rows go over in the order of their keys, and a transaction of the target ends where a page of
 * the source does. So the last key of a table in the target says how far the table is, whenever a
 * run was broken off: nothing else must be remembered. */
#include "move/move.h"

#include <time.h>

#include "move_private.h"
#include "place/schema.h"

/* What waits to be written together. */
#define CALLS_AT_ONCE 512
#define BYTES_AT_ONCE (1024 * 1024)
/* For 3 s in all. */
#define LOCK_TRIES 4 /* each of which waits for a second */

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

/* A database server hears of the end of a process that was killed when it has done what it was told
 * to, and gives the lock free then. */
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

/* The lock of a database is a session's that has nothing else to do. Where that has ended, others
 * may have come in since. */
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

static enum err open_source(struct move *move)
{
	struct store *store = move->from.store;
	struct buf said = {0};
	int64_t schema = 0;
	enum err err = side_lock(&move->from, &said);

	/* Nobody wants to make an empty one to move it. */
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

/* All that tells one source, and one state of it, from another: the rows of its small tables, the
 * last change numbers and a secret of its own among them, and the number of the others. */
static enum err mark_source(struct move *move)
{
	struct digest digest;
	enum err err = OK;

	digest_init(&digest);
	for (size_t i = 0; i < MOVE_TABLES && !err; i++) {
		unsigned char rows[DIGEST_BYTES];
		struct sum sum;

		sum_begin(&sum);
		while (move_tables[i].marks && sum.more && !err)
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
	const struct move_table *table;
	const struct shape *shape;
	const char *insert;
	struct arena arena; /* of what waits to be written */
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

/* The row's values live until this returns, the copies until they were written. */
static enum err copy_row(void *context, const struct db_value *values, size_t count)
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
	if (!err && copying->table->words && index) {
		args[count] = args[copying->shape->key[0]];
		args[count + 1] = args[copying->shape->key[1]];
		args[count + 2] = args[copying->shape->words];
		err = calls_add(&copying->calls, index->insert, args + count, 3, NULL, NULL);
	}
	copying->rows++;
	if (!err && (copying->calls.count >= CALLS_AT_ONCE || copying->bytes >= BYTES_AT_ONCE))
		err = copying_flush(copying);
	return err;
}

static char *insert_sql(struct move *move, size_t table)
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
				   move_tables[table].name, (int)names.len, names.ptr,
				   (int)values.len, values.ptr);
	buf_release(&names);
	buf_release(&values);
	return sql;
}

/* Copies a page of rows, in the transaction that is open. */
static enum err copy_page(struct copying *copying, struct key *key, bool *more_out)
{
	struct move *move = copying->move;
	enum err err = rows_read(move, &move->from, (size_t)(copying->table - move_tables), key,
				 copy_row, copying, more_out);

	return !err && copying->calls.count ? copying_flush(copying) : err;
}

/* `alone`: each page in a transaction of its own. */
static enum err copy_table(struct move *move, size_t table, bool alone)
{
	const struct db_driver *driver = move->to.store->driver;
	struct copying copying = {
		.move = move,
		.table = &move_tables[table],
		.shape = &move->shapes[table],
		.insert = insert_sql(move, table),
	};
	struct key key = {0};
	bool more = true;
	enum err err = copying.insert ? key_last(move, &move->to, table, &key) : ERR_NOMEM;

	copying.calls.arena = &copying.arena;
	while (more && !err) {
		if (alone)
			err = driver->begin(move->to.db);
		if (!err)
			err = copy_page(&copying, &key, &more);
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

/* Both are read a page at a time: neither waits long for the other within its transaction. */
static enum err compare_table(struct move *move, size_t table)
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
		   move_tables[table].name, (long long)sums[0].rows, (long long)sums[1].rows,
		   move->was_whole ? "" : ". The target is left as it is and cannot be used");
	return ERR_CORRUPT;
}

/* From now on, when it is committed, it is a database of docket. */
static enum err mark_target(struct move *move)
{
	enum err err = schema_mark(move->to.db);

	if (!err)
		err = same_columns(move, MOVE_MIGRATION);
	return err ? err : copy_table(move, MOVE_MIGRATION, false);
}

/* The comparison and what makes the target a database of docket, in one transaction: nobody can
 * change in between what was compared. */
static enum err complete(struct move *move)
{
	const struct db_driver *driver = move->to.store->driver;
	const struct db_call drop = {.sql = "DROP TABLE moving", .once = true};
	enum err err = driver->begin(move->to.db);

	for (size_t i = 0; i < MOVE_TABLES && !err; i++) {
		if (i == MOVE_MIGRATION && !move->complete)
			err = mark_target(move);
		if (!err)
			err = compare_table(move, i);
	}
	if (!err)
		err = side_hold(move, &move->from);
	if (!err)
		err = driver->commit(move->to.db, &drop, move->complete ? 0 : 1);
	if (err == ERR_COMMIT_UNKNOWN)
		buf_printf(move->why,
			   "the target: %s: run the same command again, which then tells whether "
			   "all was moved",
			   driver->message(move->to.db));
	if (err) {
		move_fail(move, &move->to, err, "end", "moving");
		driver->rollback(move->to.db);
	}
	return err;
}

static enum err copy_and_compare(struct move *move)
{
	int64_t total = 0;
	enum err err = OK;

	for (size_t i = 0; i < MOVE_TABLES; i++)
		total += move->counts[i];
	move_begin(move, "rows copied", total);
	move_step(move, move->resumed);
	for (size_t i = 0; i < MOVE_MIGRATION && !err && !move->complete; i++)
		err = copy_table(move, i, true);
	if (err)
		return err;
	move_begin(move, "rows compared", 2 * total);
	err = complete(move);
	if (!err)
		store_analyze(move->to.store);
	return err;
}

static enum err refuse_other(struct move *move)
{
	struct buf difference = *move->why;

	*move->why = (struct buf){0};
	buf_printf(
		move->why,
		"the target: it already has a database of docket that is not a copy of the present source: %.*s",
		(int)difference.len, difference.ptr);
	buf_release(&difference);
	return ERR_EXISTS;
}

/* What is read of the source from here on is one snapshot. It begins when the rows of the target
 * are counted: a server ends a transaction that waits for a minute. */
static enum err run(struct move *move)
{
	enum err err = open_source(move);

	if (!err)
		err = shapes_read(move);
	if (!err)
		err = target_open(move);
	if (!err)
		err = move->from.store->driver->begin(move->from.db);
	if (!err)
		err = mark_source(move);
	if (!err)
		err = target_begin(move);
	for (size_t i = 0; i < MOVE_MIGRATION && !err; i++)
		err = same_columns(move, i);
	if (!err)
		err = copy_and_compare(move);
	if (move->was_whole && (err == ERR_SCHEMA || err == ERR_CORRUPT))
		err = refuse_other(move);
	return err ? err : target_publish(move);
}

enum err store_move(const struct store_config *from, const struct store_config *to,
		    move_progress_fn *on_progress, void *context, struct move_report *report_out,
		    struct buf *why)
{
	struct move move = {
		.from = {"source", store_at(from), NULL},
		.to = {"target", store_at(to), NULL},
		.why = why,
		.on_progress = on_progress,
		.context = context,
	};
	enum err err = move.from.store && move.to.store ? run(&move) : ERR_NOMEM;

	if (err && !why->len)
		buf_printf(why, "cannot move the database: %s", err_text(err));
	if (!err) {
		*report_out =
			(struct move_report){.resumed = move.resumed, .before = move.was_whole};
		for (size_t i = 0; i < MOVE_TABLES; i++)
			report_out->counts[i] =
				(struct move_count){move_tables[i].shown, move.counts[i]};
	}
	if (move.from.store)
		move.from.store->driver->close(move.from.db);
	store_close(move.from.store);
	store_close(move.to.store);
	arena_release(&move.arena);
	return err;
}
