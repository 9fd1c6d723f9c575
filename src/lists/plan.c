/* SPDX-License-Identifier: MIT */
/* Chooses how the ids of a list are read.
 *
 * There are two ways. To walk is to read in the requested order and leave out what does not match:
 * right if much matches. To gather is to read what one filter finds and sort it: right if little
 * matches. Neither is always right. So the matches of each filter are counted, up to a cap, and a
 * walk that would become long is given up. */
#include <assert.h>

#include "base/text.h"
#include "lists_private.h"

/* The unit of costs is a row that is read from an index; to read the record as well costs LOOKUP.
 * If gathering by a filter costs less than GATHER, no walk is tried. After a walk was given up,
 * filters are counted again, up to COUNT_AGAIN times as many rows. */
#define GATHER 50000
#define LOOKUP 10
#define COUNT_AGAIN 100
/* If more records than DEEP come before the page, gathering may cost DEEP_MORE times as much. */
#define DEEP 2000
#define DEEP_MORE 4

/* The length of the first stretch of a walk: STRETCH_COVERED if the index covers the query, STRETCH
 * if each record has to be read. Every stretch is twice as long as the one before. After PATIENCE
 * stretches the walk goes on only if the matches so far promise a full page by the last stretch. */
#define STRETCH_COVERED 4000
#define STRETCH 500
#define STRETCHES 6
#define PATIENCE 4
#define WALK_MAX (1 << 20) /* ids that a walk may keep; a deeper page is gathered */

#define TRIGRAM 3

/* Sorted by how little each usually finds. Of two indexes that give the order, or that cost the
 * same, the first is taken. */
/* clang-format off */
static const struct list_index task_indexes[] = {
	{NULL, "id"},
	{"task_by_external", "external_id"},
	{"task_user_by_staff", "users_list", NULL, {"status", "due_on"}, "task_unassigned"},
	{"task_by_subject", "subject_id", NULL, {"status", "due_on"}},
	{"task_by_case", "casefile_id", NULL, {"status", "due_on"}},
	{"task_by_calendar", "calendar_id", NULL, {"status", "due_on"}},
	{"task_by_status", "status", NULL, {"due_on"}},
	{"task_by_status_due", "status", "due_on"},
	{"task_by_due", "due_on", NULL, {"status"}},
	{"task_by_alert", "alert_at", NULL, {"status", "due_on"}},
	{"task_by_alert_sent", "alert_sent_at", NULL, {"status", "due_on"}},
	{"task_by_complete", "complete_at", NULL, {"status", "due_on"}},
	{"task_by_created", "created_at", NULL, {"status", "due_on"}},
	{"task_by_updated", "updated_at", NULL, {"status", "due_on"}},
	{"task_by_title", "title_folded"},
	{NULL, NULL},
};
/* clang-format on */

static const struct list_index casefile_indexes[] = {
	{NULL, "id"},
	{"casefile_by_external", "external_id"},
	{"casefile_by_number", "case_number"},
	{"casefile_by_reference_1", "reference_value_1"},
	{"casefile_by_reference_2", "reference_value_2"},
	{"casefile_by_reference_3", "reference_value_3"},
	{"casefile_by_status", "status"},
	{"casefile_by_due", "due_on"},
	{"casefile_by_created_on", "created_on"},
	{"casefile_by_created", "created_at"},
	{"casefile_by_updated", "updated_at"},
	{NULL, NULL},
};

static const struct list_index subject_indexes[] = {
	{NULL, "id"},
	{"subject_by_external", "external_id"},
	{"subject_by_case", "casefile_id"},
	{"subject_by_created", "created_at"},
	{"subject_by_updated", "updated_at"},
	{"subject_by_name", "name_folded"},
	{"subject_by_last_name", "last_name_folded"},
	{NULL, NULL},
};

/* For kinds of which an account has few records. Other filters read all records of the account. */
#define FEW(table)                                                                 \
	{                                                                          \
		{NULL, "id"}, {table "_by_external", "external_id"}, {NULL, NULL}, \
	}
