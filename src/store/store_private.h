/* SPDX-License-Identifier: MIT */
/* What the files of the store share. */
#ifndef STORE_STORE_PRIVATE_H
#define STORE_STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "sql/dialect.h"
#include "store/history.h"
#include "store/store.h"

#define TOKEN_USES 4096

struct writer;
struct executors;

/* The statements of one kind of record, made from its field table when the store opens. */
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

/* The keys whose creates are under way in this process. */
struct keys {
	pthread_mutex_t lock;
	struct idempotency *buckets[64];
};

struct store {
	struct store_config config;
	struct arena arena; /* what lives as long as the store */
	const struct db_driver *driver;
	struct record_sql sql[RECORD_KINDS];
	const char *read_account;   /* $1 account */
	const char *update_account; /* $1 account, $2 last_change, $3 head, $4 last_at, last ids */
	const char *lock_given;     /* the last number that an account got */
	const char *read_values; /* $1 account, $2 changes as a JSON array, whose order it keeps */
	struct keys keys;
	struct db *write_db;
	struct writer *writers;
	size_t writer_count;
	/* Reading connections that are lent, or threads that have one each. */
	struct readers *readers;
	struct executors *executors;
	atomic_size_t waiting;       /* reads and writes that are queued */
	atomic_size_t waiting_bytes; /* of the bodies of those writes */
	atomic_bool away;            /* the database was, when last a connection was asked for */
	/* Which tokens were used in which minute: see store_token_used(). */
	_Atomic uint64_t uses[TOKEN_USES];
	int lock; /* file descriptor of the folder's lock */
	/* Nobody writes to the folder meanwhile: it is this process's, or cannot be written. */
	bool unchanging;
	struct timespec seen[2]; /* when its database and the WAL were written: folder_changed() */
};

/* store.c */
/* Counts a read or write that is queued, with its body. ERR_BUSY where too much is waiting. */
enum err queue_enter(struct store *store, size_t bytes);
void queue_leave(struct store *store, size_t bytes);
/* A store with its statements and nothing open; store_close() it. */
struct store *store_new(const struct store_config *config);
/* Takes the place for this process alone, which must have a database. ERR_BUSY where another
 * process has it. */
enum err store_lock(struct store *store, struct buf *why);
/* Opens the writing connection, and brings the database, of schema `have`, to this program's. */
enum err store_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			struct buf *why);
/* The number of the database's schema. ERR_NOT_FOUND where it is none of docket's, ERR_SCHEMA where
 * it is newer than this program's, or older unless `older` is true. */
enum err store_read_schema(const struct store *store, struct db *db, bool older, int64_t *have_out,
			   struct buf *why);
/* Opens a connection that cannot write; where a folder is this process's and its last one has
 * ended well, nothing is written beside the database either. */
enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why);
/* Makes the first account, on the writing connection. */
enum err store_insert_first(struct store *store, const struct store_first *first);

/* folder_lock.c: who has a data folder. */
#define DATABASE "docket.db"
#define LOCK "docket.lock"
#define PATH_BYTES STORE_PATH_BYTES
void folder_path(const char *folder, const char *name, char path[PATH_BYTES]);
/* "cannot WHAT PATH: Permission denied; run this as its owner, NAME", or how to give a file of root
 * to the owner of its folder; `error` is an errno. */
void folder_blame(struct buf *why, const char *what, const char *path, int error);
/* Says what to do with a folder whose database is damaged or missing. */
void folder_advise(const char *folder, struct buf *why);
/* Whether there is a file that can be a database: ERR_CORRUPT where it is empty, ERR_NOT_FOUND. */
enum err folder_find(const char *folder, struct buf *why);
/* Takes the folder for this process, with a database or without. ERR_BUSY where another process has
 * it. */
enum err folder_take(struct store *store, struct buf *why);
/* The same with a database; and to read alone, where the folder may be one that cannot be written:
 * then nobody is kept away from it. */
