/* SPDX-License-Identifier: MIT */
/* Answers from the tallies (model/tally.h): how many records match, and where a page by number
 * begins. */
#ifndef LISTS_TALLY_H
#define LISTS_TALLY_H

#include "lists_private.h"
#include "model/tally.h"

/* The tallies whose sum is the number of records that match. */
struct tally_sum {
	enum tally_field field;
	const int64_t *values;
	size_t count; /* of `values`; 0: all values */
};

/* Finds the tallies of the records for which the conditions hold. False: there are none. */
bool tally_find(enum record_kind kind, const struct condition *conditions, size_t count,
		struct tally_sum *sum_out);

enum err tally_count(struct list *list, const struct tally_sum *sum, int64_t *count_out);

/* The block of ids in which a page by number begins. */
struct tally_place {
	int64_t first;   /* the least id that it can have */
	uint64_t count;  /* records of the block */
	uint64_t offset; /* those of them that come before the page, in the plan's direction */
};

/* Finds where the page with `offset` records before it begins, in the order of ids. `*found_out`
 * false: there are not so many records. */
enum err tally_jump(struct list *list, const struct tally_sum *sum, uint64_t offset,
		    struct tally_place *place_out, bool *found_out);

#endif
