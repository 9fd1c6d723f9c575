/* SPDX-License-Identifier: MIT */
/* Several times a second the thread takes the commits that wait, appends them as one frame to the
 * segment of each generation that it writes, and calls fdatasync(2). While a new generation gets
 * its full copy, the thread writes the same frames for the old one. */
#include "follow.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "place/place.h"

#define TICK_MS 200   /* how often commits are written; then fdatasync(2) adds its time */
#define LOOK_MS 10000 /* how often the thread looks whether the target is still there */
#define RETRY_MOST_MS 600000
#define STEADY 60 /* times the first pause: a target that works so long works again */
#define LEVEL 3

static void replica_set_state(struct replica *replica, enum replica_state state, bool copying)
{
	pthread_mutex_lock(&replica->lock_counters);
	replica->counters.state = state;
	replica->counters.copying = copying;
	if (replica->current.on)
		replica->counters.generation = replica->current.manifest.generation;
	pthread_mutex_unlock(&replica->lock_counters);
}

/* Returns whether it is another error than the last one. */
static bool replica_note_error(struct replica *replica, const struct buf *why)
{
	char error[REPLICA_WORDS_BYTES];
	bool other;

	snprintf(error, sizeof(error), "%.*s", (int)why->len,
		 why->ptr ? why->ptr : "out of memory");
	pthread_mutex_lock(&replica->lock_counters);
	replica->counters.failures++;
	other = strcmp(error, replica->counters.error) != 0;
	memcpy(replica->counters.error, error, sizeof(error));
	pthread_mutex_unlock(&replica->lock_counters);
	return other;
}

static void writing_abandon(struct writing *writing)
{
	if (!writing->on)
		return;
	segments_abandon(&writing->segments);
	manifest_release(&writing->manifest);
	*writing = (struct writing){0};
}

/* Waits until the copier has ended. A slow target may delay that. The room of what is unfinished
 * is for the generation that goes on. */
static void next_abandon(struct replica *replica)
{
	struct manifest manifest = {0};
	struct buf why = {0};

	if (replica->copier) {
		copier_cancel(replica->copier);
		if (!copier_free(replica->copier, &manifest, &why))
			manifest_release(&manifest);
		replica->copier = NULL;
	}
	if (replica->next.on)
		(void)generation_remove(replica->next.segments.folder, &why);
	buf_release(&why);
	writing_abandon(&replica->next);
}

/* Says when to try again. The pause doubles with each failure in a row. */
static void replica_pause(struct replica *replica)
{
	replica->retry_at = monotonic_ms() + replica->pause_ms;
	replica->pause_ms =
		replica->pause_ms < RETRY_MOST_MS / 2 ? 2 * replica->pause_ms : RETRY_MOST_MS;
}

/* Gives up the new generation, and keeps the current one. */
static void next_fail(struct replica *replica, const struct buf *why)
{
	next_abandon(replica);
	if (replica_note_error(replica, why) || !replica->next_failed)
		log_line("the replica cannot begin a new generation: %.*s. It continues generation "
			 "%lld and tries again",
			 (int)why->len, why->ptr ? why->ptr : "out of memory",
			 (long long)replica->current.manifest.generation);
	replica->next_failed = true;
	replica_set_state(replica, REPLICA_FOLLOWING, false);
	replica_pause(replica);
}

/* Abandons both generations that are being written, until retry_at. */
static void replica_fail(struct replica *replica, const struct buf *why)
{
	bool first;

	queue_close(&replica->queue);
	next_abandon(replica);
	writing_abandon(&replica->current);
	if (replica->lock >= 0)
		close(replica->lock);
	replica->lock = -1;
	pthread_mutex_lock(&replica->lock_counters);
	first = replica->counters.state != REPLICA_FAILING;
	replica->counters.state = REPLICA_FAILING;
	replica->counters.copying = false;
	pthread_mutex_unlock(&replica->lock_counters);
	replica_note_error(replica, why);
	/* queue_put() has logged that the queue was full. */
	if (first && !replica->queue.overflowed)
		log_line("the replica fails: %.*s. docket goes on without it, tries again, and "
			 "then begins a new generation",
			 (int)why->len, why->ptr ? why->ptr : "out of memory");
	replica_pause(replica);
}

static enum err next_begin(struct replica *replica, struct buf *why)
{
	struct writing *next = &replica->next;
	bool goes_on = replica->current.on; /* and must find room for its segments */
	enum err err = generations_make_room(replica->config.dir, replica->config.keep, why);

