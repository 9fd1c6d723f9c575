/* SPDX-License-Identifier: MIT */
/* Lists the statements that create, change or delete a record, for all writes that do so. */
#ifndef RECORDS_RECORD_CHANGE_H
#define RECORDS_RECORD_CHANGE_H

#include "records/records.h"
#include "store/state.h"

/* Fills in the fields that are derived from others, before the record is written. Adds a fault if
 * one cannot be. */
enum err record_derive(struct store_write *write, enum record_kind kind, void *record,
		       const void *before);
/* Call it first in step one of a write that creates a record. record_insert() changes the record,
 * but each run must start with the record as it was given. So the first run copies the record to
 * `*asked`, which must be NULL before, and each later run restores it. */
enum err record_begin(struct store_write *write, enum record_kind kind, void *record, void **asked);
/* Lists what creates a record: its row, its lists, its history. `record` must live until the calls
 * were run. ID_NONE becomes the next id; a created_at of TIME_NONE becomes the time of the
 * write. */
enum err record_insert(struct store_write *write, enum record_kind kind, void *record,
		       struct calls *calls);
/* The same for a copy of `sample` in the write's arena, with the time of the write. */
enum err record_insert_copy(struct store_write *write, enum record_kind kind, const void *sample,
			    struct calls *calls);
/* Lists what changes a record: its row, its lists, its history. `record` is the complete new
 * record, `before` the stored one. Both must live until the calls were run. */
enum err record_update(struct store_write *write, enum record_kind kind, void *record,
		       const void *before, struct calls *calls);
/* Lists what deletes a record that no other record names. */
enum err record_delete(struct store_write *write, enum record_kind kind, const void *before,
		       struct calls *calls);

#endif
