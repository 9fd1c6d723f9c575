/* SPDX-License-Identifier: MIT */
/* The connections that read: each is read-only, and used by one thread at a time. */
#include <pthread.h>

#include "db/read_pool.h"

struct read_pool {
	const struct db_driver *driver;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	size_t free_count;
	size_t count;
	struct db *dbs[]; /* the first free_count are free */
};

enum err read_pool_new(const struct db_driver *driver, const char *where, unsigned count,
		       struct slow_watch *slow, struct read_pool **pool_out, struct buf *why)
{
	struct read_pool *pool = calloc(1, sizeof(*pool) + count * sizeof(pool->dbs[0]));
	char message[256];

	if (!pool)
		return ERR_NOMEM;
	pool->driver = driver;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->freed, NULL);
	for (; pool->count < count; pool->count++, pool->free_count++) {
		enum err err = driver->open(where, DB_READ, &pool->dbs[pool->count], message,
					    sizeof(message));

		if (err) {
			buf_printf(why, "cannot open %s for reading: %s", where, message);
			read_pool_free(pool);
			return err;
		}
		pool->dbs[pool->count]->slow = slow;
	}
	*pool_out = pool;
	return OK;
}

void read_pool_free(struct read_pool *pool)
{
	if (!pool)
		return;
	for (size_t i = 0; i < pool->count; i++)
		pool->driver->close(pool->dbs[i]);
	pthread_cond_destroy(&pool->freed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

struct db *read_pool_take(struct read_pool *pool)
{
	struct db *db;

	pthread_mutex_lock(&pool->lock);
	while (pool->free_count == 0)
		pthread_cond_wait(&pool->freed, &pool->lock);
	db = pool->dbs[--pool->free_count];
	pthread_mutex_unlock(&pool->lock);
	return db;
}

void read_pool_give(struct read_pool *pool, struct db *db)
{
	pthread_mutex_lock(&pool->lock);
	pool->dbs[pool->free_count++] = db;
	pthread_cond_signal(&pool->freed);
	pthread_mutex_unlock(&pool->lock);
}
