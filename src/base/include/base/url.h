/* SPDX-License-Identifier: MIT */
/* Reads parts of URLs in settings and headers. */
#ifndef BASE_URL_H
#define BASE_URL_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* The origin that `text` begins with: scheme "://" host [":" port] (RFC 6454, section 6.2), where
 * the host is a name of ASCII letters, digits and "-._", or an IPv6 address in brackets. Empty if
 * it begins with none. */
struct slice url_origin(struct slice text);

/* The host of an origin, with the brackets of an IPv6 address. */
struct slice url_host(struct slice origin);

/* The port of an origin as it is written; "" if there is none. */
struct slice url_port(struct slice origin);

/* The URL, which begins with an origin, with `name` and a dot before its host; in the arena. NULL:
 * out of memory. */
const char *url_with_name(struct arena *arena, struct slice url, struct slice name);

/* Whether `text` is a path that every program reads in the same way. It begins with "/" and has
 * only characters of a path (RFC 3986, section 3.3). It has no comma, because commas separate the
 * values of headers. It has no "//", no "..", no segment ".", and no encoded dot, slash or
 * backslash. */
bool url_is_path(struct slice text);

/* Takes the next entry of a comma-separated list, without the blanks around it. False at the
 * end. */
bool url_list_next(const char **list, struct slice *entry_out);

#endif
