/* SPDX-License-Identifier: MIT */
/* Unicode text, by ICU: both databases must fold alike, and neither folds as Unicode says. Text of
 * ASCII alone, nearly all there is, never reaches ICU. */
#include "base/text.h"

#include <stdint.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#define NEAREST_BYTES ((size_t)64)

/* ICU counts in int32_t, and full folding makes at most three units of one. */
#define FOLD_MAX ((size_t)INT32_MAX / 16)

/* The number of bytes at the front that are ASCII. */
static size_t ascii_prefix(struct slice text)
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

/* The code point at `*at`, which moves behind it; below 0 where the bytes are not UTF-8. */
static UChar32 next_char(struct slice text, size_t *at)
{
	const uint8_t *bytes = (const uint8_t *)text.ptr;
	UChar32 c;

	U8_NEXT(bytes, *at, text.len, c);
	return c;
}

bool text_is_utf8(struct slice text)
{
	size_t at = ascii_prefix(text);

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

const char *text_shown(struct arena *arena, struct slice text, size_t most)
{
	struct slice front = text_front(text, most);
	const char *copy = arena_printf(arena, "%.*s%s", (int)front.len, front.ptr,
					front.len < text.len ? "..." : "");

	return copy ? copy : "";
}

bool text_is_blank(struct slice text)
{
	size_t at = 0;

	while (at < text.len) {
		if (!u_isUWhiteSpace(next_char(text, &at)))
			return false;
	}
	return true;
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

struct utf16 {
	UChar *ptr;
	int32_t len;
};

static UChar *utf16_alloc(struct arena *arena, int32_t len)
{
	return arena_alloc(arena, ((size_t)len + 1) * sizeof(UChar));
}

/* One step of folding, NFC or case: `step` as ICU's functions, which return the length needed
 * where the room does not do. ICU has the data of both compiled in: only memory can run out. */
typedef int32_t (*fold_step)(struct utf16 from, UChar *to, int32_t room, UErrorCode *status);

static int32_t step_nfc(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	const UNormalizer2 *nfc = unorm2_getNFCInstance(status);

	return unorm2_normalize(nfc, from.ptr, from.len, to, room, status);
}

static int32_t step_case(struct utf16 from, UChar *to, int32_t room, UErrorCode *status)
{
	return u_strFoldCase(to, room, from.ptr, from.len, U_FOLD_CASE_DEFAULT, status);
}

static bool fold_by(struct arena *arena, fold_step step, struct utf16 *text)
{
	struct utf16 to = {.len = text->len + 16};
	UErrorCode status;
	int32_t room;

	do {
		room = to.len;
		to.ptr = utf16_alloc(arena, room);
		if (!to.ptr)
			return false;
		status = U_ZERO_ERROR;
		to.len = step(*text, to.ptr, room, &status);
	} while (status == U_BUFFER_OVERFLOW_ERROR && to.len > room);
	if (U_FAILURE(status))
		return false;
	*text = to;
	return true;
}

enum err text_fold(struct arena *arena, struct slice text, struct slice *folded_out)
{
	UErrorCode status = U_ZERO_ERROR;
	struct utf16 wide;
	int32_t len;
	char *folded;

	if (ascii_prefix(text) == text.len) {
		folded = arena_copy(arena, text);
		if (!folded)
			return ERR_NOMEM;
		for (size_t i = 0; i < text.len; i++)
			folded[i] = ascii_lower(folded[i]);
		*folded_out = (struct slice){folded, text.len};
		return OK;
	}
	if (!text_is_utf8(text))
		return ERR_INVALID;
	if (text.len > FOLD_MAX)
		return ERR_NOMEM;
	wide.ptr = utf16_alloc(arena, (int32_t)text.len);
	if (!wide.ptr)
		return ERR_NOMEM;
	u_strFromUTF8(wide.ptr, (int32_t)text.len + 1, &wide.len, text.ptr, (int32_t)text.len,
		      &status);
	if (U_FAILURE(status) || !fold_by(arena, step_nfc, &wide) ||
	    !fold_by(arena, step_case, &wide))
		return ERR_NOMEM;
	/* A unit of UTF-16 takes at most three bytes of UTF-8. */
	folded = arena_alloc(arena, (size_t)wide.len * 3 + 1);
	if (!folded)
		return ERR_NOMEM;
	u_strToUTF8(folded, wide.len * 3 + 1, &len, wide.ptr, wide.len, &status);
	if (U_FAILURE(status))
		return ERR_NOMEM;
	*folded_out = (struct slice){folded, (size_t)len};
	return OK;
}

/* Optimal string alignment: inserting, removing, changing a byte or swapping two neighbours costs
 * one. `rows` are the last three lines of the table, taken in turn. */
static size_t distance(struct slice a, struct slice b)
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

const char *text_nearest(struct slice name, const char *const *names)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (; *names; names++) {
		size_t found = distance(first_bytes(name), first_bytes(slice_of(*names)));

		if (found < least) {
			least = found;
			nearest = *names;
		}
	}
	return nearest;
}
