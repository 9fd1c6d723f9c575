/* SPDX-License-Identifier: MIT */
/* The PostgreSQL driver, over libpq in pipeline mode and without blocking: the statements of a
 * run() are sent together, end with one synchronisation and cost one way to the server and back.
 * What begins a transaction goes out with its first statements, what commits it with its last, and
 * the answer to what ends a reading one is taken with those of the next.
 *
 * A connection whose answers do not belong to what was asked any more is `gone`: all that it is
 * told from then on is ERR_AWAY. */
#include "db/db.h"

#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "db/statements.h"

#define STATEMENTS 128 /* prepared and kept, a connection */
#define ARGS_MAX 64
#define COLUMNS_MAX 96
#define VERSION_MIN 150000
/* How much longer than a statement may take its answer is waited for: a server that says nothing
 * at all is away. */
#define GRACE_MS 3000
#define SET_UP_MS 2000 /* what a new connection is told */
#define DDL_LOCK_MS 30000
#define LOCK_MS 1000  /* to wait for a row that somebody else has locked */
#define IDLE_MS 10000 /* of a writer between two statements of a transaction */
#define LATE_MS 50    /* of a budget used up, before the server is told what is left of it */

/* What the server owes an answer to. */
struct owed {
	enum owed_kind {
		OWED_CALL,
		OWED_PREPARE,
		OWED_OTHER,  /* of no interest, unless it fails */
		OWED_COMMIT, /* failed where the server says that it rolled back */
		OWED_SYNC,
		OWED_LATE, /* a ROLLBACK whose failure shows with the next statement */
	} kind;
	const struct db_call *call; /* of an OWED_CALL */
	size_t at;                  /* of an OWED_PREPARE: the statement */
};

struct postgres_db {
	struct db db;
	PGconn *conn;
	enum db_mode mode;
	struct statement_text texts[STATEMENTS];
	unsigned long long numbers[STATEMENTS]; /* which name each text has on the server */
	unsigned long long last_number;
	uint64_t clock;
	struct owed *owed; /* in the order in which it was sent */
	size_t owed_count, owed_room;
	enum transaction { NONE, WANTED, OPEN } transaction;
	bool gone;
	bool committed;     /* the server said so since this was set to false */
	bool warned;        /* the server warned since this was set to false */
	int wanted_ms;      /* what one statement may take; 0: any time */
	int session_ms;     /* what the server was told; -1: not known */
	int64_t deadline;   /* milliseconds of CLOCK_MONOTONIC, 0: none */
	char message[1024]; /* of the last failure */
};

static struct postgres_db *postgres_of(struct db *db)
{
	return (struct postgres_db *)(void *)db;
}

/* SQLSTATE, whole or its class (PostgreSQL, appendix A): the row that fits best comes first. */
static const struct {
	const char *state;
	enum err err;
} errors[] = {
	{"57014", ERR_TIMEOUT}, /* query_canceled */
	{"55P03", ERR_BUSY},    /* lock_not_available */
	{"53100", ERR_FULL},    /* disk_full */
	{"53200", ERR_NOMEM},   /* out_of_memory */
	{"53300", ERR_AWAY},    /* too_many_connections */
	{"25006", ERR_AWAY},    /* read_only_sql_transaction: it has become a standby */
	{"25P03", ERR_AWAY},    /* idle_in_transaction_session_timeout */
	{"26000", ERR_AWAY},    /* a prepared statement is not there: it is another session */
	{"0A000", ERR_AWAY},    /* a cached plan does not fit the tables any more */
	{"3D000", ERR_NOT_FOUND}, {"42P01", ERR_NOT_FOUND}, /* undefined_table */
	{"58P01", ERR_IO},        {"08", ERR_AWAY},         /* connection */
	{"57P", ERR_AWAY}, /* the server ends, begins, or wants this connection to end */
	{"40", ERR_BUSY},  /* deadlocks and what cannot be serialised */
	{"23", ERR_CONSTRAINT},   {"28", ERR_INVALID},      {"58", ERR_IO},
	{"XX001", ERR_CORRUPT},   {"XX002", ERR_CORRUPT},   {"", ERR_INTERNAL},
};

/* On one line, as a log and a person have it. */
static void keep_message(struct postgres_db *db, const char *message)
{
	size_t len = 0;

	while (*message && len < sizeof(db->message) - 1) {
		size_t gap = strspn(message, "\n\t");

		if (gap && len && message[gap])
			db->message[len++] = ' ';
		message += gap;
		if (*message && len < sizeof(db->message) - 1)
			db->message[len++] = *message++;
	}
	db->message[len] = '\0';
}

