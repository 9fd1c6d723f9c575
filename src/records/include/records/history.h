/* SPDX-License-Identifier: MIT */
/* Reads the history of an account. */
#ifndef RECORDS_HISTORY_H
#define RECORDS_HISTORY_H

#include "records/history_entry.h"
#include "store/store.h"

/* An error ends the reading and is returned. The entry and its texts live until the call returns.
 */
typedef enum err history_fn(void *context, const struct history_entry *entry);

/* Of the values of one reading: an entry may have some 400 KB, and whoever asks for a thousand has
 * no use for all of them at once, nor has a thread the time. */
#define HISTORY_BYTES (4 << 20)

/* Reads entries in their order: of the account, or of one record and then with the last one that is
 * not behind `since` before them. It ends at `limit` entries, and at HISTORY_BYTES, but not before
 * the first. */
struct history_read {
	struct store_read read;
	struct scope scope;
	const struct record_type *type; /* NULL: of every record */
	int64_t record_id;              /* where `type` is one */
	int64_t since;                  /* behind this change; 0: from the first */
	int64_t limit;
	void (*on_begin)(void *context); /* what an earlier run has brought is void; or NULL */
	history_fn *on_entry;
	void *entry_context;

	/* When done. */
	int64_t last_change; /* of the account */
	int64_t last;        /* of the entries that were read; `since` where there were none */
	bool more;           /* others follow them */

	/* The store's own. */
	int64_t count, rows;
	size_t bytes;
};

void history_read_init(struct history_read *history, struct arena *arena);

#endif
