/* SPDX-License-Identifier: MIT */
/* Sends statements to PostgreSQL and reads their results, over libpq in pipeline mode and without
 * blocking. All statements of a run() go to the server together and end with one synchronisation,
 * so that they cost one round trip. BEGIN goes out with the first statements of a transaction,
 * COMMIT with the last ones. ROLLBACK is sent at once, and its result is read with those of the
 * next run().
 *
 * Each call sends up to three messages: DEALLOCATE, PREPARE and EXECUTE. The struct pending list
 * says which results the server still has to send, in their order. If that order is no longer
 * certain, the connection is given up (postgres_lose). */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "errors.h"
#include "postgres_private.h"
#include "slow.h"

/* Docket waits so much longer than a statement may run. If the server has sent no result then, the
 * connection counts as lost. */
#define GRACE_MS 3000
#define DDL_LOCK_MS 30000
/* If more than this is used of a budget, the server's limit is set to what is left. */
#define LATE_MS 50

/* Makes room for `more` pending results: once a message is sent, noting it must not fail. */
static enum err pipeline_make_room(struct postgres_db *db, size_t more)
{
	size_t room = db->pending_room ? db->pending_room : 64;
	struct pending *list;

	while (room < db->pending_count + more)
		room *= 2;
	if (room == db->pending_room)
		return OK;
	list = reallocarray(db->pending, room, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	db->pending = list;
	db->pending_room = room;
	return OK;
}

/* Notes that the result of a message is pending; `sent` is what libpq said of the message. */
static enum err pipeline_expect(struct postgres_db *db, int sent, struct pending pending)
{
	if (!sent)
		return postgres_lose(db, NULL);
	assert(db->pending_count < db->pending_room);
	db->pending[db->pending_count++] = pending;
	return OK;
}

static enum err pipeline_send_text(struct postgres_db *db, const char *sql, enum pending_kind kind)
{
	return pipeline_expect(db, PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 1),
			       (struct pending){.kind = kind});
}

static enum err pipeline_send_sync(struct postgres_db *db)
{
	return pipeline_expect(db, PQpipelineSync(db->conn),
			       (struct pending){.kind = PENDING_SYNC});
}

static const char *statement_name(const struct postgres_db *db, size_t at, char name[32])
{
	snprintf(name, 32, "s%llu", db->numbers[at]);
	return name;
}

/* Prepares a statement in slot `at` and deallocates the one that was there. */
static enum err pipeline_send_prepare(struct postgres_db *db, const char *sql, size_t at,
				      const struct postgres_args *args)
{
	char name[32], drop[64];
	enum err err = OK;

	if (db->texts[at].sql) {
		snprintf(drop, sizeof(drop), "DEALLOCATE %s", statement_name(db, at, name));
		statement_forget(&db->texts[at]);
		err = pipeline_send_text(db, drop, PENDING_OTHER);
	}
	if (err)
		return err;
	if (!statement_keep(&db->texts[at], sql, ++db->clock)) {
		statement_forget(&db->texts[at]);
		return ERR_NOMEM;
	}
	db->numbers[at] = ++db->last_number;
	return pipeline_expect(db,
			       PQsendPrepare(db->conn, statement_name(db, at, name), sql,
					     args->count, args->types),
			       (struct pending){.kind = PENDING_PREPARE, .at = at});
}

static enum err pipeline_send_call(struct postgres_db *db, const struct db_call *call)
{
	const struct pending pending = {.kind = PENDING_CALL, .call = call};
	struct postgres_args args;
	enum err err = OK;
	char name[32];
	size_t at;

	postgres_bind(call, &args);
	if (call->once)
		return pipeline_expect(db,
				       PQsendQueryParams(db->conn, call->sql, args.count,
							 args.types, args.values, args.lengths,
							 args.formats, 1),
				       pending);
	if (!statement_find(db->texts, POSTGRES_STATEMENTS, &db->clock, call->sql, &at))
		err = pipeline_send_prepare(db, call->sql, at, &args);
	return err ? err
		   : pipeline_expect(db,
				     PQsendQueryPrepared(db->conn, statement_name(db, at, name),
							 args.count, args.values, args.lengths,
							 args.formats, 1),
				     pending);
}

/* The time from now until `more` after the deadline; 0: it is over, -1: there is no deadline. */
static int budget_left_ms(const struct postgres_db *db, int more)
{
	int64_t left = db->deadline + more - monotonic_ms();

	return !db->deadline ? -1 : left > 0 ? (int)left : 0;
}

/* Sends what comes before the statements of a run: the limit on their time, and BEGIN. */
static enum err pipeline_send_prologue(struct postgres_db *db)
{
	bool begins = db->transaction == TRANSACTION_WANTED;
	int left = budget_left_ms(db, 0);
	enum err err = OK;
	char set[64];

