/* SPDX-License-Identifier: MIT */
/* Makes a backup. The writer's thread copies the database into a file of the data folder. The copy
 * can be no slower than the disk that the database is on, wherever the backup goes. All else is
 * done on the caller's thread: it verifies the copy, and brings it where it goes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "place/verify.h"
#include "rotation.h"

#define LOOK_MS 50
/* What must stay free on the disk of the data folder, so that writes do not fail: when the backup
 * begins, and while it is made. */
#define FREE_FIRST (64 * MIB)
#define FREE_LEAST (16 * MIB)

/* The part of the work that the writer's thread does. */
struct copying {
	struct store_parts parts; /* first */
	const struct db_driver *driver;
	const char *file;
	struct db_backup *backup;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	int64_t left, total; /* pages */
	bool stop, done;
	enum err err;
};

/* A backup from its beginning to its end, in the process that writes the file. */
struct backing_up {
	struct destination destination;
	struct watch watch;
	struct backup_report report;
	int64_t began_ms;
	bool in_folder; /* of backups */
};

static struct copying *copying_of(struct store_parts *parts)
{
	return (struct copying *)(void *)parts;
}

static enum err copying_part(struct store_parts *parts, struct db *db, int64_t budget_us,
			     bool *done_out)
{
	struct copying *copying = copying_of(parts);
	int64_t left = 0, total = 0;
	enum err err = OK;

	pthread_mutex_lock(&copying->lock);
	if (copying->stop)
		err = ERR_STOPPED;
	pthread_mutex_unlock(&copying->lock);
	if (!err && !copying->backup)
		err = copying->driver->backup_begin(db, copying->file, &copying->backup);
	if (!err)
		err = copying->driver->backup_part(copying->backup, budget_us, &left, &total);
	if (err)
		return err;
	pthread_mutex_lock(&copying->lock);
	copying->left = left;
	copying->total = total;
	pthread_mutex_unlock(&copying->lock);
	*done_out = left == 0;
	return OK;
}

static void copying_done(struct store_parts *parts, enum err err)
{
	struct copying *copying = copying_of(parts);

	copying->driver->backup_end(copying->backup);
	pthread_mutex_lock(&copying->lock);
	copying->done = true;
	copying->err = err;
	pthread_cond_signal(&copying->wake);
	pthread_mutex_unlock(&copying->lock);
}

static int64_t free_bytes(const char *folder)
{
	int64_t bytes;

	return file_free_bytes(folder, &bytes) ? INT64_MAX : bytes;
}

/* Waits for the writer's thread, and reports how far it is. */
static enum err copying_wait(struct copying *copying, const char *folder, struct watch *watch)
{
	enum err err = OK;

	pthread_mutex_lock(&copying->lock);
	while (!copying->done) {
		int64_t done = copying->total - copying->left, total = copying->total;
		struct timespec until;

		pthread_mutex_unlock(&copying->lock);
		if (!err && !watch_tell(watch, "pages", done, total))
			err = ERR_STOPPED;
		if (!err && free_bytes(folder) < FREE_LEAST)
			err = ERR_FULL;
		pthread_mutex_lock(&copying->lock);
		copying->stop = err != OK;
		until = monotonic_after(LOOK_MS);
		if (!copying->done)
			(void)pthread_cond_clockwait(&copying->wake, &copying->lock,
						     CLOCK_MONOTONIC, &until);
	}
	err = copying->err == OK || !err ? copying->err : err;
	pthread_mutex_unlock(&copying->lock);
	return err;
}

static void say_broken_off(enum err err, const char *file, struct buf *why)
{
	if (err == ERR_STOPPED)
		buf_add_text(why, "the backup was broken off");
	else
		buf_printf(why, "cannot copy the database to %s: %s", file, err_text(err));
}

static enum err database_copy(struct store *store, const char *file, struct watch *watch,
			      struct buf *why)
{
	struct copying copying = {
		.parts = {copying_part, copying_done}, .driver = store->driver, .file = file};
	enum err err;

