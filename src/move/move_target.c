/* SPDX-License-Identifier: MIT */
/* The target of a move. Until it is complete, the database of a folder has another name, and every
 * database has a table `moving` and no rows in `migration`. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "move_private.h"
#include "place/folder_lock.h"

#define MOVING DATABASE ".moving"

enum state {
	STATE_EMPTY,
	STATE_BEGUN,    /* by an earlier run */
	STATE_COMPLETE, /* a complete database of docket */
	STATE_FOREIGN,  /* something else, with tables of the same names */
};

static enum err target_look(struct move *move, enum state *state_out)
{
	struct shape shape;
	int64_t migrations_had = 0;
	enum state state = STATE_EMPTY;
	enum err err = columns_read(move, &move->to, "moving", &shape);

	if (!err && shape.count) {
		*state_out = STATE_BEGUN;
		return OK;
	}
	for (size_t i = 0; i < SQL_TABLES && !err; i++) {
		err = columns_read(move, &move->to, sql_tables[i].name, &shape);
		if (!err && shape.count)
			state = STATE_FOREIGN;
		if (!err && shape.count && i == SQL_TABLE_MIGRATION)
			err = rows_count(move, &move->to, i, &migrations_had);
	}
	if (!err)
		*state_out = migrations_had ? STATE_COMPLETE : state;
	return err;
}

/* Makes the tables in one transaction. So a target that has tables also has the mark of its
 * source. */
static enum err target_make(struct move *move)
{
	static const char moving[] = "CREATE TABLE moving (source {bytes} NOT NULL) {table}";
	const struct db_driver *driver = move->to.store->driver;
	const struct db_value mark =
		DB_BYTES_VALUE(((struct slice){(const char *)move->mark, sizeof(move->mark)}));
	const struct db_call insert = {
		.sql = "INSERT INTO moving (source) VALUES ($1)", .args = &mark, .arg_count = 1};
	enum err err = driver->begin(move->to.db);

	if (!err)
		err = schema_make(move->to.db, move->to.store->config.partitions);
	/* Remove the rows that the migrations have inserted. */
	for (size_t i = SQL_TABLE_MIGRATION; i-- > 0 && !err;) {
		struct db_call clear = {0};

		clear.sql = arena_printf(&move->arena, "DELETE FROM %s", sql_tables[i].name);
		err = clear.sql ? driver->run(move->to.db, &clear, 1) : ERR_NOMEM;
	}
	if (!err)
		err = script_marked(move->to.db, moving);
	if (!err)
		err = driver->commit(move->to.db, &insert, 1);
	if (err) {
		buf_printf(move->why, "the target: cannot make its tables: %s: %s", err_text(err),
			   driver->message(move->to.db));
		driver->rollback(move->to.db);
	}
	return err;
}

static enum err target_mark_row(void *context, const struct db_value *values, size_t count)
{
	struct move *move = context;
	const struct slice mark = {(const char *)move->mark, sizeof(move->mark)};

	(void)count;
	return slice_eq(values[0].bytes, mark) ? OK : ERR_INVALID;
}

/* Checks that the target was copied from the same source in the same state; else the copy cannot
 * continue. */
static enum err target_resume(struct move *move)
{
	const struct db_call call = {
		.sql = "SELECT source FROM moving", .on_row = target_mark_row, .context = move};
	enum err err = move->to.store->driver->run(move->to.db, &call, 1);

	if (err == ERR_INVALID)
		buf_add_text(
			move->why,
			"the target: it has a part of another source, or of this source before it "
			"changed: remove that part (" MOVING
			" in a folder, the tables in a PostgreSQL database) and run the command again");
	else if (err)
		move_fail(move, &move->to, err, "read", "moving");
	return err;
}

static enum err target_count_rows(struct move *move)
{
	enum err err = OK;

	for (size_t i = 0; i < SQL_TABLE_MIGRATION && !err; i++) {
		int64_t count = 0;

		err = rows_count(move, &move->to, i, &count);
		move->resumed += count;
	}
	return err;
}

/* Opens the target's database as the writing connection of its store. */
static enum err target_open_file(struct move *move, const char *path, enum db_mode mode)
{
	struct store *store = move->to.store;
	char message[256];
	enum err err = store->driver->open(path, mode, &store->write_db, message, sizeof(message));

