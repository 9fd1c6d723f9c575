/* SPDX-License-Identifier: MIT */
/* The SQL of PostgreSQL. Texts are sorted and compared by their bytes, not by the collation of the
 * database. In UTF-8 that is the order of the code points. */
#include "dialects.h"

/* PostgreSQL includes both extensions, and the owner of a database may add them. */
static const char create_text_index[] =
	"CREATE EXTENSION IF NOT EXISTS pg_trgm;"
	"CREATE EXTENSION IF NOT EXISTS btree_gin;"
	"CREATE INDEX task_by_words ON task USING gin (account_id, title_folded gin_trgm_ops);";

/* The key of the advisory lock of account $1. The lock of the row alone is not fair: a session that
 * comes just when the lock is released gets it before those that wait. */
#define TURN "$1 + 7234014398177509376"

#define RANDOM_32                                                                       \
	"decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), " \
	"'hex')"
#define MARKERS(by_account)                                                                   \
	{"int", "BIGINT"}, {"text", "TEXT COLLATE \"C\""}, {"bytes", "BYTEA"}, {"table", ""}, \
		{"narrow", ""}, {"random", RANDOM_32}, {"text_index", create_text_index},     \
		{"text_pending", ""}, {"by_account", by_account}, {"fold", "lower"},          \
	{                                                                                     \
		NULL, NULL                                                                    \
	}

static const struct sql_marker markers[] = {MARKERS("")};
static const struct sql_marker partitioned_markers[] = {MARKERS(" PARTITION BY HASH (account_id)")};

static const char make_partitions[] =
	"DO $do$ DECLARE parts CONSTANT int := %s; whole text; BEGIN"
	" FOR whole IN SELECT c.relname FROM pg_class c WHERE c.relkind = 'p'"
	" AND c.relnamespace = current_schema()::regnamespace AND NOT EXISTS"
	" (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid) LOOP"
	" FOR n IN 0 .. parts - 1 LOOP"
	" EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH"
	" (MODULUS %s, REMAINDER %s)', whole || '_' || n, whole, parts, n);"
	" END LOOP; END LOOP; END $do$";

static const struct sql_self_check self_checks[] = {
	{"indexes", "every index is whole, and used",
	 "SELECT NULL, 'index', NULL, c.relname || ' is not valid' FROM pg_index i"
	 " JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT (i.indisvalid AND i.indisready)"
	 " AND c.relnamespace = current_schema()::regnamespace"},
	{"references", "what a record refers to is there: every constraint was validated",
	 "SELECT NULL, 'constraint', NULL, conname || ' was not validated' FROM pg_constraint"
	 " WHERE NOT convalidated AND connamespace = current_schema()::regnamespace"},
	{NULL, NULL, NULL},
};

const struct sql_dialect postgres_dialect = {
	.markers = markers,
	.partitioned_markers = partitioned_markers,
	.make_partitions = make_partitions,
	.count_partitions = "SELECT count(*) FROM pg_inherits i JOIN pg_class c"
			    " ON c.oid = i.inhparent WHERE c.relname = 'task' AND c.relkind = 'p'"
			    " AND c.relnamespace = current_schema()::regnamespace",
	.join_ids = "string_agg(%s::text, ',')",
	.ids_in_order = "(SELECT value::bigint AS value, place FROM"
			" json_array_elements_text($2::json) WITH ORDINALITY AS e (value, place))",
	.keep_order = " ORDER BY k.place",
	.among = "(SELECT value::bigint FROM json_array_elements_text(%s::json))",
	.self_checks = self_checks,
	.lock_row = " FOR UPDATE",
	.lock_account = " FOR UPDATE OF s FOR KEY SHARE OF a",
	.row_place = "s.ctid",
	.place_type = "tid",
	.skip_locked = " FOR UPDATE SKIP LOCKED",
	.now = "SELECT floor(extract(epoch FROM now()))::bigint",
	.wait_for_turn = "SELECT pg_advisory_xact_lock(" TURN ")",
	.try_turn = " AND pg_try_advisory_xact_lock(" TURN ")"
		    " FOR UPDATE OF s SKIP LOCKED FOR KEY SHARE OF a SKIP LOCKED",
	.lock_mode = " IN ROW EXCLUSIVE MODE",
	.columns = "SELECT a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
		   " WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = $1"
		   " AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
		   " ORDER BY a.attnum",
	.analyze = "VACUUM (ANALYZE, SKIP_LOCKED) %s",
};
