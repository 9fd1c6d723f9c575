/* SPDX-License-Identifier: MIT */
/* The statements that create, change and delete a record: its row, its lists, the text index, the
 * history. */
#include <assert.h>

#include "base/timefmt.h"
#include "codec/codec.h"
#include "records/history_row.h"
#include "records/record_change.h"
#include "records/task_alerts.h"
#include "records/task_tally.h"
#include "sql/values.h"

/* Lists the history entry of a change, with the record as the API encodes it. */
static enum err record_add_history(struct store_write *write, const struct record_type *type,
				   const struct record *record, const char *action,
				   struct calls *calls)
{
	struct buf value = {0};
	enum err err = ERR_NOMEM;
	char *copy;

	encode_record(type, record, &value);
	copy = value.failed ? NULL : arena_copy(write->arena, buf_slice(&value));
	write->value = (struct slice){copy, value.len};
	if (copy)
		err = history_add(write, type->name, record, action, write->value, calls);
	buf_release(&value);
	return err;
}

/* The arguments of a statement on a list: the account, the record, the member unless it is ID_NONE,
 * then with `copies` the copied columns. */
static struct db_value *link_args(struct store_write *write, enum record_kind kind,
				  const struct record *record, const struct field *field,
				  int64_t member, bool copies, size_t *count_out)
{
	const struct record_type *type = record_types[kind];
	const char *const *names = field->link->copies;
	struct db_value *args = arena_alloc(write->arena, 6 * sizeof(*args));
	size_t count = 0;

	if (!args)
		return NULL;
	args[count++] = DB_INT_VALUE(write->scope.account_id);
	args[count++] = DB_INT_VALUE(record->id);
	if (member != ID_NONE)
		args[count++] = DB_INT_VALUE(member);
	for (; copies && *names; names++) {
		const struct field *copied = field_of(type, *names);

		field_to_values(copied, CONST_FIELD_AT(record, copied), &args[count++]);
	}
	*count_out = count;
	return args;
}

/* Lists `sql` for each member of `list` that `other` does not have. */
static enum err record_change_members(struct store_write *write, enum record_kind kind,
				      const struct record *record, const struct field *field,
				      const struct id_list *list, const struct id_list *other,
				      const char *sql, bool copies, struct calls *calls)
{
	enum err err = OK;

	for (size_t i = 0; list && i < list->count && !err; i++) {
		const struct db_value *args;
		size_t count;

		if (id_list_has(other, list->ids[i]))
			continue;
		args = link_args(write, kind, record, field, list->ids[i], copies, &count);
		err = args ? calls_add(calls, sql, args, count, NULL, NULL) : ERR_NOMEM;
	}
	return err;
}

static const struct id_list *record_list(const struct record *record, const struct field *field)
{
	return record ? CONST_FIELD_AT(record, field) : NULL;
}

/* Changes the lists from those of `before` to those of `after`. Either may be NULL. */
static enum err record_change_lists(struct store_write *write, enum record_kind kind,
				    const struct record *before, const struct record *after,
				    struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	const struct record *record = after ? after : before;
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct field *field = &type->fields[i];
		const struct link_sql *sql = &write->store->sql.records[kind].links[i];
		const struct id_list *old = record_list(before, field),
				     *new = record_list(after, field);
		const struct db_value *args;
		size_t count;

		if (field->type != FIELD_ID_LIST)
			continue;
		err = record_change_members(write, kind, record, field, old, new, sql->remove,
					    false, calls);
		if (!err && old && new && old->count && sql->update) {
			args = link_args(write, kind, record, field, ID_NONE, true, &count);
			err = args ? calls_add(calls, sql->update, args, count, NULL, NULL)
				   : ERR_NOMEM;
		}
		if (!err)
			err = record_change_members(write, kind, record, field, new, old,
						    sql->insert, true, calls);
	}
	return err;
}

static bool record_has_same_text(const struct field *field, const struct record *before,
				 const struct record *after)
{
	return before && after &&
	       slice_eq(*(const struct slice *)CONST_FIELD_AT(before, field),
			*(const struct slice *)CONST_FIELD_AT(after, field));
}

/* Notes that a text has changed, if the database has a text index that is separate from the table.
 * The store brings it into the index later. */
static enum err record_note_text(struct store_write *write, const struct record_type *type,
				 const struct record *before, const struct record *after,
				 struct calls *calls)
{
	const struct text_index *index = sql_dialect(write->store->driver)->text_index;
	const struct record *record = after ? after : before;
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && index && !err; i++) {
		const struct field *field = &type->fields[i];
		struct db_value text = DB_NULL_VALUE;

		if (!(field->flags & FIELD_SEARCHED) || record_has_same_text(field, before, after))
			continue;
		if (before)
			field_to_values(field, CONST_FIELD_AT(before, field), &text);
		err = calls_ask(calls, index->note, NULL, NULL,
				DB_INT_VALUE(write->scope.account_id), DB_INT_VALUE(record->id),
				text);
	}
	return err;
}

/* What else a change of a record changes. Either may be NULL. */
static enum err record_follow(struct store_write *write, enum record_kind kind, const void *before,
			      const void *after, struct calls *calls)
{
	if (kind != RECORD_TASK)
		return OK;
	task_tally_follow(write, before, after);
	return task_alerts_follow(write, before, after, calls);
}

