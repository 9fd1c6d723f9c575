/* SPDX-License-Identifier: MIT */
/* The schemas of records, from their field tables. */
#include "base/array.h"
#include "model/address.h"
#include "model/list.h"
#include "openapi_private.h"

/* Whether a client sends a record of this shape. */
static bool shape_is_sent(enum shape shape)
{
	return shape == SHAPE_NEW || shape == SHAPE_PATCH || shape == SHAPE_UPDATE;
}

json_t *shape_name(const struct record_type *type, enum shape shape)
{
	static const char *const affixes[SHAPES][2] = {
		[SHAPE_ANSWER] = {"", ""},         [SHAPE_DRY_RUN] = {"", "DryRun"},
		[SHAPE_RELATED] = {"Related", ""}, [SHAPE_NEW] = {"New", ""},
		[SHAPE_PATCH] = {"", "Patch"},     [SHAPE_UPDATE] = {"", "Update"},
	};

	return schema_name(affixes[shape][0], type, affixes[shape][1]);
}

json_t *shape_reference(const struct record_type *type, enum shape shape)
{
	json_t *name = shape_name(type, shape);
	json_t *schema = reference("schemas", json_string_value(name));

	json_decref(name);
	return schema;
}

static bool field_is_id(const struct field *field)
{
	return strcmp(field->name, "id") == 0;
}

/* Whether the field may be null in that shape. */
static bool field_may_be_null(const struct field *field, enum shape shape)
{
	unsigned given = FIELD_REQUIRED | (shape == SHAPE_NEW ? 0 : FIELD_ALWAYS);

	if (field_is_id(field))
		return false;
	if (shape_is_sent(shape) && !(field->flags & FIELD_READ_ONLY))
		return !(field->flags & given);
	switch (field->type) {
	case FIELD_ID:
		return !(field->flags & FIELD_REQUIRED) || (field->flags & FIELD_BY_ACCOUNT);
	case FIELD_DATE:
	case FIELD_TIMESTAMP:
		return !(field->flags & (FIELD_REQUIRED | FIELD_ALWAYS));
	case FIELD_TEXT:
		return field->flags & FIELD_NULL;
	default:
		return field->type == FIELD_ADDRESS;
	}
}

static json_t *text_schema(const struct field *field, enum shape shape)
{
	json_t *schema = PACK("{s:s}", "type", "string");

	if (shape_is_sent(shape) && (field->flags & FIELD_REQUIRED))
		put(schema, "minLength", PACK("i", 1));
	if (field->limit)
		put(schema, "maxLength", PACK("I", (json_int_t)field->limit));
	return schema;
}

/* The type of the field, which may not be null. */
static json_t *type_schema(const struct field *field, enum shape shape)
{
	json_t *schema;

	switch (field->type) {
	case FIELD_ID:
		return PACK("{s:s,s:s,s:i}", "type", "integer", "format", "int64", "minimum", 1);
	case FIELD_CHOICE:
		return PACK("{s:s,s:o}", "type", "string", "enum", texts(field->choices));
	case FIELD_BOOL:
		return PACK("{s:s}", "type", "boolean");
	case FIELD_DATE:
		return PACK("{s:s,s:s}", "type", "string", "format", "date");
	case FIELD_TIMESTAMP:
		return PACK("{s:s,s:s}", "type", "string", "format", "date-time");
	case FIELD_ADDRESS:
		return reference("schemas", shape_is_sent(shape) ? "NewAddress" : "Address");
	case FIELD_ID_LIST:
		schema = PACK("{s:s,s:{s:s,s:s,s:i},s:I}", "type", "array", "items", "type",
			      "integer", "format", "int64", "minimum", 1, "maxItems",
			      (json_int_t)field->limit);
		if (!shape_is_sent(shape))
			put(schema, "uniqueItems", json_true());
		return schema;
	default:
		return text_schema(field, shape);
	}
}

