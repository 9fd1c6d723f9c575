/* SPDX-License-Identifier: MIT */
/* Records to and from the statements of record_sql.c: the values that go in and come out, and the
 * history of every change. */
#include <assert.h>

#include "base/timefmt.h"
#include "codec/codec.h"
#include "model/address.h"
#include "store/store_private.h"

/* One field's values: field_columns() of them. */
static void field_to_values(const struct field *field, const void *at, struct db_value *values)
{
	const struct address *address;

	switch (field->type) {
	case FIELD_ID:
		values[0] = *(const int64_t *)at == ID_NONE ? DB_NULL_VALUE
							    : DB_INT_VALUE(*(const int64_t *)at);
		break;
	case FIELD_TIMESTAMP:
		values[0] = *(const int64_t *)at == TIME_NONE ? DB_NULL_VALUE
							      : DB_INT_VALUE(*(const int64_t *)at);
		break;
	case FIELD_CHOICE:
	case FIELD_DATE:
		values[0] = DB_INT_VALUE(*(const int32_t *)at);
		break;
	case FIELD_TEXT:
		values[0] = DB_TEXT_VALUE(*(const struct slice *)at);
		break;
	case FIELD_ADDRESS:
		address = *(struct address *const *)at;
		for (size_t i = 0; i < ADDRESS_PARTS; i++)
			values[i] = address ? DB_TEXT_VALUE(*(const struct slice *)CONST_FIELD_AT(
						      address, &address_parts[i]))
					    : DB_NULL_VALUE;
		break;
	case FIELD_ID_LIST:
	case FIELD_TYPES:
		break;
	}
}

/* The history's entry of a change: the record after it, as the API writes it. */
static enum err add_history(struct store_write *write, const struct record_type *type,
			    const struct record *record, const char *action, struct calls *calls)
{
	struct buf value = {0};
	enum err err = ERR_NOMEM;
	char *copy;

	encode_record(type, record, &value);
	copy = value.failed ? NULL : arena_copy(write->arena, buf_slice(&value));
	if (copy)
		err = history_add(write, type, record, action, (struct slice){copy, value.len},
				  calls);
	buf_release(&value);
	return err;
}

static enum err add_links(struct store_write *write, enum record_kind kind,
			  const struct record *record, struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct id_list *list = CONST_FIELD_AT(record, &type->fields[i]);
		const char *const *copies;

		if (type->fields[i].type != FIELD_ID_LIST)
			continue;
		copies = type->fields[i].link->copies;
		for (size_t j = 0; j < list->count && !err; j++) {
			struct db_value *args = arena_alloc(write->arena, 6 * sizeof(*args));
			size_t count = 3;

			if (!args)
				return ERR_NOMEM;
			args[0] = DB_INT_VALUE(write->scope.account_id);
			args[1] = DB_INT_VALUE(record->id);
			args[2] = DB_INT_VALUE(list->ids[j]);
			for (; copies[count - 3]; count++) {
				const struct field *copied = field_of(type, copies[count - 3]);

				field_to_values(copied, CONST_FIELD_AT(record, copied),
						&args[count]);
			}
			err = calls_add(calls, write->store->sql[kind].link_insert[i], args, count,
					NULL, NULL);
		}
	}
	return err;
}

/* What a database that has an index of words beside the table must be told. */
static enum err add_words(struct store_write *write, const struct record_type *type,
			  const struct record *record, struct calls *calls)
{
	const struct db_words *words = write->store->driver->dialect->words;
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && words && !err; i++) {
		struct db_value *args;

		if (!(type->fields[i].flags & FIELD_SEARCHED))
			continue;
		args = arena_alloc(write->arena, 3 * sizeof(*args));
		if (!args)
			return ERR_NOMEM;
		args[0] = DB_INT_VALUE(write->scope.account_id);
		args[1] = DB_INT_VALUE(record->id);
		field_to_values(&type->fields[i], CONST_FIELD_AT(record, &type->fields[i]),
				&args[2]);
		err = calls_add(calls, words->insert, args, 3, NULL, NULL);
	}
	return err;
}

