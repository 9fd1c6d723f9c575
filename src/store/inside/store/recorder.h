/* SPDX-License-Identifier: MIT */
/* Hands every commit of the writing connection of SQLite to a recorder, such as the replica.
 *
 * Each transaction also writes a mark into the database: the number of the commit, one more than
 * that of the commit before, and random digits. So two databases with the same mark have the same
 * state. A process that opens the database for writing removes the mark (place/). So a commit
 * without a recorder leaves a database without a mark.
 *
 *	struct store_recorder recorder = {.wants = wants, .committed = committed, .context = me};
 *
 *	err = recorder_start(store, &recorder); // before the first store_submit() */
#ifndef STORE_RECORDER_H
#define STORE_RECORDER_H

#include "store/state.h"

/* The last change number of an account that a commit changed. */
struct commit_account {
	int64_t id, last_change;
};

struct store_commit {
	int64_t number;
	int64_t at; /* by the clock of the store; never before that of an earlier commit */
	char mark[STORE_MARK_BYTES];
	const struct commit_account *accounts;
	size_t account_count;
	/* For apply() of db/db.h. ptr NULL: they were not recorded, because wants() was false, or
	 * because memory ran out. */
	struct slice changes;
};

/* The caller sets the first part. Both functions are called on the writer's thread, and must not
 * wait. */
struct store_recorder {
	/* Whether the changes of the next transaction are to be recorded. */
	bool (*wants)(void *context);
	/* Called after each commit. What `commit` points at lives until the function returns. */
	void (*committed)(void *context, const struct store_commit *commit);
	void *context;

	/* The store's own. */
	int64_t number, at; /* of the last commit */
	bool on;            /* the connection records */
	struct buf changes;
	struct buf accounts; /* of struct commit_account, changed by the open transaction */
	char mark[STORE_MARK_BYTES];
};

/* Writes the mark that the database had, or a first one. No write may have been submitted yet. */
enum err recorder_start(struct store *store, struct store_recorder *recorder);
/* After store_stop(). */
void recorder_end(struct store *store);

/* For the batch. Each accepts a store without a recorder. The first comes before the transaction
 * begins, the second for each account that it changes, the third adds the mark to its last
 * statements, and the last comes after the commit. */
void recorder_begin(struct store *store, struct db *db);
void recorder_note(struct store *store, int64_t account_id, int64_t last_change);
enum err recorder_mark(struct store *store, struct calls *calls);
void recorder_commit(struct store *store, struct db *db);

/* The number in a mark. False: it is no mark. */
bool mark_read(const char *mark, int64_t *number_out);

#endif
