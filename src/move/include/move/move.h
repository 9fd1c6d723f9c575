/* SPDX-License-Identifier: MIT */
/* Moves everything from one database to another. Each may be SQLite or PostgreSQL.
 *
 *	const struct store_config from = {.folder = "data", .clock = &system_clock};
 *	const struct store_config to = {.database = "postgresql:///agency", .clock = &system_clock};
 *	struct move_report report;
 *	struct buf why = {0};
 *
 *	err = store_move(&from, &to, on_progress, NULL, &report, &why);
 *	if (err)
 *		log_line("%.*s", (int)why.len, why.ptr); */
#ifndef MOVE_MOVE_H
#define MOVE_MOVE_H

#include "store/store.h"

struct move_report {
	/* How many rows each table has, on both sides. Tables that people do not know are left out.
	 */
	struct move_count {
		const char *shown; /* the name of its rows */
		int64_t rows;
	} * counts;
	size_t count;
	int64_t resumed; /* rows that an earlier run had copied */
	bool before;     /* an earlier run had moved everything already */
};

/* Called with what is being done, such as "rows copied", and how far it is. */
typedef void move_progress_fn(void *context, const char *what, int64_t done, int64_t total);

/* Copies everything in the database of `from` into a new one of `to`: ids, change numbers, history,
 * token hashes and secrets. Then it reads both and compares every row. It only reads the source.
 * `to` may have `partitions`. The report is in the arena. ERR_BUSY: another process has one of the
 * two open.
 *
 * The target cannot be used until the comparison has succeeded. If a run was interrupted, the next
 * run continues after the last row that was stored. If the answer to the last commit was lost, the
 * next run compares: a PostgreSQL database that is equal to the source was moved. ERR_EXISTS: the
 * target is another database. ERR_INVALID: the target was begun from another source, or the source
 * has changed since. ERR_SCHEMA: the source does not have this program's schema. ERR_CORRUPT: the
 * sides differ in the end. On an error `why` names the side, and the table if there is one. */
enum err store_move(const struct store_config *from, const struct store_config *to,
		    struct arena *arena, move_progress_fn *on_progress, void *context,
		    struct move_report *report_out, struct buf *why);

#endif
