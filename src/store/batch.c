/* SPDX-License-Identifier: MIT */
/* Runs the two steps of many writes in one transaction. First it locks the states of all their
 * accounts, in the order of the account ids, so that no two processes wait for each other. Then it
 * runs the writes in rounds. It sends step one of all writes of a round at once. The statements of
 * their step two go out together with step one of the next round, those of the last round with the
 * commit.
 *
 * For each account a round has either one write, or several that only add (`only_adds`). */
#include <assert.h>

#include "batch.h"
#include "cache/record_cache.h"
#include "idempotency.h"
#include "steps.h"
#include "sql/tallies.h"
#include "sql/titles.h"
#include "store/recorder.h"

#define FIRST_ID 3 /* the columns of a state before its last ids; three come after them */

/* An account of the batch, and its writes that are not in a round yet. */
struct queue {
	struct account_state row;
	struct slice place; /* of its row, for update_locked; ptr NULL: it has none */
	struct batch *batch;
	size_t next, end; /* in batch.sorted: from `next`, before `end` */
};

struct batch {
	struct store *store;
	struct db *db;
	struct arena arena;
	struct store_write **sorted; /* the writes by account, in the order in which they came */
	struct queue *queues;        /* sorted by account id */
	size_t queue_count;
	struct store_write **round;
	size_t round_count;
	struct buf changed; /* see account_state.changed_records */
	struct buf tallies; /* see account_state.tallies */
	bool waits;         /* it waits for accounts that another session has locked */
	struct calls calls; /* collected and not sent yet */
	struct commit_mark *mark;
};

static enum err batch_account_row(void *context, const struct db_value *values, size_t count)
{
	struct queue *queue = context;
	struct account_state *row = &queue->row;
	const struct db_value *rest = &values[FIRST_ID + RECORD_KINDS];
	const struct clock *clock = queue->batch->store->config.clock;
	const char *zone = arena_copy(&queue->batch->arena, rest[0].bytes);
	const char *place = arena_copy(&queue->batch->arena, rest[2].bytes);

	assert(count == FIRST_ID + RECORD_KINDS + 3);
	if (!zone || !place)
		return ERR_NOMEM;
	row->found = true;
	row->time_zone = slice_of(zone);
	if (rest[2].type != DB_NULL)
		queue->place = slice_of(place);
	row->last_change = values[0].integer;
	if (values[1].bytes.len == DIGEST_BYTES)
		memcpy(row->head, values[1].bytes.ptr, DIGEST_BYTES);
	/* Read the clock only now that the row is locked: no earlier change has a later time. */
	row->last_at = clock_not_before(clock, values[2].integer);
	row->ledger_now = rest[1].type == DB_NULL ? clock_now(clock) : rest[1].integer;
	for (size_t i = 0; i < RECORD_KINDS; i++)
		row->last_id[i] = values[FIRST_ID + i].integer;
	return OK;
}

/* Writes that make an account are sorted as if its id were ID_NONE. */
static int64_t write_account_id(const struct store_write *write)
{
	return write->steps->makes_account ? ID_NONE : write->scope.account_id;
}

static enum err batch_sort_writes(struct batch *batch, struct store_write **writes, size_t count)
{
	struct queue *queue = NULL;

	batch->sorted = arena_alloc(&batch->arena, count * sizeof(*batch->sorted));
	batch->queues = arena_alloc(&batch->arena, count * sizeof(*batch->queues));
	batch->round = arena_alloc(&batch->arena, count * sizeof(*batch->round));
	if (!batch->sorted || !batch->queues || !batch->round)
		return ERR_NOMEM;
	/* An insertion sort keeps the order. More than TAKEN_MAX writes have one account. */
	for (size_t i = 0; i < count; i++) {
		int64_t id = write_account_id(writes[i]);
		size_t at = i;

		for (; at && write_account_id(batch->sorted[at - 1]) > id; at--)
			batch->sorted[at] = batch->sorted[at - 1];
		batch->sorted[at] = writes[i];
	}
	for (size_t i = 0; i < count; i++) {
		struct store_write *write = batch->sorted[i];
		int64_t id = write_account_id(write);

		if (!queue || queue->row.id != id) {
			queue = &batch->queues[batch->queue_count++];
			*queue = (struct queue){.row = {.id = id,
							.changed_records = &batch->changed,
							.tallies = &batch->tallies},
						.batch = batch,
						.next = i};
		}
		queue->end = i + 1;
		write_start_afresh(write);
		write->account = &queue->row;
		write->job.lock = LOCK_NONE;
	}
	return OK;
}

static enum err batch_flush(struct batch *batch)
{
	enum err err = batch->store->driver->run(batch->db, batch->calls.list, batch->calls.count);

