-- Settings of an account, and what a token may do.

-- Whether a task must have a case.
ALTER TABLE account ADD COLUMN require_case {int} NOT NULL DEFAULT 1
	CHECK (require_case BETWEEN 0 AND 1);
-- The default of the parameter `expand`; "" is nothing.
ALTER TABLE account ADD COLUMN expand {text} NOT NULL DEFAULT '';
-- The minute of the day, in the account's time zone, that a bare date in alert_at means.
ALTER TABLE account ADD COLUMN alert_minute {int} NOT NULL DEFAULT 0
	CHECK (alert_minute BETWEEN 0 AND 1439);
ALTER TABLE account ADD COLUMN time_zone {text} NOT NULL DEFAULT 'UTC';

ALTER TABLE token ADD COLUMN expires_at {int}; -- null: never
ALTER TABLE token ADD COLUMN read_only {int} NOT NULL DEFAULT 0
	CHECK (read_only BETWEEN 0 AND 1);
ALTER TABLE token ADD COLUMN lenient {int} NOT NULL DEFAULT 0
	CHECK (lenient BETWEEN 0 AND 1);
-- Exact to the minute only, so that docket need not write it with every request.
ALTER TABLE token ADD COLUMN last_used_at {int};
-- The commands name a token by its label.
CREATE UNIQUE INDEX token_by_label ON token (account_id, label);

-- The last id of each kind that belongs to no account, such as accounts: it rises and is never used again.
CREATE TABLE given (
	name {text} NOT NULL PRIMARY KEY,
	last {int} NOT NULL
) {table};
INSERT INTO given (name, last) SELECT 'account', coalesce(max(id), 0) FROM account;
