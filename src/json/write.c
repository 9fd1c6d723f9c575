/* SPDX-License-Identifier: MIT */
/* Writes JSON straight into a buffer. */
#include "json/write.h"

/* Writes the comma before a value or a key. None is needed at the beginning and after an opening
 * bracket, a colon or a comma; so the buffer itself is the only state. */
static void json_separate(struct buf *out)
{
	char last;

	if (out->len == 0)
		return;
	last = out->ptr[out->len - 1];
	if (last != '{' && last != '[' && last != ':' && last != ',')
		buf_add_char(out, ',');
}

void json_open_object(struct buf *out)
{
	json_separate(out);
	buf_add_char(out, '{');
}

void json_close_object(struct buf *out)
{
	buf_add_char(out, '}');
}

void json_open_array(struct buf *out)
{
	json_separate(out);
	buf_add_char(out, '[');
}

void json_close_array(struct buf *out)
{
	buf_add_char(out, ']');
}

void json_put_key(struct buf *out, const char *name)
{
	size_t len = strlen(name);

	json_separate(out);
	if (!buf_reserve(out, len + 3))
		return;
	buf_add_char(out, '"');
	buf_add(out, name, len);
	buf_add(out, "\":", 2);
}

static void json_escape(struct buf *out, unsigned char c)
{
	static const char shorts[] = "btn\0fr"; /* from 0x08 to 0x0d; 0x0b has none */
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		buf_add(out, text, 2);
	} else if (c >= 0x08 && c <= 0x0d && shorts[c - 0x08]) {
		text[1] = shorts[c - 0x08];
		buf_add(out, text, 2);
	} else {
		buf_add(out, text, 6);
	}
}

void json_put_text(struct buf *out, struct slice text)
{
	size_t start = 0;

	json_separate(out);
	if (!buf_reserve(out, text.len + 2))
		return;
	buf_add_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		buf_add(out, text.ptr + start, i - start);
		json_escape(out, c);
		start = i + 1;
	}
	if (text.len)
		buf_add(out, text.ptr + start, text.len - start);
	buf_add_char(out, '"');
}

void json_put_int(struct buf *out, int64_t value)
{
	json_separate(out);
	buf_add_int(out, value);
}

void json_put_null(struct buf *out)
{
	json_separate(out);
	buf_add(out, "null", 4);
}

void json_put_plain(struct buf *out, struct slice raw)
{
	json_separate(out);
	buf_add_char(out, '"');
	buf_add_slice(out, raw);
	buf_add_char(out, '"');
}

void json_put_raw(struct buf *out, struct slice json)
{
	json_separate(out);
	buf_add_slice(out, json);
}
