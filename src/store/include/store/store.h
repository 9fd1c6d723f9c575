/* SPDX-License-Identifier: MIT */
/* Reads and writes on their way to the database, written once for every database. What they read
 * and write is in records/, lists/ and accounts/; place/ opens a store.
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
#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "model/account.h"
#include "model/fault.h"
#include "model/records.h"

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

/* Answers all writes that are queued; from now on store_submit() says ERR_STOPPED. */
void store_stop(struct store *store);

/* Closes. No call may be under way. NULL is accepted. */
void store_close(struct store *store);

/* What a read looks at: where that cannot be had, as a table that somebody has locked, those that
 * look at something else go on. */
enum read_group {
	GROUP_ACCESS,
	GROUP_HISTORY,
	GROUP_WRITE,   /* what a write would find */
	GROUP_RECORDS, /* and the kind */
	GROUP_COUNT = GROUP_RECORDS + RECORD_KINDS,
};

/* A read on its way: like a write it is run where the database is asked, which is here and now for
 * SQLite and a thread of its own for PostgreSQL. It may be run more than once: each run starts
 * afresh. */
struct store_read {
	struct arena *arena;         /* the read's until it is done */
	void (*done)(void *context); /* on that thread */
	void *context;
	unsigned group; /* enum read_group */

	enum err err; /* the outcome, when done */

	/* One of these two. append() adds statements that do not depend on each other, and are sent
	 * with those of other requests. execute() runs statements itself, in one snapshot: its
	 * later statements may depend on earlier results. */
	enum err (*append)(struct store_read *read, struct calls *calls);
	enum err (*execute)(struct store_read *read, struct db *db);

	/* The store's own. */
	struct store *store;
	TAILQ_ENTRY(store_read) queued;
	int64_t deadline; /* milliseconds of CLOCK_MONOTONIC; 0: none */
	unsigned tries;
};

/* Whether reads are done later, on another thread. */
bool store_waits(const struct store *store);

/* Starts a read. True when it is done already: done() is then not called. */
bool store_start(struct store *store, struct store_read *read);

/* Starts a read and waits until it is done, whose outcome is returned; done() is not called. */
enum err store_do(struct store *store, struct store_read *read);

/* Called with a record of the kind asked for; it and all it points at live until the call
 * returns. An error ends the reading and is returned. */
typedef enum err store_record_fn(void *context, const void *record);

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
	struct idempotency *key;     /* or NULL; then store_submit() may say ERR_IN_PROGRESS */
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
	TAILQ_ENTRY(store_write) queued;
};

/* Queues a write whose steps are set. ERR_BUSY where too much is waiting, ERR_STOPPED while the
 * store closes: done() is then not called. */
enum err store_submit(struct store *store, struct store_write *write);

/* Queues a write and waits until it is done, whose outcome is returned; `done` is not called. */
enum err store_write(struct store *store, struct store_write *write);

/* What a write would come to, without the account's lock and without anything being stored: its
 * reads, and when these are done write_preview_decide(), which decides. For one that is at fault
 * already, so that its faults are all told at once, and for a dry run. A key that was used before
 * is answered as by a write; ERR_IN_PROGRESS. */
struct write_preview {
	struct store_read read;
	struct store_write *write;
	struct account_state account; /* made up */
};

enum err write_preview_init(struct write_preview *preview, struct store *store,
			    struct store_write *write);
enum err write_preview_decide(struct write_preview *preview);

/* Runs writes at once in one transaction, without the queue: for commands that do not serve.
 * The outcome is in each write as well. */
enum err store_run(struct store *store, struct store_write **writes, size_t count);

#endif
