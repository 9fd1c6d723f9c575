/* SPDX-License-Identifier: MIT */
/* Chooses how the ids of a list are read.
 *
 * There are two ways: to walk in the order that is asked for and leave out what does not match,
 * which is right where much matches; or to gather what one filter finds and sort it, which is
 * right where little does. Neither is always right, so filters are counted, up to a cap, and a
 * walk is given up where it would become long. */
#include <assert.h>

#include "base/text.h"
#include "lists_private.h"

/* What a filter may find and be gathered without a walk being tried first, from its index alone; to
 * look at each record costs LOOKUP times as much. Where a walk was given up, filters are told from
 * each other up to COUNT_AGAIN times as many. */
#define GATHER 50000
#define LOOKUP 10
#define COUNT_AGAIN 100
#define DEEP 2000 /* records before the page, from where DEEP_MORE times as many are gathered */
#define DEEP_MORE 4

/* The records of the first stretch of a walk, where the index has all that is asked, and where each
 * has to be looked at; every stretch is twice as long as the one before. After PATIENCE of them a
 * walk goes on only if what it has found so far tells that it will be over with the last. */
#define STRETCH_COVERED 4000
#define STRETCH 500
#define STRETCHES 6
#define PATIENCE 4
#define WALK_MAX (1 << 20) /* ids that a walk may keep, for a page so deep */

#define TRIGRAM 3

/* In the order of how little each mostly finds: of two that give an order, or that cost the same,
 * the first is taken. */
