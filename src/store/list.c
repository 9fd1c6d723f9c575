/* SPDX-License-Identifier: MIT */
/* Lists: from a question to the statements that answer it at once, however large the account.
 *
 * A page of ids is read first, from indexes alone where that can be, then the records of the page.
 * For the ids there are two ways: to walk in the order that is asked for and leave out what does
 * not match, which is right where much matches; or to gather what one filter finds and sort it,
 * which is right where little does. Neither is always right, so filters are counted, up to a cap,
 * and a walk is given up where it would become long. */
#include <assert.h>

#include "base/text.h"
#include "base/timefmt.h"
#include "store/list_private.h"

/* What a filter may find and be gathered without a walk being tried first: from its index alone
 * that costs less than a tenth of what looking at each record does. */
#define GATHER_COVERED 20000
#define GATHER_LOOKUPS 2000
/* A walk goes on as long as what it has found in its stretches so far tells that it will be over
 * within so many. */
#define STRETCH 5000 /* records */
#define STRETCHES 16

#define TRIGRAM 3

/* clang-format off */
static const struct list_path task_paths[] = {
	{NULL, "id"},
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

static const struct list_path *const paths[RECORD_KINDS] = {
	[RECORD_TASK] = task_paths,
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

/* One list being answered, on one connection, in one snapshot. */
struct list {
	struct store *store;
	struct db *db;
	enum record_kind kind;
	struct arena *arena;
	struct list_ask ask; /* what all its statements share */
	int64_t *ids;        /* the page, and one more where there is one */
	size_t id_count;
	size_t wanted; /* how many ids at most */
};

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
	const struct db_call call = {text->sql.ptr, text->args, text->arg_count, on_row, context};
	enum err err = text->failed ? ERR_NOMEM : list->store->driver->run(list->db, &call, 1);

	list_text_release(text);
	return err;
}

static enum err number_row(void *context, const struct db_value *values, size_t count)
{
	(void)count;
	*(int64_t *)context = values[0].integer;
	return OK;
}

static enum err count_by(struct list *list, const struct list_ask *ask, uint64_t cap,
			 int64_t *count_out)
{
	struct list_text text = {0};

	list_write_count(ask, cap, list->arena, &text);
	return run_text(list, &text, number_row, count_out);
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
	return condition->op != FILTER_CONTAINS || text_chars(condition->text) >= TRIGRAM;
}

static bool stands_in(const struct way *way, const struct field *field)
{
	const struct list_path *path = way->path;

	if (field == way->field || field == way->second || is_called(field, "id"))
		return true;
	for (size_t i = 0; path && i < FIELD_COUNT(path->covers) && path->covers[i]; i++)
		if (is_called(field, path->covers[i]))
			return true;
	return false;
}

/* Whether nothing needs a look at the record when `way` is gathered. */
static bool is_covered(const struct list_ask *ask, const struct way *way)
{
	bool covered = stands_in(way, ask->sort) &&
		       !(way->field->type == FIELD_TEXT && ask->sort == way->field);

	for (size_t i = 0; i < ask->condition_count; i++)
		covered &= stands_in(way, ask->conditions[i].field);
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
		way.covered = is_covered(ask, &way);
		ways[count++] = way;
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
	return way->count * (way->covered ? 1 : GATHER_COVERED / GATHER_LOOKUPS);
}

static enum err count_ways(struct list *list, struct way *ways, size_t count, struct way **best_out)
{
	struct way *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct list_ask ask;
		enum err err;

		take_way(list, &ways[i], &ask);
		ask.driver_only = true;
		ask.after = NULL;
		err = count_by(list, &ask, ways[i].covered ? GATHER_COVERED : GATHER_LOOKUPS,
			       &ways[i].count);
		if (err)
			return err;
		if (!best || cost_of(&ways[i]) < cost_of(best))
			best = &ways[i];
	}
	*best_out = best;
	return OK;
}

/* The place of the record that ends a stretch of the walk; not found where the order ends first. */
static enum err find_end(struct list *list, const struct list_ask *walk, struct found_place *end)
{
	struct list_text text = {0};
	struct list_ask bare = *walk;

	bare.driver_only = true;
	bare.until = NULL;
	list_write_keys(&bare, STRETCH - 1, 1, list->arena, &text);
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

