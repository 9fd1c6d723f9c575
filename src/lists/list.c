/* SPDX-License-Identifier: MIT */
/* Lists: a page of ids is read first, from indexes alone where that can be, then what the records
 * of the page name, then the records. */
#include "base/timefmt.h"
#include "lists_private.h"
#include "sql/values.h"

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

static enum err list_record_row(void *context, const struct db_value *values, size_t count)
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
	struct row_reader reader = {.list = list, .type = list->plan.type, .sink = sink};
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id), DB_TEXT_VALUE(ids)};
	const struct db_call call = {list->store->sql.records[list->kind].select_page, args, 2,
				     list_record_row, &reader};

	return list->store->driver->run(list->db, &call, 1);
}

/* The related records of the whole page, each once, before the records that name them. */
static enum err read_related(struct list *list, uint32_t expansions, struct slice ids,
			     const struct list_sink *sink)
{
	const struct record_lists *lists = list->plan.type->lists;
	const struct db_value args[] = {DB_INT_VALUE(list->plan.account_id), DB_TEXT_VALUE(ids)};

	for (size_t i = 0; lists && i < lists->expansion_count; i++) {
		struct row_reader reader = {list, lists->expansions[i].type, sink, i, 0};
		const struct db_call call = {list->store->sql.records[list->kind].select_related[i],
					     args, 2, related_row, &reader};
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
	struct list_position after;
};

static bool is_bounded(const struct list_plan *plan)
{
	for (size_t i = 0; i < plan->condition_count; i++)
		if (plan->conditions[i].field == plan->sort)
			return true;
	return false;
}

static bool may_be_null(const struct field *sort)
{
	return (sort->type == FIELD_TIMESTAMP || sort->type == FIELD_DATE) &&
	       !(sort->flags & (FIELD_ALWAYS | FIELD_REQUIRED));
}

static enum err split(struct list *list, struct halves *halves)
{
	struct list_plan *plan = &list->plan;
	size_t count = plan->condition_count;

	*halves = (struct halves){.first = true};
	if (!may_be_null(plan->sort) || is_bounded(plan))
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

static enum err read_halves(struct list *list, uint64_t offset)
{
	struct list_plan *plan = &list->plan;
	struct halves halves;
	enum err err = split(list, &halves);

	if (err || !halves.second)
		return err ? err : list_read_keys(list, offset);
	*halves.more =
		(struct condition){.field = plan->sort, .op = FILTER_FROM, .bound = TIME_NONE + 1};
	if (halves.first) {
		int64_t count = 0;

		err = list_read_keys(list, offset);
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
	return list_read_keys(list, offset);
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

static enum err list_execute(struct store_read *read, struct db *db)
{
	struct list_read *question = (struct list_read *)(void *)read;
	struct list list;
	enum err err;

	list_begin(&list, question, db);
	if (question->counts)
		return list_count(&list, &question->count);
	if (question->sink.begin)
		question->sink.begin(question->sink.context);
	list.ids = arena_alloc(read->arena, list.wanted * sizeof(*list.ids));
	if (!list.ids)
		return ERR_NOMEM;
	err = read_page(&list, question->query, &question->sink);
	question->more = list.id_count > question->query->limit;
	return err;
}

void list_read_init(struct list_read *list, enum record_kind kind, struct arena *arena)
{
	*list = (struct list_read){
		.read = {.arena = arena, .group = GROUP_RECORDS + kind, .execute = list_execute},
		.kind = kind};
}
