/* SPDX-License-Identifier: MIT */
/* The framing guard: refuses what libmicrohttpd 0.9.75 would read otherwise than a proxy in front
 * of it does, so that nothing can be smuggled past either. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "http/http.h"

struct MHD_Connection;

/* Looks at the request's line and headers. NULL when all is well, else what is wrong, in words for
 * the client. `version` is libmicrohttpd's, in place. */
const char *guard_check(const struct http_request *request, const char *version);

/* Decodes a path: percent-encoding, which must be whole and hide neither NUL nor a slash. Strips
 * the scheme and the authority of the absolute form; the authority is part of `target`. NULL when
 * all is well, else what is wrong. */
const char *guard_target(struct arena *arena, struct slice target, struct slice *path_out,
			 struct slice *query_out, struct slice *authority_out);

#endif
