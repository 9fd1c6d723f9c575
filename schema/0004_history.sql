-- The history can be proved, and read by record; and what keys of idempotency were answered.

-- Which request made a change, as its answer and the log name it: so that it can be told, after the
-- connection to a database was lost in a commit, whether that was done. Null: a command did.
ALTER TABLE history ADD COLUMN request_id {text};
-- The digest over this entry and the hash of the one before.
ALTER TABLE history ADD COLUMN hash {bytes};
-- The hash of the account's last entry.
ALTER TABLE account ADD COLUMN history_head {bytes};
CREATE INDEX history_by_record ON history (account_id, record, record_id, change);

-- The keys that creates came with, for a day: what a key has made is not made again.
CREATE TABLE idempotency (
	account_id {int} NOT NULL REFERENCES account (id),
	route {text} NOT NULL,
	key {text} NOT NULL,
	at {int} NOT NULL,
	body_hash {bytes} NOT NULL,
	change {int} NOT NULL, -- whose record was the answer
	answer {text},         -- of many: the changes, as JSON, that have their records
	PRIMARY KEY (account_id, route, key)
) {table}{by_account};
CREATE INDEX idempotency_by_age ON idempotency (account_id, at);
