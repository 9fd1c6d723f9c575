/* SPDX-License-Identifier: MIT */
/* Cuts allocations from blocks of growing size: a usual request needs one malloc, a batch a few.
 * All other bytes of a block are poisoned, so that AddressSanitizer checks each allocation. */
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
#define LARGEST_ALLOC (SIZE_MAX / 4)

struct arena_block {
	struct arena_block *next;
	size_t size; /* of `data` */
	bool own;    /* holds one big allocation; the size of the next block ignores it */
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

/* Gives a big allocation a block of its own. It goes behind the newest block, because add_block()
 * doubles the size of the block in front. */
static char *add_own_block(struct arena *arena, size_t size)
{
	struct arena_block *block = block_new(size);

	if (!block)
		return NULL;
	block->own = true;
	arena->size += size;
	if (arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		arena->blocks = block;
	}
	return block->data;
}

static bool add_block(struct arena *arena)
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
	arena->size += size;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t needed;
	char *bytes;

	if (size > LARGEST_ALLOC)
		return NULL;
	if (size == 0)
		size = 1;
	needed = (size + ARENA_GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (needed > arena->left && needed > FIRST_BLOCK / 4) {
		bytes = add_own_block(arena, needed);
		if (!bytes)
			return NULL;
	} else {
		if (needed > arena->left && !add_block(arena))
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
	char *copy = text.len < LARGEST_ALLOC ? arena_alloc(arena, text.len + 1) : NULL;

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
