/* SPDX-License-Identifier: MIT */
/* The replica of a served data folder: a folder on another disk that follows every commit.
 * docs/design/replica.md describes its files. backup/replica_restore.h is the way back.
 *
 * A process that serves:
 *
 *	const struct replica_config config = {.store = store, .dir = "/mnt/replica", .keep = 7};
 *
 *	err = replica_start(&config, &replica); // before the first store_submit()
 *	…
 *	store_stop(store);
 *	if (replica_stop(replica)) // writes what is left
 *		store_close(store); */
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

#endif
