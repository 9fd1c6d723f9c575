/* SPDX-License-Identifier: MIT */
/* Unicode text: which text is well-formed or blank, what a control character is, how texts fold,
 * and which name is the nearest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/text.h"

/* Writes a character as UTF-8; returns how many bytes. */
static size_t put_char(uint32_t c, char *text)
{
	size_t len = 0;

	if (c < 0x80) {
		text[len++] = (char)c;
	} else if (c < 0x800) {
		text[len++] = (char)(0xc0 | c >> 6);
	} else if (c < 0x10000) {
		text[len++] = (char)(0xe0 | c >> 12);
		text[len++] = (char)(0x80 | (c >> 6 & 0x3f));
	} else {
		text[len++] = (char)(0xf0 | c >> 18);
		text[len++] = (char)(0x80 | (c >> 12 & 0x3f));
		text[len++] = (char)(0x80 | (c >> 6 & 0x3f));
	}
	if (c >= 0x80)
		text[len++] = (char)(0x80 | (c & 0x3f));
	return len;
}

static void well_formed(void **state)
{
	static const struct slice rows[] = {
		SLICE(""),
		SLICE("a"),
		SLICE("a plain title, of more than eight bytes"),
		SLICE("\0"),
		SLICE("\x7f"),
		SLICE("12345678\xc3\xa9"),
		SLICE("1234567\xc3\xa9"),
		SLICE("\xc2\x80"),
		SLICE("\xdf\xbf"),
		SLICE("\xe0\xa0\x80"),
		SLICE("\xed\x9f\xbf"),
		SLICE("\xee\x80\x80"),
		SLICE("\xef\xbf\xbf"),
		SLICE("\xf0\x90\x80\x80"),
		SLICE("\xf4\x8f\xbf\xbf"),
		{NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (!text_is_utf8(rows[i]))
			fail_msg("row %zu", i);
	}
}

static void ill_formed(void **state)
{
	static const struct slice rows[] = {
		SLICE("\x80"),
		SLICE("\xbf"),
		SLICE("a\x80"),
		SLICE("12345678\x80"),
		SLICE("\xc0\x80"),
		SLICE("\xc0\xaf"),
		SLICE("\xc1\xbf"), /* overlong */
		SLICE("\xe0\x80\xaf"),
		SLICE("\xe0\x9f\xbf"),
		SLICE("\xf0\x80\x80\xaf"),
		SLICE("\xf0\x8f\xbf\xbf"),
		SLICE("\xed\xa0\x80"),
		SLICE("\xed\xbf\xbf"), /* surrogates */
		SLICE("\xed\xa0\xbd\xed\xb8\x80"),
		SLICE("\xf4\x90\x80\x80"),
		SLICE("\xf5\x80\x80\x80"), /* above U+10FFFF */
		SLICE("\xf8\x88\x80\x80\x80"),
		SLICE("\xfe"),
		SLICE("\xff"),
		SLICE("\xc3"),
		SLICE("\xe2\x82"),
		SLICE("\xf0\x9f\x98"), /* cut off */
		SLICE("\xc3"
		      "a"),
		SLICE("\xe2\x82"
		      "a"),
		SLICE("\xe2"
		      "a\xac"),
		SLICE("\xc3\xa9\xa9"),
	};
	struct arena arena;

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice folded = SLICE("untouched");

		if (text_is_utf8(rows[i]))
			fail_msg("row %zu", i);
		assert_false(text_is_blank(rows[i]));
		assert_int_equal(text_fold(&arena, rows[i], &folded), ERR_INVALID);
		assert_true(slice_is(folded, "untouched"));
	}
	/* The bytes after the slice are not read. */
	assert_false(text_is_utf8((struct slice){"\xc3\xa9", 1}));
	arena_release(&arena);
}

static void characters(void **state)
{
	(void)state;
	assert_int_equal(text_chars(SLICE("")), 0);
	assert_int_equal(text_chars((struct slice){NULL, 0}), 0);
	assert_int_equal(text_chars(SLICE("abc")), 3);
	assert_int_equal(text_chars(SLICE("\0")), 1);
	assert_int_equal(text_chars(SLICE("\xc3\xa9")), 1);
	assert_int_equal(text_chars(SLICE("e\xcc\x81")), 2); /* code points, not glyphs */
	assert_int_equal(text_chars(SLICE("\xe2\x82\xac\xf0\x9f\x98\x80")), 2);
	assert_true(slice_is(text_front(SLICE("a\xc3\xa9\xf0\x9f\x98\x80z"), 3),
			     "a\xc3\xa9\xf0\x9f\x98\x80"));
	assert_true(slice_is(text_front(SLICE("\xc3\xa9z"), 0), ""));
	assert_true(slice_is(text_front(SLICE("\xc3\xa9"), 1), "\xc3\xa9"));
	assert_true(slice_is(text_front(SLICE("ab"), 9), "ab"));
}

