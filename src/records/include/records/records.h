/* SPDX-License-Identifier: MIT */
/* Records of any kind, one at a time or many: read, created, changed, deleted.
 *
 *	struct record_read get;
 *
 *	record_read_init(&get, RECORD_TASK, &arena);
 *	get.scope = *scope;
 *	get.id = 24;
 *	get.on_record = on_task;
 *	err = store_do(store, &get.read);
 *	if (!err && !get.found)
 *		return ERR_NOT_FOUND; */
#ifndef RECORDS_RECORDS_H
#define RECORDS_RECORDS_H

#include "model/records.h"
#include "store/store.h"

/* Reads one record. ERR_TIMEOUT past the budget. */
struct record_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	int64_t id;
	store_record_fn *on_record;
	void *record_context;
	bool found; /* when done */
};

void record_read_init(struct record_read *get, enum record_kind kind, struct arena *arena);

/* Creates, changes or deletes a record of any kind. */
enum record_action {
	RECORD_CREATE,
	RECORD_UPDATE,
	RECORD_DELETE,
};

/* Versions of a record, as a condition names them (RFC 9110, section 13.1). */
struct versions {
	bool given; /* else there is no condition */
	bool any;   /* any that is there */
	const int64_t *changes;
	size_t count;
};

bool versions_name(const struct versions *versions, int64_t change);

struct references;
struct record_patch;

struct record_write {
	struct store_write write;
	enum record_kind kind;
	enum record_action action;
	int64_t id;                    /* of one to be changed or deleted */
	struct versions if_match;      /* that it is for */
	struct versions if_none_match; /* that it is not for */
	/* A struct of the kind: what is to be created, or a zeroed one. On success it is the stored
	 * record; of one that was deleted, what it was. */
	void *record;
	/* Of one that is changed, one of the two: the patch, which is decoded under the account's
	 * lock and may add faults; or a struct of the kind, of which the fields in `given` are what
	 * they are to be. */
	struct record_patch *patch;
	const void *changes;
	/* By field_bit(): the fields that came with a value and without a fault, and those that are
	 * at fault. A patch sets them. */
	uint64_t given, at_fault;

	/* When done. */
	bool found;             /* there is such a record */
	bool match_failed;      /* it has none of if_match; nothing was stored */
	bool none_match_failed; /* it has one of if_none_match; nothing was stored */
	bool unchanged;         /* it was so already; nothing was stored */

	/* The store's own. */
	void *before; /* of one that is changed or deleted */
	void *asked;  /* of one that is created: the record as it came */
	struct references *names, *dependents;
	struct username_other *username; /* of a staff member whose user name is new, or NULL */
	int64_t others;                  /* staff members with full access besides it */
};

void record_write_init(struct record_write *write, enum record_kind kind,
		       enum record_action action);

/* Creates and changes of one kind as one write: all of them or none. What is wrong with one is a
 * fault of the whole, as "operations[3].due_on". */
struct bulk_write {
	struct store_write write;
	/* Each with its own faults; a record may be named once. */
	struct record_write *operations;
	size_t count;
};

/* When the operations are set, and hold the faults of their form. */
void bulk_write_init(struct bulk_write *bulk, struct record_write *operations, size_t count);

/* Adds the faults of one operation, from `first` on, to those of the whole: those of rules, which
 * know the record by its name alone, as of that operation. */
void bulk_tell(const struct fault *first, size_t operation, enum record_kind kind,
	       struct faults *faults);

#endif
