/* SPDX-License-Identifier: MIT */
/* What records name of each other: whether it is there and fits, that only one record has what only
 * one may have, and what stands in the way of a change because others depend on it. */
#ifndef RECORDS_REFERENCES_H
#define RECORDS_REFERENCES_H

#include "records/records.h"
#include "store/state.h"

/* What was found out for one write. Zeroed, it is ready for use. */
struct references {
	struct reference_fact *facts; /* in the order in which they were asked for */
	size_t count, room;
};

/* Lists the reads for a record as it is to be: of what it names and, where they are in `given`, of
 * fields that only one record may have. The record must live until the calls were run. */
enum err references_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *record, uint64_t given,
			 struct calls *calls);

/* Adds what is wrong: of fields in `valid`, as one that is at fault already is not judged again. */
void references_check(const struct references *references, enum record_kind kind,
		      const struct record *record, uint64_t valid, struct faults *faults);

/* Lists the reads of how much depends on what is about to go: on the record, where `after` is NULL,
 * or on what is otherwise in `after`. */
enum err dependents_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *before,
			 const struct record *after, struct calls *calls);

/* Adds what stands in its way, with how much it is. */
void dependents_check(const struct references *references, enum record_kind kind,
		      struct faults *faults);

#endif
