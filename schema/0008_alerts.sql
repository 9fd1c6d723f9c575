-- The ledger of alerts: for each task, staff member and alert time a row. records/task_alerts.c lets the rows
-- follow the tasks, alerts/ sends the messages. Rows stay when the message was sent and when the task or the
-- staff member is deleted, so that a message is never sent again and everybody can see what became of it.
--   state, reason   as in model/alert.h: 0 waiting, 1 leased, 2 sent, 3 failed, 4 skipped, 5 cancelled
--   due_at          waiting: the next attempt; leased: the end of the lease, when another process may take it
--   ended_at        when the row got its final state
--   answer          what the mail server said last
--   uncertain       attempts after which nobody knows whether the mail server has the message
CREATE TABLE alert (
	account_id {int} NOT NULL REFERENCES account (id),
	task_id {int} NOT NULL,
	staff_id {int} NOT NULL,
	alert_at {int} NOT NULL,
	state {int} NOT NULL CHECK (state BETWEEN 0 AND 5),
	reason {int} NOT NULL DEFAULT 0,
	attempts {int} NOT NULL DEFAULT 0,
	due_at {int},
	ended_at {int},
	answer {text} NOT NULL DEFAULT '',
	uncertain {int} NOT NULL DEFAULT 0,
	PRIMARY KEY (account_id, task_id, staff_id, alert_at),
	CHECK ((due_at IS NOT NULL) = (state <= 1)),
	CHECK ((ended_at IS NOT NULL) = (state > 1))
) {narrow}{by_account};
CREATE INDEX alert_by_due ON alert (due_at) WHERE due_at IS NOT NULL;