static bool is_lost(const struct postgres_db *db)
{
	return db->gone || PQstatus(db->conn) != CONNECTION_OK;
}

static enum err err_of(struct postgres_db *db, const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	size_t i = 0;

	keep_message(db, primary ? primary : PQerrorMessage(db->conn));
	while (state && strncmp(errors[i].state, state, strlen(errors[i].state)) != 0)
		i++;
	db->gone |= !state || is_lost(db) || errors[i].err == ERR_AWAY;
	return db->gone ? ERR_AWAY : errors[i].err;
}

static enum err lost(struct postgres_db *db, const char *message)
{
	keep_message(db, message ? message : PQerrorMessage(db->conn));
	db->gone = true;
	return ERR_AWAY;
}

/* A commit whose wait for a standby was cancelled succeeds with nothing but a warning. */
static void on_notice(void *context, const PGresult *result)
{
	struct postgres_db *db = context;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity && strcmp(severity, "WARNING") == 0) {
		db->warned = true;
		keep_message(db, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	}
}

/* Room for what so many more messages will be owed: once they are sent it may not fail. */
static enum err make_room(struct postgres_db *db, size_t more)
{
	size_t room = db->owed_room ? db->owed_room : 64;
	struct owed *list;

	while (room < db->owed_count + more)
		room *= 2;
	if (room == db->owed_room)
		return OK;
	list = reallocarray(db->owed, room, sizeof(*list));
	if (!list)
		return ERR_NOMEM;
	db->owed = list;
	db->owed_room = room;
	return OK;
}

static enum err owe(struct postgres_db *db, int sent, struct owed owed)
{
	if (!sent)
		return lost(db, NULL);
	assert(db->owed_count < db->owed_room);
	db->owed[db->owed_count++] = owed;
	return OK;
}

static enum err send_text(struct postgres_db *db, const char *sql, enum owed_kind kind)
{
	return owe(db, PQsendQueryParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 1),
		   (struct owed){.kind = kind});
}

static enum err send_sync(struct postgres_db *db)
{
	return owe(db, PQpipelineSync(db->conn), (struct owed){.kind = OWED_SYNC});
}

/* The types of pg_type.dat, which are the same in every database. */
enum { OID_BOOL = 16, OID_BYTES = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

static Oid type_of(const struct db_value *value)
{
	static const Oid types[] = {
		[DB_NULL] = 0, /* whatever stands there */
		[DB_INT] = OID_INT8,
		[DB_TEXT] = OID_TEXT,
		[DB_BYTES] = OID_BYTES,
	};

	return types[value->type];
}

/* Arguments as libpq takes them, in the binary form. */
struct arguments {
	const char *values[ARGS_MAX];
	int lengths[ARGS_MAX];
	int formats[ARGS_MAX];
	Oid types[ARGS_MAX];
	int64_t integers[ARGS_MAX];
	int count;
};

static void bind(const struct db_call *call, struct arguments *bound)
{
	assert(call->arg_count <= ARGS_MAX);
	bound->count = (int)call->arg_count;
	for (size_t i = 0; i < call->arg_count; i++) {
		const struct db_value *arg = &call->args[i];

		bound->formats[i] = 1;
		bound->types[i] = type_of(arg);
		bound->lengths[i] = (int)arg->bytes.len;
		bound->values[i] = arg->type == DB_NULL  ? NULL
				   : arg->bytes.len == 0 ? ""
							 : arg->bytes.ptr;
		if (arg->type == DB_INT) {
			bound->integers[i] = (int64_t)htobe64((uint64_t)arg->integer);
			bound->values[i] = (const char *)&bound->integers[i];
			bound->lengths[i] = sizeof(bound->integers[i]);
		}
	}
}

static const char *name_of(const struct postgres_db *db, size_t at, char name[32])
{
	snprintf(name, 32, "s%llu", db->numbers[at]);
	return name;
}

/* The one unused for longest makes room. */
static enum err send_prepare(struct postgres_db *db, const char *sql, size_t at,
			     const struct arguments *bound)
{
	char name[32], drop[64];
	enum err err = OK;

	if (db->texts[at].sql) {
		snprintf(drop, sizeof(drop), "DEALLOCATE %s", name_of(db, at, name));
		statement_forget(&db->texts[at]);
		err = send_text(db, drop, OWED_OTHER);
	}
	if (err)
		return err;
	if (!statement_keep(&db->texts[at], sql, ++db->clock)) {
		statement_forget(&db->texts[at]);
		return ERR_NOMEM;
	}
	db->numbers[at] = ++db->last_number;
	return owe(db,
		   PQsendPrepare(db->conn, name_of(db, at, name), sql, bound->count, bound->types),
		   (struct owed){.kind = OWED_PREPARE, .at = at});
}

static enum err send_call(struct postgres_db *db, const struct db_call *call)
{
	const struct owed owed = {.kind = OWED_CALL, .call = call};
	struct arguments bound;
	enum err err = OK;
	char name[32];
	size_t at;

