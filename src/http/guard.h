/* SPDX-License-Identifier: MIT */
/* The framing guard: refuses what libmicrohttpd 0.9.75 would read otherwise than a proxy in front
 * of it does, so that nothing can be smuggled past either. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "http/http.h"

struct MHD_Connection;

/* How strict libmicrohttpd has to be. 0.9.75 lets through what the guard can see and refuse better:
 * no Host, and blanks in the target. 1.0.1 at a lower level hides what the guard looks for: it puts
 * folded lines together and takes LF for the end of a line. So there it refuses them itself. */
#define GUARD_READS_IN_PLACE (MHD_VERSION < 0x00097700)
#define GUARD_STRICTNESS (GUARD_READS_IN_PLACE ? 0 : 1)

struct refusal {
	unsigned status; /* 0: all is well */
	const char *why; /* in words for the client */
};

/* Looks at the request's line and headers. `version` is libmicrohttpd's, in place. */
struct refusal guard_check(const struct http_request *request, const char *version);

/* Looks at what stands behind the last chunk of a body. `bytes_out` is how many bytes of the
 * connection's memory it takes. NULL when all is well, else what is wrong. */
const char *guard_trailers(const struct http_request *request, size_t *bytes_out);

/* Decodes a path: percent-encoding, which must be whole and hide neither NUL nor a slash. Strips
 * the scheme and the authority of the absolute form; the authority is part of `target`. NULL when
 * all is well, else what is wrong. */
const char *guard_target(struct arena *arena, struct slice target, struct slice *path_out,
			 struct slice *query_out, struct slice *authority_out);

#endif
