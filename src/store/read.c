/* SPDX-License-Identifier: MIT */
/* Reads: run at once on a connection that is lent, or by threads that have one each. */
#include "base/waiting.h"
#include "queue.h"
#include "read_run.h"
#include "store/read_pool.h"
#include "store/read_threads.h"

bool store_waits(const struct store *store)
{
	return store->read_threads != NULL;
}

bool store_start(struct store *store, struct store_read *read)
{
	struct db *db;

	read->store = store;
	if (store->read_threads) {
		/* Once it is queued it is the executor's, its outcome as well. */
		enum err err = read_threads_submit(store->read_threads, read);

		if (err)
			read->err = err;
		return err != OK;
	}
	db = read_pool_take(store->read_pool);
	read->err = read_run(read, db, store->config.read_budget_ms);
	read_pool_give(store->read_pool, db);
	return true;
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

static enum err given_append(struct store_read *read, struct calls *calls)
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
	struct calls_read given = {.read = {.arena = &arena, .append = given_append}, calls, count};
	enum err err = store_do(store, &given.read);

	arena_release(&arena);
	return err;
}
