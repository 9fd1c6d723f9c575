/* SPDX-License-Identifier: MIT */
/* Numbered migrations. */
#ifndef PLACE_MIGRATE_H
#define PLACE_MIGRATE_H

#include "db/db.h"
#include "base/buf.h"
#include "sql/dialect.h"

struct folded;

struct migration {
	int number; /* from 1, without gaps */
	const char *name;
	const char *sql; /* with the markers of the dialect */
};

extern const struct migration *const migrations;
extern const size_t migration_count;

/* Runs a script that has markers of the dialect. */
enum err script_marked(struct db *db, const char *sql);
/* Makes the tables of every migration in the open transaction, but not the table `migration`.
 * `partitions`: the number of partitions; 0: none. */
enum err schema_make(struct db *db, unsigned partitions);
/* Makes the table `migration` if it is missing. It marks a database as docket's. */
enum err schema_mark(struct db *db);

/* The number of the database's last migration; 0: none. ERR_SCHEMA: it is above `count`.
 * ERR_NOT_FOUND, with an empty `why`: the database has no table `migration`, or that of another
 * program. */
enum err schema_read(struct db *db, size_t count, int64_t *have_out, struct buf *why);

struct migrate_how {
	unsigned partitions; /* of a new database; 0: none. An old one stays as it is */
	int64_t now;
	/* Called after the last migration, if the database had a schema before: `had`; or NULL. On
	 * an error it may say in `why` what is wrong. */
	enum err (*renew)(struct db *db, int64_t had, int64_t now, struct folded *folded_out,
			  struct buf *why);
	struct folded *folded; /* for renew() */
};

/* Runs all migrations of `list` that the database needs, in one transaction. ERR_SCHEMA: the
 * database is newer. */
enum err migrate(struct db *db, const struct migration *list, size_t count,
		 const struct migrate_how *how, struct buf *why);

/* The same in a transaction that is rolled back. */
enum err migrate_dry(struct db *db, const struct migration *list, size_t count,
		     const struct migrate_how *how, struct buf *why);

#endif
