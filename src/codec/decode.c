/* SPDX-License-Identifier: MIT */
/* JSON to a record's struct, by its field table: types, coercions and the rules of single fields.
 * Every fault is collected; decoding never stops at the first. */
#include <assert.h>
#include <errno.h>

#include "base/text.h"
#include "base/timefmt.h"
#include "base/zone.h"
#include "codec/codec.h"
#include "json/read.h"
#include "model/address.h"

/* The text for a message. A fault that is only counted has none. */
static const char *shown(const struct decode *decode, struct slice text)
{
	return faults_room(decode->faults) ? text_shown(decode->arena, text, SHOWN_CHARS) : "";
}

/* Copies a text of the body, because the body is freed before the record. False: out of memory. */
static bool keep_text(struct decode *decode, const json_t *value, struct slice *text_out)
{
	const char *copy = arena_copy(decode->arena, json_slice(value));

	decode->faults->nomem |= !copy;
	if (copy)
		*text_out = (struct slice){copy, json_string_length(value)};
	return copy;
}

static bool wrong_type(struct decode *decode, const char *path, const char *wanted,
		       const json_t *value)
{
	faults_add(decode->faults, path, FAULT_TYPE, "must be %s; got %s", wanted,
		   json_type_name(value));
	return false;
}

static bool not_an_id(struct decode *decode, const char *path, bool too_large, struct slice sent)
{
	faults_add(decode->faults, path, FAULT_RANGE, "%s; got %s",
		   too_large ? "is too large" : "must be 1 or greater", shown(decode, sent));
	return false;
}

bool decode_number(struct decode *decode, const json_t *value, const char *path, int64_t *id_out)
{
	struct slice text;
	char digits[24];
	int64_t id;

	if (json_is_integer(value)) {
		id = json_integer_value(value);
		snprintf(digits, sizeof(digits), "%lld", (long long)id);
		text = slice_of(digits);
		errno = 0;
	} else if (json_is_string(value)) {
		size_t sign;

		text = json_slice(value);
		sign = text.len && text.ptr[0] == '-';
		if (sign == text.len || strspn(text.ptr + sign, "0123456789") + sign != text.len) {
			faults_add(decode->faults, path, FAULT_FORMAT,
				   "must be an integer; got \"%s\"", shown(decode, text));
			return false;
		}
		errno = 0;
		id = strtoll(text.ptr, NULL, 10);
	} else {
		return wrong_type(decode, path, "an integer", value);
	}
	if (errno || id <= ID_NONE)
		return not_an_id(decode, path, errno && id > 0, text);
	*id_out = id;
	return true;
}

static bool decode_id(struct decode *decode, const struct field *field, const json_t *value,
		      const char *path, void *at)
{
	(void)field;
	return decode_number(decode, value, path, at);
}

static bool decode_choice(struct decode *decode, const struct field *field, const json_t *value,
			  const char *path, void *at)
{
	struct buf list = {0};

	if (!json_is_string(value))
		return wrong_type(decode, path, "a string", value);
	for (int32_t i = 0; field->choices[i]; i++)
		if (slice_is(json_slice(value), field->choices[i])) {
			*(int32_t *)at = i;
			return true;
		}
	for (size_t i = 0; field->choices[i]; i++)
		buf_printf(&list, "%s%s", i ? ", " : "", field->choices[i]);
	faults_add(decode->faults, path, FAULT_CHOICE, "must be one of %.*s; got \"%s\"",
		   (int)list.len, list.ptr, shown(decode, json_slice(value)));
	buf_release(&list);
	return false;
}

static bool decode_bool(struct decode *decode, const struct field *field, const json_t *value,
			const char *path, void *at)
{
	(void)field;
	if (!json_is_boolean(value))
		return wrong_type(decode, path, "true or false", value);
	*(int32_t *)at = json_is_true(value);
	return true;
}

static bool decode_date(struct decode *decode, const struct field *field, const json_t *value,
			const char *path, void *at)
{
	(void)field;
	if (!json_is_string(value))
		return wrong_type(decode, path, "a date such as \"2023-02-14\"", value);
	if (date_parse(json_slice(value), at))
		return true;
	faults_add(decode->faults, path, FAULT_FORMAT,
		   "must be a date such as 2023-02-14; got \"%s\"",
		   shown(decode, json_slice(value)));
	return false;
}

