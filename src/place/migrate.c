/* SPDX-License-Identifier: MIT */
/* Numbered migrations. Each that was done has a row in the table `migration`. All that a database
 * needs run in one transaction. */
#include "place/migrate.h"
#include "place/place.h"
#include "sql/calls.h"
#include "sql/statements.h"

#include "schema.h"

const struct migration *const migrations = schema;
const size_t migration_count = sizeof(schema) / sizeof(schema[0]);

int store_schema(void)
{
	return (int)migration_count;
}

#define CANNOT_READ "cannot read which schema the database has"

static const char migration_table[] = "CREATE TABLE IF NOT EXISTS migration"
				      " (number {int} NOT NULL PRIMARY KEY, name {text} NOT NULL,"
				      " applied_at {int} NOT NULL) {table}";

static enum err migration_fail(struct db *db, enum err err, struct buf *why, const char *what)
{
	buf_printf(why, "%s: %s: %s", what, err_text(err), db->driver->message(db));
	return err;
}

/* Runs a script that has markers. With `partitions`, tables that can be partitioned get so many
 * partitions. */
static enum err script_run(struct db *db, const char *text, int64_t partitions)
{
	const struct sql_dialect *dialect = sql_dialect(db->driver);
	struct buf sql = {0};
	char parts[24];
	enum err err = ERR_INTERNAL;

	if (markers_fill(partitions ? dialect->partitioned_markers : dialect->markers, text,
			 &sql)) {
		if (partitions) {
			snprintf(parts, sizeof(parts), "%lld", (long long)partitions);
			put_into(dialect->make_partitions, parts, &sql);
		}
		buf_add_char(&sql, '\0');
		err = sql.failed ? ERR_NOMEM : db->driver->script(db, sql.ptr);
	}
	buf_release(&sql);
	return err;
}

enum err script_marked(struct db *db, const char *sql)
{
	return script_run(db, sql, 0);
}

enum err schema_mark(struct db *db)
{
	return script_marked(db, migration_table);
}

enum err schema_make(struct db *db, unsigned partitions)
{
	enum err err = OK;

	for (size_t i = 0; i < migration_count && !err; i++)
		err = script_run(db, migrations[i].sql, partitions);
	return err;
}

/* Runs a migration and inserts its row, within a transaction. */
static enum err migration_apply(struct db *db, const struct migration *migration,
				int64_t partitions, int64_t now)
{
	const struct db_value args[] = {
		DB_INT_VALUE(migration->number),
		DB_TEXT_VALUE(slice_of(migration->name)),
		DB_INT_VALUE(now),
	};
	const struct db_call done = {
		.sql = "INSERT INTO migration (number, name, applied_at) VALUES ($1, $2, $3)",
		.args = args,
		.arg_count = 3,
	};
	enum err err = script_run(db, migration->sql, partitions);

	if (!err)
		err = db->driver->run(db, &done, 1);
	return err;
}

/* Counts how many columns of a table are those of `migration`. */
static enum err migrated_column_row(void *context, const struct db_value *values, size_t count)
{
	static const char *const names[] = {"number", "name", "applied_at"};

	(void)count;
	for (size_t i = 0; i < FIELD_COUNT(names); i++)
		*(size_t *)context += slice_is(values[0].bytes, names[i]);
	return OK;
}

static enum err read_columns(struct db *db, const char *table, db_row_fn *on_row, void *context)
{
	const struct db_value name = DB_TEXT_VALUE(slice_of(table));
	const struct db_call ask = {.sql = sql_dialect(db->driver)->columns,
				    .args = &name,
				    .arg_count = 1,
				    .on_row = on_row,
				    .context = context};

	return db->driver->run(db, &ask, 1);
}

/* Refuses the unfinished target of a move (move_target.c): only docket move may read or complete
 * it. */
static enum err refuse_moving(struct db *db, struct buf *why)
{
	bool moving = false;
	enum err err = read_columns(db, "moving", any_row, &moving);

	if (err)
		return migration_fail(db, err, why, CANNOT_READ);
	if (moving) {
		buf_add_text(why,
			     "the database is the unfinished target of docket move: run docket "
			     "move again until it succeeds, or remove the tables");
		return ERR_SCHEMA;
	}
	return OK;
}

/* The number of the last migration; below 0: the table is not docket's. */
static enum err migration_last_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	if (values[0].type != DB_NULL)
		*(int64_t *)context = values[0].type == DB_INT ? values[0].integer : -1;
	return OK;
}