	bind(call, &bound);
	if (call->once)
		return owe(db,
			   PQsendQueryParams(db->conn, call->sql, bound.count, bound.types,
					     bound.values, bound.lengths, bound.formats, 1),
			   owed);
	if (!statement_find(db->texts, STATEMENTS, &db->clock, call->sql, &at))
		err = send_prepare(db, call->sql, at, &bound);
	return err ? err
		   : owe(db,
			 PQsendQueryPrepared(db->conn, name_of(db, at, name), bound.count,
					     bound.values, bound.lengths, bound.formats, 1),
			 owed);
}

static int left_ms(const struct postgres_db *db)
{
	int64_t left = db->deadline - monotonic_ms();

	return !db->deadline ? -1 : left > 0 ? (int)left : 0;
}

/* Before the statements of a run: the time that they may take, and what begins a transaction. */
static enum err send_prologue(struct postgres_db *db)
{
	bool opens = db->transaction == WANTED;
	int left = left_ms(db);
	enum err err = OK;
	char set[64];

	/* Synchronised, so that no rollback takes it back. */
	if (db->transaction != OPEN && db->session_ms != db->wanted_ms) {
		snprintf(set, sizeof(set), "SET statement_timeout = %d", db->wanted_ms);
		err = send_text(db, set, OWED_OTHER);
		if (!err)
			err = send_sync(db);
		db->session_ms = db->wanted_ms;
	}
	if (!err && opens)
		err = send_text(db,
				db->mode == DB_READ || db->mode == DB_IMMUTABLE
					? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
					: "BEGIN",
				OWED_OTHER);
	if (!err && db->transaction == OPEN && left > 0 && db->wanted_ms - left > LATE_MS) {
		snprintf(set, sizeof(set), "SET LOCAL statement_timeout = %d", left);
		err = send_text(db, set, OWED_OTHER);
	}
	if (opens)
		db->transaction = OPEN;
	return err;
}

/* Until all answers must have come: the server ends by itself what takes too long. */
static int patience_ms(const struct postgres_db *db)
{
	int64_t left = db->deadline + GRACE_MS - monotonic_ms();

	return !db->deadline ? -1 : left > 0 ? (int)left : 0;
}

/* Sends what libpq still has, and waits until an answer has come or the time is up. */
static enum err wait_for_answer(struct postgres_db *db)
{
	while (PQisBusy(db->conn)) {
		int unsent = PQflush(db->conn);
		enum err err;
		struct pollfd wait = {.fd = PQsocket(db->conn),
				      .events = (short)(unsent ? POLLIN | POLLOUT : POLLIN)};

		if (unsent < 0 || wait.fd < 0)
			return lost(db, NULL);
		/* Much that was asked together is no reason to think that the database is away. */
		if (poll(&wait, 1, patience_ms(db)) == 0 || patience_ms(db) == 0) {
			err = lost(db, "the database does not answer in time");
			return db->mode == DB_READ ? ERR_TIMEOUT : err;
		}
		if (wait.revents & ~POLLOUT && !PQconsumeInput(db->conn))
			return lost(db, NULL);
	}
	return OK;
}

/* The next result; NULL ends those of one statement. */
static enum err next_result(struct postgres_db *db, PGresult **result_out)
{
	enum err err = wait_for_answer(db);

