/* SPDX-License-Identifier: MIT */
/* The cache of records: keeps records as the API answers them, so that most reads need neither
 * SQLite nor an encoding. It is for a folder, which one process serves and one thread writes.
 *
 *	const struct record_key key = {account_id, RECORD_TASK, 24};
 *	uint64_t seen = record_cache_seen(cache); // before the snapshot of the read begins
 *	struct cached_record *found = record_cache_find(cache, &key, seen);
 *
 *	if (found) {
 *		buf_add_slice(out, found->json);
 *		cached_record_drop(found);
 *	} else {
 *		// read and encode it
 *		record_cache_keep(cache, &key, seen, change, json);
 *	}
 *
 * Batches of writes have rising numbers. Each place of the cache has a mark: the number of the last
 * batch that changed a record of the place. The writer sets the marks before it commits the batch.
 * When the commit has ended, it counts the batch as ended. A reader notes the last batch that had
 * ended before its snapshot began; the snapshot has the changes of all batches up to that one.
 *
 * If the mark of a place is greater than what the reader noted, then nobody knows whether the
 * snapshot has the change: the reader keeps nothing and finds nothing there. A kept record has the
 * mark of its place, and is found only while the place has the same mark. So the writer removes
 * nothing.
 *
 * A create sets no mark: the cache never keeps that a record is missing.
 *
 * Any thread may call these functions, but only the one writer calls the begin and the end of a
 * commit. A cache of NULL keeps and finds nothing. */
#ifndef CACHE_RECORD_CACHE_H
#define CACHE_RECORD_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "model/records.h"

struct record_cache;

struct record_key {
	int64_t account_id;
	enum record_kind kind;
	int64_t id;
};

/* A record that was found. It does not change, and lives until cached_record_drop(). */
struct cached_record {
	struct slice json;
	int64_t id, change;
};

/* For `seen`, if the answer shows a single record: the present version, whatever it is. */
#define SEEN_NOW UINT64_MAX

/* `limit` is the most bytes that the cache takes, with all that it needs. NULL: memory has run
 * out. */
struct record_cache *record_cache_new(size_t limit);
/* NULL is accepted. No record may be in use. */
void record_cache_free(struct record_cache *cache);

/* The last batch that has ended. */
uint64_t record_cache_seen(const struct record_cache *cache);

/* Finds a record in the version that a snapshot has. Call it after the snapshot has begun. The
 * snapshot began after `seen`. NULL: the caller must read the record. */
struct cached_record *record_cache_find(struct record_cache *cache, const struct record_key *key,
					uint64_t seen);
void cached_record_drop(struct cached_record *record);

/* Keeps a copy of a record that was read in a snapshot. The snapshot began after `seen`. */
void record_cache_keep(struct record_cache *cache, const struct record_key *key, uint64_t seen,
		       int64_t change, struct slice json);

/* The writer calls these before and after the commit of a batch, whatever its outcome. The keys are
 * those of the records that the batch changes or deletes. A key with the id ID_NONE stands for
 * every record of every account. */
void record_cache_begin_commit(struct record_cache *cache, const struct record_key *keys,
			       size_t count);
void record_cache_end_commit(struct record_cache *cache);

struct record_cache_load {
	size_t limit, bytes; /* bytes in use now */
	size_t records;      /* kept now, with those that are out of date */
	uint64_t hits, misses;
};

void record_cache_count(struct record_cache *cache, struct record_cache_load *load_out);

#endif
