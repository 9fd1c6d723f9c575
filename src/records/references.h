/* SPDX-License-Identifier: MIT */
/* Rules between records. Checks whether the records that a record names exist and fit, whether a
 * unique value is taken, and whether other records depend on what a change removes. */
#ifndef RECORDS_REFERENCES_H
#define RECORDS_REFERENCES_H

#include "records/records.h"
#include "store/state.h"

/* What the reads of one write found. Zeroed, it is ready for use. */
struct references {
	struct reference_fact *facts; /* in the order of the reads */
	size_t count, room;
};

/* Lists the reads for a new or changed record: of the records that it names, and of other records
 * that have its value of a unique field in `given`. The record must live until the calls were
 * run. */
enum err references_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *record, uint64_t given,
			 struct calls *calls);

/* Adds faults, but only for fields in `valid`: the others are at fault already. */
void references_check(const struct references *references, enum record_kind kind,
		      const struct record *record, uint64_t valid, struct faults *faults);

/* Lists the reads that count dependent records. If `after` is NULL, the write deletes the record:
 * counts the records that name it. Otherwise counts the records that need a value that `after` no
 * longer has. */
enum err dependents_read(struct references *references, struct store_write *write,
			 enum record_kind kind, const struct record *before,
			 const struct record *after, struct calls *calls);

/* Adds faults for what other records depend on, with the number of these records. */
void dependents_check(const struct references *references, enum record_kind kind,
		      struct faults *faults);

#endif