static struct db_value *values_of(struct store_write *write, enum record_kind kind,
				  const struct record *record)
{
	const struct record_type *type = record_types[kind];
	size_t count = write->store->sql[kind].arg_count, at = 2;
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

/* The record's row by that statement, under the next change number. */
static enum err write_row(struct store_write *write, enum record_kind kind, struct record *record,
			  const char *sql, struct calls *calls)
{
	const struct db_value *args;

	record->change = ++write->account->last_change;
	write->account->changed = true;
	args = values_of(write, kind, record);
	return args ? calls_add(calls, sql, args, write->store->sql[kind].arg_count, NULL, NULL)
		    : ERR_NOMEM;
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
		record->created_at = write->now;
	if (record->updated_at == TIME_NONE)
		record->updated_at = record->created_at;
	err = write_row(write, kind, record, write->store->sql[kind].insert, calls);
	if (!err)
		err = add_links(write, kind, record, calls);
	if (!err)
		err = add_words(write, type, record, calls);
	return err ? err : add_history(write, type, record, "create", calls);
}

enum err record_update(struct store_write *write, enum record_kind kind, void *data,
		       struct calls *calls)
{
	const struct record_type *type = record_types[kind];
	struct record *record = data;
	enum err err;

	for (size_t i = 0; i < type->field_count; i++)
		assert(type->fields[i].type != FIELD_ID_LIST &&
		       !(type->fields[i].flags & FIELD_SEARCHED));
	record->updated_at = write->now;
	err = write_row(write, kind, record, write->store->sql[kind].update, calls);
	return err ? err : add_history(write, type, record, "update", calls);
}

enum err record_keep(const struct record_type *type, void *record, struct arena *arena)
{
	for (size_t i = 0; i < type->field_count; i++) {
		struct slice *text = FIELD_AT(record, &type->fields[i]);

		assert(type->fields[i].type != FIELD_ADDRESS);
		if (type->fields[i].type != FIELD_TEXT)
			continue;
		text->ptr = arena_copy(arena, *text);
		if (!text->ptr)
			return ERR_NOMEM;
	}
	return OK;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* "3,1,2" to ascending ids: the database joins them in no promised order. */
static enum err ids_from_text(struct slice text, struct arena *arena, struct id_list *list)
{
	size_t count = 1, at = 0;

	if (text.len == 0)
		return OK;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == ',';
	list->ids = arena_alloc(arena, count * sizeof(*list->ids));
	if (!list->ids)
		return ERR_NOMEM;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == ',')
			at++;
		else
			list->ids[at] = list->ids[at] * 10 + (text.ptr[i] - '0');
	list->count = count;
	for (size_t i = 1; i < count; i++)
		if (list->ids[i - 1] > list->ids[i]) {
			qsort(list->ids, count, sizeof(*list->ids), by_value);
			break;
		}
	return OK;
}

static enum err address_from_values(const struct db_value *values, struct arena *arena,
				    struct address **address_out)
{
	struct address *address;

	if (values[ADDRESS_PARTS - 1].type == DB_NULL) /* the country */
		return OK;
	address = arena_alloc(arena, sizeof(*address));
	if (!address)
		return ERR_NOMEM;
	for (size_t i = 0; i < ADDRESS_PARTS; i++)
		*(struct slice *)FIELD_AT(address, &address_parts[i]) = values[i].bytes;
	*address_out = address;
	return OK;
}

static enum err field_from_values(const struct field *field, const struct db_value *values,
				  struct arena *arena, void *at)
{
	bool null = values[0].type == DB_NULL;

	switch (field->type) {
	case FIELD_ID:
		*(int64_t *)at = null ? ID_NONE : values[0].integer;
		return OK;
	case FIELD_TIMESTAMP:
		*(int64_t *)at = null ? TIME_NONE : values[0].integer;
		return OK;
	case FIELD_CHOICE:
	case FIELD_DATE:
		*(int32_t *)at = (int32_t)values[0].integer;
		return OK;
	case FIELD_TEXT:
		*(struct slice *)at = values[0].bytes;
		return OK;
	case FIELD_ADDRESS:
		return address_from_values(values, arena, at);
	case FIELD_ID_LIST:
		return null ? OK : ids_from_text(values[0].bytes, arena, at);
	case FIELD_TYPES:
		break;
	}
	return ERR_INTERNAL;
}

enum err record_from_row(const struct record_type *type, const struct db_value *values,
			 size_t count, struct arena *arena, void *data)
{
	struct record *record = data;
	size_t at = 1;

	record->change = values[0].integer;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		enum err err =
			field_from_values(field, &values[at], arena, FIELD_AT(record, field));

		if (err)
			return err;
		at += field->type == FIELD_ID_LIST ? 1 : field_columns(field);
	}
	assert(at == count);
	(void)count;
	return OK;
}

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
	return calls_add(calls, read->store->sql[get->kind].select, args, 2, found_row, get);
}

void record_read_init(struct record_read *get, struct arena *arena)
{
	*get = (struct record_read){.read = {.arena = arena, .list = get_list}};
}
