/* SPDX-License-Identifier: MIT */
/* The statements of every kind of record, made from its field table once, when a store opens. No
 * other file writes SQL by hand for a kind of record.
 *
 *	struct sql_statements sql;
 *
 *	err = sql_statements_build(sql_dialect(db->driver), &arena, &sql);
 *	if (!err)
 *		err = calls_ask(&calls, sql.records[RECORD_TASK].select, on_row, NULL,
 *				DB_INT_VALUE(account_id), DB_INT_VALUE(id));
 *
 * $1 is the account in all of them: another account's record is not to be found. */
#ifndef SQL_STATEMENTS_H
#define SQL_STATEMENTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/records.h"
#include "sql/dialect.h"

struct record_sql {
	const char *insert;
	const char *update;          /* $3 id; the arguments of the insert */
	const char *select;          /* $1 account, $2 id */
	const char *select_page;     /* $1 account, $2 ids as a JSON array, whose order it keeps */
	const char **select_related; /* by expansion; $1 account, $2 ids of the page */
	const char *remove;          /* $1 account, $2 id */
	struct link_sql {            /* by field; NULLs where the field is no list */
		const char *insert;  /* $1 account, $2 owner, $3 member, then the copies */
		const char *remove;  /* $1 account, $2 owner, $3 member */
		const char
			*update; /* $1 account, $2 owner, then the copies; NULL: there are none */
	} * links;
	/* By field, of those that only one record may have: $1 account, $2 the value. */
	const char **unique;
	size_t arg_count; /* of the insert */
};

struct sql_statements {
	struct record_sql records[RECORD_KINDS];
	const char *read_account;   /* $1 account */
	const char *update_account; /* $1 account, $2 last_change, $3 head, $4 last_at, last ids */
	const char *lock_given;     /* the last number that an account got */
	const char *read_values; /* $1 account, $2 changes as a JSON array, whose order it keeps */
};

/* They live as long as the arena. ERR_NOMEM. */
enum err sql_statements_build(const struct sql_dialect *dialect, struct arena *arena,
			      struct sql_statements *sql);

/* A SELECT of what record_from_row() reads; `from` is what follows the columns: the table and which
 * of its records. NULL when memory is out. */
const char *record_select(const struct sql_dialect *dialect, const struct record_type *type,
			  const char *from, struct arena *arena);

/* Columns that a field takes in its record's own table. */
size_t field_columns(const struct field *field);

/* Appends `format` with `what` in place of each %s. */
void put_into(const char *format, const char *what, struct buf *out);

#endif
