/* SPDX-License-Identifier: MIT */
/* The writers: each takes all writes that wait for it, has them run in one transaction (batch.c),
 * and tells them once it is durable (group commit). A batch that fails is rolled back and its
 * writes are run one by one, so that a write only ever answers for itself. SQLite has one writer.
 */
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/waiting.h"
#include "batch.h"
#include "idempotency.h"
#include "queue.h"
#include "store/writers.h"

#define RESOLVE_MS 5000 /* to find out what became of a commit whose answer was lost */
#define BATCH_MAX 256

struct writer {
	struct store *store;
	struct db **db; /* NULL in it: there is no connection at this moment */
	struct db *own_db;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* Under the lock. */
	struct write_queue writes;
	size_t waiting;
	bool stopping;
	bool broken; /* the storage's state is unknown: nothing is written any more */
};

static void write_prepare(struct store *store, struct store_write *write)
{
	write->store = store;
	write->err = OK;
	write->faults_before = write->faults->count;
	write->faults_last = write->faults->last;
}

static void connection_drop(struct store *store, struct db **db)
{
	store->driver->close(*db);
	*db = NULL;
}

/* Whether a commit whose answer was lost has been done: by the hash of its last change. The
 * account's lock is waited for, which the lost connection may still have; and this commit waits for
 * a standby as the first should have. */
static enum err commit_resolve(struct store *store, struct db **db, struct commit_mark *mark)
{
	int64_t until = monotonic_ms() + RESOLVE_MS;
	enum err err = ERR_COMMIT_UNKNOWN;

	while (mark->account_id != ID_NONE && monotonic_ms() < until) {
		err = *db ? OK : store->connect(store, DB_WRITE, db);
		if (!err)
			err = batch_resolve(store, *db, mark);
		if (!err)
			return mark->found ? OK : ERR_UNREACHABLE;
		if (*db)
			connection_drop(store, db);
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	log_line("it is not known whether writes were stored: request %.*s is the last of them",
		 (int)mark->request_id.len, mark->request_id.ptr ? mark->request_id.ptr : "");
	return ERR_COMMIT_UNKNOWN;
}

/* In one transaction. A connection that was lost before the commit, as an idle one by a restart of
 * the database, is made anew once. */
static enum err writes_attempt(struct store *store, struct db **db, struct store_write **writes,
			       size_t count, enum err known)
{
	struct commit_mark mark = {0};
	enum err err = ERR_UNREACHABLE;

	for (int i = 0; i < 2 && err == ERR_UNREACHABLE; i++) {
		err = *db ? OK : store->connect(store, DB_WRITE, db);
		if (err)
			return err;
		err = batch_run(store, *db, writes, count, known, &mark);
		if (err == ERR_UNREACHABLE || err == ERR_COMMIT_UNKNOWN)
			connection_drop(store, db);
	}
	return err == ERR_COMMIT_UNKNOWN ? commit_resolve(store, db, &mark) : err;
}

static void writes_tell_all(struct store_write **writes, size_t count, enum err err)
{
	for (size_t i = 0; i < count; i++)
		writes[i]->err = err;
}

/* Moves the writes of the first one's account to the front; how many they are. */
static size_t gather_first(struct store_write **writes, size_t count)
{
	int64_t account_id = writes[0]->scope.account_id;
	size_t gathered = 0;

	for (size_t i = 0; i < count; i++) {
		struct store_write *write = writes[i];

		if (write->scope.account_id != account_id)
			continue;
		memmove(&writes[gathered + 1], &writes[gathered],
			(i - gathered) * sizeof(struct store_write *));
		writes[gathered++] = write;
	}
	return gathered;
}

/* Whether writes that failed together are run once more, one by one: not where somebody holds the
 * account's lock, or the database is away. Also a single one that broke a rule of the schema: what
 * it read may have changed since, and what it reads now tells the client which field is at fault.
 */
static bool deserves_another(enum err err, size_t count)
{
	return err == ERR_CONSTRAINT ||
	       (count > 1 && err && err != ERR_UNKNOWN_STATE && err != ERR_UNREACHABLE &&
		err != ERR_COMMIT_UNKNOWN && err != ERR_BUSY && err != ERR_TIMEOUT);
}

/* Runs the writes of one account together, and one by one where that fails. ERR_UNKNOWN_STATE where
 * nothing may be written any more. A broken rule is told only when it is broken again. */
static enum err commit_account(struct store *store, struct db **db, struct store_write **writes,
			       size_t count, enum err known)
{
	enum err err = writes_attempt(store, db, writes, count, known ? known : ERR_CONSTRAINT);
	enum err told = err == ERR_CONSTRAINT ? OK : err;
	bool again = deserves_another(err, count);

	if (err && !again)
		writes_tell_all(writes, count, err);
	for (size_t i = 0; again && i < count; i++) {
		enum err one = err == ERR_UNKNOWN_STATE
				       ? err
				       : writes_attempt(store, db, &writes[i], 1, told);

		if (one)
			writes[i]->err = one;
		if (one == ERR_UNKNOWN_STATE)
			err = one;
	}
	return err;
}

/* All together, and account by account where that fails. */
static enum err commit_writes(struct store *store, struct db **db, struct store_write **writes,
			      size_t count)
{
	int64_t until = monotonic_ms() + 2 * (int64_t)store->config.write_budget_ms;
	size_t first = gather_first(writes, count), gathered;
	enum err err;

	if (first == count)
		return commit_account(store, db, writes, count, OK);
	err = writes_attempt(store, db, writes, count, ERR_CONSTRAINT);
	if (err == ERR_UNKNOWN_STATE || err == ERR_UNREACHABLE || err == ERR_COMMIT_UNKNOWN)
		writes_tell_all(writes, count, err);
	else if (err)
		for (size_t i = 0; i < count; i += gathered) {
			gathered = gather_first(&writes[i], count - i);
			if (err == ERR_UNKNOWN_STATE)
				writes_tell_all(&writes[i], gathered, err);
			/* As where somebody has a table, for which each would wait anew. */
			else if (store->config.write_budget_ms && monotonic_ms() > until)
				writes_tell_all(&writes[i], gathered, ERR_TIMEOUT);
			else if (commit_account(store, db, &writes[i], gathered, err) ==
				 ERR_UNKNOWN_STATE)
				err = ERR_UNKNOWN_STATE;
		}
	return err;
}

enum err store_run(struct store *store, struct store_write **writes, size_t count)
{
	enum err err;

