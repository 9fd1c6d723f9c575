/* SPDX-License-Identifier: MIT */
/* JSON: what strict reading refuses, and that written JSON can be read again. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "json/read.h"
#include "json/write.h"

static void reading_is_strict(void **state)
{
	static const struct {
		const char *text;
		const char *message; /* a part of the message; NULL: the text is valid */
	} rows[] = {
		{"{}", NULL},
		{" {\"a\": [1, -2, 3.5, true, null, \"\\u00e9\"]} ", NULL},
		{"12", NULL},
		{"", "line 1, column 1"},
		{"{\"a\":1,\"a\":2}", "duplicate object key"},
		{"{\"a\":1} x", "end of file expected"},
		{"{\"a\":1}{}", "end of file expected"},
		{"{\"a\":\n  nul}", "line 2, column 5"},
		{"[\"\\u0000\"]", "\\u0000 is not allowed at line 1"},
		{"[\"\\ud800\"]", "invalid Unicode"},
		{"[\"\xff\"]", "unable to decode byte 0xff"},
		{"[\"\xed\xa0\x80\"]", "unable to decode byte 0xed"},
		{"\xef\xbb\xbf{}", NULL},
		{"\xef\xbb\xbf\xef\xbb\xbf{}", "at line 1, column 1"},
		{"\xef\xbb\xbf", "it is empty, at line 1, column 1"},
		{"\xef\xbb{}", "unable to decode byte 0xef at line 1, column 1"},
		{"[1,]", "unexpected token"},
		{"[01]", "invalid token"},
		{"{a: 1}", "string or '}' expected"},
		{"[NaN]", "invalid token"},
		{"[9223372036854775808]", "too big integer"},
		{"[1e999]", "real number overflow"},
		{"[\"\n\"]", "unexpected newline"},
		{"[\"\t\"]", "control character 0x9"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		const char *message = NULL;
		json_t *value = json_read(slice_of(rows[i].text), &arena, &message);

		if (rows[i].message) {
			assert_null(value);
			if (!strstr(message, rows[i].message) || !strstr(message, "at line "))
				fail_msg("%s: %s", rows[i].text, message);
		} else if (!value) {
			fail_msg("%s: %s", rows[i].text, message);
		}
		json_decref(value);
		arena_release(&arena);
	}
}

