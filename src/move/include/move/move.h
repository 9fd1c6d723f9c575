/* SPDX-License-Identifier: MIT */
/* Moving everything from one database to another, of whichever kind each is. */
#ifndef MOVE_MOVE_H
#define MOVE_MOVE_H

#include "store/store.h"

#define MOVE_TABLES 16

struct move_report {
	/* How many rows each table has, on both sides. */
	struct move_count {
		const char *shown; /* what a person calls them; NULL: a table of docket's own */
		int64_t rows;
	} counts[MOVE_TABLES];
	int64_t resumed; /* rows that an earlier run had copied */
	bool before;     /* an earlier run had moved everything */
};

/* What is being done, as "rows copied", and how far that is. */
typedef void move_progress_fn(void *context, const char *what, int64_t done, int64_t total);

/* Copies all that the database of `from` holds into a new one of `to`, with its ids, change
 * numbers, history, token hashes and secrets, then reads both and compares every row. No process
 * may have either meanwhile: ERR_BUSY. The source is only read. Of `to` `partitions` counts as
 * well.
 *
 * The target is of no use until all of it was found the same. Where a run was broken off, however
 * it ended, the next one goes on behind the last row that was stored. Where it may have ended well,
 * as its last answer was lost, the next one compares: a PostgreSQL database that is the same is
 * taken for moved. ERR_EXISTS where the target is another database already, ERR_INVALID where it
 * was begun from another source, or from this one in another state. ERR_SCHEMA where the source is
 * not of this program's schema, ERR_CORRUPT where the sides differ in the end. On an error `why`
 * names the side, and the table where there is one. */
enum err store_move(const struct store_config *from, const struct store_config *to,
		    move_progress_fn *on_progress, void *context, struct move_report *report_out,
		    struct buf *why);

#endif
