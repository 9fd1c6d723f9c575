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

/* A db_row_fn: sets *(int64_t *)context to the row's first value, or leaves it as it is where that
 * is NULL. */
enum err db_number(void *context, const struct db_value *values, size_t count);

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
	DB_IMMUTABLE,
	/* The same where a WAL was left, without shared memory and without locks. */
	DB_IMMUTABLE_WAL,
};

/* Whose SQL a driver speaks: sql/dialect.h has what differs. */
enum db_kind {
	DB_SQLITE,
	DB_POSTGRES,
};

struct db_driver {
	const char *name;
	enum db_kind kind;

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
