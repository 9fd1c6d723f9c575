/* SPDX-License-Identifier: MIT */
/* Reads one record. */
#include "records/records.h"
#include "sql/values.h"
#include "store/state.h"

static enum err record_read_row(void *context, const struct db_value *values, size_t count)
{
	struct record_read *get = context;
	const struct record_type *type = record_types[get->kind];
	void *record = arena_alloc(get->read.arena, type->size);
	enum err err =
		record ? record_from_row(type, values, count, get->read.arena, record) : ERR_NOMEM;

	get->found = true;
	return err ? err : get->on_record(get->record_context, record);
}

static enum err record_append_read(struct store_read *read, struct calls *calls)
{
	struct record_read *get = (struct record_read *)(void *)read;

	get->found = false;
	return calls_ask(calls, read->store->sql.records[get->kind].select, record_read_row, get,
			 DB_INT_VALUE(get->scope.account_id), DB_INT_VALUE(get->id));
}

void record_read_init(struct record_read *get, enum record_kind kind, struct arena *arena)
{
	*get = (struct record_read){.read = {.arena = arena,
					     .job = {.group = GROUP_RECORDS + kind},
					     .append = record_append_read},
				    .kind = kind};
}
