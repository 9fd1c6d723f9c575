/* SPDX-License-Identifier: MIT */
/* Runs reads and writes on the database. The code is the same for SQLite and PostgreSQL. records/,
 * lists/ and accounts/ say what is read and written; place/ opens a store.
 *
 * Every function about an account's records takes a scope. The account id in it is the first
 * argument of every statement, so no statement finds a record of another account.
 *
 * A write has two steps, both under the account's lock. The first reads what the write needs. The
 * second decides from what was read, and lists the statements to run. The writes of many requests
 * are committed together. A write is answered after the commit that made it durable. */
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
#include "base/histogram.h"
#include "model/account.h"
#include "model/fault.h"
#include "model/records.h"

struct store;
struct db;
struct db_value;
struct calls;
struct cached_record;
struct record_cache_load;

/* The account that a read or write acts for, and the staff member that the history names. */
struct scope {
	int64_t account_id;
	int64_t staff_id;
};

#define STORE_PATH_BYTES 4096
#define STORE_FOLDS_BYTES 128

/* What a migration did, or would do. */
struct store_upgrade {
	int from, to;                /* schema numbers */
	char copy[STORE_PATH_BYTES]; /* the path of the old database; "": none */
	/* Without a migration: a phrase that names the new version of Unicode and the one before;
	 * "": the version is the same. */
	char folds[STORE_FOLDS_BYTES];
	int64_t records, folded; /* dry run: records read, and records to fold again */
};

struct store_config {
	const char *folder;
	const char *database; /* the URL of a PostgreSQL database, in place of a folder */
	const struct clock *clock;
	/* How many connections read. On PostgreSQL, how many write; 0 means 1. There each
	 * connection has a thread. */
	unsigned readers, writers;
	/* On SQLite: the number of threads for long reads, each with its own connection; 0: every
	 * read runs on the caller's thread. */
	unsigned read_threads;
	/* For a new PostgreSQL database: the number of parts into which each table is partitioned,
	 * by account; 0: not partitioned. */
	unsigned partitions;
	int read_budget_ms;    /* the time limit of a read; 0: none */
	int write_budget_ms;   /* PostgreSQL: the same for a statement of a write */
	int slow_statement_ms; /* a statement that takes as long is logged; 0: none is */
	/* How many reads may wait, and how many writes. An account that has none waiting may add
	 * one until twice as many wait. */
	size_t queue_limit;
	/* For a folder: the bytes of the cache of records; 0: there is none. */
	size_t record_cache;
	/* Called once, on the writer's thread, when the storage failed and its state is unknown:
	 * the process must be restarted. May be NULL. */
	void (*on_fatal)(void *context);
	void *fatal_context;
	/* The folder may be on a network filesystem. */
	bool network_folder;
	/* For a folder: called after the database was migrated to this program's schema. NULL: an
	 * older schema is refused. */
	void (*on_upgrade)(void *context, const struct store_upgrade *upgrade);
	/* The same before the migration, with the schema number and the mark (store/recorder.h) of
	 * the database. May be NULL. */
	void (*before_upgrade)(void *context, struct store *store, int64_t schema,
			       const char *mark);
	void *upgrade_context;
};

/* Finishes all queued reads and writes. From now on store_submit() returns ERR_STOPPED. */
void store_stop(struct store *store);

/* Stops the store and frees it. No read or write may be in progress. NULL is accepted. */
void store_close(struct store *store);

/* The tables that a read or a write uses. When another session has locked one of them, only the
 * jobs of the same group wait for it. */
enum job_group {
	GROUP_ACCESS,
	GROUP_HISTORY,
	GROUP_WRITE,   /* the reads of a preview */
	GROUP_RECORDS, /* plus the kind of record */
	GROUP_COUNT = GROUP_RECORDS + RECORD_KINDS,
};

/* A read or a write that waits for the database. The caller sets the first part. */
struct job {
	int64_t lane; /* the account: its jobs take turns with those of other accounts */
	enum job_group group;
	size_t weight; /* its expected work; a small request has 1; 0 means 1 */
	bool is_long;  /* a read that may take long: it runs alone */
	bool alone;    /* a write that gets a transaction of its own */
	/* The era in which its request began (store_era()). In another era it ends with
	 * ERR_UNREACHABLE. NULL: it may run in any. */
	const int64_t *era;

	/* The store's own. */
	int64_t accepted; /* of monotonic_ms() */
	size_t most;      /* how many jobs may run together, with this one */
	bool again;       /* it runs again */
	enum job_lock {
		LOCK_NONE,
		LOCK_TURN, /* another session has locked its account; it may be docket's */
		LOCK_ROW,  /* a session that is not docket's has locked the account */
	} lock;
	enum err err;
	TAILQ_ENTRY(job) queued;
};

/* Counters of the reads of a store, or of its writes. The first three members are of this moment,
 * the others since the start. */