static const struct list_index staff_indexes[] = FEW("staff");
static const struct list_index calendar_indexes[] = FEW("calendar");
static const struct list_index case_service_indexes[] = FEW("case_service");

static const struct list_index *const indexes[RECORD_KINDS] = {
	[RECORD_TASK] = task_indexes,         [RECORD_CASEFILE] = casefile_indexes,
	[RECORD_SUBJECT] = subject_indexes,   [RECORD_STAFF] = staff_indexes,
	[RECORD_CALENDAR] = calendar_indexes, [RECORD_CASE_SERVICE] = case_service_indexes,
};

static bool field_is_called(const struct field *field, const char *name)
{
	return field && name ? strcmp(field->name, name) == 0 : !field && !name;
}

/* The index of a field and a second field, which may be NULL. NULL: there is none. */
static const struct list_index *index_find(enum record_kind kind, const struct field *field,
					   const struct field *second)
{
	const struct list_index *index = indexes[kind];

	while (index && index->field &&
	       !(field_is_called(field, index->field) && field_is_called(second, index->second)))
		index++;
	return index && index->field ? index : NULL;
}

/* A way to gather: the conditions of one field, looked up in one index. */
struct candidate {
	const struct field *field;
	const struct list_index *index; /* NULL: a text index */
	const struct field *second;     /* of it; or NULL */
	bool range;                     /* false: its matches keep the order of the index */
	bool covered;                   /* its index covers the query */
	int64_t count;
};

static enum err list_run_text(struct list *list, struct list_text *text, db_row_fn *on_row,
			      void *context)
{
	const struct db_call call = {text->sql.ptr, text->args, text->arg_count,
				     on_row,        context,    .once = true};
	enum err err = text->failed ? ERR_NOMEM : list->store->driver->run(list->db, &call, 1);

	list_text_release(text);
	return err;
}

static enum err list_count_by(struct list *list, const struct list_plan *plan, uint64_t cap,
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
	if (field_is_called(field, "id") || (field->link && condition && !condition->none))
		return true;
	if (index &&
	    (field_is_called(field, index->field) || field_is_called(field, index->second)))
		return true;
	for (size_t i = 0; index && i < FIELD_COUNT(index->covers) && index->covers[i]; i++)
		if (field_is_called(field, index->covers[i]))
			return true;
	return false;
}

/* Whether the index covers the query, so that the record need not be read. `lead`: the field whose
 * conditions the index looks up. */
static bool index_covers(const struct list_plan *plan, const struct list_index *index,
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
		candidate->index = index_find(list->kind, candidate->field, candidate->second);
	}
	if (!candidate->index) {
		candidate->second = NULL;
		candidate->index = index_find(list->kind, candidate->field, NULL);
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

static size_t candidates_find(const struct list *list, struct candidate candidates[64])
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
		candidate.covered =
			candidate.index && index_covers(plan, candidate.index, candidate.field);
		candidate_insert(&candidate, candidates, count++);
	}
	return count;
}

/* The plan that gathers what `candidate` finds; NULL: all records. */
static void plan_gather(const struct list *list, const struct candidate *candidate,
			struct list_plan *plan)
{
	*plan = list->plan;
	plan->lead = candidate ? candidate->field : NULL;
	plan->index = candidate ? candidate->index : NULL;
	plan->second = candidate ? candidate->second : NULL;
}

/* The plan that walks: by the index of a filter that gives the order, else by the index of the
 * sort. */
static void plan_walk(const struct list *list, const struct candidate *candidates, size_t count,
		      struct list_plan *plan)
{
	const struct field *sort = list->plan.sort;

