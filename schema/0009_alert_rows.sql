-- The rows of the ledger for the tasks that there are. This is a migration of its own, because docket makes the
-- partitions of a new table at the end of its migration.
--
-- Alerts that another program has sent before are sent. Of all others of open tasks, those that are more than a day
-- older than the last change in the database are too late, and skipped (reason 4). The rest wait.
INSERT INTO alert (account_id, task_id, staff_id, alert_at, state, reason, due_at, ended_at)
SELECT t.account_id, t.id, u.staff_id, t.alert_at,
	CASE WHEN t.alert_sent_at IS NOT NULL THEN 2 WHEN t.alert_at <= l.at - 86400 THEN 4 ELSE 0 END,
	CASE WHEN t.alert_sent_at IS NULL AND t.alert_at <= l.at - 86400 THEN 4 ELSE 0 END,
	CASE WHEN t.alert_sent_at IS NULL AND t.alert_at > l.at - 86400 THEN t.alert_at END,
	CASE WHEN t.alert_sent_at IS NOT NULL THEN t.alert_sent_at WHEN t.alert_at <= l.at - 86400 THEN l.at END
FROM (SELECT max(last_at) AS at FROM account) l CROSS JOIN task t
JOIN task_user u ON u.account_id = t.account_id AND u.task_id = t.id
WHERE t.alert_at IS NOT NULL AND (t.alert_sent_at IS NOT NULL OR t.status <> 3);
