/* SPDX-License-Identifier: MIT */
/* The rules of docket check. Most have a statement that finds what breaks the rule. Rules that SQL
 * cannot express have a function.
 *
 * The CHECK constraints of the schema are among them: SQLite ignores these on a read-only
 * connection, so its integrity check does not find what breaks one. */
#include "base/text.h"
#include "check_private.h"
#include "model/alert.h"
#include "model/tally.h"
#include "records/usernames.h"

/* The last change of each record of a kind, from the history. */
#define LAST_CHANGES                                                        \
	"(SELECT account_id, record_id, max(change) AS change FROM history" \
	" WHERE record = '{record}' GROUP BY account_id, record_id)"

#define BLOCK "4096"
#define LARGE_BLOCK "131072"
_Static_assert(TALLY_BLOCK == 4096 && TALLY_LARGE_BLOCK == 131072 && TALLY_FIELDS == 3,
	       "the rule tallies has these numbers");
_Static_assert(ALERT_STATES == 6 && ALERT_REASONS == 17, "the rule alerts has these numbers");

#define OUT_OF_RANGE(column) column " NOT BETWEEN {first} AND {last}"

/* clang-format off */
const struct check_row check_rows[CHECK_RULES] = {
	[CHECK_HISTORY_GAPS] =
		{
			.name = "history-gaps",
			.says = "the changes of an account are numbered from 1 without a gap",
			.sql = "SELECT account_id, 'change', before + 1, 'missing' FROM"
			       " (SELECT account_id, change, coalesce(lag(change) OVER"
			       " (PARTITION BY account_id ORDER BY change), 0) AS before FROM history) h"
			       " WHERE change <> before + 1",
		},
	[CHECK_HISTORY_CHAIN] =
		{
			.name = "history-chain",
			.says = "no change was altered or removed since it was written",
			.run = check_history_chain,
		},
	[CHECK_LAST_CHANGE] =
		{
			.name = "last-change",
			.says = "the last change number of an account is the last of its history",
			.sql = "SELECT s.account_id, 'change', s.last_change FROM account_state s"
			       " WHERE s.last_change <>"
			       " (SELECT coalesce(max(h.change), 0) FROM history h"
			       " WHERE h.account_id = s.account_id)",
		},
	[CHECK_RECORD_CHANGES] =
		{
			.name = "record-changes",
			.says = "the change number of a record is that of its last change in the history",
			.sql = "SELECT r.account_id, '{record}', r.id FROM {table} r LEFT JOIN " LAST_CHANGES
			       " h ON h.account_id = r.account_id AND h.record_id = r.id"
			       " WHERE r.change IS DISTINCT FROM h.change",
			.each_kind = true,
		},
	[CHECK_DELETED] =
		{
			.name = "deleted",
			.says = "a record is there unless its last change in the history deleted it",
			.sql = "SELECT h.account_id, '{record}', h.record_id FROM " LAST_CHANGES
			       " l"
			       " JOIN history h ON h.account_id = l.account_id AND h.change = l.change"
			       " LEFT JOIN {table} r ON r.account_id = h.account_id AND r.id = h.record_id"
			       " WHERE (r.id IS NULL) <> (h.action = 'delete')",
			.each_kind = true,
		},
	[CHECK_LAST_IDS] =
		{
			.name = "last-ids",
			.says = "no record has an id above the last one that was given out",
			.sql = "SELECT m.account_id, '{record}', m.id FROM account_state s JOIN"
			       " (SELECT account_id, max(id) AS id FROM (SELECT account_id, id FROM {table}"
			       " UNION ALL SELECT account_id, record_id FROM history"
			       " WHERE record = '{record}') x GROUP BY account_id) m"
			       " ON m.account_id = s.account_id WHERE m.id > s.{sequence}",
			.each_kind = true,
		},
	[CHECK_LAST_TIMES] =
		{
			.name = "last-times",
			.says = "no record was changed after the last time that its account has given out",
			.sql = "SELECT r.account_id, '{record}', r.id FROM {table} r"
			       " JOIN account_state s ON s.account_id = r.account_id"
			       " WHERE r.updated_at > s.last_at",
			.each_kind = true,
		},
	[CHECK_HISTORY_TIMES] =
		{
			.name = "history-times",
			.says = "no entry of the history is later than the last time that its account has given out",
			.sql = "SELECT h.account_id, 'change', h.change FROM history h"
			       " JOIN account_state s ON s.account_id = h.account_id WHERE h.at > s.last_at",
		},
	[CHECK_HISTORY_STAFF] =
		{
			.name = "history-staff",
			.says = "every change was made by docket itself or by a present or former staff member",
			.sql = "SELECT h.account_id, 'change', h.change FROM history h"
			       " LEFT JOIN staff s ON s.account_id = h.account_id AND s.id = h.staff_id"
			       " WHERE h.staff_id IS NOT NULL AND s.id IS NULL AND NOT EXISTS"
			       " (SELECT 1 FROM history c WHERE c.account_id = h.account_id"
			       " AND c.record = 'staff' AND c.record_id = h.staff_id)",
		},
	[CHECK_ACTIONS] =
		{
			.name = "actions",
			.says = "a change creates, updates or deletes; unless it deletes, it has a value and "
				"a salt, or the digest of a removed value",
			.sql = "SELECT account_id, 'change', change FROM history"
			       " WHERE action NOT IN ('create', 'update', 'delete')"
			       " OR (action = 'delete') <> (value IS NULL AND digest IS NULL)"
			       " OR (value IS NULL) <> (salt IS NULL)"
			       " OR (value IS NOT NULL AND digest IS NOT NULL)"
			       " OR length(salt) <> 16 OR length(digest) <> 32",
		},
	[CHECK_COMPLETE] =
		{
			.name = "complete",
			.says = "a task has a time of completion if, and only if, its status is complete",
			.sql = "SELECT account_id, 'task', id FROM task"
			       " WHERE (complete_at IS NOT NULL) <> (status = 3)",
		},
	[CHECK_WITHOUT_CASE] =
		{
			.name = "without-case",
			.says = "a task without a case has no subject and no case service",
			.sql = "SELECT account_id, 'task', id FROM task WHERE casefile_id IS NULL"
			       " AND (subject_id IS NOT NULL OR case_service_id IS NOT NULL)",
		},
	[CHECK_ASSIGNMENTS] =
		{
			.name = "assignments",
			.says = "an assignment has the status and the due date of its task",
			.sql = "SELECT DISTINCT u.account_id, 'task', u.task_id FROM task_user u"
			       " JOIN task t ON t.account_id = u.account_id AND t.id = u.task_id"
			       " WHERE u.status <> t.status OR u.due_on <> t.due_on",
		},
	[CHECK_UNASSIGNED] =
		{
			.name = "unassigned",
			.says = "a task is marked as unassigned if, and only if, nobody is assigned to it",
			.sql = "SELECT t.account_id, 'task', t.id FROM task t WHERE t.unassigned <>"
			       " CASE WHEN EXISTS (SELECT 1 FROM task_user u"
			       " WHERE u.account_id = t.account_id AND u.task_id = t.id)"
			       " THEN 0 ELSE 1 END",
		},
	[CHECK_TALLIES] =
		{
			.name = "tallies",
			.says = "each tally, by which lists count, has the number of its tasks",
			.sql = "SELECT account_id, 'tally', NULL, 'ids from ' || block * " BLOCK " FROM ("
			       "SELECT account_id, block, field, value, tasks FROM task_tally"
			       " UNION ALL SELECT account_id, id / " BLOCK ", 0, status, -1 FROM task"
			       " UNION ALL SELECT account_id, id / " BLOCK ", 1, calendar_id, -1 FROM task"
			       " UNION ALL SELECT account_id, id / " BLOCK ", 2,"
			       " CASE WHEN alert_at IS NULL THEN 0 ELSE 1 END, -1 FROM task) t"
			       " GROUP BY account_id, block, field, value HAVING sum(tasks) <> 0"
			       " UNION ALL SELECT account_id, 'tally', NULL,"
			       " 'ids from ' || block * " LARGE_BLOCK " || ', sum' FROM ("
			       "SELECT account_id, block, field, value, tasks FROM task_tally_sum"
			       " UNION ALL SELECT account_id, block * " BLOCK " / " LARGE_BLOCK
			       ", field, value, -tasks FROM task_tally) s"
			       " GROUP BY account_id, block, field, value HAVING sum(tasks) <> 0",
		},
	[CHECK_ALERTS] =
		{
			.name = "alerts",
			.says = "an alert has a state, a reason, and the times that belong to its state",
			.sql = "SELECT account_id, 'task', task_id FROM alert"
			       " WHERE state NOT BETWEEN 0 AND 5"
			       " OR reason NOT BETWEEN 0 AND 16 OR attempts < 0 OR uncertain < 0"
			       " OR (due_at IS NOT NULL) <> (state <= 1)"
			       " OR (ended_at IS NOT NULL) <> (state > 1)"
			       " OR " OUT_OF_RANGE("alert_at") " OR " OUT_OF_RANGE("due_at")
			       " OR " OUT_OF_RANGE("ended_at"),
		},
	[CHECK_ALERTS_WANTED] =
		{
			.name = "alerts-wanted",
			.says = "an alert that waits belongs to an open task, at its alert time, and to a "
				"staff member assigned to it",
			.sql = "SELECT DISTINCT r.account_id, 'task', r.task_id FROM alert r"
			       " LEFT JOIN task t ON t.account_id = r.account_id AND t.id = r.task_id"
			       " LEFT JOIN task_user u ON u.account_id = r.account_id"
			       " AND u.task_id = r.task_id AND u.staff_id = r.staff_id"
			       " WHERE r.state <= 1 AND (t.id IS NULL OR t.status = 3"
			       " OR t.alert_at IS DISTINCT FROM r.alert_at OR u.task_id IS NULL)",
		},
	[CHECK_ALERTS_MISSING] =
		{
			.name = "alerts-missing",
			.says = "an open task whose alert is to come has one for each staff member assigned "
				"to it",
			.sql = "SELECT DISTINCT t.account_id, 'task', t.id FROM task t"
			       " JOIN account_state s ON s.account_id = t.account_id"
			       " AND t.alert_at > s.last_at"
			       " JOIN task_user u ON u.account_id = t.account_id AND u.task_id = t.id"
			       " LEFT JOIN alert r ON r.account_id = u.account_id"
			       " AND r.task_id = u.task_id AND r.staff_id = u.staff_id"
			       " AND r.alert_at = t.alert_at"
			       " WHERE t.status <> 3 AND r.task_id IS NULL",
		},
	[CHECK_ALERTS_SENT] =
		{
			.name = "alerts-sent",
			.says = "a task has an alert_sent_at if a message of its alert time was sent",
			.sql = "SELECT DISTINCT r.account_id, 'task', r.task_id FROM alert r"
			       " JOIN task t ON t.account_id = r.account_id AND t.id = r.task_id"
			       " AND t.alert_at = r.alert_at"
			       " WHERE r.state = 2 AND t.alert_sent_at IS NULL",
		},
	[CHECK_TOKENS] =
		{
			.name = "tokens",
			.says = "an API token has a hash of 32 bytes, known scopes, and a mark that is on or off",
			.sql = "SELECT account_id, 'token', NULL, label FROM token WHERE length(hash) <> 32"
			       " OR scopes NOT BETWEEN 1 AND 16383 OR lenient NOT BETWEEN 0 AND 1",
		},
	[CHECK_SECRETS] =
		{
			.name = "secrets",
			.says = "the secret that signs cursors exists, and every secret has 32 bytes",
			.sql = "SELECT NULL, 'secret', NULL, name FROM secret WHERE length(value) <> 32"
			       " UNION ALL SELECT NULL, 'secret', NULL, 'cursor' WHERE NOT EXISTS"
			       " (SELECT 1 FROM secret WHERE name = 'cursor')",
		},
	[CHECK_TIMES] =
		{
			.name = "times",
			.says = "accounts, API tokens and changes have times in the years 1000 to 9999",
			.sql = "SELECT id, 'account', id, NULL FROM account WHERE " OUT_OF_RANGE("created_at") " UNION ALL SELECT account_id, 'token', NULL, label FROM token WHERE " OUT_OF_RANGE(
				"created_at") " OR " OUT_OF_RANGE("expires_at") " OR " OUT_OF_RANGE("last_used_at") " OR " OUT_OF_RANGE("notice_at") " UNION ALL SELECT account_id, 'change', change, NULL FROM history WHERE " OUT_OF_RANGE("at"),
		},
	[CHECK_ACCOUNT_STATES] =
		{
			.name = "account-states",
			.says = "an account has the state from which its changes continue",
			.sql = "SELECT a.id, 'account', a.id FROM account a WHERE NOT EXISTS"
			       " (SELECT 1 FROM account_state s WHERE s.account_id = a.id)",
		},
	[CHECK_FULL_ACCESS] =
		{
			.name = "full-access",
			.says = "an account has a staff member with full access",
			.sql = "SELECT a.id, 'account', a.id FROM account a WHERE NOT EXISTS"
			       " (SELECT 1 FROM staff s WHERE s.account_id = a.id AND s.access_level = 0)",
		},
	[CHECK_ACCOUNTS] =
		{
			.name = "accounts",
			.says = "the settings of an account are valid",
			.run = check_accounts,
		},
	[CHECK_ZONES] =
		{
			.name = "zones",
			.says = "this system's tzdata does not have a time zone: alerts that need it wait",
			.run = check_zones,
			.note = true,
		},
	[CHECK_VALUES] =
		{
			.name = "values",
			.says = "the values of records are in their ranges",
			.run = check_records,
		},
	[CHECK_TEXTS] =
		{
			.name = "texts",
			.says = "the texts of records are UTF-8 and as their fields allow",
		},
	[CHECK_FOLDS] =
		{
			.name = "folds",
			.says = "the folded texts of a record match its texts",
		},
	[CHECK_HISTORY_VALUES] =
		{
			.name = "history-values",
			.says = "the last change of a record in the history has the values that the record has",
		},
	[CHECK_BLANK] =
		{
			.name = "blank",
			.says = "a text has only invisible characters, which an earlier docket allowed",
			.note = true,
		},
	[CHECK_WORDS] =
		{
			.name = "words",
			.says = "the text index has the titles of all tasks, and nothing else",
			.run = check_words,
		},
	[CHECK_UNICODE] =
		{
			.name = "unicode",
			.says = "the rule folds could not be checked",
			.run = check_unicode,
			.note = true,
		},
	[CHECK_USERNAME_EXACT] =
		{
			.name = "username-exact",
			.says = "a user name must be typed exactly if, and only if, another differs from it "
				"only in spelling",
			.sql = "SELECT account_id, 'staff', id, username FROM staff s WHERE"
			       " username_key <> '' AND username_exact <> CASE WHEN EXISTS (SELECT 1"
			       " FROM staff o WHERE o.account_id = s.account_id"
			       " AND o.username_key = s.username_key AND o.id <> s.id)"
			       " THEN username ELSE '' END",
		},
	[CHECK_USERNAMES] =
		{
			.name = "usernames",
			.says = "a user name differs from another only in spelling: until one of them is "
				"changed, each must be typed exactly",
			.sql = "SELECT account_id, 'staff', id, username FROM staff"
			       " WHERE username_exact <> '' AND username_key <> ''"
			       " ORDER BY account_id, username_key, id",
			.note = true,
		},
	[CHECK_LOOK_ALIKES] =
		{
			.name = "look-alikes",
			.says = "user names look alike, which an earlier docket allowed",
			.sql = "SELECT account_id, 'staff', id, username FROM staff s WHERE "
			       USERNAME_LOOKS_ALIKE("{ascii}")
			       " ORDER BY account_id, username_skeleton, id",
			.note = true,
		},
	[CHECK_AUDIT] =
		{
			.name = "audit",
			.says = "no entry of the audit log was altered or removed since it was written",
			.run = check_audit,
		},
};
/* clang-format on */

enum err check_unicode(struct check *check)
{
	const char *run = check->store->config.folder ? "run \"docket serve\" or \"docket migrate\""
						      : "run \"docket migrate\"";
	char text[192];
	const struct check_entry entry = {.what = text};

	if (strcmp(check->unicode, text_unicode_version()) == 0)
		return OK;
	if (check->unicode[0])
		snprintf(
			text, sizeof(text),
			"the database compares texts by Unicode %s, and this docket by Unicode %s: "
			"%s",
			check->unicode, text_unicode_version(), run);
	else
		snprintf(text, sizeof(text), "an upgrade of the database was broken off: %s", run);
	return check_add(check, &check->results[CHECK_UNICODE], &entry);
}
