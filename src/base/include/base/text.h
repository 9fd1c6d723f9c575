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

/* The number of bytes at the front that are ASCII. */
size_t text_ascii(struct slice text);

/* The number of code points of well-formed text. */
size_t text_chars(struct slice text);

/* The first characters of well-formed text, at most `chars`. */
struct slice text_front(struct slice text, size_t chars);

/* How much a message shows of a value that a client sent. */
#define SHOWN_CHARS 40

/* A client's text as it may stand in a message: cut after so many characters, and with `?` for each
 * that would move or hide what is around it (control characters, ends of lines, marks of
 * direction). Never NULL. */
const char *text_shown(struct arena *arena, struct slice text, size_t most);

/* Empty, or nothing that one sees: white space, format characters and what else Unicode says is to
 * be ignored where it cannot be shown, such as U+200B, and U+2800. */
bool text_is_blank(struct slice text);

/* Without the white space (Unicode White_Space) at its ends. */
struct slice text_trim(struct slice text);

/* The first character that is a control or format character, a separator of lines, for private use,
 * not assigned, or ignored where it cannot be shown; 0 where there is none. U+0000 is not found:
 * text_has_control() is. */
uint32_t text_unseen(struct slice text);

/* Writes a text in Latin-1 (ISO 8859-1) as UTF-8, at most twice as long, and returns its length. */
size_t text_from_latin1(struct slice text, char *utf8);

/* Has a control character (general category Cc: U+0000 to U+001F, U+007F to U+009F). */
bool text_has_control(struct slice text);

/* The form that texts are searched, sorted and compared in: two texts have the same one exactly
 * where they are a canonical caseless match (The Unicode Standard, section 3.13, D145), that is
 * NFC(toCasefold(NFD(text))), with full case folding. Folded again it stays as it is. In UTF-8, so
 * that the order of bytes is the order of code points. ERR_NOMEM, or ERR_INVALID where `text` is
 * not UTF-8; `folded_out` is then untouched. */
enum err text_fold(struct arena *arena, struct slice text, struct slice *folded_out);

/* What two texts have in common that look alike: the skeleton of the folded text (Unicode Technical
 * Standard 39, section 4). It is for comparison alone. Errors as text_fold(). */
enum err text_skeleton(struct arena *arena, struct slice text, struct slice *skeleton_out);

/* The version of Unicode that all of this is by, such as "15.0"; static storage. Folds by different
 * versions cannot be compared. */
const char *text_unicode_version(void);

/* The name of `names` (NULL-terminated array) that somebody who wrote `name` may have meant; NULL
 * where none is near enough to be worth suggesting. Near is: few edits for its length (edit
 * distance with transpositions, at most a third of the longer name); or the same but for one
 * stretch that is left out or put in, where that leaves a third, and two bytes. Of several the one
 * with the fewest edits, the first of equals. Where there is none, the only name that is the same
 * up to its last underscore. Compares bytes without the case of ASCII letters. A name of over 64
 * bytes is compared by its first 64. */
const char *text_nearest(struct slice name, const char *const *names);

#endif
