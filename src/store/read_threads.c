/* SPDX-License-Identifier: MIT */
/* Threads that read. A thread takes all reads of a group that have append(), and sends their
 * statements together. A long read runs alone. On PostgreSQL the first of several threads takes no
 * long reads, so short reads continue however slow the long ones are.
 *
 * While another session has locked a table, the reads of its group wait. One thread tries one of
 * them at a time, until the lock is released. */
#include "store/read_threads.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/retry.h"
#include "workers.h"

#define TOGETHER_MAX 128
#define TOGETHER_MS 500 /* the time limit of reads that are sent together */

static struct store_read *read_of(struct job *job)
{
	return (struct store_read *)(void *)job;
}

static void reads_take(struct worker *worker)
{
	struct workers *all = worker->all;
	struct jobs_want want = {
		.groups = all->locked & ~all->tried, .room = SIZE_MAX, .is_long = true};
	struct job *job = NULL;

	if (want.groups && worker_may_wait(worker))
		job = jobs_take(&all->jobs, &want);
	if (job) {
		worker->waits = true;
		worker->tries = GROUP_BIT(job->group);
		worker_add(worker, job);
		return;
	}
	want.groups = ALL_GROUPS & ~all->locked;
	/* While the store stops, the first thread takes long reads as well. */
	want.is_long =
		worker != all->list || all->count == 1 || all->stopping || all->store->read_pool;
	while (worker->count < TOGETHER_MAX && (job = jobs_take(&all->jobs, &want))) {
		worker_add(worker, job);
		if (job->is_long || job->most == 1)
			return;
		want.groups = GROUP_BIT(job->group);
		want.is_long = false;
		want.with = worker->count;
	}
}

/* Sends the statements of all reads in one round trip. */
static enum err reads_run_together(struct worker *worker, int budget)
{
	struct store *store = worker->all->store;
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	enum err err = OK;

	store->driver->set_budget(*worker->db, budget);
	for (size_t i = 0; i < worker->count && !err; i++) {
		struct store_read *read = read_of(worker->taken[i]);

		err = read->append(read, &calls);
	}
	if (!err)
		err = store->driver->run(*worker->db, calls.list, calls.count);
	arena_release(&arena);
	return err;
}

/* The time limit of this run, in milliseconds. The connection sends each new limit to the server.
 * So most runs have the same limit. */
static int reads_budget(const struct worker *worker)
{
	int budget = worker->all->budget_ms;
	int64_t left = worker->taken[0]->accepted + budget - monotonic_ms();

	if (!budget)
		return 0;
	if (worker->count > 1)
		return TOGETHER_MS < budget ? TOGETHER_MS : budget;
	return left > budget - budget / 4 ? budget : left > 1 ? (int)left : 1;
}

static void reads_run(struct worker *worker)
{
	enum err err = ERR_UNREACHABLE;
	bool again;

	for (unsigned i = 0; !i || retry_reconnects(err, i); i++) {
		err = store_connect(worker->all->store, DB_READ, worker->db);
		if (err)
			break;
		err = worker->count > 1 ? reads_run_together(worker, reads_budget(worker))
					: read_run(read_of(worker->taken[0]), *worker->db,
						   reads_budget(worker));
		store_drop_lost(worker->all->store, worker->db, err);
	}
	if (err == ERR_INTERNAL && *worker->db)
		log_line("%zu read%s failed: %s: %s", worker->count, worker->count == 1 ? "" : "s",
			 err_text(err), worker->all->store->driver->message(*worker->db));
	again = err && err != ERR_UNREACHABLE && (worker->count > 1 || err == ERR_BUSY);
	worker->err = err;
	worker_set_outcome(worker, err, again);
	for (size_t i = 0; i < worker->count; i++)
		worker->taken[i]->most = 1;
}

static void reads_adapt(struct worker *worker)
{
	struct workers *all = worker->all;

	if (worker->err == ERR_BUSY)
		workers_lock(all, worker->taken[0]->group);
	else if (worker->tries)
		workers_unlock(all, worker->taken[0]->group);
}

static void read_finish(struct store *store, struct job *job)
{
	struct store_read *read = read_of(job);

	read->err = !job->err && job_is_outdated(store, job) ? ERR_UNREACHABLE : job->err;
	read->done(read->context);
}

/* Reconnects after a connection was lost while idle. The connection holds the lock that keeps other
 * processes from changing the schema while this one serves. */
static void reader_look_after(struct worker *worker)
{
	struct store *store = worker->all->store;

	if (*worker->db && store->driver->is_lost(*worker->db))
		store_disconnect(store, worker->db);
	(void)store_connect(store, DB_READ, worker->db);
}

static const struct work reading = {.mode = DB_READ,
				    .patience = 1,
				    .take = reads_take,
				    .run = reads_run,
				    .adapt = reads_adapt,
				    .finish = read_finish,
				    .look_after = reader_look_after};

enum err read_threads_start(struct store *store, unsigned count)
{
	return workers_start(store, &reading, count, &store->read_threads);
}
