/* SPDX-License-Identifier: MIT */
/* Chooses how the ids of a list are read.
 *
 * There are two ways. To walk is to read in the requested order and leave out what does not match:
 * right if much matches. To gather is to read what one filter finds and sort it: right if little
 * matches. Neither is always right. So the matches of each filter are counted, up to a cap, and a
 * walk that would become long is given up. */
#include <assert.h>

#include "bits.h"
#include "candidates.h"
#include "tally.h"

/* The unit of costs is a row that is read from an index (see candidates.h). If gathering by a
 * filter costs less than GATHER, no walk is tried. After a walk was given up, filters are counted
 * again, up to COUNT_AGAIN times as many rows. */
#define GATHER 50000
#define COUNT_AGAIN 100
/* If more records than DEEP come before the page, gathering may cost DEEP_MORE times as much. */
#define DEEP 2000
#define DEEP_MORE 4
/* If more records come before the page, no walk is tried where sets of ids can be made. */
#define DEEP_WALK 10000

/* The length of the first stretch of a walk: STRETCH_COVERED if the index covers the query, STRETCH
 * if each record has to be read. Every stretch is twice as long as the one before. After PATIENCE
 * stretches the walk goes on only if the matches so far promise a full page by the last stretch. */
#define STRETCH_COVERED 4000
#define STRETCH 500
#define STRETCHES 6
#define PATIENCE 4
#define WALK_MAX (1 << 20) /* ids that a walk may keep; a deeper page is gathered */

/* So few records of a set are sorted; a larger set is used to walk. */
#define FEW 1000

enum err list_run_text(struct list *list, struct list_text *text, db_row_fn *on_row, void *context)
{
	const struct db_call call = {text->sql.ptr, text->args, text->arg_count,
				     on_row,        context,    .once = true};
	enum err err = text->failed ? ERR_NOMEM : list->store->driver->run(list->db, &call, 1);

	list_text_release(text);
	return err;
}

enum err list_count_by(struct list *list, const struct list_plan *plan, uint64_t cap,
		       int64_t *count_out)
{
	struct list_text text = {0};

	list_write_count(plan, cap, list->arena, &text);
	return list_run_text(list, &text, db_number, count_out);
}

static enum err key_row(void *context, const struct db_value *values, size_t count)
{
	struct list *list = context;

	assert(list->id_count < list->wanted);
	list->ids[list->id_count++] = values[count - 1].integer;
	return OK;
}

static enum err list_read_ids(struct list *list, const struct list_plan *plan, uint64_t offset)
{
	struct list_text text = {0};

	list_write_keys(plan, offset, list->wanted - list->id_count, list->arena, &text);
	return list_run_text(list, &text, key_row, list);
}

struct found_position {
	struct list_position position;
	struct arena *arena;
	bool found;
};

static enum err position_row(void *context, const struct db_value *values, size_t count)
{
	struct found_position *found = context;
	const char *copy = "";

	found->found = true;
	found->position.id = values[count - 1].integer;
	if (values[0].type == DB_TEXT)
		copy = arena_copy(found->arena, values[0].bytes);
	if (!copy)
		return ERR_NOMEM;
	found->position.text = slice_of(copy);
	found->position.integer = values[0].integer;
	return OK;
}

/* The plan that walks: by the index of a filter that gives the order, else by the index of the
 * sort. */
static void plan_walk(const struct list *list, const struct candidate *candidates, size_t count,
		      struct list_plan *plan)
{
	const struct field *sort = list->plan.sort;

	*plan = list->plan;
	plan->ordered = true;
	plan->second = list_field_is_called(sort, "id") ? NULL : sort;
	for (size_t i = 0; i < count; i++) {
		const struct list_index *index =
			candidates[i].range
				? NULL
				: list_find_index(list->kind, candidates[i].field, plan->second);

		if (index && (!plan->index || index < plan->index)) {
			plan->index = index;
			plan->lead = candidates[i].field;
		}
	}
	if (!plan->index) {
		plan->index = list_find_index(list->kind, sort, NULL);
		plan->second = NULL;
	}
}

/* Whether there are conditions that the index of the ordered `plan` does not look up. */
static bool plan_leaves_some_out(const struct list_plan *plan)
{
	for (size_t i = 0; i < plan->condition_count; i++)
		if (!list_is_looked_up(plan, &plan->conditions[i]))
			return true;
	return false;
}

/* Finds the position of the last record of a stretch. Not found: there are fewer records. */
static enum err stretch_find_end(struct list *list, const struct list_plan *walk, size_t stretch,
				 struct found_position *end)
{
	struct list_text text = {0};
	struct list_plan bare = *walk;

	bare.lead_only = true;
	bare.until = NULL;
	list_write_keys(&bare, stretch - 1, 1, list->arena, &text);
	return list_run_text(list, &text, position_row, end);
}

