/* SPDX-License-Identifier: MIT */
/* The PostgreSQL driver: opens a connection and sets up its session. What is sent over it is in
 * postgres_pipeline.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "postgres_private.h"

#define VERSION_MIN 150000
#define SET_UP_MS 2000 /* for the set-up of a new session */
/* How long a writer may be idle in a transaction: a docket that hangs must not keep its locks. */
#define IDLE_MS 10000

/* libpq calls it for each notice. A COMMIT whose wait for a standby was cancelled succeeds, and
 * only a warning says so. */
static void connection_on_notice(void *context, const PGresult *result)
{
	struct postgres_db *db = context;
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);

	if (severity && strcmp(severity, "WARNING") == 0) {
		db->warned = true;
		postgres_keep_message(db, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	}
}

static void postgres_set_budget(struct db *base, int milliseconds)
{
	struct postgres_db *db = postgres_of(base);

	db->budget_ms = milliseconds;
	db->deadline = milliseconds ? monotonic_ms() + milliseconds : 0;
}

static bool connection_is_lost(struct db *base)
{
	struct postgres_db *db = postgres_of(base);

	return postgres_is_lost(db) || !PQconsumeInput(db->conn) || postgres_is_lost(db);
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
	for (size_t i = 0; i < POSTGRES_STATEMENTS; i++)
		statement_forget(&db->texts[i]);
	PQfinish(db->conn);
	free(db->pending);
	free(db);
}

/* The URL overrides the parameters that stand before it here, and not those behind it. Of the hosts
 * in the URL, libpq takes the first that is not a standby: a standby's answers may be outdated. */
static PGconn *connection_make(const char *where)
{
	static const char *const names[] = {"target_session_attrs",      "connect_timeout",
					    "tcp_user_timeout",          "keepalives_idle",
					    "fallback_application_name", "dbname",
					    "client_encoding",           NULL};
	const char *const values[] = {"read-write", "2",   "10000", "10",
				      "docket",     where, "UTF8",  NULL};

	return PQconnectdbParams(names, values, 1);
}

/* Every session has these settings, whatever the database is set to. A commit that is acknowledged
 * is on stable storage, also on the standbys that it waits for. The server ends a connection to a
 * docket whose machine is gone, and so releases its locks. It does not end one that is only idle.
 */
static const char session_settings[] =
	"SELECT set_config('synchronous_commit', 'on', false)"
	"	WHERE current_setting('synchronous_commit') <> 'remote_apply';"
	"SET default_transaction_isolation = 'read committed'; SET idle_session_timeout = 0;"
	"SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;"
	"SET tcp_keepalives_count = 2; SET tcp_user_timeout = 20000;";

static enum err session_check_server(struct postgres_db *db)
{
	const char *encoding = PQparameterStatus(db->conn, "server_encoding");
	char text[96];

	if (PQserverVersion(db->conn) < VERSION_MIN) {
		postgres_keep_message(db, "this PostgreSQL is older than 15");
		return ERR_INVALID;
	}
	if (!encoding || strcmp(encoding, "UTF8") != 0) {
		snprintf(text, sizeof(text), "the database has the encoding %s and must have UTF8",
			 encoding ? encoding : "of an unknown name");
		postgres_keep_message(db, text);
		return ERR_INVALID;
	}
	return OK;
}

static enum err session_set_up(struct postgres_db *db)
{
	char text[sizeof(session_settings) + 192];
	bool reads = postgres_only_reads(db);
	enum err err;

	if (PQsetnonblocking(db->conn, 1))
		return postgres_lose(db, NULL);
	/* A reader may stay idle in a transaction: it has no lock that others wait for. */
	snprintf(text, sizeof(text),
		 "%sSET lock_timeout = %d; SET idle_in_transaction_session_timeout = %d;"
		 "SET default_transaction_read_only = %s",
		 session_settings, reads ? POSTGRES_READ_LOCK_MS : POSTGRES_LOCK_MS,
		 reads ? 0 : IDLE_MS, reads ? "on" : "off");
	db->deadline = monotonic_ms() + SET_UP_MS;
	err = postgres_run_simple(db, text);
	db->deadline = 0;
	if (!err && !PQenterPipelineMode(db->conn))
		err = postgres_lose(db, NULL);
	return err;
}

/* libpq's message about a URL that it cannot read contains the URL, and so its password. */
static bool url_is_readable(const char *where)
{
	PQconninfoOption *options = PQconninfoParse(where, NULL);

	PQconninfoFree(options);
	return options != NULL;
}

static enum err connection_begin(struct postgres_db *db, const char *where)
{
	enum err err;

	if (!url_is_readable(where)) {
		postgres_keep_message(db, "its URL cannot be read: it must be "
					  "postgresql://USER@HOST:PORT/NAME");
		return ERR_INVALID;
	}
	db->conn = connection_make(where);
	if (!db->conn || postgres_is_lost(db)) {
		postgres_keep_message(db, db->conn ? PQerrorMessage(db->conn) : "out of memory");
		return ERR_UNREACHABLE;
	}
	PQsetNoticeReceiver(db->conn, connection_on_notice, db);
	err = session_check_server(db);
	return err ? err : session_set_up(db);
}

static enum err postgres_open(const char *where, enum db_mode mode, struct db **db_out,
			      char *message, size_t size)
{
	struct postgres_db *db = calloc(1, sizeof(*db));
	enum err err;

	if (!db) {
		snprintf(message, size, "out of memory");
		return ERR_NOMEM;
	}
	db->db.driver = &postgres_driver;
	db->mode = mode;
	db->session_ms = -1;
	err = connection_begin(db, where);
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
	.is_lost = connection_is_lost,
	.explain = postgres_explain,
	.message = postgres_message,
};
