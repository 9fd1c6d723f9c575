/* SPDX-License-Identifier: MIT */
/* The commits that wait for the thread of the replica, up to a bound. The writer puts them there
 * and never waits. */
#ifndef REPLICA_QUEUE_H
#define REPLICA_QUEUE_H

#include <pthread.h>

#include "replica/replica_private.h"

/* Commits, as in a frame. */
struct commits {
	struct buf bytes;
	uint32_t count;
	int64_t first, last, at; /* numbers; the time of the last */
	int64_t since;           /* when the first was added, by monotonic_ms() */
	bool gap;                /* a commit between them was not recorded */
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	size_t most; /* bytes */
	/* Under the lock. */
	struct commits waiting;
	int64_t number;  /* of the last commit */
	int64_t missed;  /* the last commit that was not recorded, although they are wanted; -1 */
	bool wants;      /* commits are wanted */
	bool overflowed; /* since queue_open() */
	bool told;       /* it was logged that the queue was full, since the last success */
	bool stopping;
	int64_t lost_since;  /* when the first commit was dropped, by monotonic_ms(); 0: none is */
	int64_t taken_since; /* the same of the commits that the thread is writing; 0: none */
	int64_t synced;      /* the number of the last commit in the replica */
};

void queue_init(struct queue *queue, size_t most, int64_t number);
void queue_release(struct queue *queue);
/* For struct store_recorder; `context` is the queue. */
bool queue_wants(void *context);
void queue_put(void *context, const struct store_commit *commit);
/* From now on commits are wanted, or no longer: then it drops those that wait. */
void queue_open(struct queue *queue);
void queue_close(struct queue *queue);
/* Waits for `milliseconds`, or less if much is waiting or the queue is stopping. Exchanges what
 * waits with `taken`, which is empty. */
void queue_take(struct queue *queue, int64_t milliseconds, struct commits *taken);
/* The commits that were taken last are in the replica. */
void queue_note_synced(struct queue *queue, int64_t number);
void queue_stop(struct queue *queue);

#endif