	*result_out = err ? NULL : PQgetResult(db->conn);
	return err;
}

static bool value_of(const PGresult *result, int row, int column, struct db_value *value_out)
{
	const char *bytes = PQgetvalue(result, row, column);
	size_t len = (size_t)PQgetlength(result, row, column);
	uint64_t big;
	uint32_t four;
	uint16_t two;

	if (PQgetisnull(result, row, column)) {
		*value_out = DB_NULL_VALUE;
		return true;
	}
	switch (PQftype(result, column)) {
	case OID_INT8:
		memcpy(&big, bytes, sizeof(big));
		*value_out = DB_INT_VALUE((int64_t)be64toh(big));
		return true;
	case OID_INT4:
		memcpy(&four, bytes, sizeof(four));
		*value_out = DB_INT_VALUE((int32_t)be32toh(four));
		return true;
	case OID_INT2:
		memcpy(&two, bytes, sizeof(two));
		*value_out = DB_INT_VALUE((int16_t)be16toh(two));
		return true;
	case OID_BOOL:
		*value_out = DB_INT_VALUE(*bytes != 0);
		return true;
	case OID_BYTES:
		*value_out = DB_BYTES_VALUE(((struct slice){bytes, len}));
		return true;
	case OID_TEXT:
	case 19:   /* name */
	case 705:  /* unknown: a constant */
	case 1042: /* character(n) */
	case 1043: /* character varying */
		*value_out = DB_TEXT_VALUE(((struct slice){bytes, len}));
		return true;
	default:
		return false;
	}
}

static enum err hand_over(struct postgres_db *db, const PGresult *result,
			  const struct db_call *call)
{
	struct db_value values[COLUMNS_MAX];
	int columns = PQnfields(result);
	enum err err = OK;

	assert(columns <= COLUMNS_MAX);
	for (int row = 0; row < PQntuples(result) && call->on_row && !err; row++) {
		for (int i = 0; i < columns; i++)
			if (!value_of(result, row, i, &values[i])) {
				keep_message(db, "a column has a type that docket does not know");
				return ERR_INTERNAL;
			}
		err = call->on_row(call->context, values, (size_t)columns);
	}
	return err;
}

/* What one result says of what was owed. */
static enum err judge(struct postgres_db *db, const struct owed *owed, PGresult *result)
{
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_SINGLE_TUPLE:
		return owed->call ? hand_over(db, result, owed->call) : OK;
	case PGRES_COMMAND_OK:
		if (owed->kind != OWED_COMMIT)
			return OK;
		db->committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
		if (!db->committed)
			keep_message(db, "the transaction was rolled back");
		return db->committed ? OK : ERR_INTERNAL;
	case PGRES_PIPELINE_SYNC:
		return OK;
	case PGRES_PIPELINE_ABORTED:
		return ERR_STOPPED; /* because of an error before it, which counts */
	default:
		return err_of(db, result);
	}
}

/* Takes all results of one statement; the first error counts. */
static enum err settle(struct postgres_db *db, struct owed *owed)
{
	PGresult *result = NULL;
	enum err err, first = OK;

	if (owed->call && owed->call->many)
		PQsetSingleRowMode(db->conn);
	do {
		err = next_result(db, &result);
		if (err)
			return err;
		if (!result && owed->kind == OWED_SYNC)
			return lost(db, NULL);
		if (!result)
			break;
		err = judge(db, owed, result);
		if (!first)
			first = err;
		if (first)
			owed->call = NULL; /* no more of its rows are handed over */
		PQclear(result);
	} while (owed->kind != OWED_SYNC && !is_lost(db));
	if (first && owed->kind == OWED_PREPARE)
		statement_forget(&db->texts[owed->at]);
	return first;
}

/* Takes all that is owed; what follows an error is heard as well, and the first error counts. */
static enum err settle_all(struct postgres_db *db)
{
	enum err first = OK;

	for (size_t i = 0; i < db->owed_count && !is_lost(db); i++) {
		enum err err;

		if (first)
			db->owed[i].call = NULL;
		err = settle(db, &db->owed[i]);
		if (err && !first && db->owed[i].kind != OWED_LATE)
			first = err;
	}
	db->owed_count = 0;
	if (first)
		db->session_ms = -1; /* perhaps that is what has failed */
	if (!is_lost(db) || (db->gone && first == ERR_TIMEOUT))
		return first;
	return lost(db, db->gone ? db->message : NULL);
}

/* Whether anything can be sent; what is in the way is told. */
static enum err check_ready(struct postgres_db *db)
{
	if (is_lost(db))
		return lost(db, db->gone ? db->message : NULL);
	if (left_ms(db) == 0) {
		keep_message(db, "over its time");
		return ERR_TIMEOUT;
	}
	return OK;
}

