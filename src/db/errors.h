/* SPDX-License-Identifier: MIT */
/* Translates the databases' errors to docket's. */
#ifndef DB_ERRORS_H
#define DB_ERRORS_H

#include <stdbool.h>

#include "base/err.h"

/* The error for a result code of SQLite, primary or extended. */
enum err sqlite_code_err(int code);
/* The error for a SQLSTATE of PostgreSQL. */
enum err postgres_state_err(const char *state);

/* What is known about a transaction after COMMIT was sent to PostgreSQL. Only the server can say
 * that nothing was committed: by an error of COMMIT or of a statement before it. */
struct postgres_commit {
	enum err err;   /* the first error that was read */
	bool lost;      /* the connection was lost */
	bool committed; /* the server has confirmed the COMMIT */
	bool warned;    /* the server has sent a warning, such as that it did not wait for a
			 * standby */
};

enum err postgres_commit_err(const struct postgres_commit *commit);

#endif