	if (err && goes_on)
		return err;
	buf_clear(why);
	*next = (struct writing){.on = true, .first = -1};
	next->segments.fd = -1;
	next->segments.io = replica->io;
	memcpy(next->manifest.database, replica->database, sizeof(replica->database));
	err = generation_begin(replica->config.dir, &next->manifest, &next->segments, why);
	if (err)
		return err;
	/* Before the copy, so that no commit falls between the copy and the first segment. */
	queue_open(&replica->queue);
	replica->copier = copier_new(replica->config.store, replica->io, next->segments.folder,
				     &next->manifest, goes_on);
	if (!replica->copier)
		return ERR_NOMEM;
	replica_set_state(replica, replica->counters.state, true);
	return OK;
}

static void current_log(const struct replica *replica, bool continues)
{
	log_line("the replica in %s %s generation %lld", replica->config.dir,
		 continues ? "continues" : "begins",
		 (long long)replica->current.manifest.generation);
}

/* Only the first attempt after the start can continue a generation, because only then has the queue
 * every commit since the start. */
static enum err replica_open_target(struct replica *replica, struct buf *why)
{
	struct writing *current = &replica->current;
	bool first = !replica->tried;
	enum err err;

	replica->tried = true;
	err = target_lock(replica->config.dir, &replica->lock, why);
	if (err)
		return err;
	*current = (struct writing){.first = -1};
	current->segments.fd = -1;
	current->segments.io = replica->io;
	err = generation_resume(replica->config.dir, replica->database, first ? replica->mark : "",
				store_schema(), &current->manifest, &current->segments, why);
	if (err && err != ERR_NOT_FOUND)
		segments_abandon(&current->segments);
	if (err)
		return err == ERR_NOT_FOUND ? next_begin(replica, why) : err;
	current->on = true;
	current->first = current->segments.last;
	replica->began_at = monotonic_ms();
	queue_note_synced(&replica->queue, current->segments.last);
	replica_set_state(replica, REPLICA_FOLLOWING, false);
	current_log(replica, true);
	return OK;
}

/* The new generation takes the place of the current one. */
static enum err next_finish(struct replica *replica, struct buf *why)
{
	struct writing *next = &replica->next;
	int64_t number = 0, missed;
	enum err err = copier_free(replica->copier, &next->manifest, why);

	replica->copier = NULL;
	if (err)
		return err;
	pthread_mutex_lock(&replica->queue.lock);
	missed = replica->queue.missed;
	pthread_mutex_unlock(&replica->queue.lock);
	(void)mark_read(next->manifest.mark, &number);
	/* A commit that had begun before queue_open() was not recorded, and came after the copy. */
	if (missed > number || (next->first >= 0 && next->first > number + 1)) {
		writing_abandon(next);
		return next_begin(replica, why);
	}
	err = generation_finish(replica->config.dir, &next->manifest, &next->segments, why);
	if (err)
		return err;
	if (replica->current.on && segments_end(&replica->current.segments, why))
		log_line("the replica could not end the last segment of the generation before: "
			 "%.*s",
			 (int)why->len, why->ptr ? why->ptr : "out of memory");
	writing_abandon(&replica->current);
	replica->current = *next;
	*next = (struct writing){0};
	replica->next_failed = false;
	if (replica->current.segments.last < number)
		replica->current.segments.last = number;
	replica->began_at = monotonic_ms();
	queue_note_synced(&replica->queue, replica->current.segments.last);
	replica_set_state(replica, REPLICA_FOLLOWING, false);
	current_log(replica, false);
	generations_prune(replica->config.dir, replica->config.keep);
	return OK;
}

static enum err writing_add(struct writing *writing, const struct commits *commits,
			    struct slice packed, struct buf *why)
{
	struct frame_head head = {.count = commits->count,
				  .raw = (uint32_t)commits->bytes.len,
				  .packed = (uint32_t)packed.len,
				  .first = commits->first,
				  .last = commits->last,
				  .at = commits->at};
	int64_t last = writing->segments.last;

	if (!writing->on)
		return OK;
	if (commits->gap || (last >= 0 && commits->first != last + 1)) {
		buf_add_text(why, "the changes of a commit could not be recorded");
		return ERR_NOMEM;
	}
	if (writing->first < 0)
		writing->first = commits->first;
	return segments_add(&writing->segments, &head, packed, why);
}

static enum err commits_pack(struct replica *replica, struct buf *why)
{
	const struct buf *raw = &replica->taken.bytes;
	struct buf *packed = &replica->packed;
	size_t len;

	buf_clear(packed);
	if (!buf_reserve(packed, ZSTD_compressBound(raw->len)))
		return ERR_NOMEM;
	len = ZSTD_compressCCtx(replica->packer, packed->ptr, packed->cap, raw->ptr, raw->len,
				LEVEL);
	if (ZSTD_isError(len)) {
		buf_printf(why, "cannot compress changes: %s", ZSTD_getErrorName(len));
		return ERR_INTERNAL;
	}
	packed->len = len;
	return OK;
}