static void blanks(void **state)
{
	static const struct slice blank[] = {
		{NULL, 0},
		SLICE(""),
		SLICE(" "),
		SLICE("\t\n\v\f\r "),
		SLICE("\xc2\x85"),                             /* U+0085 */
		SLICE("\xc2\xa0"),                             /* U+00A0, no break */
		SLICE("\xe1\x9a\x80"),                         /* U+1680 */
		SLICE("\xe2\x80\x80\xe2\x80\x87\xe2\x80\x8a"), /* U+2000, U+2007, U+200A */
		SLICE("\xe2\x80\xa8\xe2\x80\xa9"),             /* U+2028, U+2029 */
		SLICE("\xe2\x80\xaf\xe2\x81\x9f"),             /* U+202F, U+205F */
		SLICE("\xe3\x80\x80"),                         /* U+3000 */
		SLICE(" \xe3\x80\x80 \xc2\xa0"),
		/* Invisible characters: zero-width space and joiners, bidi marks, overrides and
		 * isolates, word joiner, soft hyphen, byte order mark, grapheme joiner. */
		SLICE("\xe2\x80\x8b\xe2\x80\x8c\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f"),
		SLICE("\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa0\xc2\xad\xef\xbb\xbf\xcd\x8f"),
		SLICE("\xe1\x85\x9f\xe1\x85\xa0\xe3\x85\xa4\xef\xbe\xa0"), /* Hangul fillers */
		SLICE("\xe1\xa0\x8e\xef\xb8\x8f\xf3\xa0\x81\x81"), /* U+180E, U+FE0F, a tag */
		SLICE("\xe2\xa0\x80"),                             /* Braille without a dot */
		SLICE("\xef\xbf\xb9"),                             /* U+FFF9, Cf */
		SLICE(" \xe2\x80\x8b "),
	};
	static const struct slice not_blank[] = {
		SLICE("a"),
		SLICE(" a"),
		SLICE("a "),
		SLICE("\0"),
		SLICE("\x1f"),
		SLICE("\x7f"),
		SLICE("\xd8\x80"),         /* U+0600 is Cf, but visible */
		SLICE("\xcc\x81"),         /* a mark is visible */
		SLICE("\xf0\x9f\xab\xaa"), /* a later Unicode may assign it */
		SLICE("\xee\x80\x80"),     /* private use: a font may have it */
		SLICE("\xe2\x80\x8bx"),
		SLICE("\xe3\x80\x80"
		      "."),
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(blank); i++) {
		if (!text_is_blank(blank[i]))
			fail_msg("blank row %zu", i);
	}
	for (size_t i = 0; i < COUNT_OF(not_blank); i++) {
		if (text_is_blank(not_blank[i]))
			fail_msg("not blank row %zu", i);
	}
}

static void controls(void **state)
{
	(void)state;
	/* Of all code points to U+00FF exactly two ranges are controls. */
	for (unsigned int c = 0; c <= 0xff; c++) {
		char text[4] = {'a'};
		size_t len = 1;

		if (c < 0x80) {
			text[len++] = (char)c;
		} else {
			text[len++] = (char)(0xc0 | c >> 6);
			text[len++] = (char)(0x80 | (c & 0x3f));
		}
		if (text_has_control((struct slice){text, len}) !=
		    (c <= 0x1f || (c >= 0x7f && c <= 0x9f)))
			fail_msg("U+%04X", c);
	}
	assert_false(text_has_control(SLICE("")));
	assert_false(text_has_control((struct slice){NULL, 0}));
	assert_true(text_has_control(SLICE("one\ntwo")));
	/* Characters of Cf, Zl and Zs are no controls. */
	assert_false(text_has_control(SLICE("\xe2\x80\x8b\xe2\x80\x8d\xe2\x80\xa8\xe3\x80\x80")));
	assert_false(text_has_control(SLICE("\xef\xbb\xbf\xf3\xa0\x80\x81\xee\x80\x80")));
}

