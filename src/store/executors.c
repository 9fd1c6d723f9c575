/* SPDX-License-Identifier: MIT */
/* Threads that read from a database that has to be waited for, each with its own connection. One
 * takes all reads that are one list of statements and sends them together; what needs an answer
 * before it can ask on is run alone. The first thread takes none of those, so that however slow
 * they are, short reads go on. */
#include "store/store_private.h"

#define TOGETHER_MAX 128
#define TRIES_MAX 2

struct read_queue {
	struct store_read *first, **last;
};

struct executor {
	struct executors *all;
	pthread_t thread;
	struct db *db; /* NULL: there is no connection at this moment */
	bool takes_long;
};

struct executors {
	struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct read_queue lists, runs;
	size_t waiting;
	bool stopping;
	size_t count;
	struct executor executors[];
};

static void put(struct read_queue *queue, struct store_read *read)
{
	read->next = NULL;
	*queue->last = read;
	queue->last = &read->next;
}

static struct store_read *take(struct read_queue *queue)
{
	struct store_read *read = queue->first;

	queue->first = read->next;
	if (!queue->first)
		queue->last = &queue->first;
	return read;
}

enum err executors_submit(struct executors *executors, struct store_read *read)
{
	enum err err = OK;

	pthread_mutex_lock(&executors->lock);
	if (executors->stopping) {
		err = ERR_STOPPED;
	} else if (executors->waiting >= executors->store->config.queue_limit) {
		err = ERR_BUSY;
	} else {
		put(read->list ? &executors->lists : &executors->runs, read);
		executors->waiting++;
		/* A signal could wake the one thread that does not take it. */
		if (read->list)
			pthread_cond_signal(&executors->wake);
		else
			pthread_cond_broadcast(&executors->wake);
	}
	pthread_mutex_unlock(&executors->lock);
	return err;
}

/* Waits for reads; 0 when the thread is to end. */
static size_t take_waiting(struct executor *executor, struct store_read **reads)
{
	struct executors *all = executor->all;
	size_t count = 0;

	pthread_mutex_lock(&all->lock);
	while (!all->lists.first && !(executor->takes_long && all->runs.first) && !all->stopping)
		pthread_cond_wait(&all->wake, &all->lock);
	if (executor->takes_long && all->runs.first)
		reads[count++] = take(&all->runs);
	while ((!count || reads[0]->list) && count < TOGETHER_MAX && all->lists.first)
		reads[count++] = take(&all->lists);
	all->waiting -= count;
	pthread_mutex_unlock(&all->lock);
	return count;
}

static void finish(struct store_read **reads, size_t count, enum err err)
{
	for (size_t i = 0; i < count; i++) {
		reads[i]->err = err;
		reads[i]->done(reads[i]->context);
	}
}

/* All of them with one synchronisation. */
static enum err run_together(struct executor *executor, struct store_read **reads, size_t count)
{
	struct store *store = executor->all->store;
	struct arena arena = {0};
	struct calls calls = {.arena = &arena};
	enum err err = OK;

	store->driver->set_budget(executor->db, store->config.read_budget_ms);
	for (size_t i = 0; i < count && !err; i++)
		err = reads[i]->list(reads[i], &calls);
	if (!err)
		err = store->driver->run(executor->db, calls.list, calls.count);
	arena_release(&arena);
	return err;
}

/* On a connection, which is made anew once where it turns out to be lost. */
static enum err attempt(struct executor *executor, struct store_read **reads, size_t count)
{
	struct store *store = executor->all->store;
	enum err err = ERR_AWAY;

	for (int tries = 0; tries < TRIES_MAX && err == ERR_AWAY; tries++) {
		err = executor->db ? OK : store_open_db(store, DB_READ, &executor->db);
		if (err)
			return err;
		err = count > 1 ? run_together(executor, reads, count)
				: read_run(reads[0], executor->db);
		if (err == ERR_AWAY) {
			store->driver->close(executor->db);
			executor->db = NULL;
		}
	}
	return err;
}

static void *execute(void *context)
{
	struct executor *executor = context;
	struct store_read *reads[TOGETHER_MAX];
	size_t count;

	while ((count = take_waiting(executor, reads)) > 0) {
		enum err err = attempt(executor, reads, count);

		/* A read only ever answers for itself. */
		if (count > 1 && err && err != ERR_AWAY)
			for (size_t i = 0; i < count; i++)
				finish(&reads[i], 1, attempt(executor, &reads[i], 1));
		else
			finish(reads, count, err);
	}
	return NULL;
}

enum err executors_new(struct store *store, unsigned count, struct executors **executors_out)
{
	struct executors *all = calloc(1, sizeof(*all) + count * sizeof(all->executors[0]));

	if (!all)
		return ERR_NOMEM;
	all->store = store;
	all->lists.last = &all->lists.first;
	all->runs.last = &all->runs.first;
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->wake, NULL);
	for (; all->count < count; all->count++) {
		struct executor *executor = &all->executors[all->count];

		executor->all = all;
		executor->takes_long = all->count > 0 || count == 1;
		if (pthread_create(&executor->thread, NULL, execute, executor)) {
			executors_free(all);
			return ERR_NOMEM;
		}
	}
	*executors_out = all;
	return OK;
}

void executors_stop(struct executors *all)
{
	bool stopped;

	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	stopped = all->stopping;
	all->stopping = true;
	pthread_cond_broadcast(&all->wake);
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < all->count && !stopped; i++)
		pthread_join(all->executors[i].thread, NULL);
}

void executors_free(struct executors *all)
{
	if (!all)
		return;
	executors_stop(all);
	for (size_t i = 0; i < all->count; i++)
		all->store->driver->close(all->executors[i].db);
	pthread_cond_destroy(&all->wake);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
