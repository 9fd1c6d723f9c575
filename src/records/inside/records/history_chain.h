/* SPDX-License-Identifier: MIT */
/* Verifies the chains of the history. The hash of each entry is over its contents and the hash of
 * the entry before. The account has the hash of its last entry. */
#ifndef RECORDS_HISTORY_CHAIN_H
#define RECORDS_HISTORY_CHAIN_H

#include "records/history_row.h"

/* The first entry of an account that does not fit; those behind it cannot be verified. `change`
 * ID_NONE: all entries are missing. */
struct history_break {
	int64_t account_id, change;
	const char *what; /* "is not as it was written" */
};

/* An error ends the walk and is its outcome. It must not use the connection. */
typedef enum err history_break_fn(void *context, const struct history_break *found);

/* Verifies the chains of all accounts, except of those that are being removed. Call it in a
 * transaction. `plain`: the entries are from before HISTORY_DIGESTS_SCHEMA. */
enum err history_verify(struct db *db, bool plain, history_break_fn *on_break, void *context);

#endif
