/* SPDX-License-Identifier: MIT */
/* Unicode text, character by character, by ICU's properties. */
#include "base/text.h"

#include <stdint.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#define NEAREST_BYTES ((size_t)64)
#define STEM_BYTES 3 /* a stem of at most this, such as "is_", is too short for a suggestion */

size_t text_ascii(struct slice text)
{
	size_t at = 0;

	for (uint64_t eight; text.len - at >= sizeof(eight); at += sizeof(eight)) {
		memcpy(&eight, text.ptr + at, sizeof(eight));
		if (eight & UINT64_C(0x8080808080808080))
			break;
	}
	while (at < text.len && (unsigned char)text.ptr[at] < 0x80)
		at++;
	return at;
}

/* The code point at `*at`; moves `*at` behind it. Negative if the bytes are not UTF-8. */
static UChar32 next_char(struct slice text, size_t *at)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	UChar32 c;

	U8_NEXT(bytes, *at, text.len, c);
	return c;
}

bool text_is_utf8(struct slice text)
{
	size_t at = text_ascii(text);

	while (at < text.len) {
		if (next_char(text, &at) < 0)
			return false;
	}
	return true;
}

size_t text_chars(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

struct slice text_front(struct slice text, size_t chars)
{
	size_t len = 0;

	for (; len < text.len; len++)
		if (((unsigned char)text.ptr[len] & 0xc0) != 0x80 && chars-- == 0)
			break;
	return (struct slice){text.ptr, len};
}

/* Whether a character would move or hide the text around it in a terminal or a log. */
static bool disturbs(UChar32 c)
{
	const uint32_t kinds = U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK;

	return c < 0 || (U_GET_GC_MASK(c) & kinds) || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL);
}

const char *text_shown(struct arena *arena, struct slice text, size_t most)
{
	struct slice front = text_front(text, most);
	char *shown = arena_alloc(arena, front.len + sizeof("..."));
	size_t len = 0;

	if (!shown)
		return "";
	for (size_t at = 0, next = 0; at < front.len; at = next) {
		if (disturbs(next_char(front, &next))) {
			shown[len++] = '?';
			continue;
		}
		memcpy(shown + len, front.ptr + at, next - at);
		len += next - at;
	}
	if (front.len < text.len)
		memcpy(shown + len, "...", sizeof("..."));
	return shown;
}

/* Default_Ignorable_Code_Point covers the Hangul fillers and the joiners; Cf covers the other
 * format characters. Those that are Prepended_Concatenation_Mark are visible. The Braille pattern
 * without dots (U+2800) is invisible, but no property says so. */
static bool shows_nothing(UChar32 c)
{
	return u_isUWhiteSpace(c) || c == 0x2800 ||
	       u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
	       (u_charType(c) == U_FORMAT_CHAR &&
		!u_hasBinaryProperty(c, UCHAR_PREPENDED_CONCATENATION_MARK));
}

bool text_is_blank(struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		if (!shows_nothing(next_char(text, &at)))
			return false;
	}
	return true;
}

struct slice text_trim(struct slice text)
{
	size_t at = 0, first = 0, end = 0;

	while (at < text.len) {
		size_t before = at;

		if (u_isUWhiteSpace(next_char(text, &at)))
			continue;
		first = end ? first : before;
		end = at;
	}
	return (struct slice){text.ptr + first, end - first};
}

uint32_t text_unseen(struct slice text)
{
	const uint32_t kinds = U_GC_C_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK;
	size_t at = 0;

	while (at < text.len) {
		UChar32 c = next_char(text, &at);

		if ((U_GET_GC_MASK(c) & kinds) ||
		    u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT))
			return (uint32_t)c;
	}
	return 0;
}

size_t text_from_latin1(struct slice text, char *utf8)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c >= 0x80)
			utf8[len++] = (char)(0xc0 | c >> 6);
		utf8[len++] = (char)(c < 0x80 ? c : 0x80 | (c & 0x3f));
	}
	return len;
}

bool text_has_control(struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		if (u_charType(next_char(text, &at)) == U_CONTROL_CHAR)
			return true;
	}
	return false;
}

static char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Optimal string alignment: inserting, removing or changing a byte, or swapping two neighbours,
 * costs one. `rows` holds the last three rows of the table. */
static size_t edit_distance(struct slice a, struct slice b)
{
	size_t rows[3][NEAREST_BYTES + 1];

	for (size_t j = 0; j <= b.len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
		char now = ascii_lower(a.ptr[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			char other = ascii_lower(b.ptr[j - 1]);
			size_t best = above[j - 1] + (now != other);

			if (best > above[j] + 1)
				best = above[j] + 1;
			if (best > row[j - 1] + 1)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && now == ascii_lower(b.ptr[j - 2]) &&
			    other == ascii_lower(a.ptr[i - 2]) && best > two_above[j - 2] + 1)
				best = two_above[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[a.len % 3][b.len];
}

static struct slice first_bytes(struct slice text)
{
	if (text.len > NEAREST_BYTES)
		text.len = NEAREST_BYTES;
	return text;
}

/* The number of bytes that both begin with. */
static size_t common_front(struct slice a, struct slice b)
{
	size_t len = 0;

	while (len < a.len && len < b.len && ascii_lower(a.ptr[len]) == ascii_lower(b.ptr[len]))
		len++;
	return len;
}

static size_t common_back(struct slice a, struct slice b)
{
	size_t len = 0;

	while (len < a.len && len < b.len &&
	       ascii_lower(a.ptr[a.len - 1 - len]) == ascii_lower(b.ptr[b.len - 1 - len]))
		len++;
	return len;
}

/* The length up to the last underscore, including it. */
static size_t stem_len(struct slice name)
{
	size_t len = name.len;

	while (len && name.ptr[len - 1] != '_')
		len--;
	return len;
}

/* Whether somebody who wrote `a` may have meant `b`, which is `edits` edits away. */
static bool is_near(struct slice a, struct slice b, size_t edits)
{
	size_t longer = a.len > b.len ? a.len : b.len, shorter = a.len + b.len - longer;
	size_t front = common_front(a, b);

	/* A typing error: `titel` for title. */
	if (edits * 3 <= longer)
		return true;
	/* One stretch is left out or put in: `case_id` for casefile_id, `user_id` for user. */
	return front + common_back(a, b) >= shorter && shorter > 1 && shorter * 3 >= longer;
}

/* Only the last word differs: `due_date` for due_on. */
static bool has_same_stem(struct slice a, struct slice b)
{
	return stem_len(a) > STEM_BYTES && stem_len(a) == stem_len(b) &&
	       common_front(a, b) >= stem_len(a);
}

const char *text_nearest(struct slice name, const char *const *names)
{
	struct slice meant = first_bytes(name);
	const char *nearest = NULL, *of_stem = NULL;
	size_t least = SIZE_MAX, stems = 0;

	for (; *names; names++) {
		struct slice known = first_bytes(slice_of(*names));
		size_t edits = edit_distance(meant, known);

		if (edits < least && is_near(meant, known, edits)) {
			least = edits;
			nearest = *names;
		}
		if (has_same_stem(meant, known)) {
			of_stem = *names;
			stems++;
		}
	}
	return nearest ? nearest : stems == 1 ? of_stem : NULL;
}
