-- Columns and indexes for lists. Every index begins with the account and has the id after its own
-- column, so that a query reads the rows of one value in the order of ids. Most indexes have the status and
-- the due date as well, so that a query that filters or sorts by these does not read the task's row.
-- The marker text_index makes the index of the trigrams of titles, which differs between the databases.

ALTER TABLE task ADD COLUMN unassigned {int} NOT NULL DEFAULT 1
	CHECK (unassigned BETWEEN 0 AND 1);
UPDATE task SET unassigned = 0 WHERE EXISTS (SELECT 1 FROM task_user u
	WHERE u.account_id = task.account_id AND u.task_id = task.id);

-- Copies of the task's columns, for "my open tasks by due date".
ALTER TABLE task_user ADD COLUMN status {int} NOT NULL DEFAULT 0;
ALTER TABLE task_user ADD COLUMN due_on {int} NOT NULL DEFAULT 0;
UPDATE task_user SET
	status = (SELECT t.status FROM task t
		WHERE t.account_id = task_user.account_id AND t.id = task_user.task_id),
	due_on = (SELECT t.due_on FROM task t
		WHERE t.account_id = task_user.account_id AND t.id = task_user.task_id);

CREATE INDEX task_by_case ON task (account_id, casefile_id, id, status, due_on);
CREATE INDEX task_by_calendar ON task (account_id, calendar_id, id, status, due_on);
CREATE INDEX task_by_subject ON task (account_id, subject_id, id, status, due_on);
CREATE INDEX task_by_status ON task (account_id, status, id, due_on);
CREATE INDEX task_by_status_due ON task (account_id, status, due_on, id);
CREATE INDEX task_by_due ON task (account_id, due_on, id, status);
CREATE INDEX task_by_title ON task (account_id, title_folded, id);
CREATE INDEX task_by_created ON task (account_id, created_at, id, status, due_on);
CREATE INDEX task_by_updated ON task (account_id, updated_at, id, status, due_on);
CREATE INDEX task_by_alert ON task (account_id, alert_at, id, status, due_on);
CREATE INDEX task_by_complete ON task (account_id, complete_at, id, status, due_on);
-- A partial index costs nothing for a task that is not in it.
CREATE INDEX task_by_alert_sent ON task (account_id, alert_sent_at, id, status, due_on)
	WHERE alert_sent_at IS NOT NULL;
CREATE INDEX task_unassigned ON task (account_id, unassigned, id, status, due_on)
	WHERE unassigned = 1;
CREATE INDEX task_user_by_staff ON task_user (account_id, staff_id, task_id, status, due_on);

{text_index}

-- Random bytes that no client knows. docket signs cursors with them, to detect forged ones.
CREATE TABLE secret (
	name {text} NOT NULL PRIMARY KEY,
	value {bytes} NOT NULL CHECK (length(value) = 32)
) {table};
INSERT INTO secret (name, value) VALUES ('cursor', {random});
