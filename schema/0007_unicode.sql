-- docket searches, sorts and compares texts by their folds, which depend on a version of Unicode.
-- place/folds.c runs after every migration and fills in the columns that this one leaves empty.

-- Properties of the whole database. `unicode` is the version of Unicode of the folds. Empty: docket must
-- make the folds.
CREATE TABLE property (
	name {text} NOT NULL PRIMARY KEY,
	value {text} NOT NULL
) {table};
INSERT INTO property (name, value) VALUES ('unicode', '');

-- docket compares user names by `username_key`; names that look alike have the same `username_skeleton`.
-- Some user names of an account had the same key before docket compared keys. Each of them has its
-- spelling in `username_exact` and signs in only with that spelling; elsewhere it is empty.
ALTER TABLE staff ADD COLUMN username_key {text} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN username_exact {text} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN username_skeleton {text} NOT NULL DEFAULT '';
UPDATE staff SET username_exact = username;
CREATE UNIQUE INDEX staff_by_key ON staff (account_id, username_key, username_exact);
CREATE INDEX staff_by_skeleton ON staff (account_id, username_skeleton);
