/* SPDX-License-Identifier: MIT */
/* What PostgreSQL's errors are to docket, and the message of the last one. */
#include <string.h>

#include "postgres_private.h"

/* A SQLSTATE or its class (PostgreSQL, appendix A). The first row that fits is taken. */
static const struct {
	const char *state;
	enum err err;
} errors[] = {
	{"57014", ERR_TIMEOUT},     /* query_canceled */
	{"55P03", ERR_BUSY},        /* lock_not_available */
	{"53100", ERR_FULL},        /* disk_full */
	{"53200", ERR_NOMEM},       /* out_of_memory */
	{"53300", ERR_UNREACHABLE}, /* too_many_connections */
	{"25006", ERR_UNREACHABLE}, /* read_only_sql_transaction: the server has become a standby */
	{"25P03", ERR_UNREACHABLE}, /* idle_in_transaction_session_timeout */
	{"26000", ERR_UNREACHABLE}, /* a prepared statement is missing: it is another session */
	{"0A000", ERR_UNREACHABLE}, /* a cached plan no longer fits the tables */
	{"3D000", ERR_NOT_FOUND},   {"42P01", ERR_NOT_FOUND}, /* undefined_table */
	{"58P01", ERR_IO},          {"08", ERR_UNREACHABLE},  /* connection */
	{"57P", ERR_UNREACHABLE}, /* the server stops or starts, or ends this connection */
	{"40", ERR_BUSY},         /* deadlocks and serialization failures */
	{"23", ERR_CONSTRAINT},     {"28", ERR_INVALID},      {"58", ERR_IO},
	{"XX001", ERR_CORRUPT},     {"XX002", ERR_CORRUPT},   {"", ERR_INTERNAL},
};

void postgres_keep_message(struct postgres_db *db, const char *message)
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

bool postgres_is_lost(const struct postgres_db *db)
{
	return db->lost || PQstatus(db->conn) != CONNECTION_OK;
}

enum err postgres_lose(struct postgres_db *db, const char *message)
{
	postgres_keep_message(db, message ? message : PQerrorMessage(db->conn));
	db->lost = true;
	return ERR_UNREACHABLE;
}

enum err postgres_result_err(struct postgres_db *db, const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	size_t i = 0;

	postgres_keep_message(db, primary ? primary : PQerrorMessage(db->conn));
	while (state && strncmp(errors[i].state, state, strlen(errors[i].state)) != 0)
		i++;
	db->lost |= !state || postgres_is_lost(db) || errors[i].err == ERR_UNREACHABLE;
	return db->lost ? ERR_UNREACHABLE : errors[i].err;
}