	if (err)
		buf_printf(move->why, "the target: cannot open %s: %s", path, message);
	move->to.db = store->write_db;
	return err;
}

static void target_close(struct move *move)
{
	move->to.store->driver->close(move->to.db);
	move->to.db = move->to.store->write_db = NULL;
}

/* Removes the files of an earlier run that has stored nothing, and makes the database. */
static enum err target_open_anew(struct move *move, const char *folder)
{
	static const char *const leftovers[] = {MOVING, MOVING "-wal", MOVING "-shm"};
	char path[PATH_BYTES];

	target_close(move);
	for (size_t i = 0; i < FIELD_COUNT(leftovers); i++) {
		folder_path(folder, leftovers[i], path);
		unlink(path);
	}
	folder_path(folder, MOVING, path);
	/* The file gets the owner of the folder. If it cannot be made, opening it fails and says
	 * why. */
	(void)file_make_empty(path);
	return target_open_file(move, path, DB_CREATE);
}

static enum err target_refuse_database(struct move *move, const char *folder)
{
	char path[PATH_BYTES];

	folder_path(folder, DATABASE, path);
	if (access(path, F_OK))
		return OK;
	buf_printf(move->why, "the target: %s already has a database", folder);
	return ERR_EXISTS;
}

static enum err target_take_folder(struct move *move, const char *folder)
{
	struct buf said = {0};
	enum err err = target_refuse_database(move, folder);

	if (err)
		return err;
	if (mkdir(folder, 0700) && errno != EEXIST) {
		folder_blame(&said, "make the folder", folder, errno);
		return move_blame(move, &move->to, ERR_IO, &said);
	}
	err = move_blame(move, &move->to, folder_take(move->to.store, &said), &said);
	/* With the lock nobody else can make a database. */
	return err ? err : target_refuse_database(move, folder);
}

static enum err target_open_folder(struct move *move, enum state *state_out)
{
	const char *folder = move->to.store->config.folder;
	char path[PATH_BYTES];
	enum err err = target_take_folder(move, folder);

	folder_path(folder, MOVING, path);
	if (!err && access(path, F_OK) == 0) {
		err = target_open_file(move, path, DB_WRITE);
		if (!err)
			err = target_look(move, state_out);
	}
	if (!err && *state_out == STATE_EMPTY)
		err = target_open_anew(move, folder);
	return err;
}

static enum err target_open_database(struct move *move, enum state *state_out)
{
	struct buf said = {0};
	enum err err = side_lock(&move->to, &said);

	err = move_blame(move, &move->to, err, &said);
	move->to.db = move->to.store->write_db;
	if (!err)
		err = target_look(move, state_out);
	move->was_whole = !err && *state_out == STATE_COMPLETE;
	return err;
}

enum err target_open(struct move *move)
{
	bool folder = !move->to.store->config.database;
	enum state state = STATE_EMPTY;
	enum err err =
		folder ? target_open_folder(move, &state) : target_open_database(move, &state);

	if (err)
		return err;
	move->complete = state == STATE_COMPLETE;
	move->begun = state == STATE_BEGUN;
	if (move->begun)
		return target_count_rows(move);
	if (state != STATE_FOREIGN)
		return OK;
	buf_add_text(
		move->why,
		"the target: it must be empty, but has tables with the same names as docket's");
	return ERR_EXISTS;
}

enum err target_begin(struct move *move)
{
	if (move->complete)
		return OK;
	return move->begun ? target_resume(move) : target_make(move);
}

enum err target_publish(struct move *move)
{
	const char *folder = move->to.store->config.folder;
	char moving[PATH_BYTES], wal[PATH_BYTES], path[PATH_BYTES];

	if (move->to.store->config.database)
		return OK;
	/* The last connection writes the WAL into the database when it is closed. */
	target_close(move);
	folder_path(folder, MOVING, moving);
	folder_path(folder, MOVING "-wal", wal);
	folder_path(folder, DATABASE, path);
	if (access(wal, F_OK) == 0 || file_sync(moving)) {
		buf_printf(move->why, "the target: cannot bring %s to stable storage", moving);
		return ERR_IO;
	}
	if (rename(moving, path) || file_sync_parent(path) || file_sync_parent(folder)) {
		buf_printf(move->why, "the target: cannot rename %s: %s", moving, strerror(errno));
		return ERR_IO;
	}
	return OK;
}
