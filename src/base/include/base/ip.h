/* SPDX-License-Identifier: MIT */
/* Addresses of the Internet: read, written and compared. */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <stdbool.h>

#include "base/slice.h"

#define IP_TEXT_MAX 45 /* characters of the longest */

struct sockaddr;

/* IPv4 as ::ffff:a.b.c.d (RFC 4291, section 2.5.5.2), so that one client has one address, whatever
 * socket it came through. All zeros: unknown. */
struct ip {
	unsigned char bytes[16];
};

/* The address of an IPv4 or IPv6 socket; unknown for another family and for NULL. */
struct ip ip_of_socket(const struct sockaddr *address);

/* Reads an address alone, without brackets, port and zone. False where it is none; `ip_out` is then
 * untouched. */
bool ip_parse(struct slice text, struct ip *ip_out);

/* Writes it as people do (RFC 5952), IPv4 with dots; returns the length, without the NUL. */
size_t ip_write(const struct ip *ip, char text[IP_TEXT_MAX + 1]);

/* What one subscriber has: the IPv4 address, or the /64 (RFC 6177). */
struct ip ip_network(const struct ip *ip);

#endif