struct store_load {
	size_t waiting, waiting_weight; /* jobs in the queue */
	size_t accounts;                /* accounts that have jobs there */
	uint64_t jobs;                  /* jobs that have run */
	uint64_t runs;                  /* transactions; for reads, exchanges with the database */
	uint64_t repeated;              /* jobs that had to run again */
	uint64_t late;                  /* jobs that waited too long and were given up */
	uint64_t refused;               /* jobs that were not queued */
	int64_t run_us, run_most_us;    /* the time of all runs, and of the longest */
	int64_t waited_ms, waited_most_ms; /* the time that jobs waited, and the longest wait */
	struct histogram run_jobs;         /* by the number of jobs that ran together */
	struct histogram runs_us;          /* runs by their time */
	struct histogram waits_ms;         /* jobs by the time that they waited */
	uint64_t at_once;                  /* reads that ran at once, on the caller's thread */
};

/* A read. SQLite runs a short one at once, on the caller's thread; all others run on the threads
 * that read. It may be run more than once; each run starts from the beginning. */
struct store_read {
	struct job job;
	struct arena *arena;          /* belongs to the read until it is done */
	void (*done)(void *context);  /* on the thread that ran it */
	void (*waits)(void *context); /* called before another thread gets the read; or NULL */
	void *context;
	struct slice request_id; /* for the log of slow statements; or empty */

	enum err err; /* the outcome, once done */

	/* Set one of these two. append() adds statements that do not depend on each other; they are
	 * sent together with those of other requests. execute() runs its statements itself, in one
	 * snapshot, so that later statements may depend on earlier results. */
	enum err (*append)(struct store_read *read, struct calls *calls);
	enum err (*execute)(struct store_read *read, struct db *db);

	/* The store's own. */
	struct store *store;
	uint64_t seen; /* for the cache of records: noted before its snapshot began */
};

/* Starts a read. True: it is done already, and done() is not called. False: waits() was called, and
 * done() will be called. */
bool store_start(struct store *store, struct store_read *read);

/* Starts a read, waits for it and returns its outcome. Sets `done` and `context` itself. */
enum err store_do(struct store *store, struct store_read *read);

/* Finds a record of the account in the cache of records (cache/record_cache.h). `seen` is that of
 * the read whose snapshot the record must be of, or SEEN_NOW. The caller ends its use with
 * cached_record_drop(). NULL: the caller must read the record. */
struct cached_record *store_find_cached(const struct store *store, const struct scope *scope,
					enum record_kind kind, int64_t id, uint64_t seen);
/* Keeps a record that `read` has read, as encode_record() writes it. */
void store_keep_cached(const struct store_read *read, const struct scope *scope,
		       enum record_kind kind, int64_t id, int64_t change, struct slice json);
void store_count_cached(const struct store *store, struct record_cache_load *load_out);

/* Called for each record that is read. The record and all it points at live until the function
 * returns. An error ends the read and is its outcome. */
typedef enum err store_record_fn(void *context, const void *record);

struct store_write;

/* The two steps of a kind of write. They may be run more than once; each run starts from the
 * beginning. */
struct write_steps {
	/* Step one: lists the reads. The account's state is read and locked before them. */
	enum err (*read)(struct store_write *write, struct calls *calls);
	/* Lists further reads, which depend on the results of read(). May be NULL. */
	enum err (*read_more)(struct store_write *write, struct calls *calls);
	/* Step two: decides, and lists the statements that write. If it adds faults, it lists
	 * none. */
	enum err (*decide)(struct store_write *write, struct calls *calls);
	bool makes_account; /* there is no account's state to read and lock */
	/* The write is for no kind of record, and changes nothing that access depends on. */
	bool keeps_access;
	/* The write only inserts rows, and need not read what another such write inserts. So the
	 * first steps of such writes run together. If two of them insert the same unique value, the
	 * schema refuses the second. */
	bool only_adds;
};

/* The state of a write's account, locked until the commit. */
struct account_state {
	int64_t id;
	int64_t last_change;              /* as read; then the last number used */
	unsigned char head[DIGEST_BYTES]; /* the hash of that change */
	/* The time of the changes made now. Never before the time of an earlier change of the
	 * account. */
	int64_t last_at;
	int64_t ledger_now; /* by the clock of the ledger of alerts (alerts/alerts.h) */
	int64_t last_id[RECORD_KINDS];
	struct slice time_zone; /* NUL-terminated; empty: UTC */
	/* Of struct record_key: the records that the batch changes or deletes. NULL: a preview. */
	struct buf *changed_records;
	/* What the batch changes in tallies (sql/tallies.h). NULL: a preview. */
	struct buf *tallies;
	bool found;
	bool changed;
};

/* The Idempotency-Key of a create. If the client sends the same request again within a day, it gets
 * the first answer again and nothing is stored. The same key with another body is a fault. */
struct idempotency {
	const char *route; /* the same key on another route is another key */
	struct slice key;
	unsigned char body_hash[DIGEST_BYTES];
	/* For an answer with several records: the change number of each, as a JSON array; decide()
	 * sets it. ptr NULL: the answer is the one record that was created. */
	struct slice changes;