static enum err commits_write(struct replica *replica, struct buf *why)
{
	const struct commits *taken = &replica->taken;
	enum err err = commits_pack(replica, why);

	if (!err)
		err = writing_add(&replica->current, taken, buf_slice(&replica->packed), why);
	if (err)
		return err;
	if (replica->current.on)
		queue_note_synced(&replica->queue, taken->last);
	pthread_mutex_lock(&replica->lock_counters);
	replica->counters.written_bytes += (int64_t)(FRAME_HEAD + replica->packed.len);
	replica->counters.commits += taken->count;
	replica->counters.synced_at = clock_now(&system_clock);
	pthread_mutex_unlock(&replica->lock_counters);
	return OK;
}

/* Fails if the queue overflowed or a commit was not recorded. */
static enum err queue_check(struct replica *replica, struct buf *why)
{
	struct queue *queue = &replica->queue;
	bool overflowed, missed;

	pthread_mutex_lock(&queue->lock);
	overflowed = queue->overflowed;
	missed = replica->current.on && queue->missed > replica->current.segments.last;
	pthread_mutex_unlock(&queue->lock);
	if (overflowed)
		buf_printf(why, "more than %zu MiB of changes waited for %s", queue->most >> 20,
			   replica->config.dir);
	else if (missed)
		buf_add_text(why, "the changes of a commit could not be recorded");
	return overflowed || missed ? ERR_FULL : OK;
}

/* Begins, continues or completes the new generation. */
static enum err next_step(struct replica *replica, struct buf *why)
{
	const struct manifest *manifest = &replica->current.manifest;
	const struct clock *clock = replica->config.store->config.clock;
	struct writing *next = &replica->next;
	enum err err = OK;

	if (!next->on) {
		bool due = clock_now(clock) - manifest->at >= replica->config.period_s;

		return due && monotonic_ms() >= replica->retry_at ? next_begin(replica, why) : OK;
	}
	if (replica->taken.count)
		err = writing_add(next, &replica->taken, buf_slice(&replica->packed), why);
	if (!err && copier_is_done(replica->copier))
		err = next_finish(replica, why);
	return err;
}

/* Without commits nothing else shows that the target is gone. */
static enum err target_look(struct replica *replica, struct buf *why)
{
	int64_t now = monotonic_ms();

	if (!replica->current.on || now - replica->looked_at < LOOK_MS)
		return OK;
	replica->looked_at = now;
	return segments_look(&replica->current.segments, why);
}

static enum err replica_step(struct replica *replica, struct buf *why)
{
	enum err err = OK;

	if (!replica->current.on && !replica->next.on) {
		if (monotonic_ms() < replica->retry_at)
			return OK;
		err = replica_open_target(replica, why);
	}
	if (!err)
		err = queue_check(replica, why);
	if (!err && replica->taken.count)
		err = commits_write(replica, why);
	if (!err)
		err = target_look(replica, why);
	if (err)
		return err;
	/* A generation that lasts shows that the target works again. */
	if (replica->current.on && !replica->next_failed &&
	    monotonic_ms() - replica->began_at > STEADY * replica->config.retry_ms)
		replica->pause_ms = replica->config.retry_ms;
	err = next_step(replica, why);
	if (err && replica->current.on) {
		next_fail(replica, why);
		err = OK;
	}
	return err;
}

static void replica_end(struct replica *replica)
{
	struct buf why = {0};
	enum err err = OK;

	if (replica->current.on && replica->current.segments.fd >= 0)
		err = segments_end(&replica->current.segments, &why);
	if (err)
		log_line("the replica's last segment was not ended: %.*s", (int)why.len,
			 why.ptr ? why.ptr : err_text(err));
	writing_abandon(&replica->current);
	next_abandon(replica);
	if (replica->lock >= 0)
		close(replica->lock);
	buf_release(&why);
}

void *replica_run(void *context)
{
	struct replica *replica = context;
	bool stopping = false;

	while (!stopping) {
		struct buf why = {0};

		queue_take(&replica->queue, TICK_MS, &replica->taken);
		pthread_mutex_lock(&replica->queue.lock);
		stopping = replica->queue.stopping && !replica->queue.waiting.count;
		pthread_mutex_unlock(&replica->queue.lock);
		if (replica_step(replica, &why))
			replica_fail(replica, &why);
		buf_release(&why);
	}
	replica_end(replica);
	atomic_store(&replica->done, true);
	return NULL;
}
