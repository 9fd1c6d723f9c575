/* SPDX-License-Identifier: MIT */
/* Reads JSON strictly, with jansson. */
#include "json/read.h"

#include <ctype.h>

#include "base/array.h"
#include "base/text.h"

void json_read_init(void)
{
	json_object_seed(0); /* from the system's random numbers */
}

/* jansson's message, without the text that it quotes, which may be long and comes from the client,
 * and without the names of jansson's flags. */
static struct slice jansson_message(const json_error_t *error)
{
	struct slice text = slice_of(error->text);
	static const char *const ends[] = {" near '", " without JSON_"};

	for (size_t i = 0; i < COUNT_OF(ends); i++) {
		const char *end = memmem(text.ptr, text.len, ends[i], strlen(ends[i]));

		if (end)
			text.len = (size_t)(end - text.ptr);
	}
	for (size_t i = 0; i < text.len; i++)
		if (!isprint((unsigned char)text.ptr[i]))
			text.len = i;
	return text;
}

static const char *reason_write(struct arena *arena, struct slice why, int line, int column)
{
	const char *said = arena_printf(arena, "is not JSON: %.*s at line %d, column %d",
					(int)why.len, why.ptr, line, column > 0 ? column : 1);

	return said ? said : "is not JSON";
}

/* jansson skips a NUL after a number or a literal and reads on. No JSON text has a NUL (RFC 8259,
 * section 7). */
static const char *message_of_nul(struct slice text, const char *nul, struct arena *arena)
{
	const char *start = text.ptr;
	int line = 1;

	for (const char *end; (end = memchr(start, '\n', (size_t)(nul - start))); start = end + 1)
		line++;
	return reason_write(arena, SLICE("a NUL byte"), line,
			    (int)text_chars((struct slice){start, (size_t)(nul - start)}) + 1);
}

/* Returns a message if the text is UTF-16 or UTF-32, which an old standard of JSON allowed. NULL:
 * it is neither. A byte order mark shows the encoding. So do the zeros among the first four bytes,
 * because the first two characters of JSON were always ASCII (RFC 4627, section 3). UTF-32 comes
 * first: its mark begins as that of UTF-16 does. */
static const char *message_of_encoding(struct slice text)
{
	static const struct {
		const char *name;
		struct slice mark;
		const char *zeros;
	} rows[] = {
		{"is UTF-32; send UTF-8", SLICE("\xff\xfe\0\0"), "x000"},
		{"is UTF-32; send UTF-8", SLICE("\0\0\xfe\xff"), "000x"},
		{"is UTF-16; send UTF-8", SLICE("\xff\xfe"), "x0x0"},
		{"is UTF-16; send UTF-8", SLICE("\xfe\xff"), "0x0x"},
	};
	char zeros[5] = "";

	for (size_t i = 0; i < 4 && i < text.len; i++)
		zeros[i] = text.ptr[i] ? 'x' : '0';
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if ((text.len >= rows[i].mark.len &&
		     memcmp(text.ptr, rows[i].mark.ptr, rows[i].mark.len) == 0) ||
		    strcmp(zeros, rows[i].zeros) == 0)
			return rows[i].name;
	return NULL;
}

json_t *json_read(struct slice text, struct arena *arena, const char **message_out)
{
	static const struct slice mark = SLICE("\xef\xbb\xbf");
	const char *encoding, *nul;
	json_error_t error;
	json_t *value;

	encoding = text.len ? message_of_encoding(text) : NULL;
	if (encoding) {
		*message_out = encoding;
		return NULL;
	}
	if (text.len >= mark.len && memcmp(text.ptr, mark.ptr, mark.len) == 0)
		text = (struct slice){text.ptr + mark.len, text.len - mark.len};
	if (text.len == 0) {
		*message_out = "is not JSON: it is empty, at line 1, column 1";
		return NULL;
	}
	nul = memchr(text.ptr, '\0', text.len);
	if (nul) {
		*message_out = message_of_nul(text, nul, arena);
		return NULL;
	}
	value = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value)
		*message_out =
			reason_write(arena, jansson_message(&error), error.line, error.column);
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
