/* SPDX-License-Identifier: MIT */
/* Folds: the form of texts by which they are searched, sorted and compared. */
#ifndef PLACE_FOLDS_H
#define PLACE_FOLDS_H

#include "store/state.h"

#define FOLDS_VERSION_BYTES 24
/* The version of Unicode of the database's folds; "": the folds have still to be made. */
enum err folds_version(struct db *db, char version[FOLDS_VERSION_BYTES]);
/* ERR_SCHEMA, with `why`: the folds have another version than this program. */
enum err folds_check(const struct store *store, struct db *db, struct buf *why);
struct folded {
	int64_t records, changed; /* all that were read, and those whose folds differ */
};
/* Makes the folds again, in the open transaction. */
enum err folds_make(struct db *db, struct folded *folded_out);
/* Counts how many records that would change; writes nothing. */
enum err folds_count(struct db *db, struct folded *folded_out);
/* If the folds have another version than this program, makes them again in one transaction and logs
 * it. After that, or if migrations have just made the folds (`migrated`), logs which user names
 * collide. */
enum err folds_bring_up(struct db *db, bool migrated, struct buf *why);
/* Computes the folds of a record. `after`, a struct of its kind, becomes the record with these
 * folds, whose texts are in the arena. `differ_out`: they differ from those of the record.
 * ERR_INVALID: a text is not UTF-8. */
enum err folds_of(enum record_kind kind, const void *record, struct arena *arena, void *after,
		  bool *differ_out);

#endif