static void trimmed(void **state)
{
	(void)state;
	assert_true(slice_is(text_trim(SLICE("")), ""));
	assert_true(slice_is(text_trim(SLICE(" \t\xc2\xa0\xe3\x80\x80")), ""));
	assert_true(slice_is(text_trim(SLICE("a b")), "a b"));
	assert_true(slice_is(text_trim(SLICE("\xe2\x80\x83 \xc3\xa9 b\n")), "\xc3\xa9 b"));
	/* U+200B is no white space. */
	assert_true(slice_is(text_trim(SLICE(" \xe2\x80\x8b")), "\xe2\x80\x8b"));
}

static void unseen(void **state)
{
	static const uint32_t found[] = {0x01,   0x7f,   0x85,    0xad,    0x34f,   0x600,  0x61c,
					 0x115f, 0x180e, 0x200b,  0x200d,  0x2028,  0x2029, 0x202e,
					 0x2069, 0x3164, 0xfe0f,  0xfeff,  0xffa0,  0xe000, 0xfff9,
					 0xfdd0, 0x378,  0xe0041, 0xe0100, 0x10ffff};
	static const uint32_t fine[] = {' ',   'a',   '~',    0xa0,   0xe9,   0x301,  0x3c2,
					0x436, 0x5d0, 0x2003, 0x3000, 0x4e00, 0xac00, 0x1f600};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(found) + COUNT_OF(fine); i++) {
		uint32_t c = i < COUNT_OF(found) ? found[i] : fine[i - COUNT_OF(found)];
		char text[8] = {'a'};

		if (text_unseen((struct slice){text, 1 + put_char(c, text + 1)}) !=
		    (i < COUNT_OF(found) ? c : 0))
			fail_msg("U+%04X", c);
	}
	assert_int_equal(text_unseen(SLICE("")), 0);
}

static void latin1(void **state)
{
	static const struct slice text = SLICE("j\xfcrgen/token:\x80\xff");
	char utf8[64];

	(void)state;
	assert_true(slice_is((struct slice){utf8, text_from_latin1(text, utf8)},
			     "j\xc3\xbcrgen/token:\xc2\x80\xc3\xbf"));
	assert_int_equal(text_from_latin1(SLICE(""), utf8), 0);
}

