/* SPDX-License-Identifier: MIT */
/* The threads that read, each with its own connection: on PostgreSQL for all reads, on SQLite for
 * long ones. So no thread of libmicrohttpd waits long for the database. */
#ifndef STORE_READ_THREADS_H
#define STORE_READ_THREADS_H

#include "store/state.h"

/* Sets store->read_threads. ERR_NOMEM. */
enum err read_threads_start(struct store *store, unsigned count);

#endif
