/* SPDX-License-Identifier: MIT */
/* What texts are searched, sorted and compared by. */
#ifndef PLACE_FOLDS_H
#define PLACE_FOLDS_H

#include "store/state.h"

#define FOLDS_VERSION_BYTES 24
/* The version of Unicode that they are by; "" where they are to be made. */
enum err folds_version(struct db *db, char version[FOLDS_VERSION_BYTES]);
/* ERR_SCHEMA, and `why`, where they are not by this program's version. */
enum err folds_check(const struct store *store, struct db *db, struct buf *why);
struct folded {
	int64_t records, changed; /* looked at, and those that fold otherwise */
};
/* In the transaction that is open: makes them anew. */
enum err folds_make(struct db *db, struct folded *folded_out);
/* How many that would change; it writes nothing. */
enum err folds_count(struct db *db, struct folded *folded_out);
/* Makes them anew where they are not by this program's version, in one transaction, and logs it.
 * After that, or where migrations have just made them, it logs which user names collide. */
enum err folds_bring_up(struct db *db, bool migrated, struct buf *why);
/* What a record's folds are to be: `after`, a struct of its kind, is the record with them, whose
 * texts are in the arena. ERR_INVALID where a text is not UTF-8. */
enum err folds_of(enum record_kind kind, const void *record, struct arena *arena, void *after,
		  bool *differ_out);

#endif
