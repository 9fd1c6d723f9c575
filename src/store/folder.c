/* SPDX-License-Identifier: MIT */
/* A store in a data folder: to take, open and make one. */
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
	const struct migrate_how how = {
		.copy_to = copy, .now = clock_now(store->config.clock), .renew = history_renew};

	snprintf(name, sizeof(name), DATABASE ".before-%04zu", migration_count);
	folder_path(folder, name, copy);
	return migrate(store->write_db, migrations, migration_count, &how, why);
}

enum err folder_lock(struct store *store, struct buf *why)
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

enum err folder_bring_up(struct store *store, struct buf *why)
{
	char path[PATH_BYTES];
	enum err err;

	folder_path(store->config.folder, DATABASE, path);
	err = open_writer(store, path, DB_WRITE, why);
	return err ? err : bring_up(store, store->config.folder, why);
}

enum err folder_open_reading(struct store *store, struct db **db_out, struct buf *why)
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

enum err folder_open(struct store *store, struct buf *why)
{
	char path[PATH_BYTES];
	enum err err = folder_lock(store, why);

	folder_path(store->config.folder, DATABASE, path);
	if (!err)
		err = folder_bring_up(store, why);
	if (!err)
		err = readers_new(store->driver, path, store->config.readers, &store->readers, why);
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
		err = store_insert_first(store, first);
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

enum err folder_create(struct store *store, const struct store_first *first, struct buf *why)
{
	const char *folder = store->config.folder;
	bool made = mkdir(folder, 0700) == 0;
	char lock[PATH_BYTES];
	enum err err;

	if (!made && errno != EEXIST) {
		buf_printf(why, "cannot make the folder %s: %s", folder, strerror(errno));
		return ERR_IO;
	}
	err = lock_folder(folder, &store->lock, why);
	if (!err)
		err = create_database(store, folder, first, why);
	if (err && made) {
		folder_path(folder, LOCK, lock);
		unlink(lock);
		rmdir(folder);
	}
	return err;
}

void folder_unlock(struct store *store)
{
	if (store->lock >= 0)
		close(store->lock);
	store->lock = -1;
}
