/* SPDX-License-Identifier: MIT */
/* From a setting to an accepted connection: the addresses to listen at, a listening socket for
 * each, a thread that accepts, and how many connections a subnet has. Nothing here knows what is
 * said over a connection.
 *
 *     static bool has_room(void *context) { return true; }
 *     static void take(void *context, int fd, const struct sockaddr *from, socklen_t len)
 *     {
 *             close(fd);
 *     }
 *
 *     struct acceptor_config config = {.has_room = has_room, .take = take};
 *     struct acceptor *acceptor;
 *
 *     config.room = eventfd(0, EFD_NONBLOCK);
 *
 *     err = listen_read("localhost:8080,192.0.2.1:8080", &config.addresses, &why);
 *     if (!err)
 *             err = listen_open(config.addresses, &why);
 *     if (!err)
 *             err = acceptor_start(&config, &acceptor);
 *     …
 *     acceptor_drain(acceptor);
 *     while (!acceptor_is_done(acceptor))
 *             … the clients whose handshakes are under way are taken as well …
 *     acceptor_end(acceptor);
 *     listen_free(config.addresses);
 */
#ifndef SOCKETS_SOCKETS_H
#define SOCKETS_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"

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

/* Where to listen. */
struct listen_addresses {
	size_t count;
	struct listen_address list[LISTEN_ADDRESSES_MAX];
};

/* Reads a comma list of ADDR:PORT, [ADDR]:PORT and NAME:PORT; a name means all its addresses, and
 * port 0 any that is free. ERR_NOMEM, ERR_INVALID: `why` goes on from "the setting …". */
enum err listen_read(const char *list, struct listen_addresses **addresses_out, struct buf *why);

/* NULL is accepted. */
void listen_free(struct listen_addresses *addresses);

/* The first that other machines can reach, as it was written; NULL: there is none. */
const char *listen_public(const struct listen_addresses *addresses);

/* Binds and listens at each address. Those with port 0 all get the same free port. An address of a
 * name that this machine does not have is left out where another of that name works. On an error
 * nothing is open, and `why` says why: ERR_IO. */
enum err listen_open(struct listen_addresses *addresses, struct buf *why);

/* From here on nobody can begin a connection; those that have begun can still be accepted. */
void listen_refuse_new(const struct listen_addresses *addresses);

/* Connections that were not accepted are reset. */
void listen_close(struct listen_addresses *addresses);

/* The thread that accepts connections, from all sockets of the addresses. */
struct acceptor;

struct acceptor_config {
	struct listen_addresses *addresses;
	/* Both are called on the acceptor's thread, with `context`. */
	bool (*has_room)(void *context); /* for one more connection */
	/* Takes over a connection that was accepted; the socket does not block. */
	void (*take)(void *context, int fd, const struct sockaddr *from, socklen_t len);
	void *context;
	/* An eventfd that does not block: it can be read once there is room, after has_room()
	 * said that there is none. */
	int room;
};

/* ERR_NOMEM, ERR_INTERNAL. The configuration is copied; what it points at outlives the acceptor,
 * which closes the sockets. */
enum err acceptor_start(const struct acceptor_config *config, struct acceptor **acceptor_out);

/* No connection can be begun any more. Those that have begun are accepted, also where the last
 * packet of the handshake is under way; then the sockets are closed: acceptor_is_done(). */
void acceptor_drain(struct acceptor *acceptor);
bool acceptor_is_done(const struct acceptor *acceptor);

/* Closes the sockets, where they are open still. NULL is accepted. */
void acceptor_end(struct acceptor *acceptor);

#define SUBNET_BUCKETS 1024

/* Where connections come from: an IPv4 address, or the 64 bits of an IPv6 address that one
 * subscriber has. This machine itself is not counted: a proxy may run here. */
struct subnet;

/* How many connections each has. Calls of one table must not overlap. */
struct subnets {
	unsigned limit; /* of connections from one subnet; 0: any number */
	uint64_t seed;  /* so that nobody can choose addresses that fall into one bucket */
	struct subnet *buckets[SUBNET_BUCKETS];
};

void subnets_init(struct subnets *subnets, unsigned limit);

/* Every connection must have left. */
void subnets_release(struct subnets *subnets);

/* False when the subnet of `from` has as many connections as it may. */
bool subnets_have_room(const struct subnets *subnets, const struct sockaddr *from);

/* Counts one more; the result is for subnets_leave(), and NULL where nothing is counted, memory is
 * out among it. */
struct subnet *subnets_enter(struct subnets *subnets, const struct sockaddr *from);

/* Counts one less. NULL is accepted. */
void subnets_leave(struct subnets *subnets, struct subnet *subnet);

#endif
