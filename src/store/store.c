/* SPDX-License-Identifier: MIT */
/* Makes, stops and closes a store. */
#include <unistd.h>

#include "cache/record_cache.h"
#include "db/read_pool.h"
#include "slow/slow_log.h"
#include "workers.h"

#define QUEUE_LIMIT 64 /* if the configuration has none */

static enum err slow_connect(void *context, struct db **db_out)
{
	return ((struct store *)context)->connect(context, DB_READ, false, db_out);
}

static void slow_start(struct store *store)
{
	if (store->config.slow_statement_ms)
		store->slow = slow_log_new(&(struct slow_log_config){
			.bound_ms = store->config.slow_statement_ms,
			.connect = slow_connect,
			.context = store,
			.account_name = "SELECT name FROM account WHERE id = $1"});
}

struct store *store_new(const struct store_config *config, const struct db_driver *driver)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->config = *config;
	if (!store->config.queue_limit)
		store->config.queue_limit = QUEUE_LIMIT;
	store->driver = driver;
	if (config->record_cache && driver->kind == DB_SQLITE)
		store->record_cache = record_cache_new(config->record_cache);
	store->titles_unmerged = true;
	store->lock = -1;
	atomic_init(&store->era, ERA_NONE);
	pthread_mutex_init(&store->keys.lock, NULL);
	slow_start(store);
	if (sql_statements_build(sql_dialect(driver), &store->arena, &store->sql)) {
		store_close(store);
		return NULL;
	}
	return store;
}

int64_t store_era(struct store *store)
{
	return atomic_load(&store->era);
}

bool job_is_outdated(struct store *store, const struct job *job)
{
	return job->era && *job->era != store_era(store);
}

void store_stop(struct store *store)
{
	workers_stop(store->writers);
	workers_stop(store->read_threads);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	workers_free(store->writers);
	workers_free(store->read_threads);
	slow_log_free(store->slow);
	read_pool_free(store->read_pool);
	/* The last connection to close must be the one that writes, because SQLite then writes what
	 * is in the WAL into the database. */
	store->driver->close(store->write_db);
	if (store->lock >= 0)
		close(store->lock);
	pthread_mutex_destroy(&store->keys.lock);
	record_cache_free(store->record_cache);
	arena_release(&store->arena);
	free(store);
}

struct cached_record *store_find_cached(const struct store *store, const struct scope *scope,
					enum record_kind kind, int64_t id, uint64_t seen)
{
	const struct record_key key = {scope->account_id, kind, id};

	return record_cache_find(store->record_cache, &key, seen);
}

void store_keep_cached(const struct store_read *read, const struct scope *scope,
		       enum record_kind kind, int64_t id, int64_t change, struct slice json)
{
	const struct record_key key = {scope->account_id, kind, id};

	record_cache_keep(read->store->record_cache, &key, read->seen, change, json);
}

void store_count_cached(const struct store *store, struct record_cache_load *load_out)
{
	record_cache_count(store->record_cache, load_out);
}

enum err store_do_parts(struct store *store, struct store_parts *parts)
{
	return workers_do_parts(store->writers, parts);
}

int64_t store_delay(struct store *store, int64_t account_id)
{
	return workers_delay(store->writers, account_id);
}

void store_loads(struct store *store, struct store_load *reads_out, struct store_load *writes_out)
{
	*reads_out = (struct store_load){0};
	if (store->read_threads)
		workers_load(store->read_threads, reads_out);
	reads_out->at_once = atomic_load(&store->reads_at_once);
	workers_load(store->writers, writes_out);
}

uint64_t store_errors(const struct store *store, enum err err)
{
	return atomic_load(&store->ended[err]);
}

uint64_t store_slow_statements(const struct store *store)
{
	return slow_log_count(store->slow);
}

void store_checkpoints(const struct store *store, uint64_t *count_out, int64_t *us_out)
{
	*count_out = atomic_load(&store->db_counters.checkpoints);
	*us_out = (int64_t)atomic_load(&store->db_counters.checkpoint_us);
}

bool store_has_turned(struct store *store)
{
	bool reads = !store->read_threads || workers_have_turned(store->read_threads);
	bool writes = workers_have_turned(store->writers);

	return reads && writes;
}