/* The account's alert hour on a day in the account's time zone. */
static bool decode_alert_day(struct decode *decode, int32_t day, const char *path, int64_t *at)
{
	const struct account *account = decode->account;
	enum err err = zone_time(account->time_zone.ptr, day, account->alert_minute, at);

	if (err == ERR_NOT_FOUND)
		faults_add(decode->faults, path, FAULT_FORMAT,
			   "must be a time such as 2023-02-01T00:00:00Z, because the server does "
			   "not know the account's time zone \"%s\"",
			   shown(decode, account->time_zone));
	else if (err)
		faults_add(decode->faults, path, FAULT_FORMAT, "must be in the years 1000 to 9999");
	return err == OK;
}

static bool decode_timestamp(struct decode *decode, const struct field *field, const json_t *value,
			     const char *path, void *at)
{
	int32_t day;

	if (!json_is_string(value))
		return wrong_type(decode, path, "a time such as \"2023-02-01T00:00:00Z\"", value);
	if ((field->flags & FIELD_ALERT) && json_slice(value).len == DATE_LEN &&
	    date_parse(json_slice(value), &day))
		return decode_alert_day(decode, day, path, at);
	if (timestamp_parse(json_slice(value), TIME_FIRST, at))
		return true;
	faults_add(decode->faults, path, FAULT_FORMAT,
		   "must be a time such as 2023-02-01T00:00:00Z, or a date; got \"%s\"",
		   shown(decode, json_slice(value)));
	return false;
}

static bool decode_text(struct decode *decode, const struct field *field, const json_t *value,
			const char *path, void *at)
{
	if (!json_is_string(value))
		return wrong_type(decode, path, "a string", value);
	if (!field_check_text(field, json_slice(value), path, decode->faults))
		return false;
	return keep_text(decode, value, at);
}

/* Reads one part of an address. address_normalize() has the rules of the parts. */
static void decode_part(struct decode *decode, const json_t *value, const char *path,
			bool *number_in_out, struct slice *part_out)
{
	bool may_be_number = *number_in_out;

	*number_in_out = false;
	if (!value || json_is_null(value))
		return;
	if (json_is_string(value)) {
		keep_text(decode, value, part_out);
	} else if (!may_be_number || !json_is_integer(value)) {
		wrong_type(decode, path, may_be_number ? "a string or an integer" : "a string",
			   value);
	} else if (json_integer_value(value) < 0) {
		faults_add(decode->faults, path, FAULT_RANGE, "must not be negative; got %lld",
			   (long long)json_integer_value(value));
	} else {
		char *text =
			arena_printf(decode->arena, "%lld", (long long)json_integer_value(value));

		decode->faults->nomem |= !text;
		*part_out = slice_of(text);
		*number_in_out = true;
	}
}

static bool decode_address(struct decode *decode, const struct field *field, const json_t *value,
			   const char *path, void *at)
{
	struct address *address;
	bool zip_number = false;
	size_t before = decode->faults->count;

	(void)field;
	if (json_is_array(value) && json_array_size(value) == 0)
		return false;
	if (!json_is_object(value))
		return wrong_type(decode, path, "an object", value);
	address = arena_alloc(decode->arena, sizeof(*address));
	if (!address) {
		decode->faults->nomem = true;
		return false;
	}
	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		const struct field *part = &address_parts[i];
		struct slice *to = FIELD_AT(address, part);
		bool number = to == &address->zip;
		char *part_path = arena_printf(decode->arena, "%s.%s", path, part->name);

		if (!part_path) {
			decode->faults->nomem = true;
			return false;
		}
		decode_part(decode, json_object_get(value, part->name), part_path, &number, to);
		zip_number |= number;
	}
	decode_unknown(decode, value, path, address_parts, ADDRESS_PARTS);
	if (address_is_blank(address))
		return false;
	address_normalize(address, zip_number, decode->account->country, path, decode->faults);
	*(struct address **)at = address;
	return decode->faults->count == before;
}

struct entry_id {
	int64_t id;
	size_t position;
};

static int by_id(const void *a, const void *b)
{
	const struct entry_id *x = a, *y = b;

	return (x->id != y->id ? x->id < y->id : x->position < y->position) ? -1 : 1;
}

