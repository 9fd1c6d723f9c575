/* SPDX-License-Identifier: MIT */
/* What server.c and request.c share. */
#ifndef HTTP_HTTP_PRIVATE_H
#define HTTP_HTTP_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "http/http.h"

struct acceptor;
struct connections;
struct tls;

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
	atomic_long sending;    /* bytes of bodies of answers, until they are sent */
	int64_t draining_since; /* by monotonic_ms() */
	unsigned silence_s;     /* after which libmicrohttpd closes a connection */
	char keep_alive[32];    /* what a kept connection is told */
};

/* request.c, for MHD_start_daemon(): the first line of a request is there, its head and parts of
 * its body are, it is over. The context is a struct http_server. */
void *request_begin(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result request_handle(void *context, struct MHD_Connection *connection, const char *url,
			       const char *method, const char *version, const char *bytes,
			       size_t *len, void **slot);
void request_end(void *context, struct MHD_Connection *connection, void **slot,
		 enum MHD_RequestTerminationCode code);

#endif
