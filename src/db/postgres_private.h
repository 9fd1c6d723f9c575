/* SPDX-License-Identifier: MIT */
/* What the files of the PostgreSQL driver share:
 *
 *	postgres_connection.c   opens and closes a connection and sets up its session
 *	  → postgres_pipeline.c   sends statements and reads their results
 *	    → postgres_values.c     arguments and rows in libpq's binary form
 *	    → postgres_errors.c     lost connections and messages
 *
 * Each file calls only those below it. */
#ifndef DB_POSTGRES_PRIVATE_H
#define DB_POSTGRES_PRIVATE_H

#include <libpq-fe.h>

#include "db/db.h"
#include "statements.h"

#define POSTGRES_STATEMENTS 128   /* prepared and kept, on each connection */
#define POSTGRES_LOCK_MS 300      /* how long to wait for a row that another session has locked */
#define POSTGRES_READ_LOCK_MS 200 /* the same for a connection that reads */

/* An answer that the server has not sent yet. */
struct pending {
	enum pending_kind {
		PENDING_CALL,
		PENDING_PREPARE,
		PENDING_OTHER,  /* its results are ignored, unless it fails */
		PENDING_COMMIT, /* fails if the server says that it rolled back */
		PENDING_SYNC,
		PENDING_ROLLBACK, /* a failure is ignored: the next statement then fails as well */
	} kind;
	const struct db_call *call; /* of a PENDING_CALL */
	size_t at;                  /* of a PENDING_PREPARE: the statement */
};

struct postgres_db {
	struct db db;
	PGconn *conn;
	enum db_mode mode;
	struct statement_text texts[POSTGRES_STATEMENTS];
	unsigned long long numbers[POSTGRES_STATEMENTS]; /* text i is prepared as s{numbers[i]} */
	unsigned long long last_number;
	uint64_t clock;
	struct pending *pending; /* in the order in which they were sent */
	size_t pending_count, pending_room;
	/* BEGIN goes to the server with the first statements of its transaction. */
	enum postgres_transaction {
		TRANSACTION_NONE,
		TRANSACTION_WANTED, /* BEGIN is not sent yet */
		TRANSACTION_OPEN,
	} transaction;
	bool lost;          /* nothing can be sent any more: every call returns ERR_UNREACHABLE */
	bool committed;     /* the server has confirmed the last COMMIT */
	bool warned;        /* the server has warned since the last COMMIT was sent */
	int budget_ms;      /* what set_budget() was given; 0: no limit */
	int session_ms;     /* the session's statement_timeout; -1: not known */
	int64_t deadline;   /* the end of the budget, by monotonic_ms(); 0: none */
	char message[1024]; /* of the last failure, on one line */
};

static inline struct postgres_db *postgres_of(struct db *db)
{
	return (struct postgres_db *)(void *)db;
}

static inline bool postgres_only_reads(const struct postgres_db *db)
{
	return db->mode == DB_READ || db->mode == DB_IMMUTABLE;
}

/* postgres_errors.c */
/* Keeps a message of libpq or of the server, on one line. */
void postgres_keep_message(struct postgres_db *db, const char *message);
/* Whether the connection is known to be lost. */
bool postgres_is_lost(const struct postgres_db *db);
/* Gives the connection up and returns ERR_UNREACHABLE. `message` NULL: libpq's message. */
enum err postgres_lose(struct postgres_db *db, const char *message);
/* Keeps the message of a result that is an error, and returns the error. */
enum err postgres_result_err(struct postgres_db *db, const PGresult *result);

/* postgres_values.c */
/* Arguments as libpq takes them. They point at the bytes of the call. */
struct postgres_args {
	const char *values[DB_ARGS_MAX];
	int lengths[DB_ARGS_MAX];
	int formats[DB_ARGS_MAX];
	Oid types[DB_ARGS_MAX];
	int64_t integers[DB_ARGS_MAX];
	int count;
};

void postgres_bind(const struct db_call *call, struct postgres_args *args);
/* Calls the call's on_row for each row of a result. */
enum err postgres_hand_over(struct postgres_db *db, const PGresult *result,
			    const struct db_call *call);

/* postgres_pipeline.c: the driver's functions, as db/db.h describes them. */
enum err postgres_begin(struct db *base);
enum err postgres_commit(struct db *base, const struct db_call *calls, size_t count);
void postgres_rollback(struct db *base);
enum err postgres_run(struct db *base, const struct db_call *calls, size_t count);
enum err postgres_script(struct db *base, const char *sql);
/* postgres_plan.c: the same. */
enum err postgres_explain(struct db *db, const struct db_call *call, struct buf *plan);
/* Runs statements, separated by semicolons, outside of pipeline mode: only libpq's simple protocol
 * accepts several statements in one text. */
enum err postgres_run_simple(struct postgres_db *db, const char *sql);

#endif