static bool decode_id_list(struct decode *decode, const struct field *field, const json_t *value,
			   const char *path, void *at)
{
	struct id_list *list = at;
	size_t before = decode->faults->count, size, count = 0, kept = 0;
	struct entry_id *entries;

	if (!json_is_array(value))
		return wrong_type(decode, path, "an array of integers", value);
	size = json_array_size(value);
	entries = calloc(size + 1, sizeof(*entries));
	list->ids = arena_alloc(decode->arena, (field->limit + 1) * sizeof(*list->ids));
	list->positions = arena_alloc(decode->arena, (field->limit + 1) * sizeof(size_t));
	if (!entries || !list->ids || !list->positions) {
		decode->faults->nomem = true;
		free(entries);
		return false;
	}
	for (size_t i = 0; i < size; i++) {
		char entry[96];

		snprintf(entry, sizeof(entry), "%s[%zu]", path, i);
		entries[count].position = i;
		if (decode_number(decode, json_array_get(value, i), entry, &entries[count].id))
			count++;
	}
	qsort(entries, count, sizeof(*entries), by_id);
	for (size_t i = 0; i < count; i++) {
		if (i && entries[i].id == entries[i - 1].id)
			continue;
		if (kept < field->limit) {
			list->ids[kept] = entries[i].id;
			list->positions[kept] = entries[i].position;
		}
		kept++;
	}
	free(entries);
	list->count = kept < field->limit ? kept : field->limit;
	if (kept > field->limit)
		faults_add(decode->faults, path, FAULT_TOO_MANY,
			   "must have at most %zu entries; got %zu", field->limit, kept);
	return decode->faults->count == before;
}

typedef bool decode_fn(struct decode *decode, const struct field *field, const json_t *value,
		       const char *path, void *at);

/* A decoder reads a value that is neither null nor an empty string that means null. It returns true
 * if it set the field. It returns false if it added a fault, or if an address is empty. */
static const struct {
	decode_fn *fn;
	bool empty_is_null; /* "" means null */
} decoders[FIELD_TYPES] = {
	[FIELD_ID] = {decode_id, true},
	[FIELD_CHOICE] = {decode_choice, false},
	[FIELD_BOOL] = {decode_bool, false},
	[FIELD_DATE] = {decode_date, true},
	[FIELD_TIMESTAMP] = {decode_timestamp, true},
	[FIELD_TEXT] = {decode_text, false},
	[FIELD_ADDRESS] = {decode_address, true},
	[FIELD_ID_LIST] = {decode_id_list, false},
};

static bool is_required(const struct field *field, const struct decode *decode)
{
	return (field->flags & FIELD_REQUIRED) &&
	       (!(field->flags & FIELD_BY_ACCOUNT) || decode->account->require_case);
}

/* Whether a field's value is null. An empty text is null where the field may be null. */
static bool value_is_null(const struct field *field, const json_t *value)
{
	return json_is_null(value) ||
	       ((decoders[field->type].empty_is_null || (field->flags & FIELD_NULL)) &&
		json_is_string(value) && json_string_length(value) == 0);
}

static void decode_field(const struct record_type *type, const struct field *field,
			 const json_t *fields, struct decode *decode, void *record)
{
	const json_t *value = json_object_get(fields, field->name);
	uint64_t bit = UINT64_C(1) << (field - type->fields);
	size_t before = decode->faults->count;
	char path[96];

	snprintf(path, sizeof(path), "%s.%s", decode->prefix, field->name);
	if (!value || value_is_null(field, value)) {
		if (is_required(field, decode))
			faults_add(decode->faults, path, FAULT_REQUIRED, "is required");
	} else if (field->flags & FIELD_READ_ONLY) {
		faults_add(decode->faults, path, FAULT_READ_ONLY, "is read-only: leave it out");
	} else if (decoders[field->type].fn(decode, field, value, path, FIELD_AT(record, field))) {
		decode->given |= bit;
	}
	if (decode->faults->count > before)
		decode->at_fault |= bit;
}

void decode_fields(const struct record_type *type, const json_t *fields, struct decode *decode,
		   void *record)
{
	decode->given = decode->at_fault = 0;
	record_clear(type, record);
	for (size_t i = 0; i < type->field_count; i++)
		if (!(type->fields[i].flags & FIELD_HIDDEN))
			decode_field(type, &type->fields[i], fields, decode, record);
	decode_unknown_fields(type, fields, decode);
}

void decode_new(const struct record_type *type, const json_t *body, struct decode *decode,
		void *record)
{
	const json_t *fields = decode_wrapper(type, body, decode);

	if (fields) {
		decode_fields(type, fields, decode, record);
		return;
	}
	record_clear(type, record);
	decode->given = 0;
	decode->at_fault = UINT64_MAX; /* none was given: no rule applies */
}

