/* SPDX-License-Identifier: MIT */
/* docket's own SQL function, which migrations of a SQLite database call. */
#ifndef DB_SQLITE_FOLD_H
#define DB_SQLITE_FOLD_H

#include <sqlite3.h>

/* Adds docket_fold(text) to a connection. SQLITE_OK or SQLite's error. */
int sqlite_add_fold(sqlite3 *handle);

#endif
