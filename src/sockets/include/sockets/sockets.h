/* SPDX-License-Identifier: MIT */
/* Reads the setting --listen, opens a listening socket for each address in it or takes those that
 * systemd has opened, accepts connections on a thread, and counts the connections from each subnet.
 * Nothing here knows what is sent over a connection.
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
 *             … sleep: the thread still accepts clients that have begun to connect …
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
	/* The index of the item of --listen. A name is one item and may have several addresses. */
	size_t item;
	bool is_name; /* the item is a name, not an address */
	/* Before listen_open(): the item as it was written; after it: the bound ADDR:PORT. */
	char text[LISTEN_TEXT_BYTES];
	struct sockaddr_storage at;
	socklen_t at_len;
	int fd;     /* -1: not open */
	int failed; /* errno, if it could not be opened */
};

/* The addresses at which to listen. */
struct listen_addresses {
	/* The sockets are open, and the program that passed them has them open too: clients that
	 * docket does not accept wait for its next process. */
	bool inherited;
	size_t count;
	struct listen_address list[LISTEN_ADDRESSES_MAX];
};

/* Reads items of the form ADDR:PORT, [ADDR]:PORT or NAME:PORT, with commas between them. A name
 * means all its addresses. Port 0 means any free port. Errors: ERR_NOMEM; ERR_INVALID, and then
 * `why` is the rest of a sentence that begins with "the setting". */
enum err listen_read(const char *list, struct listen_addresses **addresses_out, struct buf *why);

/* Takes the sockets that systemd passes, by LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
 * (sd_listen_fds(3)); `text` of each is where it is bound. Changes nothing in the environment.
 * ERR_NOT_FOUND: none are passed to this process. ERR_INVALID: `why` says what is wrong.
 * ERR_NOMEM. */
enum err listen_inherit(struct listen_addresses **addresses_out, struct buf *why);

/* NULL is accepted. */
void listen_free(struct listen_addresses *addresses);

/* Returns the text of the first address that other machines can reach; NULL: there is none. */
const char *listen_public(const struct listen_addresses *addresses);

/* Opens a listening socket at each address, unless they are open. All addresses with port 0
 * get the same free port. If this machine lacks one address of a name, but has another, only the
 * other is opened. ERR_IO: no socket is open, and `why` says why. */
enum err listen_open(struct listen_addresses *addresses, struct buf *why);

/* Lets no new connection begin. Connections that clients have begun can still be accepted. Does
 * nothing to inherited sockets: their next process needs them as they are. */
void listen_refuse_new(const struct listen_addresses *addresses);

/* Closes the sockets. The kernel resets connections that were not accepted. */
void listen_close(struct listen_addresses *addresses);

/* The thread that accepts connections, from all sockets of the addresses. */
struct acceptor;

struct acceptor_config {
	struct listen_addresses *addresses;
	/* has_room() and take() are called on the acceptor's thread, with `context`. */
	bool (*has_room)(void *context); /* whether one more connection is allowed */
	/* Takes over an accepted connection. Its socket does not block. */
	void (*take)(void *context, int fd, const struct sockaddr *from, socklen_t len);
	void *context;
	/* An eventfd that does not block. If has_room() has returned false, the caller must write
	 * to the eventfd when there is room again. */
	int room;
};

/* Starts the thread. It copies the configuration; what the configuration points at must outlive the
 * acceptor. The acceptor closes the sockets when it has drained or ends. ERR_NOMEM, ERR_INTERNAL:
 * the sockets are still the caller's. */
enum err acceptor_start(const struct acceptor_config *config, struct acceptor **acceptor_out);

/* Tells the thread to stop accepting, and does not wait for it. The thread lets no new connection
 * begin. It still accepts a connection that a client has begun, even if the last packet of the TCP
 * handshake arrives later; from inherited sockets only those that wait already. Then it closes the
 * sockets, and acceptor_is_done() becomes true. */
void acceptor_drain(struct acceptor *acceptor);
bool acceptor_is_done(const struct acceptor *acceptor);

/* Whether the thread has passed through its loop since the last call. Wakes it, so that it passes
 * again. */
bool acceptor_has_turned(struct acceptor *acceptor);

/* Ends the thread, and closes the sockets if they are still open. NULL is accepted. */
void acceptor_end(struct acceptor *acceptor);

#define SUBNET_BUCKETS 1024

/* Where connections come from: an IPv4 address, or an IPv6 network of the first 64 bits of an
 * address, because one subscriber has such a network. Connections from this machine are not
 * counted, because a proxy may run here. */
struct subnet;

/* How many connections each subnet has. Two threads must not use one table at the same time. */
struct subnets {
	unsigned limit; /* connections from one subnet; 0: any number */
	uint64_t seed;  /* random, so that nobody can choose addresses that share a bucket */
	struct subnet *buckets[SUBNET_BUCKETS];
};

void subnets_init(struct subnets *subnets, unsigned limit);

/* The caller must have called subnets_leave() for every connection. */
void subnets_release(struct subnets *subnets);

/* False: the subnet of `from` has as many connections as allowed. */
bool subnets_have_room(const struct subnets *subnets, const struct sockaddr *from);

/* Counts one more connection. Returns the subnet, for subnets_leave(). NULL: the connection is not
 * counted, for example because there is no memory. */
struct subnet *subnets_enter(struct subnets *subnets, const struct sockaddr *from);

/* Counts one connection less. NULL is accepted. */
void subnets_leave(struct subnets *subnets, struct subnet *subnet);

#endif