	*plan = list->plan;
	plan->ordered = true;
	plan->second = field_is_called(sort, "id") ? NULL : sort;
	for (size_t i = 0; i < count; i++) {
		const struct list_index *index =
			candidates[i].range
				? NULL
				: index_find(list->kind, candidates[i].field, plan->second);

		if (index && (!plan->index || index < plan->index)) {
			plan->index = index;
			plan->lead = candidates[i].field;
		}
	}
	if (!plan->index) {
		plan->index = index_find(list->kind, sort, NULL);
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

/* The cost to gather a candidate. */
static int64_t candidate_cost(const struct candidate *candidate)
{
	return candidate->count * (candidate->covered ? 1 : LOOKUP);
}

/* For candidates of the same cost: a covering index is the cheapest, a text index the most
 * expensive. */
static int candidate_rank(const struct candidate *candidate)
{
	return candidate->covered ? 2 : candidate->index ? 1 : 0;
}

/* Counts what each candidate would gather, up to the cost `cap`, and finds the cheapest. Candidates
 * that usually find little come first. */
static enum err candidates_count(struct list *list, struct candidate *candidates, size_t count,
				 int64_t cap, struct candidate **best_out)
{
	struct candidate *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct list_plan plan;
		enum err err;

		plan_gather(list, &candidates[i], &plan);
		plan.lead_only = true;
		plan.after = NULL;
		err = list_count_by(list, &plan,
				    (uint64_t)(candidates[i].covered ? cap : cap / LOOKUP),
				    &candidates[i].count);
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

/* Walks, a stretch at a time. `done_out` false: the walk would be long and was given up, and
 * nothing is read. */
static enum err list_try_walk(struct list *list, const struct list_plan *from, uint64_t offset,
			      bool *done_out)
{
	struct found_position ends[STRETCHES] = {{{0}}};
	struct list_plan walk = *from;
	struct list part = *list;
	size_t more = list->wanted - list->id_count;
	size_t stretch = index_covers(from, from->index, from->lead) ? STRETCH_COVERED : STRETCH;

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
	for (size_t i = 0, walked = 0; i < STRETCHES && !*done_out; i++) {
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
			return index_find(list->kind, list->plan.conditions[i].field, NULL);
	return NULL;
}

static void plan_best(const struct list *list, const struct candidate *best, struct list_plan *plan)
{
	plan_gather(list, best, plan);
	if (!best)
		plan->index = index_of_titles(list);
}

enum err list_read_keys(struct list *list, uint64_t offset)
{
	struct candidate candidates[64], *best = NULL;
	size_t count = candidates_find(list, candidates);
	struct list_plan plan;
	int64_t gather = GATHER;
	bool done = false;
	enum err err;

	plan_walk(list, candidates, count, &plan);
	if (!plan_leaves_some_out(&plan))
		return list_read_ids(list, &plan, offset);
	err = candidates_count(list, candidates, count, GATHER, &best);
	/* A walk to a deep page reads all records before it. So gathering may cost DEEP_MORE times
	 * as much. */
	if (!err && best && candidate_cost(best) >= GATHER && offset > DEEP) {
		gather = GATHER * DEEP_MORE;
		err = candidates_count(list, candidates, count, gather, &best);
	}
	if (!err && (!best || candidate_cost(best) >= gather)) {
		err = list_try_walk(list, &plan, offset, &done);
		if (!err && !done && count > 1)
			err = candidates_count(list, candidates, count, GATHER * COUNT_AGAIN,
					       &best);
	}
	if (err || done)
		return err;
	plan_best(list, best, &plan);
	return list_read_ids(list, &plan, offset);
}

enum err list_count(struct list *list, int64_t *count_out)
{
	struct candidate candidates[64], *best = NULL;
	struct list_plan plan;
	enum err err = OK;
	size_t count;

	/* A count needs no order. */
	list->plan.sort = field_of(list->plan.type, "id");
	list->plan.after = NULL;
	count = candidates_find(list, candidates);
	if (count == 1)
		best = &candidates[0];
	if (count > 1)
		err = candidates_count(list, candidates, count, GATHER, &best);
	/* With a covering index a second count costs as much as it saves. */
	if (!err && count > 1 && candidate_cost(best) >= GATHER && !best->covered)
		err = candidates_count(list, candidates, count, GATHER * COUNT_AGAIN, &best);
	if (err)
		return err;
	plan_best(list, best, &plan);
	return list_count_by(list, &plan, 0, count_out);
}
