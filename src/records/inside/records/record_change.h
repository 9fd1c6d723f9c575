/* SPDX-License-Identifier: MIT */
/* The statements of a change of one record, for any write that makes or changes records. */
#ifndef RECORDS_RECORD_CHANGE_H
#define RECORDS_RECORD_CHANGE_H

#include "records/records.h"
#include "store/state.h"

/* Fills in what follows from the rest of a record, before it is written. */
enum err record_derive(struct store_write *write, enum record_kind kind, void *record,
		       const void *before);
/* Comes first in step one of a write that creates a record: record_insert() fills the record in, so
 * that another run must begin with the record as it was asked for. `asked` is NULL before the first
 * run. */
enum err record_begin(struct store_write *write, enum record_kind kind, void *record, void **asked);
/* Lists what creates a record: its row, its lists, its history. `record` must live until the calls
 * were run. An id of ID_NONE gets the next one, a time of creation of TIME_NONE is now. */
enum err record_insert(struct store_write *write, enum record_kind kind, void *record,
		       struct calls *calls);
/* The same for a copy of `sample` in the write's arena, created now. */
enum err record_insert_copy(struct store_write *write, enum record_kind kind, const void *sample,
			    struct calls *calls);
/* Lists what changes a record: its row, its lists, its history. `record` is whole, as it is to be,
 * `before` as it is; both must live until the calls were run. */
enum err record_update(struct store_write *write, enum record_kind kind, void *record,
		       const void *before, struct calls *calls);
/* Lists what deletes a record that nothing else names. */
enum err record_delete(struct store_write *write, enum record_kind kind, const void *before,
		       struct calls *calls);

#endif
