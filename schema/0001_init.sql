-- The tables of docket. One text serves both databases; markers stand for what differs:
--   {int}     a 64-bit integer
--   {text}    a text, ordered and compared by code point
--   {bytes}   a byte string
--   {table}   after a table of wide rows
--   {narrow}  after a table of small rows that queries find only by its key
--   {by_account}  after a table whose key begins with the account, so it can be partitioned by account
--
-- The account comes first in every key, so that every query names it and the tables can
-- be partitioned or distributed by it. Dates are days and timestamps are seconds since 1970-01-01
-- UTC. A choice is stored as its index in the list of choices of the field's row in src/model.
-- The rules between a task and the records that it names are foreign keys here as well, so that
-- no mistake in the program can store what the API forbids.

CREATE TABLE account (
	id {int} NOT NULL PRIMARY KEY,
	name {text} NOT NULL UNIQUE,
	country {text} NOT NULL DEFAULT 'US',
	created_at {int} NOT NULL,
	-- The last change number and the last id of each kind: they rise and are never used again.
	last_change {int} NOT NULL DEFAULT 0,
	last_staff_id {int} NOT NULL DEFAULT 0,
	last_calendar_id {int} NOT NULL DEFAULT 0,
	last_case_service_id {int} NOT NULL DEFAULT 0,
	last_casefile_id {int} NOT NULL DEFAULT 0,
	last_subject_id {int} NOT NULL DEFAULT 0,
	last_task_id {int} NOT NULL DEFAULT 0
) {table};

CREATE TABLE staff (
	account_id {int} NOT NULL REFERENCES account (id),
	id {int} NOT NULL,
	change {int} NOT NULL,
	username {text} NOT NULL,
	first_name {text} NOT NULL,
	last_name {text} NOT NULL,
	email {text} NOT NULL,
	access_level {int} NOT NULL CHECK (access_level BETWEEN 0 AND 2),
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id),
	UNIQUE (account_id, username)
) {narrow}{by_account};

-- A token belongs to the account, not to a staff member: the user name of a request says who acts.
CREATE TABLE token (
	account_id {int} NOT NULL REFERENCES account (id),
	hash {bytes} NOT NULL CHECK (length(hash) = 32),
	label {text} NOT NULL,
	created_at {int} NOT NULL,
	PRIMARY KEY (account_id, hash)
) {narrow}{by_account};

CREATE TABLE calendar (
	account_id {int} NOT NULL REFERENCES account (id),
	id {int} NOT NULL,
	change {int} NOT NULL,
	name {text} NOT NULL,
	color {text} NOT NULL,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id)
) {narrow}{by_account};

CREATE TABLE case_service (
	account_id {int} NOT NULL REFERENCES account (id),
	id {int} NOT NULL,
	change {int} NOT NULL,
	name {text} NOT NULL,
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id)
) {narrow}{by_account};

CREATE TABLE casefile (
	account_id {int} NOT NULL REFERENCES account (id),
	id {int} NOT NULL,
	change {int} NOT NULL,
	case_number {text} NOT NULL,
	status {int} NOT NULL CHECK (status BETWEEN 0 AND 1),
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id),
	UNIQUE (account_id, case_number)
) {table}{by_account};

CREATE TABLE casefile_service (
	account_id {int} NOT NULL,
	casefile_id {int} NOT NULL,
	case_service_id {int} NOT NULL,
	PRIMARY KEY (account_id, casefile_id, case_service_id),
	FOREIGN KEY (account_id, casefile_id) REFERENCES casefile (account_id, id),
	FOREIGN KEY (account_id, case_service_id) REFERENCES case_service (account_id, id)
) {narrow}{by_account};

CREATE TABLE subject (
	account_id {int} NOT NULL,
	id {int} NOT NULL,
	change {int} NOT NULL,
	casefile_id {int} NOT NULL,
	first_name {text} NOT NULL,
	last_name {text} NOT NULL,
	address_1 {text},
	address_2 {text},
	address_3 {text},
	address_city {text},
	address_state {text},
	address_zip {text},
	address_country {text},
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id),
	UNIQUE (account_id, casefile_id, id),
	FOREIGN KEY (account_id, casefile_id) REFERENCES casefile (account_id, id)
) {table}{by_account};

CREATE TABLE task (
	account_id {int} NOT NULL,
	id {int} NOT NULL,
	change {int} NOT NULL,
	casefile_id {int},
	calendar_id {int} NOT NULL,
	subject_id {int},
	case_service_id {int},
	status {int} NOT NULL CHECK (status BETWEEN 0 AND 3),
	due_on {int} NOT NULL CHECK (due_on BETWEEN -354285 AND 2932896),
	title {text} NOT NULL CHECK (title <> ''),
	title_folded {text} NOT NULL,
	body {text} NOT NULL,
	address_1 {text},
	address_2 {text},
	address_3 {text},
	address_city {text},
	address_state {text},
	address_zip {text},
	address_country {text}, -- null exactly where there is no address
	alert_at {int},
	alert_sent_at {int},
	complete_at {int},
	created_at {int} NOT NULL,
	updated_at {int} NOT NULL,
	PRIMARY KEY (account_id, id),
	FOREIGN KEY (account_id, casefile_id) REFERENCES casefile (account_id, id),
	FOREIGN KEY (account_id, calendar_id) REFERENCES calendar (account_id, id),
	FOREIGN KEY (account_id, casefile_id, subject_id)
		REFERENCES subject (account_id, casefile_id, id),
	FOREIGN KEY (account_id, casefile_id, case_service_id)
		REFERENCES casefile_service (account_id, casefile_id, case_service_id),
	CHECK (casefile_id IS NOT NULL OR (subject_id IS NULL AND case_service_id IS NULL)),
	CHECK ((complete_at IS NOT NULL) = (status = 3))
) {table}{by_account};

CREATE TABLE task_user (
	account_id {int} NOT NULL,
	task_id {int} NOT NULL,
	staff_id {int} NOT NULL,
	PRIMARY KEY (account_id, task_id, staff_id),
	FOREIGN KEY (account_id, task_id) REFERENCES task (account_id, id),
	FOREIGN KEY (account_id, staff_id) REFERENCES staff (account_id, id)
) {narrow}{by_account};

-- Who changed what, and when. Each change number has one row, written in the transaction of the change
-- and never changed afterwards.
CREATE TABLE history (
	account_id {int} NOT NULL REFERENCES account (id),
	change {int} NOT NULL,
	at {int} NOT NULL,
	staff_id {int}, -- null: docket itself
	record {text} NOT NULL,
	record_id {int} NOT NULL,
	action {text} NOT NULL CHECK (action IN ('create', 'update', 'delete')),
	value {text}, -- the record after the change, as the API writes it; null when deleted
	PRIMARY KEY (account_id, change)
) {table}{by_account};