	*done_out = false;
	if (offset + more > STRETCH)
		return OK;
	part.wanted = offset + more;
	part.id_count = 0;
	part.ids = arena_alloc(list->arena, part.wanted * sizeof(*part.ids));
	if (!part.ids)
		return ERR_NOMEM;
	for (size_t i = 0; i < STRETCHES && !*done_out; i++) {
		enum err err;

		ends[i].arena = list->arena;
		err = find_end(&part, &walk, &ends[i]);
		walk.until = ends[i].found ? &ends[i].place : NULL;
		if (!err)
			err = read_ids(&part, &walk, 0);
		if (err)
			return err;
		walk.after = walk.until;
		*done_out = !ends[i].found || part.id_count == part.wanted;
		if (part.id_count * STRETCHES < part.wanted * (i + 1))
			break;
	}
	if (*done_out && part.id_count > offset) {
		more = part.id_count - offset;
		memcpy(list->ids + list->id_count, part.ids + offset, more * sizeof(*part.ids));
		list->id_count += more;
	}
	return OK;
}

/* Reads the ids of one question whose sort has a value everywhere. */
static enum err read_keys(struct list *list, uint64_t offset)
{
	struct way ways[64], *best = NULL;
	size_t count = find_ways(list, ways);
	struct list_ask ask;
	bool done;
	enum err err;

	take_order(list, ways, count, &ask);
	if (!leaves_some_out(&ask))
		return read_ids(list, &ask, offset);
	err = count_ways(list, ways, count, &best);
	if (err)
		return err;
	if (!best || cost_of(best) >= GATHER_COVERED) {
		err = try_walk(list, &ask, offset, &done);
		if (err || done)
			return err;
	}
	take_way(list, best, &ask);
	return read_ids(list, &ask, offset);
}

static enum err count_all(struct list *list, int64_t *count_out)
{
	struct way ways[64], *best = NULL;
	struct list_ask ask;
	enum err err = OK;
	size_t count;

	/* The order is of no interest, and need not stand in the index. */
	list->ask.sort = field_of(list->ask.type, "id");
	list->ask.after = NULL;
	count = find_ways(list, ways);
	if (count > 1)
		err = count_ways(list, ways, count, &best);
	else if (count)
		best = &ways[0];
	if (err)
		return err;
	take_way(list, best, &ask);
	return count_by(list, &ask, 0, count_out);
}

struct row_reader {
	struct list *list;
	const struct record_type *type;
	const struct list_sink *sink;
	size_t expansion; /* the row of what is related; unused for the records themselves */
	size_t count;     /* rows so far */
};

static enum err read_row(struct row_reader *reader, const struct db_value *values, size_t count,
			 struct record **record_out)
{
	struct record *record = arena_alloc(reader->list->arena, reader->type->size);
	enum err err =
		record ? record_from_row(reader->type, values, count, reader->list->arena, record)
		       : ERR_NOMEM;

	*record_out = record;
	return err;
}

static enum err related_row(void *context, const struct db_value *values, size_t count)
{
	struct row_reader *reader = context;
	struct record *record;
	enum err err = read_row(reader, values, count, &record);

	return err ? err
		   : reader->sink->on_related(reader->sink->context, reader->expansion, record);
}

static enum err record_row(void *context, const struct db_value *values, size_t count)
{
	struct row_reader *reader = context;
	struct record *record;
	enum err err = read_row(reader, values, count, &record);

	/* The order of the page is the statement's to keep. */
	if (!err && record->id != reader->list->ids[reader->count++])
		err = ERR_INTERNAL;
	return err ? err : reader->sink->on_record(reader->sink->context, record);
}

static enum err read_records(struct list *list, struct slice ids, const struct list_sink *sink)
{
	struct row_reader reader = {.list = list, .type = list->ask.type, .sink = sink};
	const struct db_value args[] = {DB_INT_VALUE(list->ask.account_id), DB_TEXT_VALUE(ids)};
	const struct db_call call = {list->store->sql[list->kind].select_page, args, 2, record_row,
				     &reader};

	return list->store->driver->run(list->db, &call, 1);
}

/* The related records of the whole page, each once, before the records that name them. */
static enum err read_related(struct list *list, uint32_t expansions, struct slice ids,
			     const struct list_sink *sink)
{
	const struct record_lists *lists = list->ask.type->lists;
	const struct db_value args[] = {DB_INT_VALUE(list->ask.account_id), DB_TEXT_VALUE(ids)};

	for (size_t i = 0; i < lists->expansion_count; i++) {
		struct row_reader reader = {list, lists->expansions[i].type, sink, i, 0};
		const struct db_call call = {list->store->sql[list->kind].select_related[i], args,
					     2, related_row, &reader};
		enum err err = OK;

		if (expansions & UINT32_C(1) << i)
			err = list->store->driver->run(list->db, &call, 1);
		if (err)
			return err;
	}
	return OK;
}

/* Some records have no value of the sort: they come last, in the order of their ids. So there are
 * two questions: what has a value, then what has none. */
