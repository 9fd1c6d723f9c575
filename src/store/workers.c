/* SPDX-License-Identifier: MIT */
/* Threads that run jobs. */
#include "workers.h"

#include <time.h>

#include "base/clock.h"
#include "slow/slow_log.h"

#define ROOM_FIRST 256 /* until the first runs show how long jobs take */
#define LOOK_MS 100    /* how often to check for late jobs */
#define IDLE_MS 500    /* after this an idle worker looks after its connection */
/* How long a part between two runs may take: this share of the run before it, so that most of the
 * time is for jobs. Between runs no job waits for a part longer than PART_MOST_US. When nothing is
 * to be done, a job may come at any moment, so the parts are short. */
#define PART_SHARE 8
#define PART_MOST_US 5000
#define PART_IDLE_US 1000
/* An account that has no job in the queue may add one to a full queue, until the queue has this
 * many times its limit. */
#define LIMIT_TIMES 2

bool worker_may_wait(const struct worker *worker)
{
	const struct workers *all = worker->all;

	return all->count == 1 || all->waiting + 1 < all->count;
}

void worker_add(struct worker *worker, struct job *job)
{
	struct store_load *load = &worker->all->load;
	int64_t waited = monotonic_ms() - job->accepted;

	worker->taken[worker->count++] = job;
	worker->most = job->most < worker->most ? job->most : worker->most;
	worker->weight += job->weight;
	if (waited > load->waited_most_ms)
		load->waited_most_ms = waited;
	load->waited_ms += waited;
	histogram_add(&load->waits_ms, waited);
}

void worker_set_outcome(struct worker *worker, enum err err, bool again)
{
	for (size_t i = 0; i < worker->count; i++) {
		worker->taken[i]->err = err;
		worker->taken[i]->again = again;
	}
}

void workers_lock(struct workers *all, enum job_group group)
{
	if (!all->locked_at[group])
		all->locked_at[group] = monotonic_ms();
	all->locked |= GROUP_BIT(group);
}

void workers_unlock(struct workers *all, enum job_group group)
{
	all->locked_at[group] = 0;
	all->locked &= ~GROUP_BIT(group);
}

enum err store_connect(struct store *store, enum db_mode mode, struct db **db)
{
	enum err err = *db ? OK : store->connect(store, mode, true, db);

	if (!err)
		(*db)->slow = slow_log_watch(store->slow);
	return err;
}

void store_disconnect(struct store *store, struct db **db)
{
	store->driver->close(*db);
	*db = NULL;
}

void store_drop_lost(struct store *store, struct db **db, enum err err)
{
	if (err == ERR_UNREACHABLE || err == ERR_COMMIT_UNKNOWN)
		store_disconnect(store, db);
}

enum err workers_submit(struct workers *all, struct job *job)
{
	size_t limit = all->store->config.queue_limit;
	enum err err = OK;

	if (!job->weight)
		job->weight = 1;
	job->most = job->alone ? 1 : TAKEN_MAX;
	job->accepted = monotonic_ms();
	pthread_mutex_lock(&all->lock);
	if (all->stopping)
		err = ERR_STOPPED;
	else if (all->jobs.count >= LIMIT_TIMES * limit ||
		 (all->jobs.count >= limit && jobs_lane(&all->jobs, job->lane)))
		err = ERR_BUSY;
	else
		err = jobs_add(&all->jobs, job);
	all->load.refused += err != OK;
	/* A signal could wake a thread that may not take this job. */
	if (!err && (job->is_long || all->locked))
		pthread_cond_broadcast(&all->wake);
	else if (!err)
		pthread_cond_signal(&all->wake);
	pthread_mutex_unlock(&all->lock);
	return err;
}

/* Takes jobs that have waited too long out of the queue. */
static void worker_end_late(struct worker *worker)
{
	struct workers *all = worker->all;
	int64_t now = monotonic_ms(), budget = all->budget_ms;
	int64_t accepted = budget ? now - all->work->patience * budget : INT64_MIN;
	int64_t since = budget ? now - budget : INT64_MIN;
	struct job *job;

	if (!all->jobs.count || now - all->looked < LOOK_MS)
		return;
	all->looked = now;
	jobs_take_late(&all->jobs, accepted, all->stopping ? now : since, all->locked_at,
		       &worker->over);
	TAILQ_FOREACH(job, &worker->over, queued)
	{
		job->err = job->err ? job->err : ERR_TIMEOUT;
		all->load.late++;
	}
}

/* Whether the worker has to look after its connection when it is idle: the first reader always, a
 * writer once after its runs. After a failure of the storage nothing is written any more. */
