/* SPDX-License-Identifier: MIT */
/* A connection of the SQLite driver, and copies of its database. */
#ifndef DB_SQLITE_PRIVATE_H
#define DB_SQLITE_PRIVATE_H

#include <sqlite3.h>

#include "db/db.h"
#include "statements.h"

#define STATEMENTS 96 /* prepared and kept, on each connection */

struct statement {
	sqlite3_stmt *handle;
	int index[DB_ARGS_MAX]; /* SQLite's number of argument i; 0: the text does not have it */
	size_t arg_count;       /* the highest argument that the text has */
};

struct sqlite_db {
	struct db db;
	sqlite3 *handle;
	struct statement_text texts[STATEMENTS];
	struct statement statements[STATEMENTS];
	uint64_t clock;
	enum db_mode mode;
	int64_t deadline;            /* milliseconds of CLOCK_MONOTONIC, 0: none */
	bool (*stop)(void *context); /* NULL: nothing stops a statement */
	void *stop_context;
	struct recording *recording; /* NULL: its changes are not recorded */
};

static inline struct sqlite_db *sqlite_of(struct db *db)
{
	return (struct sqlite_db *)(void *)db;
}

/* Of struct db_driver. */
enum err sqlite_explain(struct db *db, const struct db_call *call, struct buf *plan);
enum err sqlite_backup_begin(struct db *db, const char *to, struct db_backup **backup_out);
enum err sqlite_backup_part(struct db_backup *backup, int64_t budget_us, int64_t *left_out,
			    int64_t *total_out);
void sqlite_backup_end(struct db_backup *backup);
enum err sqlite_snapshot(struct db *db, const char *to, bool (*goes_on)(void *context),
			 void *context);

#endif