	pthread_mutex_init(&copying.lock, NULL);
	pthread_cond_init(&copying.wake, NULL);
	err = store_do_parts(store, &copying.parts);
	if (!err)
		err = copying_wait(&copying, store->config.folder, watch);
	/* ERR_BUSY says that another backup is made. */
	if (err == ERR_BUSY && copying.done)
		err = ERR_IO;
	pthread_cond_destroy(&copying.wake);
	pthread_mutex_destroy(&copying.lock);
	if (err)
		say_broken_off(err, file, why);
	return err;
}

/* The copy says that it has a WAL, as the database has. A connection that writes without one
 * changes that, so that the backup is one file. */
static enum err copy_leave_wal(const struct db_driver *driver, const char *file, struct buf *why)
{
	char message[256];
	struct db *db = NULL;
	enum err err = driver->open(file, DB_DRAFT, &db, message, sizeof(message));

	if (err)
		buf_printf(why, "cannot open %s: %s", file, message);
	driver->close(db);
	return err;
}

static enum err copy_verify(const struct db_driver *driver, const char *file, struct watch *watch,
			    struct buf *why)
{
	char message[256];
	const char *broken = NULL;
	struct db *db = NULL;
	enum err err = driver->open(file, DB_IMMUTABLE, &db, message, sizeof(message));

	if (err) {
		buf_printf(why, "cannot open %s: %s", file, message);
		return err;
	}
	(void)watch_tell(watch, "checks", 0, 1);
	driver->set_stop(db, watch_must_stop, watch);
	err = database_verify(db, &broken);
	if (watch->stopped)
		say_broken_off(err = ERR_STOPPED, file, why);
	else if (err)
		buf_printf(why, "cannot check the backup: %s: %s", err_text(err),
			   driver->message(db));
	driver->close(db);
	if (err || !broken)
		return err;
	buf_printf(why,
		   "the database is not sound: this is not so: %s. There is no new backup: run "
		   "\"docket check\", and keep the backups that you have",
		   broken);
	return ERR_CORRUPT;
}

/* How large the backup will be. */
static int64_t database_bytes(const char *folder)
{
	static const char *const names[] = {DATABASE, DATABASE "-wal"};
	int64_t bytes = 0;

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[PATH_BYTES];
		struct stat status;

		folder_path(folder, names[i], path);
		if (stat(path, &status) == 0)
			bytes += status.st_size;
	}
	return bytes;
}

/* Makes the file of the copy. It exists while a backup is made, so there is only one at a time. */
static enum err copy_make_file(const char *folder, int64_t bytes, char file[PATH_BYTES],
			       struct buf *why)
{
	int64_t has = free_bytes(folder);
	int fd;

	folder_path(folder, BACKUP, file);
	if (has < bytes + FREE_FIRST) {
		buf_printf(why, "a backup needs %lld MiB in %s for a while, and %lld MiB are free",
			   (long long)(bytes + FREE_FIRST) / MIB + 1, folder, (long long)has / MIB);
		return ERR_FULL;
	}
	fd = file_make(file);
	if (fd >= 0) {
		close(fd);
		return OK;
	}
	if (errno == EEXIST) {
		buf_add_text(why, "another backup is being made: wait until it is done");
		return ERR_BUSY;
	}
	folder_blame(why, "make", file, errno);
	return ERR_IO;
}

/* Makes the verified copy in the data folder. On an error it is removed. */
static enum err copy_make(struct store *store, int64_t bytes, char file[PATH_BYTES],
			  struct watch *watch, struct buf *why)
{
	const char *folder = store->config.folder;
	enum err err = copy_make_file(folder, bytes, file, why);

	if (err)
		return err;
	err = database_copy(store, file, watch, why);
	if (!err)
		err = copy_leave_wal(store->driver, file, why);
	if (!err)
		err = copy_verify(store->driver, file, watch, why);
	if (err)
		folder_remove(folder, BACKUP);
	return err;
}

/* From the database to the file of the destination. */
static enum err backup_run(struct store *store, struct destination *destination, int64_t bytes,
			   struct watch *watch, struct buf *why)
{
	char file[PATH_BYTES];
	enum err err = copy_make(store, bytes, file, watch, why);

