/* SPDX-License-Identifier: MIT */
/* Threads that run jobs, each with a connection. The writers and the threads that read share this:
 * the queue, the threads, their connections, jobs that wait too long, and locked groups. A group is
 * locked while another session has locked one of its tables. writers.c and read_threads.c have the
 * rest. */
#ifndef STORE_WORKERS_H
#define STORE_WORKERS_H

#include <pthread.h>

#include "store/jobs.h"
#include "store/state.h"

#define TAKEN_MAX 256 /* the most jobs that run together */

struct worker;

/* What differs between writers and threads that read. take() and adapt() are called under the
 * lock. */
struct work {
	enum db_mode mode;
	bool owns_lanes; /* only one worker at a time runs jobs of an account */
	/* How many statement timeouts a job may wait, if no other session has locked what it
	 * needs. */
	int patience;
	/* Moves jobs from the queue to the worker, or sets `tries`. */
	void (*take)(struct worker *worker);
	/* Runs the jobs. Sets `err` and `again` of each job, and `err` of the worker. */
	void (*run)(struct worker *worker);
	/* Adapts to the result of the run, before its jobs are put back or finished. */
	void (*adapt)(struct worker *worker);
	void (*finish)(struct store *store, struct job *job);
	/* Looks after the connection of an idle worker. A writer also does a part of the work that
	 * its runs have left, and says by `rests` whether there is more. Then it clears `ran`. */
	void (*look_after)(struct worker *worker);
};

struct worker {
	struct workers *all;
	pthread_t thread;
	struct db **db; /* *db NULL: not connected now */
	struct db *own_db;
	struct job *taken[TAKEN_MAX];
	size_t count, weight; /* of the jobs in `taken` */
	size_t most;          /* how many of them may run together */
	bool waits;           /* it waits for a lock of another session */
	bool waited;          /* its run before this one waited */
	bool ran;             /* it may have left work since it last looked after its connection */
	bool turned;          /* since workers_have_turned() */
	bool rests;           /* a part of that work is done, and there is more */
	uint32_t tries; /* a set of at most one group: it tries whether that is still locked */
	enum err err;   /* the result of the run */
	int64_t took_us;
	struct job_list over; /* jobs to finish */
};

struct workers {
	struct store *store;
	const struct work *work;
	int budget_ms; /* the time limit of a run; 0: none */
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct jobs jobs;
	uint32_t locked; /* a set of groups: they are locked */
	uint32_t tried;  /* a set of groups: a worker tries whether they are still locked */
	int64_t locked_at[GROUP_COUNT]; /* since when, of monotonic_ms(); 0: it is not */
	unsigned waiting;               /* workers that wait for a lock */
	size_t room;                    /* the weight of the jobs that run together */
	int64_t weight_us;              /* what a job of weight 1 takes, at present */
	int64_t looked;                 /* when late jobs were last looked for */
	bool stopping;
	struct store_parts *parts; /* what the writer does between batches; NULL: nothing */
	struct store_load load;
	/* Not under the lock. */
	atomic_bool broken; /* the state of the storage is unknown: nothing is written any more */
	unsigned count;
	struct worker list[];
};

/* Starts the threads. The first writer uses store->write_db, the others open connections of their
 * own. ERR_NOMEM. */
enum err workers_start(struct store *store, const struct work *work, unsigned count,
		       struct workers **workers_out);
/* Ends the threads once all jobs are done. NULL is accepted. */
void workers_stop(struct workers *workers);
void workers_free(struct workers *workers);

/* Queues a job; work->finish() is called for it later. ERR_BUSY, ERR_STOPPED, ERR_NOMEM: it is not
 * queued. */
enum err workers_submit(struct workers *workers, struct job *job);
/* Lets the only worker do the parts between its runs; store_do_parts() has the errors. */
enum err workers_do_parts(struct workers *workers, struct store_parts *parts);
/* How long a job of the account would wait now, in milliseconds. */
int64_t workers_delay(struct workers *workers, int64_t account_id);
/* Whether each of them has passed through its loop since the last call; wakes them. */
bool workers_have_turned(struct workers *workers);
void workers_load(struct workers *workers, struct store_load *load_out);

/* Whether the worker may wait for a lock. If there are several workers, one never does. */
bool worker_may_wait(const struct worker *worker);
void worker_add(struct worker *worker, struct job *job);
/* workers_lock() notes that another session has locked tables of the group, workers_unlock() that
 * it has released them. */
void workers_lock(struct workers *workers, enum job_group group);
void workers_unlock(struct workers *workers, enum job_group group);
/* Opens a connection if there is none. ERR_UNREACHABLE. */
enum err store_connect(struct store *store, enum db_mode mode, struct db **db);
void store_disconnect(struct store *store, struct db **db);
/* The same if the error says that the connection was lost. */
void store_drop_lost(struct store *store, struct db **db, enum err err);
/* Counts a read or a write that has ended, if it has ended with an error. */
static inline void store_count_error(struct store *store, enum err err)
{
	if (err)
		atomic_fetch_add_explicit(&store->ended[err], 1, memory_order_relaxed);
}
/* Sets the outcome of all jobs of the worker. */
void worker_set_outcome(struct worker *worker, enum err err, bool again);

/* Runs a read once on the connection, for at most `budget_ms`; 0: no limit. */
enum err read_run(struct store_read *read, struct db *db, int budget_ms);

#endif
