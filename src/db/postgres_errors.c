/* SPDX-License-Identifier: MIT */
/* Lost connections to PostgreSQL, and the message of the last error. */
#include <stdio.h>
#include <string.h>

#include "errors.h"
#include "postgres_private.h"

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

/* Appends the SQLSTATE to the message, because docket does not know it. */
static void postgres_name_state(struct postgres_db *db, const char *state)
{
	size_t len = strlen(db->message);

	snprintf(db->message + len, sizeof(db->message) - len, " (SQLSTATE %s)", state);
}

enum err postgres_result_err(struct postgres_db *db, const PGresult *result)
{
	const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	enum err err = state ? postgres_state_err(state) : ERR_UNREACHABLE;

	postgres_keep_message(db, primary ? primary : PQerrorMessage(db->conn));
	if (err == ERR_INTERNAL)
		postgres_name_state(db, state);
	db->lost |= postgres_is_lost(db) || err == ERR_UNREACHABLE;
	return db->lost ? ERR_UNREACHABLE : err;
}