	if (err)
		return err;
	err = destination_put(destination, file, watch, why);
	/* If it has its new name, another backup may have begun. */
	if (err)
		folder_remove(store->config.folder, BACKUP);
	return err;
}

enum err backup_copy_here(struct store *store, struct watch *watch, int *fd_out, struct buf *why)
{
	char file[PATH_BYTES];
	enum err err = copy_make(store, database_bytes(store->config.folder), file, watch, why);
	int fd;

	if (err)
		return err;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		folder_blame(why, "open", file, errno);
	folder_remove(store->config.folder, BACKUP);
	if (fd < 0)
		return ERR_IO;
	*fd_out = fd;
	return OK;
}

/* The path of the new file. True: it is in a folder of backups. */
static bool file_path(const struct clock *clock, const char *to, char path[PATH_BYTES])
{
	char name[BACKUP_NAME_BYTES];
	struct stat status;
	bool in_folder = stat(to, &status) == 0 && S_ISDIR(status.st_mode);

	backup_name(clock_now(clock), name);
	if (in_folder)
		snprintf(path, PATH_BYTES, "%s/%s", strcmp(to, "/") == 0 ? "" : to, name);
	else
		snprintf(path, PATH_BYTES, "%s", to);
	return in_folder;
}

/* The folder of backups is not there any more. Without this the backup would take its name. */
static enum err folder_blame_missing(const char *folder, const char *data, struct buf *why)
{
	enum err err = backup_check_folder(folder, data, why);

	return err ? err : ERR_IO;
}

/* Checks where a backup of the data folder goes, and opens that. `fetched`: from a copy that has no
 * name any more. */
static enum err backing_up_begin(struct backing_up *backing_up, const struct backup_order *order,
				 const char *data, const struct clock *clock, bool fetched,
				 struct buf *why)
{
	enum err err = OK;

	*backing_up = (struct backing_up){.watch = {.on_progress = order->on_progress,
						    .context = order->context},
					  .began_ms = monotonic_ms(),
					  .report = {.bytes = database_bytes(data)}};
	backing_up->in_folder = file_path(clock, order->to, backing_up->report.file);
	if (!backing_up->in_folder && order->keep)
		err = folder_blame_missing(order->to, data, why);
	if (!err)
		err = destination_open(&backing_up->destination, backing_up->report.file, data,
				       backing_up->report.bytes, fetched, why);
	return err;
}

/* `err` says how the backup went. Returns the error of all. */
static enum err backing_up_end(struct backing_up *backing_up, const struct backup_order *order,
			       enum err err, struct backup_report *report_out, struct buf *why)
{
	struct destination *destination = &backing_up->destination;
	struct backup_report *report = &backing_up->report;
	struct stat status;

	if (!err && fstatat(destination->folder, destination->name, &status, 0) == 0)
		report->bytes = status.st_size;
	if (!err && backing_up->in_folder && order->keep)
		err = rotation_run(destination->folder, order->keep, destination->name,
				   &report->removed, why);
	destination_close(destination);
	report->took_ms = monotonic_ms() - backing_up->began_ms;
	if (!err)
		*report_out = *report;
	return err;
}

enum err backup_make(struct store *store, const struct backup_order *order,
		     struct backup_report *report_out, struct buf *why)
{
	struct backing_up backing_up;
	enum err err = backing_up_begin(&backing_up, order, store->config.folder,
					store->config.clock, false, why);

	if (err)
		return err;
	err = backup_run(store, &backing_up.destination, backing_up.report.bytes, &backing_up.watch,
			 why);
	return backing_up_end(&backing_up, order, err, report_out, why);
}

enum err backup_fetch(const char *data, const struct backup_order *order, backup_source_fn *source,
		      void *source_context, struct backup_report *report_out, struct buf *why)
{
	struct backing_up backing_up;
	enum err err = backing_up_begin(&backing_up, order, data, &system_clock, true, why);
	int from = -1;

	if (err)
		return err;
	err = source(source_context, &from);
	if (!err)
		err = destination_copy(&backing_up.destination, from, &backing_up.watch, why);
	if (from >= 0)
		close(from);
	return backing_up_end(&backing_up, order, err, report_out, why);
}
