-- The chain of the history covers a salted digest of each value in place of the value. So a value can be
-- removed one day, together with its salt, and the chain still verifies. After this migration
-- records/history_renew.c gives each entry a salt and a new hash.

-- Random bytes. Without them nobody can find a removed value by trying which one has the digest. Null: the entry
-- has no value.
ALTER TABLE history ADD COLUMN salt {bytes} CHECK (length(salt) = 16);
-- The digest of a value that was removed. Null: the value is there, or the change deleted the record.
ALTER TABLE history ADD COLUMN digest {bytes} CHECK (length(digest) = 32);