/* The address with the patch applied; NULL if memory runs out. */
static json_t *merge_address(const struct address *before, const json_t *patch)
{
	json_t *merged = json_object();
	bool fits = merged != NULL;

	for (size_t i = 0; i < ADDRESS_PARTS && before && fits; i++) {
		const struct slice *part = CONST_FIELD_AT(before, &address_parts[i]);

		fits = !json_object_set_new(merged, address_parts[i].name,
					    json_stringn(part->ptr, part->len));
	}
	if (fits && !json_object_update(merged, (json_t *)patch))
		return merged;
	json_decref(merged);
	return NULL;
}

/* Whether the client sent the value that a read-only field has. The decoded values are compared,
 * because a time can be written in several forms. */
static bool is_present(const struct record_type *type, const struct field *field,
		       const json_t *value, struct decode *decode, const void *before)
{
	void *scratch = arena_alloc(decode->arena, type->size);
	struct faults faults;
	struct decode other = *decode;

	faults_init(&faults, decode->arena);
	other.faults = &faults;
	if (!scratch)
		return false;
	record_clear(type, scratch);
	if (!value_is_null(field, value) &&
	    !decoders[field->type].fn(&other, field, value, field->name, FIELD_AT(scratch, field)))
		return false;
	return *(const int64_t *)CONST_FIELD_AT(before, field) ==
	       *(const int64_t *)CONST_FIELD_AT(scratch, field);
}

/* `fields` must have the field. */
static void replace_field(const struct record_type *type, const struct field *field,
			  const json_t *fields, struct decode *decode, const void *before,
			  void *record)
{
	uint64_t bit = UINT64_C(1) << (field - type->fields);

	field_clear(field, record);
	decode_field(type, field, fields, decode, record);
	if (field->type == FIELD_DATE && (field->flags & FIELD_ALWAYS) &&
	    *(const int32_t *)CONST_FIELD_AT(record, field) == DATE_NONE &&
	    !(decode->at_fault & bit)) {
		char path[96];

		snprintf(path, sizeof(path), "%s.%s", decode->prefix, field->name);
		faults_add(decode->faults, path, FAULT_REQUIRED, "is required");
		decode->at_fault |= bit;
	}
	if (decode->at_fault & bit)
		field_copy(field, before, record);
	else
		decode->given |= bit;
}

static void patch_address(const struct record_type *type, const struct field *field,
			  const json_t *patch, struct decode *decode, const void *before,
			  void *record)
{
	json_t *fields = json_object();
	json_t *merged =
		merge_address(*(struct address *const *)CONST_FIELD_AT(before, field), patch);

	if (!fields || !merged || json_object_set_new(fields, field->name, merged))
		decode->faults->nomem = true;
	else
		replace_field(type, field, fields, decode, before, record);
	json_decref(fields);
}

static bool is_same_text(const struct field *field, const json_t *value, const void *before)
{
	return field->type == FIELD_TEXT && json_is_string(value) &&
	       json_string_length(value) > 0 &&
	       slice_eq(json_slice(value), *(const struct slice *)CONST_FIELD_AT(before, field));
}

static void patch_field(const struct record_type *type, const struct field *field,
			const json_t *fields, struct decode *decode, const void *before,
			void *record)
{
	const json_t *value = json_object_get(fields, field->name);
	char path[96];

	/* An unchanged text is accepted, even if it breaks a newer rule. */
	if (is_same_text(field, value, before)) {
		decode->given |= UINT64_C(1) << (field - type->fields);
		return;
	}
	/* A task without a case may stay without one. */
	if (field->type == FIELD_ID && value_is_null(field, value) &&
	    *(const int64_t *)CONST_FIELD_AT(before, field) == ID_NONE)
		return;
	if (!(field->flags & FIELD_READ_ONLY)) {
		if (field->type == FIELD_ADDRESS && json_is_object(value))
			patch_address(type, field, value, decode, before, record);
		else
			replace_field(type, field, fields, decode, before, record);
		return;
	}
	if (is_present(type, field, value, decode, before))
		return;
	snprintf(path, sizeof(path), "%s.%s", decode->prefix, field->name);
	faults_add(decode->faults, path, FAULT_READ_ONLY,
		   "is read-only: leave it out, or send the value that it has");
	decode->at_fault |= UINT64_C(1) << (field - type->fields);
}

void decode_patch(const struct record_type *type, const json_t *fields, struct decode *decode,
		  const void *before, void *record)
{
	decode->given = decode->at_fault = 0;
	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		if (!(field->flags & FIELD_HIDDEN) && json_object_get(fields, field->name))
			patch_field(type, field, fields, decode, before, record);
	}
	decode_unknown_fields(type, fields, decode);
}
