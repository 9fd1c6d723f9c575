/* SPDX-License-Identifier: MIT */
/* The SQL of SQLite. */
#include "dialects.h"

/* FTS5 gets text that is folded already. The rowid is made of the account's id and the task's id.
 * So the rows of an account are together, in the order of the ids, and never move. docket fills the
 * index itself: while trusted_schema is off, SQLite runs no trigger on a virtual table. */
static const char create_text_index[] =
	"CREATE VIRTUAL TABLE task_words USING fts5"
	"	(title, content = '', columnsize = 0, tokenize = 'trigram case_sensitive 1');"
	"INSERT INTO task_words (rowid, title)"
	"	SELECT account_id << 40 | id, title_folded FROM task;";

/* The tasks whose title waits for the index. `indexed` is the title that the index has, which FTS5
 * must be told to remove it; NULL: it has none. The task itself may be gone. */
static const char create_text_pending[] = "CREATE TABLE task_pending ("
					  "	account_id INTEGER NOT NULL,"
					  "	task_id INTEGER NOT NULL,"
					  "	indexed TEXT,"
					  "	PRIMARY KEY (account_id, task_id)"
					  ") STRICT, WITHOUT ROWID;";

static const struct sql_marker markers[] = {
	{"int", "INTEGER"},
	{"text", "TEXT"},
	{"bytes", "BLOB"},
	{"table", "STRICT"},
	{"narrow", "STRICT, WITHOUT ROWID"},
	{"random", "randomblob(32)"},
	{"text_index", create_text_index},
	{"text_pending", create_text_pending},
	{"by_account", ""},
	{"fold", "docket_fold"},
	{NULL, NULL},
};

static const struct text_index text_index = {
	.from = "task_words f",
	.match = "f.title MATCH ",
	.id = "(f.rowid - ($1 << 40))",
	.order = "f.rowid",
	.first = "($1 << 40)",
	.last = "($1 << 40) + 1099511627775",
	.insert = "INSERT INTO task_words (rowid, title) VALUES ($1 << 40 | $2, $3)",
	.remove = "INSERT INTO task_words (task_words, rowid, title)"
		  " VALUES ('delete', $1 << 40 | $2, $3)",
	.pending = {.table = "task_pending",
		    .from = "task_pending p",
		    .id = "p.task_id",
		    .is = "p.account_id = $1",
		    .is_not = "NOT EXISTS (SELECT 1 FROM task_pending p WHERE p.account_id = $1"
			      " AND p.task_id = f.rowid - ($1 << 40))",
		    .any = "SELECT 1 FROM task_pending WHERE account_id = $1 LIMIT 1",
		    .count = "SELECT count(*) FROM task_pending",
		    .first = "SELECT p.account_id, p.task_id, p.indexed, t.title_folded"
			     " FROM task_pending p LEFT JOIN task t"
			     " ON t.account_id = p.account_id AND t.id = p.task_id"
			     " ORDER BY p.account_id, p.task_id LIMIT $1",
		    .forget = "DELETE FROM task_pending WHERE (account_id, task_id) <= ($1, $2)"},
	/* FTS5 keeps these settings in the database. It still merges 16 parts of one size at once.
	 */
	.no_merge = "INSERT INTO task_words (task_words, rank)"
		    " SELECT column1, column2 FROM (VALUES ('automerge', 0), ('usermerge', 8))"
		    " WHERE NOT EXISTS (SELECT 1 FROM task_words_config"
		    " WHERE k = column1 AND v = column2)",
	.merge = "INSERT INTO task_words (task_words, rank) VALUES ('merge', $1)",
	.changes = "SELECT total_changes()",
	.note = "INSERT INTO task_pending (account_id, task_id, indexed) VALUES ($1, $2, $3)"
		" ON CONFLICT (account_id, task_id) DO NOTHING",
	.note_some = "INSERT INTO task_pending (account_id, task_id, indexed)"
		     " SELECT account_id, id, title_folded FROM task WHERE account_id = $1"
		     " ORDER BY id LIMIT $2 ON CONFLICT (account_id, task_id) DO NOTHING",
	/* FTS5 takes in texts in ascending order much faster than in any other. */
	.take = {"INSERT INTO task_words (task_words, rowid, title)"
		 " SELECT 'delete', account_id << 40 | task_id, indexed FROM task_pending"
		 " WHERE indexed IS NOT NULL ORDER BY account_id, task_id",
		 "INSERT INTO task_words (rowid, title)"
		 " SELECT t.account_id << 40 | t.id, t.title_folded FROM task_pending p"
		 " CROSS JOIN task t WHERE t.account_id = p.account_id AND t.id = p.task_id"
		 " ORDER BY p.account_id, p.task_id",
		 "DELETE FROM task_pending"},
	.expected = "SELECT account_id, id, title_folded FROM task t WHERE NOT EXISTS"
		    " (SELECT 1 FROM task_pending p"
		    " WHERE p.account_id = t.account_id AND p.task_id = t.id)"
		    " UNION ALL SELECT account_id, task_id, indexed FROM task_pending"
		    " WHERE indexed IS NOT NULL ORDER BY 1, 2",
	/* A task that never was. The account may have been removed. */
	.needless = "SELECT p.account_id, p.task_id FROM task_pending p"
		    " LEFT JOIN account_state s ON s.account_id = p.account_id"
		    " WHERE p.task_id NOT BETWEEN 1 AND coalesce(s.last_task_id, 1 << 40)"
		    " OR p.account_id NOT BETWEEN 1 AND"
		    " (SELECT last FROM given WHERE name = 'account')"
		    " ORDER BY 1, 2",
	.fill = "INSERT INTO task_words (task_words) VALUES ('delete-all');"
		"INSERT INTO task_words (rowid, title)"
		" SELECT account_id << 40 | id, title_folded FROM task ORDER BY account_id, id;"
		"DELETE FROM task_pending;",
	/* FTS5 shows the whole index only as a virtual table, here a temporary one. FTS5's own
	 * integrity check is a write, and has no text to compare with. */
	.prepare_all = "PRAGMA query_only = OFF;"
		       "CREATE VIRTUAL TABLE IF NOT EXISTS temp.task_words_all"
		       " USING fts5vocab (main, task_words, instance);"
		       "PRAGMA query_only = ON;",
	.all = "SELECT doc >> 40, doc & 1099511627775, term, offset FROM temp.task_words_all",
};

