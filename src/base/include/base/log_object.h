/* SPDX-License-Identifier: MIT */
/* A line of a log that programs read: one JSON object (RFC 8259) in the caller's storage. JSON and
 * not logfmt, because it has one grammar, one way to escape, and a reader in every language. The
 * line is ASCII alone: whatever else is in a text is escaped, so that no text can end the line, add
 * a member, or move the cursor of a terminal. */
#ifndef BASE_LOG_OBJECT_H
#define BASE_LOG_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* Instead of an object the members can be words on a line, for a person: their values alone, with a
 * blank between them. The same escapes hold, a blank within a text is one, and null is "-". */

/* Below PIPE_BUF: a write of it to a pipe is never mixed with another's. A member that does not
 * fit any more is left out. */
#define LOG_OBJECT_BYTES 3072

struct log_object {
	size_t len;
	bool words;
	char text[LOG_OBJECT_BYTES];
};

void log_object_open(struct log_object *object);
void log_words_open(struct log_object *object);
/* Closes either and ends the line; returns the whole. */
struct slice log_object_close(struct log_object *object);

/* `name` must need no escapes. A byte that is not of well-formed UTF-8 shows as U+FFFD; a text of
 * over `most` bytes is cut, between two characters, and ends with "...". null where `text.ptr` is
 * NULL. */
void log_put_text(struct log_object *object, const char *name, struct slice text, size_t most);
/* Text that needs no escapes; as words, it may be several. */
void log_put_plain(struct log_object *object, const char *name, struct slice text);
void log_put_int(struct log_object *object, const char *name, int64_t value);
void log_put_null(struct log_object *object, const char *name);
/* Thousandths: 1234 is written as 1.234. Not negative. */
void log_put_thousandths(struct log_object *object, const char *name, int64_t value);
/* Milliseconds since 1970-01-01 UTC, as "2023-02-14T00:00:00.000Z" (RFC 3339). */
void log_put_time(struct log_object *object, const char *name, int64_t milliseconds);

#endif
