/* SPDX-License-Identifier: MIT */
/* Runs the two steps of many writes in one transaction. The rows of all their accounts are locked
 * first, in the order of the accounts' numbers, so that no two processes wait for each other. Then
 * come rounds: step one of all that can go together is sent at once, and their step two with step
 * one of the next round; what the last round has written goes out with the commit.
 *
 * Of one account a round has either writes that only add what no other of them looks at, or one
 * write. */
#include <assert.h>

#include "base/log.h"
#include "batch.h"
#include "idempotency.h"
#include "steps.h"

#define FIRST_ID 3 /* what a row of an account has before its last ids */

/* An account of the batch, and its writes that no round has taken yet, in their order. */
struct queue {
	struct account_state row;
	struct batch *batch;
	struct write_queue writes;
};

struct batch {
	struct store *store;
	struct db *db;
	struct arena arena;
	struct queue *queues; /* by account */
	size_t queue_count;
	struct store_write **round;
	size_t round_count;
	struct calls calls; /* not sent yet */
	struct commit_mark mark;
};

static enum err row_found(void *context, const struct db_value *values, size_t count)
{
	struct queue *queue = context;
	struct account_state *row = &queue->row;
	const char *zone = arena_copy(&queue->batch->arena, values[count - 1].bytes);

	assert(count == FIRST_ID + RECORD_KINDS + 1);
	if (!zone)
		return ERR_NOMEM;
	row->found = true;
	row->time_zone = slice_of(zone);
	row->last_change = values[0].integer;
	if (values[1].bytes.len == DIGEST_BYTES)
		memcpy(row->head, values[1].bytes.ptr, DIGEST_BYTES);
	/* The clock is asked now, when the row is locked: what was committed before is no later. */
	row->last_at = clock_not_before(queue->batch->store->config.clock, values[2].integer);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		row->last_id[i] = values[FIRST_ID + i].integer;
	return OK;
}

/* Writes without an account are in the order of one that has no number. */
static int64_t account_of(const struct store_write *write)
{
	return write->steps->makes_account ? ID_NONE : write->scope.account_id;
}

static int account_by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static struct queue *queue_of(struct batch *batch, int64_t account_id)
{
	return bsearch(&account_id, batch->queues, batch->queue_count, sizeof(*batch->queues),
		       account_by_number);
}

static enum err sort_by_account(struct batch *batch, struct store_write **writes, size_t count)
{
	int64_t *ids = arena_alloc(&batch->arena, count * sizeof(*ids));
	size_t kept = 0;

	batch->queues = arena_alloc(&batch->arena, count * sizeof(*batch->queues));
	batch->round = arena_alloc(&batch->arena, count * sizeof(struct store_write *));
	if (!ids || !batch->queues || !batch->round)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		ids[i] = account_of(writes[i]);
	qsort(ids, count, sizeof(*ids), account_by_number);
	for (size_t i = 0; i < count; i++) {
		struct queue *queue = &batch->queues[kept];

		if (i && ids[i] == ids[i - 1])
			continue;
		queue->row.id = ids[i];
		queue->batch = batch;
		TAILQ_INIT(&queue->writes);
		kept++;
	}
	batch->queue_count = kept;
	for (size_t i = 0; i < count; i++) {
		struct queue *queue = queue_of(batch, account_of(writes[i]));

		write_start_afresh(writes[i]);
		writes[i]->now = clock_now(batch->store->config.clock);
		writes[i]->account = &queue->row;
		TAILQ_INSERT_TAIL(&queue->writes, writes[i], queued);
	}
	return OK;
}

static enum err lock_accounts(struct batch *batch)
{
	enum err err = OK;

	for (size_t i = 0; i < batch->queue_count && !err; i++) {
		struct queue *queue = &batch->queues[i];

		if (queue->row.id != ID_NONE)
			err = calls_ask(&batch->calls, batch->store->sql.read_account, row_found,
					queue, DB_INT_VALUE(queue->row.id));
	}
	return err;
}

static void take_round(struct batch *batch)
{
	batch->round_count = 0;
	for (size_t i = 0; i < batch->queue_count; i++) {
		struct queue *queue = &batch->queues[i];
		struct store_write *write;
		bool more = true;

		for (size_t taken = 0; (write = TAILQ_FIRST(&queue->writes)) && more; taken++) {
			if (taken && !write->steps->only_adds)
				break;
			more = write->steps->only_adds;
			TAILQ_REMOVE(&queue->writes, write, queued);
			batch->round[batch->round_count++] = write;
		}
	}
}

static enum err batch_flush(struct batch *batch)
{
	enum err err = batch->store->driver->run(batch->db, batch->calls.list, batch->calls.count);

	batch->calls.count = 0;
	return err;
}

static enum err update_account(struct batch *batch, const struct account_state *row)
{
	struct db_value args[1 + FIRST_ID + RECORD_KINDS];
	const char *head = arena_copy(&batch->arena,
				      (struct slice){(const char *)row->head, sizeof(row->head)});

