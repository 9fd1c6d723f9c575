/* SPDX-License-Identifier: MIT */
/* How much memory a parsed JSON text takes, before it is parsed; and a parsed text as text again.
 */
#include "json/read.h"

#include <string.h>

/* What malloc takes for so many bytes on a 64-bit machine: 8 more, in steps of 16, at least 32. */
#define CHUNK(bytes) ((size_t)(bytes) > 24 ? ((size_t)(bytes) + 8 + 15) / 16 * 16 : 32)
/* What jansson 2.14 allocates: for arrays and objects with the table that they begin with. */
#define NUMBER_BYTES CHUNK(24)
#define ARRAY_BYTES (CHUNK(40) + CHUNK(64))
#define OBJECT_BYTES (CHUNK(72) + CHUNK(128))
#define STRING_BYTES(len) (CHUNK(32) + CHUNK((len) + 1))
/* The tables double, and the old one is there while the new one is filled. */
#define ENTRY_BYTES 24
#define MEMBER_BYTES(name_len) (CHUNK(57 + (name_len)) + 48)

/* The bytes of a string with its quotes, which begins at `start`. */
static size_t string_len(const char *start, const char *end)
{
	const char *at = start + 1;

	while (at < end && *at != '"')
		at += *at == '\\' ? 2 : 1;
	return at < end ? (size_t)(at - start) + 1 : (size_t)(end - start);
}

static size_t number_len(const char *start, const char *end)
{
	const char *at = start;

	while (at < end && memchr("0123456789+-.eE", *at, 15))
		at++;
	return (size_t)(at - start);
}

size_t json_tree_bytes(struct slice text)
{
	const char *end = text.ptr + text.len;
	size_t bytes = 0, len, last_string = 0;

	for (const char *at = text.ptr; at < end; at += len) {
		len = 1;
		switch (*at) {
		case '"':
			len = last_string = string_len(at, end);
			bytes += STRING_BYTES(len);
			break;
		case ':': /* the last string was a name */
			bytes += MEMBER_BYTES(last_string);
			bytes -= STRING_BYTES(last_string);
			last_string = 0;
			break;
		case ',':
			bytes += ENTRY_BYTES;
			break;
		case '[':
			bytes += ARRAY_BYTES;
			break;
		case '{':
			bytes += OBJECT_BYTES;
			break;
		case '-':
		case '0' ... '9':
			len = number_len(at, end);
			bytes += NUMBER_BYTES;
			break;
		default:
			break;
		}
	}
	return bytes;
}

enum err json_to_text(const json_t *value, struct arena *arena, struct slice *text_out)
{
	const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
	size_t len = json_dumpb(value, NULL, 0, flags);
	char *text = len ? arena_alloc(arena, len + 1) : NULL;

	if (!text || json_dumpb(value, text, len, flags) != len)
		return ERR_NOMEM;
	*text_out = (struct slice){text, len};
	return OK;
}
