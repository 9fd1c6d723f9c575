/* SPDX-License-Identifier: MIT */
/* Reads JSON strictly, by jansson. */
#include "json/read.h"

#include <ctype.h>

void json_read_init(void)
{
	json_object_seed(0); /* from the system's random numbers */
}

/* jansson's own words with the text they quote cut off: it may be long, and it is the client's
 * anyhow. */
static const char *words(const json_error_t *error, struct arena *arena)
{
	struct slice text = slice_of(error->text);
	const char *near = memmem(text.ptr, text.len, " near '", 7);
	const char *said;

	if (near)
		text.len = (size_t)(near - text.ptr);
	for (size_t i = 0; i < text.len; i++)
		if (!isprint((unsigned char)text.ptr[i]))
			text.len = i;
	said = arena_printf(arena, "%.*s at line %d, column %d", (int)text.len, text.ptr,
			    error->line, error->column);
	return said ? said : "malformed";
}

json_t *json_read(struct slice text, struct arena *arena, const char **message_out)
{
	json_error_t error;
	json_t *value;

	if (text.len == 0) {
		*message_out = "there is nothing, at line 1, column 1";
		return NULL;
	}
	value = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value)
		*message_out = words(&error, arena);
	return value;
}

const char *json_type_name(const json_t *value)
{
	static const char *const names[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "an array",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a number with a fraction",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return names[json_typeof(value)];
}
