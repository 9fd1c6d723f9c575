/* SPDX-License-Identifier: MIT */
/* What backups and restores share: progress, the copy of a file, and the place of a new backup. */
#ifndef BACKUP_BACKUP_PRIVATE_H
#define BACKUP_BACKUP_PRIVATE_H

#include <limits.h>

#include "backup/backup.h"
#include "db/db.h"
#include "place/folder_lock.h"

/* Reports the progress of a long work, and knows whether it must end. */
struct watch {
	backup_progress_fn *on_progress;
	void *context;
	const char *what; /* of the present part of the work */
	int64_t done, total;
	int64_t told_ms; /* by monotonic_ms() */
	bool stopped;
};

/* Reports the progress, but not too often. False: the work must end. */
bool watch_tell(struct watch *watch, const char *what, int64_t done, int64_t total);

/* For set_stop() of a driver: whether the work must end. Also reports the progress, as it was last
 * told. `context` is a struct watch. */
bool watch_must_stop(void *context);

/* Appends to the open file `to` all that the open file `from` has. On an error errno says why;
 * ERR_STOPPED: the work must end. */
enum err file_copy(int from, int to, struct watch *watch);

/* As backup_copy(), on this thread. */
enum err backup_copy_here(struct store *store, struct watch *watch, int *fd_out, struct buf *why);

/* Where a new backup goes. */
struct destination {
	int folder; /* descriptor; -1: not open */
	char name[NAME_MAX + 1], part[NAME_MAX + 1];
	char path[PATH_BYTES]; /* for messages */
};

/* Opens the folder of the file `path`, and checks that it can take the file: it exists, it can be
 * written, it is not in the data folder, has room for `bytes`, and has no file of that name yet.
 * With `beside_copy` a copy of as many bytes is in the data folder until the file is complete. On
 * an error nothing is open, and `why` says what is wrong. */
enum err destination_open(struct destination *destination, const char *path, const char *data,
			  int64_t bytes, bool beside_copy, struct buf *why);

/* Moves the file `from` to the destination, on stable storage. Until it is complete there, it has
 * the name of `part`. `from` is gone afterwards,
 * unless there is an error. */
enum err destination_put(struct destination *destination, const char *from, struct watch *watch,
			 struct buf *why);

/* The same with a copy of an open file. */
enum err destination_copy(const struct destination *destination, int from, struct watch *watch,
			  struct buf *why);

void destination_close(struct destination *destination);

#endif
