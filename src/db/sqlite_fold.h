/* SPDX-License-Identifier: MIT */
/* The function of docket's own that SQLite's migrations call. */
#ifndef DB_SQLITE_FOLD_H
#define DB_SQLITE_FOLD_H

#include <sqlite3.h>

/* Makes docket_fold(text) known to a connection; SQLITE_OK or SQLite's error. */
int sqlite_add_fold(sqlite3 *handle);

#endif
