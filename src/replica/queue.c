/* SPDX-License-Identifier: MIT */
/* The queue between the writer and the thread of the replica. If it is full, all that waits is
 * dropped: a replica with a gap is of no use, and a new generation begins when the target is
 * back. */
#include "queue.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"

#define WAKE_BYTES ((size_t)1 << 20) /* the thread does not wait for more */
#define KEPT_BYTES ((size_t)8 << 20) /* a larger buffer is given back */

void queue_init(struct queue *queue, size_t most, int64_t number)
{
	pthread_condattr_t attributes;

	*queue = (struct queue){.most = most, .number = number, .missed = -1, .synced = -1};
	pthread_mutex_init(&queue->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->wake, &attributes);
	pthread_condattr_destroy(&attributes);
}

void queue_release(struct queue *queue)
{
	pthread_mutex_destroy(&queue->lock);
	pthread_cond_destroy(&queue->wake);
	buf_release(&queue->waiting.bytes);
}

bool queue_wants(void *context)
{
	struct queue *queue = context;
	bool wants;

	pthread_mutex_lock(&queue->lock);
	wants = queue->wants;
	pthread_mutex_unlock(&queue->lock);
	return wants;
}

static void commits_clear(struct commits *commits)
{
	struct buf bytes = commits->bytes;

	if (bytes.cap > KEPT_BYTES)
		buf_release(&bytes);
	buf_clear(&bytes);
	*commits = (struct commits){.bytes = bytes};
}

static void queue_drop(struct queue *queue)
{
	if (!queue->lost_since)
		queue->lost_since = queue->waiting.since ? queue->waiting.since : monotonic_ms();
	commits_clear(&queue->waiting);
	queue->wants = false;
}

static void queue_add(struct queue *queue, const struct store_commit *commit)
{
	struct commits *waiting = &queue->waiting;
	size_t bytes = waiting->bytes.len + commit->changes.len;

	if (bytes <= queue->most)
		commit_write(commit, &waiting->bytes);
	if (bytes > queue->most || waiting->bytes.failed) {
		queue_drop(queue);
		queue->overflowed = true;
		return;
	}
	if (!waiting->count) {
		waiting->first = commit->number;
		waiting->since = monotonic_ms();
	} else if (commit->number != waiting->last + 1) {
		waiting->gap = true;
	}
	waiting->count++;
	waiting->last = commit->number;
	waiting->at = commit->at;
	if (waiting->bytes.len >= WAKE_BYTES)
		pthread_cond_signal(&queue->wake);
}

void queue_put(void *context, const struct store_commit *commit)
{
	struct queue *queue = context;
	bool tells;

	pthread_mutex_lock(&queue->lock);
	queue->number = commit->number;
	if (queue->wants && commit->changes.ptr)
		queue_add(queue, commit);
	else if (queue->wants)
		queue->missed = commit->number;
	else if (!queue->lost_since)
		queue->lost_since = monotonic_ms();
	tells = queue->overflowed && !queue->told;
	queue->told |= tells;
	pthread_mutex_unlock(&queue->lock);
	/* The thread of the replica may be the one that hangs. */
	if (tells)
		log_line("the replica is too slow: more than %zu MiB of changes wait for it. They "
			 "are dropped, and a new generation begins when it answers again",
			 queue->most >> 20);
}

void queue_open(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->wants = true;
	queue->overflowed = false;
	pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	if (queue->waiting.count || queue->taken_since || queue->lost_since ||
	    queue->number != queue->synced)
		queue_drop(queue);
	if (queue->taken_since && queue->taken_since < queue->lost_since)
		queue->lost_since = queue->taken_since;
	queue->taken_since = 0;
	queue->wants = false;
	pthread_mutex_unlock(&queue->lock);
}

void queue_take(struct queue *queue, int64_t milliseconds, struct commits *taken)
{
	struct timespec until = monotonic_after(milliseconds);
	int late = 0;

	commits_clear(taken);
	pthread_mutex_lock(&queue->lock);
	while (!late && !queue->stopping && queue->waiting.bytes.len < WAKE_BYTES)
		late = pthread_cond_timedwait(&queue->wake, &queue->lock, &until);
	if (queue->waiting.count) {
		struct commits empty = *taken;

		*taken = queue->waiting;
		queue->waiting = empty;
		if (!queue->taken_since)
			queue->taken_since = taken->since;
	}
	pthread_mutex_unlock(&queue->lock);
}

void queue_note_synced(struct queue *queue, int64_t number)
{
	pthread_mutex_lock(&queue->lock);
	queue->synced = number;
	queue->taken_since = 0;
	if (!queue->overflowed) {
		queue->lost_since = 0;
		queue->told = false;
	}
	pthread_mutex_unlock(&queue->lock);
}

void queue_stop(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->stopping = true;
	pthread_cond_signal(&queue->wake);
	pthread_mutex_unlock(&queue->lock);
}
