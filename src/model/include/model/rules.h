/* SPDX-License-Identifier: MIT */
/* The rules of each kind of record that go over more than one field, in one table. What a record
 * names, and whether that is there, is in records/references.c. */
#ifndef MODEL_RULES_H
#define MODEL_RULES_H

#include "base/arena.h"
#include "base/err.h"
#include "model/records.h"

struct record_rules {
	/* What is wrong with a record as it is to be; `before` is as it is, NULL for a new one.
	 * Sets of fields by field_bit(): `given` came with a value that is fine in itself,
	 * `at_fault` is wrong already and is not judged again. NULL: nothing. */
	void (*check)(const void *record, const void *before, uint64_t given, uint64_t at_fault,
		      struct faults *faults);
	/* Fills in what follows from the rest. NULL: nothing. */
	enum err (*settle)(void *record, const void *before, const struct occasion *occasion);
};

extern const struct record_rules record_rules[RECORD_KINDS];

/* "case service" and so on, for messages. */
extern const char *const record_nouns[RECORD_KINDS];

#endif
