/* SPDX-License-Identifier: MIT */
/* What a write of one kind of record does in addition to what every write does. */
#ifndef RECORDS_RECORD_EXTRA_H
#define RECORDS_RECORD_EXTRA_H

#include "records/records.h"
#include "sql/calls.h"

/* write->before is NULL for a create. Each function may be NULL. */
struct record_extra {
	/* A create reads what other creates change, so that they cannot run together. */
	bool creates_alone;
	/* Lists reads, once the new values are known. What they find is kept in write->extra. */
	enum err (*read)(struct record_write *write, struct calls *calls);
	/* Fills in fields of the changed record by what was read. */
	void (*derive)(struct record_write *write);
	/* Adds faults, when the reads are done. */
	void (*check)(struct record_write *write);
	/* Lists what must follow a change or a deletion. */
	enum err (*finish)(struct record_write *write, struct calls *calls);
};

/* record_staff.c */
extern const struct record_extra staff_extra;
/* record_task.c */
extern const struct record_extra task_extra;

#endif
