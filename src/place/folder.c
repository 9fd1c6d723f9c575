/* SPDX-License-Identifier: MIT */
/* Opens and makes a store in a data folder. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "folder_migrate.h"
#include "place/era.h"
#include "place/folder.h"
#include "place/folder_lock.h"
#include "place/folds.h"
#include "place/mark.h"
#include "place/migrate.h"
#include "place/schema.h"
#include "db/read_pool.h"
#include "slow/slow_log.h"
#include "store/read_threads.h"

/* Says which of the database's files cannot be written, if one cannot. */
static void folder_blame_files(const char *folder, const char *path, struct buf *why)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char file[PATH_BYTES + 8];

	for (size_t i = 0; i < FIELD_COUNT(ends) && !why->len; i++) {
		snprintf(file, sizeof(file), "%s%s", path, ends[i]);
		if (access(file, R_OK | W_OK) && errno != ENOENT)
			folder_blame(why, "write", file, errno);
	}
	if (!why->len && access(folder, W_OK | X_OK))
		folder_blame(why, "make files in", folder, errno);
}

static enum err folder_open_writer(struct store *store, const char *path, enum db_mode mode,
				   struct buf *why)
{
	char message[256];
	enum err err = store->driver->open(path, mode, &store->write_db, message, sizeof(message));

	if (err)
		folder_blame_files(store->config.folder, path, why);
	if (err && !why->len)
		buf_printf(why, "cannot open %s: %s", path, message);
	if (err == ERR_CORRUPT)
		folder_advise(store->config.folder, why);
	return err;
}

/* A database without the table `property` is too old to have a mark. */
static void folder_before_upgrade(struct store *store, int64_t have)
{
	const struct store_config *config = &store->config;

	if (config->before_upgrade && mark_find(store) == OK)
		config->before_upgrade(config->upgrade_context, store, have, store->mark);
}

enum err folder_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			 struct buf *why)
{
	struct store_upgrade upgrade = {.from = (int)have, .to = (int)migration_count};
	bool migrates = have < (int64_t)migration_count;
	char path[PATH_BYTES], version[FOLDS_VERSION_BYTES] = "";
	struct folded folded;
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	err = folder_open_writer(store, path, DB_WRITE, why);
	if (!err && migrates)
		folder_before_upgrade(store, have);
	if (!err && migrates) {
		err = folder_migrate(store, store->write_db, &folded, upgrade.copy, why);
		store->driver->close(store->write_db);
		store->write_db = NULL;
		if (!err)
			err = folder_open_writer(store, path, DB_WRITE, why);
	}
	if (!err && !migrates)
		err = folds_version(store->write_db, version);
	if (!err)
		err = folds_bring_up(store->write_db, migrates, why);
	if (!err)
		err = mark_take(store, strcmp(version, text_unicode_version()) != 0);
	if (err && *upgrade.copy)
		buf_printf(why, "; the copy from before is %s", upgrade.copy);
	if (err)
		return err;
	*upgrade_out = upgrade;
	return OK;
}

/* A process that was killed leaves a WAL, which is part of the database. If the WAL cannot be read
 * in the usual way, for example on a read-only medium, it is read without shared memory. */
static enum err folder_open_read_only(const struct store *store, const char *path,
				      struct db **db_out, char *message, size_t size)
{
	const struct db_driver *driver = store->driver;
	char wal[PATH_BYTES];
	enum err err;

	folder_path(store->config.folder, DATABASE "-wal", wal);
	if (store->unchanging && access(wal, F_OK))
		return driver->open(path, DB_IMMUTABLE, db_out, message, size);
	err = driver->open(path, DB_READ, db_out, message, size);
	if (err && err != ERR_CORRUPT && store->unchanging)
		err = driver->open(path, DB_IMMUTABLE_WAL, db_out, message, size);
	return err;
}

enum err folder_open_reading(struct store *store, struct db **db_out, struct buf *why)
{
	char path[PATH_BYTES], message[256];
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	folder_changed(store);
	err = folder_open_read_only(store, path, db_out, message, sizeof(message));
	if (err && access(path, R_OK))
		folder_blame(why, "read", path, errno);
	else if (err)
		buf_printf(why, "cannot open %s: %s", path, message);
	if (err == ERR_CORRUPT)
		folder_advise(store->config.folder, why);
	return err;
}

bool folder_changed(struct store *store)
{
	static const char *const names[] = {DATABASE, DATABASE "-wal"};
	struct stat now;
	char path[PATH_BYTES];
	bool changed = false;

	for (size_t i = 0; i < FIELD_COUNT(names); i++) {
		struct timespec *seen = &store->seen[i];

		folder_path(store->config.folder, names[i], path);
		if (stat(path, &now))
			now = (struct stat){0};
		changed |=
			now.st_mtim.tv_sec != seen->tv_sec || now.st_mtim.tv_nsec != seen->tv_nsec;
		*seen = now.st_mtim;
	}
	return changed;
}

/* Reads the schema before anything is written. So docket changes nothing in a database of another
 * program, not even its mode. */
static enum err folder_read_schema(struct store *store, int64_t *have_out, struct buf *why)
{
	struct db *db = NULL;
	enum err err = folder_open_reading(store, &db, why);

