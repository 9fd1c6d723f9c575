/* SPDX-License-Identifier: MIT */
/* Records the outcome of a lease: in the row, and for the first message of an alert time in the
 * task. */
#include "alerts/alerts.h"
#include "alerts_private.h"
#include "base/timefmt.h"
#include "records/record_change.h"
#include "sql/values.h"

#define RETRY_S 60
#define UNCERTAIN_MOST 3 /* attempts: so many copies may arrive */

static struct alert_record *record_of(struct store_write *write)
{
	return (struct alert_record *)(void *)write;
}

static enum err recorded_row(void *context, const struct db_value *values, size_t count)
{
	struct alert_record *record = context;

	(void)count;
	record->found = true;
	return alert_from_row(values, record->write.arena, &record->row);
}

static enum err recorded_task_row(void *context, const struct db_value *values, size_t count)
{
	struct alert_record *record = context;
	struct arena *arena = record->write.arena;
	enum err err = record_from_row(&task_type, values, count, arena, record->before);

	record->task_found = true;
	return err ? err : record_keep(&task_type, record->before, arena);
}

static enum err alert_record_read(struct store_write *write, struct calls *calls)
{
	struct alert_record *record = record_of(write);
	const struct alert_key *key = &record->lease.key;
	const char *sql =
		arena_printf(write->arena, "SELECT " ALERT_COLUMNS " FROM alert" ALERT_IS "%s",
			     sql_dialect(write->store->driver)->lock_row);
	enum err err = sql ? ledger_ask_now(write->store, &record->now, calls) : ERR_NOMEM;

	record->recorded = record->found = record->task_found = false;
	record->before = arena_alloc(write->arena, sizeof(*record->before));
	record->task = arena_alloc(write->arena, sizeof(*record->task));
	if (!record->before || !record->task)
		err = ERR_NOMEM;
	if (!err)
		err = calls_ask(calls, sql, recorded_row, record, DB_INT_VALUE(key->account_id),
				DB_INT_VALUE(key->task_id), DB_INT_VALUE(key->staff_id),
				DB_INT_VALUE(key->alert_at));
	return err || record->outcome != ALERT_ACCEPTED
		       ? err
		       : calls_ask(calls, write->store->sql.records[RECORD_TASK].select,
				   recorded_task_row, record, DB_INT_VALUE(key->account_id),
				   DB_INT_VALUE(key->task_id));
}

/* The server's answer as one line of printable ASCII. NULL: out of memory. */
static const char *answer_line(struct arena *arena, struct slice answer)
{
	size_t len = answer.len < ALERT_ANSWER_BYTES ? answer.len : ALERT_ANSWER_BYTES;
	char *line = arena_copy(arena, (struct slice){answer.ptr ? answer.ptr : "", len});

	for (size_t i = 0; line && i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	return line;
}

static void row_end(struct alert_row *row, enum alert_state state, enum alert_reason reason,
		    int64_t now)
{
	row->state = state;
	row->reason = reason;
	row->due_at = TIME_NONE;
	row->ended_at = now;
}

static void row_wait(struct alert_row *row, enum alert_reason reason, int64_t due_at)
{
	row->state = ALERT_WAITING;
	row->reason = reason;
	row->due_at = due_at;
}

static void row_retry(struct alert_row *row, int64_t now)
{
	int64_t wait =
		row->attempts < 7 ? (int64_t)RETRY_S << (row->attempts - 1) : ALERT_RETRY_MOST_S;

	if (wait > ALERT_RETRY_MOST_S)
		wait = ALERT_RETRY_MOST_S;
	if (now + wait >= row->key.alert_at + ALERT_GIVEN_UP_S)
		row_end(row, ALERT_FAILED, ALERT_GIVEN_UP, now);
	else
		row_wait(row, ALERT_RETRY, now + wait);
}

static void row_set_outcome(const struct alert_record *record, struct alert_row *row)
{
	switch (record->outcome) {
	case ALERT_ACCEPTED:
		row_end(row, ALERT_SENT, ALERT_NO_REASON, record->now);
		break;
	case ALERT_TRY_AGAIN:
		row_retry(row, record->now);
		break;
	case ALERT_UNCERTAIN:
		if (++row->uncertain < UNCERTAIN_MOST)
			row_retry(row, record->now);
		else
			row_end(row, ALERT_FAILED, ALERT_PERHAPS_SENT, record->now);
		break;
	case ALERT_REFUSED_FOR_GOOD:
		row_end(row, ALERT_FAILED, ALERT_REFUSED, record->now);
		break;
	case ALERT_NOT_SENT:
		row_end(row, ALERT_SKIPPED, record->reason, record->now);
		break;
	case ALERT_GIVEN_BACK:
		row->attempts--;
		row_wait(row, record->reason, record->now + record->wait_s);
		break;
	}
}

/* Sets the task's alert_sent_at, if this is the first message of its alert time. */
static enum err task_set_sent(struct alert_record *record, struct calls *calls)
{
	const struct task *before = record->before;

	if (!record->task_found || before->alert_at != record->lease.key.alert_at ||
	    before->alert_sent_at != TIME_NONE)
		return OK;
	*record->task = *before;
	record->task->alert_sent_at = record->now;
	return record_update(&record->write, RECORD_TASK, record->task, before, calls);
}

static enum err alert_record_decide(struct store_write *write, struct calls *calls)
{
	struct alert_record *record = record_of(write);
	struct alert_row *row = &record->row;
	bool accepted = record->outcome == ALERT_ACCEPTED;
	const char *answer;
	enum err err;

	if (!record->found || row->state == ALERT_SENT ||
	    (!accepted && (row->state != ALERT_LEASED || row->attempts != record->lease.attempt)))
		return OK;
	/* The clock may have been set back. */
	if (record->now < row->key.alert_at)
		record->now = row->key.alert_at;
	row_set_outcome(record, row);
	if (record->answer.len) {
		answer = answer_line(write->arena, record->answer);
		if (!answer)
			return ERR_NOMEM;
		row->answer = slice_of(answer);
	}
	record->recorded = true;
	write_note_due(write, row->due_at);
	err = alert_write_row(row, calls);
	return err || !accepted ? err : task_set_sent(record, calls);
}

void alert_record_init(struct alert_record *record, const struct alert_lease *lease)
{
	static const struct write_steps steps = {.read = alert_record_read,
						 .decide = alert_record_decide};

	*record = (struct alert_record){
		.write = {.job = {.group = GROUP_RECORDS + RECORD_TASK},
			  .scope = {.account_id = lease->key.account_id},
			  .steps = &steps},
		.lease = *lease,
	};
}
