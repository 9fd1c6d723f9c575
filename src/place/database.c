/* SPDX-License-Identifier: MIT */
/* A store in a PostgreSQL database. Any number of processes may have it open at once. Each holds a
 * shared advisory lock; a process that changes the schema holds the lock exclusively. */
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "place/era.h"
#include "place/folds.h"
#include "place/mark.h"
#include "place/migrate.h"
#include "place/renew.h"
#include "place/schema.h"
#include "store/read_threads.h"

#define LOCK_MS 1000
#define OPEN_MS 4000 /* the time limit of the first statements on a new connection */
/* "docket", as the two halves of the lock's key. */
#define KEY "1685021547, 25972"
#define SHARED "SELECT pg_try_advisory_lock_shared(" KEY ")"
#define ALONE "SELECT pg_try_advisory_lock(" KEY ")"

static enum err db_ask_number(struct db *db, const char *sql, int64_t *number_out)
{
	const struct db_call call = {.sql = sql, .on_row = db_number, .context = number_out};

	return db->driver->run(db, &call, 1);
}

static enum err database_open_db(struct store *store, enum db_mode mode, struct db **db_out,
				 struct buf *why)
{
	char message[1024];
	enum err err =
		store->driver->open(store->config.database, mode, db_out, message, sizeof(message));

	if (err)
		buf_printf(why, "cannot open the database: %s", message);
	return err;
}

/* Takes the lock. ERR_BUSY, with `who` as the reason: another process has it. A process that has
 * ended keeps it for a moment, until the server notices. */
static enum err database_take_lock(struct db *db, const char *sql, const char *who, struct buf *why)
{
	int64_t taken = 0, until = monotonic_ms() + LOCK_MS;
	enum err err = db_ask_number(db, sql, &taken);

	while (!err && !taken && monotonic_ms() < until) {
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		err = db_ask_number(db, sql, &taken);
	}
	if (err) {
		buf_printf(why, "cannot lock the database: %s", db->driver->message(db));
	} else if (!taken) {
		buf_add_text(why, who);
		err = ERR_BUSY;
	}
	return err;
}

/* Opens a connection with a shared lock of its own. So no process can change the schema while the
 * connection is open. */
static enum err database_open_shared(struct store *store, enum db_mode mode, struct db **db_out,
				     struct buf *why)
{
	struct db *db = NULL;
	int64_t have = 0;
	enum err err = database_open_db(store, mode, &db, why);

	if (!err) {
		store->driver->set_budget(db, OPEN_MS);
		err = database_take_lock(db, SHARED,
					 "docket migrate or docket move is working on the database",
					 why);
	}
	if (!err)
		err = store_read_schema(store, db, false, &have, why);
	if (!err)
		err = folds_check(store, db, why);
	if (!err)
		err = era_take(store, db, why);
	if (!err)
		store->driver->set_budget(db, 0);
	if (err)
		store->driver->close(db);
	else
		*db_out = db;
	return err;
}

static enum err database_connect(struct store *store, enum db_mode mode, bool tells,
				 struct db **db_out)
{
	struct buf why = {0};
	enum err err = database_open_shared(store, mode, db_out, &why);

	if (tells && err && !atomic_exchange(&store->away, true))
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else if (tells && !err && atomic_exchange(&store->away, false))
		log_line("the database is reachable again");
	buf_release(&why);
	return err ? ERR_UNREACHABLE : OK;
}

enum err database_open(struct store *store, struct buf *why)
{
	enum err err = database_open_shared(store, DB_WRITE, &store->write_db, why);

	store->connect = database_connect;
	/* It may have come from a folder with its other rows. */
	if (!err)
		err = mark_take(store, true);
	return err ? err
		   : read_threads_start(store, store->config.readers ? store->config.readers : 1);
}

enum err database_lock(struct store *store, struct buf *why)
{
	enum err err = database_open_db(store, DB_WRITE, &store->write_db, why);

	return err ? err
		   : database_take_lock(
			     store->write_db, ALONE,
			     "other docket processes have the database open: stop those that "
			     "serve it, or wait until docket migrate is done",
			     why);
}

enum err database_open_reading(struct store *store, struct db **db_out, struct buf *why)
{
	return database_open_db(store, DB_READ, db_out, why);
}

enum err database_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			   struct buf *why)
{
	struct folded folded;
	const struct migrate_how how = {.partitions = store->config.partitions,
					.now = clock_now(store->config.clock),
					.renew = records_renew,
					.folded = &folded};
	enum err err = migrate(store->write_db, migrations, migration_count, &how, why);

	*upgrade_out = (struct store_upgrade){.from = (int)have, .to = (int)migration_count};
	return err ? err : folds_bring_up(store->write_db, have < (int64_t)migration_count, why);
}

/* Refuses a database that has an account. An earlier docket init that was interrupted has left
 * tables but no account. */
static enum err database_refuse_existing(struct db *db, struct buf *why)
{
	int64_t have = 0, accounts = 0;
	enum err err = schema_read(db, migration_count, &have, why);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (!err && have)
		err = db_ask_number(db, "SELECT count(*) FROM account", &accounts);
	if (!err && accounts) {
		buf_add_text(why, "the database already has tables of docket and an account");
		err = ERR_EXISTS;
	}
	return err;
}

enum err database_create(struct store *store, const struct store_first *first, struct buf *why)
{
	struct store_upgrade upgrade;
	enum err err = database_lock(store, why);

	if (!err)
		err = database_refuse_existing(store->write_db, why);
	if (!err)
		err = database_bring_up(store, 0, &upgrade, why);
	if (!err && !first->hand_over(first->context))
		return ERR_IO;
	if (!err) {
		err = store_insert_first(store, first);
		if (err)
			buf_printf(why, "cannot make the account: %s", err_text(err));
	}
	return err;
}
