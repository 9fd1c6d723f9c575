/* SPDX-License-Identifier: MIT */
/* Every connection that is open, and until when each must have done what it is at. A thread of
 * their own ends those that are late: libmicrohttpd knows only how long a connection was silent, so
 * a byte now and then would hold one for ever. */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdatomic.h>

#include "http/http.h"
#include "tls_session.h"

struct connections;
struct MHD_Connection;
struct sockaddr;

/* What a connection is at, for the end of the server. */
enum connection_phase {
	CONNECTION_WAITS,
	CONNECTION_SHAKES_HANDS, /* from the first byte of a TLS handshake to its end */
	CONNECTION_WORKS,        /* from the first line of a request to the end of its answer */
};

/* One of them. What is above `until` is for the connection's thread alone, what is below `all` for
 * the list. */
struct connection {
	int fd;                 /* open as long as the connection is in the list */
	struct tls_session tls; /* where the server has TLS */
	int64_t began;          /* its last body */
	void *request;          /* struct http_request, from its first line to its end; or NULL */

	_Atomic int64_t until;       /* of monotonic_ms(); 0: as long as it takes */
	_Atomic int64_t quiet_since; /* of monotonic_ms(), while it waits */
	atomic_int phase;
	atomic_uint bodies;       /* how many were begun */
	atomic_bool reading_body; /* the last of them is not whole */

	struct connections *all;
	struct MHD_Connection *mhd; /* NULL: admitted, and libmicrohttpd has not begun it */
	uint64_t cookie;            /* the kernel's name of the socket; 0: it has none */
	struct subnet *subnet;
	struct connection *prev, *next;
	bool parked;
	bool ended;         /* the drain did that: no more is read */
	unsigned gone_at;   /* the client ended its side while it was in this body */
	int64_t gone_since; /* 0: it did not */
};

/* Starts the thread. ERR_NOMEM, ERR_INTERNAL. `limits` is copied. */
enum err connections_new(const struct http_limits *limits, struct connections **connections_out);

/* Ends the thread and lets go of what is parked, for good: then the daemon may be stopped. */
void connections_end(struct connections *connections);

/* After connections_end() and the end of the daemon. NULL is accepted. */
void connections_free(struct connections *connections);

/* False when there are as many as there may be. Then, once there is room, connections_room() can be
 * read, an eventfd that does not block. */
bool connections_have_room(struct connections *connections);
int connections_room(const struct connections *connections);

/* A socket that was accepted, before libmicrohttpd gets it: from here on it counts. False when
 * there are as many from its address as there may be, or memory is out. */
bool connections_admit(struct connections *connections, int fd, const struct sockaddr *from);
/* libmicrohttpd did not take it. */
void connections_dismiss(struct connections *connections, int fd);
/* It did, and begins: a head is awaited. Never NULL for one that was admitted. */
struct connection *connections_begin(struct connections *connections, struct MHD_Connection *mhd,
				     int fd);

/* Before the socket is closed: from here on nothing touches it. NULL is accepted. */
void connections_remove(struct connection *connection);

/* Ends those that wait for a request and were quiet for a second, counted from `since` at the
 * earliest (of monotonic_ms()): what has arrived is still read and answered. Returns how many
 * connections there are. */
size_t connections_drain(struct connections *connections, int64_t since);

/* What the connection is at now. All but the second accept that it is at it already. */
void connection_shakes_hands(struct connection *connection);
void connection_awaits_head(struct connection *connection);    /* behind an answer */
void connection_awaits_request(struct connection *connection); /* behind a handshake */
void connection_begins_request(struct connection *connection); /* its first line is there */
void connection_begins_body(struct connection *connection);
void connection_reads_body(struct connection *connection, uint64_t received);
void connection_works(struct connection *connection);
void connection_sends(struct connection *connection, uint64_t size);

/* Suspends the connection until its socket can be read. On its own thread only. False when the end
 * has begun and it goes on instead. */
bool connection_park(struct connection *connection);

#endif
