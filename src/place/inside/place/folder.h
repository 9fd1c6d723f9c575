/* SPDX-License-Identifier: MIT */
/* A data folder with a SQLite database. */
#ifndef PLACE_FOLDER_H
#define PLACE_FOLDER_H

#include "place/place.h"
#include "store/state.h"

enum err folder_open(struct store *store, struct buf *why);
enum err folder_create(struct store *store, const struct store_first *first, struct buf *why);
/* Fills the empty file of a new database. It may use store->write_db. */
typedef enum err folder_fill_fn(struct store *store, const char *file, void *context,
				struct buf *why);
/* Makes the folder (mode 0700) if it is missing, and in it the database that `fill` makes, whole or
 * not at all. ERR_EXISTS: the folder has a database. */
enum err folder_make(struct store *store, folder_fill_fn *fill, void *context, struct buf *why);
enum err folder_open_reading(struct store *store, struct db **db_out, struct buf *why);
/* Whether the database was written since the last call of this or of folder_open_reading(). */
bool folder_changed(struct store *store);
/* Opens the writing connection, and migrates a database of schema `have`. */
enum err folder_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			 struct buf *why);

#endif