/* What cannot be sent whole leaves a connection that nothing more can be sent to. */
static enum err send_calls(struct postgres_db *db, const struct db_call *calls, size_t count)
{
	/* Of a call the statement that it takes the place of, its preparation and itself; and what
	 * comes before and behind them all. */
	enum err err = make_room(db, 3 * count + 6);

	if (!err)
		err = send_prologue(db);
	for (size_t i = 0; i < count && !err; i++)
		err = send_call(db, &calls[i]);
	db->gone |= err != OK;
	return err;
}

static enum err postgres_run(struct db *base, const struct db_call *calls, size_t count)
{
	struct postgres_db *db = postgres_of(base);
	enum err err = count ? check_ready(db) : OK;

	if (err || !count)
		return err;
	err = send_calls(db, calls, count);
	if (!err)
		err = send_sync(db);
	return err ? err : settle_all(db);
}

static enum err postgres_begin(struct db *base)
{
	postgres_of(base)->transaction = WANTED;
	return OK;
}

/* Once the commit was sent only the server can say that it was not done: by an error of that or of
 * a statement before it. */
static enum err postgres_commit(struct db *base, const struct db_call *calls, size_t count)
{
	struct postgres_db *db = postgres_of(base);
	enum err err;

	if (db->transaction == WANTED && !count) {
		db->transaction = NONE;
		return OK;
	}
	err = check_ready(db);
	if (!err)
		err = send_calls(db, calls, count);
	if (err)
		return err;
	db->warned = db->committed = false;
	err = send_text(db, "COMMIT", OWED_COMMIT);
	if (!err)
		err = send_sync(db);
	if (!err)
		err = settle_all(db);
	if (!err && !db->committed)
		err = lost(db, "no answer to COMMIT");
	if (!err)
		db->transaction = NONE;
	return (err && db->gone) || (db->committed && (err || db->warned)) ? ERR_UNSURE : err;
}

static void postgres_rollback(struct db *base)
{
	struct postgres_db *db = postgres_of(base);
	bool is_open = db->transaction == OPEN;

	db->transaction = NONE;
	if (!is_open || is_lost(db))
		return;
	if (make_room(db, 2))
		db->gone = true;
	else if (!send_text(db, "ROLLBACK", OWED_LATE) && !send_sync(db))
		(void)PQflush(db->conn);
}

/* Statements in one text need the simple protocol, which no pipeline has. */
static enum err run_simple(struct postgres_db *db, const char *sql)
{
	enum err err = PQsendQuery(db->conn, sql) ? OK : lost(db, NULL), first = OK;
	PGresult *result = NULL;

	while (!err) {
		err = next_result(db, &result);
		if (err || !result)
			break;
		if (PQresultStatus(result) != PGRES_COMMAND_OK &&
		    PQresultStatus(result) != PGRES_TUPLES_OK && !first)
			first = err_of(db, result);
		PQclear(result);
	}
	return err ? err : first;
}

/* A change of the schema waits for longer than a request would, as for the server's own work on the
 * table to be cancelled. */
static enum err postgres_script(struct db *base, const char *sql)
{
	struct postgres_db *db = postgres_of(base);
	enum err err = check_ready(db), first;
	char lock[64];

	if (!err)
		err = send_calls(db, NULL, 0);
	if (!err)
		err = send_sync(db);
	if (!err)
		err = settle_all(db);
	if (err)
		return err;
	if (!PQexitPipelineMode(db->conn))
		return lost(db, NULL);
	snprintf(lock, sizeof(lock), "SET lock_timeout = %d", DDL_LOCK_MS);
	first = run_simple(db, lock);
	if (!first)
		first = run_simple(db, sql);
	snprintf(lock, sizeof(lock), "SET lock_timeout = %d", LOCK_MS);
	/* In a transaction that has failed its rollback does it. */
	if (!is_lost(db) && PQtransactionStatus(db->conn) != PQTRANS_INERROR)
		err = run_simple(db, lock);
	if (!is_lost(db) && !PQenterPipelineMode(db->conn))
		err = lost(db, NULL);
	return first ? first : err;
}

static void postgres_set_budget(struct db *base, int milliseconds)
{
	struct postgres_db *db = postgres_of(base);

	db->wanted_ms = milliseconds;
	db->deadline = milliseconds ? monotonic_ms() + milliseconds : 0;
}

static bool postgres_is_lost(struct db *base)
{
	struct postgres_db *db = postgres_of(base);

	return is_lost(db) || !PQconsumeInput(db->conn) || is_lost(db);
}

static const char *postgres_message(struct db *base)
{
	return postgres_of(base)->message;
}

