/* SPDX-License-Identifier: MIT */
/* Starts and stops the replica of a store. */
#include "replica/replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "follow.h"

#define STOP_MS 10000 /* how long replica_stop() waits for a target that hangs */
#define RETRY_MS 1000 /* the first pause after a failure; each next one is twice as long */
#define PERIOD_S 86400
#define QUEUE_BYTES ((size_t)64 << 20)

/* Gives the database a name that its copies keep. */
static enum err database_name(struct store *store, char name[HEX_BYTES(ID_BYTES)])
{
	unsigned char id[ID_BYTES];
	struct db_value args[1];
	const struct db_call insert = {
		.sql = "INSERT INTO property (name, value) VALUES ('database', $1)",
		.args = args,
		.arg_count = 1};
	enum err err = database_read_name(store, name);

	if (err || name[0])
		return err;
	salt_make(id);
	hex_write(id, ID_BYTES, name);
	args[0] = DB_TEXT_VALUE(slice_of(name));
	/* The state is another one then. */
	store->mark[0] = '\0';
	return store->driver->run(store->write_db, &insert, 1);
}

static void config_complete(struct replica *replica, const struct replica_config *config)
{
	replica->config = *config;
	if (!replica->config.period_s)
		replica->config.period_s = PERIOD_S;
	if (!replica->config.queue_bytes)
		replica->config.queue_bytes = QUEUE_BYTES;
	if (!replica->config.retry_ms)
		replica->config.retry_ms = RETRY_MS;
	replica->io = config->io ? config->io : &replica_system_io;
	replica->pause_ms = replica->config.retry_ms;
	replica->lock = -1;
	replica->counters.synced_at = TIME_NONE;
	pthread_mutex_init(&replica->lock_counters, NULL);
}

static void replica_free(struct replica *replica)
{
	queue_release(&replica->queue);
	pthread_mutex_destroy(&replica->lock_counters);
	buf_release(&replica->taken.bytes);
	buf_release(&replica->packed);
	ZSTD_freeCCtx(replica->packer);
	free(replica);
}

enum err replica_start(const struct replica_config *config, struct replica **replica_out)
{
	struct store *store = config->store;
	struct replica *replica = calloc(1, sizeof(*replica));
	enum err err;

	if (!replica)
		return ERR_NOMEM;
	config_complete(replica, config);
	replica->recorder = (struct store_recorder){
		.wants = queue_wants, .committed = queue_put, .context = &replica->queue};
	err = database_name(store, replica->database);
	if (!err)
		err = recorder_start(store, &replica->recorder);
	memcpy(replica->mark, store->mark, sizeof(replica->mark));
	queue_init(&replica->queue, replica->config.queue_bytes, replica->recorder.number);
	replica->packer = ZSTD_createCCtx();
	if (!err && !replica->packer)
		err = ERR_NOMEM;
	queue_open(&replica->queue);
	if (!err && pthread_create(&replica->thread, NULL, replica_run, replica))
		err = ERR_NOMEM;
	if (err) {
		recorder_end(store);
		replica_free(replica);
		return err;
	}
	*replica_out = replica;
	return OK;
}

bool replica_stop(struct replica *replica)
{
	int64_t until = monotonic_ms() + STOP_MS;

	if (!replica)
		return true;
	recorder_end(replica->config.store);
	queue_stop(&replica->queue);
	while (!atomic_load(&replica->done) && monotonic_ms() < until)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	if (!atomic_load(&replica->done)) {
		/* The thread is in a call of the kernel that does not end. The process is about to
		 * end, so its memory stays. */
		log_line("%s does not answer: the last changes are not in the replica",
			 replica->config.dir);
		pthread_detach(replica->thread);
		return false;
	}
	pthread_join(replica->thread, NULL);
	replica_free(replica);
	return true;
}

void replica_count(struct replica *replica, struct replica_counters *counters_out)
{
	struct queue *queue = &replica->queue;
	int64_t since;

	pthread_mutex_lock(&replica->lock_counters);
	*counters_out = replica->counters;
	pthread_mutex_unlock(&replica->lock_counters);
	pthread_mutex_lock(&queue->lock);
	since = queue->lost_since    ? queue->lost_since
		: queue->taken_since ? queue->taken_since
				     : queue->waiting.since;
	counters_out->lag_ms = since ? monotonic_ms() - since : 0;
	counters_out->lag_commits = queue->synced < 0 ? 0 : queue->number - queue->synced;
	pthread_mutex_unlock(&queue->lock);
}
