/* SPDX-License-Identifier: MIT */
/* What the files of the store share. */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include <stdatomic.h>

#include "db/db.h"
#include "store/store.h"

#define TOKEN_USES 4096

struct writer;

/* The statements of one kind of record, made from its field table when the store opens. */
struct record_sql {
	const char *insert;
	const char *update;          /* $3 id; the arguments of the insert */
	const char *select;          /* $1 account, $2 id */
	const char *select_page;     /* $1 account, $2 ids as a JSON array, whose order it keeps */
	const char **select_related; /* by expansion; $1 account, $2 ids of the page */
	const char **link_insert;    /* by field; NULL where the field is no list */
	size_t arg_count;            /* of the insert */
};

struct store {
	struct store_config config;
	struct arena arena; /* what lives as long as the store */
	const struct db_driver *driver;
	struct record_sql sql[RECORD_KINDS];
	const char *read_account;   /* $1 account */
	const char *update_account; /* $1 account, $2 last_change, then the last ids */
	struct db *write_db;
	struct writer *writer;
	struct readers *readers;
	/* Which tokens were used in which minute: see store_token_used(). */
	_Atomic uint64_t uses[TOKEN_USES];
	int lock; /* file descriptor of the folder's lock */
};

/* store.c */
#define DATABASE "docket.db"
#define PATH_BYTES 4096
void folder_path(const char *folder, const char *name, char path[PATH_BYTES]);
/* Takes the folder for this process, with a database or without. ERR_BUSY where another process has
 * it. */
enum err lock_folder(const char *folder, int *lock_out, struct buf *why);
/* A store with its statements and nothing open; store_close() it. */
struct store *store_new(const struct store_config *config);
/* Takes the folder for this process, which must have a database. ERR_BUSY where another process
 * has it. */
enum err store_lock(struct store *store, struct buf *why);
/* Opens the writing connection, and brings the database to this program's schema after a copy. */
enum err store_bring_up(struct store *store, struct buf *why);

/* Opens a connection that cannot write; where the folder is this process's and its last one has
 * ended well, nothing is written beside the database either. */
enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why);

/* Statements to run in their order. */
struct calls {
	struct arena *arena;
	struct db_call *list;
	size_t count;
	size_t room;
};

/* `args` must live until the calls were run. */
enum err calls_add(struct calls *calls, const char *sql, const struct db_value *args,
		   size_t arg_count, db_row_fn *on_row, void *context);

/* readers.c: reading connections, lent to one thread at a time. */
struct readers;
enum err readers_new(const struct db_driver *driver, const char *where, unsigned count,
		     struct readers **readers_out, struct buf *why);
void readers_free(struct readers *readers);
/* Waits until one is free; its budget starts now. */
struct db *readers_take(struct readers *readers, int budget_ms);
void readers_give(struct readers *readers, struct db *db);
/* Takes one for several statements that see the same. */
enum err snapshot_begin(struct store *store, struct db **db_out);
void snapshot_end(struct store *store, struct db *db);
/* Takes one, runs the calls in one snapshot each, gives it back. */
enum err store_read(struct store *store, const struct db_call *calls, size_t count);

/* commit.c */
/* Step one of a write that needs to know nothing but the account. */
enum err read_nothing(struct store_write *write, struct calls *calls);
enum err writer_new(struct store *store, struct writer **writer_out);
/* Ends the thread when the queue is empty. */
void writer_stop(struct writer *writer);
void writer_free(struct writer *writer);

/* record_sql.c */
void put_into(const char *format, const char *what, struct buf *out);
/* Columns that a field takes in its record's own table. */
size_t field_columns(const struct field *field);
enum err record_sql_build(struct store *store);
/* A SELECT of what record_from_row() reads; `from` is what follows the columns: the table and which
 * of its records. NULL when memory is out. */
const char *record_select(const struct db_dialect *dialect, const struct record_type *type,
			  const char *from, struct arena *arena);

/* record.c */
/* Lists what creates a record: its row, its lists, its history. `record` must live until the calls
 * were run. An id of ID_NONE gets the next one, a time of creation of TIME_NONE is now. */
enum err record_insert(struct store_write *write, enum record_kind kind, void *record,
		       struct calls *calls);
/* Lists what changes a record of a kind without lists and searched texts: its row, its history.
 * `record` is whole, as it is to be, and must live until the calls were run. */
enum err record_update(struct store_write *write, enum record_kind kind, void *record,
		       struct calls *calls);
/* Copies the texts of a record without an address into the arena. */
enum err record_keep(const struct record_type *type, void *record, struct arena *arena);
/* Reads a row of record_sql.select into a zeroed struct; texts are not copied. */
enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *record);

/* account.c: reads a row whose columns are those of struct account, in their order. */
enum err account_from_row(const struct db_value *values, struct arena *arena,
			  struct account *account_out);

/* token.c: lists what creates an API token. */
enum err token_insert(struct store_write *write, const struct token *token, struct calls *calls);

/* migrate.c */
struct migration {
	int number; /* from 1, without gaps */
	const char *name;
	const char *sql; /* with the markers of the dialect */
};

extern const struct migration *const migrations;
extern const size_t migration_count;

/* Runs statements that have markers in them. */
enum err script_marked(struct db *db, const char *sql);
/* In the transaction that is open: makes the tables of every migration, without a word in
 * `migration` that they were done. */
enum err schema_make(struct db *db);

/* Puts `sql` into `out` with the words for each {marker}; false where one is not known. */
bool markers_fill(const struct db_marker *markers, const char *sql, struct buf *out);

/* The number of the database's last migration, 0 for none. ERR_SCHEMA where it is above `count`. */
enum err schema_read(struct db *db, size_t count, int64_t *have_out, struct buf *why);

/* Brings the database to the last of `list`; each in its own transaction, after one checked copy
 * at `copy_to` where there was a schema before. ERR_SCHEMA where the database is newer. */
enum err migrate(struct db *db, const struct migration *list, size_t count, const char *copy_to,
		 int64_t now, struct buf *why);

#endif
