/* SPDX-License-Identifier: MIT */
/* The thread that accepts connections, from all sockets that docket listens on, and hands them to
 * libmicrohttpd. */
#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

#include "connections.h"
#include "listen.h"

struct acceptor;
struct MHD_Daemon;

/* ERR_NOMEM, ERR_INTERNAL. The rest outlives the acceptor; it closes the sockets. */
enum err acceptor_start(struct http_addresses *addresses, struct connections *connections,
			struct MHD_Daemon *daemon, struct acceptor **acceptor_out);

/* No connection can be begun any more. Those that have begun are accepted, also where the last
 * packet of the handshake is under way; then the sockets are closed: acceptor_is_done(). */
void acceptor_drain(struct acceptor *acceptor);
bool acceptor_is_done(const struct acceptor *acceptor);

/* Closes the sockets, where they are open still. NULL is accepted. */
void acceptor_end(struct acceptor *acceptor);

#endif