static void folding(void **state)
{
	static const struct {
		const char *text, *folded;
	} rows[] = {
		{"", ""},
		{"Test API Task 09 [@^_`{", "test api task 09 [@^_`{"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"},
		{"Stra\xc3\x9f"
		 "e",
		 "strasse"}, /* ß */
		{"STRA\xe1\xba\x9e"
		 "E",
		 "strasse"},                                  /* capital ß, U+1E9E */
		{"\xc3\x89t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},   /* Été */
		{"E\xcc\x81te\xcc\x81", "\xc3\xa9t\xc3\xa9"}, /* the same, decomposed */
		{"caf\x65\xcc\x81 NOIR", "caf\xc3\xa9 noir"},
		{"\xc4\xb0stanbul", "i\xcc\x87stanbul"}, /* İ: i and U+0307 */
		{"I\xcc\x87stanbul", "i\xcc\x87stanbul"},
		{"\xc4\xb1", "\xc4\xb1"},                                 /* ı is no i */
		{"\xc3\xa9 I", "\xc3\xa9 i"},                             /* and I is no ı */
		{"\xcf\x83\xcf\x82\xce\xa3", "\xcf\x83\xcf\x83\xcf\x83"}, /* σ, final ς, Σ */
		{"\xd0\x96\xd0\xb6", "\xd0\xb6\xd0\xb6"},                 /* Жж */
		{"\xef\xac\x81x", "fix"},                                 /* the ligature fi */
		{"\xe2\x84\xaa", "k"},                                    /* Kelvin sign */
		{"\xc5\xbf", "s"},                                        /* long s */
		{"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8"}, /* Deseret, beyond U+FFFF */
		{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
		/* U+0345 folds to ι, wherever it is among the marks. */
		{"\xce\xb1\xcd\x85", "\xce\xb1\xce\xb9"},
		{"\xe1\xbe\xb3", "\xce\xb1\xce\xb9"},
		{"\xe1\xbe\xbc", "\xce\xb1\xce\xb9"},
		{"\xce\xb1\xcd\x85\xcc\x81", "\xce\xac\xce\xb9"},
		{"\xce\xb1\xcc\x81\xcd\x85", "\xce\xac\xce\xb9"},
		{"\xce\x91\xcd\x85\xcc\x81", "\xce\xac\xce\xb9"},
		{"\xe1\xbe\xb4", "\xce\xac\xce\xb9"},
		/* Folding sorts marks into their order and keeps compatibility forms. */
		{"q\xcc\x87\xcc\xa3", "q\xcc\xa3\xcc\x87"},
		{"\xe2\x91\xa0\xc2\xbd", "\xe2\x91\xa0\xc2\xbd"},
		{"\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80"}, /* Hangul */
		/* U+0390 and its capital, U+0399 U+0308 U+0301, fold to the same. */
		{"\xce\x90", "\xce\x90"},
		{"\xce\xaa\xcc\x81", "\xce\x90"},
		{"\xce\x99\xcc\x88\xcc\x81", "\xce\x90"},
		{"\xe1\xbf\x93", "\xce\x90"}, /* U+1FD3 is another way to write it */
		{"\xe1\xbe\xb7", "\xe1\xbe\xb6\xce\xb9"},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice folded = SLICE("untouched"), again;

		assert_int_equal(text_fold(&arena, slice_of(rows[i].text), &folded), OK);
		if (!slice_is(folded, rows[i].folded))
			fail_msg("row %zu: %.*s", i, (int)folded.len, folded.ptr);
		assert_int_equal(text_fold(&arena, folded, &again), OK);
		assert_true(slice_eq(folded, again));
	}
	arena_release(&arena);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	return z ^ (z >> 27);
}

static void check_idempotent(const char *text, size_t len)
{
	struct arena arena = {0};
	struct slice folded, again;

	assert_int_equal(text_fold(&arena, (struct slice){text, len}, &folded), OK);
	assert_true(text_is_utf8(folded));
	assert_int_equal(text_fold(&arena, folded, &again), OK);
	if (!slice_eq(folded, again))
		fail_msg("%.*s folds to %.*s and that to %.*s", (int)len, text, (int)folded.len,
			 folded.ptr, (int)again.len, again.ptr);
	arena_release(&arena);
}

/* Folding a fold changes nothing: for every character, and for random texts of characters that fold
 * or compose. tests/api/records/test_unicode.py compares the folds with another program's. */
static void folding_again(void **state)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {{0x41, 0x7a},     {0xc0, 0x24f},    {0x300, 0x36f},    {0x370, 0x52f},
		      {0x1100, 0x11ff}, {0x1e00, 0x1fff}, {0xfb00, 0xfb06},  {0x3099, 0x309a},
		      {0xac00, 0xac1c}, {0x900, 0x97f},   {0x10400, 0x1044f}};
	uint64_t random = 1;
	char text[64];

	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++)
		if (c < 0xd800 || c > 0xdfff)
			check_idempotent(text, put_char(c, text));
	for (int i = 0; i < 200000; i++) {
		size_t chars = 1 + next_random(&random) % 12, len = 0;

		while (chars--) {
			size_t row = next_random(&random) % COUNT_OF(ranges);
			uint32_t size = ranges[row].last - ranges[row].first + 1;

			len += put_char(ranges[row].first + (uint32_t)(next_random(&random) % size),
					text + len);
		}
		check_idempotent(text, len);
	}
}

static void skeletons(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"admin", "admin", true},
		{"admin", "\xd0\xb0\x64min", true}, /* Cyrillic а */
		{"ADMIN", "\xd0\x90\x64min", true}, /* and its capital */
		{"paypal", "\xd1\x80\xd0\xb0yp\xd0\xb0l", true},
		{"j\xc3\xbcrgen", "ju\xcc\x88rgen", true},
		{"admin", "adm\xc4\xb1n", true}, /* ı */
		{"jurgen", "j\xc3\xbcrgen", false},
		{"admin", "admim", false},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice a, b;

		assert_int_equal(text_skeleton(&arena, slice_of(rows[i].a), &a), OK);
		assert_int_equal(text_skeleton(&arena, slice_of(rows[i].b), &b), OK);
		if (slice_eq(a, b) != rows[i].same)
			fail_msg("row %zu: %.*s, %.*s", i, (int)a.len, a.ptr, (int)b.len, b.ptr);
	}
	arena_release(&arena);
}

