/* SPDX-License-Identifier: MIT */
/* What lives as long as a store. */
#include <unistd.h>

#include "store/read_pool.h"
#include "store/read_threads.h"
#include "store/writers.h"

#define QUEUE_LIMIT 64 /* of whoever does not care */

struct store *store_new(const struct store_config *config, const struct db_driver *driver)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->config = *config;
	if (!store->config.queue_limit)
		store->config.queue_limit = QUEUE_LIMIT;
	store->driver = driver;
	store->lock = -1;
	pthread_mutex_init(&store->keys.lock, NULL);
	if (sql_statements_build(sql_dialect(driver), &store->arena, &store->sql)) {
		store_close(store);
		return NULL;
	}
	return store;
}

void store_stop(struct store *store)
{
	writers_stop(store);
	read_threads_stop(store->read_threads);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	writers_free(store);
	read_threads_free(store->read_threads);
	read_pool_free(store->read_pool);
	/* Last: closing it empties the WAL of SQLite, which only it may do. */
	store->driver->close(store->write_db);
	if (store->lock >= 0)
		close(store->lock);
	pthread_mutex_destroy(&store->keys.lock);
	arena_release(&store->arena);
	free(store);
}