enum err folder_lock(struct store *store, struct buf *why);
enum err folder_lock_reading(struct store *store, struct buf *why);
void folder_unlock(struct store *store);

/* folder.c: a data folder with a SQLite database. */
enum err folder_open(struct store *store, struct buf *why);
enum err folder_create(struct store *store, const struct store_first *first, struct buf *why);
enum err folder_open_reading(struct store *store, struct db **db_out, struct buf *why);
/* Whether the database was written since this or folder_open_reading() was called last. */
bool folder_changed(struct store *store);
/* After a copy. */
enum err folder_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			 struct buf *why);

/* database.c: a PostgreSQL database, which other processes serve as well. */
enum err database_open(struct store *store, struct buf *why);
enum err database_create(struct store *store, const struct store_first *first, struct buf *why);
enum err database_lock(struct store *store, struct buf *why);
enum err database_open_reading(struct store *store, struct db **db_out, struct buf *why);
enum err database_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			   struct buf *why);

/* Opens one more connection to a database that others serve as well, of a store that was opened
 * before; tells when it goes away and when it is there again. ERR_AWAY. */
enum err store_open_db(struct store *store, enum db_mode mode, struct db **db_out);

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
/* Waits until one is free. */
struct db *readers_take(struct readers *readers);
void readers_give(struct readers *readers, struct db *db);

/* executors.c: threads that read, each with its connection, so that nobody else waits for the
 * database. */
enum err executors_new(struct store *store, unsigned count, struct executors **executors_out);
/* Queues a read, whose done() is then called. ERR_BUSY, ERR_STOPPED. */
enum err executors_submit(struct executors *executors, struct store_read *read);
/* Ends them when the queue is empty. */
void executors_stop(struct executors *executors);
void executors_free(struct executors *executors);

/* read.c */
/* A thread that waits until another says that something is done. */
struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};
void waiting_init(struct waiting *waiting);
void waiting_end(void *waiting);
void waiting_for(struct waiting *waiting);
/* Runs a read on that connection; it may take so many milliseconds, 0 being any. */
enum err read_run(struct store_read *read, struct db *db, int budget_ms);
/* Runs statements that do not belong together on a reading connection, and waits for them. */
enum err store_read_now(struct store *store, const struct db_call *calls, size_t count);

/* batch.c */
/* By which it can be told whether a batch was committed. */
struct commit_mark {
	int64_t account_id; /* ID_NONE: it cannot */
	int64_t change;
	unsigned char head[DIGEST_BYTES]; /* the hash of that change */
	struct slice request_id;          /* that made it, or none */
	bool found;
};
/* Runs writes in one transaction; a failure of the kind `known` was told already. */
enum err batch_run(struct store *store, struct db *db, struct store_write **writes, size_t count,
		   enum err known, struct commit_mark *mark_out);
/* Finds out whether it is there, and makes sure that it stays. */
enum err batch_resolve(struct store *store, struct db *db, struct commit_mark *mark);

/* Takes back what an earlier run of the steps has left. */
void write_start_afresh(struct store_write *write);
/* Step one of any write: its reads, and that of its key. */
enum err write_read_first(struct store_write *write, struct calls *calls);
/* When these are done: what else it reads, or the answer that its key had. */
enum err write_read_more(struct store_write *write, struct calls *calls);

/* commit.c */
/* Step one of a write that needs to know nothing but the account. */
enum err read_nothing(struct store_write *write, struct calls *calls);
enum err writers_start(struct store *store, unsigned count);
/* Ends their threads when the queues are empty. */
void writers_stop(struct store *store);
void writers_free(struct store *store);

/* record_sql.c */
void put_into(const char *format, const char *what, struct buf *out);
/* Columns that a field takes in its record's own table. */
size_t field_columns(const struct field *field);
enum err record_sql_build(struct store *store);
/* A SELECT of what record_from_row() reads; `from` is what follows the columns: the table and which
 * of its records. NULL when memory is out. */
const char *record_select(const struct sql_dialect *dialect, const struct record_type *type,
			  const char *from, struct arena *arena);

