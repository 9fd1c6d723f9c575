-- The greatest time of any record or history entry of an account. No later change gets an earlier
-- time, whatever the clocks of the processes say. So a client that polls from the greatest updated_at
-- that it has seen misses nothing.

ALTER TABLE account ADD COLUMN last_at {int} NOT NULL DEFAULT 0;
UPDATE account SET last_at = coalesce((SELECT max(t.at) FROM (
	SELECT max(at) AS at FROM history WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM staff WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM calendar WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM case_service WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM casefile WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM subject WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM task WHERE account_id = account.id) t), 0);
