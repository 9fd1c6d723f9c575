/* SPDX-License-Identifier: MIT */
/* The object around the fields of a record, and members of a body that are no fields. */
#include "base/text.h"
#include "codec/codec.h"
#include "json/read.h"
#include "model/list.h"

#define SHOWN_NAME 255 /* characters of the client's own name of a member */

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

/* A member that a GET adds to a record: what was read may be sent back. */
static bool is_expansion(const struct record_lists *lists, const char *key)
{
	for (size_t i = 0; lists && i < lists->expansion_count; i++)
		if (strcmp(lists->expansions[i].key, key) == 0)
			return true;
	return false;
}

/* Whether one more unknown member is named. To find a suggestion is slow: it is not done for
 * members that are ignored or only counted. */
static bool is_told(const struct decode *decode)
{
	return !decode->lenient && decode->faults->count < FAULTS_MAX;
}

/* "; did you mean task.title?", or "" where `meant` is NULL; NULL when memory is out. */
static const char *suggestion(struct decode *decode, const char *prefix, const char *meant)
{
	return meant ? arena_printf(decode->arena, "; did you mean %s%s%s?", prefix,
				    *prefix ? "." : "", meant)
		     : "";
}

/* A member that is no field, inside `prefix`. */
static void unknown_member(struct decode *decode, const char *prefix, const char *key,
			   const char *hint)
{
	struct slice front = text_front(slice_of(key), SHOWN_NAME);
	const char *path;

	if (decode->faults->count >= FAULTS_MAX) {
		decode->faults->count++;
		return;
	}
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
			unknown_member(decode, prefix, key,
				       is_told(decode) ? suggestion(decode, prefix,
								    field_nearest(fields, count,
										  slice_of(key)))
						       : "");
}

/* The fields are not where they belong. What else the body has is not told on top of it. */
static void no_wrapper(const struct record_type *type, const json_t *body, struct decode *decode)
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
		no_wrapper(type, body, decode);
		return NULL;
	}
	json_object_foreach ((json_t *)body, key, value) {
		/* A field beside the object, or the name of the object mistyped. */
		const char *hint = "";

		if (value == fields)
			continue;
		if (is_told(decode))
			hint = has_field(type, key)
				       ? suggestion(decode, type->name, key)
				       : suggestion(decode, "",
						    text_nearest(slice_of(key), wrapper));
		unknown_member(decode, "", key, hint);
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
			hint = ": put its fields in its place";
		else if (is_told(decode))
			hint = suggestion(decode, decode->prefix,
					  field_nearest(type->fields, type->field_count,
							slice_of(key)));
		unknown_member(decode, decode->prefix, key, hint);
	}
}