/* record.c */
/* One field's values: field_columns() of them. */
void field_to_values(const struct field *field, const void *at, struct db_value *values);

/* record_change.c */
/* Fills in what follows from the rest of a record, before it is written. */
enum err record_settle(struct store_write *write, enum record_kind kind, void *record,
		       const void *before);
/* Comes first in step one of a write that creates a record: record_insert() fills the record in, so
 * that another run must begin with the record as it was asked for. `asked` is NULL before the first
 * run. */
enum err record_begin(struct store_write *write, enum record_kind kind, void *record, void **asked);
/* Lists what creates a record: its row, its lists, its history. `record` must live until the calls
 * were run. An id of ID_NONE gets the next one, a time of creation of TIME_NONE is now. */
enum err record_insert(struct store_write *write, enum record_kind kind, void *record,
		       struct calls *calls);
/* The same for a copy of `sample` in the write's arena, created now. */
enum err record_insert_copy(struct store_write *write, enum record_kind kind, const void *sample,
			    struct calls *calls);
/* Lists what changes a record: its row, its lists, its history. `record` is whole, as it is to be,
 * `before` as it is; both must live until the calls were run. */
enum err record_update(struct store_write *write, enum record_kind kind, void *record,
		       const void *before, struct calls *calls);
/* Lists what deletes a record that nothing else names. */
enum err record_delete(struct store_write *write, enum record_kind kind, const void *before,
		       struct calls *calls);
/* Copies what a record points at into the arena. */
enum err record_keep(const struct record_type *type, void *record, struct arena *arena);
/* Reads a row of record_sql.select into a zeroed struct; texts are not copied. */
enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *record);

/* staff.c: of the user names of an account no two are the same, nor look alike. Lists the read of
 * a staff member whose name is the new name of `staff`, or looks like it; `before` is as it is now,
 * or NULL, and must live until the calls were run. */
struct username_other;
enum err username_read(struct store_write *write, const struct staff *staff,
		       const struct staff *before, struct calls *calls,
		       struct username_other **other_out);
/* After a staff member who shared a key is changed or deleted: if one other has the key, it signs
 * in by the key again. */
enum err username_leave(struct store_write *write, const struct staff *before, struct calls *calls);
/* When it was read; NULL: nothing was. */
void username_check(const struct username_other *other, struct faults *faults);

/* For SQL: whether a name `s` of the table of staff members looks like another of the account,
 * which is not the same but for its spelling. As in username_check(), one of the two has a
 * character that is none of `ascii`: something is left when those are taken away. */
#define USERNAME_LOOKS_ALIKE(ascii)                                                                \
	"EXISTS (SELECT 1 FROM staff o WHERE o.account_id = s.account_id AND s.username_key <> ''" \
	" AND o.username_skeleton = s.username_skeleton AND o.username_key <> s.username_key"      \
	" AND rtrim(s.username || o.username, " ascii ") <> '')"
/* What `ascii` is. */
#define ASCII_CHARS                                                     \
	" !\"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"

/* folds.c: what texts are searched, sorted and compared by. */
#define FOLDS_VERSION_BYTES 24
/* The version of Unicode that they are by; "" where they are to be made. */
enum err folds_version(struct db *db, char version[FOLDS_VERSION_BYTES]);
/* ERR_SCHEMA, and `why`, where they are not by this program's version. */
enum err folds_check(const struct store *store, struct db *db, struct buf *why);
struct folded {
	int64_t records, changed; /* looked at, and those that fold otherwise */
};
/* In the transaction that is open: makes them anew. */
enum err folds_make(struct db *db, struct folded *folded_out);
/* How many that would change; it writes nothing. */
enum err folds_count(struct db *db, struct folded *folded_out);
/* Makes them anew where they are not by this program's version, in one transaction, and logs it.
 * After that, or where migrations have just made them, it logs which user names collide. */
