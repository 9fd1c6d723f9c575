/* SPDX-License-Identifier: MIT */
/* Memory with one lifetime: that of a request, a batch or a command. Allocations are not freed one
 * by one. Not safe for use by two threads at once. */
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
	size_t size;                /* bytes of all blocks */
};

/* A zeroed struct arena is ready for use as well. */
void arena_init(struct arena *arena);

/* Frees everything that was allocated. The arena is empty then and can be used again. */
void arena_release(struct arena *arena);

/* Returns `size` zeroed bytes, aligned for any type; NULL if memory runs out. */
void *arena_alloc(struct arena *arena, size_t size);

/* Returns a copy of `text` with a NUL behind it; NULL if memory runs out. */
char *arena_copy(struct arena *arena, struct slice text);

/* Like sprintf, into memory of the arena; NULL if memory runs out. */
char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
