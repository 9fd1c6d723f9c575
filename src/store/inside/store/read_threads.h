/* SPDX-License-Identifier: MIT */
/* Threads that read, each with its connection, so that nobody else waits for the database. */
#ifndef STORE_READ_THREADS_H
#define STORE_READ_THREADS_H

#include "store/state.h"

enum err read_threads_new(struct store *store, unsigned count,
			  struct read_threads **read_threads_out);
/* Queues a read, whose done() is then called. ERR_BUSY, ERR_STOPPED. */
enum err read_threads_submit(struct read_threads *read_threads, struct store_read *read);
/* Ends them when the queue is empty. */
void read_threads_stop(struct read_threads *read_threads);
void read_threads_free(struct read_threads *read_threads);

#endif