static bool worker_looks_after(const struct worker *worker)
{
	const struct workers *all = worker->all;
	const struct db_driver *driver = all->store->driver;

	if (all->work->mode == DB_READ)
		return worker == all->list && driver->is_lost;
	return driver->on_idle && worker->ran && *worker->db && !atomic_load(&all->broken);
}

/* Waits until there may be something to do. */
static void worker_wait(struct worker *worker)
{
	struct workers *all = worker->all;
	bool looks_after = worker_looks_after(worker);
	struct timespec until;

	if (!all->jobs.count && !looks_after) {
		pthread_cond_wait(&all->wake, &all->lock);
		return;
	}
	until = monotonic_after(all->jobs.count ? LOOK_MS : worker->rests ? 0 : IDLE_MS);
	if (pthread_cond_clockwait(&all->wake, &all->lock, CLOCK_MONOTONIC, &until) == 0 ||
	    !looks_after || all->jobs.count)
		return;
	pthread_mutex_unlock(&all->lock);
	all->work->look_after(worker);
	pthread_mutex_lock(&all->lock);
}

/* Does a part of the work between runs. Called under the lock, which it releases meanwhile. */
static void worker_do_part(struct worker *worker, int64_t budget_us)
{
	struct workers *all = worker->all;
	struct store_parts *parts = all->parts;
	enum err err = all->stopping ? ERR_STOPPED : OK;
	bool done = false;

	if (!parts)
		return;
	pthread_mutex_unlock(&all->lock);
	if (atomic_load(&all->broken))
		err = ERR_UNKNOWN_STATE;
	if (!err)
		err = parts->part(parts, *worker->db,
				  budget_us < PART_MOST_US ? budget_us : PART_MOST_US, &done);
	pthread_mutex_lock(&all->lock);
	if (!err && !done)
		return;
	all->parts = NULL;
	pthread_mutex_unlock(&all->lock);
	parts->done(parts, err);
	pthread_mutex_lock(&all->lock);
}

/* Waits for jobs, or for a lock to try. False: the thread has to end. */
static bool worker_take(struct worker *worker)
{
	struct workers *all = worker->all;

	worker->count = worker->weight = 0;
	worker->most = TAKEN_MAX;
	worker->waited = worker->waits;
	worker->waits = false;
	worker->tries = 0;
	worker->turned = true;
	for (worker_end_late(worker); TAILQ_EMPTY(&worker->over); worker_end_late(worker)) {
		worker->turned = true;
		all->work->take(worker);
		if (worker->count || worker->tries)
			break;
		if (all->stopping && !all->jobs.count)
			return false;
		if (all->parts)
			worker_do_part(worker, PART_IDLE_US);
		else
			worker_wait(worker);
	}
	all->waiting += worker->waits;
	all->tried |= worker->tries;
	return true;
}

static void worker_count(struct worker *worker)
{
	struct workers *all = worker->all;
	struct store_load *load = &all->load;

	load->runs++;
	load->jobs += worker->count;
	load->run_us += worker->took_us;
	if (worker->took_us > load->run_most_us)
		load->run_most_us = worker->took_us;
	histogram_add(&load->run_jobs, (int64_t)worker->count);
	histogram_add(&load->runs_us, worker->took_us);
	if (!worker->err && worker->weight)
		all->weight_us += (worker->took_us / (int64_t)worker->weight - all->weight_us) / 8;
}

/* Puts jobs back or moves them to `over`; from the last to the first, so that jobs that are put
 * back keep their order. */
static void worker_put_back(struct worker *worker)
{
	struct workers *all = worker->all;
	bool owns = all->work->owns_lanes;
	int64_t now = monotonic_ms();

	for (size_t i = worker->count; i-- > 0;) {
		struct job *job = worker->taken[i];

		if (job->again && job->err == ERR_BUSY)
			all->looked = 0;
		all->load.repeated += job->again;
		if (job->again && owns)
			jobs_put_back(&all->jobs, job);
		else if (!job->again || jobs_add(&all->jobs, job))
			TAILQ_INSERT_HEAD(&worker->over, job, queued);
	}
	for (size_t i = 0; i < worker->count && owns; i++)
		jobs_release(&all->jobs, worker->taken[i]->lane,
			     worker->taken[i]->again ? worker->taken[i]->lock : LOCK_NONE, now);
}

static void worker_end_run(struct worker *worker)
{
	struct workers *all = worker->all;

	all->waiting -= worker->waits;
	all->tried &= ~worker->tries;
	if (worker->count || worker->tries) {
		worker->ran = true;
		all->work->adapt(worker);
		worker_count(worker);
		worker_put_back(worker);
	}
	if (all->jobs.count || all->stopping)
		pthread_cond_broadcast(&all->wake);
}