	batch->calls.count = 0;
	return err;
}

static enum err batch_ask_accounts(struct batch *batch, const char *sql, db_row_fn *on_row)
{
	enum err err = OK;

	for (size_t i = 0; i < batch->queue_count && !err; i++) {
		struct queue *queue = &batch->queues[i];

		if (queue->row.id != ID_NONE)
			err = calls_ask(&batch->calls, sql, on_row, queue,
					DB_INT_VALUE(queue->row.id));
	}
	return err;
}

/* Waits for all accounts. ERR_BUSY: it waited too long, and mark->lock says for what. */
static enum err batch_wait(struct batch *batch, enum job_lock lock, const char *sql,
			   db_row_fn *on_row)
{
	enum err err = batch_ask_accounts(batch, sql, on_row);

	batch->mark->lock = lock;
	if (!err)
		err = batch_flush(batch);
	if (!err)
		batch->mark->lock = LOCK_NONE;
	return err;
}

/* Locks the accounts. A batch that waits for the locks first waits for those by which docket
 * processes take turns, then for the accounts' states. */
static enum err batch_lock_accounts(struct batch *batch)
{
	const struct sql_statements *sql = &batch->store->sql;
	enum err err = OK;

	if (!batch->waits)
		return batch_ask_accounts(batch, sql->try_account, batch_account_row);
	if (sql->wait_for_account)
		err = batch_wait(batch, LOCK_TURN, sql->wait_for_account, NULL);
	return err ? err : batch_wait(batch, LOCK_ROW, sql->read_account, batch_account_row);
}

static void batch_take_round(struct batch *batch)
{
	batch->round_count = 0;
	for (size_t i = 0; i < batch->queue_count; i++) {
		struct queue *queue = &batch->queues[i];
		struct store_write *last = NULL, *write;

		for (; queue->next < queue->end; queue->next++, last = write) {
			write = batch->sorted[queue->next];
			if (last && !(last->steps->only_adds && write->steps->only_adds))
				break;
			batch->round[batch->round_count++] = write;
		}
	}
}

/* `place`: where the row is; ptr NULL: not known. */
static enum err batch_update_account(struct batch *batch, const struct account_state *row,
				     struct slice place)
{
	const struct sql_statements *sql = &batch->store->sql;
	const char *head = arena_copy(&batch->arena,
				      (struct slice){(const char *)row->head, sizeof(row->head)});
	struct db_value args[2 + FIRST_ID + RECORD_KINDS] = {
		DB_INT_VALUE(row->id), DB_INT_VALUE(row->last_change),
		DB_BYTES_VALUE(((struct slice){head, sizeof(row->head)})),
		DB_INT_VALUE(row->last_at)};

	if (!head)
		return ERR_NOMEM;
	recorder_note(batch->store, row->id, row->last_change);
	for (size_t i = 0; i < RECORD_KINDS; i++)
		args[1 + FIRST_ID + i] = DB_INT_VALUE(row->last_id[i]);
	args[COUNT_OF(args) - 1] = DB_TEXT_VALUE(place);
	return calls_add_copy(&batch->calls, place.ptr ? sql->update_locked : sql->update_account,
			      args, COUNT_OF(args) - !place.ptr, NULL, NULL);
}

static enum err batch_decide(struct batch *batch, struct store_write *write)
{
	struct account_state *row = write->account;
	struct account_state made = {.changed_records = &batch->changed,
				     .tallies = &batch->tallies,
				     .found = true,
				     .last_at = clock_now(batch->store->config.clock)};
	enum err err;

	if (job_is_outdated(batch->store, &write->job)) {
		write->err = ERR_UNREACHABLE;
		return OK;
	}
	if (write->steps->makes_account) {
		write->account = row = &made;
	} else if (!row->found) {
		write->err = ERR_NOT_FOUND;
		write->job.lock = batch->waits ? LOCK_NONE : LOCK_TURN;
		return OK;
	}
	if (idempotency_answers(write))
		return OK;
	err = write->steps->decide(write, &batch->calls);
	if (!err && write->key && !write->faults->count)
		err = idempotency_add(write, &batch->calls);
	batch->mark->request_id = write->request_id;
	if (!err && row->changed) {
		batch->mark->account_id = row->id;
		batch->mark->change = row->last_change;
		memcpy(batch->mark->head, row->head, sizeof(row->head));
	}
	if (!err && row == &made && row->changed) {
		row->id = write->scope.account_id;
		err = batch_update_account(batch, row, (struct slice){NULL, 0});
	}
	return err;
}

/* Nothing is read for an account that does not exist. */
static enum err batch_read_more(struct batch *batch, struct store_write *write)
{
	bool needless = !write->steps->makes_account && !write->account->found;

