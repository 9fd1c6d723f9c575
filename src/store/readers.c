/* SPDX-License-Identifier: MIT */
/* The reading connections: read-only, lent to one thread at a time. */
#include <pthread.h>

#include "store_private.h"

struct readers {
	const struct db_driver *driver;
	pthread_mutex_t lock;
	pthread_cond_t freed;
	size_t free_count;
	size_t count;
	struct db *dbs[]; /* the first free_count are free */
};

enum err readers_new(const struct db_driver *driver, const char *where, unsigned count,
		     struct readers **readers_out, struct buf *why)
{
	struct readers *readers = calloc(1, sizeof(*readers) + count * sizeof(readers->dbs[0]));
	char message[256];

	if (!readers)
		return ERR_NOMEM;
	readers->driver = driver;
	pthread_mutex_init(&readers->lock, NULL);
	pthread_cond_init(&readers->freed, NULL);
	for (; readers->count < count; readers->count++, readers->free_count++) {
		enum err err = driver->open(where, DB_READ, &readers->dbs[readers->count], message,
					    sizeof(message));

		if (err) {
			buf_printf(why, "cannot open %s for reading: %s", where, message);
			readers_free(readers);
			return err;
		}
	}
	*readers_out = readers;
	return OK;
}

void readers_free(struct readers *readers)
{
	if (!readers)
		return;
	for (size_t i = 0; i < readers->count; i++)
		readers->driver->close(readers->dbs[i]);
	pthread_cond_destroy(&readers->freed);
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

struct db *readers_take(struct readers *readers)
{
	struct db *db;

	pthread_mutex_lock(&readers->lock);
	while (readers->free_count == 0)
		pthread_cond_wait(&readers->freed, &readers->lock);
	db = readers->dbs[--readers->free_count];
	pthread_mutex_unlock(&readers->lock);
	return db;
}

void readers_give(struct readers *readers, struct db *db)
{
	pthread_mutex_lock(&readers->lock);
	readers->dbs[readers->free_count++] = db;
	pthread_cond_signal(&readers->freed);
	pthread_mutex_unlock(&readers->lock);
}
