/* SPDX-License-Identifier: MIT */
/* Parts of URLs, as settings and headers have them. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

#include "base/slice.h"

/* The origin that `text` begins with: scheme "://" host [":" port] (RFC 6454, section 6.2), where
 * the host is a name of ASCII letters, digits and "-._", or an IPv6 address in brackets. Empty
 * where it begins with none. */
struct slice url_origin(struct slice text);

/* The host of an origin, with the brackets of an IPv6 address. */
struct slice url_host(struct slice origin);

/* The port of an origin as it is written; "" where there is none. */
struct slice url_port(struct slice origin);

/* Whether `text` is a path that nobody reads as another: it begins with "/", has characters of a
 * path alone (RFC 3986, section 3.3; commas are left out, because they separate the values of
 * headers), and neither "//" nor "..", a segment ".", nor an encoded dot, slash or backslash. */
bool url_is_path(struct slice text);

/* Takes the next entry, without the blanks around it, from a comma list. False at its end. */
bool url_list_next(const char **list, struct slice *entry_out);

#endif
