/* SPDX-License-Identifier: MIT */
/* Converts records to the values of statements and back. */
#include <assert.h>

#include "base/timefmt.h"
#include "model/address.h"
#include "sql/statements.h"
#include "sql/values.h"

struct db_value value_of_time(int64_t time)
{
	return time == TIME_NONE ? DB_NULL_VALUE : DB_INT_VALUE(time);
}

int64_t time_of_value(const struct db_value *value)
{
	return value->type == DB_INT ? value->integer : TIME_NONE;
}

void field_to_values(const struct field *field, const void *at, struct db_value *values)
{
	const struct address *address;
	struct slice text;

	switch (field->type) {
	case FIELD_ID:
		values[0] = *(const int64_t *)at == ID_NONE ? DB_NULL_VALUE
							    : DB_INT_VALUE(*(const int64_t *)at);
		break;
	case FIELD_TIMESTAMP:
		values[0] = value_of_time(*(const int64_t *)at);
		break;
	case FIELD_DATE:
		values[0] = *(const int32_t *)at == DATE_NONE ? DB_NULL_VALUE
							      : DB_INT_VALUE(*(const int32_t *)at);
		break;
	case FIELD_CHOICE:
	case FIELD_BOOL:
		values[0] = DB_INT_VALUE(*(const int32_t *)at);
		break;
	case FIELD_TEXT:
		text = *(const struct slice *)at;
		values[0] = (field->flags & FIELD_NULL) && !text.len ? DB_NULL_VALUE
								     : DB_TEXT_VALUE(text);
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

static enum err text_keep(struct slice *text, struct arena *arena)
{
	text->ptr = arena_copy(arena, *text);
	return text->ptr ? OK : ERR_NOMEM;
}

enum err record_keep(const struct record_type *type, void *record, struct arena *arena)
{
	enum err err = OK;

	for (size_t i = 0; i < type->field_count && !err; i++) {
		const struct field *field = &type->fields[i];
		struct address *address;

		if (field->type == FIELD_TEXT)
			err = text_keep(FIELD_AT(record, field), arena);
		if (field->type != FIELD_ADDRESS)
			continue;
		address = *(struct address **)FIELD_AT(record, field);
		for (size_t j = 0; j < ADDRESS_PARTS && address && !err; j++)
			err = text_keep(FIELD_AT(address, &address_parts[j]), arena);
	}
	return err;
}

static int id_compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Reads "3,1,2" into ascending ids: the database joins them in any order. */
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
			qsort(list->ids, count, sizeof(*list->ids), id_compare);
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
	case FIELD_DATE:
		*(int32_t *)at = null ? DATE_NONE : (int32_t)values[0].integer;
		return OK;
	case FIELD_CHOICE:
	case FIELD_BOOL:
		*(int32_t *)at = (int32_t)values[0].integer;
		return OK;
	case FIELD_TEXT:
		*(struct slice *)at = null ? SLICE("") : values[0].bytes;
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
