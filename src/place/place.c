/* SPDX-License-Identifier: MIT */
/* Opens, makes and migrates a database: in a folder, or in PostgreSQL. */
#include "accounts/accounts.h"
#include "audit/audit.h"
#include "place/place.h"

#include "database.h"
#include "place/folder.h"
#include "place/folder_lock.h"
#include "place/migrate.h"
#include "place/schema.h"
#include "sql/tables.h"
#include "store/writers.h"

/* The functions for a folder, or for a PostgreSQL database. */
struct place {
	const struct db_driver *driver;
	enum err (*open)(struct store *store, struct buf *why);
	enum err (*create)(struct store *store, const struct store_first *first, struct buf *why);
	enum err (*lock)(struct store *store, struct buf *why);
	enum err (*open_reading)(struct store *store, struct db **db_out, struct buf *why);
	enum err (*bring_up)(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			     struct buf *why);
};

static const struct place folder_place = {
	.driver = &sqlite_driver,
	.open = folder_open,
	.create = folder_create,
	.lock = folder_lock,
	.open_reading = folder_open_reading,
	.bring_up = folder_bring_up,
};

static const struct place database_place = {
	.driver = &postgres_driver,
	.open = database_open,
	.create = database_create,
	.lock = database_lock,
	.open_reading = database_open_reading,
	.bring_up = database_bring_up,
};

static const struct place *place_of(const struct store_config *config)
{
	return config->database ? &database_place : &folder_place;
}

struct store *store_at(const struct store_config *config)
{
	return store_new(config, place_of(config)->driver);
}

enum err store_lock(struct store *store, struct buf *why)
{
	return place_of(&store->config)->lock(store, why);
}

enum err store_bring_up(struct store *store, int64_t have, struct store_upgrade *upgrade_out,
			struct buf *why)
{
	return place_of(&store->config)->bring_up(store, have, upgrade_out, why);
}

enum err store_read_schema(const struct store *store, struct db *db, bool older, int64_t *have_out,
			   struct buf *why)
{
	const char *folder = store->config.folder;
	int64_t have = 0;
	enum err err = schema_read(db, migration_count, &have, why);

	/* docket init was interrupted before the first migration. */
	if (!err && !have)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND && folder) {
		buf_printf(why,
			   "%s/" DATABASE " is a database of another program: "
			   "check whether it is the right folder",
			   folder);
		folder_advise(folder, why);
	} else if (err == ERR_NOT_FOUND) {
		buf_add_text(why, "the database has no tables of docket: make them with "
				  "\"docket init --database URL\"");
	} else if (!err && !older && have < (int64_t)migration_count) {
		buf_printf(why,
			   "the database has schema %lld and this docket needs schema %zu: %sbring "
			   "it up to date with \"docket migrate %s %s\"",
			   (long long)have, migration_count,
			   folder ? "" : "stop every docket that serves it, then ",
			   folder ? "--data" : "--database", folder ? folder : "URL");
		err = ERR_SCHEMA;
	} else if (err == ERR_CORRUPT && folder) {
		folder_advise(folder, why);
	}
	*have_out = have;
	return err;
}

enum err store_open_reading(struct store *store, struct db **db_out, struct buf *why)
{
	return place_of(&store->config)->open_reading(store, db_out, why);
}

enum err store_open(const struct store_config *config, struct store **store_out, struct buf *why)
{
	struct store *store = store_at(config);
	enum err err;

	if (!store)
		return ERR_NOMEM;
	err = place_of(config)->open(store, why);
	if (!err)
		err = writers_start(store, config->writers ? config->writers : 1);
	if (err) {
		if (!why->len)
			buf_add_text(why, err_text(err));
		store_close(store);
		return err;
	}
	*store_out = store;
	return OK;
}

static enum err first_describe(void *context, struct buf *details)
{
	(void)context;
	buf_add_text(details, "{}");
	return OK;
}

enum err store_insert_first(struct store *store, const struct store_first *first)
{
	struct arena arena = {0};
	struct faults faults;
	struct account_create create;
	struct audit_write audit;
	struct store_write *one = &audit.write;
	enum err err;

	account_create_init(&create);
	faults_init(&faults, &arena);
	create.write.arena = &arena;
	create.write.faults = &faults;
	create.name = first->account;
	create.staff = first->staff;
	create.token = first->token;
	audit_write_init(&audit, &create.write, "init");
	audit.account = slice_of(first->account);
	audit.describe = first_describe;
	err = store_run(store, &one, 1);
	arena_release(&arena);
	return err;
}

enum err store_create(const struct store_config *config, const struct store_first *first,
		      struct buf *why)
{
	struct store *store = store_at(config);
	enum err err = store ? place_of(config)->create(store, first, why) : ERR_NOMEM;

	store_close(store);
	return err;
}

/* Errors are ignored: the database collects statistics by itself, later. */
void store_analyze(struct store *store)
{
	const struct db_driver *driver = store->driver;

	driver->set_budget(store->write_db, 0);
	for (size_t i = 0; i < SQL_TABLES && sql_dialect(driver)->analyze; i++) {
		struct buf sql = {0};

		if (sql_tables[i].global)
			continue;
		put_into(sql_dialect(driver)->analyze, sql_tables[i].name, &sql);
		buf_add_char(&sql, '\0');
		if (!sql.failed)
			(void)driver->script(store->write_db, sql.ptr);
		buf_release(&sql);
	}
}