	/* With a synchronisation of its own, so that no rollback undoes it. */
	if (db->transaction != TRANSACTION_OPEN && db->session_ms != db->budget_ms) {
		snprintf(set, sizeof(set), "SET statement_timeout = %d", db->budget_ms);
		err = pipeline_send_text(db, set, PENDING_OTHER);
		if (!err)
			err = pipeline_send_sync(db);
		db->session_ms = db->budget_ms;
	}
	if (!err && begins)
		err = pipeline_send_text(db,
					 postgres_only_reads(db)
						 ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
						 : "BEGIN",
					 PENDING_OTHER);
	if (!err && db->transaction == TRANSACTION_OPEN && left > 0 &&
	    db->budget_ms - left > LATE_MS) {
		snprintf(set, sizeof(set), "SET LOCAL statement_timeout = %d", left);
		err = pipeline_send_text(db, set, PENDING_OTHER);
	}
	if (begins)
		db->transaction = TRANSACTION_OPEN;
	return err;
}

/* If not all messages could be sent, nothing more can be sent on this connection. */
static enum err pipeline_send_calls(struct postgres_db *db, const struct db_call *calls,
				    size_t count)
{
	/* DEALLOCATE, PREPARE and EXECUTE of each call; the prologue; COMMIT and a sync. */
	enum err err = pipeline_make_room(db, 3 * count + 6);

	if (!err)
		err = pipeline_send_prologue(db);
	for (size_t i = 0; i < count && !err; i++)
		err = pipeline_send_call(db, &calls[i]);
	db->lost |= err != OK;
	return err;
}

/* How long to wait for all results: the server itself ends a statement that takes too long. */
static int answer_timeout_ms(const struct postgres_db *db)
{
	return budget_left_ms(db, GRACE_MS);
}

/* Sends what libpq has not sent yet, and waits until a result is there or the time is up. */
static enum err pipeline_wait(struct postgres_db *db)
{
	while (PQisBusy(db->conn)) {
		int unsent = PQflush(db->conn);
		enum err err;
		struct pollfd wait = {.fd = PQsocket(db->conn),
				      .events = (short)(unsent ? POLLIN | POLLOUT : POLLIN)};

		if (unsent < 0 || wait.fd < 0)
			return postgres_lose(db, NULL);
		/* A reader sends many statements together. If they take long, the database may
		 * still be reachable. */
		if (poll(&wait, 1, answer_timeout_ms(db)) == 0 || answer_timeout_ms(db) == 0) {
			err = postgres_lose(db, "the database does not answer in time");
			return db->mode == DB_READ ? ERR_TIMEOUT : err;
		}
		if (wait.revents & ~POLLOUT && !PQconsumeInput(db->conn))
			return postgres_lose(db, NULL);
	}
	return OK;
}

/* The next result; NULL follows the last result of a statement. */
static enum err pipeline_next_result(struct postgres_db *db, PGresult **result_out)
{
	enum err err = pipeline_wait(db);

	*result_out = err ? NULL : PQgetResult(db->conn);
	return err;
}

/* What one result means for the message that it answers. */
static enum err pending_read_result(struct postgres_db *db, const struct pending *pending,
				    PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
		return pending->call ? postgres_hand_over(db, result, pending->call) : OK;
	case PGRES_COMMAND_OK:
		if (pending->kind != PENDING_COMMIT)
			return OK;
		db->committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
		if (!db->committed)
			postgres_keep_message(db, "the transaction was rolled back");
		return db->committed ? OK : ERR_INTERNAL;
	case PGRES_PIPELINE_SYNC:
		return OK;
	case PGRES_PIPELINE_ABORTED:
		return ERR_STOPPED; /* because of an earlier error, which is the one that counts */
	default:
		return postgres_result_err(db, result);
	}
}

/* Reads all results of one message. The first error is returned. */
static enum err pending_read_results(struct postgres_db *db, struct pending *pending)
{
	PGresult *result = NULL;
	enum err err, first = OK;

	if (pending->call && pending->call->many)
		PQsetSingleRowMode(db->conn);
	do {
		err = pipeline_next_result(db, &result);
		if (err)
			return err;
		if (!result && pending->kind == PENDING_SYNC)
			return postgres_lose(db, NULL);
		if (!result)
			break;
		err = pending_read_result(db, pending, result);
		if (!first)
			first = err;
		if (first)
			pending->call = NULL; /* no more of its rows are handed over */
		PQclear(result);
	} while (pending->kind != PENDING_SYNC && !postgres_is_lost(db));
	if (first && pending->kind == PENDING_PREPARE)
		statement_forget(&db->texts[pending->at]);
	return first;
}

/* The server runs the statements one after the other, so each begins when the one before it ends.
 */
static int64_t pending_note(const struct postgres_db *db, const struct pending *pending,
			    const struct db_call *call, int64_t began)
{
	static const struct db_call commit = {.sql = "COMMIT"};

	if (pending->kind == PENDING_COMMIT)
		call = &commit;
	/* The server sends the results of BEGIN and SET together with the next. */
	return call ? slow_note(&db->db, call, began) : began;
}

/* Reads all pending results, also those that follow an error. The first error is returned. */
static enum err pipeline_read_results(struct postgres_db *db)
{
	int64_t began = slow_clock(&db->db);
	enum err first = OK;

