/* SPDX-License-Identifier: MIT */
/* What handlers and commands may ask of the store: the domain API, written once for every
 * database.
 *
 * Every call about an account's records takes a scope; the account id in it is the first argument
 * of every statement, so that another account's record is not to be found at all.
 *
 * A write is two steps: the first reads what it needs under the account's lock, the second decides
 * from what was read and lists its statements. Writes of many requests are committed together; a
 * write is answered after the commit that made it durable. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "model/account.h"
#include "model/casefile.h"
#include "model/fault.h"
#include "model/list.h"
#include "model/records.h"
#include "model/staff.h"
#include "model/task.h"

#define TOKEN_HASH_BYTES 32
#define SECRET_BYTES 32

struct store;
struct db;
struct db_value;
struct calls;

/* On whose behalf: the account, and the staff member that the history names. */
struct scope {
	int64_t account_id;
	int64_t staff_id;
};

#define STORE_PATH_BYTES 4096
#define STORE_FOLDS_BYTES 128

/* What a migration has done, or would do. */
struct store_upgrade {
	int from, to;                /* numbers of schemas */
	char copy[STORE_PATH_BYTES]; /* the database as it was before; "" where there is none */
	/* Where the schemas are the same: words about texts that follow another version of Unicode
	 * now; "" where they do not. */
	char folds[STORE_FOLDS_BYTES];
	int64_t records, folded; /* of a dry run: how many it looked at and would fold again */
};

struct store_config {
	const char *folder;
	const char *database; /* in its place: the URL of a PostgreSQL database */
	const struct clock *clock;
	/* Connections that read: one for each thread that does; and of a PostgreSQL database those
	 * that write, 0 being as 1. */
	unsigned readers, writers;
	/* Of a PostgreSQL database that is made: into how many parts its tables are partitioned by
	 * account; 0: not. */
	unsigned partitions;
	int read_budget_ms;  /* what one read may take; 0: any time */
	int write_budget_ms; /* what a statement of a write may take on PostgreSQL; 0: any time */
	/* How many requests may wait: writes, and of a PostgreSQL database reads as well. Their
	 * bodies are bounded besides. */
	size_t queue_limit;
	/* Called once, on the writer's thread, when the storage failed so that its state is
	 * unknown and the process must be started anew. May be NULL. */
	void (*on_fatal)(void *context);
	void *fatal_context;
	/* Of a folder: it may be on a network filesystem. */
	bool network_folder;
	/* Of a folder: its database may be brought to this program's schema, and this is called
	 * when that was done. NULL: an older schema is refused. */
	void (*on_upgrade)(void *context, const struct store_upgrade *upgrade);
	void *upgrade_context;
};

/* An API token: the account's, whoever uses it. */
struct token {
	unsigned char hash[TOKEN_HASH_BYTES];
	struct slice label; /* names it in its account */
	int64_t created_at;
	int64_t expires_at;   /* TIME_NONE: never */
	int64_t last_used_at; /* to the minute; TIME_NONE: not yet */
	bool read_only;       /* for GET and HEAD alone */
	bool lenient;         /* unknown fields and parameters are ignored */
};

void token_init(struct token *token, const char *label, const unsigned char *hash);

/* The first account of a new folder. */
struct store_first {
	const char *account; /* its name */
	struct staff *staff; /* its first staff member, with full access */
	struct token token;
	/* Called when all else is done, and false takes all of it back: an account whose token
	 * could not be handed over is of no use. */
	bool (*hand_over)(void *context);
	void *context;
};

/* Makes the folder (mode 0700) where it is missing, and in it the database with its first
 * account, all of it or nothing; or the tables in a PostgreSQL database that has none, and the
 * account. ERR_EXISTS where there is one. On an error `why` says what and why, in words for whoever
 * runs the program. */
enum err store_create(const struct store_config *config, const struct store_first *first,
		      struct buf *why);

/* Opens the folder for this process alone, and brings an older database to this program's schema
 * after a checked copy where the configuration has it so; or opens a PostgreSQL database of this
 * schema, which others may have open as well. Starts the threads that write. ERR_BUSY where another
 * process has the folder, or is at work on the database's schema. */
enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why);

/* Called with the number and the name of a migration. */
typedef void store_migration_fn(void *context, int number, const char *name);

/* Does alone what store_open() does to an older database: tells every migration that it has not
 * had, in their order, and runs them, of a folder after a checked copy. With `dry` the database
 * stays as it is: they are run on a copy that is removed again, or in a transaction that is taken
 * back. ERR_BUSY where another process has the folder, ERR_SCHEMA where it is newer. */
