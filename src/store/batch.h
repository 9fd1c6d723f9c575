/* SPDX-License-Identifier: MIT */
/* Runs many writes in one transaction. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/state.h"

/* The last change of a batch, by which batch_resolve() finds out whether the batch was
 * committed. */
struct commit_mark {
	int64_t account_id; /* ID_NONE: the batch made no change */
	int64_t change;
	unsigned char head[DIGEST_BYTES]; /* the hash of that change */
	struct slice request_id;          /* of the request that made it, or empty */
	bool found;
	enum job_lock lock; /* what the transaction waited for when it failed */
	char message[256];  /* the message of the database about an error */
};

/* Runs writes in one transaction. If another session has locked an account and `waits` is false,
 * the account's writes are left out, and their job.lock is set. */
enum err batch_run(struct store *store, struct db *db, struct store_write **writes, size_t count,
		   bool waits, struct commit_mark *mark_out);
/* Runs statements in a transaction of their own. */
enum err batch_run_calls(struct store *store, struct db *db, const struct db_call *calls,
			 size_t count);
/* Sets mark->found: whether the database has the change. The commit of this transaction waits for a
 * synchronous standby. So a change that was found is durable. */
enum err batch_resolve(struct store *store, struct db *db, struct commit_mark *mark);

#endif