	if (!head)
		return ERR_NOMEM;
	args[0] = DB_INT_VALUE(row->id);
	args[1] = DB_INT_VALUE(row->last_change);
	args[2] = DB_BYTES_VALUE(((struct slice){head, sizeof(row->head)}));
	args[3] = DB_INT_VALUE(row->last_at);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		args[1 + FIRST_ID + i] = DB_INT_VALUE(row->last_id[i]);
	return calls_add_copy(&batch->calls, batch->store->sql.update_account, args, COUNT_OF(args),
			      NULL, NULL);
}

static enum err batch_decide(struct batch *batch, struct store_write *write)
{
	struct account_state *row = write->account;
	struct account_state made = {.found = true,
				     .last_at = clock_now(batch->store->config.clock)};
	enum err err;

	if (write->steps->makes_account) {
		write->account = row = &made;
	} else if (!row->found) {
		write->err = ERR_NOT_FOUND;
		return OK;
	}
	if (idempotency_answers(write))
		return OK;
	err = write->steps->decide(write, &batch->calls);
	if (!err && write->key && !write->faults->count)
		err = idempotency_add(write, &batch->calls);
	batch->mark.request_id = write->request_id;
	if (!err && row->changed) {
		batch->mark.account_id = row->id;
		batch->mark.change = row->last_change;
		memcpy(batch->mark.head, row->head, sizeof(row->head));
	}
	if (!err && row == &made && row->changed) {
		row->id = write->scope.account_id;
		err = update_account(batch, row);
	}
	return err;
}

/* Of an account that is missing nothing is read. */
static enum err batch_read_more(struct batch *batch, struct store_write *write)
{
	bool needless = !write->steps->makes_account && !write->account->found;

	return needless ? OK : write_read_more(write, &batch->calls);
}

static enum err run_rounds(struct batch *batch)
{
	enum err err = lock_accounts(batch);

	for (take_round(batch); batch->round_count && !err; take_round(batch)) {
		for (size_t i = 0; i < batch->round_count && !err; i++)
			err = write_read_first(batch->round[i], &batch->calls);
		if (!err)
			err = batch_flush(batch);
		for (size_t i = 0; i < batch->round_count && !err; i++)
			err = batch_read_more(batch, batch->round[i]);
		if (!err)
			err = batch_flush(batch);
		for (size_t i = 0; i < batch->round_count && !err; i++)
			err = batch_decide(batch, batch->round[i]);
	}
	for (size_t i = 0; i < batch->queue_count && !err; i++)
		if (batch->queues[i].row.changed)
			err = update_account(batch, &batch->queues[i].row);
	return err;
}

/* A lost connection is told of by whoever opens the next one. */
static void batch_tell(const struct batch *batch, size_t count, enum err err)
{
	if (err != ERR_UNREACHABLE && err != ERR_COMMIT_UNKNOWN)
		log_line("%zu write%s failed: %s: %s", count, count == 1 ? "" : "s", err_text(err),
			 batch->store->driver->message(batch->db));
}

enum err batch_run(struct store *store, struct db *db, struct store_write **writes, size_t count,
		   enum err known, struct commit_mark *mark_out)
{
	const struct db_driver *driver = store->driver;
	struct batch batch = {.store = store, .db = db};
	enum err err;

	batch.calls.arena = &batch.arena;
	driver->set_budget(db, store->config.write_budget_ms);
	err = sort_by_account(&batch, writes, count);
	if (!err)
		err = driver->begin(db);
	if (!err)
		err = run_rounds(&batch);
	if (!err)
		err = driver->commit(db, batch.calls.list, batch.calls.count);
	if (err && err != known)
		batch_tell(&batch, count, err);
	if (err)
		driver->rollback(db);
	*mark_out = batch.mark;
	arena_release(&batch.arena);
	return err;
}

/* Another process may have made a change of that number for a request of the same id: clients
 * choose them. The hash is of the whole change and of all before it. */
static enum err same_change(void *context, const struct db_value *values, size_t count)
{
	struct commit_mark *mark = context;

	(void)count;
	if (slice_eq(values[0].bytes, (struct slice){(const char *)mark->head, DIGEST_BYTES}))
		mark->found = true;
	return OK;
}

enum err batch_resolve(struct store *store, struct db *db, struct commit_mark *mark)
{
	const struct db_driver *driver = store->driver;
	const struct db_value args[] = {DB_INT_VALUE(mark->account_id), DB_INT_VALUE(mark->change)};
	const struct db_call calls[] = {
		{.sql = store->sql.read_account, .args = args, .arg_count = 1},
		{.sql = "SELECT hash FROM history WHERE account_id = $1 AND change = $2",
		 .args = args,
		 .arg_count = 2,
		 .on_row = same_change,
		 .context = mark},
	};
	enum err err;

	mark->found = false;
	driver->set_budget(db, store->config.write_budget_ms);
	err = driver->begin(db);
	if (!err)
		err = driver->commit(db, calls, 2);
	if (err)
		driver->rollback(db);
	return err;
}