/* Walks, a stretch at a time, at most `stretches`. `done_out` false: the walk would be long and was
 * given up, and nothing is read. */
static enum err list_try_walk(struct list *list, const struct list_plan *from, uint64_t offset,
			      size_t stretches, bool *done_out)
{
	struct found_position ends[STRETCHES] = {{{0}}};
	struct list_plan walk = *from;
	struct list part = *list;
	size_t more = list->wanted - list->id_count;
	size_t stretch =
		list_index_covers(from, from->index, from->lead) ? STRETCH_COVERED : STRETCH;

	*done_out = false;
	if (offset + more > WALK_MAX)
		return OK;
	while (offset + more > stretch * PATIENCE)
		stretch *= 2;
	part.wanted = offset + more;
	part.id_count = 0;
	part.ids = arena_alloc(list->arena, part.wanted * sizeof(*part.ids));
	if (!part.ids)
		return ERR_NOMEM;
	for (size_t i = 0, walked = 0; i < stretches && !*done_out; i++) {
		size_t all = stretch * ((1 << STRETCHES) - 1);
		enum err err;

		ends[i].arena = list->arena;
		err = stretch_find_end(&part, &walk, stretch << i, &ends[i]);
		walk.until = ends[i].found ? &ends[i].position : NULL;
		if (!err)
			err = list_read_ids(&part, &walk, 0);
		if (err)
			return err;
		walk.after = walk.until;
		*done_out = !ends[i].found || part.id_count == part.wanted;
		walked += stretch << i;
		if (i + 1 >= PATIENCE && part.id_count * all < part.wanted * walked)
			break;
	}
	if (*done_out && part.id_count > offset) {
		more = part.id_count - offset;
		memcpy(list->ids + list->id_count, part.ids + offset, more * sizeof(*part.ids));
		list->id_count += more;
	}
	return OK;
}

/* The index of the titles. If no index looks up the condition on titles, every title is read from
 * this one. */
static const struct list_index *index_of_titles(const struct list *list)
{
	for (size_t i = 0; i < list->plan.condition_count; i++)
		if (list->plan.conditions[i].op == FILTER_CONTAINS)
			return list_find_index(list->kind, list->plan.conditions[i].field, NULL);
	return NULL;
}

static void plan_best(const struct list *list, const struct candidate *best, struct list_plan *plan)
{
	candidate_gather(list, best, plan);
	if (!best)
		plan->index = index_of_titles(list);
}

/* Whether every condition has an index, so that sets of ids can take the place of all of them. */
static bool list_has_bits(const struct list *list, const struct candidate *candidates, size_t count)
{
	for (size_t i = 0; i < list->plan.condition_count; i++) {
		size_t at = 0;

		while (at < count && candidates[at].field != list->plan.conditions[i].field)
			at++;
		if (at == count)
			return false;
	}
	/* While titles wait, each that the text index finds would have to be looked up. */
	return list->plan.dialect->bits && !list->plan.pending;
}

/* Whether docket would have to look up something for each record that `best` finds. */
static bool candidate_looks_up(const struct list *list, const struct candidate *best)
{
	for (size_t i = 0; i < list->plan.condition_count; i++) {
		const struct condition *condition = &list->plan.conditions[i];

		if (condition->field->link && condition->field != best->field)
			return true;
	}
	return !best->covered;
}

/* Makes the set of the records that all candidates find. The conditions of the field `but` are
 * left out. */
static enum err list_make_bits(struct list *list, const struct candidate *candidates, size_t count,
			       const struct field *but, struct bits *bits)
{
	enum err err = OK;

	*bits = (struct bits){NULL, 0};
	for (size_t i = 0; i < count && !err; i++) {
		struct list_plan plan;

		if (candidates[i].field == but)
			continue;
		candidate_gather(list, &candidates[i], &plan);
		plan.sort = field_of(plan.type, "id");
		plan.lead_only = plan.repeats = true;
		plan.after = NULL;
		err = bits_keep(list, &plan, bits);
	}
	return err;
}

/* Sorts the few records of the set, or walks in the requested order and leaves out those that are
 * not in it. */
static enum err list_read_among(struct list *list, uint64_t offset, const struct bits *bits)
{
	const struct field *sort = list->plan.sort, *id = field_of(list->plan.type, "id");
	const size_t all = list->plan.condition_count;
	struct condition *conditions = arena_alloc(list->arena, (all + 1) * sizeof(*conditions));
	struct list_plan plan = list->plan;
	const int64_t count = bits_count(bits);

