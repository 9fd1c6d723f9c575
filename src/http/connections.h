/* SPDX-License-Identifier: MIT */
/* The list of open connections, with a deadline for each. A thread shuts down those that miss their
 * deadline. libmicrohttpd only limits how long a connection is silent, so a client could keep one
 * open for ever by sending a byte now and then. */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdatomic.h>

#include "http/http.h"
#include "tls_session.h"

struct connections;
struct MHD_Connection;
struct sockaddr;

/* What a connection is doing; a drain has to know. */
enum connection_phase {
	CONNECTION_WAITS,
	CONNECTION_SHAKES_HANDS, /* from the first byte of a TLS handshake to its last */
	CONNECTION_WORKS,        /* from the first line of a request to the end of its answer */
};

/* A connection. The members above `until` are for the connection's thread alone, those below `all`
 * for the list, under its lock. */
struct connection {
	int fd;                 /* open while the connection is in the list */
	struct tls_session tls; /* if the server has TLS */
	int64_t began;          /* when its last body began, of monotonic_ms() */
	int64_t left;           /* of the time for its answer, while it is paused */
	void *request;          /* struct http_request, from its first line to its end; or NULL */

	_Atomic int64_t until;       /* deadline, of monotonic_ms(); 0: none */
	_Atomic int64_t quiet_since; /* of monotonic_ms(), while it waits */
	atomic_int phase;
	atomic_uint parts;   /* how many heads and bodies have begun */
	atomic_bool reading; /* the last of them is not complete */

	struct connections *all;
	struct MHD_Connection *mhd; /* NULL: admitted, but libmicrohttpd has not begun it */
	uint64_t cookie;            /* the socket's SO_COOKIE; 0: it has none */
	struct subnet *subnet;
	struct connection *prev, *next;
	bool parked;
	bool ended;         /* the drain has ended its reading side */
	unsigned gone_at;   /* the number of the part in which the client ended its side */
	int64_t gone_since; /* when that was seen; 0: it did not end its side */
};

/* Makes the list and starts its thread. `limits` is copied. ERR_NOMEM, ERR_INTERNAL. */
enum err connections_new(const struct http_limits *limits, struct connections **connections_out);

/* Ends the thread and resumes parked connections. From now on no connection is parked. After that
 * libmicrohttpd's daemon may be stopped. */
void connections_end(struct connections *connections);

/* Frees the list. Call it after connections_end() and the end of the daemon. NULL is accepted. */
void connections_free(struct connections *connections);

/* False: there are as many connections as allowed. connections_room() is an eventfd that does not
 * block. It becomes readable when there is room again. */
bool connections_have_room(struct connections *connections);
int connections_room(const struct connections *connections);

/* Adds an accepted socket to the list, before libmicrohttpd gets it. False: its subnet has as many
 * connections as allowed, or memory is out. */
bool connections_admit(struct connections *connections, int fd, const struct sockaddr *from);
/* Removes an admitted socket that libmicrohttpd did not take. */
void connections_dismiss(struct connections *connections, int fd);
/* libmicrohttpd took an admitted socket and waits for a head. Never NULL. */
struct connection *connections_begin(struct connections *connections, struct MHD_Connection *mhd,
				     int fd);

/* Removes a connection, before its socket is closed. NULL is accepted. */
void connections_remove(struct connection *connection);

/* Ends the reading side of every connection that waits for a request and was quiet for a second.
 * Time before `since` (of monotonic_ms()) does not count. Requests that have arrived are still read
 * and answered. Returns how many connections there are. */
size_t connections_drain(struct connections *connections, int64_t since);

/* Sets the first four members of `load_out`. */
void connections_count(struct connections *connections, struct http_load *load_out);

/* Each of these functions says what the connection does from now on. While it continues to do the
 * same, each except connection_awaits_head() may be called again. */
void connection_shakes_hands(struct connection *connection);
void connection_awaits_head(struct connection *connection);    /* after an answer */
void connection_awaits_request(struct connection *connection); /* after a handshake */
void connection_begins_request(struct connection *connection); /* its first line was read */
void connection_begins_body(struct connection *connection);
void connection_reads_body(struct connection *connection, uint64_t received);
void connection_works(struct connection *connection);
void connection_sends(struct connection *connection, uint64_t size);
/* In the middle of an answer the client has to wait for the server. The time until
 * connection_sends_on() does not count against its deadline. */
void connection_pauses(struct connection *connection);
void connection_sends_on(struct connection *connection);

/* Suspends the connection until its socket can be read. Call it on the connection's thread only.
 * False: it is not suspended, for example because the server ends. */
bool connection_park(struct connection *connection);

#endif
