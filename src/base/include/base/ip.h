/* SPDX-License-Identifier: MIT */
/* IP addresses: reading, writing and comparing them. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>

#include "base/slice.h"

#define IP_TEXT_MAX 45 /* characters of the longest address */

struct sockaddr;

/* An IPv4 address is stored as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), so that a client has the
 * same address on an IPv4 and on an IPv6 socket. All zeros means unknown. */
struct ip {
	unsigned char bytes[16];
};

/* The address of an IPv4 or IPv6 socket; unknown for another family and for NULL. */
struct ip ip_of_socket(const struct sockaddr *address);

/* Reads an address without brackets, port or zone. False if `text` is not one; `ip_out` is then
 * untouched. */
bool ip_parse(struct slice text, struct ip *ip_out);

/* Writes an address in its usual form (RFC 5952; IPv4 with dots). Returns the length without the
 * NUL. */
size_t ip_write(const struct ip *ip, char text[IP_TEXT_MAX + 1]);

/* The network of one subscriber: the IPv4 address itself, or the IPv6 /64 (RFC 6177). */
struct ip ip_network(const struct ip *ip);

#endif
