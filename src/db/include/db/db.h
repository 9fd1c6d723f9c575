/* SPDX-License-Identifier: MIT */
/* The interface of db/: what a database does for docket. A struct db_driver is implemented once for
 * each database; everything above it is written once. The drivers know no table of docket's.
 *
 * How a caller uses a driver:
 *
 *	const struct db_value args[] = {DB_INT_VALUE(7), DB_TEXT_VALUE(SLICE("seven"))};
 *	const struct db_call insert = {.sql = "INSERT INTO prime (id, name) VALUES ($1, $2)",
 *				       .args = args,
 *				       .arg_count = 2};
 *	const struct db_call count_all = {
 *		.sql = "SELECT count(*) FROM prime", .on_row = db_number, .context = &count};
 *	enum err err = driver->open(where, DB_WRITE, &db, message, sizeof(message));
 *
 *	if (err)
 *		return err; // message says why
 *	err = driver->begin(db);
 *	if (!err)
 *		err = driver->run(db, &count_all, 1);
 *	if (!err)
 *		err = driver->commit(db, &insert, 1); // runs the insert, then commits
 *	if (err)
 *		driver->rollback(db);
 *	driver->close(db);
 *
 * One text of SQL serves every driver; sql/dialect.h has what differs. Arguments are $1, $2, …, and
 * each may stand in a text several times. Values are always bound. Names in SQL come only from
 * docket's own tables, never from a client.
 *
 * A call has at most DB_ARGS_MAX arguments, a row at most DB_COLUMNS_MAX columns. A column is an
 * integer, a text in UTF-8, bytes, or NULL; a truth value is the integer 0 or 1.
 *
 * A connection is used by one thread at a time. Different connections may be used at the same
 * time. */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/slice.h"

#define DB_ARGS_MAX 64
#define DB_COLUMNS_MAX 64
#define DB_BITS_IDS 4096 /* of a part of a set of ids */

struct db;
struct db_backup;

/* A set of ids (sqlite_bits.h) is an array of these, in the order of their numbers: bit i % 8 of
 * byte i / 8 stands for the id number * DB_BITS_IDS + i. Where no id is, there is no part. */
struct db_bits {
	int64_t number;
	unsigned char bytes[DB_BITS_IDS / 8];
};

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

/* Called for each row. The driver owns `values` and the bytes that they point at; they live until
 * the function returns. If it returns an error, it gets no more rows, and run() returns that
 * error. */
typedef enum err db_row_fn(void *context, const struct db_value *values, size_t count);

/* A db_row_fn: sets *(int64_t *)context to the first value of the row. If that is NULL, it changes
 * nothing. */
enum err db_number(void *context, const struct db_value *values, size_t count);

/* One statement. The caller keeps all that it points at until the statement was run. */
struct db_call {
	const char *sql;
	const struct db_value *args; /* args[0] is $1 */
	size_t arg_count;
	db_row_fn *on_row; /* NULL: the rows are dropped */
	void *context;
	bool once; /* the text will not be run again: the statement is not kept prepared */
	bool many; /* it has many rows: on_row gets each as it arrives, not after the last */
};

enum db_mode {
	DB_CREATE, /* makes the database, which must not exist; otherwise as DB_WRITE */
	DB_WRITE,
	/* Can write, without a journal: after a failure the database cannot be used any more. No
	 * commit is on stable storage. */
	DB_DRAFT,
	DB_READ, /* cannot write */
	/* Cannot write, and makes no file beside the database either. Only for a database that no
	 * process has open or will open meanwhile. */
	DB_IMMUTABLE,
	/* The same for a database that has a WAL: reads it without shared memory and locks. */
	DB_IMMUTABLE_WAL,
};

/* Whose SQL a driver speaks. */
enum db_kind {
	DB_SQLITE,
	DB_POSTGRES,
};

struct db_driver {
	const char *name;
	enum db_kind kind;

	/* `where` is a file for SQLite and a connection string or URL for PostgreSQL. On an error
	 * nothing is left open, and `message`, of `size` bytes, says why. */
	enum err (*open)(const char *where, enum db_mode mode, struct db **db_out, char *message,
			 size_t size);
	/* `db` may be NULL. */
	void (*close)(struct db *db);

	/* Begins a transaction. It can write if the connection can. All statements of a reading
	 * transaction see the same state of the database. */
	enum err (*begin)(struct db *db);
	/* Runs `count` statements, then commits. ERR_COMMIT_UNKNOWN: it is not known whether the
	 * transaction was committed. */
	enum err (*commit)(struct db *db, const struct db_call *calls, size_t count);
	/* May be called after any failure, also of begin() or commit(). */
	void (*rollback)(struct db *db);

	/* Runs `count` statements in their order, and stops at the first that fails. They go to the
	 * database together. Without begin(), SQLite commits each by itself, and PostgreSQL commits
	 * all together. ERR_UNREACHABLE: the connection is lost; close it. */
	enum err (*run)(struct db *db, const struct db_call *calls, size_t count);
	/* Runs statements without arguments, separated by semicolons. */
	enum err (*script)(struct db *db, const char *sql);

