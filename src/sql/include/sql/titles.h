/* SPDX-License-Identifier: MIT */
/* Brings the titles that wait into the text index (sql/dialect.h), many at once and in ascending
 * order: FTS5 takes them in much faster so than each in its own transaction.
 *
 * A search reads every title that waits. So a batch that finds too many brings some in, and the
 * writer brings in the rest when it has nothing else to do. The index consists of parts, and each
 * step makes one. docket merges them, a few pages at a time: FTS5 would do it at a commit, and the
 * writer would do nothing else meanwhile.
 *
 *	bool unmerged = true, more;
 *
 *	do
 *		err = titles_run_step(db, TITLES_STEP_US, &unmerged, &more);
 *	while (!err && more);
 *
 * `unmerged` says that there may be parts to merge. It may be true for nothing; so it begins as
 * true. On a database without a separate text index nothing happens. */
#ifndef SQL_TITLES_H
#define SQL_TITLES_H

#include "sql/calls.h"

/* How long a step works before its commit. The commit takes about as long, so the writer is held
 * for some 5 ms. */
#define TITLES_STEP_US 2000

/* Counts the titles that wait, in the open transaction of a batch. If there are too many, brings in
 * as many as there are too many, and others for `budget_us`. Else merges a few pages, if there may
 * be something to merge. */
enum err titles_run_part(struct db *db, int64_t budget_us, bool *unmerged);

/* Brings titles into the index and merges for `budget_us`, but does at least one part of each work,
 * in a transaction of its own. *more_out: there is more to do. On an error the caller rolls back,
 * and tries again later. */
enum err titles_run_step(struct db *db, int64_t budget_us, bool *unmerged, bool *more_out);

#endif