enum err folds_bring_up(struct db *db, bool migrated, struct buf *why);
/* What a record's folds are to be: `after`, a struct of its kind, is the record with them, whose
 * texts are in the arena. ERR_INVALID where a text is not UTF-8. */
enum err folds_of(enum record_kind kind, const void *record, struct arena *arena, void *after,
		  bool *differ_out);

/* history.c */
/* Lists the entry of a change, whose number the record has already; a value whose ptr is NULL is of
 * a record that was deleted. */
enum err history_add(struct store_write *write, const struct record_type *type,
		     const struct record *record, const char *action, struct slice value,
		     struct calls *calls);
#define HISTORY_COLUMNS \
	"account_id, change, at, staff_id, record, record_id, action, value, request_id"
#define HISTORY_COLUMNS_COUNT 9
/* Reads a row of these columns; texts are not copied. */
void history_from_row(const struct db_value *values, struct history_entry *entry_out);

/* idempotency.c */
/* ERR_UNDER_WAY where the key is already; else idempotency_end() must follow. */
enum err idempotency_begin(struct keys *keys, struct store_write *write);
void idempotency_end(struct keys *keys, struct store_write *write);
/* For step one: reads what the key was used for. */
enum err idempotency_read(struct store_write *write, struct calls *calls);
/* When that was read: whether there is a key that was used within its time. */
bool idempotency_knows(const struct store_write *write);
/* Then reads the records of its answer, where these are many. */
enum err idempotency_read_more(struct store_write *write, struct calls *calls);
/* For step two: whether the write is over by that, with the first answer or with one fault, the
 * key's. */
bool idempotency_answers(struct store_write *write);
/* Behind a step two that stored something, under the last change number. */
enum err idempotency_add(struct store_write *write, struct calls *calls);

/* account.c: reads a row whose columns are those of struct account, in their order. */
enum err account_from_row(const struct db_value *values, struct arena *arena,
			  struct account *account_out);
/* Lists what creates the calendar that an account begins with: a task must have one. */
enum err account_insert_calendar(struct store_write *write, struct calls *calls);

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
/* In the transaction that is open: makes the tables of every migration, partitioned into so many
 * parts unless 0, but not `migration`. */
enum err schema_make(struct db *db, unsigned partitions);
/* Makes the table `migration` where it is missing: what says that a database is one of docket's. */
enum err schema_mark(struct db *db);

/* Puts `sql` into `out` with the words for each {marker}; false where one is not known. */
bool markers_fill(const struct sql_marker *markers, const char *sql, struct buf *out);

/* The number of the database's last migration, 0 for none. ERR_SCHEMA where it is above `count`,
 * ERR_NOT_FOUND, without a word, where the database has no table of them, or another program's. */
enum err schema_read(struct db *db, size_t count, int64_t *have_out, struct buf *why);

/* For a statement of which only matters whether it finds a row: `context` is a bool, made true. */
enum err any_row(void *context, const struct db_value *values, size_t count);

struct migrate_how {
	const char
		*copy_to; /* where there was a schema before, a checked copy comes first; or NULL */
	unsigned partitions; /* of a new database, unless 0; an old one stays as it is */
	int64_t now;
	/* What the last one does besides to a database that had a schema before; or NULL. */
	enum err (*renew)(struct db *db, int64_t now, struct folded *folded_out);
	struct folded *folded; /* what that has done */
};

/* Brings the database to the last of `list`, in one transaction. ERR_SCHEMA where the database is
 * newer. */
enum err migrate(struct db *db, const struct migration *list, size_t count,
		 const struct migrate_how *how, struct buf *why);

/* The same in one transaction, which is taken back. */
enum err migrate_dry(struct db *db, const struct migration *list, size_t count,
		     const struct migrate_how *how, struct buf *why);

/* renew.c */
/* Has the history say what records are after a migration. */
enum err history_renew(struct db *db, int64_t now);

/* upgrade.c */
/* What the migrations of this program leave to be done in their transaction: history and folds. */
enum err records_renew(struct db *db, int64_t now, struct folded *folded_out);

#endif
