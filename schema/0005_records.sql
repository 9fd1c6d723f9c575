-- All fields of the records that a task names.

ALTER TABLE task ADD COLUMN external_id {text};
ALTER TABLE casefile ADD COLUMN external_id {text};
ALTER TABLE subject ADD COLUMN external_id {text};
ALTER TABLE staff ADD COLUMN external_id {text};
ALTER TABLE calendar ADD COLUMN external_id {text};
ALTER TABLE case_service ADD COLUMN external_id {text};
CREATE UNIQUE INDEX task_by_external ON task (account_id, external_id)
	WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX casefile_by_external ON casefile (account_id, external_id)
	WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX subject_by_external ON subject (account_id, external_id)
	WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX staff_by_external ON staff (account_id, external_id)
	WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX calendar_by_external ON calendar (account_id, external_id)
	WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX case_service_by_external ON case_service (account_id, external_id)
	WHERE external_id IS NOT NULL;

ALTER TABLE casefile ADD COLUMN created_on {int} NOT NULL DEFAULT 0;
UPDATE casefile SET created_on = (created_at - (created_at % 86400 + 86400) % 86400) / 86400;
ALTER TABLE casefile ADD COLUMN due_on {int};
ALTER TABLE casefile ADD COLUMN reference_value_1 {text} NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN reference_value_2 {text} NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN reference_value_3 {text} NOT NULL DEFAULT '';
ALTER TABLE casefile ADD COLUMN notes {text} NOT NULL DEFAULT '';
CREATE INDEX casefile_by_number ON casefile (account_id, case_number, id);
CREATE INDEX casefile_by_status ON casefile (account_id, status, id);
CREATE INDEX casefile_by_created_on ON casefile (account_id, created_on, id);
CREATE INDEX casefile_by_due ON casefile (account_id, due_on, id);
CREATE INDEX casefile_by_created ON casefile (account_id, created_at, id);
CREATE INDEX casefile_by_updated ON casefile (account_id, updated_at, id);
-- The reference values, of which most cases have none.
CREATE INDEX casefile_by_reference_1 ON casefile (account_id, reference_value_1, id);
CREATE INDEX casefile_by_reference_2 ON casefile (account_id, reference_value_2, id);
CREATE INDEX casefile_by_reference_3 ON casefile (account_id, reference_value_3, id);
CREATE INDEX casefile_service_by_service ON casefile_service (account_id, case_service_id);

ALTER TABLE subject ADD COLUMN middle_name {text} NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN is_primary {int} NOT NULL DEFAULT 0;
ALTER TABLE subject ADD COLUMN notes {text} NOT NULL DEFAULT '';
-- Lists search in and sort by the folds of texts; the marker fold is the function that folds a text.
ALTER TABLE subject ADD COLUMN name_folded {text} NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN last_name_folded {text} NOT NULL DEFAULT '';
UPDATE subject SET name_folded = {fold}(trim(first_name || ' ' || last_name)),
	last_name_folded = {fold}(last_name),
	is_primary = CASE WHEN id = (SELECT min(o.id) FROM subject o
		WHERE o.account_id = subject.account_id AND o.casefile_id = subject.casefile_id)
		THEN 1 ELSE 0 END;
CREATE INDEX subject_by_case ON subject (account_id, casefile_id, id);
CREATE INDEX subject_by_name ON subject (account_id, name_folded, id);
CREATE INDEX subject_by_last_name ON subject (account_id, last_name_folded, id);
CREATE INDEX subject_by_created ON subject (account_id, created_at, id);
CREATE INDEX subject_by_updated ON subject (account_id, updated_at, id);

ALTER TABLE staff ADD COLUMN is_vendor {int} NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN time_zone {text} NOT NULL DEFAULT 'UTC';
ALTER TABLE staff ADD COLUMN first_name_folded {text} NOT NULL DEFAULT '';
ALTER TABLE staff ADD COLUMN last_name_folded {text} NOT NULL DEFAULT '';
UPDATE staff SET first_name_folded = {fold}(first_name), last_name_folded = {fold}(last_name),
	time_zone = (SELECT a.time_zone FROM account a WHERE a.id = staff.account_id);

ALTER TABLE calendar ADD COLUMN description {text} NOT NULL DEFAULT '';
ALTER TABLE calendar ADD COLUMN name_folded {text} NOT NULL DEFAULT '';
UPDATE calendar SET name_folded = {fold}(name);
ALTER TABLE case_service ADD COLUMN name_folded {text} NOT NULL DEFAULT '';
UPDATE case_service SET name_folded = {fold}(name);