static void version(void **state)
{
	double number = strtod(text_unicode_version(), NULL);

	(void)state;
	if (number < 15 || number > 99)
		fail_msg("%s", text_unicode_version());
}

/* A text may contain NUL, and its fold may be longer than the text. */
static void folding_lengths(void **state)
{
	static char text[3000], grown[9000];
	struct arena arena = {0};
	struct slice folded;

	(void)state;
	assert_int_equal(text_fold(&arena, SLICE("A\0B"), &folded), OK);
	assert_true(slice_eq(folded, SLICE("a\0b")));
	assert_int_equal(text_fold(&arena, SLICE("\xc3\x89\0B"), &folded), OK);
	assert_true(slice_eq(folded, SLICE("\xc3\xa9\0b")));
	/* U+FB03, the ligature ffi: one unit becomes three. */
	for (size_t i = 0; i < sizeof(text); i += 3) {
		memcpy(text + i, "\xef\xac\x83", 3);
		memcpy(grown + i, "ffi", 3);
	}
	assert_int_equal(text_fold(&arena, (struct slice){text, sizeof(text)}, &folded), OK);
	assert_true(slice_eq(folded, (struct slice){grown, 3000}));
	/* U+0958: NFC decomposes it, one unit becomes two. */
	for (size_t i = 0; i < 1000; i++) {
		memcpy(text + 3 * i, "\xe0\xa5\x98", 3);
		memcpy(grown + 6 * i, "\xe0\xa4\x95\xe0\xa4\xbc", 6);
	}
	assert_int_equal(text_fold(&arena, (struct slice){text, sizeof(text)}, &folded), OK);
	assert_true(slice_eq(folded, (struct slice){grown, 6000}));
	/* U+0149, two bytes of UTF-8, folds to U+02BC and n, three bytes. */
	for (size_t i = 0; i < 1000; i++) {
		memcpy(text + 2 * i, "\xc5\x89", 2);
		memcpy(grown + 3 * i, "\xca\xbcn", 3);
	}
	assert_int_equal(text_fold(&arena, (struct slice){text, 2000}, &folded), OK);
	assert_true(slice_eq(folded, (struct slice){grown, 3000}));
	arena_release(&arena);
}

static void nearest(void **state)
{
	static const char *const fields[] = {"casefile_id", "calendar_id", "subject_id",
					     "status",      "due_on",      "title",
					     "body",        "address",     NULL};
	static const char *const none[] = {NULL};
	static const char *const equals[] = {"ac", "ab", "bb", NULL};
	static const char *const swaps[] = {"xbcd", "bacd", NULL};
	static const char *const swap_then_near[] = {"abxx", "bacd", NULL};

	(void)state;
	assert_string_equal(text_nearest(SLICE("titel"), fields), "title");
	assert_string_equal(text_nearest(SLICE("title"), fields), "title");
	assert_string_equal(text_nearest(SLICE("TITLE"), fields), "title");
	assert_string_equal(text_nearest(SLICE("dueon"), fields), "due_on");
	assert_string_equal(text_nearest(SLICE("case_id"), fields), "casefile_id");
	assert_string_equal(text_nearest(SLICE("calender_id"), fields), "calendar_id");
	assert_string_equal(text_nearest(SLICE("stauts"), fields), "status");
	assert_null(text_nearest(SLICE(""), fields));
	assert_null(text_nearest((struct slice){NULL, 0}, fields));
	assert_null(text_nearest(SLICE("title"), none));
	assert_string_equal(text_nearest(SLICE("acb"), equals), "ac");
	/* Swapping two letters costs one edit, not two. */
	assert_string_equal(text_nearest(SLICE("abcd"), swaps), "xbcd");
	assert_string_equal(text_nearest(SLICE("abcd"), swap_then_near), "bacd");
	assert_string_equal(text_nearest((struct slice){"bodyguard", 4}, fields), "body");
}

