/* SPDX-License-Identifier: MIT */
/* Reads, creates, changes and deletes records of any kind, one at a time or many.
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

/* Reads one record. ERR_TIMEOUT: it took longer than the time limit. */
struct record_read {
	struct store_read read;
	struct scope scope;
	enum record_kind kind;
	int64_t id;
	store_record_fn *on_record;
	void *record_context;
	bool found; /* once done */
};

void record_read_init(struct record_read *get, enum record_kind kind, struct arena *arena);

/* Creates, changes or deletes a record of any kind. */
enum record_action {
	RECORD_CREATE,
	RECORD_UPDATE,
	RECORD_DELETE,
};

/* The versions of a record in a condition, If-Match or If-None-Match (RFC 9110, section 13.1). */
struct versions {
	bool given; /* false: there is no condition */
	bool any;   /* any version */
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
	int64_t id;                    /* of a record to change or delete */
	struct versions if_match;      /* the versions that it may change */
	struct versions if_none_match; /* the versions that it must not change */
	/* A struct of the kind: the record to create, or zeroed. After success it is the stored
	 * record, or the record that was deleted. */
	void *record;
	/* To change a record, set one of the two: a patch, which is decoded under the account's
	 * lock and may add faults; or a struct of the kind, with the new values of the fields in
	 * `given`. */
	struct record_patch *patch;
	const void *changes;
	/* Sets of fields, by field_bit(): those that the request gave without a fault, and those at
	 * fault. A patch sets both. */
	uint64_t given, at_fault;

	/* Once done. */
	bool found;             /* the record exists */
	bool match_failed;      /* it has no version of if_match; nothing was stored */
	bool none_match_failed; /* it has a version of if_none_match; nothing was stored */
	bool unchanged;         /* it has these values already; nothing was stored */

	/* The store's own. */
	void *before; /* the stored record, to change or delete */
	void *asked;  /* the record to create, as the request gave it */
	struct references *names, *dependents;
	void *extra; /* what record_extra.read() has found; NULL: the kind has none */
};

void record_write_init(struct record_write *write, enum record_kind kind,
		       enum record_action action);

/* Creates and changes many records of one kind as one write: all or none. A fault of one is a fault
 * of the write, for example "operations[3].due_on". */
struct bulk_write {
	struct store_write write;
	/* Each has its own faults. No record may be in two of them. */
	struct record_write *operations;
	size_t count;
};

/* Call it when the operations are set, with the faults that decoding has found. */
void bulk_write_init(struct bulk_write *bulk, struct record_write *operations, size_t count);

/* Adds `count` faults of one operation to those of the write. Rules name their fields "task.due_on"
 * and so on; these become "operations[3].due_on". `first` is the list of the faults; it may have
 * fewer than `count`, because only the first ones are kept. */
void bulk_tell(const struct fault *first, size_t count, size_t operation, enum record_kind kind,
	       struct faults *faults);

#endif
