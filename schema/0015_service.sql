-- What a service needs that an administrator trusts.

-- The scopes of a token: bits, in the order of src/model/token_scopes.c. 1 reads and 2 writes every kind of record.
ALTER TABLE token ADD COLUMN scopes {int} NOT NULL DEFAULT 2
	CHECK (scopes BETWEEN 1 AND 16383);
UPDATE token SET scopes = 1 WHERE read_only = 1;
ALTER TABLE token DROP COLUMN read_only;

-- The addresses and networks that a token works from, as a comma list; "" is every address.
ALTER TABLE token ADD COLUMN addresses {text} NOT NULL DEFAULT '';

-- Until when the notice that the token expires soon is claimed by a process; expires_at: somebody was told.
ALTER TABLE token ADD COLUMN notice_at {int};
CREATE INDEX token_by_expiry ON token (expires_at) WHERE expires_at IS NOT NULL;

-- The audit log: what administrators did by commands, by whom and when. Each entry has the hash of the entry before
-- it (docs/history.md). An entry outlives its account, so it has no foreign key.
CREATE TABLE audit (
	number {int} NOT NULL PRIMARY KEY,
	at {int} NOT NULL,
	uid {int} NOT NULL,   -- the operating system's number of the user who ran the command; -1: unknown
	username {text},      -- that user's name. Null: unknown
	sudo_username {text}, -- who ran sudo, by its environment. Null: nobody
	command {text} NOT NULL,
	account_id {int} NOT NULL, -- 0: none
	account {text},            -- its name at that time. Null: none
	details {text},            -- what was done, a JSON object. Null: removed, with the account
	salt {bytes} CHECK (length(salt) = 16),
	digest {bytes} NOT NULL CHECK (length(digest) = 32), -- of the salt and the details
	hash {bytes} NOT NULL CHECK (length(hash) = 32)
) {table};
INSERT INTO given (name, last) VALUES ('audit', 0);
