/* SPDX-License-Identifier: MIT */
/* The thread that writes a replica. */
#ifndef REPLICA_FOLLOW_H
#define REPLICA_FOLLOW_H

#include <pthread.h>
#include <stdatomic.h>
#include <zstd.h>

#include "copier.h"
#include "generation.h"
#include "queue.h"

/* A generation that is being written. */
struct writing {
	bool on;
	struct manifest manifest;
	struct segments segments;
	int64_t first; /* the first commit that it has; -1: none yet */
};

struct replica {
	struct replica_config config;
	const struct replica_io *io;
	struct store_recorder recorder;
	struct queue queue;
	pthread_t thread;
	char database[HEX_BYTES(ID_BYTES)]; /* names the database */
	char mark[STORE_MARK_BYTES];        /* that of the database at the start */
	int lock;                           /* the descriptor of the target's lock; -1 */
	bool tried;                   /* the target was opened once: no generation continues */
	struct writing current, next; /* `next` waits for its full copy */
	struct copier *copier;        /* of `next` */
	ZSTD_CCtx *packer;
	struct buf packed;
	struct commits taken;
	bool next_failed;           /* the last attempt at a new generation did */
	int64_t retry_at, pause_ms; /* by monotonic_ms() */
	int64_t looked_at;          /* for the open segment, by monotonic_ms() */
	int64_t began_at;           /* the current generation, by monotonic_ms() */
	atomic_bool done;

	pthread_mutex_t lock_counters;
	struct replica_counters counters; /* under lock_counters */
};

/* The thread; `context` is a struct replica. */
void *replica_run(void *context);

#endif
