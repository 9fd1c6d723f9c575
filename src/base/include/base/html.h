/* SPDX-License-Identifier: MIT */
/* Texts in HTML. */
#ifndef BASE_HTML_H
#define BASE_HTML_H

#include "base/buf.h"
#include "base/slice.h"

/* Adds a text to an element or to a quoted attribute. Escapes the five characters that have a
 * meaning in HTML. */
void html_add(struct buf *out, struct slice text);

/* Adds a text to an element. What is between two backticks becomes a <code> element. */
void html_add_marked(struct buf *out, const char *text);

#endif
