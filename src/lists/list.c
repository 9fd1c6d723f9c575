/* SPDX-License-Identifier: MIT */
/* Lists. Reads the ids of a page first, if possible from indexes alone. Then, for expansions, reads
 * the records that the page's records name, and then the page's records. */
#include "base/timefmt.h"
#include "cache/record_cache.h"
#include "lists_private.h"
#include "sql/values.h"

struct row_reader {
	struct list *list;
	const struct record_type *type;
	const struct list_sink *sink;
	size_t expansion;   /* the row of the expansion; unused for the records themselves */
	struct arena arena; /* for one row */
	size_t count;       /* records so far */
};

static enum err reader_read_row(struct row_reader *reader, const struct db_value *values,
				size_t count, struct record **record_out)
{
	struct record *record = arena_alloc(&reader->arena, reader->type->size);

	*record_out = record;
	return record ? record_from_row(reader->type, values, count, &reader->arena, record)
		      : ERR_NOMEM;
}

static enum err related_row(void *context, const struct db_value *values, size_t count)
{
	struct row_reader *reader = context;
	struct record *record;
	enum err err = reader_read_row(reader, values, count, &record);

	if (!err)
		err = reader->sink->on_related(reader->sink->context, reader->expansion, record);
	arena_release(&reader->arena);
	return err;
}

/* Gives the sink the records before the next one that is read. */
static enum err reader_give_cached(struct row_reader *reader)
{
	struct list *list = reader->list;
	enum err err = OK;

	while (!err && reader->count < list->count && list->cached[reader->count])
		err = reader->sink->on_cached(reader->sink->context, list->cached[reader->count++]);
	return err;
}

static enum err list_record_row(void *context, const struct db_value *values, size_t count)
{
	struct row_reader *reader = context;
	struct record *record = NULL;
	enum err err = reader_give_cached(reader);

	if (!err)
		err = reader_read_row(reader, values, count, &record);
	/* The statement keeps the order of the page. */
	if (!err && record->id != reader->list->ids[reader->count++])
		err = ERR_INTERNAL;
	if (!err)
		err = reader->sink->on_record(reader->sink->context, record);
	arena_release(&reader->arena);
	return err;
}

static bool list_uses_cache(const struct list_query *query, const struct list_sink *sink, size_t i)
{
	/* The sink needs the value of the sort of the last record. */
	bool is_last = i + 1 == query->limit;

	return sink->on_cached && !query->expansions &&
	       (!is_last || query->sort->offset == offsetof(struct record, id));
}

/* Finds the records of the page that are cached. */
static enum err list_find_cached(struct list *list, const struct list_query *query,
				 const struct list_sink *sink)
{
	const struct scope scope = {.account_id = list->plan.account_id};

	list->cached = arena_alloc(list->arena, list->count * sizeof(struct cached_record *));
	if (!list->cached)
		return ERR_NOMEM;
	for (size_t i = 0; i < list->count; i++)
		if (list_uses_cache(query, sink, i))
			list->cached[i] = store_find_cached(list->store, &scope, list->kind,
							    list->ids[i], list->seen);
	return OK;
}

static void list_drop_cached(struct list *list)
{
	for (size_t i = 0; list->cached && i < list->count; i++)
		if (list->cached[i])
			cached_record_drop(list->cached[i]);
}

/* Adds the ids of the page as a JSON array: all, or only those of the records to read. */
static void list_add_ids(const struct list *list, bool all, struct buf *out)
{
	size_t added = 0;

	buf_add_char(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (!all && list->cached[i])
			continue;
		buf_add_text(out, added++ ? "," : "");
		buf_add_int(out, list->ids[i]);
	}
	buf_add_char(out, ']');
}

static enum err list_read_records(struct list *list, struct slice ids, const struct list_sink *sink)
{
	struct row_reader reader = {.list = list, .type = list->plan.type, .sink = sink};
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id), DB_TEXT_VALUE(ids)};
	const struct db_call call = {.sql = list->store->sql.records[list->kind].select_page,
				     .args = args,
				     .arg_count = 2,
				     .on_row = list_record_row,
				     .context = &reader,
				     .many = true};
	enum err err = slice_is(ids, "[]") ? OK : list->store->driver->run(list->db, &call, 1);

	return err ? err : reader_give_cached(&reader);
}

/* Reads the related records of the whole page, each once, before the records that name them. */
static enum err list_read_related(struct list *list, uint32_t expansions, struct slice ids,
				  const struct list_sink *sink)
{
	const struct record_lists *lists = list->plan.type->lists;
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id), DB_TEXT_VALUE(ids)};

	for (size_t i = 0; lists && i < lists->expansion_count; i++) {
		struct row_reader reader = {.list = list,
					    .type = lists->expansions[i].type,
					    .sink = sink,
					    .expansion = i};
		const struct db_call call = {
			.sql = list->store->sql.records[list->kind].select_related[i],
			.args = args,
			.arg_count = 2,
			.on_row = related_row,
			.context = &reader,
			.many = true};
		enum err err = OK;

		if (expansions & UINT32_C(1) << i)
			err = list->store->driver->run(list->db, &call, 1);
		if (err)
			return err;
	}
	return OK;
}

/* Records without a value of the sort come last, in the order of their ids. So a list has two
 * halves: records with a value, then records without. */
struct halves {
	bool first, second;           /* the halves to read */
	struct condition *conditions; /* the conditions of the list and one more */
	struct condition *more;
	struct list_position after;
};

