/* SPDX-License-Identifier: MIT */
/* Writes lines of a log without malloc() or printf(), because every request has one. */
#include "base/log_object.h"

#include <limits.h>
#include <unicode/utf8.h>

#include "base/timefmt.h"

#define END_BYTES 2     /* "}\n" */
#define CHAR_MAX_LEN 12 /* the longest character: two escapes */

_Static_assert(LOG_OBJECT_BYTES <= PIPE_BUF, "a line is one write");

static bool fits(const struct log_object *object, size_t more)
{
	return more <= sizeof(object->text) - END_BYTES - object->len;
}

static void object_add(struct log_object *object, const char *bytes, size_t len)
{
	if (len)
		memcpy(object->text + object->len, bytes, len);
	object->len += len;
}

/* Writes the name of a member whose value takes at most `value_max` bytes. False if they do not
 * fit. */
static bool put_name(struct log_object *object, const char *name, size_t value_max)
{
	size_t len = strlen(name);

	if (!fits(object, len + 4 + value_max))
		return false;
	if (object->words) {
		object_add(object, " ", object->len > 0);
		return true;
	}
	if (object->len > 1)
		object_add(object, ",", 1);
	object_add(object, "\"", 1);
	object_add(object, name, len);
	object_add(object, "\":", 2);
	return true;
}

static void add_quote(struct log_object *object)
{
	object_add(object, "\"", object->words ? 0 : 1);
}

static void add_escape(struct log_object *object, unsigned unit)
{
	static const char hex[] = "0123456789abcdef";
	const char text[6] = {
		'\\',          'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15],
		hex[unit & 15]};

	object_add(object, text, sizeof(text));
}

static void add_char(struct log_object *object, UChar32 c)
{
	const char text[2] = {'\\', (char)c};

	if (c == '"' || c == '\\') {
		object_add(object, text, 2);
	} else if (c > (object->words ? 0x20 : 0x1f) && c < 0x7f) {
		object_add(object, text + 1, 1);
	} else if (c < 0) {
		add_escape(object, 0xfffd);
	} else if (c > 0xffff) {
		add_escape(object, 0xd7c0u + ((unsigned)c >> 10));
		add_escape(object, 0xdc00u | ((unsigned)c & 0x3ff));
	} else {
		add_escape(object, (unsigned)c);
	}
}

static size_t write_digits(uint64_t value, char text[20])
{
	char back[20];
	size_t len = 0;

	do {
		back[len++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (size_t i = 0; i < len; i++)
		text[i] = back[len - 1 - i];
	return len;
}

void log_object_open(struct log_object *object)
{
	object->words = false;
	object->text[0] = '{';
	object->len = 1;
}

void log_words_open(struct log_object *object)
{
	object->words = true;
	object->len = 0;
}

struct slice log_object_close(struct log_object *object)
{
	if (object->words)
		object_add(object, "\n", 1);
	else
		object_add(object, "}\n", END_BYTES);
	return (struct slice){object->text, object->len};
}

void log_put_text(struct log_object *object, const char *name, struct slice text, size_t most)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	bool cut = false;

	if (!text.ptr) {
		log_put_null(object, name);
		return;
	}
	if (!put_name(object, name, sizeof("\"...\"")))
		return;
	add_quote(object);
	for (size_t at = 0, next = 0; at < text.len && !cut; at = next) {
		UChar32 c;

		U8_NEXT(bytes, next, text.len, c);
		cut = next > most || !fits(object, CHAR_MAX_LEN + sizeof("...\""));
		if (!cut)
			add_char(object, c);
	}
	object_add(object, "...", cut ? 3 : 0);
	add_quote(object);
}

void log_put_plain(struct log_object *object, const char *name, struct slice text)
{
	if (!put_name(object, name, text.len + 2))
		return;
	add_quote(object);
	object_add(object, text.ptr, text.len);
	add_quote(object);
}

void log_put_int(struct log_object *object, const char *name, int64_t value)
{
	char text[20];

	if (!put_name(object, name, sizeof(text) + 1))
		return;
	if (value < 0)
		object_add(object, "-", 1);
	object_add(object, text,
		   write_digits(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, text));
}

void log_put_null(struct log_object *object, const char *name)
{
	if (put_name(object, name, 4))
		object_add(object, object->words ? "-" : "null", object->words ? 1 : 4);
}

void log_put_thousandths(struct log_object *object, const char *name, int64_t value)
{
	const char part[4] = {'.', (char)('0' + value / 100 % 10), (char)('0' + value / 10 % 10),
			      (char)('0' + value % 10)};
	char text[20];

	if (!put_name(object, name, sizeof(text) + sizeof(part)))
		return;
	object_add(object, text, write_digits((uint64_t)value / 1000, text));
	object_add(object, part, sizeof(part));
}

void log_put_time(struct log_object *object, const char *name, int64_t milliseconds)
{
	int64_t part = (milliseconds % 1000 + 1000) % 1000; /* also before 1970 */
	char text[TIMESTAMP_LEN + 4];

	timestamp_write((milliseconds - part) / 1000, text);
	text[TIMESTAMP_LEN - 1] = '.';
	text[TIMESTAMP_LEN] = (char)('0' + part / 100);
	text[TIMESTAMP_LEN + 1] = (char)('0' + part / 10 % 10);
	text[TIMESTAMP_LEN + 2] = (char)('0' + part % 10);
	text[TIMESTAMP_LEN + 3] = 'Z';
	log_put_plain(object, name, (struct slice){text, sizeof(text)});
}
