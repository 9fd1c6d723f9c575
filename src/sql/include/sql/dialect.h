/* SPDX-License-Identifier: MIT */
/* What differs between the databases in SQL, as data: one struct sql_dialect for each driver. All
 * other SQL is one text for every database. A driver (db/db.h) knows no table of docket's; these
 * rows do.
 *
 * A driver names its dialect, and sql_dialect() finds it:
 *
 *	const struct sql_dialect *dialect = sql_dialect(db->driver);
 *
 *	buf_printf(&sql, "SELECT last FROM given WHERE name = $1%s", dialect->lock_row);
 *	if (dialect->text_index)
 *		err = run(db, dialect->text_index->insert, args, 3);
 *
 * Where a text has %s, the caller puts a name or an argument of its own there, never a value. */
#ifndef SQL_DIALECT_H
#define SQL_DIALECT_H

#include "base/buf.h"
#include "db/db.h"

struct calls;

/* The index of the trigrams of folded titles, if it is separate from its table; statements call it
 * `f`. $1 is the account. It finds rows in the order of their ids.
 *
 * A write only notes that a title has changed. The note waits in a table until the store takes it
 * in (sql/titles.h). Until then a search must read the title itself (`pending`):
 *
 *	err = calls_ask(calls, index->note, NULL, NULL, account_id, task_id, DB_NULL_VALUE);
 *	...
 *	err = titles_run_step(db, budget_us, &unmerged, &more);
 *
 * So the index has each title that does not wait, and of those that wait the one that was noted. */
struct text_index {
	const char *from;
	const char *match;  /* a quoted phrase of at least three characters must follow */
	const char *id;     /* an expression: the id of the record */
	const char *order;  /* an expression to sort by, which gives the order of the ids */
	const char *first;  /* the lowest value of `order` in the account */
	const char *last;   /* the highest */
	const char *insert; /* $2 id, $3 text: at once */
	const char *remove; /* $2 id, $3 the text that the index has */
	/* The notes, which statements call `p`. */
	struct {
		const char *table;
		const char *from;
		const char *id;     /* an expression: the id of the record */
		const char *is;     /* a condition: `p` is of the account */
		const char *is_not; /* a condition: the row that `f` has found does not wait */
		const char *any;    /* has a row if a title of the account waits */
		const char *count;  /* counts those of all accounts */
		/* The first $1 notes in the order of account and id: these two, the text that the
		 * index has, and the text of the row. Either may be NULL. */
		const char *first;
		const char *forget; /* deletes the notes up to account $1, id $2 */
	} pending;
	/* The index consists of parts, and merges them when it has many. Merging takes long. So
	 * `no_merge` tells it once not to merge by itself. `merge` merges a few pages: $1. There
	 * was nothing to merge if `changes` rises by less than 2. */
	const char *no_merge, *merge, *changes;
	/* $2 id, $3 the text before the write, or NULL. Run it whenever the text is written, and
	 * before the record is deleted. Of a row that waits already the first note remains: its
	 * text is the one that the index has. */
	const char *note;
	const char *note_some; /* for the first $2 records, before they are deleted */
	const char *take[3];   /* see text_index_take_all() */
	/* For docket check: the account, the id and the text of all that the index must have, in
	 * the order of account and id; and the notes of records that never were. */
	const char *expected;
	const char *needless;
	/* A script that fills the index anew from its table, so that no title waits. */
	const char *fill;
	/* A script that a connection must run, outside of a transaction, before it reads `all`. */
	const char *prepare_all;
	/* Reads every trigram of the index: the account, the id, the trigram, and its offset in the
	 * text. */
	const char *all;
};

/* A check that the database runs on itself; see check/check.h. Each row of the statement is a
 * finding: the account, the kind of record, the id, and a text. Any of these may be NULL. */
struct sql_self_check {
	const char *name;
	const char *says;
	const char *sql;
};

/* A marker in the files of schema/: its name without braces, and the text that replaces it. */
struct sql_marker {
	const char *name;
	const char *sql;
};

struct sql_dialect {
	/* Both lists end with a row of NULLs. `partitioned_markers` makes tables that are
	 * partitioned by account; NULL: the database has no such tables. */
	const struct sql_marker *markers;
	const struct sql_marker *partitioned_markers;
	/* Makes %s partitions for every partitioned table that has none. */
	const char *make_partitions;
	/* Counts the partitions of a table; 0: it is not partitioned. */
	const char *count_partitions;
	/* An aggregate that joins the integers of the column %s with commas. */
	const char *join_ids;
	/* The integers of $2, a JSON array, as a table with a column `value`. `keep_order` goes at
	 * the end of a SELECT from that table, named `k`, and keeps the order of the array. */
	const char *ids_in_order;
	const char *keep_order;
	/* The integers of the argument %s, a JSON array, to be written after IN. */
	const char *among;
	/* An aggregate that makes a set of the ids of a column, as bytes, or NULL if an id is too
	 * large; and a function that is 1 if the set has the id. NULL: the database combines its
	 * indexes itself. */
	const char *bits, *bit;
	/* A function that is above 0 if its first text contains its second. NULL: use LIKE; the
	 * database then chooses its text index by itself. */
	const char *position;
	/* Goes after a table: makes the database use the index %s and no other. `key_index` is the
	 * name of the key's index of the table %s. NULL: the database decides. */
	const char *use_index;
	const char *key_index;
	/* NULL: there is no separate text index. */
	const struct text_index *text_index;
	/* Ends with a row of NULLs. */
	const struct sql_self_check *self_checks;
	/* Goes after a SELECT: locks its row until the end of the transaction. */
	const char *lock_row;
	/* Goes after a SELECT of the account $1, from account_state `s` and account `a`, in place
	 * of lock_row. Locks the row of `s`, and keeps other sessions from removing that of `a`.
	 * The inserts of the transaction need the second lock as well, for their foreign keys. */
	const char *lock_account;
	/* The column that says where the database keeps the present version of a row of `s`, and
	 * its type. By it an UPDATE finds a row at once, however many versions there are. NULL: the
	 * database keeps one version. */
	const char *row_place, *place_type;
	/* Waits for the turn of account $1 until the end of the transaction: sessions get it in the
	 * order in which they ask. NULL: not needed, there is one writer. */
	const char *wait_for_turn;
	/* Like lock_account, but takes the turn as well, and does not wait: if another session has
	 * the turn or one of the rows, the SELECT finds no row. NULL: there is one writer. */
	const char *try_turn;
	/* Goes after a SELECT: locks its rows, and leaves out those that another session has
	 * locked. */
	const char *skip_locked;
	/* Reads the database's own clock, in whole seconds. NULL: the process's clock is its
	 * clock. */
	const char *now;
	/* Goes after LOCK TABLE and a name. Waits until no other session has locked the table
	 * against writes. Until the transaction ends, no other session can lock it so. NULL: tables
	 * cannot be locked. */
	const char *lock_mode;
	/* The names of the columns of the table $1, in order; no rows: there is no such table. */
	const char *columns;
	/* Collects statistics on the table %s. Run it after very many writes, so that the first
	 * reads are fast as well. NULL: not needed. */
	const char *analyze;
};

/* The dialect that a driver names; never NULL. */
const struct sql_dialect *sql_dialect(const struct db_driver *driver);

/* Lists the statements that bring all texts that wait into the index. */
enum err text_index_take_all(const struct text_index *index, struct calls *calls);

/* Appends `sql` with each {marker} replaced. False: a marker is unknown. */
bool markers_fill(const struct sql_marker *markers, const char *sql, struct buf *out);

#endif
