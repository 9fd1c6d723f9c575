/* SPDX-License-Identifier: MIT */
/* The framing guard: refuses requests that libmicrohttpd 0.9.75 reads differently than a proxy in
 * front of it does. Otherwise a client could smuggle requests past the proxy. */
#ifndef HTTP_GUARD_H
#define HTTP_GUARD_H

#include "http/http.h"

struct MHD_Connection;

/* How strict libmicrohttpd has to be. At level 0, 0.9.75 accepts a missing Host and blanks in the
 * target: the guard sees both, and refuses them with a better message. At level 0, 1.0.1 joins
 * folded lines and takes LF for the end of a line, and the guard sees neither. At level 1, 1.0.1
 * refuses them itself. */
#define GUARD_READS_IN_PLACE (MHD_VERSION < 0x00097700)
#define GUARD_STRICTNESS (GUARD_READS_IN_PLACE ? 0 : 1)

struct refusal {
	unsigned status; /* 0: the request is accepted */
	const char *why; /* for the client */
};

/* Checks the request line and the headers. `version` is libmicrohttpd's pointer into the head. */
struct refusal guard_check(const struct http_request *request, const char *version);

/* Checks the trailers, after the last chunk of a body. `bytes_out` is how many bytes of the
 * connection's memory they take. Returns NULL, or what is wrong. */
const char *guard_trailers(const struct http_request *request, size_t *bytes_out);

/* Takes a target apart and decodes its path. Percent-encoding must be complete and must not hide a
 * NUL or a slash. The authority of the absolute form points into `target`. Returns NULL, or what is
 * wrong. */
const char *guard_target(struct arena *arena, struct slice target, struct slice *path_out,
			 struct slice *query_out, struct slice *authority_out);

#endif
