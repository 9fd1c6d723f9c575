/* SPDX-License-Identifier: MIT */
/* Listening sockets. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include "base/buf.h"
#include "base/err.h"

/* Binds and listens at `address`; the caller closes the socket. `bound_out`, of `size` bytes, gets
 * the address with the port that it really has. */
enum err listen_at(const char *address, int *socket_out, char *bound_out, size_t size,
		   struct buf *why);

#endif
