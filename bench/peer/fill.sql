-- SPDX-License-Identifier: MIT
-- The database of the peer, filled from docket's, which is attached as `docket`. It stores dates, times and
-- statuses as it answers them.
CREATE TABLE task (
	id INTEGER PRIMARY KEY,
	casefile_id INTEGER,
	calendar_id INTEGER NOT NULL,
	subject_id INTEGER,
	case_service_id INTEGER,
	status TEXT NOT NULL,
	due_on TEXT NOT NULL,
	title TEXT NOT NULL,
	body TEXT NOT NULL,
	address TEXT, -- JSON
	alert_at TEXT,
	alert_sent_at TEXT,
	complete_at TEXT,
	external_id TEXT,
	created_at TEXT NOT NULL,
	updated_at TEXT NOT NULL
);
CREATE TABLE task_user (
	task_id INTEGER NOT NULL,
	user_id INTEGER NOT NULL,
	PRIMARY KEY (task_id, user_id)
) WITHOUT ROWID;

INSERT INTO task SELECT
	id, casefile_id, calendar_id, subject_id, case_service_id,
	CASE status WHEN 0 THEN 'none' WHEN 1 THEN 'needs_action' WHEN 2 THEN 'in_progress' ELSE 'complete' END,
	strftime('%Y-%m-%d', due_on * 86400, 'unixepoch'), title, body,
	CASE WHEN address_country IS NOT NULL THEN json_object(
		'address_1', address_1, 'address_2', address_2, 'address_3', address_3, 'city', address_city,
		'state', address_state, 'zip', address_zip, 'country', address_country) END,
	strftime('%Y-%m-%dT%H:%M:%SZ', alert_at, 'unixepoch'),
	strftime('%Y-%m-%dT%H:%M:%SZ', alert_sent_at, 'unixepoch'),
	strftime('%Y-%m-%dT%H:%M:%SZ', complete_at, 'unixepoch'), external_id,
	strftime('%Y-%m-%dT%H:%M:%SZ', created_at, 'unixepoch'),
	strftime('%Y-%m-%dT%H:%M:%SZ', updated_at, 'unixepoch')
FROM docket.task ORDER BY id;
INSERT INTO task_user SELECT task_id, staff_id FROM docket.task_user ORDER BY task_id, staff_id;

CREATE INDEX task_by_status_due ON task (status, due_on);
CREATE INDEX task_by_due ON task (due_on);
CREATE INDEX task_by_case ON task (casefile_id);
CREATE INDEX task_user_by_user ON task_user (user_id);
ANALYZE main;
PRAGMA main.journal_mode = WAL;
