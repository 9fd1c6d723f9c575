/* SPDX-License-Identifier: MIT */
/* Runs reads: at once on a connection of the pool, or on the threads that read. */
#include "base/waiting.h"
#include "cache/record_cache.h"
#include "db/read_pool.h"
#include "workers.h"

/* SQLite: the time limit of a read on the caller's thread. A read that takes longer starts again on
 * a thread that reads. */
#define SHORT_MS 3

static enum err read_attempt(struct store_read *read, struct db *db, int budget_ms)
{
	const struct db_driver *driver = read->store->driver;
	struct calls calls = {.arena = read->arena};
	enum err err;

	driver->set_budget(db, budget_ms);
	read->seen = record_cache_seen(read->store->record_cache);
	if (read->append) {
		err = read->append(read, &calls);
		return err ? err : driver->run(db, calls.list, calls.count);
	}
	err = driver->begin(db);
	if (err)
		return err;
	err = read->execute(read, db);
	driver->set_budget(db, 0);
	driver->rollback(db);
	return err;
}

enum err read_run(struct store_read *read, struct db *db, int budget_ms)
{
	enum err err;

	db->purpose = (struct db_purpose){read->job.lane, read->request_id};
	err = read_attempt(read, db, budget_ms);
	db->purpose = (struct db_purpose){0};
	return err;
}

/* Runs a read on the caller's thread. */
static enum err read_here(struct store *store, struct store_read *read, int budget_ms)
{
	struct db *db = read_pool_take(store->read_pool);
	enum err err = read_run(read, db, budget_ms);

	read_pool_give(store->read_pool, db);
	return err;
}

bool store_start(struct store *store, struct store_read *read)
{
	int budget = store->config.read_budget_ms;
	bool here = store->read_pool && (!read->job.is_long || !store->read_threads);
	enum err err;

	read->store = store;
	read->job.is_long |= !store->read_pool && read->execute;
	if (here) {
		read->err = read_here(store, read, store->read_threads ? SHORT_MS : budget);
		if (read->err != ERR_TIMEOUT || !store->read_threads) {
			atomic_fetch_add(&store->reads_at_once, 1);
			store_count_error(store, read->err);
			return true;
		}
		read->job.is_long = true;
	}
	if (read->waits)
		read->waits(read->context);
	/* Once the read is queued, it belongs to the thread that runs it. Do not touch it. */
	err = workers_submit(store->read_threads, &read->job);
	if (err)
		read->err = err;
	return err != OK;
}

enum err store_do(struct store *store, struct store_read *read)
{
	struct waiting waiting;

	waiting_init(&waiting);
	read->done = waiting_end;
	read->waits = NULL;
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

static enum err calls_read_append(struct store_read *read, struct calls *calls)
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
	/* A long read does not start again when it has taken SHORT_MS. */
	struct calls_read given = {
		.read = {.job.is_long = true, .arena = &arena, .append = calls_read_append},
		calls,
		count};
	enum err err = store_do(store, &given.read);

	arena_release(&arena);
	return err;
}
