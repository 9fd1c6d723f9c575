/* SPDX-License-Identifier: MIT */
/* Many writes in one transaction. */
#ifndef STORE_BATCH_H
#define STORE_BATCH_H

#include "store/state.h"

/* Writes that wait, in their order. */
TAILQ_HEAD(write_queue, store_write);

/* By which it can be told whether a batch was committed. */
struct commit_mark {
	int64_t account_id; /* ID_NONE: it cannot */
	int64_t change;
	unsigned char head[DIGEST_BYTES]; /* the hash of that change */
	struct slice request_id;          /* that made it, or none */
	bool found;
};
/* Runs writes in one transaction; a failure of the kind `known` was told already. */
enum err batch_run(struct store *store, struct db *db, struct store_write **writes, size_t count,
		   enum err known, struct commit_mark *mark_out);
/* Finds out whether it is there, and makes sure that it stays. */
enum err batch_resolve(struct store *store, struct db *db, struct commit_mark *mark);

#endif