	for (size_t i = 0; i < count; i++)
		write_prepare(store, writes[i]);
	err = commit_writes(store, &store->write_db, writes, count);
	for (size_t i = 0; i < count && !err; i++)
		err = writes[i]->err;
	return err;
}

/* Waits for writes and takes up to BATCH_MAX; 0 when the writer is to stop and none is left. */
static size_t writer_take_waiting(struct writer *writer, struct store_write **writes,
				  bool *broken_out)
{
	struct store_write *write;
	size_t count = 0;

	pthread_mutex_lock(&writer->lock);
	while (TAILQ_EMPTY(&writer->writes) && !writer->stopping)
		pthread_cond_wait(&writer->wake, &writer->lock);
	while ((write = TAILQ_FIRST(&writer->writes)) && count < BATCH_MAX) {
		TAILQ_REMOVE(&writer->writes, write, queued);
		writes[count++] = write;
	}
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

	while ((count = writer_take_waiting(writer, writes, &broken)) > 0) {
		enum err err = ERR_UNKNOWN_STATE;

		if (broken)
			writes_tell_all(writes, count, err);
		else
			err = commit_writes(writer->store, writer->db, writes, count);
		if (err == ERR_UNKNOWN_STATE && !broken) {
			pthread_mutex_lock(&writer->lock);
			writer->broken = true;
			pthread_mutex_unlock(&writer->lock);
			if (config->on_fatal)
				config->on_fatal(config->fatal_context);
		}
		for (size_t i = 0; i < count; i++) {
			if (writes[i]->key)
				idempotency_end(&writer->store->keys, writes[i]);
			writes[i]->done(writes[i]->context);
		}
	}
	return NULL;
}

/* The writes of an account go through one writer, in their order: two would wait for each other's
 * lock. */
static struct writer *writer_of(struct store *store, const struct store_write *write)
{
	return &store->writers[(uint64_t)write->scope.account_id % store->writer_count];
}

enum err store_submit(struct store *store, struct store_write *write)
{
	struct writer *writer = writer_of(store, write);
	enum err err = OK;

	write_prepare(store, write);
	if (write->key)
		err = idempotency_begin(&store->keys, write);
	if (err)
		return err;
	pthread_mutex_lock(&writer->lock);
	if (writer->stopping) {
		err = ERR_STOPPED;
	} else if (writer->waiting >= store->config.queue_limit) {
		err = ERR_BUSY;
	} else {
		TAILQ_INSERT_TAIL(&writer->writes, write, queued);
		if (writer->waiting++ == 0)
			pthread_cond_signal(&writer->wake);
	}
	pthread_mutex_unlock(&writer->lock);
	if (err && write->key)
		idempotency_end(&store->keys, write);
	return err;
}

enum err store_write(struct store *store, struct store_write *write)
{
	struct waiting waiting;
	enum err err;

	waiting_init(&waiting);
	write->done = waiting_end;
	write->context = &waiting;
	err = store_submit(store, write);
	if (err)
		return err;
	waiting_for(&waiting);
	return write->err;
}

/* The first has the connection that the store has anyway. */
static enum err writer_start(struct store *store, struct writer *writer)
{
	writer->store = store;
	TAILQ_INIT(&writer->writes);
	writer->db = writer == store->writers ? &store->write_db : &writer->own_db;
	pthread_mutex_init(&writer->lock, NULL);
	pthread_cond_init(&writer->wake, NULL);
	if (pthread_create(&writer->thread, NULL, write_loop, writer) == 0)
		return OK;
	pthread_cond_destroy(&writer->wake);
	pthread_mutex_destroy(&writer->lock);
	return ERR_NOMEM;
}

enum err writers_start(struct store *store, unsigned count)
{
	enum err err = OK;

	store->writers = calloc(count, sizeof(*store->writers));
	if (!store->writers)
		return ERR_NOMEM;
	while (store->writer_count < count && !err) {
		err = writer_start(store, &store->writers[store->writer_count]);
		store->writer_count += !err;
	}
	return err;
}

static void writer_stop(struct writer *writer)
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

void writers_stop(struct store *store)
{
	for (size_t i = 0; i < store->writer_count; i++)
		writer_stop(&store->writers[i]);
}

void writers_free(struct store *store)
{
	writers_stop(store);
	for (size_t i = 0; i < store->writer_count; i++) {
		pthread_cond_destroy(&store->writers[i].wake);
		pthread_mutex_destroy(&store->writers[i].lock);
		store->driver->close(store->writers[i].own_db);
	}
	free(store->writers);
	store->writers = NULL;
	store->writer_count = 0;
}
