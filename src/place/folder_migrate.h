/* SPDX-License-Identifier: MIT */
/* Migrates the database of a data folder. */
#ifndef PLACE_FOLDER_MIGRATE_H
#define PLACE_FOLDER_MIGRATE_H

#include "place/folds.h"
#include "place/folder_lock.h"

/* A database that is not complete yet. */
#define UNFINISHED DATABASE ".new"

/* Makes an empty file for it, and removes what an interrupted process has left. */
enum err unfinished_make(const char *folder, char path[PATH_BYTES], struct buf *why);

/* Writes the database anew, with this program's schema, and puts it in the place of the old one.
 * `from` is a connection to the old one; close it then. `kept_out` becomes the path of the old
 * database. `kept_out` NULL: a trial, which removes the new one. On an error the old one is in its
 * place as it was. */
enum err folder_migrate(struct store *store, struct db *from, struct folded *folded_out,
			char kept_out[PATH_BYTES], struct buf *why);

#endif
