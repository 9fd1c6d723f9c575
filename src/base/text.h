/* SPDX-License-Identifier: MIT */
/* Unicode text, by ICU. All text is UTF-8; a character is a code point. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */
bool text_is_utf8(struct slice text);

/* The number of code points of well-formed text. */
size_t text_chars(struct slice text);

/* The first characters of well-formed text, at most `chars`. */
struct slice text_front(struct slice text, size_t chars);

/* A client's text as it may stand in a message: cut after so many characters. Never NULL. */
const char *text_shown(struct arena *arena, struct slice text, size_t most);

/* Empty, or white space (Unicode White_Space) throughout. */
bool text_is_blank(struct slice text);

/* Has a control character (general category Cc: U+0000 to U+001F, U+007F to U+009F). */
bool text_has_control(struct slice text);

/* The form that titles are searched and sorted in: NFC, then full case folding (Unicode, default
 * caseless matching), in UTF-8, so that the order of bytes is the order of code points.
 * ERR_NOMEM, or ERR_INVALID where `text` is not UTF-8; `folded_out` is then untouched. */
enum err text_fold(struct arena *arena, struct slice text, struct slice *folded_out);

/* The name of `names` (NULL-terminated array) nearest to `name` by edit distance with
 * transpositions; the first of equals; NULL where there are none. Compares bytes without the case
 * of ASCII letters. A name of over 64 bytes is compared by its first 64. */
const char *text_nearest(struct slice name, const char *const *names);

#endif
