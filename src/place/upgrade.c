/* SPDX-License-Identifier: MIT */
/* Brings a database to this program's schema without serving it, or tries whether that would do. */
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "place/folder_lock.h"
#include "place/folds.h"
#include "place/migrate.h"
#include "place/schema.h"
#include "place/upgrade.h"
#include "records/history_renew.h"

#define TRIAL DATABASE ".trial"

enum err records_renew(struct db *db, int64_t now, struct folded *folded_out)
{
	enum err err = history_renew(db, now);

	return err ? err : folds_make(db, folded_out);
}

static void remove_trial(const char *folder)
{
	static const char *const files[] = {TRIAL, TRIAL "-wal", TRIAL "-shm"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < FIELD_COUNT(files); i++) {
		folder_path(folder, files[i], path);
		unlink(path);
	}
}

/* The trial lies beside the database: there is room for the copy that a migration makes as well,
 * or it is told now. */
static enum err try_on_copy(const struct store *store, struct db *db, const struct migrate_how *how,
			    struct buf *why)
{
	const struct db_driver *driver = store->driver;
	const char *folder = store->config.folder;
	char path[PATH_BYTES], message[256];
	struct db *trial = NULL;
	enum err err;

	folder_path(folder, TRIAL, path);
	remove_trial(folder);
	(void)file_make_empty(path);
	err = driver->copy(db, path);
	if (err)
		buf_printf(why, "cannot copy the database to %s: %s: %s", path, err_text(err),
			   driver->message(db));
	if (!err) {
		err = driver->open(path, DB_WRITE, &trial, message, sizeof(message));
		if (err)
			buf_printf(why, "cannot open %s: %s", path, message);
	}
	if (!err)
		err = migrate(trial, migrations, migration_count, how, why);
	driver->close(trial);
	remove_trial(folder);
	return err;
}

static void tell_all(size_t have, store_migration_fn *on_migration, void *context)
{
	for (size_t i = have; i < migration_count; i++)
		on_migration(context, migrations[i].number, migrations[i].name);
}

/* A database that can take back a change of its schema needs no copy. */
static enum err try(struct store *store, struct db *db, struct folded *folded_out, struct buf *why)
{
	const struct migrate_how how = {.now = clock_now(store->config.clock),
					.renew = records_renew,
					.folded = folded_out};

	return store->driver->copy
		       ? try_on_copy(store, db, &how, why)
		       : migrate_dry(store->write_db, migrations, migration_count, &how, why);
}

/* For a database that needs no migration: a migration makes the folds anew anyway. */
static enum err describe_folds(struct db *db, bool dry, struct folded *folded_out,
			       char words[STORE_FOLDS_BYTES])
{
	char version[FOLDS_VERSION_BYTES];
	enum err err = folds_version(db, version);

	if (err || strcmp(version, text_unicode_version()) == 0)
		return err;
	snprintf(words, STORE_FOLDS_BYTES, "texts sorted and compared by Unicode %s%s%s",
		 text_unicode_version(), version[0] ? " in place of " : "", version);
	return dry ? folds_count(db, folded_out) : OK;
}

/* What would be done is told before it is tried, what was done afterwards. */
static enum err go_up(struct store *store, bool dry, store_migration_fn *on_migration,
		      void *context, struct store_upgrade *upgrade, struct buf *why)
{
	char folds[sizeof(upgrade->folds)] = "";
	struct folded folded = {0};
	struct db *db = NULL;
	int64_t have = 0;
	enum err err = store_open_reading(store, &db, why);

	if (!err)
		err = store_read_schema(store, db, true, &have, why);
	if (!err) {
		*upgrade = (struct store_upgrade){.from = (int)have, .to = (int)migration_count};
		if (dry)
			tell_all((size_t)have, on_migration, context);
		if (dry && (size_t)have < migration_count)
			err = try(store, db, &folded, why);
	}
	if (!err && (size_t)have == migration_count)
		err = describe_folds(db, dry, &folded, folds);
	store->driver->close(db);
	if (!err && !dry && ((size_t)have < migration_count || folds[0]))
		err = store_bring_up(store, have, upgrade, why);
	if (!err && !dry)
		tell_all((size_t)have, on_migration, context);
	if (!err) {
		memcpy(upgrade->folds, folds, sizeof(folds));
		upgrade->records = folded.records;
		upgrade->folded = folded.changed;
	}
	return err;
}

enum err store_migrate(const struct store_config *config, bool dry,
		       store_migration_fn *on_migration, void *context,
		       struct store_upgrade *upgrade_out, struct buf *why)
{
	struct store *store = store_at(config);
	enum err err = store ? store_lock(store, why) : ERR_NOMEM;

	if (!err)
		err = go_up(store, dry, on_migration, context, upgrade_out, why);
	if (err && !why->len)
		buf_add_text(why, err_text(err));
	store_close(store);
	return err;
}