static void postgres_close(struct db *base)
{
	struct postgres_db *db = postgres_of(base);

	if (!db)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		statement_forget(&db->texts[i]);
	PQfinish(db->conn);
	free(db->owed);
	free(db);
}

/* What the URL does not say is said before it, what it must not say behind it. A standby is never
 * asked: what it answers may be old. */
static PGconn *connect_to(const char *where)
{
	static const char *const names[] = {"target_session_attrs",      "connect_timeout",
					    "tcp_user_timeout",          "keepalives_idle",
					    "fallback_application_name", "dbname",
					    "client_encoding",           NULL};
	const char *const values[] = {"read-write", "2",   "10000", "10",
				      "docket",     where, "UTF8",  NULL};

	return PQconnectdbParams(names, values, 1);
}

/* How every session is, whatever the database is set to: a commit that is acknowledged is on stable
 * storage, also on the standbys that it waits for; a lock is not waited for without end, nor held
 * by a docket that hangs or whose machine is gone; and a connection that does nothing stays. */
static const char set_up[] =
	"SELECT set_config('synchronous_commit', 'on', false)"
	"	WHERE current_setting('synchronous_commit') <> 'remote_apply';"
	"SET default_transaction_isolation = 'read committed'; SET idle_session_timeout = 0;"
	"SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
	"SET tcp_keepalives_count = 2; SET tcp_user_timeout = 20000;";

static enum err configure(struct postgres_db *db)
{
	const char *encoding = PQparameterStatus(db->conn, "server_encoding");
	bool reads = db->mode == DB_READ || db->mode == DB_IMMUTABLE;
	char text[sizeof(set_up) + 192];
	enum err err;

	if (PQserverVersion(db->conn) < VERSION_MIN) {
		keep_message(db, "this PostgreSQL is older than 15");
		return ERR_INVALID;
	}
	if (!encoding || strcmp(encoding, "UTF8") != 0) {
		char said[96];

		snprintf(said, sizeof(said), "the database has the encoding %s and must have UTF8",
			 encoding ? encoding : "of an unknown name");
		keep_message(db, said);
		return ERR_INVALID;
	}
	if (PQsetnonblocking(db->conn, 1))
		return lost(db, NULL);
	/* Whoever reads has no lock that others wait for. */
	snprintf(text, sizeof(text),
		 "%sSET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d;"
		 "SET default_transaction_read_only = %s",
		 set_up, LOCK_MS, reads ? 0 : IDLE_MS, reads ? "on" : "off");
	db->deadline = monotonic_ms() + SET_UP_MS;
	err = run_simple(db, text);
	db->deadline = 0;
	if (!err && !PQenterPipelineMode(db->conn))
		err = lost(db, NULL);
	return err;
}

/* What libpq says of a URL that it cannot read has the URL in it, and so its password. */
static bool is_readable(const char *where)
{
	PQconninfoOption *options = PQconninfoParse(where, NULL);

	PQconninfoFree(options);
	return options != NULL;
}

static enum err postgres_open(const char *where, enum db_mode mode, struct db **db_out,
			      char *message, size_t size)
{
	struct postgres_db *db = calloc(1, sizeof(*db));
	enum err err = OK;

	if (!db) {
		snprintf(message, size, "out of memory");
		return ERR_NOMEM;
	}
	db->db.driver = &postgres_driver;
	db->mode = mode;
	db->session_ms = -1;
	if (!is_readable(where)) {
		keep_message(db, "its URL cannot be read: it must be "
				 "postgresql://USER@HOST:PORT/NAME");
		err = ERR_INVALID;
	} else if (!(db->conn = connect_to(where)) || is_lost(db)) {
		keep_message(db, db->conn ? PQerrorMessage(db->conn) : "out of memory");
		err = ERR_AWAY;
	} else {
		PQsetNoticeReceiver(db->conn, on_notice, db);
		err = configure(db);
	}
	if (err) {
		snprintf(message, size, "%s", db->message);
		postgres_close(&db->db);
		return err;
	}
	*db_out = &db->db;
	return OK;
}

const struct db_driver postgres_driver = {
	.name = "PostgreSQL",
	.kind = DB_POSTGRES,
	.open = postgres_open,
	.close = postgres_close,
	.begin = postgres_begin,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.run = postgres_run,
	.script = postgres_script,
	.set_budget = postgres_set_budget,
	.is_lost = postgres_is_lost,
	.message = postgres_message,
};
