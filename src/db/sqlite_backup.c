/* SPDX-License-Identifier: MIT */
/* Copies a SQLite database that is being written, by SQLite's backup API: in parts over the
 * connection that writes, so that a commit also writes the pages that it changes into the copy; or
 * one state of it over a connection that reads. */
#include <stdlib.h>

#include "base/clock.h"
#include "errors.h"
#include "sqlite_private.h"

#define PAGES 16       /* copied between two looks at the clock: some 0.1 ms */
#define STEP_PAGES 256 /* of a snapshot; after these it asks whether to go on */

struct db_backup {
	sqlite3 *to;
	sqlite3_backup *backup;
};

/* The copy is made anew after a crash, so it needs no journal and no fsync. Its cache is small:
 * each page is written once, and again if a commit changes it. */
static const char target_pragmas[] = "PRAGMA journal_mode = OFF;"
				     "PRAGMA synchronous = OFF;"
				     "PRAGMA cache_size = -2048;";

/* Opens the file of a copy. The caller closes it, also after an error. */
static int copy_open(const char *to, sqlite3 **target_out)
{
	int code =
		sqlite3_open_v2(to, target_out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	return code == SQLITE_OK ? sqlite3_exec(*target_out, target_pragmas, NULL, NULL, NULL)
				 : code;
}

enum err sqlite_backup_begin(struct db *db, const char *to, struct db_backup **backup_out)
{
	struct db_backup *backup = calloc(1, sizeof(*backup));
	int code;

	if (!backup)
		return ERR_NOMEM;
	code = copy_open(to, &backup->to);
	if (code == SQLITE_OK) {
		backup->backup =
			sqlite3_backup_init(backup->to, "main", sqlite_of(db)->handle, "main");
		code = backup->backup ? SQLITE_OK : sqlite3_errcode(backup->to);
	}
	if (code != SQLITE_OK) {
		sqlite_backup_end(backup);
		return sqlite_code_err(code);
	}
	*backup_out = backup;
	return OK;
}

enum err sqlite_backup_part(struct db_backup *backup, int64_t budget_us, int64_t *left_out,
			    int64_t *total_out)
{
	int64_t until = monotonic_us() + budget_us;
	int code;

	do
		code = sqlite3_backup_step(backup->backup, PAGES);
	while (code == SQLITE_OK && monotonic_us() < until);
	if (code != SQLITE_OK && code != SQLITE_DONE)
		return sqlite_code_err(code);
	*left_out = code == SQLITE_DONE ? 0 : sqlite3_backup_remaining(backup->backup);
	*total_out = sqlite3_backup_pagecount(backup->backup);
	/* Pages may be left to write when all are copied. */
	if (code == SQLITE_OK && *left_out == 0)
		*left_out = 1;
	return OK;
}

void sqlite_backup_end(struct db_backup *backup)
{
	if (!backup)
		return;
	sqlite3_backup_finish(backup->backup);
	sqlite3_close(backup->to);
	free(backup);
}

/* In one read transaction: else the copy would begin anew whenever another connection commits. The
 * transaction must not outlive the copy, because it keeps the WAL from being used again. */
static int pages_copy(sqlite3 *from, sqlite3 *to, bool (*goes_on)(void *context), void *context)
{
	int code =
		sqlite3_exec(from, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	sqlite3_backup *copy =
		code == SQLITE_OK ? sqlite3_backup_init(to, "main", from, "main") : NULL;

	if (code == SQLITE_OK && !copy)
		code = sqlite3_errcode(to);
	while (copy && code == SQLITE_OK) {
		code = sqlite3_backup_step(copy, STEP_PAGES);
		if (code == SQLITE_OK && goes_on && !goes_on(context))
			code = SQLITE_INTERRUPT;
	}
	sqlite3_backup_finish(copy);
	(void)sqlite3_exec(from, "ROLLBACK", NULL, NULL, NULL);
	return code == SQLITE_DONE ? SQLITE_OK : code;
}

enum err sqlite_snapshot(struct db *db, const char *to, bool (*goes_on)(void *context),
			 void *context)
{
	sqlite3 *copy = NULL;
	int code = copy_open(to, &copy);

	if (code == SQLITE_OK)
		code = pages_copy(sqlite_of(db)->handle, copy, goes_on, context);
	sqlite3_close(copy);
	return sqlite_code_err(code);
}
