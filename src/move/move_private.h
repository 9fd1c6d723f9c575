/* SPDX-License-Identifier: MIT */
/* Shared by the files of a move. */
#ifndef MOVE_MOVE_PRIVATE_H
#define MOVE_MOVE_PRIVATE_H

#include "base/digest.h"
#include "move/move.h"
#include "place/migrate.h"
#include "sql/tables.h"
#include "store/state.h"

#define TABLE_COLUMNS 64

/* One of the two databases. */
struct side {
	const char *name; /* "source", "target" */
	struct store *store;
	struct db *db;
};

/* The columns of a table, in the order in which the statements of both sides have them. */
struct shape {
	const char *names[TABLE_COLUMNS];
	size_t count;
	size_t key[SQL_KEY_COLUMNS]; /* the indexes of the key's columns */
	size_t key_count;
	size_t indexed; /* the index of the column in the text index */
};

struct move {
	struct side from, to;
	struct arena arena;
	struct buf *why;
	struct shape shapes[SQL_TABLES];
	int64_t counts[SQL_TABLES];       /* rows of the source */
	unsigned char mark[DIGEST_BYTES]; /* the digest of the state of the source */
	bool begun;                       /* an earlier run has copied a part */
	bool complete;                    /* an earlier run has completed the target */
	bool was_whole;                   /* it is a PostgreSQL database that was complete */
	move_progress_fn *on_progress;
	void *context;
	const char *what; /* what is being done, for on_progress */
	int64_t done, total;
	int64_t resumed;
};

/* Sets `why` to what cannot be done to a table, unless it is set already. Returns `err`. */
enum err move_fail(struct move *move, const struct side *side, enum err err, const char *what,
		   const char *table);
/* On an error, sets `why` to the side and `said`. Releases `said`. Returns `err`. */
enum err move_blame(struct move *move, const struct side *side, enum err err, struct buf *said);
/* Locks the folder or database of a side for this process alone. It must have a database. */
enum err side_lock(struct side *side, struct buf *said);
/* Checks that this process still has the lock of a side; else sets `why`. */
enum err side_hold(struct move *move, const struct side *side);
void move_begin(struct move *move, const char *what, int64_t total);
void move_step(struct move *move, int64_t rows);

/* move_rows.c */

/* The key of a row; count 0: of no row. */
struct key {
	struct db_value values[SQL_KEY_COLUMNS];
	size_t count;
	struct buf bytes; /* of the values that are not numbers */
};

/* The names of a table's columns, in order; none: there is no such table. */
enum err columns_read(struct move *move, const struct side *side, const char *table,
		      struct shape *shape_out);
/* Reads the columns of all tables of the source. */
enum err shapes_read(struct move *move);
/* ERR_SCHEMA: the table of the target has other columns. */
enum err same_columns(struct move *move, size_t table);
enum err rows_count(struct move *move, const struct side *side, size_t table, int64_t *count_out);
/* The key of the last row. */
enum err key_last(struct move *move, const struct side *side, size_t table, struct key *key);
void key_release(struct key *key);

/* Reads up to ROWS_AT_ONCE rows after `key`, in the order of their keys. `key` becomes that of the
 * last row. */
#define ROWS_AT_ONCE 4096
enum err rows_read(struct move *move, const struct side *side, size_t table, struct key *key,
		   db_row_fn *on_row, void *context, bool *more_out);

/* A digest of the rows of a table, in the order of their keys. Tables that differ have different
 * digests. */
struct sum {
	struct digest digest;
	struct key key;
	int64_t rows;
	bool more;
};
void sum_begin(struct sum *sum);
/* Adds a page of rows. */
enum err sum_page(struct move *move, const struct side *side, size_t table, struct sum *sum);
void sum_end(struct sum *sum, unsigned char out[DIGEST_BYTES]);

/* move_target.c */

/* Locks the target for this process, opens its database, and finds out what an earlier run has left
 * in it. */
enum err target_open(struct move *move);
/* After move->mark is set: makes the target's tables, or checks that its rows were copied from this
 * source. */
enum err target_begin(struct move *move);
/* Gives the complete database of a folder its final name. */
enum err target_publish(struct move *move);

#endif
