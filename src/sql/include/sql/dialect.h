/* SPDX-License-Identifier: MIT */
/* What differs between the databases in SQL, as data: one struct sql_dialect for each driver. All
 * other SQL is one text for every database. A driver (db/db.h) knows no table of docket's; these
 * rows do.
 *
 * A driver names its dialect, and sql_dialect() finds it:
 *
 *	const struct sql_dialect *dialect = sql_dialect(db->driver);
 *
 *	buf_printf(&sql, "SELECT last_change FROM account WHERE id = $1%s", dialect->lock_row);
 *	if (dialect->text_index)
 *		err = run(db, dialect->text_index->insert, args, 3);
 *
 * Where a text has a %s, the caller puts a name or an argument of its own in its place, never a
 * value. */
#ifndef SQL_DIALECT_H
#define SQL_DIALECT_H

#include "base/buf.h"
#include "db/db.h"

/* The index of the trigrams of folded titles, where it stands beside its table, as `f`. $1 is the
 * account. Its rows are found in the order of their ids. */
struct text_index {
	const char *from;
	const char *match;       /* a quoted phrase of at least three characters must follow */
	const char *id;          /* of the record */
	const char *order;       /* an expression to sort by, which gives the order of the ids */
	const char *first;       /* the least value of `order` that the account can have */
	const char *last;        /* the greatest */
	const char *insert;      /* $2 id, $3 text; run whenever a record is written */
	const char *remove;      /* $2 id, $3 the text that it was written with */
	const char *remove_some; /* of the $2 first records, before these are deleted */
	/* A script that a connection must run, outside of a transaction, before it reads `all`. */
	const char *prepare_all;
	/* Every trigram of the index: the account, the id, the trigram, and the place where it
	 * begins in its text, counted from 0. */
	const char *all;
};

/* A check that the database makes of itself; see check/check.h. Each row of the statement is one
 * finding: the account, the kind of record, the id, and last a text about it. Any of these may be
 * NULL. */
struct sql_self_check {
	const char *name;
	const char *says;
	const char *sql;
};

/* A marker of schema/: its name without braces, and the text that replaces it. */
struct sql_marker {
	const char *name;
	const char *sql;
};

struct sql_dialect {
	/* Both lists end with a row of NULLs. `partitioned_markers` makes tables that are
	 * partitioned by account; NULL: the database has no such tables. */
	const struct sql_marker *markers;
	const struct sql_marker *partitioned_markers;
	/* Gives every partitioned table that has no partitions %s of them. */
	const char *make_partitions;
	/* Counts the partitions of a table; 0: it is not partitioned. */
	const char *count_partitions;
	/* An aggregate that joins the integers of the column %s with commas. */
	const char *join_ids;
	/* The integers of $2, a JSON array, as a table with a column `value`; and what a SELECT
	 * from that table, named `k`, needs at its end to keep the order of the array. */
	const char *ids_in_order;
	const char *keep_order;
	/* The integers of the argument %s, a JSON array, as what stands behind IN. */
	const char *among;
	/* A function that is above 0 where its first text contains its second. NULL: use LIKE; the
	 * database then chooses its text index by itself. */
	const char *position;
	/* Behind a table: makes the database use the index %s and no other. `key_index` is the name
	 * of the index of the key of the table %s. NULL: the database decides. */
	const char *use_index;
	const char *key_index;
	/* NULL: no text index stands beside its table. */
	const struct text_index *text_index;
	/* Ends with a row of NULLs. */
	const struct sql_self_check *self_checks;
	/* Behind a SELECT: locks its row until the end of the transaction. */
	const char *lock_row;
	/* The names of the columns of the table $1, in their order; no rows where there is no such
	 * table. */
	const char *columns;
	/* Collects statistics on the table %s, after very much was written to it, so that the first
	 * reads are fast as well. NULL: there is no need. */
	const char *analyze;
};

/* The dialect that a driver names; never NULL. */
const struct sql_dialect *sql_dialect(const struct db_driver *driver);

/* Puts `sql` into `out` with the words for each {marker}; false where one is not known. */
bool markers_fill(const struct sql_marker *markers, const char *sql, struct buf *out);

#endif
