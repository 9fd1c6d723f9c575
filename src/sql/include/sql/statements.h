/* SPDX-License-Identifier: MIT */
/* The statements of every kind of record. They are made from its field table once, when a store
 * opens.
 *
 *	struct sql_statements sql;
 *
 *	err = sql_statements_build(sql_dialect(db->driver), &arena, &sql);
 *	if (!err)
 *		err = calls_ask(&calls, sql.records[RECORD_TASK].select, on_row, NULL,
 *				DB_INT_VALUE(account_id), DB_INT_VALUE(id));
 *
 * $1 is the account in all of them, so none finds a record of another account. */
#ifndef SQL_STATEMENTS_H
#define SQL_STATEMENTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/records.h"
#include "sql/dialect.h"

struct record_sql {
	const char *insert;
	const char *update;          /* $3 id; same arguments as the insert */
	const char *select;          /* $1 account, $2 id */
	const char *select_page;     /* $1 account, $2 ids as a JSON array; keeps its order */
	const char **select_related; /* by expansion; $1 account, $2 ids of the page */
	const char *remove;          /* $1 account, $2 id */
	struct link_sql {            /* by field; NULLs: the field is not a list */
		const char *insert;  /* $1 account, $2 owner, $3 member, then the copies */
		const char *remove;  /* $1 account, $2 owner, $3 member */
		const char *update;  /* $1 account, $2 owner, then the copies; NULL: none */
	} * links;
	/* By field, for unique ones: $1 account, $2 the value. */
	const char **unique;
	const char *lock; /* waits until the table can be written; NULL: it always can */
	size_t arg_count; /* of the insert */
};

struct sql_statements {
	struct record_sql records[RECORD_KINDS];
	/* $1 account; its state is locked. The last two columns are the database's clock and the
	 * place of the row; NULL: the database has none. */
	const char *read_account;
	/* wait_for_account runs before read_account, and waits for the account's turn. try_account
	 * is like read_account, but does not wait: it has no row if another session has a lock.
	 * Both are NULL if there is only one writer. */
	const char *wait_for_account, *try_account;
	const char *update_account; /* $1 account, $2 last_change, $3 head, $4 last_at, last ids */
	const char *update_locked;  /* the same, then the place of the row; NULL: it has none */
	const char *lock_given;     /* reads and locks the last id given to an account */
	const char *read_values;    /* $1 account, $2 changes as a JSON array; keeps its order */
};

/* Makes the statements in the arena. ERR_NOMEM. */
enum err sql_statements_build(const struct sql_dialect *dialect, struct arena *arena,
			      struct sql_statements *sql);

/* A SELECT of the columns that record_from_row() reads. `from` follows the columns: the table, and
 * conditions. NULL: out of memory. */
const char *record_select(const struct sql_dialect *dialect, const struct record_type *type,
			  const char *from, struct arena *arena);

/* How many columns a field has in its record's table. */
size_t field_columns(const struct field *field);

/* Appends `format` with `what` in place of its one %s. */
void put_into(const char *format, const char *what, struct buf *out);

#endif
