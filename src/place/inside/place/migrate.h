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

/* Runs statements that have markers in them. */
enum err script_marked(struct db *db, const char *sql);
/* In the transaction that is open: makes the tables of every migration, partitioned into so many
 * parts unless 0, but not `migration`. */
enum err schema_make(struct db *db, unsigned partitions);
/* Makes the table `migration` where it is missing: what says that a database is one of docket's. */
enum err schema_mark(struct db *db);

/* The number of the database's last migration, 0 for none. ERR_SCHEMA where it is above `count`,
 * ERR_NOT_FOUND, without a word, where the database has no table of them, or another program's. */
enum err schema_read(struct db *db, size_t count, int64_t *have_out, struct buf *why);

struct migrate_how {
	const char
		*copy_to; /* where there was a schema before, a checked copy comes first; or NULL */
	bool *copied;     /* set when that copy is whole; or NULL */
	unsigned partitions; /* of a new database, unless 0; an old one stays as it is */
	int64_t now;
	/* What the last one does besides to a database that had a schema before; or NULL. */
	enum err (*renew)(struct db *db, int64_t now, struct folded *folded_out);
	struct folded *folded; /* what that has done */
};

/* Brings the database to the last of `list`, in one transaction. ERR_SCHEMA where the database is
 * newer. */
enum err migrate(struct db *db, const struct migration *list, size_t count,
		 const struct migrate_how *how, struct buf *why);

/* The same in one transaction, which is taken back. */
enum err migrate_dry(struct db *db, const struct migration *list, size_t count,
		     const struct migrate_how *how, struct buf *why);

#endif