/* pragma_foreign_key_check identifies a row by its ROWID, which some tables do not have. */
static const struct sql_self_check self_checks[] = {
	{"file", "the database's file is whole, and its indexes agree with its tables",
	 "SELECT NULL, NULL, NULL, integrity_check FROM pragma_integrity_check"
	 " WHERE integrity_check <> 'ok'"},
	{"references", "what a record refers to is there",
	 "SELECT coalesce(t.account_id, s.account_id, c.account_id), f.\"table\","
	 " coalesce(t.id, s.id, c.id), 'refers to what is not in ' || f.parent"
	 " FROM pragma_foreign_key_check f"
	 " LEFT JOIN task t ON f.\"table\" = 'task' AND t.rowid = f.rowid"
	 " LEFT JOIN subject s ON f.\"table\" = 'subject' AND s.rowid = f.rowid"
	 " LEFT JOIN casefile c ON f.\"table\" = 'casefile' AND c.rowid = f.rowid"},
	{NULL, NULL, NULL},
};

const struct sql_dialect sqlite_dialect = {
	.markers = markers,
	.join_ids = "group_concat(%s)",
	.ids_in_order = "(SELECT value FROM json_each($2))",
	.keep_order = "",
	.among = "(SELECT value FROM json_each(%s))",
	.bits = "docket_bits",
	.bit = "docket_bit",
	.position = "instr",
	.use_index = " INDEXED BY %s",
	.key_index = "sqlite_autoindex_%s_1",
	.text_index = &text_index,
	.self_checks = self_checks,
	.lock_row = "",
	.lock_account = "",
	.skip_locked = "",
	.columns = "SELECT name FROM pragma_table_info($1) ORDER BY cid",
};