static bool plan_bounds_sort(const struct list_plan *plan)
{
	for (size_t i = 0; i < plan->condition_count; i++)
		if (plan->conditions[i].field == plan->sort)
			return true;
	return false;
}

static bool field_may_be_null(const struct field *sort)
{
	return (sort->type == FIELD_TIMESTAMP || sort->type == FIELD_DATE) &&
	       !(sort->flags & (FIELD_ALWAYS | FIELD_REQUIRED));
}

static enum err list_split(struct list *list, struct halves *halves)
{
	struct list_plan *plan = &list->plan;
	size_t count = plan->condition_count;

	*halves = (struct halves){.first = true};
	if (!field_may_be_null(plan->sort) || plan_bounds_sort(plan))
		return OK;
	halves->conditions = arena_alloc(list->arena, (count + 1) * sizeof(*halves->conditions));
	if (!halves->conditions)
		return ERR_NOMEM;
	if (count)
		memcpy(halves->conditions, plan->conditions, count * sizeof(*halves->conditions));
	halves->more = &halves->conditions[count];
	halves->first = !plan->after || !plan->after->null;
	halves->second = true;
	plan->conditions = halves->conditions;
	plan->condition_count++;
	return OK;
}

static enum err list_read_halves(struct list *list, uint64_t offset)
{
	struct list_plan *plan = &list->plan;
	struct halves halves;
	enum err err = list_split(list, &halves);

	if (err || !halves.second)
		return err ? err : list_read_deep(list, offset);
	*halves.more =
		(struct condition){.field = plan->sort, .op = FILTER_FROM, .bound = TIME_NONE + 1};
	if (halves.first) {
		int64_t count = 0;

		err = list_read_deep(list, offset);
		if (!err && offset && !list->id_count) {
			struct list counted = *list;

			err = list_count(&counted, &count);
		}
		offset = list->id_count || (uint64_t)count > offset ? 0 : offset - (uint64_t)count;
		plan->after = NULL;
	}
	if (err || list->id_count == list->wanted)
		return err;
	*halves.more = (struct condition){.field = plan->sort, .op = FILTER_ANY, .none = true};
	plan->sort = field_of(plan->type, "id");
	return list_read_deep(list, offset);
}

static void list_begin(struct list *list, const struct list_read *read, struct db *db)
{
	const struct list_query *query = read->query;

	*list = (struct list){
		.store = read->read.store,
		.db = db,
		.kind = read->kind,
		.arena = read->read.arena,
		.wanted = query->limit + 1,
		.seen = read->read.seen,
		.plan = {.dialect = sql_dialect(read->read.store->driver),
			 .type = record_types[read->kind],
			 .account_id = read->scope.account_id,
			 .conditions = query->conditions,
			 .condition_count = query->condition_count,
			 .sort = query->sort,
			 .descending = query->descending,
			 .after = query->after},
	};
}

static enum err list_read_page(struct list *list, const struct list_query *query,
			       const struct list_sink *sink)
{
	enum err err = list_read_halves(list, query->offset);
	struct buf ids = {0}, missing = {0};

	list->count = list->id_count < query->limit ? list->id_count : query->limit;
	if (err || !list->count)
		return err;
	err = list_find_cached(list, query, sink);
	if (err)
		return err;
	list_add_ids(list, true, &ids);
	list_add_ids(list, false, &missing);
	if (ids.failed || missing.failed)
		err = ERR_NOMEM;
	if (!err)
		err = list_read_related(list, query->expansions, buf_slice(&ids), sink);
	if (!err)
		err = list_read_records(list, buf_slice(&missing), sink);
	list_drop_cached(list);
	buf_release(&ids);
	buf_release(&missing);
	return err;
}

/* Finds out whether titles of the account wait for the text index. If none do, a search is
 * simpler. */
static enum err list_find_pending(struct list *list)
{
	const struct text_index *index = list->plan.dialect->text_index;
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id)};
	const struct db_call ask = {.sql = index ? index->pending.any : NULL,
				    .args = args,
				    .arg_count = 1,
				    .on_row = any_row,
				    .context = &list->plan.pending};
	bool searches = false;

	for (size_t i = 0; i < list->plan.condition_count && index; i++)
		searches |= list->plan.conditions[i].op == FILTER_CONTAINS &&
			    (list->plan.conditions[i].field->flags & FIELD_SEARCHED);
	return searches ? list->store->driver->run(list->db, &ask, 1) : OK;
}

static enum err list_execute(struct store_read *read, struct db *db)
{
	struct list_read *request = (struct list_read *)(void *)read;
	struct list list;
	enum err err;

	list_begin(&list, request, db);
	err = list_find_pending(&list);
	if (err)
		return err;
	if (request->counts)
		return list_count(&list, &request->count);
	if (request->sink.begin)
		request->sink.begin(request->sink.context);
	list.ids = arena_alloc(read->arena, list.wanted * sizeof(*list.ids));
	if (!list.ids)
		return ERR_NOMEM;
	err = list_read_page(&list, request->query, &request->sink);
	request->more = list.id_count > request->query->limit;
	return err;
}

void list_read_init(struct list_read *list, enum record_kind kind, struct arena *arena)
{
	*list = (struct list_read){.read = {.arena = arena,
					    .job = {.group = GROUP_RECORDS + kind},
					    .execute = list_execute},
				   .kind = kind};
}
