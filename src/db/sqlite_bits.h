/* SPDX-License-Identifier: MIT */
/* SQL functions for sets of ids: a blob of parts (struct db_bits of db/db.h).
 *
 *	docket_bits(id)       an aggregate: the set of the ids
 *	docket_bit(set, id)   1 if the id is in the set, else 0
 *
 * So docket can read what several indexes find, each from its own index, and keep what all find. */
#ifndef DB_SQLITE_BITS_H
#define DB_SQLITE_BITS_H

#include <sqlite3.h>

/* Adds both functions to a connection. SQLITE_OK or SQLite's error. */
int sqlite_add_bits(sqlite3 *handle);

#endif
