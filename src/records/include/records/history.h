/* SPDX-License-Identifier: MIT */
/* Reads the history of an account. */
#ifndef RECORDS_HISTORY_H
#define RECORDS_HISTORY_H

#include "records/history_entry.h"
#include "store/store.h"

/* Called for each entry. The entry and its texts live until the function returns. An error ends the
 * read and is its outcome. */
typedef enum err history_fn(void *context, const struct history_entry *entry);

/* The most bytes of values that one read brings; it brings one value even if that is longer. In the
 * history of one record a value counts twice, because the answer shows each field before and after
 * the change. An entry may have some 400 KB, and a client may ask for a thousand. */
#define HISTORY_BYTES (1 << 20)

/* Reads the entries of an account or of one record, in the order of their changes, after `since`.
 * For a record, its last entry up to `since` comes before them. Stops after `limit` entries, or at
 * HISTORY_BYTES, but reads at least one. */
struct history_read {
	struct store_read read;
	struct scope scope;
	const struct record_type *type; /* NULL: entries of all records */
	int64_t record_id;              /* unless `type` is NULL */
	int64_t since;                  /* only changes after this one; 0: all */
	int64_t limit;
	void (*on_begin)(void *context); /* drops what an earlier run brought; or NULL */
	history_fn *on_entry;
	void *entry_context;

	/* Once done. */
	int64_t last_change; /* the last change of the account */
	int64_t last;        /* of the last entry that was read; `since`: none was */
	bool more;           /* more entries follow */

	/* The store's own. */
	int64_t count, rows;
	size_t bytes;
};

void history_read_init(struct history_read *history, struct arena *arena);

#endif
