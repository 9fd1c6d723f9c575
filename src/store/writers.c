/* SPDX-License-Identifier: MIT */
/* The writers. Each takes writes from the queue, runs them in one transaction (batch.c), and calls
 * their done() after the commit (group commit). How many run together depends on how long they
 * take. Writes that fail together run again in smaller parts, so that no write fails because of
 * another. SQLite has one writer. */
#include "store/writers.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "base/waiting.h"
#include "batch.h"
#include "db/retry.h"
#include "idempotency.h"
#include "slow/slow_log.h"
#include "sql/titles.h"
#include "steps.h"
#include "workers.h"

#define RESOLVE_MS 5000  /* how long to try to find out whether a commit was done */
#define BATCH_US 100000  /* a transaction should take at most this */
#define ROOM_MAX 65536   /* the most weight of a transaction, however fast it is */
#define PATIENCE 5       /* how many statement timeouts a write may wait for its turn */
#define COMMAND_MS 30000 /* how long the write of a command may wait for a lock */

static struct store_write *write_of(struct job *job)
{
	return (struct store_write *)(void *)job;
}

/* After the answer to a commit was lost: finds out from the hash of its last change whether the
 * commit was done. OK: it was. ERR_UNREACHABLE: it was not. Else ERR_COMMIT_UNKNOWN. It waits for
 * the account's lock, which the session of the lost connection may still hold. */
static enum err commit_resolve(struct store *store, struct db **db, struct commit_mark *mark)
{
	int64_t until = monotonic_ms() + RESOLVE_MS;
	enum err err = ERR_COMMIT_UNKNOWN;

	while (mark->account_id != ID_NONE && monotonic_ms() < until) {
		err = store_connect(store, DB_WRITE, db);
		if (!err)
			err = batch_resolve(store, *db, mark);
		if (!err)
			return mark->found ? OK : ERR_UNREACHABLE;
		store_disconnect(store, db);
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	if (mark->request_id.len)
		log_line("cannot find out whether writes were stored; the last is of request %.*s",
			 (int)mark->request_id.len, mark->request_id.ptr);
	else
		log_line("cannot find out whether a write of docket itself was stored");
	return ERR_COMMIT_UNKNOWN;
}

/* Runs the writes in one transaction. If the connection was lost before the commit, for example
 * when the database restarted, it reconnects and tries once more. */
static enum err writes_attempt(struct store *store, struct db **db, struct store_write **writes,
			       size_t count, bool waits, struct commit_mark *mark)
{
	unsigned attempts = 0;
	enum err err;

	do {
		err = store_connect(store, DB_WRITE, db);
		if (err)
			return err;
		err = batch_run(store, *db, writes, count, waits, mark);
		store_drop_lost(store, db, err);
	} while (retry_reconnects(err, ++attempts));
	return err == ERR_COMMIT_UNKNOWN ? commit_resolve(store, db, mark) : err;
}

/* A lost connection is logged by the function that opens the next one. */
static void writes_log_failure(enum err err, size_t count, const struct commit_mark *mark)
{
	if (err != ERR_UNREACHABLE && err != ERR_COMMIT_UNKNOWN)
		log_line("%zu write%s failed: %s: %s", count, count == 1 ? "" : "s", err_text(err),
			 mark->message);
}

/* Runs all writes in one transaction; if that fails, in smaller parts. */
static void writes_run_in_parts(struct store *store, struct store_write **writes, size_t count,
				size_t most)
{
	struct commit_mark mark = {0};
	enum err err = writes_attempt(store, &store->write_db, writes, count, true, &mark);
	size_t part = retry_together(err, count, most);

	if (err && !part)
		writes_log_failure(err, count, &mark);
	for (size_t i = 0; i < count && err && !part; i++)
		writes[i]->err = err;
	for (size_t i = 0; part && i < count; i += part)
		writes_run_in_parts(store, &writes[i], part < count - i ? part : count - i, part);
}

enum err store_run(struct store *store, struct store_write **writes, size_t count)
{
	enum err err = OK;