/* The message names NUL bytes, UTF-16 and UTF-32. */
static void other_bytes(void **state)
{
	static const struct {
		struct slice text;
		const char *message;
	} rows[] = {
		{SLICE("245\0"), "is not JSON: a NUL byte at line 1, column 4"},
		{SLICE("{\"a\": 245\0}"), "is not JSON: a NUL byte at line 1, column 10"},
		{SLICE("{\"a\":\n \"\xc3\xa9\",\n\"b\": null\0}"),
		 "is not JSON: a NUL byte at line 3, column 10"},
		{SLICE("[true\0]"), "is not JSON: a NUL byte at line 1, column 6"},
		{SLICE("[\"a\0b\"]"), "is not JSON: a NUL byte at line 1, column 4"},
		{SLICE("{}\0"), "is not JSON: a NUL byte at line 1, column 3"},
		{SLICE("\0"), "is not JSON: a NUL byte at line 1, column 1"},
		{SLICE("\xef\xbb\xbf[1\0]"), "is not JSON: a NUL byte at line 1, column 3"},
		{SLICE("\xff\xfe{\0}\0"), "is UTF-16; send UTF-8"},
		{SLICE("\xfe\xff\0{\0}"), "is UTF-16; send UTF-8"},
		{SLICE("{\0}\0"), "is UTF-16; send UTF-8"},
		{SLICE("\0{\0}"), "is UTF-16; send UTF-8"},
		{SLICE("{\0\"\0\xe9\0\"\0"), "is UTF-16; send UTF-8"},
		{SLICE("\xff\xfe"), "is UTF-16; send UTF-8"},
		{SLICE("\xff\xfe\0\0{\0\0\0"), "is UTF-32; send UTF-8"},
		{SLICE("\0\0\xfe\xff\0\0\0{"), "is UTF-32; send UTF-8"},
		{SLICE("{\0\0\0}\0\0\0"), "is UTF-32; send UTF-8"},
		{SLICE("\0\0\0{\0\0\0}"), "is UTF-32; send UTF-8"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		const char *message = NULL;

		assert_null(json_read(rows[i].text, &arena, &message));
		assert_string_equal(message, rows[i].message);
		arena_release(&arena);
	}
}

static void what_is_written_is_read(void **state)
{
	static const char odd[] = "\x01\b\t\n\v\f\r\x1f\"\\/\x7f\xc3\xa9\xf0\x9f\x98\x80";
	struct buf out = {0};
	struct arena arena = {0};
	const char *message = "";
	json_t *value;

	(void)state;
	json_open_object(&out);
	json_put_key(&out, "odd");
	json_put_text(&out, slice_of(odd));
	json_put_key(&out, "list");
	json_open_array(&out);
	json_put_int(&out, INT64_MIN);
	json_put_null(&out);
	json_put_text(&out, SLICE(","));
	json_open_object(&out);
	json_close_object(&out);
	json_open_array(&out);
	json_close_array(&out);
	json_put_plain(&out, SLICE("2023-02-14"));
	json_close_array(&out);
	json_put_key(&out, "last");
	json_put_text(&out, (struct slice){NULL, 0});
	json_close_object(&out);
	value = json_read(buf_slice(&out), &arena, &message);
	if (!value)
		fail_msg("%.*s: %s", (int)out.len, out.ptr, message);
	assert_true(slice_is(json_slice(json_object_get(value, "odd")), odd));
	assert_int_equal(json_array_size(json_object_get(value, "list")), 6);
	assert_true(json_integer_value(json_array_get(json_object_get(value, "list"), 0)) ==
		    INT64_MIN);
	assert_true(slice_is(json_slice(json_array_get(json_object_get(value, "list"), 2)), ","));
	assert_int_equal(json_object_size(value), 3);
	json_decref(value);
	arena_release(&arena);
	buf_release(&out);
}

/* What jansson holds now, and the most of it, in malloc's chunks. */
static size_t held, held_most;

static void *counted_malloc(size_t size)
{
	size_t *bytes = malloc(size);

	held += malloc_usable_size(bytes) + sizeof(size_t);
	if (held > held_most)
		held_most = held;
	return bytes;
}

static void counted_free(void *bytes)
{
	if (bytes)
		held -= malloc_usable_size(bytes) + sizeof(size_t);
	free(bytes);
}

/* The most bytes that are held while a text is read, which is `part` again and again, numbered
 * where it has a %zu. `bound_out` is what json_tree_bytes() says. */
static size_t most_held(const char *start, const char *part, const char *end, size_t count,
			size_t *bound_out)
{
	struct arena arena = {0};
	struct buf text = {0};
	const char *message;
	json_t *value;

	buf_add_text(&text, start);
	for (size_t i = 0; i < count; i++) {
		const char *number = strstr(part, "%zu");

		if (i)
			buf_add_char(&text, ',');
		if (number) {
			buf_add(&text, part, (size_t)(number - part));
			buf_add_int(&text, (int64_t)i);
			buf_add_text(&text, number + strlen("%zu"));
		} else {
			buf_add_text(&text, part);
		}
	}
	buf_add_text(&text, end);
	*bound_out = json_tree_bytes(buf_slice(&text));
	held = held_most = 0;
	value = json_read(buf_slice(&text), &arena, &message);
	json_decref(value);
	assert_int_equal(held, 0);
	buf_release(&text);
	arena_release(&arena);
	return held_most;
}

static void a_tree_is_bounded(void **state)
{
	static const struct {
		const char *start, *part, *end;
	} rows[] = {
		{"[", "0", "]"},
		{"[", "-1.5e3", "]"},
		{"[", "null", "]"},
		{"[", "\"\"", "]"},
		{"[", "\"a text of some length, with \\\"quotes\\\"\"", "]"},
		{"[", "[]", "]"},
		{"[", "{}", "]"},
		{"[", "[[[[0]]]]", "]"},
		{"[", "{\"a\":{\"a\":{}}}", "]"},
		{"[", "{\"\":[]}", "]"},
		{"{", "\"%zu\":0", "}"},
		{"{", "\"%zu\":\"\"", "}"},
		{"{", "\"a name of some length %zu\":{}", "}"},
		{"[", "{\"id\": %zu, \"title\": \"Call the court\", \"due_on\": null}", "]"},
		/* No JSON: it is read up to there. */
		{"[", "0", ""},
		{"[", "0", "\"0,0,0"},
		{"{", "\"%zu\":0", ",:::"},
	};

	(void)state;
	json_set_alloc_funcs(counted_malloc, counted_free);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t count = 1; count < 200000; count = count * 5 / 3 + 1) {
			size_t bound, most = most_held(rows[i].start, rows[i].part, rows[i].end,
						       count, &bound);

			/* The reader has some buffers of its own. */
			if (most > bound + 4096)
				fail_msg("%zu of %s: %zu bytes, not %zu", count, rows[i].part, most,
					 bound);
			if (count > 1000 && bound > most * 2)
				fail_msg("%zu of %s: %zu bytes, and the bound is %zu", count,
					 rows[i].part, most, bound);
		}
	json_set_alloc_funcs(malloc, free);
}

static void a_value_is_text_again(void **state)
{
	static const char text[] = "{\"a\":[1,2.5,null,true,\"\\u001F\xc3\xa9\"],\"b\":{}}";
	struct arena arena = {0};
	const char *message;
	json_t *value = json_read(SLICE(text), &arena, &message);
	struct slice again;

	(void)state;
	assert_int_equal(json_to_text(value, &arena, &again), OK);
	assert_true(slice_is(again, text));
	json_decref(value);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_is_strict),       cmocka_unit_test(a_tree_is_bounded),
		cmocka_unit_test(a_value_is_text_again),   cmocka_unit_test(other_bytes),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
