-- The chain of the history, an index to read it by record, and the answers to idempotency keys.

-- The X-Request-Id of the request that made a change. Null: a command made it.
ALTER TABLE history ADD COLUMN request_id {text};
-- The digest over this entry and the hash of the previous one. After a connection was lost during a
-- commit, docket looks for this hash to find out whether the commit was done.
ALTER TABLE history ADD COLUMN hash {bytes};
-- The hash of the account's last entry.
ALTER TABLE account ADD COLUMN history_head {bytes};
CREATE INDEX history_by_record ON history (account_id, record, record_id, change);

-- The keys of creates of the last day. A second create with the same key stores nothing.
CREATE TABLE idempotency (
	account_id {int} NOT NULL REFERENCES account (id),
	route {text} NOT NULL,
	key {text} NOT NULL,
	at {int} NOT NULL,
	body_hash {bytes} NOT NULL,
	change {int} NOT NULL, -- the change that has the answer's record
	answer {text},         -- for an answer of many records: the changes that have them, as JSON
	PRIMARY KEY (account_id, route, key)
) {table}{by_account};
CREATE INDEX idempotency_by_age ON idempotency (account_id, at);
