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

#include "backup/replica_restore.h"
#include "base/buf.h"
#include "base/err.h"
#include "store/store.h"

/* Called some ten times a second, on the caller's thread. `what` is counted: "pages". False: the
 * work must end, and its error is ERR_STOPPED. */
typedef bool backup_progress_fn(void *context, const char *what, int64_t done, int64_t total);

/* Which backups of a folder are kept: one of each of the last days that have one, and one of each
 * of the weeks and of the months before those. */
enum { KEEP_DAYS, KEEP_WEEKS, KEEP_MONTHS, KEEP_RULES };
struct backup_keep {
	int most[KEEP_RULES];
};

/* Reads "7,4,12": days, weeks and months. False: the text is not so, or has 0 days. */
bool backup_keep_parse(const char *text, struct backup_keep *keep_out);

/* Whether backups can be made in the folder: it exists, files can be made there, and it is not in
 * the folder `data`. On an error `why` has a message. */
enum err backup_check_folder(const char *folder, const char *data, struct buf *why);

/* Writes the absolute path of a backup that goes to `to`; it may be a folder, which must exist. On
 * an error `why` has a message. */
enum err backup_find_target(const char *to, char path[STORE_PATH_BYTES], bool *folder_out,
			    struct buf *why);

/* The first time after `after` at which clocks in the zone (base/zone.h) show `minute` of a day. A
 * minute that clocks skip counts as if they had not gone forward yet; of one that they show twice,
 * the first counts. So there is one such time for each day. */
int64_t backup_time_after(const char *zone, int minute, int64_t after);

/* The niceness of a thread that makes backups: the checks leave the processors to the requests. */
#define BACKUP_NICENESS 10

struct backup_order {
	/* The absolute path of the new file; or of a folder, in which the file gets a name with the
	 * time. */
	const char *to;
	const struct backup_keep *keep; /* of that folder, which must exist; NULL: all are kept */
	backup_progress_fn *on_progress;
	void *context;
};

struct backup_report {
	char file[STORE_PATH_BYTES];
	int64_t bytes, took_ms;
	int64_t removed; /* how many old backups */
};

/* Finds the folder's newest backup that is not from after `most`. Returns the time in its name, and
 * sets `file` and `bytes` of the report. TIME_NONE: there is none, or the folder cannot be read. */
int64_t backup_newest(const char *folder, int64_t most, struct backup_report *report_out);

/* Makes a backup of the store, which must be of a data folder. The backup has all that was
 * committed before this began, and some of what is committed meanwhile. The writer copies the
 * database in short parts between its batches. This thread waits for that, verifies the copy, puts
 * it on stable storage and gives it its name. On an error nothing is left behind, and `why` has a
 * message; but if only an old backup cannot be removed, the new one is there. ERR_BUSY: another
 * backup of the store is being made. */
enum err backup_make(struct store *store, const struct backup_order *order,
		     struct backup_report *report_out, struct buf *why);

/* The same in two steps, for a process that may not write where the backup goes: another one has
 * the file written, by backup_fetch(). backup_copy() makes the verified copy, a file without a name
 * on the disk of the data folder. The caller closes its descriptor. The work is done on a thread of
 * its own; on_progress() is called on the caller's thread. */
enum err backup_copy(struct store *store, backup_progress_fn *on_progress, void *context,
		     int *fd_out, struct buf *why);

/* Gets the descriptor of such a copy, which the caller closes. An error is that of
 * backup_fetch(). */
typedef enum err backup_source_fn(void *context, int *fd_out);

/* Checks that a backup of the folder `data` can be made, then calls `source`, and makes the backup
 * from what that returns. If `source` fails, `why` stays as it is. */
enum err backup_fetch(const char *data, const struct backup_order *order, backup_source_fn *source,
		      void *source_context, struct backup_report *report_out, struct buf *why);

struct restore_order {
	const char *from; /* a backup, docket.db.before-NNNN, or the folder of a replica */
	bool dry_run;     /* only verify it */
	struct replica_until until; /* of a replica; REPLICA_END: of everything */
	struct arena *arena;        /* for the texts of the report */
	backup_progress_fn *on_progress;
	void *context;
};

struct restore_report {
	struct replica_report replica; /* its generation is 0 for a backup */
	int64_t schema;                /* of the backup; it may be older than this program's */
	/* Not known after a dry run with a replica: it makes no database. */
	int64_t accounts, tasks;
	int64_t last_at; /* the time of the last change; TIME_NONE: there is none */
};

/* Makes the data folder of `config` from a backup or a replica, whole or not at all. It verifies
 * the database, and begins a new era (place/place.h). ERR_EXISTS: the folder has a database. On an
 * error nothing is left behind, and `why` has a message. A replica that is damaged is restored up
 * to the damage, which the report names. */
enum err backup_restore(const struct store_config *config, const struct restore_order *order,
			struct restore_report *report_out, struct buf *why);

#endif
