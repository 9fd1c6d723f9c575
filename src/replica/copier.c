/* SPDX-License-Identifier: MIT */
/* Makes a full copy in two steps. First it copies the pages of one state into the data folder,
 * which takes seconds: meanwhile the WAL cannot be used again. Then it compresses that copy into
 * the replica, which may take long if the target is slow. */
#include "copier.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "place/folder_lock.h"
#include "place/place.h"
#include "replica/image.h"

#define NICE 10
#define FREE_LEAST (16 * MIB) /* a copy leaves this to the writes */

struct copier {
	pthread_t thread;
	struct store *store;
	const struct replica_io *io;
	char folder[DIR_BYTES]; /* of the generation */
	struct manifest manifest;
	bool spares;      /* leaves room in the target for another generation */
	const char *full; /* the folder that had too little room; NULL: none */
	atomic_bool cancelled, done;
	enum err err;
	struct buf why;
};

/* The state that is copied is no later than this. */
static void copier_note_time(struct copier *copier)
{
	if (!copier->manifest.at)
		copier->manifest.at = clock_now(copier->store->config.clock);
}

static bool copier_has_room(struct copier *copier, const char *folder)
{
	int64_t has;

	if (!file_free_bytes(folder, &has) && has < FREE_LEAST)
		copier->full = folder;
	return !copier->full;
}

static bool copier_goes_on(void *context)
{
	struct copier *copier = context;

	copier_note_time(copier);
	return !atomic_load(&copier->cancelled) &&
	       copier_has_room(copier, copier->store->config.folder);
}

static bool image_goes_on(void *context)
{
	struct copier *copier = context;

	return copier_goes_on(copier) &&
	       (!copier->spares || copier_has_room(copier, copier->folder));
}

static enum err manifest_row(void *context, const struct db_value *values, size_t count)
{
	struct manifest *manifest = context;

	(void)count;
	/* Before an upgrade there may be no mark. */
	snprintf(manifest->mark, sizeof(manifest->mark), "%.*s",
		 values[0].bytes.len ? (int)values[0].bytes.len : 3,
		 values[0].bytes.len ? values[0].bytes.ptr : "0-0");
	manifest->schema = values[1].integer;
	return OK;
}

static enum err manifest_account_row(void *context, const struct db_value *values, size_t count)
{
	struct manifest *manifest = context;

	(void)count;
	buf_printf(&manifest->accounts, "account %lld %lld %.*s\n", (long long)values[0].integer,
		   (long long)values[1].integer, (int)values[2].bytes.len, values[2].bytes.ptr);
	return OK;
}

/* Reads from the copy which state it is. */
static enum err copy_describe(struct copier *copier, const char *path)
{
	const struct db_driver *driver = copier->store->driver;
	const struct db_call calls[] = {
		{.sql = "SELECT (SELECT value FROM property WHERE name = 'replica'),"
			" (SELECT max(number) FROM migration)",
		 .on_row = manifest_row,
		 .context = &copier->manifest},
		{.sql = "SELECT a.id, s.last_change, a.name FROM account a"
			" JOIN account_state s ON s.account_id = a.id ORDER BY a.id",
		 .on_row = manifest_account_row,
		 .context = &copier->manifest},
	};
	char message[256] = "";
	struct db *db = NULL;
	enum err err = driver->open(path, DB_IMMUTABLE, &db, message, sizeof(message));

	if (!err)
		err = driver->run(db, calls, 2);
	if (err)
		buf_printf(&copier->why, "cannot read the copy %s: %s", path,
			   db ? driver->message(db) : message);
	driver->close(db);
	return err;
}

/* The copy must leave room for the database itself. */
static enum err copy_check_room(struct copier *copier)
{
	const char *folder = copier->store->config.folder;
	char path[PATH_BYTES];
	struct stat status;
	int64_t bytes, has;

	folder_path(folder, DATABASE, path);
	if (stat(path, &status) || file_free_bytes(folder, &has))
		return replica_blame(&copier->why, "look into", folder);
	bytes = status.st_size + status.st_size / 4;
	folder_path(folder, DATABASE "-wal", path);
	/* What only the WAL has is in the copy too. */
	bytes += stat(path, &status) ? 0 : status.st_size;
	if (has >= bytes)
		return OK;
	buf_printf(&copier->why,
		   "a full copy needs %lld MiB in %s for a while, and %lld MiB are free",
		   (long long)bytes / MIB + 1, folder, (long long)has / MIB);
	return ERR_FULL;
}

static enum err copier_make_copy(struct copier *copier, const char *path)
{
	struct store *store = copier->store;
	char from[PATH_BYTES], message[256] = "";
	struct db *db = NULL;
	enum err err = copy_check_room(copier);

	folder_path(store->config.folder, DATABASE, from);
	if (err)
		return err;
	if (file_make_empty(path))
		return replica_blame(&copier->why, "make", path);
	err = store->driver->open(from, DB_READ, &db, message, sizeof(message));
	if (!err)
		err = store->driver->snapshot(db, path, copier_goes_on, copier);
	if (err)
		buf_printf(&copier->why, "cannot copy the database to %s: %s: %s", path,
			   err_text(err), message);
	copier_note_time(copier);
	store->driver->close(db);
	return err;
}

static void *copier_run(void *context)
{
	struct copier *copier = context;
	char path[PATH_BYTES];

	/* On Linux this is for the calling thread alone. */
	(void)setpriority(PRIO_PROCESS, 0, NICE);
	folder_path(copier->store->config.folder, REPLICA_COPY, path);
	copier->err = copier_make_copy(copier, path);
	if (!copier->err)
		copier->err = copy_describe(copier, path);
	if (!copier->err)
		copier->err = image_write(copier->io, path, copier->folder, image_goes_on, copier,
					  &copier->manifest, &copier->why);
	unlink(path);
	if (copier->full) {
		copier->err = ERR_FULL;
		buf_clear(&copier->why);
		buf_printf(&copier->why, "a full copy left less than %d MiB free in %s",
			   FREE_LEAST / MIB, copier->full);
	}
	atomic_store(&copier->done, true);
	return NULL;
}

struct copier *copier_new(struct store *store, const struct replica_io *io, const char *folder,
			  const struct manifest *manifest, bool spares)
{
	struct copier *copier = calloc(1, sizeof(*copier));

	if (!copier)
		return NULL;
	copier->store = store;
	copier->io = io;
	copier->manifest = *manifest;
	copier->spares = spares;
	snprintf(copier->folder, sizeof(copier->folder), "%s", folder);
	if (pthread_create(&copier->thread, NULL, copier_run, copier) == 0)
		return copier;
	free(copier);
	return NULL;
}

bool copier_is_done(struct copier *copier)
{
	return atomic_load(&copier->done);
}

void copier_cancel(struct copier *copier)
{
	atomic_store(&copier->cancelled, true);
}

enum err copier_free(struct copier *copier, struct manifest *manifest_out, struct buf *why)
{
	enum err err;

	pthread_join(copier->thread, NULL);
	err = copier->err;
	if (!err && copier->manifest.accounts.failed)
		err = ERR_NOMEM;
	if (err) {
		manifest_release(&copier->manifest);
		buf_add_slice(why, buf_slice(&copier->why));
	} else {
		*manifest_out = copier->manifest;
	}
	buf_release(&copier->why);
	free(copier);
	return err;
}
