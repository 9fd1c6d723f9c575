/* SPDX-License-Identifier: MIT */
/* What server.c, request.c and pieces.c share. */
#ifndef HTTP_HTTP_PRIVATE_H
#define HTTP_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "http/http.h"

struct acceptor;
struct connections;
struct tls;

enum request_state {
	REQUEST_LINE,  /* the request line was read */
	REQUEST_HEAD,  /* the head was read, and on_head is called */
	REQUEST_BODY,  /* on_head has returned */
	REQUEST_WAITS, /* suspended until http_resume() */
	REQUEST_ANSWERED,
	REQUEST_AWAITS_PIECE, /* answered, and suspended until http_resume() */
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct connections *connections;
	struct listen_addresses *addresses;
	struct acceptor *acceptor;
	struct tls *tls; /* or NULL */
	const struct http_app *app;
	void *app_data;
	atomic_bool draining;
	atomic_long under_way;
	/* For struct http_load. answered[0] is not used. */
	atomic_ulong answered[6], not_answered, refused;
	int64_t draining_since; /* by monotonic_ms() */
	unsigned silence_s;     /* after which libmicrohttpd closes a connection */
	char keep_alive[32];    /* the header Keep-Alive of a kept connection */
};

/* request.c: callbacks for MHD_start_daemon(). libmicrohttpd calls request_begin() after the first
 * line of a request, request_handle() for its head and its body and after http_resume(), and
 * request_end() at its end. `context` is a struct http_server. */
void *request_begin(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_handle(void *context, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *bytes,
			       size_t *len, void **slot);
void request_end(void *context, struct MHD_Connection *connection, void **slot,
		 enum MHD_RequestTerminationCode code);

/* A suspended connection has a timeout of its own; request.c says why. */
void request_set_own_timeout(struct http_request *request, bool own);

/* pieces.c: makes an answer whose body is sent in pieces. NULL: out of memory. */
struct MHD_Response *answer_in_pieces(struct http_request *request);

#endif
