/* SPDX-License-Identifier: MIT */
/* Reads old and present versions of records from the history. So an answer can show versions that
 * were changed or deleted since. */
#ifndef RECORDS_VERSIONS_READ_H
#define RECORDS_VERSIONS_READ_H

#include "store/store.h"

struct record_version {
	const struct record_type *type;
	int64_t id, change;
};

struct versions_read {
	struct store_read read;
	struct scope scope;
	const struct record_version *versions; /* one may come several times */
	size_t count;

	/* When done: each record as JSON, in the read's arena. read.err is ERR_CORRUPT if a change
	 * in the history is of another record. */
	struct slice *values;
	size_t found; /* less than `count` if the history lacks a version */
};

void versions_read_init(struct versions_read *versions, struct arena *arena);

#endif
