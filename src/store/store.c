/* SPDX-License-Identifier: MIT */
/* Opening, making and closing a data folder. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "store/store_private.h"

#define UNFINISHED "docket.db.new"
#define LOCK "docket.lock"

void folder_path(const char *folder, const char *name, char path[PATH_BYTES])
{
	snprintf(path, PATH_BYTES, "%s/%s", folder, name);
}

/* One process has a folder. The lock goes with the process, however it ends. */
enum err lock_folder(const char *folder, int *lock_out, struct buf *why)
{
	char path[PATH_BYTES];
	int fd;

	folder_path(folder, LOCK, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		enum err err = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;

		buf_printf(why, "cannot open %s: %s", path, strerror(errno));
		return err;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		enum err err = errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO;

		if (err == ERR_BUSY)
			buf_printf(why, "another docket is using %s", folder);
		else
			buf_printf(why, "cannot lock %s: %s", path, strerror(errno));
		close(fd);
		return err;
	}
	*lock_out = fd;
	return OK;
}

static enum err open_writer(struct store *store, const char *path, enum db_mode mode,
			    struct buf *why)
{
	char message[256];
	enum err err = store->driver->open(path, mode, &store->write_db, message, sizeof(message));

	if (err)
		buf_printf(why, "cannot open %s: %s", path, message);
	return err;
}

static enum err bring_up(struct store *store, const char *folder, struct buf *why)
{
	char copy[PATH_BYTES], name[64];

	snprintf(name, sizeof(name), DATABASE ".before-%04zu", migration_count);
	folder_path(folder, name, copy);
	return migrate(store->write_db, migrations, migration_count, copy,
		       clock_now(store->config.clock), why);
}

struct store *store_new(const struct store_config *config)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->config = *config;
	store->driver = &sqlite_driver;
	store->lock = -1;
	if (record_sql_build(store)) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_stop(struct store *store)
{
	writer_stop(store->writer);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	writer_free(store->writer);
	readers_free(store->readers);
	/* Last: closing it empties the WAL, which only it may do. */
	store->driver->close(store->write_db);
	if (store->lock >= 0)
		close(store->lock);
	arena_release(&store->arena);
	free(store);
}

enum err store_lock(struct store *store, struct buf *why)
{
	const char *folder = store->config.folder;
	char path[PATH_BYTES];

	folder_path(folder, DATABASE, path);
	if (access(path, F_OK)) {
		buf_printf(why,
			   "there is no database in %s: make one with "
			   "\"docket init --data %s\"",
			   folder, folder);
		return ERR_NOT_FOUND;
	}
	return lock_folder(folder, &store->lock, why);
}

enum err store_bring_up(struct store *store, struct buf *why)
{
	char path[PATH_BYTES];
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	err = open_writer(store, path, DB_WRITE, why);
	return err ? err : bring_up(store, store->config.folder, why);
}

enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why)
{
	char path[PATH_BYTES], wal[PATH_BYTES], message[256];
	bool still;
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	folder_path(store->config.folder, DATABASE "-wal", wal);
	/* What a process that was killed has left in the WAL is part of the database. */
	still = store->lock >= 0 && access(wal, F_OK) != 0;
	err = store->driver->open(path, still ? DB_STILL : DB_READ, db_out, message,
				  sizeof(message));
	if (err)
		buf_printf(why, "cannot open %s: %s", path, message);
	return err;
}

enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why)
{
	struct store *store = store_new(config);
	char path[PATH_BYTES];
	enum err err;

	if (!store)
		return ERR_NOMEM;
	folder_path(config->folder, DATABASE, path);
	err = store_lock(store, why);
	if (!err)
		err = store_bring_up(store, why);
	if (!err)
		err = readers_new(store->driver, path, config->readers, &store->readers, why);
	if (!err)
		err = writer_new(store, &store->writer);
	if (err) {
		if (!why->len)
			buf_add_text(why, err_text(err));
		store_close(store);
		return err;
	}
	*store_out = store;
	return OK;
}

static enum err insert_first(struct store *store, const struct store_first *first)
{
	struct arena arena = {0};
	struct faults faults;
	struct account_create create;
	struct store_write *one = &create.write;
	enum err err;

	account_create_init(&create);
	faults_init(&faults, &arena);
	create.write.arena = &arena;
	create.write.faults = &faults;
	create.name = first->account;
	create.staff = first->staff;
	create.token = first->token;
	err = store_run(store, &one, 1);
	arena_release(&arena);
	return err;
}

/* Makes the database beside its final name, so that what has that name is whole. */
static enum err create_database(struct store *store, const char *folder,
				const struct store_first *first, struct buf *why)
{
	static const char *const leftovers[] = {UNFINISHED, UNFINISHED "-wal", UNFINISHED "-shm"};
	char path[PATH_BYTES], unfinished[PATH_BYTES];
	enum err err;

	folder_path(folder, DATABASE, path);
	folder_path(folder, UNFINISHED, unfinished);
	if (access(path, F_OK) == 0) {
		buf_printf(why, "%s already has a database", folder);
		return ERR_EXISTS;
	}
	for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
		folder_path(folder, leftovers[i], unfinished);
		unlink(unfinished);
	}
	folder_path(folder, UNFINISHED, unfinished);
	err = open_writer(store, unfinished, DB_CREATE, why);
	if (!err)
		err = bring_up(store, folder, why);
	if (!err) {
		err = insert_first(store, first);
		if (err)
			buf_printf(why, "cannot make the account: %s", err_text(err));
	}
	store->driver->close(store->write_db);
	store->write_db = NULL;
	if (!err && !first->hand_over(first->context))
		err = ERR_IO;
	if (!err && (rename(unfinished, path) || file_sync_parent(path))) {
		buf_printf(why, "cannot rename %s: %s", unfinished, strerror(errno));
		err = ERR_IO;
	}
	if (err)
		unlink(unfinished);
	return err;
}

enum err store_create(const char *folder, const struct clock *clock,
		      const struct store_first *first, struct buf *why)
{
	const struct store_config config = {.folder = folder, .clock = clock};
	bool made = mkdir(folder, 0700) == 0;
	struct store *store;
	char lock[PATH_BYTES];
	enum err err;

	if (!made && errno != EEXIST) {
		buf_printf(why, "cannot make the folder %s: %s", folder, strerror(errno));
		return ERR_IO;
	}
	store = store_new(&config);
	err = store ? lock_folder(folder, &store->lock, why) : ERR_NOMEM;
	if (!err)
		err = create_database(store, folder, first, why);
	if (err && made) {
		folder_path(folder, LOCK, lock);
		unlink(lock);
		rmdir(folder);
	}
	store_close(store);
	return err;
}
