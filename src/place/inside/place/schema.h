/* SPDX-License-Identifier: MIT */
/* The steps of store_open(), for commands that need only some of them. */
#ifndef PLACE_SCHEMA_H
#define PLACE_SCHEMA_H

#include "place/place.h"
#include "store/state.h"

/* Makes a store with nothing open; the caller ends it with store_close(). NULL: out of memory. */
struct store *store_at(const struct store_config *config);
/* Locks the folder or the PostgreSQL database for this process alone. It must have a database of
 * docket. ERR_BUSY: another process has it. */
enum err store_lock(struct store *store, struct buf *why);
/* Opens the writing connection, and migrates the database from schema `have` to this program's. */
enum err store_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			struct buf *why);
/* The number of the database's schema. ERR_NOT_FOUND: it is not a database of docket. ERR_SCHEMA:
 * it is newer than this program's; or older, unless `older` is true. */
enum err store_read_schema(const struct store *store, struct db *db, bool older, int64_t *have_out,
			   struct buf *why);
/* Opens a connection that cannot write. If this process has the lock of the folder, and the last
 * process has closed the database properly, SQLite makes no files beside the database either. */
enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why);
/* Makes the first account, on the writing connection. */
enum err store_insert_first(struct store *store, const struct store_first *first);

#endif
