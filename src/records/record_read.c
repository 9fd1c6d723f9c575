/* SPDX-License-Identifier: MIT */
/* Reads one record. */
#include "records/records.h"
#include "sql/values.h"
#include "store/state.h"

static enum err found_row(void *context, const struct db_value *values, size_t count)
{
	struct record_read *get = context;
	const struct record_type *type = record_types[get->kind];
	void *record = arena_alloc(get->read.arena, type->size);
	enum err err =
		record ? record_from_row(type, values, count, get->read.arena, record) : ERR_NOMEM;

	get->found = true;
	return err ? err : get->on_record(get->record_context, record);
}

static enum err get_list(struct store_read *read, struct calls *calls)
{
	struct record_read *get = (struct record_read *)(void *)read;
	struct db_value *args = arena_alloc(read->arena, 2 * sizeof(*args));

	if (!args)
		return ERR_NOMEM;
	get->found = false;
	args[0] = DB_INT_VALUE(get->scope.account_id);
	args[1] = DB_INT_VALUE(get->id);
	return calls_add(calls, read->store->sql.records[get->kind].select, args, 2, found_row, get);
}

void record_read_init(struct record_read *get, enum record_kind kind, struct arena *arena)
{
	*get = (struct record_read){
		.read = {.arena = arena, .about = ABOUT_RECORDS + kind, .list = get_list},
		.kind = kind};
}