enum err store_migrate(const struct store_config *config, bool dry,
		       store_migration_fn *on_migration, void *context,
		       struct store_upgrade *upgrade_out, struct buf *why);

/* The number of the newest schema that this program knows, which every open database has. */
int store_schema(void);

/* Answers all writes that are queued; from now on store_submit() says ERR_STOPPED. */
void store_stop(struct store *store);

/* Closes. No call may be under way. NULL is accepted. */
void store_close(struct store *store);

/* The account of that name; or, where `name` is NULL, the only one, and ERR_EXISTS where there are
 * several. ERR_NOT_FOUND. Its texts are in the arena. */
enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out);

/* The greatest time that any account has given to a change; TIME_MIN where there is none. */
enum err store_last_time(struct store *store, int64_t *at_out);

/* The random bytes of that name, which every process of this database has: see schema/. */
enum err store_secret(struct store *store, const char *name, unsigned char secret[SECRET_BYTES]);

/* What a read looks at: where that cannot be had, as a table that somebody has locked, those that
 * look at something else go on. */
enum read_about {
	ABOUT_ACCESS,
	ABOUT_HISTORY,
	ABOUT_WRITE,   /* what a write would find */
	ABOUT_RECORDS, /* and the kind */
	ABOUT_COUNT = ABOUT_RECORDS + RECORD_KINDS,
};

/* A read on its way: like a write it is run where the database is asked, which is here and now for
 * SQLite and a thread of its own for PostgreSQL. It may be run more than once: each run starts
 * afresh. */
struct store_read {
	struct arena *arena;         /* the read's until it is done */
	void (*done)(void *context); /* on that thread */
	void *context;
	unsigned about; /* enum read_about */

	enum err err; /* the outcome, when done */

	/* Lists statements that do not depend on each other, as of many requests together; or runs
	 * some that do, in a snapshot. */
	enum err (*list)(struct store_read *read, struct calls *calls);
	enum err (*run)(struct store_read *read, struct db *db);

	/* The store's own. */
	struct store *store;
	struct store_read *next;
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC; 0: none */
	unsigned tries;
};

/* Whether reads are done later, on another thread. */
bool store_waits(const struct store *store);

/* Starts a read. True when it is done already: done() is then not called. */
bool store_start(struct store *store, struct store_read *read);

/* Starts a read and waits until it is done, whose outcome is returned; done() is not called. */
enum err store_do(struct store *store, struct store_read *read);

/* Who a request says it is. */
struct access {
	struct account account; /* id ID_NONE: no such account */
	int64_t staff_id;       /* ID_NONE: no such user name in the account */
	enum staff_access level;
	bool token_known; /* the account has a token of this hash, and it has not expired */
	struct token token;
};

/* Looks up account, staff member and token in one statement, known or not. Texts are in the
 * arena. */
struct access_read {
	struct store_read read;
	struct slice account, username; /* UTF-8 */
	unsigned char hash[TOKEN_HASH_BYTES];
	struct access access; /* when done */
};

void access_read_init(struct access_read *access, struct arena *arena);

/* Remembers that a token was used now: soon, and with no write a request. */
void store_token_used(struct store *store, const struct access *access);

/* Called with a record of the kind asked for; it and all it points at live until the call
 * returns. An error ends the reading and is returned. */
typedef enum err store_record_fn(void *context, const void *record);

/* Every account by name, as struct account; every token of an account by age, as struct token. */
enum err store_accounts(struct store *store, struct arena *arena, store_record_fn *on_account,
			void *context);
enum err store_tokens(struct store *store, const struct scope *scope, store_record_fn *on_token,
		      void *context);

/* The staff member who signs in by that user name. ERR_NOT_FOUND. */
enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out);

/* Reads one record. ERR_TIMEOUT past the budget. */
struct record_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	int64_t id;
	store_record_fn *on_record;
	void *record_context;
	bool found; /* when done */
};

void record_read_init(struct record_read *get, enum record_kind kind, struct arena *arena);

/* What a list is read into. An error ends the reading and is returned. */
struct list_sink {
	/* Before all else: what an earlier run has brought is void. */
	void (*begin)(void *context);
	/* The records of the page, in order. */
	store_record_fn *on_record;
	/* Before them, each once: what the expansion of that row finds; in no order. */
	enum err (*on_related)(void *context, size_t expansion, const void *record);
	void *context;
};

/* Reads one page of a list, in one snapshot; or with `counts` how many records the conditions of
 * the query hold for, of which the rest does not count. ERR_TIMEOUT past the budget. */
