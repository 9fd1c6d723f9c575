/* SPDX-License-Identifier: MIT */
/* Reads JSON strictly, by jansson: no duplicate keys, no NUL, no lone surrogates, no numbers that
 * do not fit, nothing behind the value, well-formed UTF-8 only. */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <jansson.h>

#include "base/arena.h"
#include "base/slice.h"

/* Call once before any thread reads: seeds the hashing of keys. */
void json_read_init(void);

/* The value, to be released by json_decref(); or NULL, and then `message_out` says what is wrong
 * and where, in words for the client that read on from the name of the text: "is not JSON: … at
 * line 3, column 14", "is UTF-16; send UTF-8". The message is in `arena` or static. One byte order
 * mark of UTF-8 before the value is skipped (RFC 8259, section 8.1). */
json_t *json_read(struct slice text, struct arena *arena, const char **message_out);

/* The text of a JSON string, not copied; it lives as long as `value`. */
static inline struct slice json_slice(const json_t *value)
{
	return (struct slice){json_string_value(value), json_string_length(value)};
}

/* "an object", "a string", … for messages. */
const char *json_type_name(const json_t *value);

#endif
