/* SPDX-License-Identifier: MIT */
/* The ways to gather: for each field with conditions, its index. */
#ifndef LISTS_CANDIDATES_H
#define LISTS_CANDIDATES_H

#include "lists_private.h"

/* The unit of costs is a row that is read from an index; to read the record as well costs
 * LOOKUP. */
#define LOOKUP 10

/* A way to gather: the conditions of one field, looked up in one index. */
struct candidate {
	const struct field *field;
	const struct list_index *index; /* NULL: a text index */
	const struct field *second;     /* of it; or NULL */
	bool range;                     /* false: its matches keep the order of the index */
	bool covered;                   /* its index covers the query */
	int64_t count;
};

/* Finds the candidates of the list's conditions. Returns how many there are. */
size_t candidates_find(const struct list *list, struct candidate candidates[64]);
/* Counts what each candidate would gather, up to the cost `cap`, and finds the cheapest. Candidates
 * that usually find little come first. */
enum err candidates_count(struct list *list, struct candidate *candidates, size_t count,
			  int64_t cap, struct candidate **best_out);
/* The cost to gather a candidate. */
int64_t candidate_cost(const struct candidate *candidate);
/* The plan that gathers what `candidate` finds; NULL: all records. */
void candidate_gather(const struct list *list, const struct candidate *candidate,
		      struct list_plan *plan);
/* Whether the index covers the query, so that the record need not be read. `lead`: the field whose
 * conditions the index looks up. */
bool list_index_covers(const struct list_plan *plan, const struct list_index *index,
		       const struct field *lead);

#endif
