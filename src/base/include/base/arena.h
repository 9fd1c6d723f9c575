/* SPDX-License-Identifier: MIT */
/* Memory with one lifetime: a request's, a batch's, a command's. Nothing in it is freed
 * singly. Not safe for use by two threads at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	char *next;                 /* first free byte of the newest block */
	size_t left;                /* free bytes in it */
};

/* A zeroed struct arena is ready for use as well. */
void arena_init(struct arena *arena);

/* Frees all that was allocated; the arena is as new and may be used again. */
void arena_release(struct arena *arena);

/* `size` zeroed bytes, aligned for any type, or NULL when memory is out. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy with a NUL behind it (not counted), or NULL when memory is out. */
char *arena_copy(struct arena *arena, struct slice text);

/* As printf, into the arena; NULL when memory is out. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
