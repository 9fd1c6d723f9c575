/* SPDX-License-Identifier: MIT */
/* What the files of a move share. */
#ifndef MOVE_MOVE_PRIVATE_H
#define MOVE_MOVE_PRIVATE_H

#include "base/digest.h"
#include "move/move.h"
#include "place/migrate.h"
#include "store/state.h"

#define KEY_COLUMNS 3
#define TABLE_COLUMNS 64

/* A table of the schema. Those that name others come behind them; `migration` is the last. */
struct move_table {
	const char *name;
	const char *key[KEY_COLUMNS + 1]; /* the columns of its key */
	const char *shown;                /* what a person calls its rows; NULL: docket's own */
	/* The column whose words stand in struct db_words, by the two columns of the key. */
	const char *words;
	bool marks; /* few rows, that tell one state of a database from another */
};

#define MOVE_MIGRATION (MOVE_TABLES - 1)
extern const struct move_table move_tables[MOVE_TABLES];

/* One of the two databases. */
struct side {
	const char *name; /* "source", "target" */
	struct store *store;
	struct db *db;
};

/* The columns of a table, as both sides list them. */
struct shape {
	const char *names[TABLE_COLUMNS];
	size_t count;
	size_t key[KEY_COLUMNS]; /* which of them are the key */
	size_t key_count;
	size_t words; /* which of them has the words, of a table that has any */
};

struct move {
	struct side from, to;
	struct arena arena;
	struct buf *why;
	struct shape shapes[MOVE_TABLES];
	int64_t counts[MOVE_TABLES];      /* rows of the source */
	unsigned char mark[DIGEST_BYTES]; /* of the source, as it is */
	bool begun;                       /* the target has a part, of an earlier run */
	bool complete;                    /* the target was compared, and is as it was then */
	bool was_whole;                   /* and it had the name of a database, or needs none */
	move_progress_fn *on_progress;
	void *context;
	const char *what; /* is being done */
	int64_t done, total;
	int64_t resumed;
};

/* Says what cannot be done to a table, unless something was said already, and returns `err`. */
enum err move_fail(struct move *move, const struct side *side, enum err err, const char *what,
		   const char *table);
/* Says which side could not be had; releases what was said. */
enum err move_blame(struct move *move, const struct side *side, enum err err, struct buf *said);
/* Takes the place of a side, which has a database, for this process alone. */
enum err side_lock(struct side *side, struct buf *said);
/* Whether it has it still; says so where it has not. */
enum err side_hold(struct move *move, const struct side *side);
void move_begin(struct move *move, const char *what, int64_t total);
void move_step(struct move *move, int64_t rows);

/* move_rows.c */

/* The key of a row; of none where `count` is 0. */
struct key {
	struct db_value values[KEY_COLUMNS];
	size_t count;
	struct buf bytes; /* of the values that are no numbers */
};

/* The names of a table's columns, in their order; none where there is no such table. */
enum err columns_read(struct move *move, const struct side *side, const char *table,
		      struct shape *shape_out);
/* Reads the columns of all tables of the source. */
enum err shapes_read(struct move *move);
/* ERR_SCHEMA where the target has others in that table. */
enum err same_columns(struct move *move, size_t table);
enum err rows_count(struct move *move, const struct side *side, size_t table, int64_t *count_out);
/* The last row's. */
enum err key_last(struct move *move, const struct side *side, size_t table, struct key *key);
void key_release(struct key *key);

/* Up to ROWS_AT_ONCE rows behind `key`, in the order of their keys, which moves on with them. */
#define ROWS_AT_ONCE 4096
enum err rows_read(struct move *move, const struct side *side, size_t table, struct key *key,
		   db_row_fn *on_row, void *context, bool *more_out);

/* A digest over the rows of a table, in the order of their keys: no two tables that differ have the
 * same. */
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

/* Takes the place of the target for this process, opens the database and tells what an earlier run
 * has left in it. */
enum err target_open(struct move *move);
/* When the source was marked: makes the target's tables, or sees whether its part is of that. */
enum err target_begin(struct move *move);
/* Gives the database of a folder, which is complete, the name that makes it one. */
enum err target_publish(struct move *move);

#endif
