/* SPDX-License-Identifier: MIT */
/* The place where docket keeps its data: a data folder with a SQLite database, or a PostgreSQL
 * database. Makes it, opens it, and migrates it to the schema of this program.
 *
 *	struct store_config config = {.folder = "data", .clock = &system_clock, .readers = 4};
 *	struct buf why = {0};
 *	struct store *store;
 *
 *	err = store_open(&config, &store, &why);
 *	if (err)
 *		log_line("%.*s", (int)why.len, why.ptr);
 *	…
 *	store_stop(store);
 *	store_close(store); */
#ifndef PLACE_PLACE_H
#define PLACE_PLACE_H

#include "accounts/accounts.h"
#include "store/store.h"

/* The first account of a new folder. */
struct store_first {
	const char *account; /* its name */
	struct staff *staff; /* its first staff member, with full access */
	struct token token;
	/* Called when all else is done; gives the user the token. False undoes everything: an
	 * account is of no use without its token. */
	bool (*hand_over)(void *context);
	void *context;
};

/* Makes a database with its first account. In a folder it does so completely or not at all, and
 * makes the folder (mode 0700) if it is missing. A PostgreSQL database must exist and have no
 * tables of docket. ERR_EXISTS: there is a database already. On an error `why` says what failed and
 * why, in words for the user. */
enum err store_create(const struct store_config *config, const struct store_first *first,
		      struct buf *why);

/* Opens a folder for this process alone. If the configuration has on_upgrade, it migrates an older
 * database to this program's schema and keeps the old one. Or opens a PostgreSQL database of this
 * schema, which other processes may have open as well. Starts the threads that write. ERR_BUSY:
 * another process has the folder, or is changing the schema of the PostgreSQL database. */
enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why);

/* Called with the number and the name of a migration. */
typedef void store_migration_fn(void *context, int number, const char *name);

/* Migrates an older database, without serving it. Calls on_migration for every migration that the
 * database needs, in order, and runs them; in a folder it keeps the old database. With `dry` the
 * database stays as it is: the migrations run on a copy that is then removed, or in a transaction
 * that is rolled back. ERR_BUSY: another process has the database open. ERR_SCHEMA: the database is
 * newer than this program. */
enum err store_migrate(const struct store_config *config, bool dry,
		       store_migration_fn *on_migration, void *context,
		       struct store_upgrade *upgrade_out, struct buf *why);

/* The number of the newest schema that this program knows. Every open database has this schema. */
int store_schema(void);

/* Each restore of a database begins a new era, which has another number than all eras before: 1 to
 * ERA_MOST. A database that was never restored has era 0. Entity tags, cursors and positions in the
 * list of changes are of one era (pipeline/pipeline.h). The ids of records jump: no id of the
 * former era's lost part is given out again. store_era() (store/store.h) is the present era. */
#define ERA_MOST 900000

/* Begins a new era in a PostgreSQL database, which its own tools have restored. ERR_BUSY: a process
 * has the database open. On an error `why` says what is wrong. */
enum err store_begin_era(const struct store_config *config, struct buf *why);

/* Lets the database collect statistics for its query planner. Call it after very many writes. */
void store_analyze(struct store *store);

#endif
