/* SPDX-License-Identifier: MIT */
/* Brings the titles that wait into the text index (sql/dialect.h), many at once and in ascending
 * order: FTS5 takes them in much faster so than each in its own transaction.
 *
 * A search reads every title that waits. So a batch that finds too many brings some in, and the
 * writer brings in the rest when it has nothing else to do. On a database without a separate text
 * index nothing happens. */
#ifndef SQL_TITLES_H
#define SQL_TITLES_H

#include "sql/calls.h"

/* Counts the titles that wait, in the open transaction of a batch. If there are too many, lists the
 * statements that bring the first ones into the index. */
enum err titles_list_step(struct db *db, struct calls *calls);

/* Brings the next titles into the index, in a transaction of its own. *more_out: others wait. On an
 * error the caller rolls back, and tries again later. */
enum err titles_run_step(struct db *db, bool *more_out);

#endif