	if (!conditions)
		return ERR_NOMEM;
	plan.conditions = conditions;
	plan.condition_count = 0;
	for (size_t i = 0; i < all; i++)
		if (list->plan.conditions[i].field == sort)
			conditions[plan.condition_count++] = list->plan.conditions[i];
	if (count <= FEW) {
		int64_t *ids = bits_ids(bits, count, list->arena);

		if (!ids)
			return ERR_NOMEM;
		conditions[plan.condition_count++] = (struct condition){
			.field = id, .op = FILTER_ANY, .values = ids, .count = (size_t)count};
		plan.lead = id;
		plan.index = list_find_index(list->kind, id, NULL);
	} else {
		plan.ordered = true;
		plan.index = list_find_index(list->kind, sort, NULL);
		plan.among = (struct slice){(const char *)bits->parts,
					    bits->count * sizeof(*bits->parts)};
	}
	return list_read_ids(list, &plan, offset);
}

/* Reads a page by sets of ids. `done_out` false: only the sort field has conditions. */
static enum err list_read_bits(struct list *list, const struct candidate *candidates, size_t count,
			       uint64_t offset, bool *done_out)
{
	const bool by_id = list_is_id(list->plan.sort);
	struct bits bits;
	enum err err =
		list_make_bits(list, candidates, count, by_id ? NULL : list->plan.sort, &bits);

	*done_out = bits.parts != NULL;
	if (!err && by_id)
		bits_take(&bits, offset, list);
	else if (!err && bits_count(&bits) > 0)
		err = list_read_among(list, offset, &bits);
	bits_release(&bits);
	return err;
}

enum err list_read_keys(struct list *list, uint64_t offset)
{
	struct candidate candidates[64], *best = NULL;
	size_t count = candidates_find(list, candidates);
	bool has_bits = false, done = false;
	struct list_plan plan;
	int64_t gather = GATHER;
	enum err err;

	plan_walk(list, candidates, count, &plan);
	if (!plan_leaves_some_out(&plan))
		return list_read_ids(list, &plan, offset);
	err = candidates_count(list, candidates, count, GATHER, &best);
	if (!err && best && candidate_cost(best) >= GATHER)
		has_bits = list_has_bits(list, candidates, count);
	/* A walk to a deep page reads all records before it. So gathering may cost DEEP_MORE times
	 * as much. */
	if (!err && best && candidate_cost(best) >= GATHER && offset > DEEP && !has_bits) {
		gather = GATHER * DEEP_MORE;
		err = candidates_count(list, candidates, count, gather, &best);
	}
	if (!err && (!best || candidate_cost(best) >= gather)) {
		if (!has_bits || offset <= DEEP_WALK)
			err = list_try_walk(list, &plan, offset, has_bits ? PATIENCE : STRETCHES,
					    &done);
		/* To sort what one covering index finds takes less time than to walk. */
		if (!err && !done && has_bits &&
		    (list_is_id(list->plan.sort) || candidate_looks_up(list, best)))
			err = list_read_bits(list, candidates, count, offset, &done);
		if (!err && !done && count > 1)
			err = candidates_count(list, candidates, count, GATHER * COUNT_AGAIN,
					       &best);
	}
	if (err || done)
		return err;
	plan_best(list, best, &plan);
	return list_read_ids(list, &plan, offset);
}

static bool condition_finds_twice(const struct condition *condition)
{
	return condition->field->link && condition->count > 1;
}

static enum err list_count_bits(struct list *list, const struct candidate *candidates, size_t count,
				int64_t *count_out)
{
	struct bits bits;
	enum err err = list_make_bits(list, candidates, count, NULL, &bits);

	if (!err)
		*count_out = bits_count(&bits);
	bits_release(&bits);
	return err;
}

enum err list_count(struct list *list, int64_t *count_out)
{
	struct candidate candidates[64], *best = NULL;
	struct tally_sum sum;
	struct list_plan plan;
	enum err err = OK;
	bool by_bits;
	size_t count;

	if (tally_find(list->kind, list->plan.conditions, list->plan.condition_count, &sum))
		return tally_count(list, &sum, count_out);
	/* A count needs no order. */
	list->plan.sort = field_of(list->plan.type, "id");
	list->plan.after = NULL;
	count = candidates_find(list, candidates);
	if (count == 1)
		best = &candidates[0];
	if (count > 1)
		err = candidates_count(list, candidates, count, GATHER, &best);
	by_bits = count == 1 ? condition_finds_twice(list->plan.conditions)
			     : count && !err && candidate_cost(best) >= GATHER &&
				       candidate_looks_up(list, best);
	if (err)
		return err;
	if (by_bits && list_has_bits(list, candidates, count))
		return list_count_bits(list, candidates, count, count_out);
	/* With a covering index a second count costs as much as it saves. */
	if (count > 1 && candidate_cost(best) >= GATHER && !best->covered)
		err = candidates_count(list, candidates, count, GATHER * COUNT_AGAIN, &best);
	if (err)
		return err;
	plan_best(list, best, &plan);
	return list_count_by(list, &plan, 0, count_out);
}