static struct db_value *record_values(struct store_write *write, enum record_kind kind,
				      const struct record *record)
{
	const struct record_type *type = record_types[kind];
	size_t count = write->store->sql.records[kind].arg_count, at = 2;
	struct db_value *args = arena_alloc(write->arena, count * sizeof(*args));

	if (!args)
		return NULL;
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_INT_VALUE(record->change);
	for (size_t i = 0; i < type->field_count; i++) {
		field_to_values(&type->fields[i], CONST_FIELD_AT(record, &type->fields[i]),
				&args[at]);
		at += field_columns(&type->fields[i]);
	}
	assert(at == count);
	return args;
}

/* Gives the record the next change number. Every change of a record takes one, so here the cache of
 * records learns of it. `is_new`: nobody can have read the record before. */
static void record_take_change(struct store_write *write, enum record_kind kind,
			       struct record *record, bool is_new)
{
	record->change = ++write->account->last_change;
	write->account->changed = true;
	if (!is_new)
		write_note_record(write, kind, record->id);
}

/* Lists the statement that writes the record's row. */
static enum err record_write_row(struct store_write *write, enum record_kind kind,
				 const struct record *record, const char *sql, struct calls *calls)
{
	const struct db_value *args = record_values(write, kind, record);

	return args ? calls_add(calls, sql, args, write->store->sql.records[kind].arg_count, NULL,
				NULL)
		    : ERR_NOMEM;
}

enum err record_derive(struct store_write *write, enum record_kind kind, void *record,
		       const void *before)
{
	const struct slice zone = write->account->time_zone;
	const struct occasion occasion = {.arena = write->arena,
					  .now = write->account->last_at,
					  .time_zone = zone.len ? zone.ptr : "UTC",
					  .faults = write->faults};

	return record_types[kind]->derive(record, before, &occasion);
}

enum err record_begin(struct store_write *write, enum record_kind kind, void *record, void **asked)
{
	const size_t size = record_types[kind]->size;
	enum err err = OK;

	if (*asked) {
		memcpy(record, *asked, size);
	} else {
		*asked = arena_alloc(write->arena, size);
		if (*asked)
			memcpy(*asked, record, size);
		else
			err = ERR_NOMEM;
	}
	return err;
}

enum err record_insert(struct store_write *write, enum record_kind kind, void *data,
		       struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	struct record *record = data;
	enum err err;

	if (record->id == ID_NONE)
		record->id = write->account->last_id[kind] + 1;
	if (record->id > write->account->last_id[kind])
		write->account->last_id[kind] = record->id;
	if (record->created_at == TIME_NONE)
		record->created_at = write->account->last_at;
	if (record->updated_at == TIME_NONE)
		record->updated_at = record->created_at;
	err = record_derive(write, kind, record, NULL);
	if (err || write->faults->count)
		return err;
	record_take_change(write, kind, record, true);
	err = record_write_row(write, kind, record, write->store->sql.records[kind].insert, calls);
	if (!err)
		err = record_change_lists(write, kind, NULL, record, calls);
	if (!err)
		err = record_note_text(write, type, NULL, record, calls);
	if (!err)
		err = record_follow(write, kind, NULL, record, calls);
	return err ? err : record_add_history(write, type, record, "create", calls);
}

enum err record_insert_copy(struct store_write *write, enum record_kind kind, const void *sample,
			    struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	struct record *record = arena_alloc(write->arena, type->size);

	if (!record)
		return ERR_NOMEM;
	memcpy(record, sample, type->size);
	record->created_at = record->updated_at = write->account->last_at;
	return record_insert(write, kind, record, calls);
}

enum err record_update(struct store_write *write, enum record_kind kind, void *data,
		       const void *before, struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	struct record *record = data;
	enum err err;

	record->updated_at = write->account->last_at;
	record_take_change(write, kind, record, false);
	err = record_write_row(write, kind, record, write->store->sql.records[kind].update, calls);
	if (!err)
		err = record_change_lists(write, kind, before, record, calls);
	if (!err)
		err = record_note_text(write, type, before, record, calls);
	if (!err)
		err = record_follow(write, kind, before, record, calls);
	return err ? err : record_add_history(write, type, record, "update", calls);
}

enum err record_delete(struct store_write *write, enum record_kind kind, const void *before,
		       struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	struct record gone = *(const struct record *)before;
	struct db_value *args = arena_alloc(write->arena, 2 * sizeof(*args));
	enum err err;

	if (!args)
		return ERR_NOMEM;
	record_take_change(write, kind, &gone, false);
	args[0] = DB_INT_VALUE(write->scope.account_id);
	args[1] = DB_INT_VALUE(gone.id);
	err = record_note_text(write, type, before, NULL, calls);
	if (!err)
		err = record_change_lists(write, kind, before, NULL, calls);
	if (!err)
		err = record_follow(write, kind, before, NULL, calls);
	if (!err)
		err = calls_add(calls, write->store->sql.records[kind].remove, args, 2, NULL, NULL);
	return err ? err
		   : history_add(write, type->name, &gone, "delete", (struct slice){NULL, 0},
				 calls);
}
