/* SPDX-License-Identifier: MIT */
/* The connections that read on SQLite. A thread takes one and gives it back. */
#ifndef DB_READ_POOL_H
#define DB_READ_POOL_H

#include "base/buf.h"
#include "db/db.h"

struct read_pool;
/* `slow` as in struct db. */
enum err read_pool_new(const struct db_driver *driver, const char *where, unsigned count,
		       struct slow_watch *slow, struct read_pool **pool_out, struct buf *why);
void read_pool_free(struct read_pool *pool);
/* Waits until a connection is free. */
struct db *read_pool_take(struct read_pool *pool);
void read_pool_give(struct read_pool *pool, struct db *db);

#endif
