/* SPDX-License-Identifier: MIT */
/* The target of a move until it is one: a folder's database has another name, and every database
 * has a table `moving` and no word of the migrations that made it. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/move_private.h"

#define MOVING DATABASE ".moving"

enum state {
	STATE_EMPTY,
	STATE_BEGUN,    /* by an earlier run */
	STATE_COMPLETE, /* compared, and a database of docket */
	STATE_FOREIGN,  /* something else that has the names of our tables */
};

static enum err look(struct move *move, enum state *state_out)
{
	struct shape shape;
	int64_t migrations_had = 0;
	enum state state = STATE_EMPTY;
	enum err err = columns_read(move, &move->to, "moving", &shape);

	if (!err && shape.count) {
		*state_out = STATE_BEGUN;
		return OK;
	}
	for (size_t i = 0; i < MOVE_TABLES && !err; i++) {
		err = columns_read(move, &move->to, move_tables[i].name, &shape);
		if (!err && shape.count)
			state = STATE_FOREIGN;
		if (!err && shape.count && i == MOVE_MIGRATION)
			err = rows_count(move, &move->to, i, &migrations_had);
	}
	if (!err)
		*state_out = migrations_had ? STATE_COMPLETE : state;
	return err;
}

/* All in one transaction: what there is of a target tells of which source it is a copy. */
static enum err make(struct move *move)
{
	static const char moving[] = "CREATE TABLE moving (source {bytes} NOT NULL) {table}";
	const struct db_driver *driver = move->to.store->driver;
	const struct db_value mark =
		DB_BYTES_VALUE(((struct slice){(const char *)move->mark, sizeof(move->mark)}));
	const struct db_call insert = {
		.sql = "INSERT INTO moving (source) VALUES ($1)", .args = &mark, .arg_count = 1};
	enum err err = driver->begin(move->to.db);

	if (!err)
		err = schema_make(move->to.db);
	/* What the migrations have put in. */
	for (size_t i = MOVE_TABLES; i-- > 0 && !err;) {
		struct db_call clear = {0};

		clear.sql = arena_printf(&move->arena, "DELETE FROM %s", move_tables[i].name);
		err = clear.sql ? driver->run(move->to.db, &clear, 1) : ERR_NOMEM;
	}
	if (!err)
		err = script_marked(move->to.db, moving);
	if (!err)
		err = driver->run(move->to.db, &insert, 1);
	if (!err)
		err = driver->commit(move->to.db);
	if (err) {
		buf_printf(move->why, "cannot make the tables of the target: %s: %s", err_text(err),
			   driver->message(move->to.db));
		driver->rollback(move->to.db);
	}
	return err;
}

static enum err mark_row(void *context, const struct db_value *values, size_t count)
{
	struct move *move = context;
	const struct slice mark = {(const char *)move->mark, sizeof(move->mark)};

	(void)count;
	return slice_eq(values[0].bytes, mark) ? OK : ERR_INVALID;
}

/* Only of the same source, in the same state, a copy can go on. */
static enum err resume(struct move *move)
{
	const struct db_call call = {
		.sql = "SELECT source FROM moving", .on_row = mark_row, .context = move};
	enum err err = move->to.store->driver->run(move->to.db, &call, 1);

	if (err == ERR_INVALID)
		buf_add_text(
			move->why,
			"the target has a part of another source, or the source was changed since "
			"that was copied: remove what there is (" MOVING
			" in a folder, the tables of a PostgreSQL database) and begin anew");
	else if (err)
		move_fail(move, &move->to, err, "read", "moving");
	for (size_t i = 0; i < MOVE_MIGRATION && !err; i++) {
		int64_t count = 0;

		err = rows_count(move, &move->to, i, &count);
		move->resumed += count;
	}
	return err;
}

static enum err open_at(struct move *move, const char *path, enum db_mode mode)
{
	char message[256];
	enum err err =
		move->to.store->driver->open(path, mode, &move->to.db, message, sizeof(message));

	if (err)
		buf_printf(move->why, "cannot open the target: %s: %s", path, message);
	return err;
}

/* What was left before there was anything in it. */
static enum err open_anew(struct move *move, const char *folder)
{
	static const char *const leftovers[] = {MOVING, MOVING "-wal", MOVING "-shm"};
	char path[PATH_BYTES];

	move->to.store->driver->close(move->to.db);
	move->to.db = NULL;
	for (size_t i = 0; i < FIELD_COUNT(leftovers); i++) {
		folder_path(folder, leftovers[i], path);
		unlink(path);
	}
	folder_path(folder, MOVING, path);
	return open_at(move, path, DB_CREATE);
}

static enum err refuse_database(struct move *move, const char *folder)
{
	char path[PATH_BYTES];

	folder_path(folder, DATABASE, path);
	if (access(path, F_OK))
		return OK;
	buf_printf(move->why, "the target %s already has a database", folder);
	return ERR_EXISTS;
}

static enum err open_folder(struct move *move, const char *folder, enum state *state_out)
{
	char path[PATH_BYTES];
	enum err err = refuse_database(move, folder);

	if (!err && mkdir(folder, 0700) && errno != EEXIST) {
		buf_printf(move->why, "cannot make the folder %s: %s", folder, strerror(errno));
		err = ERR_IO;
	}
	if (!err)
		err = lock_folder(folder, &move->to.store->lock, move->why);
	/* Nobody makes one from now on. */
	if (!err)
		err = refuse_database(move, folder);
	folder_path(folder, MOVING, path);
	if (!err && access(path, F_OK) == 0) {
		err = open_at(move, path, DB_WRITE);
		if (!err)
			err = look(move, state_out);
	}
	if (!err && *state_out == STATE_EMPTY)
		err = open_anew(move, folder);
	return err;
}

enum err target_open(struct move *move, const char *place)
{
	enum state state = STATE_EMPTY;
	enum err err = open_folder(move, place, &state);

	if (err)
		return err;
	move->complete = state == STATE_COMPLETE;
	if (state == STATE_EMPTY)
		return make(move);
	if (state == STATE_BEGUN)
		return resume(move);
	if (state == STATE_COMPLETE)
		return OK;
	buf_add_text(move->why, "the target has tables of the names of docket's: it must be empty");
	return ERR_EXISTS;
}

enum err target_publish(struct move *move)
{
	const char *folder = move->to.store->config.folder;
	char moving[PATH_BYTES], wal[PATH_BYTES], path[PATH_BYTES];

	/* The last connection to be closed puts what stands in the WAL into the database. */
	move->to.store->driver->close(move->to.db);
	move->to.db = NULL;
	folder_path(folder, MOVING, moving);
	folder_path(folder, MOVING "-wal", wal);
	folder_path(folder, DATABASE, path);
	if (access(wal, F_OK) == 0 || file_sync(moving)) {
		buf_printf(move->why, "cannot bring the target to stable storage: %s", moving);
		return ERR_IO;
	}
	if (rename(moving, path) || file_sync_parent(path) || file_sync_parent(folder)) {
		buf_printf(move->why, "cannot rename %s: %s", moving, strerror(errno));
		return ERR_IO;
	}
	return OK;
}