/* What a create without the field stores. */
static json_t *field_default(const struct field *field)
{
	switch (field->type) {
	case FIELD_CHOICE:
		return PACK("s", field->choices[0]);
	case FIELD_BOOL:
		return json_false();
	case FIELD_TEXT:
		return field->flags & FIELD_NULL ? json_null() : PACK("s", "");
	case FIELD_ID_LIST:
		return PACK("[]");
	default:
		return json_null();
	}
}

/* What the field is, its form, and its default. */
static json_t *field_description(const struct field *field)
{
	struct buf out = {0};

	buf_add_sentence(&out, field->help);
	if (field->flags & FIELD_ONE_LINE)
		buf_add_text(&out, field->flags & FIELD_NOT_BLANK
					   ? " One line, at least one character of it visible."
					   : " One line.");
	if (field->preset)
		buf_printf(&out, " By default %s.", field->preset);
	return buf_text(&out);
}

static json_t *field_schema(const struct field *field, enum shape shape)
{
	bool read_only = field->flags & FIELD_READ_ONLY;
	json_t *schema;

	if (shape == SHAPE_DRY_RUN && field_is_id(field))
		return PACK("{s:s}", "type", "null");
	schema = type_schema(field, shape);
	if (field_may_be_null(field, shape))
		schema = nullable(schema);
	if (shape == SHAPE_DRY_RUN || shape == SHAPE_RELATED)
		return schema;
	if (field->help)
		put(schema, "description", field_description(field));
	if (field->example && field->type != FIELD_ADDRESS)
		put(schema, "examples", PACK("[o]", parsed(field->example)));
	if (shape == SHAPE_NEW && !(field->flags & FIELD_REQUIRED) && !field->preset)
		put(schema, "default", field_default(field));
	/* In a bulk request the id says which task to change. */
	if (read_only && !(shape == SHAPE_UPDATE && field_is_id(field)))
		put(schema, "readOnly", json_true());
	return schema;
}

/* Whether records of that shape have the field. */
static bool shape_has(enum shape shape, const struct field *field)
{
	return !(field->flags & FIELD_HIDDEN) &&
	       !(shape == SHAPE_NEW && (field->flags & FIELD_READ_ONLY));
}

static bool shape_requires(enum shape shape, const struct field *field)
{
	if (shape == SHAPE_UPDATE)
		return field_is_id(field);
	return !shape_is_sent(shape) || (shape == SHAPE_NEW && (field->flags & FIELD_REQUIRED));
}

static json_t *expansion_schema(const struct record_type *type, const struct expansion *expansion)
{
	json_t *schema = shape_reference(expansion->type, SHAPE_RELATED);

	if (field_of(type, expansion->field)->type == FIELD_ID_LIST)
		schema = PACK("{s:s,s:o}", "type", "array", "items", schema);
	else
		schema = nullable(schema);
	put(schema, "description", TEXT("Only with `expand=%s`.", expansion->name));
	return schema;
}

/* Adds the members that only an expanded record has. A client may send all of it back. */
static void put_expansions(const struct record_type *type, enum shape shape, json_t *members)
{
	for (size_t i = 0; i < type->lists->expansion_count; i++) {
		const struct expansion *expansion = &type->lists->expansions[i];

		if (shape == SHAPE_ANSWER)
			put(members, expansion->key, expansion_schema(type, expansion));
		if (shape == SHAPE_PATCH || shape == SHAPE_UPDATE)
			put(members, expansion->key,
			    PACK("{s:s,s:b}", "description",
				 "What `expand` adds to an answer. docket ignores it.", "readOnly",
				 1));
	}
}

