/* SPDX-License-Identifier: MIT */
/* A line of a log that programs read: one JSON object (RFC 8259) in the caller's storage. It is
 * JSON and not logfmt, because JSON has one grammar, one form of escape and a parser in every
 * language. The line is ASCII. All other characters are escaped, so that no text can end the line,
 * add a member or move a terminal's cursor. */
#ifndef BASE_LOG_OBJECT_H
#define BASE_LOG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* For a person, a line can be words instead of an object: the members' values alone, with a space
 * between them. Texts are escaped in the same way; a space in a text is escaped too. null is
 * "-". */

/* At most PIPE_BUF: two lines written to one pipe are never mixed. A member that does not fit is
 * left out. */
#define LOG_OBJECT_BYTES 3072

struct log_object {
	size_t len;
	bool words;
	char text[LOG_OBJECT_BYTES];
};

void log_object_open(struct log_object *object);
void log_words_open(struct log_object *object);
/* Closes an object or words, ends the line and returns it. */
struct slice log_object_close(struct log_object *object);

/* `name` must need no escapes. Bytes that are not well-formed UTF-8 are written as U+FFFD. A text
 * of more than `most` bytes is cut between two characters and ends with "...". Writes null if
 * `text.ptr` is NULL. */
void log_put_text(struct log_object *object, const char *name, struct slice text, size_t most);
/* `text` must need no escapes. In a line of words it may be several words. */
void log_put_plain(struct log_object *object, const char *name, struct slice text);
void log_put_int(struct log_object *object, const char *name, int64_t value);
void log_put_null(struct log_object *object, const char *name);
/* Writes thousandths, such as 1234 as 1.234. `value` must not be negative. */
void log_put_thousandths(struct log_object *object, const char *name, int64_t value);
/* Milliseconds since 1970-01-01 UTC, as "2023-02-14T00:00:00.000Z" (RFC 3339). */
void log_put_time(struct log_object *object, const char *name, int64_t milliseconds);

#endif
