/* SPDX-License-Identifier: MIT */
/* Records which rows the transactions of a SQLite connection change. */
#ifndef DB_SQLITE_RECORD_H
#define DB_SQLITE_RECORD_H

#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"
#include "db/db.h"

struct recording;

/* Begins to record every table, except `except`, virtual ones and the tables that SQLite keeps for
 * them. Each table must have a primary key. If a statement fails, its transaction must be rolled
 * back: what the statement had changed stays recorded until recording_forget(). */
enum err recording_new(sqlite3 *handle, const char *except, struct recording **recording_out);
/* Must come before the connection is closed. NULL is accepted. */
void recording_free(struct recording *recording);
/* Appends the changes since the last call of this or of recording_forget(). */
enum err recording_take(struct recording *recording, struct buf *changes);
/* Forgets these changes. NULL is accepted. */
void recording_forget(struct recording *recording);

/* See apply() and read_changes() of db/db.h. */
enum err changes_apply(sqlite3 *handle, struct slice changes);
enum err changes_read(struct slice changes, const char *table, db_row_fn *on_row, void *context);

#endif
