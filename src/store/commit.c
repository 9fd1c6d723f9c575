/* SPDX-License-Identifier: MIT */
/* The one writer: takes all writes that wait, runs the two steps of each in one transaction, and
 * tells them once it is durable (group commit). A batch that fails is rolled back and its writes
 * are run one by one, so that a write only ever answers for itself. */
#include <assert.h>
#include <pthread.h>

#include "base/log.h"
#include "store/store_private.h"

#define BATCH_MAX 256

struct writer {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct store_write *first;
	struct store_write **last;
	size_t waiting;
	bool stopping;
	bool broken; /* the storage's state is unknown: nothing is written any more */
};

enum err calls_add(struct calls *calls, const char *sql, const struct db_value *args,
		   size_t arg_count, db_row_fn *on_row, void *context)
{
	if (calls->count == calls->room) {
		size_t room = calls->room ? calls->room * 2 : 16;
		struct db_call *list = arena_alloc(calls->arena, room * sizeof(*list));

		if (!list)
			return ERR_NOMEM;
		if (calls->count)
			memcpy(list, calls->list, calls->count * sizeof(*list));
		calls->list = list;
		calls->room = room;
	}
	calls->list[calls->count++] = (struct db_call){sql, args, arg_count, on_row, context};
	return OK;
}

enum err read_nothing(struct store_write *write, struct calls *calls)
{
	(void)write;
	(void)calls;
	return OK;
}

static enum err account_row(void *context, const struct db_value *values, size_t count)
{
	struct store_write *write = context;

	assert(count == 1 + RECORD_KINDS);
	write->account_found = true;
	write->last_change = values[0].integer;
	for (size_t i = 0; i < RECORD_KINDS && i + 1 < count; i++)
		write->last_id[i] = values[i + 1].integer;
	return OK;
}

static enum err step_one(struct store *store, struct store_write *write)
{
	const struct db_value account = DB_INT_VALUE(write->scope.account_id);
	struct calls calls = {.arena = write->arena};
	bool known = !write->steps->makes_account;
	enum err err = OK;

	if (known)
		err = calls_add(&calls, store->read_account, &account, 1, account_row, write);
	if (!err)
		err = write->steps->read(write, &calls);
	if (!err)
		err = store->driver->run(store->write_db, calls.list, calls.count);
	if (!err && known && !write->account_found)
		err = ERR_NOT_FOUND;
	return err;
}

static enum err step_two(struct store *store, struct store_write *write)
{
	struct db_value args[2 + RECORD_KINDS];
	struct calls calls = {.arena = write->arena};
	enum err err = write->steps->decide(write, &calls);

	if (err || !calls.count)
		return err;
	if (!write->changed)
		return store->driver->run(store->write_db, calls.list, calls.count);
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_INT_VALUE(write->last_change);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		args[2 + i] = DB_INT_VALUE(write->last_id[i]);
	err = calls_add(&calls, store->update_account, args, 2 + RECORD_KINDS, NULL, NULL);
	return err ? err : store->driver->run(store->write_db, calls.list, calls.count);
}

/* Takes back what an earlier run of the steps has left. */
static void start_afresh(struct store_write *write)
{
	write->account_found = write->changed = false;
	*write->faults_last = NULL;
	write->faults->last = write->faults_last;
	write->faults->count = write->faults_before;
}

static enum err run_steps(struct store *store, struct store_write *write)
{
	enum err err;

	start_afresh(write);
	err = step_one(store, write);
	if (!err)
		err = step_two(store, write);
	return err;
}

/* A failure of the kind `known` was told already. */
static enum err run_batch(struct store *store, struct store_write **writes, size_t count,
			  enum err known)
{
	enum err err = store->driver->begin(store->write_db);
	int64_t now = clock_now(store->config.clock);

	for (size_t i = 0; i < count && !err; i++) {
		writes[i]->now = now;
		err = run_steps(store, writes[i]);
	}
	if (!err)
		err = store->driver->commit(store->write_db);
	/* An account that is gone by now is no failure of the storage. */
	if (err && err != known && err != ERR_NOT_FOUND)
		log_line("%zu write%s failed: %s: %s", count, count == 1 ? "" : "s", err_text(err),
			 store->driver->message(store->write_db));
	if (err)
		store->driver->rollback(store->write_db);
	return err;
}

static void prepare(struct store *store, struct store_write *write)
{
	write->store = store;
	write->err = OK;
	write->next = NULL;
	write->faults_before = write->faults->count;
	write->faults_last = write->faults->last;
}

/* Runs them together, and one by one where that fails. ERR_UNKNOWN_STATE where nothing may be
 * written any more. */
static enum err commit_writes(struct store *store, struct store_write **writes, size_t count)
{
	enum err err = run_batch(store, writes, count, OK);

