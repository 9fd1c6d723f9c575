/* SPDX-License-Identifier: MIT */
/* JSON values, and words in them. docket makes the document at its start, and ends if there is no
 * memory for it. So no caller has to check for NULL. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#include "base/log.h"
#include "openapi_private.h"

json_t *made(json_t *value)
{
	if (value)
		return value;
	log_line("cannot make the OpenAPI document: out of memory");
	exit(EXIT_FAILURE);
}

json_t *parsed(const char *text)
{
	return made(json_loads(text, JSON_DECODE_ANY, NULL));
}

void put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		made(NULL);
}

void add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		made(NULL);
}

json_t *texts(const char *const *choices)
{
	json_t *list = PACK("[]");

	for (; *choices; choices++)
		add(list, PACK("s", *choices));
	return list;
}

void buf_add_sentence(struct buf *out, const char *phrase)
{
	assert(phrase); /* every row of a table has one */
	buf_add_char(out, (char)toupper((unsigned char)*phrase));
	buf_add_text(out, phrase + 1);
	buf_add_char(out, '.');
}

json_t *buf_text(struct buf *buf)
{
	json_t *text = made(buf->failed ? NULL : json_stringn(buf->ptr, buf->len));

	buf_release(buf);
	return text;
}

json_t *sentence(const char *phrase)
{
	struct buf out = {0};

	buf_add_sentence(&out, phrase);
	return buf_text(&out);
}

json_t *reference(const char *section, const char *name)
{
	return PACK("{s:o}", "$ref", TEXT("#/components/%s/%s", section, name));
}

json_t *nullable(json_t *schema)
{
	json_t *type = json_object_get(schema, "type");
	json_t *choices = json_object_get(schema, "enum");

	if (!type)
		return PACK("{s:[o,{s:s}]}", "anyOf", schema, "type", "null");
	if (choices)
		add(choices, json_null());
	put(schema, "type",
	    json_is_string(type)
		    ? PACK("[O,s]", type, "null")
		    : PACK("[O,O,s]", json_array_get(type, 0), json_array_get(type, 1), "null"));
	return schema;
}

/* "case service" or "case_service" as "CaseService". */
static void add_identifier(struct buf *out, const char *words)
{
	for (bool first = true; *words; words++) {
		bool blank = *words == ' ' || *words == '_';

		if (!blank)
			buf_add_char(out, first ? (char)toupper((unsigned char)*words) : *words);
		first = blank;
	}
}

json_t *worded(const char *text, const struct record_type *type)
{
	struct buf out = {0};

	while (*text) {
		const char *open = strchr(text, '{');
		const char *close = open ? strchr(open, '}') : NULL;

		if (!close) {
			buf_add_text(&out, text);
			break;
		}
		buf_add_slice(&out, (struct slice){text, (size_t)(open - text)});
		if (open[1] == 'R')
			add_identifier(&out, type->noun);
		else
			buf_add_text(&out, type->noun);
		if (close[-1] == 's')
			buf_add_char(&out, 's');
		text = close + 1;
	}
	return buf_text(&out);
}

json_t *schema_name(const char *prefix, const struct record_type *type, const char *suffix)
{
	struct buf out = {0};

	buf_add_text(&out, prefix);
	add_identifier(&out, type->name);
	buf_add_text(&out, suffix);
	return buf_text(&out);
}
