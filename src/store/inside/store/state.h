/* SPDX-License-Identifier: MIT */
/* The state of a store, for the folders built on it. Handlers and commands do not see it. */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "sql/calls.h"
#include "sql/statements.h"
#include "store/store.h"

#define TOKEN_USES 4096
#define STORE_MARK_BYTES 64
#define ERA_NONE (-1)

struct workers;
struct read_pool;
struct record_cache;

/* The keys of the creates in progress in this process, by hash. */
struct keys {
	pthread_mutex_t lock;
	struct idempotency *buckets[64];
};

typedef void store_due_fn(void *context, int64_t due_at);

struct store_recorder;
struct slow_log;

struct store {
	struct store_config config;
	struct arena arena; /* memory that lives as long as the store */
	const struct db_driver *driver;
	struct sql_statements sql;
	/* Opens one more connection. If it `tells`, it logs a failure, for PostgreSQL when the
	 * database becomes unreachable and when it is reachable again. ERR_UNREACHABLE. */
	enum err (*connect)(struct store *store, enum db_mode mode, bool tells, struct db **db_out);
	struct keys keys;
	struct db *write_db;
	struct workers *writers;
	/* SQLite: connections for short reads, each used by one thread at a time. */
	struct read_pool *read_pool;
	struct workers *read_threads;   /* NULL: every read runs on the caller's thread */
	_Atomic uint64_t reads_at_once; /* how many ran there */
	/* How many reads and writes have ended with each error. */
	_Atomic uint64_t ended[ERR_CODES];
	struct slow_log *slow;          /* NULL: slow statements are not logged */
	struct db_counters db_counters; /* of the connection that writes to a folder */
	atomic_bool away;               /* the last attempt to connect failed */
	/* Which tokens were used in which minute; see store_token_used(). */
	_Atomic uint64_t uses[TOKEN_USES];
	/* That of the database that the newest connection found; ERA_NONE: there was none yet. */
	_Atomic int64_t era;
	/* Counts the commits that may change access: rows of accounts, staff members and tokens.
	 * Each counts twice, before it and after it. On SQLite, which has one writer, the number is
	 * odd while such a commit is under way. */
	_Atomic uint64_t access_changes;
	struct record_cache *record_cache; /* NULL: records are not kept */
	int lock; /* file descriptor of the folder's lock file; -1: not locked */
	/* No other process writes to the folder: this process has its lock, or the folder cannot be
	 * written. */
	bool unchanging;
	struct timespec seen[2]; /* for folder_changed() */
	/* Called on a writer's thread after a write with a due_at was committed; NULL: nobody waits
	 * for it. */
	_Atomic(store_due_fn *) on_due;
	void *due_context;
	/* The writer's: its last step of the text index has failed; the index may have parts to
	 * merge (sql/titles.h). */
	bool titles_failed, titles_unmerged;
	/* SQLite: gets every commit (store/recorder.h). NULL: nobody wants them. */
	struct store_recorder *recorder;
	/* The mark that the database had when it was opened for writing; "": none. */
	char mark[STORE_MARK_BYTES];
};

/* Makes a store without any connection. The caller ends it with store_close(). NULL: out of
 * memory. */
struct store *store_new(const struct store_config *config, const struct db_driver *driver);

/* Runs statements on a connection that reads, outside a transaction, and waits for them. on_row
 * gets each row once. */
enum err store_read_now(struct store *store, const struct db_call *calls, size_t count);

/* Whether the era of its request has ended. */
bool job_is_outdated(struct store *store, const struct job *job);

/* Notes that the write makes an alert due at a time. TIME_NONE changes nothing. */
void write_note_due(struct store_write *write, int64_t due_at);

/* Notes that the write changes or deletes a record, so that no reader finds an older version in the
 * cache of records. ID_NONE: it may change any record. */
void write_note_record(struct store_write *write, enum record_kind kind, int64_t id);

/* Step one of a write that reads nothing but the account's state. */
enum err read_nothing(struct store_write *write, struct calls *calls);

#endif
