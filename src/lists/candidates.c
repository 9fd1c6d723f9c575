/* SPDX-License-Identifier: MIT */
/* Finds the ways to gather, and counts what each would gather. */
#include "candidates.h"

#include "base/text.h"
#include "tally.h"

#define TRIGRAM 3

/* Whether an index can look up the condition: a text index needs a needle of three characters. */
static bool condition_is_indexed(const struct condition *condition)
{
	return condition->op != FILTER_CONTAINS || ((condition->field->flags & FIELD_SEARCHED) &&
						    text_chars(condition->text) >= TRIGRAM);
}

/* Whether the index has what the query needs of a field. */
static bool index_has_field(const struct list_index *index, const struct field *field,
			    const struct condition *condition)
{
	/* The id is in every index; whether a list has a member is looked up by the id. */
	if (list_field_is_called(field, "id") || (field->link && condition && !condition->none))
		return true;
	if (index && (list_field_is_called(field, index->field) ||
		      list_field_is_called(field, index->second)))
		return true;
	for (size_t i = 0; index && i < FIELD_COUNT(index->covers) && index->covers[i]; i++)
		if (list_field_is_called(field, index->covers[i]))
			return true;
	return false;
}

bool list_index_covers(const struct list_plan *plan, const struct list_index *index,
		       const struct field *lead)
{
	bool covered = index_has_field(index, plan->sort, NULL);

	for (size_t i = 0; i < plan->condition_count; i++)
		covered &= plan->conditions[i].field == lead ||
			   index_has_field(index, plan->conditions[i].field, &plan->conditions[i]);
	return covered;
}

/* Prefers an index whose second field has conditions as well. */
static void candidate_choose_index(const struct list *list, struct candidate *candidate)
{
	for (size_t i = 0; i < list->plan.condition_count && !candidate->index; i++) {
		candidate->second = list->plan.conditions[i].field;
		candidate->index = list_find_index(list->kind, candidate->field, candidate->second);
	}
	if (!candidate->index) {
		candidate->second = NULL;
		candidate->index = list_find_index(list->kind, candidate->field, NULL);
	}
}

/* Keeps candidates in the order of their indexes, text indexes last. */
static void candidate_insert(const struct candidate *candidate, struct candidate candidates[64],
			     size_t count)
{
	size_t at = count;

	for (; at && candidate->index &&
	       (!candidates[at - 1].index || candidates[at - 1].index > candidate->index);
	     at--)
		candidates[at] = candidates[at - 1];
	candidates[at] = *candidate;
}

size_t candidates_find(const struct list *list, struct candidate candidates[64])
{
	const struct list_plan *plan = &list->plan;
	size_t count = 0;

	for (size_t i = 0; i < plan->condition_count; i++) {
		const struct condition *condition = &plan->conditions[i];
		struct candidate candidate = {.field = condition->field};
		size_t known = 0;

		while (known < count && candidates[known].field != condition->field)
			known++;
		if (known < count || !condition_is_indexed(condition))
			continue;
		if (condition->op != FILTER_CONTAINS)
			candidate_choose_index(list, &candidate);
		candidate.range = condition->op != FILTER_ANY || !list_keeps_order(condition);
		candidate.covered = candidate.index &&
				    list_index_covers(plan, candidate.index, candidate.field);
		candidate_insert(&candidate, candidates, count++);
	}
	return count;
}

void candidate_gather(const struct list *list, const struct candidate *candidate,
		      struct list_plan *plan)
{
	*plan = list->plan;
	plan->lead = candidate ? candidate->field : NULL;
	plan->index = candidate ? candidate->index : NULL;
	plan->second = candidate ? candidate->second : NULL;
}

int64_t candidate_cost(const struct candidate *candidate)
{
	return candidate->count * (candidate->covered ? 1 : LOOKUP);
}

/* For candidates of the same cost: a covering index is the cheapest, a text index the most
 * expensive. */
static int candidate_rank(const struct candidate *candidate)
{
	return candidate->covered ? 2 : candidate->index ? 1 : 0;
}

/* Counts what a candidate would gather, up to the cost `cap`. */
static enum err candidate_count(struct list *list, struct candidate *candidate, int64_t cap)
{
	struct list_plan plan;
	struct tally_sum sum;

	candidate_gather(list, candidate, &plan);
	for (size_t i = 0; i < plan.condition_count && !candidate->second; i++)
		if (plan.conditions[i].field == candidate->field &&
		    tally_find(list->kind, &plan.conditions[i], 1, &sum))
			return tally_count(list, &sum, &candidate->count);
	plan.lead_only = plan.repeats = true;
	plan.after = NULL;
	return list_count_by(list, &plan, (uint64_t)(candidate->covered ? cap : cap / LOOKUP),
			     &candidate->count);
}

enum err candidates_count(struct list *list, struct candidate *candidates, size_t count,
			  int64_t cap, struct candidate **best_out)
{
	struct candidate *best = NULL;

	for (size_t i = 0; i < count; i++) {
		enum err err = candidate_count(list, &candidates[i], cap);

		if (err)
			return err;
		if (!best || candidate_cost(&candidates[i]) < candidate_cost(best) ||
		    (candidate_cost(&candidates[i]) == candidate_cost(best) &&
		     candidate_rank(&candidates[i]) > candidate_rank(best)))
			best = &candidates[i];
		/* No need to count beyond the best. LOOKUP keeps `cap / LOOKUP` above 0. */
		if (candidate_cost(best) < cap)
			cap = candidate_cost(best) + LOOKUP;
	}
	*best_out = best;
	return OK;
}