	for (size_t i = 0; i < count; i++)
		write_init(writes[i], store);
	writes_run_in_parts(store, writes, count, TAKEN_MAX);
	for (size_t i = 0; i < count && !err; i++)
		err = writes[i]->err;
	return err;
}

/* Takes writes for one transaction: of one locked lane, or of all lanes that are not. */
static void writes_take_batch(struct worker *worker, bool locked)
{
	struct workers *all = worker->all;
	struct jobs_want want = {.groups = ALL_GROUPS & ~all->locked,
				 .is_long = true,
				 .locked = locked,
				 .room = SIZE_MAX,
				 .owner = worker};
	struct job *job;

	while (worker->count < worker->most && (job = jobs_take(&all->jobs, &want))) {
		worker_add(worker, job);
		want.with = worker->count;
		want.room = all->room > worker->weight ? all->room - worker->weight : 0;
		want.lane = locked ? &job->lane : NULL;
	}
}

/* A worker that may wait for a lock tries a locked group (group_try()). A write must not wait for a
 * locked group, because it would hold its account meanwhile. If no group is to be tried, the worker
 * waits for a locked lane. After a wait it takes writes of other lanes first. */
static void writes_take(struct worker *worker)
{
	struct workers *all = worker->all;

	if (worker->waited)
		writes_take_batch(worker, false);
	if (!worker->count && worker_may_wait(worker)) {
		worker->tries = all->jobs.count ? all->locked & ~all->tried : 0;
		worker->tries &= -worker->tries; /* only the lowest */
		if (!worker->tries)
			writes_take_batch(worker, true);
		worker->waits = worker->count || worker->tries;
	}
	if (!worker->waits && !worker->count)
		writes_take_batch(worker, false);
}

static enum job_group group_tried(const struct worker *worker)
{
	return (enum job_group)__builtin_ctz(worker->tries);
}

/* Waits for the table of a locked group, without holding an account. */
static enum err group_try(struct worker *worker)
{
	struct store *store = worker->all->store;
	enum record_kind kind = group_tried(worker) - GROUP_RECORDS;
	enum err err = store_connect(store, DB_WRITE, worker->db);

