/* SPDX-License-Identifier: MIT */
/* The steps of opening a place, for commands that do them alone. */
#ifndef PLACE_SCHEMA_H
#define PLACE_SCHEMA_H

#include "place/place.h"
#include "store/state.h"

/* A store of that place with nothing open; store_close() it. NULL when memory is out. */
struct store *store_at(const struct store_config *config);
/* Takes the place for this process alone, which must have a database. ERR_BUSY where another
 * process has it. */
enum err store_lock(struct store *store, struct buf *why);
/* Opens the writing connection, and brings the database, of schema `have`, to this program's. */
enum err store_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			struct buf *why);
/* The number of the database's schema. ERR_NOT_FOUND where it is none of docket's, ERR_SCHEMA where
 * it is newer than this program's, or older unless `older` is true. */
enum err store_read_schema(const struct store *store, struct db *db, bool older, int64_t *have_out,
			   struct buf *why);
/* Opens a connection that cannot write; where a folder is this process's and its last one has
 * ended well, nothing is written beside the database either. */
enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why);
/* Makes the first account, on the writing connection. */
enum err store_insert_first(struct store *store, const struct store_first *first);

#endif