	return needless ? OK : write_read_more(write, &batch->calls);
}

static enum err batch_run_rounds(struct batch *batch)
{
	enum err err = batch_lock_accounts(batch);

	for (batch_take_round(batch); batch->round_count && !err; batch_take_round(batch)) {
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
			err = batch_update_account(batch, &batch->queues[i].row,
						   batch->queues[i].place);
	if (!err)
		err = tallies_change(&batch->tallies, &batch->calls);
	/* The titles of this batch are counted too. */
	if (!err && sql_dialect(batch->store->driver)->text_index)
		err = batch_flush(batch);
	return err ? err
		   : titles_run_part(batch->db, TITLES_STEP_US, &batch->store->titles_unmerged);
}

/* Whether one of the writes may change accounts, staff members or tokens. The writes of every other
 * kind of record say that they do not. */
static bool writes_may_change_access(struct store_write **writes, size_t count)
{
	const enum job_group staff = GROUP_RECORDS + (enum job_group)RECORD_STAFF;

	for (size_t i = 0; i < count; i++)
		if (!writes[i]->steps->keeps_access &&
		    (writes[i]->job.group < GROUP_RECORDS || writes[i]->job.group == staff))
			return true;
	return false;
}

/* Commits. Around the commit it tells the caches what may change. */
static enum err batch_commit(struct batch *batch, bool changes_access)
{
	struct store *store = batch->store;
	enum err err;

	if (batch->changed.failed)
		return ERR_NOMEM;
	err = recorder_mark(store, &batch->calls);
	if (err)
		return err;
	atomic_fetch_add(&store->access_changes, changes_access);
	record_cache_begin_commit(store->record_cache, (const void *)batch->changed.ptr,
				  batch->changed.len / sizeof(struct record_key));
	err = store->driver->commit(batch->db, batch->calls.list, batch->calls.count);
	record_cache_end_commit(store->record_cache);
	atomic_fetch_add(&store->access_changes, changes_access);
	if (!err)
		recorder_commit(store, batch->db);
	return err;
}

enum err batch_run(struct store *store, struct db *db, struct store_write **writes, size_t count,
		   bool waits, struct commit_mark *mark_out)
{
	const struct db_driver *driver = store->driver;
	struct batch batch = {.store = store,
			      .db = db,
			      .waits = waits || !store->sql.try_account,
			      .mark = mark_out};
	bool changes_access = writes_may_change_access(writes, count);
	enum err err;

	*mark_out = (struct commit_mark){0};
	batch.calls.arena = &batch.arena;
	if (count == 1)
		db->purpose = (struct db_purpose){write_account_id(*writes), writes[0]->request_id};
	recorder_begin(store, db);
	driver->set_budget(db, store->config.write_budget_ms);
	err = batch_sort_writes(&batch, writes, count);
	if (!err)
		err = driver->begin(db);
	if (!err)
		err = batch_run_rounds(&batch);
	if (!err)
		err = batch_commit(&batch, changes_access);
	if (err) {
		snprintf(mark_out->message, sizeof(mark_out->message), "%s", driver->message(db));
		driver->rollback(db);
	}
	db->purpose = (struct db_purpose){0};
	buf_release(&batch.changed);
	buf_release(&batch.tallies);
	arena_release(&batch.arena);
	return err;
}

enum err batch_run_calls(struct store *store, struct db *db, const struct db_call *calls,
			 size_t count)
{
	enum err err;

	store->driver->set_budget(db, store->config.write_budget_ms);
	err = store->driver->begin(db);
	if (!err)
		err = store->driver->commit(db, calls, count);
	if (err)
		store->driver->rollback(db);
	return err;
}

/* Another process may have made a change with this number for a request with the same id, because
 * clients choose the ids. So compare the hash, which covers this change and all before it. */
static enum err commit_mark_row(void *context, const struct db_value *values, size_t count)
{
	struct commit_mark *mark = context;

	(void)count;
	if (slice_eq(values[0].bytes, (struct slice){(const char *)mark->head, DIGEST_BYTES}))
		mark->found = true;
	return OK;
}

enum err batch_resolve(struct store *store, struct db *db, struct commit_mark *mark)
{
	const struct db_value args[] = {DB_INT_VALUE(mark->account_id), DB_INT_VALUE(mark->change)};
	const struct db_call calls[] = {
		{.sql = store->sql.read_account, .args = args, .arg_count = 1},
		{.sql = "SELECT hash FROM history WHERE account_id = $1 AND change = $2",
		 .args = args,
		 .arg_count = 2,
		 .on_row = commit_mark_row,
		 .context = mark},
	};

	mark->found = false;
	return batch_run_calls(store, db, calls, 2);
}