	if (!err)
		err = store_read_schema(store, db, store->config.on_upgrade != NULL, have_out, why);
	if (!err && !store->config.on_upgrade)
		err = folds_check(store, db, why);
	store->driver->close(db);
	return err;
}

/* One more connection, for a thread that reads. */
static enum err folder_connect(struct store *store, enum db_mode mode, bool tells,
			       struct db **db_out)
{
	char path[PATH_BYTES], message[256];
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	err = store->driver->open(path, mode, db_out, message, sizeof(message));
	if (err && tells)
		log_line("cannot open %s: %s", path, message);
	return err ? ERR_UNREACHABLE : OK;
}

enum err folder_open(struct store *store, struct buf *why)
{
	struct store_upgrade upgrade = {0};
	char path[PATH_BYTES];
	int64_t have = 0;
	enum err err = folder_lock(store, why);

	folder_path(store->config.folder, DATABASE, path);
	/* Of a process that was killed. */
	if (!err) {
		folder_remove(store->config.folder, BACKUP);
		folder_remove(store->config.folder, REPLICA_COPY);
	}
	if (!err)
		err = folder_read_schema(store, &have, why);
	if (!err)
		err = folder_bring_up(store, have, &upgrade, why);
	if (!err && upgrade.copy[0])
		store->config.on_upgrade(store->config.upgrade_context, &upgrade);
	if (!err)
		err = era_take(store, store->write_db, why);
	if (!err)
		err = read_pool_new(store->driver, path, store->config.readers,
				    slow_log_watch(store->slow), &store->read_pool, why);
	store->connect = folder_connect;
	if (!err && store->config.read_threads)
		err = read_threads_start(store, store->config.read_threads);
	return err;
}

/* Refuses a folder that has a database or a WAL without one: SQLite would read that WAL as the WAL
 * of the new database. */
static enum err folder_refuse_leftovers(struct store *store, struct buf *why)
{
	const char *folder = store->config.folder;
	char path[PATH_BYTES], wal[PATH_BYTES];

	folder_path(folder, DATABASE, path);
	folder_path(folder, DATABASE "-wal", wal);
	if (access(path, F_OK) == 0) {
		int64_t have;
		enum err err = folder_find(folder, why);

		if (!err)
			err = folder_read_schema(store, &have, why);
		/* For a damaged file or another program's, `why` says to restore a backup. */
		if (err != ERR_CORRUPT && err != ERR_NOT_FOUND) {
			buf_clear(why);
			buf_printf(why, "%s already has a database", folder);
		}
		return ERR_EXISTS;
	}
	if (access(wal, F_OK))
		return OK;
	buf_printf(why,
		   "%s exists but its database does not: restore a backup of the database, or move "
		   "this file away first",
		   wal);
	return ERR_EXISTS;
}

/* Makes all tables of the new database. */
static enum err folder_fill(struct store *store, struct buf *why)
{
	const struct migrate_how how = {.now = clock_now(store->config.clock)};
	enum err err = migrate(store->write_db, migrations, migration_count, &how, why);

	return err ? err : folds_bring_up(store->write_db, true, why);
}

/* Makes the tables and the first account, and hands the token over. */
static enum err folder_fill_first(struct store *store, const char *file, void *context,
				  struct buf *why)
{
	const struct store_first *first = context;
	enum err err = folder_open_writer(store, file, DB_CREATE, why);

	if (!err)
		err = folder_fill(store, why);
	if (!err) {
		err = store_insert_first(store, first);
		if (err)
			buf_printf(why, "cannot make the account: %s", err_text(err));
	}
	store->driver->close(store->write_db);
	store->write_db = NULL;
	return !err && !first->hand_over(first->context) ? ERR_IO : err;
}

/* Makes the database under another name and renames it, so that a file with the final name is
 * always complete. */
static enum err folder_make_database(struct store *store, folder_fill_fn *fill, void *context,
				     struct buf *why)
{
	const char *folder = store->config.folder;
	char path[PATH_BYTES], unfinished[PATH_BYTES];
	enum err err = unfinished_make(folder, unfinished, why);

	folder_path(folder, DATABASE, path);
	if (!err)
		err = fill(store, unfinished, context, why);
	if (!err && (rename(unfinished, path) || file_sync_parent(path))) {
		buf_printf(why, "cannot rename %s: %s", unfinished, strerror(errno));
		err = ERR_IO;
	}
	if (err)
		folder_remove(folder, UNFINISHED);
	return err;
}

enum err folder_make(struct store *store, folder_fill_fn *fill, void *context, struct buf *why)
{
	const char *folder = store->config.folder;
	bool made = mkdir(folder, 0700) == 0;
	char lock[PATH_BYTES];
	enum err err;

	if (!made && errno != EEXIST) {
		folder_blame(why, "make the folder", folder, errno);
		return ERR_IO;
	}
	err = folder_take(store, why);
	if (!err)
		err = folder_refuse_leftovers(store, why);
	if (!err)
		err = folder_make_database(store, fill, context, why);
	if (err && made) {
		folder_path(folder, LOCK, lock);
		unlink(lock);
		rmdir(folder);
	}
	return err;
}

enum err folder_create(struct store *store, const struct store_first *first, struct buf *why)
{
	return folder_make(store, folder_fill_first, (void *)(uintptr_t)first, why);
}
