-- The columns of an account that every write changes, in a table of their own: the row of `account` itself
-- changes rarely. PostgreSQL keeps the old versions of a row while another session has a transaction open, such as
-- a backup. A query that looks for the row then reads all of them. Each request looks for the account, and so does
-- the check of a foreign key for each record that docket inserts.
--
-- This table is small, so it has no partitions.
CREATE TABLE account_state (
	account_id {int} NOT NULL PRIMARY KEY REFERENCES account (id),
	-- The last change number and the last id of each kind: they rise and are never used again.
	last_change {int} NOT NULL DEFAULT 0,
	last_staff_id {int} NOT NULL DEFAULT 0,
	last_calendar_id {int} NOT NULL DEFAULT 0,
	last_case_service_id {int} NOT NULL DEFAULT 0,
	last_casefile_id {int} NOT NULL DEFAULT 0,
	last_subject_id {int} NOT NULL DEFAULT 0,
	last_task_id {int} NOT NULL DEFAULT 0,
	last_at {int} NOT NULL DEFAULT 0, -- the greatest time of any change
	history_head {bytes}              -- the hash of the last entry of the history
) {table};
INSERT INTO account_state SELECT id, last_change, last_staff_id, last_calendar_id, last_case_service_id,
	last_casefile_id, last_subject_id, last_task_id, last_at, history_head FROM account;
ALTER TABLE account DROP COLUMN last_change;
ALTER TABLE account DROP COLUMN last_staff_id;
ALTER TABLE account DROP COLUMN last_calendar_id;
ALTER TABLE account DROP COLUMN last_case_service_id;
ALTER TABLE account DROP COLUMN last_casefile_id;
ALTER TABLE account DROP COLUMN last_subject_id;
ALTER TABLE account DROP COLUMN last_task_id;
ALTER TABLE account DROP COLUMN last_at;
ALTER TABLE account DROP COLUMN history_head;
