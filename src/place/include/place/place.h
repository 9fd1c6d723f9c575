/* SPDX-License-Identifier: MIT */
/* Where docket keeps things: a data folder with a SQLite database, or a PostgreSQL database. How
 * one is made, opened, and brought to the schema of this program.
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
	/* Called when all else is done, and false takes all of it back: an account whose token
	 * could not be handed over is of no use. */
	bool (*hand_over)(void *context);
	void *context;
};

/* Makes the folder (mode 0700) where it is missing, and in it the database with its first
 * account, all of it or nothing; or the tables in a PostgreSQL database that has none, and the
 * account. ERR_EXISTS where there is one. On an error `why` says what and why, in words for whoever
 * runs the program. */
enum err store_create(const struct store_config *config, const struct store_first *first,
		      struct buf *why);

/* Opens the folder for this process alone, and brings an older database to this program's schema
 * after a checked copy where the configuration has it so; or opens a PostgreSQL database of this
 * schema, which others may have open as well. Starts the threads that write. ERR_BUSY where another
 * process has the folder, or is at work on the database's schema. */
enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why);

/* Called with the number and the name of a migration. */
typedef void store_migration_fn(void *context, int number, const char *name);

/* Does alone what store_open() does to an older database: tells every migration that it has not
 * had, in their order, and runs them, of a folder after a checked copy. With `dry` the database
 * stays as it is: they are run on a copy that is removed again, or in a transaction that is taken
 * back. ERR_BUSY where another process has the folder, ERR_SCHEMA where it is newer. */
enum err store_migrate(const struct store_config *config, bool dry,
		       store_migration_fn *on_migration, void *context,
		       struct store_upgrade *upgrade_out, struct buf *why);

/* The number of the newest schema that this program knows, which every open database has. */
int store_schema(void);

/* Behind many writes of one process: what the database must look at to choose its ways by. */
void store_analyze(struct store *store);

#endif
