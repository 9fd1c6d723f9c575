/* SPDX-License-Identifier: MIT */
/* The replica of a served data folder: a folder on another disk that follows every commit, and the
 * way back from it to a database. docs/design/replica.md describes its files.
 *
 * A process that serves:
 *
 *	const struct replica_config config = {.store = store, .dir = "/mnt/replica", .keep = 7};
 *
 *	err = replica_start(&config, &replica); // before the first store_submit()
 *	…
 *	store_stop(store);
 *	if (replica_stop(replica)) // writes what is left
 *		store_close(store);
 *
 * A command that restores the state of a moment:
 *
 *	const struct replica_until until = {.kind = REPLICA_TIME, .at = at};
 *
 *	err = replica_restore("/mnt/replica", &until, "new/docket.db", &report, &why); */
#ifndef REPLICA_REPLICA_H
#define REPLICA_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/timefmt.h"

struct replica;
struct store;

#define REPLICA_WORDS_BYTES 256

/* How the replica's files are written; both are as write(2) and fdatasync(2). */
struct replica_io {
	ssize_t (*write)(int fd, const void *bytes, size_t len);
	int (*sync)(int fd);
};

struct replica_config {
	struct store *store; /* of a data folder */
	const char *dir;     /* must exist; only the replica of one database may be in it */
	unsigned keep;       /* how many generations to keep, 1 or more */

	/* For tests; 0 or NULL: the default. */
	int64_t period_s;   /* how long a generation lasts; a day */
	size_t queue_bytes; /* how much may wait in memory for the target */
	int64_t retry_ms;   /* the first pause after a failure */
	const struct replica_io *io;
};

/* Starts the thread that writes the replica. No write may have been submitted to the store yet. A
 * target that is missing or fails is no error: it is logged, and tried again. ERR_NOMEM, or an
 * error of the database. */
enum err replica_start(const struct replica_config *config, struct replica **replica_out);

/* Before an upgrade: if the replica does not end with the state of the database, begins and
 * completes a generation with it. Does nothing for a database that never had a replica. The store
 * has its writing connection, and nobody writes. `schema` and `mark`: those of the database. On an
 * error `why` says why. */
enum err replica_before_upgrade(struct store *store, const char *dir, unsigned keep, int64_t schema,
				const char *mark, struct buf *why);

/* Writes what waits, and ends the thread. Call it after store_stop(). False: the target does not
 * answer for some seconds. Then the thread still runs, and the store must not be closed. NULL is
 * accepted. */
bool replica_stop(struct replica *replica);

enum replica_state {
	REPLICA_STARTING,  /* no generation is complete yet: the first full copy is under way */
	REPLICA_FOLLOWING, /* every commit reaches the target */
	REPLICA_FAILING,   /* the target fails; it is tried again */
};

struct replica_counters {
	enum replica_state state;
	int64_t generation;    /* the number of the newest complete one; 0: none */
	int64_t lag_ms;        /* the age of the oldest commit that is not in the replica */
	int64_t lag_commits;   /* how many commits are not */
	int64_t written_bytes; /* of segments, since the start */
	int64_t commits;       /* commits in segments, since the start */
	int64_t failures;      /* since the start */
	int64_t synced_at;     /* the last fdatasync(2) of a segment; TIME_NONE: none */
	bool copying;          /* a full copy is under way */
	char error[REPLICA_WORDS_BYTES]; /* the last failure; "": none */
};

void replica_count(struct replica *replica, struct replica_counters *counters_out);

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
	const char *damage;  /* names what is damaged, and where; NULL: nothing was found */
	const char *note;    /* that the last frame is incomplete; or NULL */
};

/* Writes the database of a moment to `path`, a file that must not exist. It is on stable storage.
 * It is not checked, and still has the mark of a state of the replica: the caller must call
 * era_begin() (place/era.h). `path` NULL: it only reads the files that it would
 * need, and fills the report. If a segment is damaged, it restores up to the damage, and
 * report->damage says so. On an error `why` says why, and there is no file. ERR_NOT_FOUND: the
 * replica does not go back as far, or does not have the change. ERR_CORRUPT: no full copy that it
 * needs is sound. The caller sets report->arena. */
enum err replica_restore(const char *dir, const struct replica_until *until, const char *path,
			 struct replica_report *report, struct buf *why);

#endif