/* Whether the table is docket's: another program may have a table of the same name. */
static enum err table_is_ours(struct db *db, bool *ours_out)
{
	const struct db_call ask = {.sql = "SELECT number FROM migration WHERE name = 'init'",
				    .on_row = any_row,
				    .context = ours_out};

	return db->driver->run(db, &ask, 1);
}

enum err schema_read(struct db *db, size_t count, int64_t *have_out, struct buf *why)
{
	int64_t have = 0;
	const struct db_call ask = {.sql = "SELECT max(number) FROM migration",
				    .on_row = migration_last_row,
				    .context = &have};
	size_t columns = 0;
	bool ours = false;
	enum err err = refuse_moving(db, why);

	if (err)
		return err;
	err = read_columns(db, "migration", migrated_column_row, &columns);
	if (!err && columns < 3)
		return ERR_NOT_FOUND;
	if (!err)
		err = db->driver->run(db, &ask, 1);
	if (!err && have > 0)
		err = table_is_ours(db, &ours);
	if (err)
		return migration_fail(db, err, why, CANNOT_READ);
	if (have && !ours)
		return ERR_NOT_FOUND;
	if (have > (int64_t)count) {
		buf_printf(why,
			   "the database has schema %lld and this docket knows schemas up to %zu: "
			   "use the docket that wrote it, or a newer one",
			   (long long)have, count);
		return ERR_SCHEMA;
	}
	*have_out = have;
	return OK;
}

/* Makes the table `migration` if it is missing, and reads the last migration of the database and
 * the number of its partitions. */
static enum err migrations_prepare(struct db *db, size_t count, int64_t *have_out,
				   int64_t *partitions, struct buf *why)
{
	const struct db_call parts = {.sql = sql_dialect(db->driver)->count_partitions,
				      .on_row = db_number,
				      .context = partitions};
	enum err err = refuse_moving(db, why);

	if (err)
		return err;
	err = schema_mark(db);
	if (err)
		return migration_fail(db, err, why, CANNOT_READ);
	err = schema_read(db, count, have_out, why);
	if (err == ERR_NOT_FOUND)
		buf_add_text(why, "the database has a table \"migration\" of another program: give "
				  "docket a database of its own");
	if (!err && *have_out)
		*partitions = 0;
	if (!err && *have_out && parts.sql)
		err = db->driver->run(db, &parts, 1);
	return err;
}

/* Whether to call renew() after migration `at`: it is the last, and the database had a schema
 * before. */
static bool is_renewal(const struct migrate_how *how, size_t at, size_t count, int64_t have)
{
	return how->renew && have && at + 1 == count;
}

/* Runs the migrations that the database needs, in the open transaction. */
static enum err migrations_apply(struct db *db, const struct migration *list, size_t count,
				 int64_t have, int64_t parts, const struct migrate_how *how,
				 struct buf *why)
{
	enum err err = OK;

	for (size_t i = (size_t)have; i < count && !err; i++) {
		err = migration_apply(db, &list[i], parts, how->now);
		if (!err && is_renewal(how, i, count, have))
			err = how->renew(db, have, how->now, how->folded, why);
		if (err && !why->len)
			migration_fail(db, err, why, list[i].name);
	}
	return err;
}

enum err migrate(struct db *db, const struct migration *list, size_t count,
		 const struct migrate_how *how, struct buf *why)
{
	int64_t have = 0, parts = how->partitions;
	enum err err = migrations_prepare(db, count, &have, &parts, why);

	if (err || have == (int64_t)count)
		return err;
	/* Runs all of them or none: no version of docket knows a schema in between. */
	err = db->driver->begin(db);
	if (err)
		return migration_fail(db, err, why, CANNOT_READ);
	err = migrations_apply(db, list, count, have, parts, how, why);
	if (!err) {
		err = db->driver->commit(db, NULL, 0);
		if (err)
			migration_fail(db, err, why, list[count - 1].name);
	}
	if (err)
		db->driver->rollback(db);
	return err;
}

enum err migrate_dry(struct db *db, const struct migration *list, size_t count,
		     const struct migrate_how *how, struct buf *why)
{
	int64_t have = 0, parts = 0;
	enum err err = migrations_prepare(db, count, &have, &parts, why);

	if (!err)
		err = db->driver->begin(db);
	if (!err)
		err = migrations_apply(db, list, count, have, parts, how, why);
	db->driver->rollback(db);
	return err;
}
