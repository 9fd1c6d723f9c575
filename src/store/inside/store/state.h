/* SPDX-License-Identifier: MIT */
/* The state of a store, for the folders that are built on it. Handlers and commands see none of it.
 */
#ifndef STORE_STATE_H
#define STORE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "db/db.h"
#include "sql/calls.h"
#include "sql/statements.h"
#include "store/store.h"

#define TOKEN_USES 4096

struct writer;
struct read_threads;
struct read_pool;

/* The keys whose creates are under way in this process. */
struct keys {
	pthread_mutex_t lock;
	struct idempotency *buckets[64];
};

struct store {
	struct store_config config;
	struct arena arena; /* what lives as long as the store */
	const struct db_driver *driver;
	struct sql_statements sql;
	/* Opens one more connection to a database that others serve as well; says when it goes away
	 * and when it is there again. ERR_UNREACHABLE. NULL for a folder. */
	enum err (*connect)(struct store *store, enum db_mode mode, struct db **db_out);
	struct keys keys;
	struct db *write_db;
	struct writer *writers;
	size_t writer_count;
	/* Reading connections that are lent, or threads that have one each. */
	struct read_pool *read_pool;
	struct read_threads *read_threads;
	atomic_size_t waiting;       /* reads and writes that are queued */
	atomic_size_t waiting_bytes; /* of the bodies of those writes */
	atomic_bool away;            /* the database was, when last a connection was asked for */
	/* Which tokens were used in which minute: see store_token_used(). */
	_Atomic uint64_t uses[TOKEN_USES];
	int lock; /* file descriptor of the folder's lock */
	/* Nobody writes to the folder meanwhile: it is this process's, or cannot be written. */
	bool unchanging;
	struct timespec seen[2]; /* when its database and the WAL were written: folder_changed() */
};

/* A store with its statements and nothing open; store_close() it. */
struct store *store_new(const struct store_config *config, const struct db_driver *driver);

/* Runs statements that do not belong together on a reading connection, and waits for them. */
enum err store_read_now(struct store *store, const struct db_call *calls, size_t count);

/* Step one of a write that needs to know nothing but the account. */
enum err read_nothing(struct store_write *write, struct calls *calls);

#endif
