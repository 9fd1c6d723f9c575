/* SPDX-License-Identifier: MIT */
/* Copies a SQLite database that is being written, by SQLite's backup API: pages that a commit
 * changes are written into the copy as well. */
#include <stdlib.h>

#include "base/clock.h"
#include "errors.h"
#include "sqlite_private.h"

#define PAGES 16 /* copied between two looks at the clock: some 0.1 ms */

struct db_backup {
	sqlite3 *to;
	sqlite3_backup *backup;
};

/* The copy is made anew after a crash, so it needs no journal and no fsync. Its cache is small:
 * each page is written once, and again if a commit changes it. */
static const char target_pragmas[] = "PRAGMA journal_mode = OFF;"
				     "PRAGMA synchronous = OFF;"
				     "PRAGMA cache_size = -2048;";

enum err sqlite_backup_begin(struct db *db, const char *to, struct db_backup **backup_out)
{
	struct db_backup *backup = calloc(1, sizeof(*backup));
	int code;

	if (!backup)
		return ERR_NOMEM;
	code = sqlite3_open_v2(to, &backup->to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(backup->to, target_pragmas, NULL, NULL, NULL);
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
