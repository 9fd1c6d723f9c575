/* SPDX-License-Identifier: MIT */
/* Reads JSON strictly, by jansson. */
#include "json/read.h"

#include <ctype.h>

void json_read_init(void)
{
	json_object_seed(0); /* from the system's random numbers */
}

/* jansson's own words without the text they quote, which may be long and is the client's anyhow,
 * and without its flags. */
static const char *words(const json_error_t *error, struct arena *arena)
{
	struct slice text = slice_of(error->text);
	static const char *const ends[] = {" near '", " without JSON_"};
	const char *said;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = memmem(text.ptr, text.len, ends[i], strlen(ends[i]));

		if (end)
			text.len = (size_t)(end - text.ptr);
	}
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