	if (!err)
		err = batch_run_calls(store, *worker->db,
				      &(struct db_call){.sql = store->sql.records[kind].lock}, 1);
	store_drop_lost(store, worker->db, err);
	return err;
}

/* Sets the outcome of the attempt for each write. */
static void writes_set_outcome(struct worker *worker, const struct commit_mark *mark)
{
	const struct store *store = worker->all->store;
	enum job_lock lock = worker->err == ERR_BUSY ? mark->lock : LOCK_NONE;
	size_t together = 0;

	/* On SQLite a lock is on the whole database: smaller parts would fail as well. */
	if (worker->err != ERR_BUSY || store->sql.try_account)
		together = retry_together(worker->err, worker->count, worker->most);
	/* A command has no statement timeout: it waits, for example for the audit log's row. */
	if (worker->err == ERR_BUSY && store->sql.try_account && !store->config.write_budget_ms &&
	    monotonic_ms() - worker->taken[0]->accepted < COMMAND_MS)
		together = 1;
	if (worker->err && !together && !lock)
		writes_log_failure(worker->err, worker->count, mark);
	for (size_t i = 0; i < worker->count; i++) {
		struct job *job = worker->taken[i];

		job->lock = worker->err ? lock : job->lock;
		job->again = together || job->lock;
		job->err = worker->err ? worker->err : job->lock ? ERR_BUSY : write_of(job)->err;
		if (together && !job->lock)
			job->most = together;
	}
}

/* After a failure of the storage nothing is written any more. */
static void writers_note_failure(struct workers *all, enum err err)
{
	const struct store_config *config = &all->store->config;

	if (err == ERR_UNKNOWN_STATE && !atomic_exchange(&all->broken, true) && config->on_fatal)
		config->on_fatal(config->fatal_context);
}

static void writer_look_after(struct worker *worker)
{
	struct store *store = worker->all->store;
	struct db *db = *worker->db;
	enum err err;

	worker->rests = false;
	err = titles_run_step(db, TITLES_STEP_US, &store->titles_unmerged, &worker->rests);
	/* Once: the step is tried again and again. */
	if (err && !store->titles_failed)
		log_line("cannot bring titles into the text index: %s: %s", err_text(err),
			 store->driver->message(db));
	store->titles_failed = err != OK;
	if (err)
		store->driver->rollback(db);
	writers_note_failure(worker->all, err);
	if (err || worker->rests)
		return;
	store->driver->on_idle(db);
	worker->ran = false;
}

static void writes_run(struct worker *worker)
{
	struct store_write *writes[TAKEN_MAX];
	struct commit_mark mark = {0};

	if (worker->tries) {
		worker->err = group_try(worker);
		return;
	}
	worker->err = ERR_UNKNOWN_STATE;
	if (atomic_load(&worker->all->broken)) {
		worker_set_outcome(worker, worker->err, false);
		return;
	}
	for (size_t i = 0; i < worker->count; i++)
		writes[i] = write_of(worker->taken[i]);
	worker->err = writes_attempt(worker->all->store, worker->db, writes, worker->count,
				     worker->waits, &mark);
	writes_set_outcome(worker, &mark);
	writers_note_failure(worker->all, worker->err);
}

/* Adapts how much may run together: twice as much after a run that took less than half of BATCH_US,
 * less after one that took longer than BATCH_US. */
static void workers_adapt_room(struct worker *worker)
{
	struct workers *all = worker->all;
	size_t weight = worker->weight;

	if (worker->took_us < BATCH_US / 2 && !worker->err && 2 * weight > all->room)
		all->room = all->room < ROOM_MAX / 2 ? 2 * all->room : ROOM_MAX;
	else if (worker->took_us > BATCH_US && worker->err != ERR_BUSY && weight <= all->room)
		all->room = (size_t)((int64_t)weight * BATCH_US / worker->took_us);
	if (!all->room)
		all->room = 1;
}

static void writes_adapt(struct worker *worker)
{
	struct workers *all = worker->all;

	if (worker->tries) {
		if (worker->err != ERR_BUSY)
			workers_unlock(all, group_tried(worker));
		return;
	}
	for (size_t i = 0; i < worker->count; i++) {
		const struct job *job = worker->taken[i];

		if (job->again && job->err == ERR_BUSY && !job->lock && job->group >= GROUP_RECORDS)
			workers_lock(all, job->group);
	}
	workers_adapt_room(worker);
}

static void write_finish(struct store *store, struct job *job)
{
	struct store_write *write = write_of(job);
	store_due_fn *on_due = atomic_load(&store->on_due);

	write->err = job->err;
	if (write->due_at != TIME_NONE && on_due)
		on_due(store->due_context, write->due_at);
	idempotency_end(&store->keys, write);
	write->done(write->context);
}

static const struct work writing = {.mode = DB_WRITE,
				    .owns_lanes = true,
				    .patience = PATIENCE,
				    .take = writes_take,
				    .run = writes_run,
				    .adapt = writes_adapt,
				    .finish = write_finish,
				    .look_after = writer_look_after};

enum err writers_start(struct store *store, unsigned count)
{
	if (store->write_db) {
		store->write_db->counters = &store->db_counters;
		store->write_db->slow = slow_log_watch(store->slow);
	}
	return workers_start(store, &writing, count, &store->writers);
}

enum err store_submit(struct store *store, struct store_write *write)
{
	enum err err = idempotency_begin(&store->keys, write);

	if (err)
		return err;
	write_init(write, store);
	write->job.lane = write->scope.account_id;
	err = workers_submit(store->writers, &write->job);
	if (err)
		idempotency_end(&store->keys, write);
	return err;
}

enum err store_write(struct store *store, struct store_write *write)
{
	struct waiting waiting;
	enum err err;

	waiting_init(&waiting);
	write->done = waiting_end;
	write->context = &waiting;
	err = store_submit(store, write);
	if (!err)
		waiting_for(&waiting);
	return err ? err : write->err;
}
