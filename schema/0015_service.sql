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