/* docket suggests only names that somebody may well have meant. */
static void near_enough(void **state)
{
	static const char *const params[] = {"page",      "per_page", "sort", "dir",  "mode",
					     "after",     "expand",   "id",   "user", "status",
					     "due_from",  "due_to",   "from", "to",   "title",
					     "is_vendor", NULL};
	static const char *const fields[] = {"case_service_id", "casefile_id", "users_list",
					     "due_on",          "body",        "state",
					     "color",           NULL};
	static const char *const commands[] = {"serve", "demo", "init", "staff set", NULL};
	static const struct {
		const char *const *names;
		const char *name, *meant; /* NULL: nothing */
	} rows[] = {
		/* few edits for the length */
		{params, "Sort", "sort"},
		{params, "form", "from"},
		{params, "expnad", "expand"},
		{fields, "user_list", "users_list"},
		{commands, "serv", "serve"},
		/* a part that is missing or added */
		{params, "user_id", "user"},
		{params, "user[-1]", "user"},
		{params, "[]user", "user"},
		{params, "created_at_from", NULL},
		{fields, "users", "users_list"},
		{fields, "case_id", "casefile_id"},
		{fields, "case_service", "case_service_id"},
		/* another last word */
		{fields, "due_date", "due_on"},
		{params, "due_before", NULL}, /* due_from or due_to */
		{params, "is_admin", NULL},
		/* nothing like it */
		{params, "limit", NULL},
		{params, "_", NULL},
		{params, "q", NULL},
		{params, "t", NULL},
		{params, "utm_source", NULL},
		{params, "offset", NULL},
		{fields, "priority", NULL},
		{fields, "name", NULL},
		{commands, "help", NULL},
		{commands, "version", NULL},
		{commands, "foo", NULL},
		{commands, "staff remove", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *found = text_nearest(slice_of(rows[i].name), rows[i].names);

		if (!found != !rows[i].meant || (found && strcmp(found, rows[i].meant) != 0))
			fail_msg("%s: %s", rows[i].name, found ? found : "nothing");
	}
}

static void shown(void **state)
{
	static const struct {
		struct slice text;
		size_t most;
		const char *shown;
	} rows[] = {
		{SLICE(""), 4, ""},
		{SLICE("abcd"), 4, "abcd"},
		{SLICE("abcde"), 4, "abcd..."},
		{SLICE("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80"), 3,
		 "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80"},
		{SLICE("\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80"), 2, "\xc3\xa9\xe6\xbc\xa2..."},
		{SLICE("a\nb\tc\x1b[2J\x7f"), 40, "a?b?c?[2J?"},
		{SLICE("a\0b"), 40, "a?b"},
		{SLICE("\xc2\x85\xe2\x80\xa8\xe2\x80\xa9"), 40, "???"}, /* U+0085, U+2028 and 9 */
		{SLICE("\xe2\x80\xae"
		       "abc\xe2\x81\xa6"),
		 40, "?abc?"}, /* U+202E, U+2066 */
		{SLICE("a\xe2\x80\x8d"
		       "b"),
		 40,
		 "a\xe2\x80\x8d"
		 "b"}, /* a joiner belongs to the text */
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_string_equal(text_shown(&arena, rows[i].text, rows[i].most), rows[i].shown);
	arena_release(&arena);
}

static void nearest_of_long_names(void **state)
{
	char same[100], other[100], name[5000];
	const char *names[] = {other, same, NULL};

	(void)state;
	memset(name, 'a', sizeof(name));
	memset(same, 'A', sizeof(same) - 1);
	memset(other, 'a', sizeof(other) - 1);
	same[sizeof(same) - 1] = other[sizeof(other) - 1] = '\0';
	/* The 64th byte counts, the 65th does not. */
	other[63] = 'b';
	same[64] = 'b';
	assert_ptr_equal(text_nearest((struct slice){name, sizeof(name)}, names), same);
	other[63] = 'a';
	assert_ptr_equal(text_nearest((struct slice){name, sizeof(name)}, names), other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed),
		cmocka_unit_test(ill_formed),
		cmocka_unit_test(characters),
		cmocka_unit_test(blanks),
		cmocka_unit_test(controls),
		cmocka_unit_test(trimmed),
		cmocka_unit_test(unseen),
		cmocka_unit_test(latin1),
		cmocka_unit_test(folding),
		cmocka_unit_test(folding_again),
		cmocka_unit_test(skeletons),
		cmocka_unit_test(version),
		cmocka_unit_test(folding_lengths),
		cmocka_unit_test(nearest),
		cmocka_unit_test(near_enough),
		cmocka_unit_test(shown),
		cmocka_unit_test(nearest_of_long_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
