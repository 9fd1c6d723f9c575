/* SPDX-License-Identifier: MIT */
/* Unicode text, by ICU. All text is UTF-8; a character is a code point. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"

/* Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */
bool text_is_utf8(struct slice text);

/* The number of ASCII bytes that `text` begins with. */
size_t text_ascii(struct slice text);

/* The number of code points of well-formed text. */
size_t text_chars(struct slice text);

/* The first characters of well-formed text, at most `chars`. */
struct slice text_front(struct slice text, size_t chars);

/* How much a message shows of a value that a client sent. */
#define SHOWN_CHARS 40

/* A client's text in a form that is safe in a message. It is cut after `most` characters.
 * Characters that would move or hide the text around them become `?`: control characters, line
 * separators, marks of direction. Never NULL. */
const char *text_shown(struct arena *arena, struct slice text, size_t most);

/* Whether a text is empty or has only invisible characters: white space, format characters, those
 * that Unicode calls Default_Ignorable (such as U+200B), and U+2800. */
bool text_is_blank(struct slice text);

/* The text without the white space (Unicode White_Space) at its ends. */
struct slice text_trim(struct slice text);

/* The first character that is a control or format character, a line or paragraph separator, for
 * private use, not assigned, or Default_Ignorable; 0 if there is none. It cannot report U+0000;
 * text_has_control() does. */
uint32_t text_unseen(struct slice text);

/* Converts Latin-1 (ISO 8859-1) to UTF-8, which is at most twice as long, and returns its
 * length. */
size_t text_from_latin1(struct slice text, char *utf8);

/* Whether there is a control character (general category Cc: U+0000 to U+001F, U+007F to
 * U+009F). */
bool text_has_control(struct slice text);

/* The form in which texts are searched, sorted and compared: NFC(toCasefold(NFD(text))), with full
 * case folding. Two texts have the same fold exactly if they are a canonical caseless match (The
 * Unicode Standard, section 3.13, D145). The fold of a fold is the same. A fold is UTF-8, so that
 * the order of bytes is the order of code points. ERR_NOMEM, or ERR_INVALID if `text` is not UTF-8;
 * `folded_out` is then untouched. */
enum err text_fold(struct arena *arena, struct slice text, struct slice *folded_out);

/* The skeleton of the folded text (Unicode Technical Standard 39, section 4). Texts that look alike
 * have the same skeleton; it serves only to compare them. Errors as text_fold(). */
enum err text_skeleton(struct arena *arena, struct slice text, struct slice *skeleton_out);

/* The version of Unicode that these functions follow, such as "15.0"; static storage. Folds by
 * different versions cannot be compared. */
const char *text_unicode_version(void);

/* The entry of `names` (a NULL-terminated array) that somebody who wrote `name` may have meant;
 * NULL if none is near. An entry is near if the edit distance, with transpositions, is at most a
 * third of the longer name. It is also near if one name is the other with one stretch left out, and
 * the shorter one has at least two bytes and a third of the longer. Of several near entries the one
 * with the fewest edits is returned, of equals the first. If none is near, it is the only entry
 * that is the same up to the last underscore. Bytes are compared, ignoring the case of ASCII
 * letters. Only the first 64 bytes of a name count. */
const char *text_nearest(struct slice name, const char *const *names);

#endif
