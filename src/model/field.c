/* SPDX-License-Identifier: MIT */
/* Functions on fields and their rows that need neither JSON nor SQL. */
#include "model/field.h"

#include <assert.h>

#include "base/text.h"
#include "base/timefmt.h"

static size_t field_size(const struct field *field)
{
	static const size_t sizes[FIELD_TYPES] = {
		[FIELD_ID] = sizeof(int64_t),
		[FIELD_CHOICE] = sizeof(int32_t),
		[FIELD_BOOL] = sizeof(int32_t),
		[FIELD_DATE] = sizeof(int32_t),
		[FIELD_TIMESTAMP] = sizeof(int64_t),
		[FIELD_TEXT] = sizeof(struct slice),
		[FIELD_ADDRESS] = sizeof(struct address *),
		[FIELD_ID_LIST] = sizeof(struct id_list),
	};

	return sizes[field->type];
}

void field_clear(const struct field *field, void *record)
{
	void *at = FIELD_AT(record, field);

	memset(at, 0, field_size(field));
	if (field->type == FIELD_TIMESTAMP)
		*(int64_t *)at = TIME_NONE;
	else if (field->type == FIELD_DATE)
		*(int32_t *)at = DATE_NONE;
	else if (field->type == FIELD_TEXT)
		*(struct slice *)at = SLICE("");
}

void field_copy(const struct field *field, const void *from, void *to)
{
	memcpy(FIELD_AT(to, field), CONST_FIELD_AT(from, field), field_size(field));
}

static bool address_is_same(const void *address, const void *other)
{
	if (!address || !other)
		return address == other;
	for (size_t i = 0; i < ADDRESS_PARTS; i++)
		if (!field_is_same(&address_parts[i], address, other))
			return false;
	return true;
}

bool id_list_has(const struct id_list *list, int64_t id)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (list->ids[i] == id)
			return true;
	return false;
}

static bool id_list_is_same(const struct id_list *list, const struct id_list *other)
{
	if (list->count != other->count)
		return false;
	for (size_t i = 0; i < list->count; i++)
		if (list->ids[i] != other->ids[i])
			return false;
	return true;
}

bool field_is_same(const struct field *field, const void *record, const void *other)
{
	const void *one = CONST_FIELD_AT(record, field), *two = CONST_FIELD_AT(other, field);

	switch (field->type) {
	case FIELD_TEXT:
		return slice_eq(*(const struct slice *)one, *(const struct slice *)two);
	case FIELD_ADDRESS:
		return address_is_same(*(const void *const *)one, *(const void *const *)two);
	case FIELD_ID_LIST:
		return id_list_is_same(one, two);
	default:
		return memcmp(one, two, field_size(field)) == 0;
	}
}

bool record_is_same(const struct record_type *type, const void *record, const void *other)
{
	for (size_t i = 0; i < type->field_count; i++)
		if (!(type->fields[i].flags & FIELD_HIDDEN) &&
		    !field_is_same(&type->fields[i], record, other))
			return false;
	return true;
}

void record_clear(const struct record_type *type, void *record)
{
	memset(record, 0, type->size);
	for (size_t i = 0; i < type->field_count; i++)
		field_clear(&type->fields[i], record);
}

const struct field *field_find(const struct field *fields, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (!(fields[i].flags & FIELD_HIDDEN) && slice_is(name, fields[i].name))
			return &fields[i];
	return NULL;
}

const struct field *field_of(const struct record_type *type, const char *name)
{
	const struct field *field = type->fields;

	while (strcmp(field->name, name) != 0) {
		field++;
		assert(field < type->fields + type->field_count);
	}
	return field;
}

uint64_t field_bit(const struct record_type *type, const char *name)
{
	return UINT64_C(1) << (field_of(type, name) - type->fields);
}

const char *field_nearest(const struct field *fields, size_t count, struct slice name)
{
	const char *names[65];
	size_t found = 0;

	for (size_t i = 0; i < count && found < 64; i++)
		if (!(fields[i].flags & FIELD_HIDDEN))
			names[found++] = fields[i].name;
	names[found] = NULL;
	return text_nearest(name, names);
}

bool field_check_text(const struct field *field, struct slice text, const char *path,
		      struct faults *faults)
{
	size_t before = faults->count;

	if (text.len == 0) {
		if (field->flags & FIELD_REQUIRED)
			faults_add(faults, path, FAULT_REQUIRED, "is required");
		return faults->count == before;
	}
	if ((field->flags & FIELD_NOT_BLANK) && text_is_blank(text))
		faults_add(faults, path, FAULT_BLANK, "must not be blank");
	if ((field->flags & FIELD_ONE_LINE) && text_has_control(text))
		faults_add(faults, path, FAULT_CONTROL, "must not contain control characters");
	if (field->limit) {
		size_t chars = text_chars(text);

		if (chars > field->limit)
			faults_add(faults, path, FAULT_TOO_LONG,
				   "must have at most %zu characters; got %zu", field->limit,
				   chars);
	}
	return faults->count == before;
}
