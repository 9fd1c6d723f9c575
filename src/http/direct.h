/* SPDX-License-Identifier: MIT */
/* Writes a refusal straight to the socket, past libmicrohttpd. */
#ifndef HTTP_DIRECT_H
#define HTTP_DIRECT_H

#include "http/http.h"

/* Writes the answer to the request's connection, which must then be closed. Use it if the head of
 * the request leaves libmicrohttpd no memory for the head of an answer. Call it on the connection's
 * thread, before anything else is written. `hsts`: the value of Strict-Transport-Security; NULL
 * without TLS. True: the kernel took the whole answer. */
bool direct_answer(struct http_request *request, const char *hsts);

#endif
