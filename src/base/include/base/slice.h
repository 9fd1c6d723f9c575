/* SPDX-License-Identifier: MIT */
/* A pointer and a length: text that somebody else owns. Not terminated by NUL. */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
	const char *ptr; /* may be NULL where len is 0 */
	size_t len;      /* bytes */
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_of(text));
}

/* Equal, ignoring the case of ASCII letters. */
static inline bool slice_is_nocase(struct slice a, const char *text)
{
	size_t len = strlen(text);

	return a.len == len && (len == 0 || strncasecmp(a.ptr, text, len) == 0);
}

#endif
