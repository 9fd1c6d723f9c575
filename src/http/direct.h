/* SPDX-License-Identifier: MIT */
/* A refusal that docket writes to the socket itself. */
#ifndef HTTP_DIRECT_H
#define HTTP_DIRECT_H

#include "http/http.h"

/* Writes the request's answer to its connection, which must be closed then. For a request whose
 * head left libmicrohttpd no memory for the head of any answer, on the connection's own thread,
 * before anything else was written. `hsts` is NULL without TLS. True when the system took all of
 * it. */
bool direct_answer(struct http_request *request, const char *hsts);

#endif