struct list_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	const struct list_query *query;
	struct list_sink sink;
	bool counts;
	bool more;     /* when done: another record follows the page */
	int64_t count; /* when done */
};

void list_read_init(struct list_read *list, enum record_kind kind, struct arena *arena);

struct store_write;

/* The two steps of a kind of write. They may be run more than once: each run starts afresh. */
struct write_steps {
	/* Lists the reads; the account row is read and locked before them. */
	enum err (*read)(struct store_write *write, struct calls *calls);
	/* Lists what is to be read when that was; NULL: nothing. */
	enum err (*read_more)(struct store_write *write, struct calls *calls);
	/* Decides; lists nothing where there are faults. */
	enum err (*decide)(struct store_write *write, struct calls *calls);
	bool makes_account; /* there is no account row to be read and locked */
	/* What it reads is not changed by another write that only adds, nor by itself: such writes
	 * can have their first steps together. A record that must be the only one of its name is
	 * kept so by the schema. */
	bool only_adds;
};

/* What a write must know of its account, locked until the commit. */
struct account_state {
	int64_t id;
	int64_t last_change;              /* as read, then as given out */
	unsigned char head[DIGEST_BYTES]; /* the hash of that change */
	/* The time of what is changed now: never before one that the account has given out. */
	int64_t last_at;
	int64_t last_id[RECORD_KINDS];
	struct slice time_zone; /* NUL behind it; empty: UTC */
	bool found;
	bool changed;
};

/* A key that a client gave a create, so that it can send it again: for a day the answer is given
 * again and nothing is stored. A key that came with another body is a fault of the write. */
struct idempotency {
	const char *route; /* a key is of one route */
	struct slice key;
	unsigned char body_hash[DIGEST_BYTES];
	/* Where the answer is not the one record that was created: the changes, as a JSON array,
	 * after which its records were as the answer has them. decide() sets it. */
	struct slice changes;

	/* When done. */
	bool again; /* nothing was stored: this is the answer of the first time */
	int64_t record_id, change;
	struct slice value; /* the record as it was then */
	/* In their place where the first had `changes`: a record for each of these. */
	struct slice *values; /* or NULL */
	size_t value_count;

	/* The store's own. */
	bool found;
	int64_t at;
	unsigned char found_hash[DIGEST_BYTES];
	struct slice found_changes;
	unsigned char name[DIGEST_BYTES]; /* of account, route and key */
	struct idempotency *next;         /* of those under way */
};

/* A write on its way. The caller sets the first part and keeps all of it alive until done() was
 * called; until then the arena is the writer's. */
struct store_write {
	struct scope scope;
	struct arena *arena;
	struct faults *faults;       /* decide() adds to them; any means that nothing was stored */
	size_t body_bytes;           /* that it holds while it waits */
	struct slice request_id;     /* that asks for it, kept in the history; or none */
	struct idempotency *key;     /* or NULL; then store_submit() may say ERR_UNDER_WAY */
	void (*done)(void *context); /* on the writer's thread, after the commit */
	void *context;

	enum err err; /* the outcome, when done */
	/* When done: the last record that was written, as the history has it; ptr NULL: none. */
	struct slice value;

	/* The store's own. */
	struct store *store;
	const struct write_steps *steps;
	int64_t now;      /* by the clock; a change has the account's `last_at` instead */
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC; 0: none */
	unsigned tries;
	struct account_state *account; /* while its steps are run */
	size_t faults_before;
	struct fault **faults_last;
	struct store_write *next;
};

/* Queues a write whose steps are set. ERR_BUSY where too much is waiting, ERR_STOPPED while the
 * store closes: done() is then not called. */
enum err store_submit(struct store *store, struct store_write *write);

/* Queues a write and waits until it is done, whose outcome is returned; `done` is not called. */
enum err store_write(struct store *store, struct store_write *write);

/* What a write would come to, without the account's lock and without anything being stored: its
 * reads, and when these are done write_judged(), which decides. For one that is at fault already,
 * so that its faults are all told at once, and for a dry run. A key that was used before is
 * answered as by a write; ERR_UNDER_WAY. */
struct write_judge {
	struct store_read read;
	struct store_write *write;
	struct account_state account; /* made up */
};

enum err write_judge_init(struct write_judge *judge, struct store *store,
			  struct store_write *write);
enum err write_judged(struct write_judge *judge);

/* Runs writes at once in one transaction, without the queue: for commands that do not serve.
 * The outcome is in each write as well. */
enum err store_run(struct store *store, struct store_write **writes, size_t count);

