/* SPDX-License-Identifier: MIT */
/* Lets rows of the ledger wait again, or cancels them, for an operator. */
#include "alerts/alerts.h"
#include "alerts_private.h"

_Static_assert(ALERT_FAILED == 3 && ALERT_SKIPPED == 4 && ALERT_CANCELLED == 5 &&
		       ALERT_BY_COMMAND == 11,
	       "the statements have these numbers");

/* $2 is the time before which an alert is too late, $3 the task, or ID_NONE. The task must still
 * want the message. It begins with the tasks, which have an index on alert_at: an account may have
 * very many rows that were sent long ago. */
#define RETRIED                                                                                 \
	" WHERE account_id = $1 AND (state IN (3, 4) OR (state = 5 AND reason = 11))"           \
	" AND (account_id, task_id, staff_id, alert_at) IN"                                     \
	" (SELECT t.account_id, t.id, u.staff_id, t.alert_at FROM task t"                       \
	" CROSS JOIN task_user u WHERE t.account_id = $1 AND t.alert_at > $2 AND t.status <> 3" \
	" AND (t.id = $3 OR $3 = 0) AND u.account_id = t.account_id AND u.task_id = t.id)"
#define CANCELLED " WHERE account_id = $1 AND task_id = $2 AND state <= 1"

static struct alerts_change *change_of(struct store_write *write)
{
	return (struct alerts_change *)(void *)write;
}

static enum err change_ask_now(struct store_write *write, struct calls *calls)
{
	struct alerts_change *change = change_of(write);

	change->count = 0;
	return ledger_ask_now(write->store, &change->now, calls);
}

static enum err retry_count(struct store_write *write, struct calls *calls)
{
	struct alerts_change *change = change_of(write);

	return calls_ask(calls, "SELECT count(*) FROM alert" RETRIED, db_number, &change->count,
			 DB_INT_VALUE(write->scope.account_id),
			 DB_INT_VALUE(change->now - ALERT_GIVEN_UP_S),
			 DB_INT_VALUE(change->task_id));
}

static enum err retry_decide(struct store_write *write, struct calls *calls)
{
	const struct alerts_change *change = change_of(write);

	if (!change->count)
		return OK;
	write_note_due(write, change->now);
	return calls_ask(
		calls,
		"UPDATE alert SET state = 0, reason = 0, uncertain = 0, ended_at = NULL, due_at ="
		" CASE WHEN alert_at > $4 THEN alert_at ELSE $4 END" RETRIED,
		NULL, NULL, DB_INT_VALUE(write->scope.account_id),
		DB_INT_VALUE(change->now - ALERT_GIVEN_UP_S), DB_INT_VALUE(change->task_id),
		DB_INT_VALUE(change->now));
}

static enum err cancel_count(struct store_write *write, struct calls *calls)
{
	struct alerts_change *change = change_of(write);

	return calls_ask(calls, "SELECT count(*) FROM alert" CANCELLED, db_number, &change->count,
			 DB_INT_VALUE(write->scope.account_id), DB_INT_VALUE(change->task_id));
}

static enum err cancel_decide(struct store_write *write, struct calls *calls)
{
	const struct alerts_change *change = change_of(write);

	return calls_ask(
		calls,
		"UPDATE alert SET state = 5, reason = 11, due_at = NULL, ended_at = $3" CANCELLED,
		NULL, NULL, DB_INT_VALUE(write->scope.account_id), DB_INT_VALUE(change->task_id),
		DB_INT_VALUE(change->now));
}

void alerts_retry_init(struct alerts_change *retry)
{
	static const struct write_steps steps = {
		.read = change_ask_now, .read_more = retry_count, .decide = retry_decide};

	*retry = (struct alerts_change){
		.write = {.job = {.group = GROUP_RECORDS + RECORD_TASK}, .steps = &steps}};
}

void alerts_cancel_init(struct alerts_change *cancel)
{
	static const struct write_steps steps = {
		.read = change_ask_now, .read_more = cancel_count, .decide = cancel_decide};

	*cancel = (struct alerts_change){
		.write = {.job = {.group = GROUP_RECORDS + RECORD_TASK}, .steps = &steps}};
}
