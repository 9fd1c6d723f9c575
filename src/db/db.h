/* SPDX-License-Identifier: MIT */
/* The driver seam: what a database does for docket. The domain store is written once, above it;
 * what differs between databases in SQL is data, in struct db_dialect.
 *
 * One SQL text serves every driver. Arguments are $1, $2, …, each may stand several times; values
 * are always bound and names come only from our tables.
 *
 * A connection is used by one thread at a time. */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/slice.h"

struct db;

enum db_type {
	DB_NULL,
	DB_INT,
	DB_TEXT,
	DB_BYTES,
};

struct db_value {
	enum db_type type;
	int64_t integer;    /* of a DB_INT */
	struct slice bytes; /* of a DB_TEXT (UTF-8) or DB_BYTES */
};

#define DB_NULL_VALUE ((struct db_value){.type = DB_NULL})
#define DB_INT_VALUE(i) ((struct db_value){.type = DB_INT, .integer = (i)})
#define DB_TEXT_VALUE(s) ((struct db_value){.type = DB_TEXT, .bytes = (s)})
#define DB_BYTES_VALUE(s) ((struct db_value){.type = DB_BYTES, .bytes = (s)})

/* Called for each row. `values` and the bytes they point at are the driver's and live until the
 * call returns. An error ends the statement and is returned by run(). */
typedef enum err db_row_fn(void *context, const struct db_value *values, size_t count);

struct db_call {
	const char *sql;
	const struct db_value *args; /* args[0] is $1 */
	size_t arg_count;
	db_row_fn *on_row; /* NULL where rows are of no interest */
	void *context;
	bool once; /* written for one question: not worth to be kept prepared */
	bool many; /* of rows: they are handed over as they come, not when all are there */
};

enum db_mode {
	DB_CREATE, /* makes the database, which must not be there; else as DB_WRITE */
	DB_WRITE,  /* the one connection that writes */
	DB_READ,   /* cannot write */
	/* Cannot write and makes no file beside the database either: for one that no process
	 * has open, and none opens meanwhile. */
	DB_STILL,
	/* The same where a WAL was left, without shared memory and without locks. */
	DB_STILL_WAL,
};

/* An index of the trigrams of folded titles that stands beside its table, as `f`; the account is
 * $1. Its rows are found in the order of their ids. */
struct db_words {
	const char *from;
	const char *match; /* what follows is a quoted phrase of three characters or more */
	const char *id;    /* of the record */
	const char *order; /* to be sorted by, for the order of ids */
	const char *first; /* the least value of `order` that the account has */
	const char *last;
	const char *insert;      /* $2 id, $3 text; written whenever a record is */
	const char *remove;      /* $2 id, $3 the text that it was written with */
	const char *remove_some; /* of the $2 first records, before they are deleted */
	/* What a connection runs, outside of a transaction, before it reads `all`: every trigram
	 * of the index as account, id, the trigram, and where it begins in its text, from 0. */
	const char *prepare_all;
	const char *all;
};

/* A rule of the database's own: see store/check.h. The statement finds what breaks it: account,
 * kind of record, id and, last, words about it; each may be null. */
struct db_self_check {
	const char *name;
	const char *says;
	const char *sql;
};

/* What differs in SQL. */
struct db_dialect {
	/* The markers of schema/: a name without braces, and what takes its place. Ends with a
	 * row of NULLs. */
	const struct db_marker {
		const char *name;
		const char *sql;
	} * markers;
	/* The same for tables that are partitioned by account; what makes the parts that they do
	 * not have yet, where %s is how many; and what counts the parts, 0 where there are none.
	 * NULL: there is no such form. */
	const struct db_marker *partitioned_markers;
	const char *make_partitions;
	const char *count_partitions;
	/* An aggregate that joins integers with commas; %s is the column. */
	const char *join_ids;
	/* The integers of $2, a JSON array, as a table with a column `value`, in their order; and
	 * what that order needs behind a SELECT from it as `k`. */
	const char *ids_in_order;
	const char *keep_order;
	/* The same of any argument, as what stands behind IN; %s is the argument. */
	const char *among;
	/* The function that is above 0 where its first text has its second in it; NULL: LIKE is
	 * asked, which uses an index of words without being told. */
	const char *position;
	/* Behind a table, to have it read by the index %s and no other, and the name of the index
	 * of the key of the table %s. NULL: the database decides. */
	const char *use_index;
	const char *key_index;
	/* NULL where no index of words stands beside its table. */
	const struct db_words *words;
	/* Ends with a row of NULLs. */
	const struct db_self_check *self_checks;
	/* Behind a SELECT that must keep its row from changing until the end of the
	 * transaction. */
	const char *lock_row;
	/* The names of the columns of the table $1, in their order; none where there is no such
	 * table. */
	const char *columns;
	/* Of the table %s, after very much was written to it, so that reads are fast from the first
	 * on; NULL: there is no need. */
	const char *settle;
};

struct db_driver {
	const char *name;
	const struct db_dialect *dialect;

	/* `where` is the driver's own: a file for SQLite, a connection string or URL for
	 * PostgreSQL. On an error nothing is left open, and `message`, of `size` bytes, says why.
	 */
	enum err (*open)(const char *where, enum db_mode mode, struct db **db_out, char *message,
			 size_t size);
	/* NULL is accepted. */
	void (*close)(struct db *db);

	/* A transaction, that may write where the connection may; of a reading one all statements
	 * see the same. commit() runs `count` statements first. ERR_UNSURE: whether it was
	 * committed is not known. rollback() is right after any failure. */
	enum err (*begin)(struct db *db);
	enum err (*commit)(struct db *db, const struct db_call *calls, size_t count);
	void (*rollback)(struct db *db);

	/* Runs `count` statements in their order, up to the first that fails; they go to the
	 * database together. ERR_AWAY: the connection is of no more use. */
	enum err (*run)(struct db *db, const struct db_call *calls, size_t count);
	/* Runs statements without arguments, separated by semicolons. */
	enum err (*script)(struct db *db, const char *sql);

	/* What runs from now on may take `milliseconds` in all, then it ends with ERR_TIMEOUT, or,
	 * where the database does not end it, some time later with ERR_AWAY; 0 takes the limit
	 * away. */
	void (*set_budget)(struct db *db, int milliseconds);
	/* Copies the whole database to a new file, on stable storage and checked. NULL: that is
	 * left to tools of the database's own. */
	enum err (*copy)(struct db *db, const char *to);
	/* Whether a connection that is idle turned out to be of no more use; it is not waited for
	 * anything. NULL: it never is. */
	bool (*is_lost)(struct db *db);
	/* What the library said of the last failure; valid until the next call. */
	const char *(*message)(struct db *db);
};

/* Every connection begins with one. */
struct db {
	const struct db_driver *driver;
};

extern const struct db_driver sqlite_driver;
extern const struct db_driver postgres_driver;

#endif
