/* SPDX-License-Identifier: MIT */
/* The growable buffer and the arena, at the sizes where they grow and where memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

static void buf_pieces(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_true(slice_is(buf_slice(&buf), ""));
	buf_add(&buf, "a\0b", 3);
	buf_add(&buf, NULL, 0);
	buf_add_slice(&buf, SLICE("[slice]"));
	buf_add_slice(&buf, (struct slice){NULL, 0});
	buf_add_text(&buf, "");
	buf_add_text(&buf, "text");
	buf_add_char(&buf, '\0');
	buf_add_char(&buf, 'c');
	buf_printf(&buf, "<%s %d>", "printed", 7);
	assert_true(slice_eq(buf_slice(&buf), SLICE("a\0b[slice]text\0c<printed 7>")));
	assert_false(buf.failed);
	buf_clear(&buf);
	assert_int_equal(buf.len, 0);
	assert_true(buf.cap > 0);
	buf_add_text(&buf, "again");
	assert_true(slice_is(buf_slice(&buf), "again"));
	buf_release(&buf);
	assert_null(buf.ptr);
	assert_int_equal(buf.len + buf.cap, 0);
	buf_release(&buf);
	buf_release(NULL);
}

static void buf_integers(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {
		{0, "0"},
		{7, "7"},
		{10, "10"},
		{-1, "-1"},
		{-10, "-10"},
		{1234567, "1234567"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf buf = {0};

		buf_add_int(&buf, rows[i].value);
		assert_true(slice_is(buf_slice(&buf), rows[i].text));
		buf_release(&buf);
	}
}

static void buf_grows(void **state)
{
	struct buf buf = {0};

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		buf_add_char(&buf, (char)('a' + i % 26));
	assert_int_equal(buf.len, 100000);
	for (size_t i = 0; i < buf.len; i++) {
		if (buf.ptr[i] != (char)('a' + i % 26))
			fail_msg("byte %zu", i);
	}
	assert_true(buf_reserve(&buf, 1000000));
	assert_true(buf.cap - buf.len >= 1000000);
	assert_int_equal(buf.len, 100000);
	buf_release(&buf);
}

/* Each length of a printed text, across the sizes at which the buffer must grow for its NUL. */
static void buf_prints_any_length(void **state)
{
	static char filling[1101];

	(void)state;
	memset(filling, 'x', sizeof(filling) - 1);
	for (int len = 0; len < 1100; len++) {
		struct buf buf = {0};

		/* One byte first, so that for some length only the NUL of the second text lacks
		 * room. */
		buf_add_char(&buf, 'x');
		buf_printf(&buf, "%.*s", len, filling);
		buf_printf(&buf, "%.*s|", len, filling);
		assert_int_equal(buf.len, 2 * len + 2);
		assert_memory_equal(buf.ptr, filling, (size_t)len + 1);
		assert_int_equal(buf.ptr[buf.len - 1], '|');
		assert_true(buf.len <= buf.cap);
		buf_release(&buf);
	}
}

static void buf_stays_failed(void **state)
{
	struct buf buf = {0};

	(void)state;
	buf_add_text(&buf, "kept");
	assert_false(buf_reserve(&buf, SIZE_MAX));
	assert_true(buf.failed);
	assert_false(buf_reserve(&buf, 1));
	buf_add_text(&buf, "lost");
	buf_add_char(&buf, 'x');
	buf_add_int(&buf, 7);
	buf_printf(&buf, "%d", 7);
	assert_true(slice_is(buf_slice(&buf), "kept"));
	assert_true(buf.failed);
	buf_clear(&buf);
	assert_false(buf.failed);
	buf_add_text(&buf, "new");
	assert_true(slice_is(buf_slice(&buf), "new"));
	assert_false(buf_reserve(&buf, SIZE_MAX - 2));
	buf_release(&buf);
	assert_false(buf.failed);
}

