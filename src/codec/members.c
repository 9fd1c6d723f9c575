/* SPDX-License-Identifier: MIT */
/* The object that contains the fields of a record, and members of a body that are not fields. */
#include "base/text.h"
#include "codec/codec.h"
#include "json/read.h"
#include "model/list.h"

#define SHOWN_NAME 255 /* characters that are shown of an unknown member's name */

void decode_ignore(struct buf *ignored, const char *path)
{
	static const char hex[] = "0123456789ABCDEF";

	if (ignored->len)
		buf_add_text(ignored, ", ");
	for (const unsigned char *at = (const unsigned char *)path; *at; at++) {
		bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
			     (*at >= 'A' && *at <= 'Z') || strchr("._-[]", *at);
		char coded[3] = {'%', hex[*at >> 4], hex[*at & 15]};

		if (plain)
			buf_add_char(ignored, (char)*at);
		else
			buf_add(ignored, coded, sizeof(coded));
	}
}

static bool has_field(const struct record_type *type, const char *name)
{
	return field_find(type->fields, type->field_count, slice_of(name)) != NULL;
}

/* Whether a GET can add the member to a record. A client may send back what it has read. */
static bool is_expansion(const struct record_lists *lists, const char *key)
{
	for (size_t i = 0; lists && i < lists->expansion_count; i++)
		if (strcmp(lists->expansions[i].key, key) == 0)
			return true;
	return false;
}

/* Whether the next unknown member gets a suggestion. Finding one is slow, so members that are
 * ignored or only counted get none. */
static bool wants_suggestion(const struct decode *decode)
{
	return !decode->lenient && faults_room(decode->faults) > 0;
}

/* "; did you mean task.title?", or "" if `meant` is NULL; NULL if memory runs out. */
static const char *field_suggestion(struct decode *decode, const char *prefix, const char *meant)
{
	return meant ? arena_printf(decode->arena, "; did you mean %s%s%s?", prefix,
				    *prefix ? "." : "", meant)
		     : "";
}

/* Adds a member of `prefix` that is not a field to the faults, or to decode->ignored. */
static void add_unknown_member(struct decode *decode, const char *prefix, const char *key,
			       const char *hint)
{
	struct slice front;
	const char *path;

	if (!decode->lenient && !faults_room(decode->faults)) {
		decode->faults->count++;
		return;
	}
	front = text_front(slice_of(key), SHOWN_NAME);
	path = arena_printf(decode->arena, "%s%s%.*s%s", prefix, *prefix ? "." : "", (int)front.len,
			    front.ptr, key[front.len] ? "..." : "");
	if (!path || !hint)
		decode->faults->nomem = true;
	else if (!decode->lenient)
		faults_add(decode->faults, path, FAULT_UNKNOWN_FIELD, "is not a known field%s",
			   hint);
	else
		decode_ignore(decode->ignored, path);
}

void decode_unknown(struct decode *decode, const json_t *object, const char *prefix,
		    const struct field *fields, size_t count)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)object, key, value)
		if (!field_find(fields, count, slice_of(key)))
			add_unknown_member(decode, prefix, key,
					   wants_suggestion(decode)
						   ? field_suggestion(decode, prefix,
								      field_nearest(fields, count,
										    slice_of(key)))
						   : "");
}

/* Adds the fault that the object with the fields is missing. The other members of the body are then
 * not reported. */
static void add_missing_wrapper(const struct record_type *type, const json_t *body,
				struct decode *decode)
{
	const char *other = json_object_iter_key(json_object_iter((json_t *)body));
	const char *instead = "";

	if (!json_is_object(body))
		instead = arena_printf(decode->arena, "; got %s", json_type_name(body));
	/* All fields are inside an object of another name. */
	else if (json_object_size(body) == 1 && json_is_object(json_object_get(body, other)) &&
		 !has_field(type, other))
		instead = arena_printf(decode->arena, ", not inside \"%s\"",
				       text_shown(decode->arena, slice_of(other), SHOWN_CHARS));
	decode->faults->nomem |= !instead;
	faults_add(decode->faults, type->name, FAULT_REQUIRED,
		   "is required: put the fields inside \"%s\": {\"%s\": {...}}%s", type->name,
		   type->name, instead ? instead : "");
}

const json_t *decode_wrapper(const struct record_type *type, const json_t *body,
			     struct decode *decode)
{
	const char *const wrapper[] = {type->name, NULL};
	const json_t *fields = json_object_get(body, type->name);
	const char *key;
	json_t *value;

	if (!fields || json_is_null(fields)) {
		add_missing_wrapper(type, body, decode);
		return NULL;
	}
	json_object_foreach ((json_t *)body, key, value) {
		/* A field beside the object, or the name of the object mistyped. */
		const char *hint = "";

		if (value == fields)
			continue;
		if (wants_suggestion(decode))
			hint = has_field(type, key)
				       ? field_suggestion(decode, type->name, key)
				       : field_suggestion(decode, "",
							  text_nearest(slice_of(key), wrapper));
		add_unknown_member(decode, "", key, hint);
	}
	if (!json_is_object(fields)) {
		faults_add(decode->faults, type->name, FAULT_TYPE, "must be an object; got %s",
			   json_type_name(fields));
		return NULL;
	}
	return fields;
}

void decode_unknown_fields(const struct record_type *type, const json_t *fields,
			   struct decode *decode)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)fields, key, value) {
		const char *hint = "";

		if (has_field(type, key) || is_expansion(type->lists, key))
			continue;
		if (strcmp(key, type->name) == 0 && json_is_object(value))
			hint = ": move its fields one level up";
		else if (wants_suggestion(decode))
			hint = field_suggestion(decode, decode->prefix,
						field_nearest(type->fields, type->field_count,
							      slice_of(key)));
		add_unknown_member(decode, decode->prefix, key, hint);
	}
}
