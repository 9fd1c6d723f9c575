/* SPDX-License-Identifier: MIT */
/* A store in a PostgreSQL database. Any number of processes have it open at once, each holding an
 * advisory lock that it shares with the others; who changes the schema holds it alone. */
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "database.h"
#include "place/folds.h"
#include "place/migrate.h"
#include "place/schema.h"
#include "place/upgrade.h"
#include "store/read_threads.h"

#define LOCK_MS 1000
#define OPEN_MS 4000 /* what a new connection is asked may take */
/* "docket", as the two halves of the lock's key. */
#define KEY "1685021547, 25972"
#define SHARED "SELECT pg_try_advisory_lock_shared(" KEY ")"
#define ALONE "SELECT pg_try_advisory_lock(" KEY ")"

static enum err ask_number(struct db *db, const char *sql, int64_t *number_out)
{
	const struct db_call call = {.sql = sql, .on_row = db_number, .context = number_out};

	return db->driver->run(db, &call, 1);
}

static enum err open_db(struct store *store, enum db_mode mode, struct db **db_out, struct buf *why)
{
	char message[1024];
	enum err err =
		store->driver->open(store->config.database, mode, db_out, message, sizeof(message));

	if (err)
		buf_printf(why, "cannot open the database: %s", message);
	return err;
}

/* Takes the lock, or says that somebody has it. Whoever has ended has it for a moment longer, until
 * the server has noticed. */
static enum err take_lock(struct db *db, const char *sql, const char *who, struct buf *why)
{
	int64_t taken = 0, until = monotonic_ms() + LOCK_MS;
	enum err err = ask_number(db, sql, &taken);

	while (!err && !taken && monotonic_ms() < until) {
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
		err = ask_number(db, sql, &taken);
	}
	if (err) {
		buf_printf(why, "cannot lock the database: %s", db->driver->message(db));
	} else if (!taken) {
		buf_add_text(why, who);
		err = ERR_BUSY;
	}
	return err;
}

/* With the lock, on every connection: whoever has one sees no other schema than this. */
static enum err open_shared(struct store *store, enum db_mode mode, struct db **db_out,
			    struct buf *why)
{
	struct db *db = NULL;
	int64_t have = 0;
	enum err err = open_db(store, mode, &db, why);

	if (!err) {
		store->driver->set_budget(db, OPEN_MS);
		err = take_lock(db, SHARED,
				"docket migrate or docket move is at work on the database", why);
	}
	if (!err)
		err = store_read_schema(store, db, false, &have, why);
	if (!err)
		err = folds_check(store, db, why);
	if (!err)
		store->driver->set_budget(db, 0);
	if (err)
		store->driver->close(db);
	else
		*db_out = db;
	return err;
}

static enum err database_connect(struct store *store, enum db_mode mode, struct db **db_out)
{
	struct buf why = {0};
	enum err err = open_shared(store, mode, db_out, &why);

	if (err && !atomic_exchange(&store->away, true))
		log_line("%.*s", (int)why.len, why.ptr ? why.ptr : err_text(err));
	else if (!err && atomic_exchange(&store->away, false))
		log_line("the database is there again");
	buf_release(&why);
	return err ? ERR_UNREACHABLE : OK;
}

enum err database_open(struct store *store, struct buf *why)
{
	enum err err = open_shared(store, DB_WRITE, &store->write_db, why);

	store->connect = database_connect;
	return err ? err
		   : read_threads_new(store, store->config.readers ? store->config.readers : 1,
				      &store->read_threads);
}

enum err database_lock(struct store *store, struct buf *why)
{
	enum err err = open_db(store, DB_WRITE, &store->write_db, why);

	return err ? err
		   : take_lock(store->write_db, ALONE,
			       "other docket processes have the database open: stop those that "
			       "serve it, or wait until docket migrate is done",
			       why);
}

enum err database_open_reading(struct store *store, struct db **db_out, struct buf *why)
{
	return open_db(store, DB_READ, db_out, why);
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

/* A database whose making was broken off has no account yet. */
static enum err check_new(struct db *db, struct buf *why)
{
	int64_t have = 0, accounts = 0;
	enum err err = schema_read(db, migration_count, &have, why);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (!err && have)
		err = ask_number(db, "SELECT count(*) FROM account", &accounts);
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
		err = check_new(store->write_db, why);
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
