/* SPDX-License-Identifier: MIT */
/* Lets the ledger of alerts follow the tasks, in the transaction of each change. A task wants an
 * alert for each of its staff members at its alert time, unless it is complete. A row
 * that the task no longer wants is cancelled. A row that it wants again waits. A message that was
 * sent, failed or skipped is not sent again.
 *
 * Once the alert time has come, only a change of the alert time itself makes new rows: who is
 * assigned later gets no message. A row that was cancelled after its time waits again. The ledger's
 * clock says whether the time has come: on PostgreSQL the clocks of the processes may differ.
 *
 * What an operator has cancelled stays cancelled. */
#include "records/task_alerts.h"

#include "base/timefmt.h"
#include "sql/values.h"
#include "model/alert.h"
#include "store/state.h"

/* The first four arguments of most statements. */
#define KEY " WHERE account_id = $1 AND task_id = $2 AND alert_at = $3 AND staff_id = $4"
/* Waiting or leased. */
#define OPEN " AND state <= 1"
/* Cancelled, but not by an operator. */
#define DROPPED "alert.state = 5 AND alert.reason <> 11"
#define CANCEL "UPDATE alert SET state = 5, due_at = NULL, "

_Static_assert(ALERT_LEASED == 1 && ALERT_SENT == 2 && ALERT_SKIPPED == 4 && ALERT_CANCELLED == 5 &&
		       ALERT_BY_COMMAND == 11,
	       "the statements have these numbers");

static bool task_wants_alerts(const struct task *task)
{
	return task && task->alert_at != TIME_NONE && task->status != TASK_COMPLETE &&
	       task->users_list.count;
}

static bool has_same_alert_at(const struct task *before, const struct task *after)
{
	return before && after && before->alert_at == after->alert_at;
}

/* Cancels all rows of the alert time of `before`. */
static enum err alerts_cancel(struct store_write *write, const struct task *before,
			      enum alert_reason reason, struct calls *calls)
{
	return calls_ask(calls,
			 CANCEL "reason = $4, ended_at = $5 WHERE account_id = $1 AND task_id = $2"
				" AND alert_at = $3" OPEN,
			 NULL, NULL, DB_INT_VALUE(write->scope.account_id),
			 DB_INT_VALUE(before->record.id), DB_INT_VALUE(before->alert_at),
			 DB_INT_VALUE((int)reason), DB_INT_VALUE(write->account->ledger_now));
}

/* Cancels the rows of those who are not assigned any more. */
static enum err alerts_cancel_members(struct store_write *write, const struct task *before,
				      const struct task *after, struct calls *calls)
{
	const struct id_list *list = &before->users_list;
	enum err err = OK;

	for (size_t i = 0; i < list->count && !err; i++)
		if (!id_list_has(&after->users_list, list->ids[i]))
			err = calls_ask(calls, CANCEL "reason = $5, ended_at = $6" KEY OPEN, NULL,
					NULL, DB_INT_VALUE(write->scope.account_id),
					DB_INT_VALUE(before->record.id),
					DB_INT_VALUE(before->alert_at), DB_INT_VALUE(list->ids[i]),
					DB_INT_VALUE(ALERT_UNASSIGNED),
					DB_INT_VALUE(write->account->ledger_now));
	return err;
}

/* Lists `sql` for each staff member of `after` who is not in `except`. Its arguments are the key,
 * then a state, a reason, the time when the row is due, and the time when it has ended. */
static enum err alerts_add(struct store_write *write, const struct task *after,
			   const struct id_list *except, const char *sql,
			   const struct alert_row *row, struct calls *calls)
{
	const struct id_list *list = &after->users_list;
	enum err err = OK;

	for (size_t i = 0; i < list->count && !err; i++) {
		if (id_list_has(except, list->ids[i]))
			continue;
		err = calls_ask(calls, sql, NULL, NULL, DB_INT_VALUE(write->scope.account_id),
				DB_INT_VALUE(after->record.id), DB_INT_VALUE(after->alert_at),
				DB_INT_VALUE(list->ids[i]), DB_INT_VALUE((int)row->state),
				DB_INT_VALUE((int)row->reason), value_of_time(row->due_at),
				value_of_time(row->ended_at));
		write_note_due(write, row->due_at);
	}
	return err;
}

/* The row that each staff member gets. A new task may have an alert that was sent elsewhere. */
static struct alert_row alerts_new_row(const struct store_write *write, const struct task *before,
				       const struct task *task)
{
	if (!before && task->alert_sent_at != TIME_NONE)
		return (struct alert_row){
			.state = ALERT_SENT, .due_at = TIME_NONE, .ended_at = task->alert_sent_at};
	if (task->alert_at <= write->account->ledger_now - ALERT_GIVEN_UP_S)
		return (struct alert_row){.state = ALERT_SKIPPED,
					  .reason = ALERT_TOO_LATE,
					  .due_at = TIME_NONE,
					  .ended_at = write->account->ledger_now};
	return (struct alert_row){
		.state = ALERT_WAITING, .due_at = task->alert_at, .ended_at = TIME_NONE};
}

static enum err alerts_want(struct store_write *write, const struct task *before,
			    const struct task *after, struct calls *calls)
{
	static const char insert[] =
		"INSERT INTO alert (account_id, task_id, alert_at, staff_id, state, reason, due_at,"
		" ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		" ON CONFLICT (account_id, task_id, staff_id, alert_at) DO UPDATE SET"
		" state = excluded.state, reason = excluded.reason, due_at = excluded.due_at,"
		" ended_at = excluded.ended_at WHERE " DROPPED;
	static const char revive[] = "UPDATE alert SET state = $5, reason = $6, due_at = $7,"
				     " ended_at = $8" KEY " AND " DROPPED " AND ended_at >= $3";
	const struct alert_row row = alerts_new_row(write, before, after);
	bool same = has_same_alert_at(before, after);

	return alerts_add(write, after,
			  same && task_wants_alerts(before) ? &before->users_list : NULL,
			  same && after->alert_at <= write->account->ledger_now ? revive : insert,
			  &row, calls);
}

enum err task_alerts_follow(struct store_write *write, const struct task *before,
			    const struct task *after, struct calls *calls)
{
	bool wanted = task_wants_alerts(before), wants = task_wants_alerts(after);
	bool sent = !before && after->alert_sent_at != TIME_NONE;
	enum err err = OK;

	if (wanted && !after)
		err = alerts_cancel(write, before, ALERT_DELETED, calls);
	else if (wanted && !has_same_alert_at(before, after))
		err = alerts_cancel(write, before, ALERT_MOVED, calls);
	else if (wanted && after->status == TASK_COMPLETE)
		err = alerts_cancel(write, before, ALERT_COMPLETED, calls);
	else if (wanted)
		err = alerts_cancel_members(write, before, after, calls);
	if (!err && (wants || sent))
		err = alerts_want(write, before, after, calls);
	return err;
}
