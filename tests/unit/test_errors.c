/* SPDX-License-Identifier: MIT */
/* What the errors of the databases are to docket, and when a commit is in doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/array.h"
#include "db/errors.h"

static void sqlite(void **state)
{
	static const struct {
		const char *name;
		int code;
		enum err err;
	} rows[] = {
		{"ok", SQLITE_OK, OK},
		{"the last row", SQLITE_DONE, OK},
		{"fsync failed", SQLITE_IOERR_FSYNC, ERR_UNKNOWN_STATE},
		{"fsync of the folder failed", SQLITE_IOERR_DIR_FSYNC, ERR_UNKNOWN_STATE},
		{"a write failed", SQLITE_IOERR_WRITE, ERR_IO},
		{"no memory", SQLITE_NOMEM, ERR_NOMEM},
		{"no memory in I/O", SQLITE_IOERR_NOMEM, ERR_NOMEM},
		{"the disk is full", SQLITE_FULL, ERR_FULL},
		{"locked", SQLITE_BUSY, ERR_BUSY},
		{"locked, extended", SQLITE_BUSY_SNAPSHOT, ERR_BUSY},
		{"locked in the process", SQLITE_LOCKED_SHAREDCACHE, ERR_BUSY},
		{"over its time", SQLITE_INTERRUPT, ERR_TIMEOUT},
		{"unique", SQLITE_CONSTRAINT_UNIQUE, ERR_CONSTRAINT},
		{"foreign key", SQLITE_CONSTRAINT_FOREIGNKEY, ERR_CONSTRAINT},
		{"corrupt", SQLITE_CORRUPT, ERR_CORRUPT},
		{"corrupt index", SQLITE_CORRUPT_INDEX, ERR_CORRUPT},
		{"another kind of file", SQLITE_NOTADB, ERR_CORRUPT},
		{"no file", SQLITE_CANTOPEN, ERR_NOT_FOUND},
		{"read-only", SQLITE_READONLY_DBMOVED, ERR_IO},
		{"misuse", SQLITE_MISUSE, ERR_INTERNAL},
		{"a code without a row", SQLITE_AUTH, ERR_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (sqlite_code_err(rows[i].code) != rows[i].err)
			fail_msg("%s: %s", rows[i].name, err_text(sqlite_code_err(rows[i].code)));
}

static void postgres(void **state)
{
	static const struct {
		const char *name, *state;
		enum err err;
	} rows[] = {
		{"query canceled", "57014", ERR_TIMEOUT},
		{"lock not available", "55P03", ERR_BUSY},
		{"deadlock", "40P01", ERR_BUSY},
		{"serialization failure", "40001", ERR_BUSY},
		{"disk full", "53100", ERR_FULL},
		{"out of memory", "53200", ERR_NOMEM},
		{"too many connections", "53300", ERR_UNREACHABLE},
		{"now a standby", "25006", ERR_UNREACHABLE},
		{"a transaction that has failed", "25P02", ERR_UNREACHABLE},
		{"idle in a transaction", "25P03", ERR_UNREACHABLE},
		{"no such prepared statement", "26000", ERR_UNREACHABLE},
		{"plan no longer fits", "0A000", ERR_UNREACHABLE},
		{"connection failure", "08006", ERR_UNREACHABLE},
		{"admin shutdown", "57P01", ERR_UNREACHABLE},
		{"crash shutdown", "57P02", ERR_UNREACHABLE},
		{"cannot connect now", "57P03", ERR_UNREACHABLE},
		{"no such database", "3D000", ERR_NOT_FOUND},
		{"no such table", "42P01", ERR_NOT_FOUND},
		{"no such column", "42703", ERR_INTERNAL},
		{"unique", "23505", ERR_CONSTRAINT},
		{"check", "23514", ERR_CONSTRAINT},
		{"wrong password", "28P01", ERR_INVALID},
		{"I/O error", "58030", ERR_IO},
		{"no such file", "58P01", ERR_IO},
		{"data corrupted", "XX001", ERR_CORRUPT},
		{"index corrupted", "XX002", ERR_CORRUPT},
		{"internal error", "XX000", ERR_INTERNAL},
		{"another class of 53", "53400", ERR_INTERNAL},
		{"empty", "", ERR_INTERNAL},
		{"cut off", "0", ERR_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (postgres_state_err(rows[i].state) != rows[i].err)
			fail_msg("%s (%s): %s", rows[i].name, rows[i].state,
				 err_text(postgres_state_err(rows[i].state)));
}

static void postgres_commits(void **state)
{
	static const struct {
		const char *name;
		struct postgres_commit commit;
		enum err err;
	} rows[] = {
		{"committed", {.committed = true}, OK},
		{"lost before the answer", {ERR_UNREACHABLE, .lost = true}, ERR_COMMIT_UNKNOWN},
		{"lost behind the answer",
		 {ERR_UNREACHABLE, .lost = true, .committed = true},
		 ERR_COMMIT_UNKNOWN},
		{"another error, then lost", {ERR_BUSY, .lost = true}, ERR_COMMIT_UNKNOWN},
		{"lost without an error", {.lost = true, .committed = true}, OK},
		{"did not wait for a standby",
		 {.committed = true, .warned = true},
		 ERR_COMMIT_UNKNOWN},
		{"an error behind the commit", {ERR_NOMEM, .committed = true}, ERR_COMMIT_UNKNOWN},
		{"refused by a rule", {ERR_CONSTRAINT}, ERR_CONSTRAINT},
		{"rolled back, and warned", {ERR_BUSY, .warned = true}, ERR_BUSY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (postgres_commit_err(&rows[i].commit) != rows[i].err)
			fail_msg("%s: %s", rows[i].name,
				 err_text(postgres_commit_err(&rows[i].commit)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sqlite),
		cmocka_unit_test(postgres),
		cmocka_unit_test(postgres_commits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