	for (size_t i = 0; i < count; i++) {
		if (count > 1 && err && err != ERR_UNKNOWN_STATE)
			writes[i]->err = run_batch(store, &writes[i], 1, err);
		else
			writes[i]->err = err;
		if (writes[i]->err == ERR_UNKNOWN_STATE)
			err = ERR_UNKNOWN_STATE;
	}
	return err;
}

enum err store_run(struct store *store, struct store_write **writes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		prepare(store, writes[i]);
	return commit_writes(store, writes, count);
}

enum err store_judge(struct store *store, struct store_write *write)
{
	struct calls reads = {.arena = write->arena}, none = {.arena = write->arena};
	enum err err;

	assert(write->faults->count);
	prepare(store, write);
	err = write->steps->read(write, &reads);
	if (!err)
		err = store_read(store, reads.list, reads.count);
	if (!err)
		err = write->steps->decide(write, &none);
	assert(none.count == 0);
	return err;
}

/* Waits for writes and takes up to BATCH_MAX; 0 when the writer is to stop and none is left. */
static size_t take_waiting(struct writer *writer, struct store_write **writes, bool *broken_out)
{
	size_t count = 0;

	pthread_mutex_lock(&writer->lock);
	while (!writer->first && !writer->stopping)
		pthread_cond_wait(&writer->wake, &writer->lock);
	while (writer->first && count < BATCH_MAX) {
		writes[count++] = writer->first;
		writer->first = writer->first->next;
	}
	if (!writer->first)
		writer->last = &writer->first;
	writer->waiting -= count;
	*broken_out = writer->broken;
	pthread_mutex_unlock(&writer->lock);
	return count;
}

static void *write_loop(void *context)
{
	struct writer *writer = context;
	const struct store_config *config = &writer->store->config;
	struct store_write *writes[BATCH_MAX];
	size_t count;
	bool broken;

	while ((count = take_waiting(writer, writes, &broken)) > 0) {
		enum err err = ERR_UNKNOWN_STATE;

		if (broken)
			for (size_t i = 0; i < count; i++)
				writes[i]->err = ERR_UNKNOWN_STATE;
		else
			err = commit_writes(writer->store, writes, count);
		if (err == ERR_UNKNOWN_STATE && !broken) {
			pthread_mutex_lock(&writer->lock);
			writer->broken = true;
			pthread_mutex_unlock(&writer->lock);
			if (config->on_fatal)
				config->on_fatal(config->fatal_context);
		}
		for (size_t i = 0; i < count; i++)
			writes[i]->done(writes[i]->context);
	}
	return NULL;
}

enum err store_submit(struct store *store, struct store_write *write)
{
	struct writer *writer = store->writer;
	enum err err = OK;

	prepare(store, write);
	pthread_mutex_lock(&writer->lock);
	if (writer->stopping) {
		err = ERR_STOPPED;
	} else if (writer->waiting >= store->config.queue_limit) {
		err = ERR_BUSY;
	} else {
		*writer->last = write;
		writer->last = &write->next;
		if (writer->waiting++ == 0)
			pthread_cond_signal(&writer->wake);
	}
	pthread_mutex_unlock(&writer->lock);
	return err;
}

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
};

static void stop_waiting(void *context)
{
	struct waiting *waiting = context;

	pthread_mutex_lock(&waiting->lock);
	waiting->done = true;
	pthread_cond_signal(&waiting->wake);
	pthread_mutex_unlock(&waiting->lock);
}

enum err store_write(struct store *store, struct store_write *write)
{
	struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
	enum err err;

	write->done = stop_waiting;
	write->context = &waiting;
	err = store_submit(store, write);
	if (err)
		return err;
	pthread_mutex_lock(&waiting.lock);
	while (!waiting.done)
		pthread_cond_wait(&waiting.wake, &waiting.lock);
	pthread_mutex_unlock(&waiting.lock);
	return write->err;
}

enum err writer_new(struct store *store, struct writer **writer_out)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return ERR_NOMEM;
	writer->store = store;
	writer->last = &writer->first;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->wake, NULL);
	if (pthread_create(&writer->thread, NULL, write_loop, writer)) {
		pthread_cond_destroy(&writer->wake);
		pthread_mutex_destroy(&writer->lock);
		free(writer);
		return ERR_NOMEM;
	}
	*writer_out = writer;
	return OK;
}

void writer_stop(struct writer *writer)
{
	bool stopped;

	pthread_mutex_lock(&writer->lock);
	stopped = writer->stopping;
	writer->stopping = true;
	pthread_cond_signal(&writer->wake);
	pthread_mutex_unlock(&writer->lock);
	if (!stopped)
		pthread_join(writer->thread, NULL);
}

void writer_free(struct writer *writer)
{
	if (!writer)
		return;
	writer_stop(writer);
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->lock);
	free(writer);
}
