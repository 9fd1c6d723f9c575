/* SPDX-License-Identifier: MIT */
/* Reads JSON strictly, with jansson. It refuses duplicate keys, NUL, lone surrogates, numbers that
 * are too large, anything after the value, and text that is not well-formed UTF-8.
 *
 *	json_t *value = json_read(body, &arena, &message);
 *
 *	if (!value)
 *		return refuse("the body %s", message);
 *	...
 *	json_decref(value);
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <jansson.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Seeds the hashing of keys. Call it once, before any thread reads. */
void json_read_init(void);

/* The value, which the caller releases with json_decref(). NULL: `message_out` tells the client
 * what is wrong and where. It continues a sentence that begins with the name of the text: "is not
 * JSON: … at line 3, column 14", "is UTF-16; send UTF-8". It is in `arena` or static. A UTF-8 byte
 * order mark before the value is skipped (RFC 8259, section 8.1). */
json_t *json_read(struct slice text, struct arena *arena, const char **message_out);

/* The most memory that json_read() takes for this text, from the allocator, also if it is no JSON.
 * Some 20 bytes for each byte of "[0,0,…]", 80 of "[{},{},…]", 5 of usual objects. */
size_t json_tree_bytes(struct slice text);

/* The value as text, in the arena. ERR_NOMEM. */
enum err json_to_text(const json_t *value, struct arena *arena, struct slice *text_out);

/* The text of a JSON string, not copied; it lives as long as `value`. */
static inline struct slice json_slice(const json_t *value)
{
	return (struct slice){json_string_value(value), json_string_length(value)};
}

/* "an object", "a string", … for messages. */
const char *json_type_name(const json_t *value);

#endif