	/* All statements from now on may take `milliseconds` together; 0: there is no limit. When
	 * the time is over, run() fails with ERR_TIMEOUT. If the database does not stop by itself,
	 * it fails some time later with ERR_UNREACHABLE. */
	void (*set_budget)(struct db *db, int milliseconds);
	/* While a statement runs, calls `stop` often, on the same thread. When that returns true,
	 * run() fails with ERR_TIMEOUT. `stop` NULL: nothing is called any more. NULL: the driver
	 * cannot do that. */
	void (*set_stop)(struct db *db, bool (*stop)(void *context), void *context);
	/* Copies the whole database to a file that is empty. The copy is neither checked nor on
	 * stable storage. If the connection can write, the database is then in its own file alone,
	 * so the file can be renamed. ERR_BUSY: another connection is open. NULL: the driver leaves
	 * copies to the database's own tools. */
	enum err (*copy)(struct db *db, const char *to);
	/* Copies the database to a file that is empty, in parts, while this connection writes.
	 * backup_part() copies for `budget_us`, and needs at least one part of some pages; call it
	 * outside a transaction. The copy is complete when `left_out`, the pages that are left, is
	 * 0. Then it has all that was committed before that part. backup_end() ends the backup,
	 * complete or not; it comes before close() of the connection. The file is neither checked
	 * nor on stable storage. Only the connection that writes can do this: for any other, the
	 * backup begins again with each commit. NULL: the driver leaves this to the database's own
	 * tools. */
	enum err (*backup_begin)(struct db *db, const char *to, struct db_backup **backup_out);
	enum err (*backup_part)(struct db_backup *backup, int64_t budget_us, int64_t *left_out,
				int64_t *total_out);
	void (*backup_end)(struct db_backup *backup);
	/* The next five are for replication; NULL: the driver cannot do it.
	 *
	 * From now on, or no longer, records which rows the connection's transactions change, but
	 * not those of the table `except`. */
	enum err (*record)(struct db *db, bool on, const char *except);
	/* Call it after a commit of a connection that records. Appends the changes of the
	 * transaction, for apply(). On an error these changes are lost. */
	enum err (*take_changes)(struct db *db, struct buf *changes);
	/* Repeats the changes of a transaction, in the open transaction. The database must have the
	 * state from before them, by a copy or by apply(). ERR_CORRUPT: it does not. */
	enum err (*apply)(struct db *db, struct slice changes);
	/* Gives on_row the rows of a table that the changes insert or update. A column that an
	 * update leaves as it is has DB_NULL, except in the key. ERR_CORRUPT. */
	enum err (*read_changes)(struct slice changes, const char *table, db_row_fn *on_row,
				 void *context);
	/* Copies a state of the database page by page to a file that is empty, while another
	 * connection writes. The copy is not on stable storage. Every few pages it asks whether
	 * the copy goes on; if not, ERR_TIMEOUT. */
	enum err (*snapshot)(struct db *db, const char *to, bool (*goes_on)(void *context),
			     void *context);
	/* Does the work that commits have left, on a connection that can write. The store calls it
	 * when no write has come for a while. NULL: the driver leaves none. */
	void (*on_idle)(struct db *db);
	/* Whether an idle connection is lost. It does not wait. NULL: the driver never loses
	 * one. */
	bool (*is_lost)(struct db *db);
	/* Appends the shape of a statement's plan: its nodes, with the names of tables and indexes,
	 * and no value. Of the arguments only their types count. Not in a transaction. After an
	 * error the connection can only be closed. */
	enum err (*explain)(struct db *db, const struct db_call *call, struct buf *plan);
	/* The library's message about the last failure; it lives until the next call. */
	const char *(*message)(struct db *db);
};

/* Counts what connections do by themselves. Any thread may read it. */
struct db_counters {
	/* SQLite: attempts to copy the WAL into the database, and the microseconds that they
	 * took. */
	_Atomic uint64_t checkpoints, checkpoint_us;
};

/* Gets the statements that take long; see slow/slow_log.h. Any thread may call tell(), which does
 * not wait. `call` lives until it returns. */
struct slow_watch {
	int64_t bound_ms;
	void (*tell)(struct slow_watch *watch, const struct db *db, const struct db_call *call,
		     int64_t ms);
};

/* Every connection begins with this. */
struct db {
	const struct db_driver *driver;
	/* Set by the caller, and outlives the connection. NULL: nothing is counted. */
	struct db_counters *counters;
	struct slow_watch *slow; /* the same; NULL: nobody wants slow statements */
	/* For whom its statements run, as the log names it. Set by the caller, who clears it when
	 * they have run. */
	struct db_purpose {
		int64_t account_id; /* 0: not one account */
		struct slice request_id;
	} purpose;
};

extern const struct db_driver sqlite_driver;
extern const struct db_driver postgres_driver;

#endif
