/* SPDX-License-Identifier: MIT */
/* Memory with one lifetime, cut from blocks that grow: a usual request takes one malloc, a batch
 * a few. AddressSanitizer sees every allocation singly: what is not handed out is poisoned. */
#include "base/arena.h"

#include <stdint.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#endif

#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define ARENA_GAP 16 /* poisoned bytes between two allocations */
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
#define ARENA_GAP 0
#endif

#define ALIGNMENT _Alignof(max_align_t)
#define FIRST_BLOCK ((size_t)8 * 1024)
#define LARGEST_BLOCK ((size_t)256 * 1024)
#define LARGEST_REQUEST (SIZE_MAX / 4)

struct arena_block {
	struct arena_block *next;
	size_t size; /* of `data` */
	bool own;    /* made for one big request: the growth of the others does not count it */
	_Alignas(max_align_t) char data[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_release(struct arena *arena)
{
	struct arena_block *block, *next;

	if (!arena)
		return;
	for (block = arena->blocks; block; block = next) {
		next = block->next;
		ASAN_UNPOISON_MEMORY_REGION(block->data, block->size);
		free(block);
	}
	arena_init(arena);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *block = malloc(sizeof(*block) + size);

	if (!block)
		return NULL;
	*block = (struct arena_block){.size = size};
	ASAN_POISON_MEMORY_REGION(block->data, size);
	return block;
}

/* A block of its own for a big request. It goes behind the newest, whose free bytes would be lost
 * if it went in front. */
static char *own_block(struct arena *arena, size_t size)
{
	struct arena_block *block = block_new(size);

	if (!block)
		return NULL;
	block->own = true;
	if (arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		arena->blocks = block;
	}
	return block->data;
}

static bool next_block(struct arena *arena)
{
	size_t size = FIRST_BLOCK;
	struct arena_block *block;

	if (arena->blocks && !arena->blocks->own)
		size = arena->blocks->size * 2;
	if (size > LARGEST_BLOCK)
		size = LARGEST_BLOCK;
	block = block_new(size);
	if (!block)
		return false;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->next = block->data;
	arena->left = size;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t needed;
	char *bytes;

	if (size > LARGEST_REQUEST)
		return NULL;
	if (size == 0)
		size = 1;
	needed = (size + ARENA_GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (needed > arena->left && needed > FIRST_BLOCK / 4) {
		bytes = own_block(arena, needed);
		if (!bytes)
			return NULL;
	} else {
		if (needed > arena->left && !next_block(arena))
			return NULL;
		bytes = arena->next;
		arena->next += needed;
		arena->left -= needed;
	}
	ASAN_UNPOISON_MEMORY_REGION(bytes, size);
	return memset(bytes, 0, size);
}

char *arena_copy(struct arena *arena, struct slice text)
{
	char *copy = text.len < LARGEST_REQUEST ? arena_alloc(arena, text.len + 1) : NULL;

	if (copy && text.len > 0)
		memcpy(copy, text.ptr, text.len);
	return copy;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	char small[256], *text;
	va_list again;
	int len;

	va_copy(again, args);
	len = vsnprintf(small, sizeof(small), format, args);
	if (len < 0) {
		text = NULL;
	} else if ((size_t)len < sizeof(small)) {
		text = arena_copy(arena, (struct slice){small, (size_t)len});
	} else {
		text = arena_alloc(arena, (size_t)len + 1);
		if (text)
			vsnprintf(text, (size_t)len + 1, format, again);
	}
	va_end(again);
	return text;
}
