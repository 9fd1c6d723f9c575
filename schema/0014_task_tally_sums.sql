-- Sums of tallies: how many tasks of each block of 131072 ids have a value. So a count reads a few rows however many
-- tasks there are, and a page by number reads these and the tallies of one such block.
--   block   id / 131072
--   field, value   as in task_tally
CREATE TABLE task_tally_sum (
	account_id {int} NOT NULL REFERENCES account (id),
	block {int} NOT NULL,
	field {int} NOT NULL,
	value {int} NOT NULL,
	tasks {int} NOT NULL,
	PRIMARY KEY (account_id, block, field, value)
) {narrow};
INSERT INTO task_tally_sum (account_id, block, field, value, tasks)
	SELECT account_id, block / 32, field, value, CAST(sum(tasks) AS BIGINT) FROM task_tally GROUP BY 1, 2, 3, 4;
