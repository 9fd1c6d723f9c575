/* SPDX-License-Identifier: MIT */
/* How many reads and writes may wait, and how many bytes. */
#include "queue.h"

#define BODIES_MAX ((size_t)64 * 1024 * 1024)

enum err queue_enter(struct store *store, size_t bytes)
{
	size_t waiting = atomic_fetch_add(&store->waiting, 1);
	size_t held = atomic_fetch_add(&store->waiting_bytes, bytes);

	if (waiting < store->config.queue_limit && held <= BODIES_MAX)
		return OK;
	queue_leave(store, bytes);
	return ERR_BUSY;
}

void queue_leave(struct store *store, size_t bytes)
{
	atomic_fetch_sub(&store->waiting, 1);
	atomic_fetch_sub(&store->waiting_bytes, bytes);
}
