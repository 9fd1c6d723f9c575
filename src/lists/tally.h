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

/* Jumps over whole blocks of ids before the page, in the plan's direction. It lowers `*offset` by
 * the records in these blocks. `*found_out` false: no whole block is before the page. */
enum err tally_jump(struct list *list, const struct tally_sum *sum, uint64_t *offset,
		    struct list_position *position_out, bool *found_out);

#endif
