/* SPDX-License-Identifier: MIT */
/* Reads the history of an account. */
#ifndef RECORDS_HISTORY_H
#define RECORDS_HISTORY_H

#include "records/history_entry.h"
#include "store/store.h"

/* Called for each entry. The entry and its texts live until the function returns. An error ends the
 * read and is its outcome. */
typedef enum err history_fn(void *context, const struct history_entry *entry);

/* Reads the entries of an account or of one record, in the order of their changes, after `since` up
 * to `until`. For a record, its last entry up to `since` comes before them. Stops after `limit`
 * entries. Stops earlier if a quarter of the time limit of a read has passed, but reads at least
 * one: an entry may have some 400 KB, and a client may ask for a thousand. */
struct history_read {
	struct store_read read;
	struct scope scope;
	const struct record_type *type; /* NULL: entries of all records */
	int64_t record_id;              /* unless `type` is NULL */
	int64_t since;                  /* only changes after this one; 0: all */
	int64_t until;                  /* only changes up to this one; INT64_MAX: all */
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

/* Sets `until` to INT64_MAX. */
void history_read_init(struct history_read *history, struct arena *arena);

#endif
