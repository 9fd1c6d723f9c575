/* SPDX-License-Identifier: MIT */
/* Reads: run at once on a connection that is lent, or by threads that have one each. */
#include "store_private.h"

bool store_waits(const struct store *store)
{
	return store->executors != NULL;
}

enum err read_run(struct store_read *read, struct db *db, int budget_ms)
{
	const struct db_driver *driver = read->store->driver;
	struct calls calls = {.arena = read->arena};
	enum err err;

	driver->set_budget(db, budget_ms);
	if (read->list) {
		err = read->list(read, &calls);
		return err ? err : driver->run(db, calls.list, calls.count);
	}
	err = driver->begin(db);
	if (err)
		return err;
	err = read->run(read, db);
	driver->set_budget(db, 0);
	driver->rollback(db);
	return err;
}

bool store_start(struct store *store, struct store_read *read)
{
	struct db *db;

	read->store = store;
	read->next = NULL;
	if (store->executors) {
		/* Once it is queued it is the executor's, its outcome as well. */
		enum err err = executors_submit(store->executors, read);

		if (err)
			read->err = err;
		return err != OK;
	}
	db = readers_take(store->readers);
	read->err = read_run(read, db, store->config.read_budget_ms);
	readers_give(store->readers, db);
	return true;
}

void waiting_init(struct waiting *waiting)
{
	*waiting = (struct waiting){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
}

void waiting_end(void *context)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->done = true;
	pthread_cond_signal(&waiting->wake);
	pthread_mutex_unlock(&waiting->lock);
}

void waiting_for(struct waiting *waiting)
{
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->done)
		pthread_cond_wait(&waiting->wake, &waiting->lock);
	pthread_mutex_unlock(&waiting->lock);
}

enum err store_do(struct store *store, struct store_read *read)
{
	struct waiting waiting;

	waiting_init(&waiting);
	read->done = waiting_end;
	read->context = &waiting;
	if (!store_start(store, read))
		waiting_for(&waiting);
	read->context = NULL;
	return read->err;
}

struct calls_read {
	struct store_read read;
	const struct db_call *calls;
	size_t count;
};

static enum err list_given(struct store_read *read, struct calls *calls)
{
	const struct calls_read *given = (const struct calls_read *)(const void *)read;
	enum err err = OK;

	for (size_t i = 0; i < given->count && !err; i++)
		err = calls_add(calls, given->calls[i].sql, given->calls[i].args,
				given->calls[i].arg_count, given->calls[i].on_row,
				given->calls[i].context);
	return err;
}

enum err store_read_now(struct store *store, const struct db_call *calls, size_t count)
{
	struct arena arena = {0};
	struct calls_read given = {.read = {.arena = &arena, .list = list_given}, calls, count};
	enum err err = store_do(store, &given.read);

	arena_release(&arena);
	return err;
}

/* As batch.c does, without the account's lock. */
static enum err judge_run(struct store_read *read, struct db *db)
{
	struct store_write *write = ((struct write_judge *)(void *)read)->write;
	const struct db_driver *driver = read->store->driver;
	struct calls calls = {.arena = read->arena};
	enum err err;

	write_start_afresh(write);
	err = write_read_first(write, &calls);
	if (!err)
		err = driver->run(db, calls.list, calls.count);
	calls.count = 0;
	if (!err)
		err = write_read_more(write, &calls);
	return err ? err : driver->run(db, calls.list, calls.count);
}

enum err write_judge_init(struct write_judge *judge, struct store *store, struct store_write *write)
{
	enum err err = write->key ? idempotency_begin(&store->keys, write) : OK;

	if (err)
		return err;
	/* It was to see whether the first is under way. */
	if (write->key)
		idempotency_end(&store->keys, write);
	write->store = store;
	write->now = clock_now(store->config.clock);
	write->faults_before = write->faults->count;
	write->faults_last = write->faults->last;
	*judge = (struct write_judge){
		.read = {.arena = write->arena, .about = ABOUT_WRITE, .run = judge_run},
		.write = write,
		.account = {.found = true, .last_at = write->now}};
	return OK;
}

enum err write_judged(struct write_judge *judge)
{
	struct store_write *write = judge->write;
	struct calls dropped = {.arena = write->arena};

	write->account = &judge->account;
	return idempotency_answers(write) ? OK : write->steps->decide(write, &dropped);
}
