/* SPDX-License-Identifier: MIT */
/* Cursors: what one carries comes back, and what a client made up, changed or took from another
 * list is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cursor.h"
#include "base/array.h"
#include "base/buf.h"

static const unsigned char key[SEAL_KEY_BYTES] = {1, 2, 3}, other_key[SEAL_KEY_BYTES] = {1, 2, 4};
static const struct slice purpose = SLICE("cursor 7 task");

static void round_trip(void **state)
{
	static const struct {
		const char *name;
		struct cursor cursor;
	} rows[] = {
		{"zeros", {0}},
		{"an id", {.position = {.id = 1}}},
		{"the largest numbers",
		 {.sort_row = 255, .position = {.id = INT64_MAX, .integer = INT64_MAX}}},
		{"the smallest numbers", {.position = {.id = INT64_MIN, .integer = INT64_MIN}}},
		{"descending", {.sort_row = 3, .descending = true, .position = {.id = 2}}},
		{"no value", {.position = {.id = 3, .null = true}}},
		{"both marks", {.descending = true, .position = {.id = 3, .null = true}}},
		{"a text", {.position = {.id = 4, .text = SLICE("Gr\xc3\xbc\xc3\x9f")}}},
		{"a NUL in a text", {.position = {.text = SLICE("a\0b")}}},
		{"filters", {.filters = {1, 2, 3, 4, 5, 6, 7, 255}}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct cursor *wanted = &rows[i].cursor;
		struct arena arena = {0};
		struct cursor cursor;
		char *text = cursor_encode(key, purpose, wanted, &arena);

		if (cursor_decode(key, purpose, slice_of(text), &arena, &cursor) != OK ||
		    cursor.sort_row != wanted->sort_row ||
		    cursor.descending != wanted->descending ||
		    memcmp(cursor.filters, wanted->filters, sizeof(cursor.filters)) != 0 ||
		    cursor.position.id != wanted->position.id ||
		    cursor.position.null != wanted->position.null ||
		    cursor.position.integer != wanted->position.integer ||
		    !slice_eq(cursor.position.text, wanted->position.text))
			fail_msg("%s: %s", rows[i].name, text);
		arena_release(&arena);
	}
}

/* Texts that no cursor is, as a client may send them. */
static void made_up(void **state)
{
	static const struct slice rows[] = {
		SLICE(""),
		SLICE("x"),
		SLICE("MTIz"),
		SLICE("next"),
		SLICE("../../etc/passwd"),
		SLICE("' OR 1=1 --"),
		SLICE("AAAAAAAAAAAAAAAAAAAAAA"),
		SLICE("AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		SLICE("AQAA\0AAA"),
		SLICE("AQ=="),
		SLICE("\xff\xfe\xc3\xa9"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		struct cursor cursor;

		if (cursor_decode(key, purpose, rows[i], &arena, &cursor) != ERR_INVALID)
			fail_msg("row %zu: %s", i, rows[i].ptr);
		arena_release(&arena);
	}
}

/* A cursor that docket has made, of which each character is changed in turn, and which is cut off
 * and lengthened. */
static void changed(void **state)
{
	struct cursor made = {.position = {.id = 9, .text = SLICE("a title")}}, cursor;
	struct arena arena = {0};
	char *text = cursor_encode(key, purpose, &made, &arena);
	size_t len = strlen(text);
	char *longer = arena_printf(&arena, "%sA", text);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];

		text[i] = kept == 'A' ? 'B' : 'A';
		if (cursor_decode(key, purpose, slice_of(text), &arena, &cursor) != ERR_INVALID)
			fail_msg("character %zu changed: %s", i, text);
		text[i] = kept;
		if (cursor_decode(key, purpose, (struct slice){text, i}, &arena, &cursor) !=
		    ERR_INVALID)
			fail_msg("the first %zu characters of %s", i, text);
	}
	assert_int_equal(cursor_decode(key, purpose, slice_of(longer), &arena, &cursor),
			 ERR_INVALID);
	assert_int_equal(cursor_decode(key, purpose, slice_of(text), &arena, &cursor), OK);
	arena_release(&arena);
}

/* Payloads that have a right seal all the same: of another key, another list, another version. */
static void sealed(void **state)
{
	static const struct {
		const char *name;
		const unsigned char *key;
		struct slice purpose;
		size_t len; /* of the payload */
		char version;
		enum err err;
	} rows[] = {
		{"as it should be", key, SLICE("cursor 7 task"), 27, 1, OK},
		{"with a text", key, SLICE("cursor 7 task"), 40, 1, OK},
		{"another key", other_key, SLICE("cursor 7 task"), 27, 1, ERR_INVALID},
		{"another account", key, SLICE("cursor 8 task"), 27, 1, ERR_INVALID},
		{"another kind", key, SLICE("cursor 7 calendar"), 27, 1, ERR_INVALID},
		{"another purpose", key, SLICE("token"), 27, 1, ERR_INVALID},
		{"an older version", key, SLICE("cursor 7 task"), 27, 0, ERR_SCHEMA},
		{"a newer version", key, SLICE("cursor 7 task"), 40, 2, ERR_SCHEMA},
		{"a byte short", key, SLICE("cursor 7 task"), 26, 1, ERR_INVALID},
		{"a version alone", key, SLICE("cursor 7 task"), 1, 1, ERR_INVALID},
		{"empty", key, SLICE("cursor 7 task"), 0, 0, ERR_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char payload[64] = {rows[i].version};
		struct arena arena = {0};
		struct cursor cursor;
		char *text = seal(rows[i].key, rows[i].purpose,
				  (struct slice){payload, rows[i].len}, &arena);
		enum err err = cursor_decode(key, purpose, slice_of(text), &arena, &cursor);

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].name, err_text(err));
		arena_release(&arena);
	}
}

static void compared(void **state)
{
	static const struct cursor list = {.sort_row = 2, .filters = {1}};
	static const struct {
		const char *name;
		struct cursor cursor;
		unsigned parts;
		const char *faults; /* the last words of each */
	} rows[] = {
		{"the same", {.sort_row = 2, .filters = {1}}, 7, ""},
		{"another position", {2, .filters = {1}, .position = {.id = 9}}, 7, ""},
		{"another sort", {.sort_row = 1, .filters = {1}}, 7, "sort "},
		{"another dir", {2, .descending = true, .filters = {1}}, 7, "dir "},
		{"other filters", {2, .filters = {2}}, 7, "filters "},
		{"all others", {1, true, {2}}, 7, "sort dir filters "},
		{"the request has no sort",
		 {1, true, {2}},
		 CURSOR_DIR | CURSOR_FILTERS,
		 "dir filters "},
		{"it has no dir", {1, true, {2}}, CURSOR_SORT | CURSOR_FILTERS, "sort filters "},
		{"its filters are at fault", {1, true, {2}}, CURSOR_SORT | CURSOR_DIR, "sort dir "},
		{"it has none of them", {1, true, {2}}, 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct arena arena = {0};
		struct faults faults;
		struct buf found = {0};

		faults_init(&faults, &arena);
		cursor_compare(&rows[i].cursor, &list, rows[i].parts, &faults);
		for (const struct fault *fault = faults.first; fault; fault = fault->next)
			buf_printf(&found, "%s ", strrchr(fault->message, ' ') + 1);
		if (!slice_is(buf_slice(&found), rows[i].faults))
			fail_msg("%s: %.*s", rows[i].name, (int)found.len, found.ptr);
		buf_release(&found);
		arena_release(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(made_up),  cmocka_unit_test(changed),
		cmocka_unit_test(sealed),     cmocka_unit_test(compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
