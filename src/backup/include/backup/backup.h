/* SPDX-License-Identifier: MIT */
/* Makes backups of a data folder, also while a process serves it, and restores them.
 *
 *	const struct backup_order order = {.to = "/mnt/backup/docket.db", .on_progress = show};
 *	struct backup_report report;
 *	struct buf why = {0};
 *
 *	err = backup_make(store, &order, &report, &why);
 *	if (err)
 *		log_line("%.*s", (int)why.len, why.ptr);
 *
 * A backup is one file, a SQLite database: it can be copied, and "docket check" can read it. */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* Called some ten times a second, on the caller's thread. `what` is counted: "pages". False: the
 * work must end, and its error is ERR_STOPPED. */
typedef bool backup_progress_fn(void *context, const char *what, int64_t done, int64_t total);

struct backup_order {
	const char *to; /* the absolute path of the new file */
	backup_progress_fn *on_progress;
	void *context;
};

struct backup_report {
	char file[STORE_PATH_BYTES];
	int64_t bytes, took_ms;
};

/* Makes a backup of the store, which must be of a data folder. The backup has all that was
 * committed before this began, and some of what is committed meanwhile. The writer copies the
 * database in short parts between its batches. This thread waits for that, verifies the copy, puts
 * it on stable storage and gives it its name. On an error nothing is left behind, and `why` has a
 * message. ERR_BUSY: another backup of the store is being made. */
enum err backup_make(struct store *store, const struct backup_order *order,
		     struct backup_report *report_out, struct buf *why);

struct restore_order {
	const char *from; /* a backup, or docket.db.before-NNNN */
	bool dry_run;     /* only verify it */
	backup_progress_fn *on_progress;
	void *context;
};

struct restore_report {
	int64_t schema; /* of the backup; it may be older than this program's */
	int64_t accounts, tasks;
	int64_t last_at; /* the time of the last change; TIME_NONE: there is none */
};

/* Makes the data folder of `config` from a backup, whole or not at all. It verifies the backup, and
 * begins a new era (place/place.h). ERR_EXISTS: the folder has a database. On an error nothing is
 * left behind, and `why` has a message. */
enum err backup_restore(const struct store_config *config, const struct restore_order *order,
			struct restore_report *report_out, struct buf *why);

#endif
