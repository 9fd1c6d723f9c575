/* SPDX-License-Identifier: MIT */
/* Translates the databases' errors to docket's, by a table for each database. */
#include "errors.h"

#include <sqlite3.h>
#include <string.h>

#include "base/array.h"

/* SQLite's result codes. If there is no row for an extended code, the row of its primary code is
 * taken. */
static const struct {
	int code;
	enum err err;
} codes[] = {
	{SQLITE_OK, OK},
	{SQLITE_DONE, OK},
	{SQLITE_ROW, OK},
	{SQLITE_IOERR_FSYNC, ERR_UNKNOWN_STATE},
	{SQLITE_IOERR_DIR_FSYNC, ERR_UNKNOWN_STATE},
	{SQLITE_IOERR_NOMEM, ERR_NOMEM},
	{SQLITE_NOMEM, ERR_NOMEM},
	{SQLITE_FULL, ERR_FULL},
	{SQLITE_BUSY, ERR_BUSY},
	{SQLITE_LOCKED, ERR_BUSY},
	{SQLITE_INTERRUPT, ERR_TIMEOUT},
	{SQLITE_CONSTRAINT, ERR_CONSTRAINT},
	{SQLITE_CORRUPT, ERR_CORRUPT},
	{SQLITE_NOTADB, ERR_CORRUPT},
	{SQLITE_CANTOPEN, ERR_NOT_FOUND},
	{SQLITE_IOERR, ERR_IO},
	{SQLITE_READONLY, ERR_IO},
	{SQLITE_PERM, ERR_IO},
};

enum err sqlite_code_err(int code)
{
	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < COUNT_OF(codes); i++)
			if (codes[i].code == code)
				return codes[i].err;
		code &= 0xff;
	}
	return ERR_INTERNAL;
}

/* A SQLSTATE or its class (PostgreSQL, appendix A). The first row that fits is taken. */
static const struct {
	const char *state;
	enum err err;
} states[] = {
	{"57014", ERR_TIMEOUT},     /* query_canceled */
	{"55P03", ERR_BUSY},        /* lock_not_available */
	{"53100", ERR_FULL},        /* disk_full */
	{"53200", ERR_NOMEM},       /* out_of_memory */
	{"53300", ERR_UNREACHABLE}, /* too_many_connections */
	{"25006", ERR_UNREACHABLE}, /* read_only_sql_transaction: the server has become a standby */
	/* in_failed_sql_transaction: an earlier ROLLBACK had no effect */
	{"25P02", ERR_UNREACHABLE},
	{"25P03", ERR_UNREACHABLE}, /* idle_in_transaction_session_timeout */
	{"26000", ERR_UNREACHABLE}, /* a prepared statement is missing: it is another session */
	{"0A000", ERR_UNREACHABLE}, /* a cached plan no longer fits the tables */
	{"3D000", ERR_NOT_FOUND},   /* invalid_catalog_name: there is no such database */
	{"42P01", ERR_NOT_FOUND},   /* undefined_table */
	{"08", ERR_UNREACHABLE},    /* connection exceptions */
	{"57P", ERR_UNREACHABLE},   /* the server stops or starts, or ends this connection */
	{"40", ERR_BUSY},           /* deadlocks and serialization failures */
	{"23", ERR_CONSTRAINT},     /* integrity constraint violations */
	{"28", ERR_INVALID},        /* a wrong user or password */
	{"58", ERR_IO},             /* system errors */
	{"XX001", ERR_CORRUPT},     /* data_corrupted */
	{"XX002", ERR_CORRUPT},     /* index_corrupted */
	{"", ERR_INTERNAL},
};

enum err postgres_state_err(const char *state)
{
	size_t i = 0;

	while (strncmp(states[i].state, state, strlen(states[i].state)) != 0)
		i++;
	return states[i].err;
}

enum err postgres_commit_err(const struct postgres_commit *commit)
{
	if (commit->err && commit->lost)
		return ERR_COMMIT_UNKNOWN;
	if (commit->committed && (commit->err || commit->warned))
		return ERR_COMMIT_UNKNOWN;
	return commit->err;
}
