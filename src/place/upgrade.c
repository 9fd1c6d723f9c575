/* SPDX-License-Identifier: MIT */
/* Migrates a database without serving it, or tries whether that would succeed. */
#include "base/text.h"
#include "folder_migrate.h"
#include "place/migrate.h"
#include "place/renew.h"
#include "place/schema.h"

static void migrations_report(size_t have, store_migration_fn *on_migration, void *context)
{
	for (size_t i = have; i < migration_count; i++)
		on_migration(context, migrations[i].number, migrations[i].name);
}

/* A folder needs the room that a migration needs. PostgreSQL can roll back a change of its schema
 * and needs no copy. */
static enum err trial_run(struct store *store, struct db *db, struct folded *folded_out,
			  struct buf *why)
{
	const struct migrate_how how = {.now = clock_now(store->config.clock),
					.renew = records_renew,
					.folded = folded_out};

	return store->config.folder
		       ? folder_migrate(store, db, folded_out, NULL, why)
		       : migrate_dry(store->write_db, migrations, migration_count, &how, why);
}

/* For a database that needs no migration. A migration always makes the folds again. */
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

/* A dry run reports each migration before it is tried, a real run afterwards. */
static enum err upgrade_run(struct store *store, bool dry, store_migration_fn *on_migration,
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
			migrations_report((size_t)have, on_migration, context);
		if (dry && (size_t)have < migration_count)
			err = trial_run(store, db, &folded, why);
	}
	if (!err && (size_t)have == migration_count)
		err = describe_folds(db, dry, &folded, folds);
	store->driver->close(db);
	if (!err && !dry && ((size_t)have < migration_count || folds[0]))
		err = store_bring_up(store, have, upgrade, why);
	if (!err && !dry)
		migrations_report((size_t)have, on_migration, context);
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
		err = upgrade_run(store, dry, on_migration, context, upgrade_out, why);
	if (err && !why->len)
		buf_add_text(why, err_text(err));
	store_close(store);
	return err;
}