static void arena_allocates(void **state)
{
	struct arena arena = {0};
	unsigned char *all[200];

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < 200; i++) {
			size_t size = i * i; /* 0 to 39,601: some need a block of their own */

			all[i] = arena_alloc(&arena, size);
			assert_non_null(all[i]);
			assert_int_equal((uintptr_t)all[i] % _Alignof(max_align_t), 0);
			for (size_t at = 0; at < size; at++) {
				if (all[i][at] != 0)
					fail_msg("byte %zu of %zu is not zero", at, size);
			}
			memset(all[i], (int)(i + 1), size);
		}
		for (size_t i = 0; i < 200; i++) {
			for (size_t at = 0; at < i * i; at++) {
				if (all[i][at] != (unsigned char)(i + 1))
					fail_msg("allocation %zu was overwritten", i);
			}
		}
		arena_release(&arena);
		assert_null(arena.blocks);
		assert_int_equal(arena.left, 0);
	}
	assert_ptr_not_equal(arena_alloc(&arena, 0), arena_alloc(&arena, 0));
	/* Each takes more than its one byte. If the arena did not count that, AddressSanitizer
	 * would report it. */
	for (size_t i = 0; i < 2000; i++)
		*(char *)arena_alloc(&arena, 1) = 'x';
	arena_release(&arena);
	arena_release(&arena);
	arena_release(NULL);
}

/* A large allocation gets a block of its own; the rest of the current block stays for small ones.
 */
static void arena_keeps_its_block(void **state)
{
	struct arena arena;
	char *next;

	(void)state;
	arena_init(&arena);
	assert_non_null(arena_alloc(&arena, 1000000));
	assert_non_null(arena_alloc(&arena, 1));
	assert_true(arena.left < 9000); /* small ones do not get a large block after it */
	next = arena.next;
	assert_non_null(arena_alloc(&arena, 1000000));
	assert_ptr_equal(arena_alloc(&arena, 16), next);
	arena_release(&arena);
}

static void arena_out_of_memory(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 15));
	assert_null(arena_alloc(&arena, SIZE_MAX / 2));
	assert_null(arena_copy(&arena, (struct slice){"", SIZE_MAX}));
	assert_non_null(arena_alloc(&arena, 1));
	arena_release(&arena);
}

static void arena_texts(void **state)
{
	struct arena arena = {0};
	char source[] = "copied";
	char *copy = arena_copy(&arena, (struct slice){source, 4});

	(void)state;
	source[0] = 'X';
	assert_string_equal(copy, "copi");
	assert_string_equal(arena_copy(&arena, (struct slice){NULL, 0}), "");
	assert_memory_equal(arena_copy(&arena, SLICE("a\0b")), "a\0b", 4);
	assert_string_equal(arena_printf(&arena, "%s is %d", "seven", 7), "seven is 7");
	assert_string_equal(arena_printf(&arena, "%s", ""), "");
	for (int len = 250; len < 262; len++) { /* around the size of the first attempt */
		char *text = arena_printf(&arena, "%0*d", len, 7);

		assert_int_equal(strlen(text), len);
		assert_int_equal(text[len - 1], '7');
	}
	arena_release(&arena);
}

static void error_texts(void **state)
{
	(void)state;
	for (int err = OK; err <= ERR_INTERNAL; err++) {
		assert_non_null(err_text((enum err)err));
		assert_string_not_equal(err_text((enum err)err), "unknown error");
		for (int other = OK; other < err; other++)
			assert_string_not_equal(err_text((enum err)err), err_text((enum err)other));
	}
	assert_string_equal(err_text((enum err)(ERR_INTERNAL + 1)), "unknown error");
	assert_string_equal(err_text(ERR_NOMEM), "out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buf_pieces),
		cmocka_unit_test(buf_integers),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(buf_prints_any_length),
		cmocka_unit_test(buf_stays_failed),
		cmocka_unit_test(arena_allocates),
		cmocka_unit_test(arena_keeps_its_block),
		cmocka_unit_test(arena_out_of_memory),
		cmocka_unit_test(arena_texts),
		cmocka_unit_test(error_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