/* clang-format off */
static const struct list_path task_paths[] = {
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

static const struct list_path casefile_paths[] = {
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

static const struct list_path subject_paths[] = {
	{NULL, "id"},
	{"subject_by_external", "external_id"},
	{"subject_by_case", "casefile_id"},
	{"subject_by_created", "created_at"},
	{"subject_by_updated", "updated_at"},
	{"subject_by_name", "name_folded"},
	{"subject_by_last_name", "last_name_folded"},
	{NULL, NULL},
};

/* An account has few of these: what is not found by its number is looked for among all. */
#define FEW(table)                                                                 \
	{                                                                          \
		{NULL, "id"}, {table "_by_external", "external_id"}, {NULL, NULL}, \
	}
static const struct list_path staff_paths[] = FEW("staff");
static const struct list_path calendar_paths[] = FEW("calendar");
static const struct list_path case_service_paths[] = FEW("case_service");

static const struct list_path *const paths[RECORD_KINDS] = {
	[RECORD_TASK] = task_paths,         [RECORD_CASEFILE] = casefile_paths,
	[RECORD_SUBJECT] = subject_paths,   [RECORD_STAFF] = staff_paths,
	[RECORD_CALENDAR] = calendar_paths, [RECORD_CASE_SERVICE] = case_service_paths,
};

static bool is_called(const struct field *field, const char *name)
{
	return field && name ? strcmp(field->name, name) == 0 : !field && !name;
}

/* The index of that field and that second one, which may be NULL; NULL where there is none. */
static const struct list_path *path_of(enum record_kind kind, const struct field *field,
				       const struct field *second)
{
	const struct list_path *path = paths[kind];

	while (path && path->field &&
	       !(is_called(field, path->field) && is_called(second, path->second)))
		path++;
	return path && path->field ? path : NULL;
}

/* Conditions of one field, served by one index. */
struct way {
	const struct field *field;
	const struct list_path *path; /* NULL: an index of words */
	const struct field *second;   /* of it; or NULL */
	bool range;                   /* else it keeps the order of its path */
	bool covered;                 /* its index has all that the question needs */
	int64_t count;
};

static enum err run_text(struct list *list, struct list_text *text, db_row_fn *on_row,
			 void *context)
{
	const struct db_call call = {text->sql.ptr, text->args, text->arg_count,
				     on_row,        context,    .once = true};
	enum err err = text->failed ? ERR_NOMEM : list->store->driver->run(list->db, &call, 1);

	list_text_release(text);
	return err;
}

static enum err count_by(struct list *list, const struct list_ask *ask, uint64_t cap,
			 int64_t *count_out)
{
	struct list_text text = {0};

	list_write_count(ask, cap, list->arena, &text);
	return run_text(list, &text, db_number, count_out);
}

static enum err id_row(void *context, const struct db_value *values, size_t count)
{
	struct list *list = context;

	assert(list->id_count < list->wanted);
	list->ids[list->id_count++] = values[count - 1].integer;
	return OK;
}

static enum err read_ids(struct list *list, const struct list_ask *ask, uint64_t offset)
{
	struct list_text text = {0};

	list_write_keys(ask, offset, list->wanted - list->id_count, list->arena, &text);
	return run_text(list, &text, id_row, list);
}

struct found_place {
	struct list_place place;
	struct arena *arena;
	bool found;
};

static enum err place_row(void *context, const struct db_value *values, size_t count)
{
	struct found_place *found = context;
	const char *copy = "";

	found->found = true;
	found->place.id = values[count - 1].integer;
	if (values[0].type == DB_TEXT)
		copy = arena_copy(found->arena, values[0].bytes);
	if (!copy)
		return ERR_NOMEM;
	found->place.text = slice_of(copy);
	found->place.integer = values[0].integer;
	return OK;
}

/* A needle without a trigram is looked up in no index of words. */
static bool is_indexed(const struct condition *condition)
{
	return condition->op != FILTER_CONTAINS || ((condition->field->flags & FIELD_SEARCHED) &&
						    text_chars(condition->text) >= TRIGRAM);
}

/* Whether the index has what is needed of a field. */
static bool stands_in(const struct list_path *path, const struct field *field,
		      const struct condition *condition)
{
	/* Who is in a list is looked up by the id. */
	if (is_called(field, "id") || (field->link && condition && !condition->none))
		return true;
	if (path && (is_called(field, path->field) || is_called(field, path->second)))
		return true;
	for (size_t i = 0; path && i < FIELD_COUNT(path->covers) && path->covers[i]; i++)
		if (is_called(field, path->covers[i]))
			return true;
	return false;
}

/* Whether nothing needs a look at the record when it is read by that index, whose conditions are
 * those of `driver`. */
static bool is_covered(const struct list_ask *ask, const struct list_path *path,
		       const struct field *driver)
{
	bool covered = stands_in(path, ask->sort, NULL);

	for (size_t i = 0; i < ask->condition_count; i++)
		covered &= ask->conditions[i].field == driver ||
			   stands_in(path, ask->conditions[i].field, &ask->conditions[i]);
	return covered;
}

/* An index that goes on with a field which has conditions as well, else the field's own. */
static void choose_path(const struct list *list, struct way *way)
{
	for (size_t i = 0; i < list->ask.condition_count && !way->path; i++) {
		way->second = list->ask.conditions[i].field;
		way->path = path_of(list->kind, way->field, way->second);
	}
	if (!way->path) {
		way->second = NULL;
		way->path = path_of(list->kind, way->field, NULL);
	}
}

/* In the order of their paths; words last. */
static void put_way(const struct way *way, struct way ways[64], size_t count)
{
	size_t at = count;

	for (; at && way->path && (!ways[at - 1].path || ways[at - 1].path > way->path); at--)
		ways[at] = ways[at - 1];
	ways[at] = *way;
}

static size_t find_ways(const struct list *list, struct way ways[64])
{
	const struct list_ask *ask = &list->ask;
	size_t count = 0;

	for (size_t i = 0; i < ask->condition_count; i++) {
		const struct condition *condition = &ask->conditions[i];
		struct way way = {.field = condition->field};
		size_t known = 0;

		while (known < count && ways[known].field != condition->field)
			known++;
		if (known < count || !is_indexed(condition))
			continue;
		if (condition->op != FILTER_CONTAINS)
			choose_path(list, &way);
		way.range = condition->op != FILTER_ANY || !list_keeps_order(condition);
		way.covered = way.path && is_covered(ask, way.path, way.field);
		put_way(&way, ways, count++);
	}
	return count;
}

/* Gathers what the conditions of `way` find; NULL: all there is. */
static void take_way(const struct list *list, const struct way *way, struct list_ask *ask)
{
	*ask = list->ask;
	ask->driver = way ? way->field : NULL;
	ask->path = way ? way->path : NULL;
	ask->second = way ? way->second : NULL;
}

/* Walks in order: by the index of a filter that gives it, else by that of the sort itself. */
static void take_order(const struct list *list, const struct way *ways, size_t count,
		       struct list_ask *ask)
{
	const struct field *sort = list->ask.sort;

	*ask = list->ask;
	ask->ordered = true;
	ask->second = is_called(sort, "id") ? NULL : sort;
	for (size_t i = 0; i < count; i++) {
		const struct list_path *path =
			ways[i].range ? NULL : path_of(list->kind, ways[i].field, ask->second);

		if (path && (!ask->path || path < ask->path)) {
			ask->path = path;
			ask->driver = ways[i].field;
		}
	}
	if (!ask->path) {
		ask->path = path_of(list->kind, sort, NULL);
		ask->second = NULL;
	}
}

/* Whether conditions are left that the index of an ordered `ask` does not look up. */
static bool leaves_some_out(const struct list_ask *ask)
{
	for (size_t i = 0; i < ask->condition_count; i++)
		if (!list_is_looked_up(ask, &ask->conditions[i]))
			return true;
	return false;
}

/* What to gather costs, in records that are read from an index. */
static int64_t cost_of(const struct way *way)
{
	return way->count * (way->covered ? 1 : LOOKUP);
}

/* Of those at the cap of the count, the covered are the cheaper, and words the dearest. */
static int rank_of(const struct way *way)
{
	return way->covered ? 2 : way->path ? 1 : 0;
}

/* Counts what each way would gather, up to the cost of `cap`, and finds the best. The ways that
 * mostly find little come first. */
static enum err count_ways(struct list *list, struct way *ways, size_t count, int64_t cap,
			   struct way **best_out)
{
	struct way *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct list_ask ask;
		enum err err;

		take_way(list, &ways[i], &ask);
		ask.driver_only = true;
		ask.after = NULL;
		err = count_by(list, &ask, (uint64_t)(ways[i].covered ? cap : cap / LOOKUP),
			       &ways[i].count);
		if (err)
			return err;
		if (!best || cost_of(&ways[i]) < cost_of(best) ||
		    (cost_of(&ways[i]) == cost_of(best) && rank_of(&ways[i]) > rank_of(best)))
			best = &ways[i];
		/* More than the best is not worth to be counted; LOOKUP, lest a cap become 0. */
		if (cost_of(best) < cap)
			cap = cost_of(best) + LOOKUP;
	}
	*best_out = best;
	return OK;
}

/* The place of the record that ends a stretch of the walk; not found where the order ends first. */
static enum err find_end(struct list *list, const struct list_ask *walk, size_t stretch,
			 struct found_place *end)
{
	struct list_text text = {0};
	struct list_ask bare = *walk;

	bare.driver_only = true;
	bare.until = NULL;
	list_write_keys(&bare, stretch - 1, 1, list->arena, &text);
	return run_text(list, &text, place_row, end);
}

/* Walks in order, a stretch at a time; `done_out` is false, and nothing read, where what was found
 * so far tells that it would be long. */
static enum err try_walk(struct list *list, const struct list_ask *from, uint64_t offset,
			 bool *done_out)
{
	struct found_place ends[STRETCHES] = {{{0}}};
	struct list_ask walk = *from;
	struct list part = *list;
	size_t more = list->wanted - list->id_count;
	size_t stretch = is_covered(from, from->path, from->driver) ? STRETCH_COVERED : STRETCH;

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
		err = find_end(&part, &walk, stretch << i, &ends[i]);
		walk.until = ends[i].found ? &ends[i].place : NULL;
		if (!err)
			err = read_ids(&part, &walk, 0);
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

/* Where nothing is looked up, every title is looked at: in their index. */
static const struct list_path *path_of_titles(const struct list *list)
{
	for (size_t i = 0; i < list->ask.condition_count; i++)
		if (list->ask.conditions[i].op == FILTER_CONTAINS)
			return path_of(list->kind, list->ask.conditions[i].field, NULL);
	return NULL;
}

static void take_best(const struct list *list, const struct way *best, struct list_ask *ask)
{
	take_way(list, best, ask);
	if (!best)
		ask->path = path_of_titles(list);
}

enum err list_read_keys(struct list *list, uint64_t offset)
{
	struct way ways[64], *best = NULL;
	size_t count = find_ways(list, ways);
	struct list_ask ask;
	int64_t gather = GATHER;
	bool done = false;
	enum err err;

	take_order(list, ways, count, &ask);
	if (!leaves_some_out(&ask))
		return read_ids(list, &ask, offset);
	err = count_ways(list, ways, count, GATHER, &best);
	/* To walk as far as a deep page costs more than to gather some more. */
	if (!err && best && cost_of(best) >= GATHER && offset > DEEP) {
		gather = GATHER * DEEP_MORE;
		err = count_ways(list, ways, count, gather, &best);
	}
	if (!err && (!best || cost_of(best) >= gather)) {
		err = try_walk(list, &ask, offset, &done);
		if (!err && !done && count > 1)
			err = count_ways(list, ways, count, GATHER * COUNT_AGAIN, &best);
	}
	if (err || done)
		return err;
	take_best(list, best, &ask);
	return read_ids(list, &ask, offset);
}

enum err list_count(struct list *list, int64_t *count_out)
{
	struct way ways[64], *best = NULL;
	struct list_ask ask;
	enum err err = OK;
	size_t count;

	/* The order is of no interest, and need not stand in the index. */
	list->ask.sort = field_of(list->ask.type, "id");
	list->ask.after = NULL;
	count = find_ways(list, ways);
	if (count == 1)
		best = &ways[0];
	if (count > 1)
		err = count_ways(list, ways, count, GATHER, &best);
	/* To count again costs as much as it saves where an index has all that is asked. */
	if (!err && count > 1 && cost_of(best) >= GATHER && !best->covered)
		err = count_ways(list, ways, count, GATHER * COUNT_AGAIN, &best);
	if (err)
		return err;
	take_best(list, best, &ask);
	return count_by(list, &ask, 0, count_out);
}
