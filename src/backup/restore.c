/* SPDX-License-Identifier: MIT */
/* Makes a data folder from a backup or a replica. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup_private.h"
#include "base/array.h"
#include "base/file.h"
#include "base/timefmt.h"
#include "check/check.h"
#include "place/era.h"
#include "place/folder.h"
#include "place/migrate.h"
#include "place/schema.h"
#include "place/verify.h"

#define SQLITE_HEAD "SQLite format 3"

/* What folder_fill_restored() needs. */
struct restore {
	const struct restore_order *order;
	bool from_replica;
	struct watch watch;
	struct restore_report report;
};

/* Opens the file of a database that nobody may have open. -1, with a message, if it is not one. */
static int database_open_file(const char *from, struct buf *why)
{
	char head[sizeof(SQLITE_HEAD)], wal[PATH_BYTES];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	struct stat status;

	snprintf(wal, sizeof(wal), "%s-wal", from);
	if (fd < 0)
		folder_blame(why, "read", from, errno);
	else if (pread(fd, head, sizeof(head), 0) != sizeof(head) ||
		 memcmp(head, SQLITE_HEAD, sizeof(head)) != 0)
		buf_printf(why, "%s is not a backup: it is not a SQLite database", from);
	else if (stat(wal, &status) == 0 && status.st_size > 0)
		buf_printf(why,
			   "%s is not a backup: it is a database in use, and %s has some of its "
			   "changes. Make a backup of its folder with \"docket backup\"",
			   from, wal);
	if (!why->len)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Copies a backup, or the copy from before a migration, to the empty file `to`. */
static enum err file_fetch(struct restore *restore, const char *to, struct buf *why)
{
	const char *from = restore->order->from;
	int in = database_open_file(from, why), out = in < 0 ? -1 : open(to, O_WRONLY | O_CLOEXEC);
	enum err err = in < 0    ? ERR_INVALID
		       : out < 0 ? ERR_IO
				 : file_copy(in, out, &restore->watch);

	if (err && !why->len)
		buf_printf(why, "cannot copy %s to %s: %s", from, to,
			   err == ERR_STOPPED ? err_text(err) : strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return err;
}

/* Writes the database of a replica to the empty file `to`. NULL: it only verifies the replica. */
static enum err replica_fetch(struct restore *restore, const char *to, struct buf *why)
{
	const struct restore_order *order = restore->order;

	if (to && unlink(to)) {
		buf_printf(why, "cannot make %s anew: %s", to, strerror(errno));
		return ERR_IO;
	}
	return replica_restore(order->from, &order->until, to, &restore->report.replica, why);
}

static void rules_tell(void *context, size_t done, size_t rules)
{
	(void)watch_tell(context, "rules", (int64_t)done, (int64_t)rules);
}

/* Names the first rule that is broken. NULL: all hold. */
static const char *report_broken(const struct check_report *report)
{
	for (size_t i = 0; i < report->result_count && !report->sound; i++)
		if (report->results[i].broken ||
		    (report->results[i].found && !report->results[i].note))
			return report->results[i].says;
	return NULL;
}

/* What can be verified depends on the schema: the rules are those of this program's. While an
 * account was being removed, what was left of it broke rules; docket completes that when it serves.
 */
static enum err database_judge(struct db *db, int64_t schema, struct arena *arena,
			       struct watch *watch, const char **broken_out)
{
	struct check_report report;
	struct buf why = {0};
	enum err err;

	if (schema < (int64_t)migration_count)
		return database_verify_file(db, broken_out);
	err = check_database(db, schema, arena, rules_tell, watch, &report, &why);
	buf_release(&why);
	if (err == ERR_BUSY)
		return database_verify(db, broken_out);
	if (!err)
		*broken_out = report_broken(&report);
	return err;
}

static enum err report_fill(struct db *db, struct restore_report *report)
{
	int64_t last_at = 0;
	const struct db_call calls[] = {
		{.sql = "SELECT count(*) FROM account WHERE name NOT LIKE '-%'",
		 .on_row = db_number,
		 .context = &report->accounts},
		{.sql = "SELECT count(*) FROM task",
		 .on_row = db_number,
		 .context = &report->tasks},
		{.sql = "SELECT max(last_at) FROM account_state WHERE last_change > 0",
		 .on_row = db_number,
		 .context = &last_at},
	};
	enum err err = db->driver->run(db, calls, COUNT_OF(calls));

	report->last_at = last_at ? last_at : TIME_NONE;
	return err;
}

static enum err schema_check(struct db *db, const char *from, int64_t *schema_out, struct buf *why)
{
	enum err err = schema_read(db, migration_count, schema_out, why);

	if (err == ERR_NOT_FOUND || (!err && !*schema_out)) {
		buf_printf(why, "%s is not a backup: it is a database of another program", from);
		return ERR_INVALID;
	}
	if (err && !why->len)
		buf_printf(why, "%s cannot be read: %s", from, err_text(err));
	if (err || *schema_out >= ERA_SCHEMA)
		return err;
	buf_printf(why,
		   "%s has schema %lld, and docket restores schema %d or later: copy it to "
		   "docket.db in an empty folder, and run \"docket migrate\" there",
		   from, (long long)*schema_out, ERA_SCHEMA);
	return ERR_SCHEMA;
}

/* Verifies the database in `file`, which was restored from `from`. */
static enum err database_check(const char *file, const char *from, struct watch *watch,
			       struct restore_report *report, struct buf *why)
{
	char message[256];
	const char *broken = NULL;
	struct arena arena = {0};
	struct db *db = NULL;
	enum err err = sqlite_driver.open(file, DB_IMMUTABLE, &db, message, sizeof(message));

	if (err) {
		buf_printf(why, "%s cannot be read: %s", from, message);
		return err;
	}
	sqlite_driver.set_stop(db, watch_must_stop, watch);
	err = schema_check(db, from, &report->schema, why);
	if (!err)
		err = database_judge(db, report->schema, &arena, watch, &broken);
	if (!err && !broken)
		err = report_fill(db, report);
	if (err && !why->len)
		buf_printf(why, "%s cannot be read: %s", from,
			   watch->stopped ? err_text(ERR_STOPPED) : err_text(err));
	if (!err && broken) {
		buf_printf(why, "%s is not sound: this is not so: %s. Take another backup", from,
			   broken);
		err = ERR_CORRUPT;
	}
	sqlite_driver.close(db);
	arena_release(&arena);
	return err;
}

static enum err database_begin_era(const char *file, const char *from, int64_t now, struct buf *why)
{
	char message[256];
	struct db *db = NULL;
	enum err err = sqlite_driver.open(file, DB_DRAFT, &db, message, sizeof(message));

	if (err) {
		buf_printf(why, "cannot open %s: %s", file, message);
		return err;
	}
	err = era_begin(db, from, now);
	if (err)
		buf_printf(why, "cannot begin a new era in %s: %s", file,
			   sqlite_driver.message(db));
	sqlite_driver.close(db);
	return err;
}

static enum err folder_fill_restored(struct store *store, const char *file, void *context,
				     struct buf *why)
{
	struct restore *restore = context;
	const char *from = restore->order->from;
	enum err err = restore->from_replica ? replica_fetch(restore, file, why)
					     : file_fetch(restore, file, why);

	if (!err)
		err = database_check(file, from, &restore->watch, &restore->report, why);
	if (!err)
		err = database_begin_era(file, from, clock_now(store->config.clock), why);
	if (!err && file_sync(file)) {
		buf_printf(why, "cannot write %s: %s", file, strerror(errno));
		err = ERR_IO;
	}
	return err;
}

/* Verifies what would be restored, and writes nothing. */
static enum err restore_try(struct restore *restore, struct buf *why)
{
	const char *from = restore->order->from;
	int fd;

	if (restore->from_replica) {
		enum err err = replica_fetch(restore, NULL, why);

		restore->report.schema = restore->report.replica.schema;
		return err;
	}
	fd = database_open_file(from, why);
	if (fd < 0)
		return ERR_INVALID;
	close(fd);
	return database_check(from, from, &restore->watch, &restore->report, why);
}

static enum err restore_choose(struct restore *restore, struct buf *why)
{
	const struct restore_order *order = restore->order;
	struct stat status;

	if (stat(order->from, &status)) {
		folder_blame(why, "read", order->from, errno);
		return ERR_NOT_FOUND;
	}
	restore->from_replica = S_ISDIR(status.st_mode);
	if (!restore->from_replica && !S_ISREG(status.st_mode))
		buf_printf(why,
			   "%s is not a backup: give a file that \"docket backup\" has made, or "
			   "the folder of a replica",
			   order->from);
	else if (!restore->from_replica && order->until.kind != REPLICA_END)
		buf_printf(why,
			   "%s is one backup: only a replica has the states of several moments",
			   order->from);
	return why->len ? ERR_INVALID : OK;
}

enum err backup_restore(const struct store_config *config, const struct restore_order *order,
			struct restore_report *report_out, struct buf *why)
{
	struct restore restore = {
		.order = order,
		.watch = {.on_progress = order->on_progress, .context = order->context},
		.report = {.replica = {.arena = order->arena}},
	};
	struct store *store = store_at(config);
	enum err err = store ? restore_choose(&restore, why) : ERR_NOMEM;

	if (!err && order->dry_run)
		err = restore_try(&restore, why);
	else if (!err)
		err = folder_make(store, folder_fill_restored, &restore, why);
	store_close(store);
	if (!err)
		*report_out = restore.report;
	return err;
}
