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

/* On whose behalf: the account, and the staff member that the history names. */
struct scope {
	int64_t account_id;
	int64_t staff_id;
};

struct store_config {
	const char *folder;
	const struct clock *clock;
	unsigned readers;   /* reading connections: one for each thread that reads */
	int read_budget_ms; /* what one read may take */
	size_t queue_limit; /* writes that may wait */
	/* Called once, on the writer's thread, when the storage failed so that its state is
	 * unknown and the process must be started anew. May be NULL. */
	void (*on_fatal)(void *context);
	void *fatal_context;
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
 * account; all of it or nothing. ERR_EXISTS where there is one. On an error `why` says what and
 * why, in words for whoever runs the program. */
enum err store_create(const char *folder, const struct clock *clock,
		      const struct store_first *first, struct buf *why);

/* Opens the folder for this process alone, brings an older database to this program's schema
 * after a checked copy, and starts the writer. ERR_BUSY where another process has it. */
enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why);

/* Called with the number and the name of a migration. */
typedef void store_migration_fn(void *context, int number, const char *name);

/* Does alone what store_open() does to an older database: tells every migration that it has not
 * had, in their order, and runs them after a checked copy. With `dry` they are run on a copy that
 * is removed again, and the database stays as it is. `have_out` is the number of the schema that
 * was found. ERR_BUSY where another process has the folder, ERR_SCHEMA where it is newer. */
enum err store_migrate(const char *folder, const struct clock *clock, bool dry,
		       store_migration_fn *on_migration, void *context, int *have_out,
		       struct buf *why);

/* Answers all writes that are queued; from now on store_submit() says ERR_STOPPED. */
void store_stop(struct store *store);

/* Closes. No call may be under way. NULL is accepted. */
void store_close(struct store *store);

/* The account of that name; or, where `name` is NULL, the only one, and ERR_EXISTS where there are
 * several. ERR_NOT_FOUND. Its texts are in the arena. */
enum err store_account(struct store *store, const char *name, struct arena *arena,
		       struct account *account_out);

/* The random bytes of that name, which every process of this database has: see schema/. */
enum err store_secret(struct store *store, const char *name, unsigned char secret[SECRET_BYTES]);

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
enum err store_access(struct store *store, struct slice account, struct slice username,
		      const unsigned char hash[TOKEN_HASH_BYTES], struct arena *arena,
		      struct access *access_out);

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

/* The staff member of that user name. ERR_NOT_FOUND. */
enum err store_staff_id(struct store *store, const struct scope *scope, struct slice username,
			int64_t *id_out);

/* Reads one record. ERR_NOT_FOUND, ERR_TIMEOUT past the budget. */
enum err store_get(struct store *store, const struct scope *scope, enum record_kind kind,
		   int64_t id, struct arena *arena, store_record_fn *on_record, void *context);

/* What a list is read into. An error ends the reading and is returned. */
struct list_sink {
	/* The records of the page, in order. */
	store_record_fn *on_record;
	/* Before them, each once: what the expansion of that row finds; in no order. */
	enum err (*on_related)(void *context, size_t expansion, const void *record);
	void *context;
};

/* Reads one page of a list, in one snapshot. `more_out` says whether another record follows it.
 * ERR_TIMEOUT past the budget. */
enum err store_list(struct store *store, const struct scope *scope, enum record_kind kind,
		    const struct list_query *query, struct arena *arena,
		    const struct list_sink *sink, bool *more_out);

/* How many records the conditions of `query` hold for; the rest of it does not count. */
enum err store_count(struct store *store, const struct scope *scope, enum record_kind kind,
		     const struct list_query *query, struct arena *arena, int64_t *count_out);

struct calls;
struct store_write;

/* The two steps of a kind of write. They may be run more than once: each run starts afresh. */
struct write_steps {
	/* Lists the reads; the account row is read and locked before them. */
	enum err (*read)(struct store_write *write, struct calls *calls);
	/* Decides; lists nothing where there are faults. */
	enum err (*decide)(struct store_write *write, struct calls *calls);
	bool makes_account; /* there is no account row to be read and locked */
};

/* A write on its way. The caller sets the first part and keeps all of it alive until done() was
 * called; until then the arena is the writer's. */
struct store_write {
	struct scope scope;
	struct arena *arena;
	struct faults *faults;       /* decide() adds to them; any means that nothing was stored */
	void (*done)(void *context); /* on the writer's thread, after the commit */
	void *context;

	enum err err; /* the outcome, when done */

	/* The store's own. */
	struct store *store;
	const struct write_steps *steps;
	int64_t now;
	int64_t last_change; /* of the account: as read, then as given out */
	int64_t last_id[RECORD_KINDS];
	bool account_found;
	bool changed;
	size_t faults_before;
	struct fault **faults_last;
	struct store_write *next;
};

/* Queues a write whose steps are set. ERR_BUSY where too much is waiting, ERR_STOPPED while the
 * store closes: done() is then not called. */
enum err store_submit(struct store *store, struct store_write *write);

/* Queues a write and waits until it is done, whose outcome is returned; `done` is not called. */
enum err store_write(struct store *store, struct store_write *write);

/* Runs the steps of a write that is at fault already, on a reading connection and without storing
 * anything, so that its faults are all told at once. */
enum err store_judge(struct store *store, struct store_write *write);

/* Runs writes at once in one transaction, without the queue: for commands that do not serve.
 * The outcome is in each write as well. */
enum err store_run(struct store *store, struct store_write **writes, size_t count);

/* Creates a task. `valid` are the fields that came with a value and without a fault. On success
 * `task` is the stored record. */
struct task_create {
	struct store_write write;
	struct task *task;
	uint64_t valid;
	struct task_facts facts; /* the store's own */
};

void task_create_init(struct task_create *create);

/* Creates an account with its first staff member, who has full access, and an API token. The
 * scope's account is set to its id. */
struct account_create {
	struct store_write write;
	const char *name;
	struct staff *staff;
	struct token token;
	bool exists;     /* when done: the name is taken, and nothing was stored */
	int64_t last_id; /* the store's own */
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

/* Adds a staff member, or sets the fields `given` of the one with the id of `staff`. Faults are of
 * the record, as "staff.username". */
struct staff_write {
	struct store_write write;
	struct staff *staff;
	uint64_t given; /* to set: by field_bit() */
	/* The store's own. */
	int64_t found_id; /* when done: ID_NONE where there was none to be set */
	struct staff present;
	int64_t others; /* with full access */
};

void staff_add_init(struct staff_write *add);
void staff_set_init(struct staff_write *set);

/* Adds a token, or revokes the one of its label. */
struct token_write {
	struct store_write write;
	const struct token *token;
	bool found; /* when done: there was one of the label; then none was added */
};

void token_add_init(struct token_write *add);
void token_revoke_init(struct token_write *revoke);

/* Makes the sample records that the reference's example names; see demo.c. `made_out` says
 * whether they were not there before. ERR_EXISTS where the account has cases of its own. */
enum err store_demo_records(struct store *store, const struct scope *scope, bool *made_out);

/* Makes a record that is no task, unless the account has one of that name; see sample.c. */
struct sample_put {
	struct store_write write;
	enum record_kind kind;
	struct record *record; /* at the head of the struct of its kind */
	int64_t *id_out;       /* of the record, made or found */
	bool found;            /* the store's own */
};

void sample_put_init(struct sample_put *put);

#endif
