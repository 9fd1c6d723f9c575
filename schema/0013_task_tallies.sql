-- Tallies: how many tasks of each block of 4096 ids have a value. Lists take counts and the places of pages from
-- them. records/task_tally.c changes them with the tasks.
--   block   id / 4096
--   field   as in model/tally.h: 0 status, 1 calendar_id, 2 whether the task has an alert_at
--   value   the status; the id of the calendar; 0 or 1
-- The block comes before the field, so that a create changes rows of one page.
--
-- This table is small, so it has no partitions.
CREATE TABLE task_tally (
	account_id {int} NOT NULL REFERENCES account (id),
	block {int} NOT NULL,
	field {int} NOT NULL,
	value {int} NOT NULL,
	tasks {int} NOT NULL,
	PRIMARY KEY (account_id, block, field, value)
) {narrow};
INSERT INTO task_tally (account_id, block, field, value, tasks)
	SELECT account_id, id / 4096, 0, status, count(*) FROM task GROUP BY 1, 2, 4
	UNION ALL SELECT account_id, id / 4096, 1, calendar_id, count(*) FROM task GROUP BY 1, 2, 4
	UNION ALL SELECT account_id, id / 4096, 2, CASE WHEN alert_at IS NULL THEN 0 ELSE 1 END, count(*)
		FROM task GROUP BY 1, 2, 4;