/* Creates, changes or deletes a record of any kind. */
enum record_action {
	RECORD_CREATE,
	RECORD_UPDATE,
	RECORD_DELETE,
};

/* Versions of a record, as a condition names them (RFC 9110, section 13.1). */
struct versions {
	bool given; /* else there is no condition */
	bool any;   /* any that is there */
	const int64_t *changes;
	size_t count;
};

bool versions_name(const struct versions *versions, int64_t change);

struct references;

struct record_write {
	struct store_write write;
	enum record_kind kind;
	enum record_action action;
	int64_t id;               /* of one to be changed or deleted */
	struct versions versions; /* that it is for */
	struct versions unless;   /* that it is not for */
	/* A struct of the kind: what is to be created, or a zeroed one. On success it is the stored
	 * record; of one that was deleted, what it was. */
	void *record;
	/* Of a new one, by field_bit(): the fields that came with a value and without a fault, and
	 * those that are at fault. */
	uint64_t given, at_fault;
	/* Of one that is changed: makes `record`, which is as `before`, what it is to be, sets the
	 * two sets and adds faults. Runs under the account's lock. */
	void (*merge)(struct record_write *write, const void *before);
	void *merge_context;

	/* When done. */
	bool found;         /* there is such a record */
	bool other_version; /* it has none of the versions; nothing was stored */
	bool excluded;      /* it has one of `unless`; nothing was stored */
	bool unchanged;     /* it was so already; nothing was stored */

	/* The store's own. */
	void *before; /* of one that is changed or deleted */
	void *asked;  /* of one that is created: the record as it came */
	struct references *names, *dependents;
	struct username_other *username; /* of a staff member whose user name is new, or NULL */
	int64_t others;                  /* staff members with full access besides it */
};

void record_write_init(struct record_write *write, enum record_kind kind,
		       enum record_action action);

/* Creates and changes of one kind as one write: all of them or none. What is wrong with one is a
 * fault of the whole, as "operations[3].due_on". */
struct bulk_write {
	struct store_write write;
	/* Each with its own faults; a record may be named once. */
	struct record_write *operations;
	size_t count;
	/* Before each run of the steps: what the merges of an earlier one have brought is void. */
	void (*begin)(struct bulk_write *bulk);
};

/* When the operations are set, and hold the faults of their form. */
void bulk_write_init(struct bulk_write *bulk, struct record_write *operations, size_t count);

/* Adds the faults of one operation, from `first` on, to those of the whole: those of rules, which
 * know the record by its name alone, as of that operation. */
void bulk_tell(const struct fault *first, size_t operation, enum record_kind kind,
	       struct faults *faults);

/* Creates an account with its first staff member, who has full access, and an API token. The
 * scope's account is set to its id. */
struct account_create {
	struct store_write write;
	const char *name;
	struct staff *staff;
	struct token token;
	bool exists; /* when done: the name is taken, and nothing was stored */

	/* The store's own. */
	int64_t last_id;
	void *asked; /* the staff member as it came */
};

void account_create_init(struct account_create *create);

/* Sets all that an account is set to, which account_check() has found right. */
struct account_set {
	struct store_write write;
	const struct account *account;
};

void account_set_init(struct account_set *set);

/* Removes the scope's account: nobody gets at it from now on. What it has is then deleted by
 * store_purge(). */
void account_remove_init(struct store_write *remove);

/* Deletes a part of what removed accounts have, as one write. `more_out` is false when there was
 * nothing left. */
enum err store_purge(struct store *store, bool *more_out);

/* Adds a token, or revokes the one of its label. */
struct token_write {
	struct store_write write;
	const struct token *token;
	bool found; /* when done: there was one of the label; then none was added */
};

void token_add_init(struct token_write *add);
void token_revoke_init(struct token_write *revoke);

/* Behind many writes of one process: what the database must look at to choose its ways by. */
void store_settle(struct store *store);

/* Makes the sample records that the reference's example names; see demo.c. `made_out` says
 * whether they were not there before. ERR_EXISTS where the account has cases of its own. */
enum err store_demo_records(struct store *store, const struct scope *scope, bool *made_out);

/* Makes a record that is no task, unless the account has one of that name; see sample.c. */
struct sample_put {
	struct store_write write;
	enum record_kind kind;
	struct record *record; /* at the head of the struct of its kind */
	int64_t *id_out;       /* of the record, made or found */

	/* The store's own. */
	bool found;
	void *asked; /* the record as it came */
};

void sample_put_init(struct sample_put *put);

#endif
