/* SPDX-License-Identifier: MIT */
/* Migrates the database of a data folder: copies it into a new file, runs the migrations there,
 * and checks the result. Nothing changes the old database. Then rename(2) puts the new file in its
 * place. So a crash at any moment leaves the old database or the new one.
 *
 * The copy is compact and has docket's size of pages, whatever the old one has. */
#include "folder_migrate.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "place/migrate.h"
#include "place/renew.h"
#include "place/verify.h"

enum err unfinished_make(const char *folder, char path[PATH_BYTES], struct buf *why)
{
	enum err err;

	folder_remove(folder, UNFINISHED);
	folder_path(folder, UNFINISHED, path);
	err = file_make_empty(path);
	if (err)
		folder_blame(why, "make", path, errno);
	return err;
}

/* The new database has at most a quarter more bytes than the old one: migrations add columns. */
static int64_t new_bytes(const char *folder)
{
	static const char *const names[] = {DATABASE, DATABASE "-wal"};
	char path[PATH_BYTES];
	int64_t bytes = 0;

	for (size_t i = 0; i < FIELD_COUNT(names); i++) {
		struct stat status;

		folder_path(folder, names[i], path);
		if (stat(path, &status) == 0)
			bytes += status.st_size;
	}
	return bytes + bytes / 4;
}

/* Says how much room the new database needs, or that there is too little. */
static enum err room_check(const char *folder, struct buf *why)
{
	static const char needs[] = "a migration writes the database anew. For this %s needs up to "
				    "%lld MiB, and %lld MiB are free";
	long long bytes = new_bytes(folder);
	int64_t has;

	if (file_free_bytes(folder, &has)) {
		folder_blame(why, "look into", folder, errno);
		return ERR_IO;
	}
	if (has >= bytes) {
		log_line(needs, folder, bytes / MIB + 1, (long long)has / MIB);
		return OK;
	}
	buf_printf(why, needs, folder, bytes / MIB + 1, (long long)has / MIB);
	return ERR_FULL;
}

static enum err copy_make(struct store *store, struct db *from, const char *path, struct buf *why)
{
	enum err err = store->driver->copy(from, path);

	if (err == ERR_BUSY)
		buf_printf(why,
			   "another process reads the database, such as \"docket check --data "
			   "%s\": try again when it has ended",
			   store->config.folder);
	else if (err)
		buf_printf(why, "cannot copy the database to %s: %s: %s", path, err_text(err),
			   store->driver->message(from));
	return err;
}

static enum err copy_check(struct db *db, struct buf *why)
{
	const char *broken = NULL;
	enum err err = database_verify(db, &broken);

	if (err)
		buf_printf(why, "cannot check the new database: %s: %s", err_text(err),
			   db->driver->message(db));
	if (err || !broken)
		return err;
	buf_printf(why,
		   "the new database is not sound: this is not so: %s. Nothing was migrated: run "
		   "\"docket check\" of the docket that wrote the old one",
		   broken);
	return ERR_CORRUPT;
}

static enum err copy_migrate(struct store *store, const char *path, struct folded *folded_out,
			     struct buf *why)
{
	const struct migrate_how how = {.now = clock_now(store->config.clock),
					.renew = records_renew,
					.folded = folded_out};
	char message[256];
	struct db *db = NULL;
	enum err err = store->driver->open(path, DB_DRAFT, &db, message, sizeof(message));

	if (err)
		buf_printf(why, "cannot open %s: %s", path, message);
	else
		err = migrate(db, migrations, migration_count, &how, why);
	if (!err)
		err = copy_check(db, why);
	store->driver->close(db);
	return err;
}

/* A second name of the old database keeps it. */
static enum err copy_publish(const char *folder, const char *copy, char kept_out[PATH_BYTES],
			     struct buf *why)
{
	char name[64], path[PATH_BYTES], kept[PATH_BYTES];

	snprintf(name, sizeof(name), DATABASE ".before-%04zu", migration_count);
	folder_path(folder, DATABASE, path);
	folder_path(folder, name, kept);
	if (file_sync(copy) || (unlink(kept) && errno != ENOENT) || link(path, kept) ||
	    file_sync_parent(kept) || rename(copy, path) || file_sync_parent(path)) {
		buf_printf(why, "cannot put %s in the place of %s, and keep that as %s: %s", copy,
			   path, kept, strerror(errno));
		return ERR_IO;
	}
	memcpy(kept_out, kept, sizeof(kept));
	return OK;
}

enum err folder_migrate(struct store *store, struct db *from, struct folded *folded_out,
			char kept_out[PATH_BYTES], struct buf *why)
{
	const char *folder = store->config.folder;
	char copy[PATH_BYTES];
	enum err err;

	folder_remove(folder, UNFINISHED);
	err = room_check(folder, why);
	if (!err)
		err = unfinished_make(folder, copy, why);
	if (!err)
		err = copy_make(store, from, copy, why);
	if (!err)
		err = copy_migrate(store, copy, folded_out, why);
	if (!err && kept_out)
		err = copy_publish(folder, copy, kept_out, why);
	folder_remove(folder, UNFINISHED);
	return err;
}