struct halves {
	bool first, second;           /* which are asked for */
	struct condition *conditions; /* those of the list, and room for one more */
	struct condition *more;
	struct list_place after;
};

static bool is_bounded(const struct list_ask *ask)
{
	for (size_t i = 0; i < ask->condition_count; i++)
		if (ask->conditions[i].field == ask->sort)
			return true;
	return false;
}

static enum err split(struct list *list, struct halves *halves)
{
	struct list_ask *ask = &list->ask;
	size_t count = ask->condition_count;

	*halves = (struct halves){.first = true};
	if (ask->sort->type != FIELD_TIMESTAMP || (ask->sort->flags & FIELD_ALWAYS) ||
	    is_bounded(ask))
		return OK;
	halves->conditions = arena_alloc(list->arena, (count + 1) * sizeof(*halves->conditions));
	if (!halves->conditions)
		return ERR_NOMEM;
	if (count)
		memcpy(halves->conditions, ask->conditions, count * sizeof(*halves->conditions));
	halves->more = &halves->conditions[count];
	halves->first = !ask->after || !ask->after->null;
	halves->second = true;
	ask->conditions = halves->conditions;
	ask->condition_count++;
	return OK;
}

static enum err read_halves(struct list *list, uint64_t offset)
{
	struct list_ask *ask = &list->ask;
	struct halves halves;
	enum err err = split(list, &halves);

	if (err || !halves.second)
		return err ? err : read_keys(list, offset);
	*halves.more =
		(struct condition){.field = ask->sort, .op = FILTER_FROM, .bound = TIME_NONE + 1};
	if (halves.first) {
		int64_t count = 0;

		err = read_keys(list, offset);
		if (!err && offset && !list->id_count) {
			struct list counted = *list;

			err = count_all(&counted, &count);
		}
		offset = list->id_count || (uint64_t)count > offset ? 0 : offset - (uint64_t)count;
		ask->after = NULL;
	}
	if (err || list->id_count == list->wanted)
		return err;
	*halves.more = (struct condition){.field = ask->sort, .op = FILTER_ANY, .none = true};
	ask->sort = field_of(ask->type, "id");
	return read_keys(list, offset);
}

static void begin_list(struct list *list, struct store *store, const struct scope *scope,
		       enum record_kind kind, const struct list_query *query, struct arena *arena)
{
	*list = (struct list){
		.store = store,
		.kind = kind,
		.arena = arena,
		.wanted = query->limit + 1,
		.ask = {.dialect = store->driver->dialect,
			.type = record_types[kind],
			.account_id = scope->account_id,
			.conditions = query->conditions,
			.condition_count = query->condition_count,
			.sort = query->sort,
			.descending = query->descending,
			.after = query->after},
	};
}

static enum err read_page(struct list *list, const struct list_query *query,
			  const struct list_sink *sink)
{
	enum err err = read_halves(list, query->offset);
	size_t count = list->id_count < query->limit ? list->id_count : query->limit;
	struct buf ids = {0};

	for (size_t i = 0; i < count; i++) {
		buf_add_char(&ids, i ? ',' : '[');
		buf_add_int(&ids, list->ids[i]);
	}
	buf_add_char(&ids, ']');
	if (!err && ids.failed)
		err = ERR_NOMEM;
	if (!err && count)
		err = read_related(list, query->expansions, buf_slice(&ids), sink);
	if (!err && count)
		err = read_records(list, buf_slice(&ids), sink);
	buf_release(&ids);
	return err;
}

enum err store_list(struct store *store, const struct scope *scope, enum record_kind kind,
		    const struct list_query *query, struct arena *arena,
		    const struct list_sink *sink, bool *more_out)
{
	struct list list;
	enum err err;

	begin_list(&list, store, scope, kind, query, arena);
	list.ids = arena_alloc(arena, list.wanted * sizeof(*list.ids));
	if (!list.ids)
		return ERR_NOMEM;
	err = snapshot_begin(store, &list.db);
	if (err)
		return err;
	err = read_page(&list, query, sink);
	snapshot_end(store, list.db);
	if (!err)
		*more_out = list.id_count > query->limit;
	return err;
}

enum err store_count(struct store *store, const struct scope *scope, enum record_kind kind,
		     const struct list_query *query, struct arena *arena, int64_t *count_out)
{
	struct list list;
	enum err err;

	begin_list(&list, store, scope, kind, query, arena);
	err = snapshot_begin(store, &list.db);
	if (err)
		return err;
	err = count_all(&list, count_out);
	snapshot_end(store, list.db);
	return err;
}
