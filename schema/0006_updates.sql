-- The greatest time that an account has given to a record or to an entry of its history. No later
-- change gets an earlier one, whatever the clocks of its processes: whoever asks again from the
-- greatest updated_at seen misses nothing.

ALTER TABLE account ADD COLUMN last_at {int} NOT NULL DEFAULT 0;
UPDATE account SET last_at = coalesce((SELECT max(t.at) FROM (
	SELECT max(at) AS at FROM history WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM staff WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM calendar WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM case_service WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM casefile WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM subject WHERE account_id = account.id
	UNION ALL SELECT max(updated_at) FROM task WHERE account_id = account.id) t), 0);