static json_t *record_schema(const struct record_type *type, enum shape shape)
{
	json_t *members = PACK("{}"), *required = PACK("[]"), *schema;

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		if (!shape_has(shape, field))
			continue;
		put(members, field->name, field_schema(field, shape));
		if (shape_requires(shape, field))
			add(required, PACK("s", field->name));
	}
	if (shape == SHAPE_RELATED && type->name_fields[0]) {
		put(members, "name",
		    PACK("{s:s,s:s}", "type", "string", "description",
			 "The name of the record, for people."));
		add(required, PACK("s", "name"));
	}
	put_expansions(type, shape, members);
	schema = PACK("{s:s,s:o}", "type", "object", "properties", members);
	if (json_array_size(required))
		put(schema, "required", required);
	else
		json_decref(required);
	if (shape_is_sent(shape))
		put(schema, "additionalProperties", json_false());
	if (shape == SHAPE_ANSWER || shape == SHAPE_NEW)
		put(schema, "examples", PACK("[o]", record_example(type, shape)));
	return schema;
}

static json_t *address_schema(bool sent)
{
	json_t *members = PACK("{}"), *required = PACK("[]"), *schema;

	for (size_t i = 0; i < ADDRESS_PARTS; i++) {
		const struct field *part = &address_parts[i];
		json_t *member = text_schema(part, SHAPE_ANSWER);

		if (sent && strcmp(part->name, "zip") == 0)
			put(member, "type", PACK("[s,s]", "string", "integer"));
		if (sent)
			nullable(member);
		put(member, "description", sentence(part->help));
		put(members, part->name, member);
		add(required, PACK("s", part->name));
	}
	schema = PACK("{s:s,s:o}", "type", "object", "properties", members);
	if (sent) {
		json_decref(required);
		put(schema, "additionalProperties", json_false());
	} else {
		put(schema, "required", required);
	}
	return schema;
}

static json_t *address_example(void)
{
	json_t *address = PACK("{}");

	for (size_t i = 0; i < ADDRESS_PARTS; i++)
		put(address, address_parts[i].name,
		    parsed(address_parts[i].example ? address_parts[i].example : "\"\""));
	return address;
}

static bool field_is_word(const struct field *field)
{
	return (field->type == FIELD_CHOICE || field->type == FIELD_TEXT) && field->example;
}

/* The field that the example of a change has: one that every record can change. A user name is
 * required, and a staff member signs in with it. */
static const struct field *field_to_change(const struct record_type *type)
{
	const struct field *found = NULL;

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];

		if (!shape_has(SHAPE_PATCH, field) || !field_is_word(field))
			continue;
		if (!(field->flags & FIELD_REQUIRED))
			return field;
		found = found ? found : field;
	}
	return found;
}

/* A change shows one field only, because the others stay as they are. */
json_t *record_example(const struct record_type *type, enum shape shape)
{
	const struct field *only = shape == SHAPE_PATCH ? field_to_change(type) : NULL;
	json_t *example = PACK("{}");

	for (size_t i = 0; i < type->field_count; i++) {
		const struct field *field = &type->fields[i];
		json_t *value;

		if (!shape_has(shape, field) || (only && field != only))
			continue;
		if (field->type == FIELD_ADDRESS)
			value = address_example();
		else if (field->example)
			value = parsed(field->example);
		else if (shape == SHAPE_ANSWER)
			value = field_default(field);
		else
			continue;
		put(example, field->name, value);
	}
	return example;
}

/* Only tasks name the records that `expand` adds, and only they have bulk requests. */
static bool shape_is_used(enum record_kind kind, enum shape shape)
{
	return shape == SHAPE_RELATED  ? kind != RECORD_TASK
	       : shape == SHAPE_UPDATE ? kind == RECORD_TASK
				       : true;
}

void put_record_schemas(json_t *schemas)
{
	for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++)
		for (enum shape shape = 0; shape < SHAPES; shape++) {
			json_t *name;

			if (!shape_is_used(kind, shape))
				continue;
			name = shape_name(record_types[kind], shape);
			put(schemas, json_string_value(name),
			    record_schema(record_types[kind], shape));
			json_decref(name);
		}
	put(schemas, "Address", address_schema(false));
	put(schemas, "NewAddress", address_schema(true));
}