static void worker_finish(struct worker *worker)
{
	struct job *job;

	while ((job = TAILQ_FIRST(&worker->over))) {
		TAILQ_REMOVE(&worker->over, job, queued);
		store_count_error(worker->all->store, job->err);
		worker->all->work->finish(worker->all->store, job);
	}
}

static void *worker_run(void *context)
{
	struct worker *worker = context;
	struct workers *all = worker->all;

	pthread_mutex_lock(&all->lock);
	while (worker_take(worker)) {
		int64_t began = monotonic_us();

		pthread_mutex_unlock(&all->lock);
		worker->err = OK;
		if (worker->count || worker->tries)
			all->work->run(worker);
		worker->took_us = monotonic_us() - began;
		pthread_mutex_lock(&all->lock);
		worker_end_run(worker);
		pthread_mutex_unlock(&all->lock);
		worker_finish(worker);
		pthread_mutex_lock(&all->lock);
		worker_do_part(worker, worker->took_us / PART_SHARE);
	}
	worker_do_part(worker, 0); /* ends parts that are left: the worker stops */
	pthread_mutex_unlock(&all->lock);
	return NULL;
}

enum err workers_start(struct store *store, const struct work *work, unsigned count,
		       struct workers **workers_out)
{
	struct workers *all = calloc(1, sizeof(*all) + count * sizeof(all->list[0]));
	bool failed = false, writes = work->mode == DB_WRITE;

	if (!all)
		return ERR_NOMEM;
	all->store = store;
	all->work = work;
	all->budget_ms = writes ? store->config.write_budget_ms : store->config.read_budget_ms;
	all->room = ROOM_FIRST;
	jobs_init(&all->jobs);
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->wake, NULL);
	pthread_mutex_lock(&all->lock); /* no thread begins before all are there */
	while (all->count < count && !failed) {
		struct worker *worker = &all->list[all->count];

		worker->all = all;
		worker->turned = true;
		worker->db = writes && !all->count ? &store->write_db : &worker->own_db;
		TAILQ_INIT(&worker->over);
		/* On SQLite connect now: the limit of HTTP connections counts the open
		 * descriptors. */
		failed =
			(!store->driver->is_lost && store_connect(store, work->mode, worker->db)) ||
			pthread_create(&worker->thread, NULL, worker_run, worker) != 0;
		all->count += !failed;
		if (!failed)
			pthread_setname_np(worker->thread,
					   work->mode == DB_READ ? "reader" : "writer");
	}
	pthread_mutex_unlock(&all->lock);
	if (failed)
		workers_free(all);
	else
		*workers_out = all;
	return failed ? ERR_NOMEM : OK;
}

void workers_stop(struct workers *all)
{
	bool stopped;

	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	stopped = all->stopping;
	all->stopping = true;
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	for (unsigned i = 0; i < all->count && !stopped; i++)
		pthread_join(all->list[i].thread, NULL);
}

void workers_free(struct workers *all)
{
	if (!all)
		return;
	workers_stop(all);
	for (unsigned i = 0; i < all->count; i++)
		all->store->driver->close(all->list[i].own_db);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

enum err workers_do_parts(struct workers *all, struct store_parts *parts)
{
	enum err err = OK;

	pthread_mutex_lock(&all->lock);
	if (all->stopping)
		err = ERR_STOPPED;
	else if (all->parts)
		err = ERR_BUSY;
	else
		all->parts = parts;
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	return err;
}

/* The lanes take turns. So a job waits for all jobs of its own lane, and for at most the same
 * weight of each other lane. */
int64_t workers_delay(struct workers *all, int64_t account_id)
{
	const struct lane *lane;
	int64_t weight = 0;

	pthread_mutex_lock(&all->lock);
	lane = jobs_lane(&all->jobs, account_id);
	if (lane && lane->weight * all->jobs.lane_count < all->jobs.weight)
		weight = (int64_t)(lane->weight * all->jobs.lane_count);
	else if (lane)
		weight = (int64_t)all->jobs.weight;
	weight = weight * all->weight_us / 1000 / all->count;
	pthread_mutex_unlock(&all->lock);
	return weight;
}

bool workers_have_turned(struct workers *all)
{
	bool turned = true;

	pthread_mutex_lock(&all->lock);
	for (unsigned i = 0; i < all->count; i++) {
		turned &= all->list[i].turned;
		all->list[i].turned = false;
	}
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	return turned;
}

void workers_load(struct workers *all, struct store_load *load_out)
{
	pthread_mutex_lock(&all->lock);
	*load_out = all->load;
	load_out->waiting = all->jobs.count;
	load_out->waiting_weight = all->jobs.weight;
	load_out->accounts = all->jobs.lane_count;
	pthread_mutex_unlock(&all->lock);
}