	for (size_t i = 0; i < db->pending_count && !postgres_is_lost(db); i++) {
		const struct db_call *call = db->pending[i].call;
		enum err err;

		if (first)
			db->pending[i].call = NULL;
		err = pending_read_results(db, &db->pending[i]);
		began = pending_note(db, &db->pending[i], call, began);
		if (err && !first && db->pending[i].kind != PENDING_ROLLBACK)
			first = err;
	}
	db->pending_count = 0;
	if (first)
		db->session_ms = -1; /* perhaps it was the SET that failed */
	if (!postgres_is_lost(db) || (db->lost && first == ERR_TIMEOUT))
		return first;
	return postgres_lose(db, db->lost ? db->message : NULL);
}

/* OK if something can be sent. Otherwise the error, and its message is kept. */
static enum err pipeline_check_ready(struct postgres_db *db)
{
	if (postgres_is_lost(db))
		return postgres_lose(db, db->lost ? db->message : NULL);
	if (budget_left_ms(db, 0) == 0) {
		postgres_keep_message(db, "the time limit has passed");
		return ERR_TIMEOUT;
	}
	return OK;
}

enum err postgres_run(struct db *base, const struct db_call *calls, size_t count)
{
	struct postgres_db *db = postgres_of(base);
	enum err err = count ? pipeline_check_ready(db) : OK;

	if (err || !count)
		return err;
	err = pipeline_send_calls(db, calls, count);
	if (!err)
		err = pipeline_send_sync(db);
	return err ? err : pipeline_read_results(db);
}

enum err postgres_begin(struct db *base)
{
	postgres_of(base)->transaction = TRANSACTION_WANTED;
	return OK;
}

enum err postgres_commit(struct db *base, const struct db_call *calls, size_t count)
{
	struct postgres_db *db = postgres_of(base);
	enum err err;

	if (db->transaction == TRANSACTION_WANTED && !count) {
		db->transaction = TRANSACTION_NONE;
		return OK;
	}
	err = pipeline_check_ready(db);
	if (!err)
		err = pipeline_send_calls(db, calls, count);
	if (err)
		return err;
	db->warned = db->committed = false;
	err = pipeline_send_text(db, "COMMIT", PENDING_COMMIT);
	if (!err)
		err = pipeline_send_sync(db);
	if (!err)
		err = pipeline_read_results(db);
	if (!err && !db->committed)
		err = postgres_lose(db, "no answer to COMMIT");
	if (!err)
		db->transaction = TRANSACTION_NONE;
	return postgres_commit_err(
		&(struct postgres_commit){err, db->lost, db->committed, db->warned});
}

void postgres_rollback(struct db *base)
{
	struct postgres_db *db = postgres_of(base);
	bool is_open = db->transaction == TRANSACTION_OPEN;

	db->transaction = TRANSACTION_NONE;
	if (!is_open || postgres_is_lost(db))
		return;
	if (pipeline_make_room(db, 2))
		db->lost = true;
	else if (!pipeline_send_text(db, "ROLLBACK", PENDING_ROLLBACK) && !pipeline_send_sync(db))
		(void)PQflush(db->conn);
}

enum err postgres_run_simple(struct postgres_db *db, const char *sql)
{
	enum err err = PQsendQuery(db->conn, sql) ? OK : postgres_lose(db, NULL), first = OK;
	PGresult *result = NULL;

	while (!err) {
		err = pipeline_next_result(db, &result);
		if (err || !result)
			break;
		if (PQresultStatus(result) != PGRES_COMMAND_OK &&
		    PQresultStatus(result) != PGRES_TUPLES_OK &&
		    PQresultStatus(result) != PGRES_EMPTY_QUERY && !first)
			first = postgres_result_err(db, result);
		PQclear(result);
	}
	return err ? err : first;
}

static enum err session_set_lock_timeout(struct postgres_db *db, int milliseconds)
{
	char set[64];

	snprintf(set, sizeof(set), "SET lock_timeout = %d", milliseconds);
	return postgres_run_simple(db, set);
}

/* A change of the schema waits longer for locks than a request would. It may have to wait until the
 * server has cancelled its own work on the table, such as an autovacuum. */
enum err postgres_script(struct db *base, const char *sql)
{
	struct postgres_db *db = postgres_of(base);
	enum err err = pipeline_check_ready(db), first;

	if (!err)
		err = pipeline_send_calls(db, NULL, 0);
	if (!err)
		err = pipeline_send_sync(db);
	if (!err)
		err = pipeline_read_results(db);
	if (err)
		return err;
	if (!PQexitPipelineMode(db->conn))
		return postgres_lose(db, NULL);
	first = session_set_lock_timeout(db, DDL_LOCK_MS);
	if (!first)
		first = postgres_run_simple(db, sql);
	/* If the transaction has failed, its rollback restores the limit. */
	if (!postgres_is_lost(db) && PQtransactionStatus(db->conn) != PQTRANS_INERROR)
		err = session_set_lock_timeout(db, POSTGRES_LOCK_MS);
	if (!postgres_is_lost(db) && !PQenterPipelineMode(db->conn))
		err = postgres_lose(db, NULL);
	return first ? first : err;
}
