/* SPDX-License-Identifier: MIT */
/* SQL functions for sets of ids: bytes in which bit i % 8 of byte i / 8 stands for the id i.
 *
 *	docket_bits(id)       an aggregate: the set of the ids
 *	docket_bit(set, id)   1 if the id is in the set, else 0
 *
 * If an id is above DB_BITS_ID_MAX (db/db.h), the aggregate is NULL.
 *
 * So docket can read what several indexes find, each from its own index, and keep what all find. */
#ifndef DB_SQLITE_BITS_H
#define DB_SQLITE_BITS_H

#include <sqlite3.h>

/* Adds both functions to a connection. SQLITE_OK or SQLite's error. */
int sqlite_add_bits(sqlite3 *handle);

#endif
