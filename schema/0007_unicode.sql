-- Texts are searched, sorted and compared by their folds, which follow a version of Unicode. What
-- this migration leaves empty is filled in by place/folds.c, which runs after every migration.

-- What is known of the database as a whole. `unicode` is the version that the folds are by; empty:
-- they are to be made.
CREATE TABLE property (
	name {text} NOT NULL PRIMARY KEY,
	value {text} NOT NULL
) {table};
INSERT INTO property (name, value) VALUES ('unicode', '');

-- What a user name is compared by, and what names that look alike have in common. Names of one
-- account that had the same key before there was one keep their spelling as `username_exact`, and
-- sign in by it alone; else it is empty.
ALTER TABLE staff ADD COLUMN username_key {text} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN username_exact {text} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN username_skeleton {text} NOT NULL DEFAULT '';
UPDATE staff SET username_exact = username;
CREATE UNIQUE INDEX staff_by_key ON staff (account_id, username_key, username_exact);
CREATE INDEX staff_by_skeleton ON staff (account_id, username_skeleton);
