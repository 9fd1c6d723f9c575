/* SPDX-License-Identifier: MIT */
/* How many connections come from one place: an IPv4 address, or the 64 bits of an IPv6 address that
 * one subscriber has. This machine itself is not counted: a proxy may run here. */
#ifndef HTTP_ADDRESSES_H
#define HTTP_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_BUCKETS 1024

struct address;
struct sockaddr;

struct addresses {
	unsigned limit; /* of connections from one place; 0: any number */
	uint64_t seed;  /* so that nobody can choose addresses that fall into one bucket */
	struct address *buckets[ADDRESS_BUCKETS];
};

void addresses_init(struct addresses *addresses, unsigned limit);

/* Every place must have been left. */
void addresses_release(struct addresses *addresses);

/* False when the place of `from` has as many connections as it may. */
bool addresses_have_room(const struct addresses *addresses, const struct sockaddr *from);

/* Counts one more; the result is for addresses_leave(), and NULL where nothing is counted, memory
 * is out among it. */
struct address *addresses_enter(struct addresses *addresses, const struct sockaddr *from);

/* Counts one less. NULL is accepted. */
void addresses_leave(struct addresses *addresses, struct address *address);

#endif
