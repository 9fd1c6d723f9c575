/* SPDX-License-Identifier: MIT */
/* Listening sockets: the addresses that a setting names, and a socket for each.
 *
 *	struct http_addresses *addresses;
 *
 *	if (!http_addresses_read("localhost:8080,192.0.2.1:8080", &addresses, &why) &&
 *	    !listen_open(addresses, &why))
 *		... poll addresses->list[i].fd ... */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <sys/socket.h>

#include "http/http.h"

#define LISTEN_ADDRESSES_MAX 64
#define LISTEN_TEXT_BYTES 300

struct listen_address {
	size_t item;                  /* of the comma list; a name may have several addresses */
	bool is_name;                 /* and no address that was written out */
	char text[LISTEN_TEXT_BYTES]; /* the item; ADDR:PORT once it is open */
	struct sockaddr_storage at;
	socklen_t at_len;
	int fd;     /* -1: not open */
	int failed; /* errno, where it could not be opened */
};

struct http_addresses {
	size_t count;
	struct listen_address list[LISTEN_ADDRESSES_MAX];
};

/* Binds and listens at each address. Those with port 0 all get the same free port. An address of a
 * name that this machine does not have is left out where another of that name works. On an error
 * nothing is open, and `why` says why: ERR_IO. */
enum err listen_open(struct http_addresses *addresses, struct buf *why);

/* From here on nobody can begin a connection; those that have begun can still be accepted. */
void listen_refuse_new(const struct http_addresses *addresses);

/* Connections that were not accepted are reset. */
void listen_close(struct http_addresses *addresses);

#endif
