/* SPDX-License-Identifier: MIT */
/* Makes a database from a replica (replica/replica.h): the state of a moment.
 *
 *	const struct replica_until until = {.kind = REPLICA_TIME, .at = at};
 *
 *	err = replica_restore("/mnt/replica", &until, "new/docket.db", &report, &why); */
#ifndef BACKUP_REPLICA_RESTORE_H
#define BACKUP_REPLICA_RESTORE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* Up to where to restore. */
struct replica_until {
	enum {
		REPLICA_END,    /* the last commit of the replica */
		REPLICA_TIME,   /* the last commit at `at` or earlier */
		REPLICA_CHANGE, /* the last commit without a change of `account` above `change` */
	} kind;
	int64_t at;
	const char *account;
	int64_t change;
};

/* What a restore has done. Texts are in the arena. */
struct replica_report {
	struct arena *arena;
	int64_t generation;
	int64_t copied_at; /* the time of the last commit in the full copy, or of the copy */
	int64_t at;        /* the time of the last commit that was restored */
	int64_t commits;   /* commits that were replayed after the full copy */
	int64_t schema;
	int64_t last_change; /* REPLICA_CHANGE: the last change of the account */
	int64_t gap_end;     /* the replica has no state between `at` and this time; 0: it has */
	const char *damage;  /* names what is damaged, and where; NULL: nothing was found */
	/* That the last frame is incomplete, or that a later generation cannot be read; or NULL. */
	const char *note;
};

/* Writes the database of a moment to `path`, a file that must not exist. It is on stable storage.
 * It is not checked, and still has the mark of a state of the replica: the caller must call
 * era_begin() (place/era.h). `path` NULL: it only reads the files that it would
 * need, and fills the report. If a segment is damaged, it restores up to the damage, and
 * report->damage says so. The ids that later commits of the replica gave out count as given out in
 * the database (place/era.h). On an error `why` says why, and there is no file. ERR_NOT_FOUND: the
 * replica does not go back as far, or does not have the change. ERR_CORRUPT: no full copy that it
 * needs is sound. The caller sets report->arena. */
enum err replica_restore(const char *dir, const struct replica_until *until, const char *path,
			 struct replica_report *report, struct buf *why);

#endif