	/* Once done. */
	bool again; /* nothing was stored; below is the first answer */
	int64_t record_id, change;
	struct slice value; /* the record as it was stored then */
	/* In place of these, if the first write set `changes`: a record for each change. */
	struct slice *values; /* or NULL */
	size_t value_count;

	/* The store's own. */
	bool found;
	int64_t at;
	unsigned char found_hash[DIGEST_BYTES];
	struct slice found_changes;
	unsigned char name[DIGEST_BYTES]; /* the hash of account, route and key */
	struct idempotency *next;         /* in the list of keys in progress */
};

/* A write. The caller sets the first part and keeps the whole struct alive until done() was called.
 * Until then the arena belongs to the writer's thread. */
struct store_write {
	struct job job;
	struct scope scope;
	struct arena *arena;
	struct faults *faults;       /* decide() adds to them; with faults, nothing is stored */
	struct slice request_id;     /* of the request, stored in the history; or empty */
	struct idempotency *key;     /* or NULL */
	void (*done)(void *context); /* on the writer's thread, after the commit */
	void *context;

	enum err err; /* the outcome, once done */
	/* Once done: the last record that was written, as stored in the history; ptr NULL: none. */
	struct slice value;
	/* When the write makes an alert due; TIME_NONE: it makes none due. decide() sets it by
	 * write_note_due(). */
	int64_t due_at;

	/* The store's own. */
	struct store *store;
	const struct write_steps *steps;
	int64_t now; /* by the clock; changes get the account's `last_at` instead */
	struct account_state *account; /* set while its steps run */
	size_t faults_before;
	struct fault **faults_last;
};

/* Queues a write whose `steps` are set. ERR_BUSY: too many writes wait. ERR_STOPPED: the store is
 * stopping. ERR_IN_PROGRESS: a write with the same key is queued or running. After an error done()
 * is not called. */
enum err store_submit(struct store *store, struct store_write *write);

/* Queues a write, waits for it and returns its outcome. Sets `done` and `context` itself. */
enum err store_write(struct store *store, struct store_write *write);

/* Work on the connection that writes, such as a backup. It is done in parts between the batches of
 * writes, and takes a small share of the writer's time while writes wait. The caller sets the
 * functions, which run on the writer's thread, in no transaction. */
struct store_parts {
	/* Does a part of the work, for at most `budget_us`. Sets `done_out` after the last one. */
	enum err (*part)(struct store_parts *parts, struct db *db, int64_t budget_us,
			 bool *done_out);
	/* Called once, after the last part or an error of part(), or with ERR_STOPPED when the
	 * store stops. After it the store does not use `parts` any more. */
	void (*done)(struct store_parts *parts, enum err err);
};

/* Begins such work on a store of SQLite, which has one writer. ERR_BUSY: other such work is under
 * way. ERR_STOPPED: the store is stopping. After an error done() is not called. */
enum err store_do_parts(struct store *store, struct store_parts *parts);

/* The era of an open store (place/place.h). When a connection to a PostgreSQL database was lost,
 * and the next one finds that the database was restored, it is that of the restored database. */
int64_t store_era(struct store *store);

/* The time that a write of the account would wait now, in milliseconds. */
int64_t store_delay(struct store *store, int64_t account_id);

/* Counters of the reads and of the writes. Reads on the caller's thread are only in `at_once`. */
void store_loads(struct store *store, struct store_load *reads_out, struct store_load *writes_out);
/* How many reads and writes have ended with the error `err`. */
uint64_t store_errors(const struct store *store, enum err err);
/* How many statements have taken config.slow_statement_ms or longer. */
uint64_t store_slow_statements(const struct store *store);
/* Of a folder: how often the WAL was copied into the database, and how long that took. */
void store_checkpoints(const struct store *store, uint64_t *count_out, int64_t *us_out);

/* Whether each thread that reads or writes has passed through its loop since the last call. Wakes
 * them, so that they pass again. */
bool store_has_turned(struct store *store);

/* Tries a write without the account's lock, and stores nothing. For a dry run; and for a request
 * that has faults already, so that its answer lists all of them. The caller runs `read`, then calls
 * write_preview_decide(). A key that was used before gets the first answer, as with a write.
 * write_preview_init() may return ERR_IN_PROGRESS. */
struct write_preview {
	struct store_read read;
	struct store_write *write;
	struct account_state account; /* stands in for the locked row */
};

enum err write_preview_init(struct write_preview *preview, struct store *store,
			    struct store_write *write);
enum err write_preview_decide(struct write_preview *preview);

/* Runs writes at once, in one transaction, without the queue. For commands that do not serve, and
 * not after store_submit(): the writer's thread then uses the same connection. Returns the first
 * error; each write has its own outcome. */
enum err store_run(struct store *store, struct store_write **writes, size_t count);

#endif
