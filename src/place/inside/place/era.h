/* SPDX-License-Identifier: MIT */
/* Begins a new era in a database that was restored. */
#ifndef PLACE_ERA_H
#define PLACE_ERA_H

#include "db/db.h"
#include "place/place.h"

/* The first schema in which a new era can begin: it has the tables that this needs. */
#define ERA_SCHEMA 10

/* Reads the era of the database from a new connection: from now on it is that of the store. So a
 * store that loses its database, and finds a restored one, has its era at once. ERR_CORRUPT: the
 * number is damaged. On an error `why` says so. */
enum err era_take(struct store *store, struct db *db, struct buf *why);

/* Gives the database a new era, and lets the ids jump, in a transaction of its own. `now` is the
 * present time. The database must have ERA_SCHEMA or a later schema. Adds an entry to the audit
 * log: the database was restored from `from`, a path; NULL: by other tools. */
enum err era_begin(struct db *db, const char *from, int64_t now);

/* Before era_begin(), in a SQLite database: the ids will jump from those that later commits gave
 * out. `changes`: of such a commit (take_changes() of db/db.h). */
enum err era_raise_ids(struct db *db, struct slice changes);
/* The same for commits of which only the account's last change number is known: each change gives
 * out one id at most. */
enum err era_raise_ids_by_change(struct db *db, int64_t account_id, int64_t last_change);

#endif
